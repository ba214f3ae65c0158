#pragma once
/// The EEPROM's words and bits as data: what each is for, where hardware puts it, and when.
/// Loading, the configuration space, doc/eeprom.md and the tests are derived from this table. No
/// SystemC.

#include <cstdint>
#include <gsl/span>
#include <optional>
#include <string_view>

#include "e1000tlm/e1000/parts.h"
#include "e1000tlm/e1000/peripherals/eeprom.h"
#include "e1000tlm/e1000/registers/register_map.h"

namespace e1000tlm::e1000 {

/// What a field of the EEPROM is for.
enum class EepromUse : std::uint8_t {
  kRegister,      ///< initial value of bits of a register
  kRegisterSets,  ///< a 1 sets a bit of a register; a 0 leaves it as the reset made it
  kRegisterOnes,  ///< sets a bit of a register, whatever the field says
  kLed,           ///< as kRegister; a word that was never programmed (FFFFh) leaves the default
  // the configuration space and the flash, at power-up
  kLoadDeviceIds,
  kLoadSubsystemIds,
  kDeviceId,
  kVendorId,
  kSubsystemId,
  kSubsystemVendorId,
  kNarrowBars,
  kPowerManagement,
  kFlashSize,
  kMsiDisable,
  k133Mhz,
  k64Bit,
  kMaxRead,
  kD0Power,
  kD3Power,
  // others
  kSignature,
  kSoftware,     ///< read by drivers and tools only
  kNotModelled,  ///< acts on analogue circuits or on management firmware
};

/// One field. Bits `high`..`low` of `word`, or of each of `words` words.
struct EepromField {
  std::string_view name;  ///< as in the manual
  std::uint8_t word;
  std::uint8_t words;
  std::uint8_t high, low;
  EepromUse use;
  std::string_view target;  ///< for people
  std::uint32_t reg;        ///< of the register uses: offset, and the lowest bit there
  std::uint8_t shift;
  std::uint8_t resets;       ///< domains whose resets load it; EE_RST loads what CTRL.RST does
  std::uint8_t parts;        ///< on which it has this meaning
  std::string_view section;  ///< of the manual

  constexpr std::uint16_t mask() const {
    return static_cast<std::uint16_t>(((1U << (high - low + 1)) - 1) << low);
  }
  std::uint16_t value(const EepromImage& image) const {
    return static_cast<std::uint16_t>((image.word(word) & mask()) >> low);
  }
  bool is_register() const { return use <= EepromUse::kLed; }
  /// Without a valid signature hardware takes the station address only (rule EE-3).
  bool needs_signature() const { return word > 2; }
};

gsl::span<const EepromField> eeprom_map();

/// What a register holds after hardware has loaded the EEPROM in a reset of these domains.
/// `stored`: before; `reset`: its reset value.
std::uint32_t loaded_from_eeprom(const EepromImage& image, std::uint8_t part, std::uint8_t domains,
                                 std::uint32_t reg, std::uint32_t stored, std::uint32_t reset);

/// The first field with this use that the part has; nullopt: none, or the image has no signature.
std::optional<std::uint16_t> eeprom_value(const EepromImage& image, Part part, EepromUse use);

/// Power management (word 0Ah): without it the device stays in D0, and knows no PME.
bool has_power_management(const EepromImage& image, Part part);

}  // namespace e1000tlm::e1000
