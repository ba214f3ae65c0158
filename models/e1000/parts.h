#pragma once
/// The modelled members of the 8254x family, one table row each. No SystemC.

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace e1000tlm::e1000 {

/// The modelled parts; kParts has a row for each.
enum class Part : std::uint8_t { k82540em, k82544gc, k82545em, k82545gm };

/// Bits for "present on these parts" masks in tables.
namespace on {
/// 82540EM.
inline constexpr std::uint8_t k82540em = 1 << 0;
/// 82544GC.
inline constexpr std::uint8_t k82544gc = 1 << 1;
/// 82545EM.
inline constexpr std::uint8_t k82545em = 1 << 2;
/// 82545GM.
inline constexpr std::uint8_t k82545gm = 1 << 3;
/// All parts.
inline constexpr std::uint8_t kAll = 0x0F;
/// All but the 82544.
inline constexpr std::uint8_t kNot82544 = kAll & ~k82544gc;
}  // namespace on

/// What tells one part from the others.
struct PartInfo {
  /// Which one.
  Part part;
  std::string_view name;  ///< as in --nic part=
  /// PCI device identifier, unless the EEPROM has another.
  std::uint16_t device_id;
  /// PCI revision.
  std::uint8_t revision;
  std::uint16_t phy_id2;  ///< PHY identifier register 3
  bool pcix;              ///< PCI-X capability
  bool bars_64bit;        ///< BAR0/1 and flash 64-bit capable, I/O BAR is BAR4
  /// It is of the older generation: no ITR, RADV, TADV, LEDCTL, ...
  bool is_82544;
  bool parallel_flash;         ///< can have a flash device (manual 7)
  std::uint16_t eeprom_words;  ///< 64 unless a larger image is loaded
  std::uint8_t mask;           ///< its bit in namespace on
};

/// One row for each Part, in its order.
inline constexpr std::array<PartInfo, 4> kParts{{
    {Part::k82540em, "82540em", 0x100E, 0x02, 0x0C24, false, false, false, false, 64, on::k82540em},
    {Part::k82544gc, "82544gc", 0x100C, 0x02, 0x0C34, true, false, true, true, 64, on::k82544gc},
    {Part::k82545em, "82545em", 0x100F, 0x01, 0x0C24, true, true, false, true, 64, on::k82545em},
    {Part::k82545gm, "82545gm", 0x1026, 0x04, 0x0C24, true, true, false, true, 64, on::k82545gm},
}};

/// The row of a part.
constexpr const PartInfo& part_info(Part part) { return kParts[static_cast<std::size_t>(part)]; }
/// Accepts the name in either case.
std::optional<Part> find_part(std::string_view name);

}  // namespace e1000tlm::e1000
