#pragma once
/// What a ping came to. No SystemC.

#include <cstdint>
#include <string>

#include "e1000tlm/tlm/time.h"

namespace e1000tlm::driver {

/// Of one adapter. Addresses are empty until they are known.
struct PingResult {
  std::string address;  ///< that DHCP gave it
  std::string server;   ///< that gave it
  std::string gateway;  ///< that DHCP named
  std::string target;   ///< that echo requests go to
  std::uint64_t sent = 0;
  std::uint64_t received = 0;  ///< right answers, each counted once
  Time fastest{}, slowest{};   ///< round trip, software to software
  std::string failure;         ///< why it gave up; empty: it did not

  /// Every request was answered.
  bool passed() const { return failure.empty() && sent > 0 && received == sent; }
};

}  // namespace e1000tlm::driver
