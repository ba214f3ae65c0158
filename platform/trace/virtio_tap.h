#pragma once
/// Listens to the probes of a card with a network device of virtio.

#include <cstdint>
#include <memory>
#include <optional>

#include "e1000tlm/board/virtio_card.h"
#include "e1000tlm/trace/nic_tap.h"
#include "e1000tlm/virtio/net_probes.h"

namespace e1000tlm::trace {

/// Tells of frames stored and lost, buffers of queues, and interrupts. Single frames are not
/// followed: software of such a device is told by memory, so nobody sees when it looks.
class VirtioTap : public NicTap {
 public:
  /// Attaches. `card` is the one in the slot.
  VirtioTap(EventSink& sink, platform::NicSlot& slot, platform::VirtioCard& card, std::uint16_t nic,
            std::uint16_t board);

  /// The interrupt line as well.
  void watch_pins() override;
  Use use_of(std::uint64_t address, bool write) override;
  std::optional<std::uint32_t> register_at(std::uint64_t address) const override;
  bool followed() const override { return false; }

 private:
  void received(const virtio::NetReceiveEvent& e);
  void buffer(const virtio::NetBufferEvent& e);
  /// It fills this queue's buffers; else it reads them.
  bool receives(unsigned queue) const;

  platform::VirtioCard& card_;
};

}  // namespace e1000tlm::trace
