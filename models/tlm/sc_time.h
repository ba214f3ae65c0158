#pragma once
/// Simulated time between SystemC (sc_time) and SystemC-free code (e1000tlm::Time).
/// Both count picoseconds; check_time_resolution() refuses any other kernel resolution.

#include <systemc>

#include "e1000tlm/tlm/time.h"

namespace e1000tlm {

/// Precondition: t is not negative.
inline sc_core::sc_time to_sc(Time t) {
  return sc_core::sc_time::from_value(static_cast<sc_dt::uint64>(t.count()));
}
/// Precondition: less than 106 days.
inline Time from_sc(const sc_core::sc_time& t) {
  return Time{static_cast<std::int64_t>(t.value())};
}
/// The kernel's present time.
inline Time sc_now() { return from_sc(sc_core::sc_time_stamp()); }

/// Throws std::runtime_error unless the kernel counts in picoseconds. Fixes the resolution.
void check_time_resolution();

}  // namespace e1000tlm
