#pragma once
/// What an adapter's self-test came to. No SystemC.

#include <cstdint>

namespace e1000tlm::driver {

/// Each test's value as ethtool shows it: 0 = passed, else why not.
struct SelfTestResult {
  std::uint32_t registers = 0;  ///< offset of the register that failed; 1: STATUS
  std::uint32_t eeprom = 0;     ///< 1: cannot be read, 2: does not sum to BABAh
  std::uint32_t interrupt = 0;  ///< 3: came although masked, 4: did not come, 5: another came, too
  std::uint32_t loopback = 0;   ///< 13: fewer than 64 frames came back, 14: too late
  std::uint32_t link = 0;       ///< 1: none

  /// All of them.
  bool passed() const { return (registers | eeprom | interrupt | loopback | link) == 0; }
};

}  // namespace e1000tlm::driver
