#pragma once
/// The one table of the controller's registers (manual chapter 13). No SystemC.

#include <gsl/span>

#include "e1000tlm/e1000/registers/registers.h"
#include "e1000tlm/tlm/register_table.h"

namespace e1000tlm::e1000 {

/// Resets, in the `domains` column: what restores a register to its reset value.
namespace domain {
inline constexpr std::uint8_t kPowerGood = 1 << 0;  ///< LAN_PWR_GOOD
inline constexpr std::uint8_t kBus = 1 << 1;        ///< PCI RST#, D3hot to D0
inline constexpr std::uint8_t kSoftware = 1 << 2;   ///< CTRL.RST
inline constexpr std::uint8_t kAll = kPowerGood | kBus | kSoftware;
}  // namespace domain

gsl::span<const RegisterRow> register_map();
/// 82542-compatible second addresses (manual 13.3).
gsl::span<const RegisterAlias> register_aliases();

}  // namespace e1000tlm::e1000
