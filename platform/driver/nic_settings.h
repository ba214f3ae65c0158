#pragma once
/// What can be set about the driver of an adapter. No SystemC.

#include <cstdint>

namespace e1000tlm::driver {

/// What an administrator may set; defaults as in common drivers for these parts.
struct NicSettings {
  /// Size of the receive ring, a multiple of 8, 16..4096. Of virtio-net a power of two, each
  /// queue's; the default becomes what the device has, if that is less.
  unsigned rx_descriptors = 256;
  /// Ditto of the transmit ring.
  unsigned tx_descriptors = 256;
  std::uint32_t max_frame_bytes = 1518;  ///< without FCS, VLAN tag included; up to 16110
  unsigned interrupt_rate = 20'000;      ///< at most so many a second (ITR); 0: not limited
  /// Receive delay RDTR, 1.024 us.
  std::uint16_t rdtr = 0;
  /// Receive delay RADV, 1.024 us.
  std::uint16_t radv = 8;
  /// Transmit delay TIDV, 1.024 us; 0: none.
  std::uint16_t tidv = 8;
  /// Transmit delay TADV, 1.024 us.
  std::uint16_t tadv = 32;
  bool strip_fcs = false;  ///< RCTL.SECRC
  /// Receive frames for anybody.
  bool promiscuous = true;
  bool flow_control = true;  ///< advertise and obey PAUSE
  unsigned refill_batch =
      16;  ///< free receive descriptors gathered before RDT moves (virtio: the device is told)
  unsigned doorbell_batch = 32;  ///< transmit descriptors gathered before TDT moves (ditto)

  // Of virtio-net adapters alone, as those above that name a register are of e1000 adapters.
  unsigned queue_pairs = 0;  ///< pairs of queues to use; 0: all that there are, up to 16
  bool event_index = true;   ///< agree on EVENT_IDX
  bool mergeable = true;     ///< agree on MRG_RXBUF: receive buffers of at most 2 KiB
  bool indirect = false;     ///< agree on INDIRECT_DESC and use it where it saves descriptors
};

}  // namespace e1000tlm::driver
