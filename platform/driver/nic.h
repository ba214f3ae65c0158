#pragma once
/// What applications need of an adapter, whatever its kind.

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "e1000tlm/driver/buffers.h"
#include "e1000tlm/driver/cpu.h"
#include "e1000tlm/driver/nic_settings.h"
#include "e1000tlm/driver/pci_host.h"

namespace e1000tlm::driver {

struct NicCounters {
  std::uint64_t rx_frames = 0, rx_bytes = 0;  ///< bytes without FCS
  std::uint64_t tx_frames = 0, tx_bytes = 0;  ///< completed, bytes handed over
  std::uint64_t rx_errors = 0;                ///< damaged or longer than is taken: dropped
  std::uint64_t tx_too_long = 0;  ///< longer than the MTU of the adapter allows: not sent
  std::uint64_t interrupts = 0;   ///< with a cause
  std::uint64_t spurious = 0;     ///< line asserted, and it was not this one (shared line)
  std::uint64_t link_changes = 0;
};

struct NicLink {
  bool up = false;
  unsigned mbit_per_second = 0;  ///< 0: not known
  bool full_duplex = false;
  bool rx_pause = false, tx_pause = false;
};

/// Takes received frames.
class FrameTaker {
 public:
  virtual ~FrameTaker() = default;
  /// A frame of `bytes` (without FCS) stands at `address` in a buffer of `home`, which the taker
  /// now owns. False: no room now, ask again with the same frame later; nothing has been taken.
  virtual bool take(std::uint64_t address, std::uint32_t bytes, BufferPool& home) = 0;
};

/// Offload of one frame (8254x manual 3.3.6, 3.5; virtio 1.2 5.1.6.2). Offsets from the frame's
/// first byte. The transport's checksum field holds the sum of the pseudo header: without the
/// length if the frame is to be segmented, with it else.
struct TxOffload {
  bool ipv4 = true, tcp = false;  ///< else IPv6, UDP
  std::uint8_t ip_offset = 14, transport_offset = 34;
  std::uint16_t mss = 0;  ///< > 0: segment; header_bytes is then needed
  std::uint8_t header_bytes = 0;
};

/// The driver of one adapter.
class Nic {
 public:
  virtual ~Nic() = default;
  Nic(const Nic&) = delete;
  Nic& operator=(const Nic&) = delete;

  // --- bring-up, in this order; all take simulated time and throw std::runtime_error on failure
  // ---
  /// From whatever state it is in to rings set up and interrupts off. The address is known then.
  virtual void bring_up() = 0;
  virtual void enable_interrupts() = 0;
  /// After link is up: gives the receiver its buffers.
  virtual void start_receiver() = 0;
  /// Resets it: no more DMA, no more interrupts.
  virtual void stop() = 0;
  /// Stops, and gives up what is in the rings; to be brought up again.
  virtual void close() = 0;

  // --- at work ---
  /// Asks the adapter whether it wants something; masks its interrupts if so. False: it does not.
  virtual bool interrupt() = 0;
  /// Opens the mask again after interrupt(). True: it stays masked, as there is something to do of
  /// which no interrupt would tell. Where received frames wait for room it may stay masked, too,
  /// and wants to be asked again when something else has happened.
  virtual bool unmask() = 0;
  bool masked() const { return masked_; }
  /// Hands up to `budget` received frames over; returns how many. Gives the receiver buffers in
  /// batches.
  virtual unsigned receive(FrameTaker& taker, unsigned budget) = 0;
  /// Gives completed transmit buffers back to their pools.
  virtual void reclaim() = 0;
  /// Queues a frame; false when its ring is full. `home` gets the buffer back when it has been
  /// sent; at once if it may not be (counted in tx_too_long).
  virtual bool send(std::uint64_t address, std::uint32_t bytes, BufferPool& home) = 0;
  /// Ditto with an offload. Throws std::runtime_error if the adapter cannot do it.
  virtual bool send(std::uint64_t address, std::uint32_t bytes, BufferPool& home,
                    const TxOffload& offload) = 0;
  /// So many frames from buffers with headroom() surely find room.
  unsigned tx_room() const { return tx_limit_ - tx_used_; }
  /// Tells the adapter what has been queued.
  virtual void flush() = 0;

  /// Everything sent has completed and nothing received waits. No simulated time.
  virtual bool idle() = 0;

  const std::array<std::uint8_t, 6>& mac() const { return mac_; }
  const NicLink& link() const { return link_; }
  const NicCounters& counters() const { return counters_; }
  const PciDevice& pci() const { return pci_; }
  /// As in force: rings as large as they are.
  const NicSettings& settings() const { return settings_; }
  /// Bytes that frames to be sent should have before them in their buffers, for the adapter's own
  /// header; without them sending takes more room.
  std::uint32_t headroom() const { return headroom_; }
  /// "PCI device 3 (8086:100e)".
  std::string name() const;

 protected:
  Nic(Cpu& cpu, const PciDevice& pci, const NicSettings& settings)
      : cpu_(cpu), pci_(pci), settings_(settings) {}

  Cpu& cpu_;
  PciDevice pci_;
  NicSettings settings_;
  std::array<std::uint8_t, 6> mac_{};
  NicLink link_;
  NicCounters counters_;
  std::uint32_t headroom_ = 0;
  unsigned tx_limit_ = 0;  // room of an empty ring
  unsigned tx_used_ = 0;
  bool masked_ = false;
};

/// All adapters of a machine, in the order of their PCI device numbers.
using Nics = std::vector<std::unique_ptr<Nic>>;

/// Lets every adapter on an asserted line say whether it wants something; see Nic::interrupt().
void serve_interrupts(Cpu& cpu, const Nics& nics);
/// Opens the masks of all; true: one of them has something to do, see Nic::unmask().
bool unmask(const Nics& nics);

}  // namespace e1000tlm::driver
