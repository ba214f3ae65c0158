#pragma once
/// The queues of a virtio network device, as its driver has them (virtio 1.2, 5.1.6).

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "e1000tlm/driver/buffers.h"
#include "e1000tlm/driver/nic.h"
#include "e1000tlm/driver/virtio_memory.h"
#include "e1000tlm/driver/virtio_pci.h"
#include "e1000tlm/virtio/net.h"
#include "e1000tlm/virtio/split_ring.h"

namespace e1000tlm::driver {

/// One queue in memory, and its number. Its functions throw std::runtime_error when the device has
/// broken the rules of queues.
class VirtioRing {
 public:
  /// Allocates the queue. `owner` is named in errors.
  VirtioRing(Cpu& cpu, RamAllocator& ram, const std::string& owner, unsigned number,
             std::uint16_t size);
  VirtioRing(const VirtioRing&) = delete;
  VirtioRing& operator=(const VirtioRing&) = delete;

  /// Clears it and enables it at the device.
  void start(VirtioPci& pci, const virtio::RingOptions& options);
  /// Shows the device what has been added, and tells it if it wants to know.
  void announce(VirtioPci& pci) {
    unannounced_ = 0;
    if (queue_.publish()) pci.notify(number_);
  }
  /// Added and not announced.
  unsigned unannounced() const { return unannounced_; }
  unsigned free() const { return queue_.free(); }
  unsigned size() const { return layout_.size; }
  unsigned in_flight() const { return queue_.in_flight(); }

  /// No interrupts for it.
  void mask() { queue_.disable_calls(); }
  /// An interrupt when a buffer comes back, or (late) when most are back. True: they are already.
  bool unmask(bool late) { return queue_.request_call(late); }
  /// Something has come back that was not looked at. No simulated time.
  bool waits();

 protected:
  /// The next buffer that came back.
  bool reap(virtio::DriverQueue::Used& used);
  [[noreturn]] void fail(const std::string& what) const;

  Cpu& cpu_;
  CpuMemory memory_;
  std::string owner_;
  unsigned number_;
  virtio::SplitLayout layout_;
  virtio::DriverQueue queue_;
  unsigned unannounced_ = 0;
};

/// Bytes of the header before each packet.
inline constexpr std::uint32_t kVirtioHeader = virtio::net::header::kBytes;

/// Where receivers have their buffers from.
struct VirtioBuffers {
  BufferPool parts;  ///< that the device gets; with headroom for the header
  BufferPool whole;  ///< for frames that came in several parts
  std::uint32_t max_frame_bytes;
  bool mergeable = false;  ///< frames may come in several parts
};

/// A receive queue.
class VirtioReceiver : public VirtioRing {
 public:
  /// `buffers` must outlive it.
  VirtioReceiver(Cpu& cpu, RamAllocator& ram, const std::string& owner, unsigned number,
                 std::uint16_t size, VirtioBuffers& buffers);

  /// See Nic::receive(); each frame costs the program `frame_cost`.
  unsigned receive(FrameTaker& taker, unsigned budget, NicCounters& counters, Time frame_cost);
  /// Gives the device all free buffers; tells it when `batch` are together, or it starves.
  void refill(VirtioPci& pci, unsigned batch);
  /// A frame waits that the program has seen and not taken.
  bool holds() const { return ready_.has_value() || !parts_.empty(); }
  /// The next frame is in, and nobody has had room for it: not the device's notice, but what makes
  /// room leads on.
  bool blocked() const { return ready_.has_value() || parts_.size() >= expected_; }
  /// The device has been reset: all buffers go back to their pools.
  void give_up();

 private:
  struct Part {
    std::uint64_t address;
    std::uint32_t written;
  };
  struct Ready {
    std::uint64_t address;
    std::uint32_t bytes;
    BufferPool* home;  // nullptr: a frame that is dropped
  };
  bool gather();
  void drop_parts();
  bool merge(std::uint32_t bytes);

  VirtioBuffers& buffers_;
  std::vector<std::uint64_t> slots_;  // by head; 0: not with the device
  std::vector<Part> parts_;           // of the frame that is coming in
  unsigned expected_ = 1;             // parts of it
  std::optional<Ready> ready_;
  std::vector<std::uint8_t> scratch_;
};

/// A transmit queue.
class VirtioTransmitter : public VirtioRing {
 public:
  using Header = std::array<std::uint8_t, kVirtioHeader>;

  /// `counters`: where frames that were sent are counted.
  VirtioTransmitter(Cpu& cpu, RamAllocator& ram, const std::string& owner, unsigned number,
                    std::uint16_t size, NicCounters& counters);

  /// Frames without headroom go by an indirect table (agreed on).
  void use_indirect(bool on) { indirect_ = on; }
  /// See Nic::send(). `header` nullptr: all zeros.
  bool send(VirtioPci& pci, std::uint64_t address, std::uint32_t bytes, BufferPool& home,
            const Header* header);
  void reclaim();
  /// The device has been reset: all buffers go back to their pools.
  void give_up();

 private:
  static constexpr std::uint16_t kNoPlace = 0xFFFF;
  struct Slot {
    std::uint64_t address = 0;
    BufferPool* home = nullptr;  // nullptr: not with the device
    std::uint32_t bytes = 0;
    std::uint16_t place = kNoPlace;
  };
  bool make_room(VirtioPci& pci, unsigned descriptors);
  std::uint64_t place_address(std::uint16_t place) const;

  std::vector<Slot> slots_;  // by head
  // Headers and indirect tables of frames without headroom: one place for each frame that needs
  // one. The first is a header of zeros, which all share.
  std::uint64_t places_;
  std::vector<std::uint16_t> free_places_;
  bool indirect_ = false;
  NicCounters& counters_;
};

/// The control queue (virtio 1.2, 5.1.6.5).
class VirtioControl : public VirtioRing {
 public:
  VirtioControl(Cpu& cpu, RamAllocator& ram, const std::string& owner, unsigned number,
                std::uint16_t size);

  /// Gives a command and waits for the answer. Throws std::runtime_error if it is no, or none
  /// comes. `data`: at most kMostData bytes.
  void command(VirtioPci& pci, std::uint8_t command_class, std::uint8_t command, ConstBytes data);
  static constexpr std::size_t kMostData = 16;

 private:
  std::uint64_t buffer_;
};

}  // namespace e1000tlm::driver
