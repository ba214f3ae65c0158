#pragma once
/// A card with a network device of virtio.

#include <memory>
#include <string>
#include <vector>

#include <systemc>

#include "e1000tlm/board/card.h"
#include "e1000tlm/pci/timing.h"
#include "e1000tlm/virtio/data_plane.h"
#include "e1000tlm/virtio/net_device.h"

namespace e1000tlm::platform {

class NicSlot;

/// Function and device; the device is the end of the cable itself.
class VirtioCard : public Card, private virtio::DataPlaneSeat {
 public:
  /// See CardModel::make.
  VirtioCard(const NicConfig& config, const NicPlace& place, const pci::BusSpeed& bus);
  ~VirtioCard() override;

  /// What is behind the function.
  virtio::NetDevice& device() { return *device_; }
  /// Its interrupt line, true = asserted.
  const sc_core::sc_signal<bool>& irq() const { return irq_; }

  pci::Function& function() override { return *function_; }
  void connect(link::CableEndIf& end) override { device_->wire(end); }
  /// Where memory can be mapped by others.
  virtio::DataPlaneSeat* seat() override { return memory_ != nullptr ? this : nullptr; }
  std::string model() const override;
  std::array<std::uint8_t, 6> mac() const override { return device_->config().mac; }
  unsigned queue_pairs() const override { return device_->config().queue_pairs; }
  bool carried_by_others() const override { return seat_taken_; }
  CardLink link() const override;
  const sc_core::sc_event& link_event() const override { return device_->link_event(); }
  void set_lookahead(Time limit) override { device_->set_lookahead(limit); }
  bool busy() const override { return device_->busy(); }
  bool idle() const override { return device_->idle(); }
  std::uint64_t interrupts() const override { return device_->interrupts(); }
  std::vector<CardDrop> drops() const override;
  std::string fault() const override { return device_->fault(); }
  /// NicSummary::virtio.
  void add_to(NicSummary& summary) const override;
  /// Common and device configuration, as Linux's structures name the fields. Those of a queue are
  /// of the queue that is selected.
  std::vector<std::string> register_names() const override;
  std::vector<std::pair<std::string, std::uint32_t>> debug_read(const std::string& name) override;
  /// There is nothing to be kept.
  void finish(std::vector<std::string>& failures) override;

 private:
  virtio::DataPlaneOwner& take(virtio::DataPlane& plane) override;
  unsigned pairs() const override { return device_->config().queue_pairs; }
  std::uint16_t mtu() const override { return device_->config().mtu; }
  int memory_descriptor() const override { return memory_->descriptor; }
  Bytes memory() const override { return memory_->bytes; }
  std::uint32_t debug_value(std::uint32_t offset, unsigned bytes);

  const SharedMemory* memory_;
  bool seat_taken_ = false;
  sc_core::sc_signal<bool> irq_;
  std::unique_ptr<pci::Function> function_;
  std::unique_ptr<virtio::NetDevice> device_;
};

/// See CardModel::check_bus.
void check_virtio_bus(const NicConfig& config, const std::string& name, const pci::BusSpeed& bus);

/// The card in a slot; nullptr: it is of another model.
VirtioCard* virtio_card(NicSlot& slot);

}  // namespace e1000tlm::platform
