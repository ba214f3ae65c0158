#include "e1000tlm/e1000/peripherals/eeprom_map.h"

#include <array>

namespace e1000tlm::e1000 {
namespace {

using U = EepromUse;
constexpr std::uint8_t kAll = on::kAll, kNew = on::kNot82544, kOld = on::k82544gc;
constexpr std::uint8_t k45 = on::k82545em | on::k82545gm, kX = k45 | kOld;  // kX: PCI-X, flash
// Every reset but that of the 82544's CTRL.RST, which waits for EE_RST; or when power comes.
constexpr std::uint8_t kD = domain::kAll, kP = domain::kPowerGood | domain::kBus;
constexpr std::uint32_t kNone = 0;

// The 82544 has no words 10h to 21h and 23h to 2Eh for hardware. Words of port B (10h, 11h, 13h to
// 1Eh) belong to the dual parts, and those of the PHY to the 82541 and 82547.
// clang-format off
constexpr std::array kFields{
//           name                          word n  bits    use                     target                      register        shift reset parts manual
EepromField{"Ethernet address, bytes 0, 1", 0x00, 1, 15, 0, U::kRegister,         "RAL0 15:0",                reg::kRa,          0, kD, kAll, "5.6.1"},
EepromField{"Ethernet address, bytes 2, 3", 0x01, 1, 15, 0, U::kRegister,         "RAL0 31:16",               reg::kRa,         16, kD, kAll, "5.6.1"},
EepromField{"Ethernet address, bytes 4, 5", 0x02, 1, 15, 0, U::kRegister,         "RAH0 15:0",                reg::kRa + 4,      0, kD, kAll, "5.6.1"},
EepromField{"(the address is loaded)",      0x02, 1, 15, 0, U::kRegisterOnes,     "RAH0.AV",                  reg::kRa + 4,     31, kD, kAll, "13.5.3"},
EepromField{"Compatibility",                0x03, 1, 15, 0, U::kSoftware,         "-",                        kNone,             0, kP, kAll, "5.6.2"},
EepromField{"LEDs, by the maker",           0x04, 1, 15, 0, U::kSoftware,         "-",                        kNone,             0, kP, kAll, "5.6.3"},
EepromField{"Image version",                0x05, 1, 15, 0, U::kSoftware,         "-",                        kNone,             0, kP, kAll, "5.6.4"},
EepromField{"Compatibility",                0x06, 2, 15, 0, U::kSoftware,         "-",                        kNone,             0, kP, kAll, "5.6.5"},
EepromField{"Board (PBA) number",           0x08, 2, 15, 0, U::kSoftware,         "-",                        kNone,             0, kP, kAll, "5.6.6"},
EepromField{"Signature",                    0x0A, 1, 15,14, U::kSignature,        "01b: the EEPROM is valid", kNone,             0, kD, kAll, "5.6.7"},
EepromField{"64/32 BAR",                    0x0A, 1, 13,13, U::kNarrowBars,       "1: 32-bit memory BARs",    kNone,             0, kP, k45,  "5.6.7"},
EepromField{"IPS0",                         0x0A, 1, 12,12, U::kRegister,         "CTRL_EXT.IPS",             reg::kCtrlExt,    14, kD, kAll, "5.6.7"},
EepromField{"FRCSPD",                       0x0A, 1, 11,11, U::kRegister,         "CTRL.FRCSPD",              reg::kCtrl,       11, kD, kAll, "5.6.7"},
EepromField{"FD",                           0x0A, 1, 10,10, U::kRegister,         "CTRL.FD",                  reg::kCtrl,        0, kD, kAll, "5.6.7"},
EepromField{"FD",                           0x0A, 1, 10,10, U::kRegister,         "TXCW 5",                   reg::kTxcw,        5, kD, kAll, "5.6.7"},
EepromField{"LRST",                         0x0A, 1,  9, 9, U::kRegister,         "CTRL.LRST",                reg::kCtrl,        3, kD, kAll, "5.6.7"},
EepromField{"IPS1",                         0x0A, 1,  8, 8, U::kRegister,         "CTRL_EXT 16",              reg::kCtrlExt,    16, kD, kNew, "5.6.7"},
EepromField{"SWDPIO",                       0x0A, 1,  8, 5, U::kRegister,         "CTRL 25:22",               reg::kCtrl,       22, kD, kOld, "5.6.7"},
EepromField{"ILOS",                         0x0A, 1,  4, 4, U::kRegister,         "CTRL.ILOS",                reg::kCtrl,        7, kD, kAll, "5.6.7"},
EepromField{"Power management",             0x0A, 1,  3, 3, U::kPowerManagement,  "PMC, PMCSR",               kNone,             0, kP, kAll, "5.6.7"},
EepromField{"Load subsystem IDs",           0x0A, 1,  1, 1, U::kLoadSubsystemIds, "words 0Bh, 0Ch",           kNone,             0, kP, kAll, "5.6.7"},
EepromField{"Load vendor and device IDs",   0x0A, 1,  0, 0, U::kLoadDeviceIds,    "words 0Dh, 0Eh",           kNone,             0, kP, kAll, "5.6.7"},
EepromField{"Subsystem ID",                 0x0B, 1, 15, 0, U::kSubsystemId,      "configuration 2Eh",        kNone,             0, kP, kAll, "5.6.8"},
EepromField{"Subsystem vendor ID",          0x0C, 1, 15, 0, U::kSubsystemVendorId,"configuration 2Ch",        kNone,             0, kP, kAll, "5.6.9"},
EepromField{"Device ID",                    0x0D, 1, 15, 0, U::kDeviceId,         "configuration 02h",        kNone,             0, kP, kAll, "5.6.10"},
EepromField{"Vendor ID",                    0x0E, 1, 15, 0, U::kVendorId,         "configuration 00h",        kNone,             0, kP, kAll, "5.6.11"},
EepromField{"APM PME# enable",              0x0F, 1, 15,15, U::kRegister,         "WUC.APMPME",               reg::kWuc,         3, kP, kAll, "5.6.12"},
EepromField{"ASDE",                         0x0F, 1, 14,14, U::kRegister,         "CTRL.ASDE",                reg::kCtrl,        5, kD, kAll, "5.6.12"},
EepromField{"PAUSE capability",             0x0F, 1, 13,12, U::kRegister,         "TXCW 8:7",                 reg::kTxcw,        7, kD, kAll, "5.6.12"},
EepromField{"ANE",                          0x0F, 1, 11,11, U::kRegister,         "TXCW.ANE",                 reg::kTxcw,       31, kD, kAll, "5.6.12"},
EepromField{"Flash size",                   0x0F, 1, 10, 8, U::kFlashSize,        "flash BAR, expansion ROM", kNone,             0, kP, kX,   "5.6.12"},
EepromField{"SWDPIO_EXT",                   0x0F, 1,  7, 4, U::kRegister,         "CTRL_EXT 11:8",            reg::kCtrlExt,     8, kD, kOld, "5.6.12"},
EepromField{"MSI disable",                  0x0F, 1,  7, 7, U::kMsiDisable,       "1: no MSI capability",     kNone,             0, kP, k45,  "5.6.12"},
EepromField{"133 MHz capable",              0x0F, 1,  6, 6, U::k133Mhz,           "PCI-X status 17",          kNone,             0, kP, k45,  "5.6.12"},
EepromField{"DMCR_Map",                     0x0F, 1,  5, 5, U::kNotModelled,      "-",                        kNone,             0, kP, k45,  "5.6.12"},
EepromField{"Max_Read",                     0x0F, 1,  4, 4, U::kMaxRead,          "PCI-X status 22:21",       kNone,             0, kP, k45,  "5.6.12"},
EepromField{"64 bit",                       0x0F, 1,  3, 3, U::k64Bit,            "PCI-X status 16",          kNone,             0, kP, k45,  "5.6.12"},
EepromField{"APM enable",                   0x0F, 1,  2, 2, U::kRegister,         "WUC.APME",                 reg::kWuc,         0, kP, kOld, "5.6.12"},
EepromField{"APM enable",                   0x0F, 1,  2, 2, U::kRegisterSets,     "CTRL.SLU",                 reg::kCtrl,        6, kD, kOld, "13.4.1"},
EepromField{"APM enable",                   0x0F, 1,  2, 2, U::kRegisterSets,     "RCTL.BAM",                 reg::kRctl,       15, kP, kOld, "6.4.3.1.4"},
EepromField{"LED 0",                        0x1F, 1,  7, 0, U::kLed,              "LEDCTL 7:0",               reg::kLedctl,      0, kD, kNew, "5.6"},
EepromField{"LED 2",                        0x1F, 1, 15, 8, U::kLed,              "LEDCTL 23:16",             reg::kLedctl,     16, kD, kNew, "5.6"},
EepromField{"SDPDIR 7:6",                   0x20, 1, 15,14, U::kRegister,         "CTRL_EXT 11:10",           reg::kCtrlExt,    10, kD, kNew, "5.6"},
EepromField{"SDPDIR 1:0",                   0x20, 1,  9, 8, U::kRegister,         "CTRL 23:22",               reg::kCtrl,       22, kD, kNew, "5.6"},
EepromField{"SDPVAL 7:6",                   0x20, 1,  7, 6, U::kRegister,         "CTRL_EXT 7:6",             reg::kCtrlExt,     6, kD, kNew, "5.6"},
EepromField{"EN_PHY_PWR_MGMT",              0x20, 1,  3, 3, U::kRegister,         "CTRL.EN_PHY_PWR_MGMT",     reg::kCtrl,       21, kD, kNew, "5.6"},
EepromField{"D3COLD_WAKEUP_ADVEN",          0x20, 1,  2, 2, U::kRegister,         "CTRL.ADVD3WUC",            reg::kCtrl,       20, kD, kNew, "5.6"},
EepromField{"SDPVAL 1:0",                   0x20, 1,  1, 0, U::kRegister,         "CTRL 19:18",               reg::kCtrl,       18, kD, kNew, "5.6"},
EepromField{"Circuit control",              0x21, 1, 15, 0, U::kNotModelled,      "-",                        kNone,             0, kP, kNew, "5.6"},
EepromField{"D0 power",                     0x22, 1, 15, 8, U::kD0Power,          "PM data register",         kNone,             0, kP, kAll, "5.6"},
EepromField{"D3 power",                     0x22, 1,  7, 0, U::kD3Power,          "PM data register",         kNone,             0, kP, kAll, "5.6"},
EepromField{"Management control",           0x23, 1, 15, 8, U::kRegister,         "MANC 15:8",                reg::kManc,        8, kD, kNew, "5.6"},
EepromField{"Management control",           0x23, 1,  1, 0, U::kRegister,         "MANC.ASF_EN, SMBUS_EN",    reg::kManc,        0, kD, kNew, "5.6"},
EepromField{"APM enable",                   0x24, 1, 10,10, U::kRegister,         "WUC.APME",                 reg::kWuc,         0, kP, kNew, "5.6"},
EepromField{"APM enable",                   0x24, 1, 10,10, U::kRegisterSets,     "CTRL.SLU",                 reg::kCtrl,        6, kD, kNew, "13.4.1"},
EepromField{"Link mode",                    0x24, 1,  9, 8, U::kRegister,         "CTRL_EXT.LINK_MODE",       reg::kCtrlExt,    22, kD, k45,  "5.6"},
EepromField{"SMBus slave address",          0x24, 1,  7, 0, U::kNotModelled,      "-",                        kNone,             0, kP, kNew, "5.6"},
EepromField{"IPv4 address",                 0x25, 2, 15, 0, U::kNotModelled,      "-",                        kNone,             0, kP, kNew, "5.6"},
EepromField{"IPv6 address",                 0x27, 8, 15, 0, U::kNotModelled,      "-",                        kNone,             0, kP, kNew, "5.6"},
EepromField{"LED 1",                        0x2F, 1,  7, 0, U::kLed,              "LEDCTL 15:8",              reg::kLedctl,      8, kD, kNew, "5.6"},
EepromField{"LED 3",                        0x2F, 1, 15, 8, U::kLed,              "LEDCTL 31:24",             reg::kLedctl,     24, kD, kNew, "5.6"},
EepromField{"Boot agent",                   0x30,15, 15, 0, U::kSoftware,         "-",                        kNone,             0, kP, kAll, "5.6"},
EepromField{"Checksum",                     0x3F, 1, 15, 0, U::kSoftware,         "words 00h to 3Fh add up to BABAh", kNone,     0, kP, kAll, "5.6.35"},
};
// clang-format on

constexpr bool well_formed() {
  for (const EepromField& field : kFields) {
    if (field.high < field.low || field.high > 15 || field.words == 0) return false;
    const bool is_register = field.use <= EepromUse::kLed;
    if (is_register && field.shift + field.high - field.low > 31 && field.use != U::kRegisterOnes)
      return false;
  }
  return true;
}
static_assert(well_formed());

/// Bits of the register, and what the field puts there.
struct Contribution {
  std::uint32_t mask, bits;
};
Contribution contribution(const EepromField& field, const EepromImage& image, std::uint32_t reset) {
  const std::uint32_t mask = std::uint32_t{field.mask()} >> field.low << field.shift;
  const std::uint32_t bits = std::uint32_t{field.value(image)} << field.shift;
  switch (field.use) {
    case EepromUse::kRegisterSets: return {bits, bits};
    case EepromUse::kRegisterOnes: return {1U << field.shift, 1U << field.shift};
    case EepromUse::kLed: return {mask, image.word(field.word) == 0xFFFF ? reset & mask : bits};
    default: return {mask, bits};
  }
}

}  // namespace

gsl::span<const EepromField> eeprom_map() { return kFields; }

std::uint32_t loaded_from_eeprom(const EepromImage& image, std::uint8_t part, std::uint8_t domains,
                                 std::uint32_t reg, std::uint32_t stored, std::uint32_t reset) {
  for (const EepromField& field : kFields) {
    if (!field.is_register() || field.reg != reg) continue;
    if ((field.parts & part) == 0 || (field.resets & domains) == 0) continue;
    if (field.needs_signature() && !image.signature_ok()) continue;
    const Contribution c = contribution(field, image, reset);
    stored = (stored & ~c.mask) | c.bits;
  }
  return stored;
}

std::optional<std::uint16_t> eeprom_value(const EepromImage& image, Part part, EepromUse use) {
  if (!image.signature_ok()) return std::nullopt;
  for (const EepromField& field : kFields) {
    if (field.use == use && (field.parts & part_info(part).mask) != 0) return field.value(image);
  }
  return std::nullopt;
}

bool has_power_management(const EepromImage& image, Part part) {
  return eeprom_value(image, part, EepromUse::kPowerManagement).value_or(1) != 0;
}

}  // namespace e1000tlm::e1000
