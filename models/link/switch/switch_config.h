#pragma once
/// What there is to choose about a switch. No SystemC.

#include <cstddef>

#include "e1000tlm/tlm/time.h"

namespace e1000tlm::link {

/// Defaults are those of a small desktop switch; see hub_defaults().
struct SwitchConfig {
  /// From a frame's last bit in to its first bit out of an idle port (RFC 1242 latency of a
  /// store-and-forward device).
  Time latency = us(2);
  std::size_t stations = 8192;           ///< addresses that the table holds, 1..1048576
  Time aging = ms(300'000);              ///< life of an address (IEEE 802.1D table 7-5)
  std::size_t queue_bytes = 512 * 1024;  ///< of each output port, destination address to FCS
  std::size_t max_frame_bytes = 1522;    ///< destination address to FCS; longer ones are dropped

  /// A hub (repeater, IEEE 802.3 clause 41) instead: every frame goes to every other port as it is,
  /// damaged or not, bit by bit. `latency` is then from first bit to first bit; stations, aging and
  /// max_frame_bytes say nothing.
  bool repeats = false;
};

/// Those of a gigabit hub with buffers at its ports.
constexpr SwitchConfig hub_defaults() {
  SwitchConfig config;
  config.repeats = true;
  config.latency = ns(500);
  return config;
}

}  // namespace e1000tlm::link
