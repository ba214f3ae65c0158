#include "e1000tlm/e1000/controller.h"
#include "e1000tlm/e1000/peripherals/eeprom_map.h"
#include "e1000tlm/e1000/registers/registers.h"

namespace e1000tlm::e1000 {
namespace {

constexpr std::uint16_t kIntelVendor = 0x8086;

/// PMC: version 2; PME# from D0 and D3hot (manual 6.3.3.3).
constexpr std::uint16_t kPmcVersion = 0x0002, kPmcPme = 1 << 11 | 1 << 14;

/// Designed for reads of 2048 bytes, one split at a time (manual 4.3.2.1) and so 2 KiB in all, as
/// these parts report themselves; bus and device not yet known.
constexpr std::uint32_t kPcixStatus = 0xFFF8 | 2 << 21 | 0 << 23 | 1 << 26;
constexpr std::uint32_t kPcix64Bit = 1 << 16, kPcix133Mhz = 1 << 17, kPcixReads4096 = 1 << 21;

/// Without power management the registers are there, but read-only, and D3 does not exist (manual
/// 5.6.7); the data register has 0 then (6.3.3.6).
void power_management(pci::FunctionConfig& c, Part part, const EepromImage& eeprom) {
  c.pm_offset = 0xDC;
  c.pm_capabilities = kPmcVersion;
  c.d3_disables_decoding = true;  // manual 6.3.1.4
  if (!has_power_management(eeprom, part)) {
    c.pm_read_only = true;
    return;
  }
  c.pm_capabilities |= kPmcPme;
  const auto power = [&](EepromUse use) {  // 0.1 W
    return static_cast<std::uint8_t>(eeprom_value(eeprom, part, use).value_or(0));
  };
  c.pm_data[0] = c.pm_data[4] = power(EepromUse::kD0Power);
  c.pm_data[3] = c.pm_data[7] = power(EepromUse::kD3Power);
  c.pm_data_scale = 1;
}

std::uint32_t pcix_status(Part part, const EepromImage& eeprom) {
  const auto is = [&](EepromUse use, std::uint16_t otherwise) {
    return eeprom_value(eeprom, part, use).value_or(otherwise) != 0;
  };
  std::uint32_t status = kPcixStatus;
  if (is(EepromUse::k64Bit, 1)) status |= kPcix64Bit;
  if (is(EepromUse::k133Mhz, 1)) status |= kPcix133Mhz;
  if (is(EepromUse::kMaxRead, 0)) status |= kPcixReads4096;
  return status;
}

}  // namespace

pci::FunctionConfig pci_profile(Part part, const EepromImage& eeprom, bool has_flash) {
  const PartInfo& info = part_info(part);
  pci::FunctionConfig c;
  c.vendor_id = kIntelVendor;
  c.device_id = info.device_id;
  c.revision = info.revision;
  c.class_code = 0x020000;
  c.width_bits = info.pcix ? 64 : 32;
  c.min_grant = 0xFF;
  c.subsystem_vendor_id = kIntelVendor;
  c.subsystem_id = 0x1008;  // hardware default
  const auto field = [&](EepromUse use) { return eeprom_value(eeprom, part, use); };
  if (field(EepromUse::kLoadDeviceIds) == 1) {
    c.device_id = *field(EepromUse::kDeviceId);
    c.vendor_id = *field(EepromUse::kVendorId);
  }
  if (field(EepromUse::kLoadSubsystemIds) == 1) {
    c.subsystem_id = *field(EepromUse::kSubsystemId);
    c.subsystem_vendor_id = *field(EepromUse::kSubsystemVendorId);
  }
  const bool wide_bars = info.bars_64bit && field(EepromUse::kNarrowBars) == 0;
  using Kind = pci::BarConfig::Kind;
  c.bars[0] = {wide_bars ? Kind::kMemory64 : Kind::kMemory32, kMmioBytes, false};
  if (has_flash && info.parallel_flash) {
    const std::uint32_t bytes = eeprom.flash_bytes();
    c.bars[wide_bars ? 2 : 1] = {wide_bars ? Kind::kMemory64 : Kind::kMemory32, bytes, false};
    c.expansion_rom_size = bytes;
  }
  c.bars[wide_bars ? 4 : 2] = {Kind::kIo, 8, false};

  power_management(c, part, eeprom);
  if (info.pcix) {
    c.pcix_offset = 0xE4;
    c.pcix_command = 0x0002;  // relaxed ordering enabled, 512-byte reads, one outstanding split
    c.pcix_status = pcix_status(part, eeprom);
  }
  if (field(EepromUse::kMsiDisable).value_or(0) == 0) c.msi_offset = 0xF0;
  return c;
}

pci::FunctionConfig pci_profile(const ControllerConfig& config) {
  return pci_profile(config.part, eeprom_image(config), config.flash.has_value());
}

phy::PhyConfig phy_profile(Part part) {
  phy::PhyConfig config;
  config.id2 = part_info(part).phy_id2;
  return config;
}

EepromImage eeprom_image(const ControllerConfig& config) {
  if (config.eeprom) return *config.eeprom;
  return EepromImage::make(config.part, {0x52, 0x54, 0x00, 0x12, 0x34, 0x56});
}

}  // namespace e1000tlm::e1000
