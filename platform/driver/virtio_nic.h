#pragma once
/// The driver of a virtio network device on PCI (virtio 1.2, 5.1).

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "e1000tlm/driver/nic.h"
#include "e1000tlm/driver/virtio_pci.h"
#include "e1000tlm/driver/virtio_rings.h"

namespace e1000tlm::driver {

/// Modern devices, by INTx. Frames are sent on the pair of queues that their flow's hash names, so
/// that flows stay in order, and received from all pairs in turn. A device that says that it needs
/// a reset is reset and brought up again; what it had is lost, as after a reset of a card.
class VirtioNic final : public Nic {
 public:
  /// Most pairs that it uses.
  static constexpr unsigned kMostPairs = virtio::net::kMostPairs;

  /// Throws std::invalid_argument on settings out of range, std::runtime_error if the device has
  /// legacy registers alone. `frame_cost`: of software, each frame received or sent.
  VirtioNic(Cpu& cpu, PciHost& host, const PciDevice& pci, RamAllocator& ram,
            const NicSettings& settings, Time frame_cost);

  void bring_up() override;
  void enable_interrupts() override;
  void start_receiver() override;
  void stop() override;
  void close() override;

  /// Reads ISR.
  bool interrupt() override;
  bool unmask() override;
  unsigned receive(FrameTaker& taker, unsigned budget) override;
  void reclaim() override;
  bool send(std::uint64_t address, std::uint32_t bytes, BufferPool& home) override;
  /// Needs the device's CSUM, and HOST_TSO4 or HOST_TSO6 for segments.
  bool send(std::uint64_t address, std::uint32_t bytes, BufferPool& home,
            const TxOffload& offload) override;
  void flush() override;
  bool idle() override;

  /// As agreed with the device.
  std::uint64_t features() const { return features_; }
  /// In use.
  unsigned pairs() const { return static_cast<unsigned>(transmitters_.size()); }
  /// Times that the device has needed a reset.
  std::uint64_t resets() const { return resets_; }

 private:
  void choose_features();
  void read_config();
  void allocate();
  std::uint16_t ring_size(unsigned queue, unsigned& setting, const char* key);
  void start_queues();
  void set_modes();
  void command(std::uint8_t command_class, std::uint8_t command, ConstBytes data);
  void check_link();
  void mask();
  void recover();
  bool agreed(std::uint64_t feature) const { return (features_ & feature) != 0; }

  VirtioTransmitter& transmitter_of(std::uint64_t address, std::uint32_t bytes);
  bool put(std::uint64_t address, std::uint32_t bytes, BufferPool& home,
           const VirtioTransmitter::Header* header);
  void check_offload(const TxOffload& offload) const;
  void finish_headers(std::uint64_t address, std::uint32_t bytes, const TxOffload& offload);

  RamAllocator& ram_;
  VirtioPci registers_;
  Time frame_cost_;
  std::uint64_t features_ = 0;
  unsigned pairs_ = 1, device_pairs_ = 1;
  std::uint32_t longest_ = ~0U;  // frame that may be sent
  bool started_ = false, needs_reset_ = false;
  std::uint64_t resets_ = 0;
  std::uint64_t frames_at_reset_ = 0;
  unsigned fruitless_resets_ = 0;  // without a frame between them

  // One for each pair; there from the first bring_up() on.
  std::optional<VirtioBuffers> buffers_;
  std::vector<std::unique_ptr<VirtioReceiver>> receivers_;
  std::vector<std::unique_ptr<VirtioTransmitter>> transmitters_;
  std::unique_ptr<VirtioControl> control_;
  unsigned first_ = 0;                 // pair that is looked at first
  std::vector<std::uint8_t> scratch_;  // a frame, without DMI
};

}  // namespace e1000tlm::driver
