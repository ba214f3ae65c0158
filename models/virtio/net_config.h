#pragma once
/// What a virtio network device is like, and what it counts. No SystemC.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "e1000tlm/tlm/time.h"
#include "e1000tlm/virtio/net.h"

namespace e1000tlm::virtio {

/// Each of the device's memories has at least so many bytes: a frame of any size and another one.
inline constexpr std::uint32_t kLeastFifo = 17 * 1024;

/// What of the legacy interface there is, as QEMU names it.
enum class NetInterface : std::uint8_t {
  kModern,        ///< non-transitional: 1AF4:1041, no I/O BAR
  kTransitional,  ///< 1AF4:1000, and legacy registers in BAR 0 beside the modern ones
};

/// Their names in options and reports, by NetInterface.
inline constexpr std::array<std::string_view, 2> kNetInterfaceNames{"modern", "transitional"};

/// The device's own times: assumptions, as no document says them; see doc/virtio.md.
struct NetTiming {
  Time doorbell = ns(100);      ///< from a notification to the first look at the queue
  Time packet = ns(20);         ///< work on each packet beside its bus accesses
  Time moderation = kTimeZero;  ///< at least between two interrupts of a queue; 0: none

  // How accesses to rings are gathered: each group is one burst on the bus.
  std::uint32_t available_burst = 16;   ///< most entries of an available ring, 1 to 64
  std::uint32_t descriptor_burst = 16;  ///< most descriptors, 1 to 64
  std::uint32_t used_batch = 16;        ///< most used buffers that the driver does not see, 1 to 64
  std::uint32_t data_burst = 4096;      ///< most bytes of a packet, at least 64

  // Memory of the device.
  std::uint32_t transmit_fifo = 32 * 1024;  ///< packets on their way to the wire, at least 17 KiB
  std::uint32_t receive_fifo = 32 * 1024;   ///< packets that wait for a buffer, of each pair; ditto
};

/// What a device is.
struct NetDeviceConfig {
  NetInterface interface = NetInterface::kModern;  ///< which registers
  unsigned queue_pairs = 1;                        ///< 1 to net::kMostPairs
  std::uint16_t queue_size = 256;                  ///< most descriptors of each queue
  std::array<std::uint8_t, 6> mac{0x52, 0x54, 0, 0x12, 0x34, 0x56};  ///< its address
  std::uint16_t mtu = 0;  ///< largest MTU that it tells of; 0: none
  /// Not offered although it has them; as QEMU's device these three.
  std::uint64_t masked_features =
      net::feature::kRss | net::feature::kHashReport | net::feature::kInOrder;
  NetTiming timing{};  ///< its own times
};

/// Why frames were lost.
enum class NetDrop : std::uint8_t {
  kRxNotReady,   ///< no driver is ready, or the pair has no queue
  kRxNoLink,     ///< arrived while the link was down
  kRxFiltered,   ///< address or VLAN filter
  kRxNoBuffer,   ///< no buffer in time
  kRxTooLong,    ///< longer than the buffer (without mergeable buffers), or than any frame
  kRxBadFcs,     ///< damaged on the wire
  kRxDmaError,   ///< bus error
  kRxReset,      ///< waiting at a reset
  kTxMalformed,  ///< a header that asks for the impossible, too short or too long
  kTxNoLink,     ///< sent while the link was down
  kTxDmaError,   ///< bus error
  kTxReset,      ///< under way at reset
  kCount
};
/// Their names in reports, by NetDrop.
inline constexpr std::array<std::string_view, static_cast<std::size_t>(NetDrop::kCount)>
    kNetDropNames{"rx_not_ready", "rx_no_link", "rx_filtered",  "rx_no_buffer",
                  "rx_too_long",  "rx_bad_fcs", "rx_dma_error", "rx_reset",
                  "tx_malformed", "tx_no_link", "tx_dma_error", "tx_reset"};

/// Of one pair of queues.
struct NetPairCounters {
  std::uint64_t rx_frames = 0;      ///< stored
  std::uint64_t rx_bytes = 0;       ///< of these, without FCS
  std::uint64_t tx_frames = 0;      ///< handed to the cable, segments counted singly
  std::uint64_t tx_bytes = 0;       ///< of these, without FCS
  std::uint64_t rx_interrupts = 0;  ///< told the driver of received packets
  std::uint64_t tx_interrupts = 0;  ///< told it of sent ones
};

}  // namespace e1000tlm::virtio
