#pragma once
/// What there is to choose about a switch. No SystemC.

#include <cstddef>

#include "e1000tlm/tlm/time.h"

namespace e1000tlm::link {

/// Defaults are those of a small desktop switch.
struct SwitchConfig {
  /// From a frame's last bit in to its first bit out of an idle port (RFC 1242 latency of a
  /// store-and-forward device).
  Time latency = us(2);
  std::size_t stations = 8192;           ///< addresses that the table holds, 1..1048576
  Time aging = ms(300'000);              ///< life of an address (IEEE 802.1D table 7-5)
  std::size_t queue_bytes = 512 * 1024;  ///< of each output port, destination address to FCS
  std::size_t max_frame_bytes = 1522;    ///< destination address to FCS; longer ones are dropped
};

}  // namespace e1000tlm::link
