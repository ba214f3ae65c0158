#include "e1000tlm/e1000/controller.h"
#include "e1000tlm/e1000/registers/registers.h"

namespace e1000tlm::e1000 {
namespace {

constexpr std::uint16_t kIntelVendor = 0x8086;

/// PMC: version 2, PME# from D0, D3hot and, if the EEPROM says that power management is on, no DSI
/// (manual 6.3.3.3).
constexpr std::uint16_t kPowerCapabilities = 0x0002 | (1 << 11) | (1 << 14);

/// 64 bits and 133 MHz capable; designed for reads of 2048 bytes, one split at a time (manual
/// 4.3.2.1) and so 2 KiB in all, as these parts report themselves; bus and device not yet known.
constexpr std::uint32_t kPcixStatus = 0xFFF8 | 1 << 16 | 1 << 17 | 2 << 21 | 0 << 23 | 1 << 26;

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
  bool wide_bars = false;
  if (eeprom.signature_ok()) {
    // Word 0Ah: bit 0 loads vendor and device ids, bit 1 subsystem ids; bit 13 narrows the BARs
    // (manual 5.6.7).
    const std::uint16_t control = eeprom.word(0x0A);
    if ((control & 1) != 0) {
      c.device_id = eeprom.word(0x0D);
      c.vendor_id = eeprom.word(0x0E);
    }
    if ((control & 2) != 0) {
      c.subsystem_id = eeprom.word(0x0B);
      c.subsystem_vendor_id = eeprom.word(0x0C);
    }
    wide_bars = info.bars_64bit && (control & (1 << 13)) == 0;
  }
  using Kind = pci::BarConfig::Kind;
  c.bars[0] = {wide_bars ? Kind::kMemory64 : Kind::kMemory32, kMmioBytes, false};
  if (has_flash && info.parallel_flash) {
    const std::uint32_t bytes = eeprom.flash_bytes();
    c.bars[wide_bars ? 2 : 1] = {wide_bars ? Kind::kMemory64 : Kind::kMemory32, bytes, false};
    c.expansion_rom_size = bytes;
  }
  c.bars[wide_bars ? 4 : 2] = {Kind::kIo, 8, false};

  c.pm_offset = 0xDC;
  c.pm_capabilities = kPowerCapabilities;
  const std::uint16_t power = eeprom.word(0x22);  // D0 and D3 power, 0.1 W (manual 5.6.25)
  c.pm_data = {};
  c.pm_data[0] = c.pm_data[4] = static_cast<std::uint8_t>(power >> 8);
  c.pm_data[3] = c.pm_data[7] = static_cast<std::uint8_t>(power);
  c.pm_data_scale = 1;
  c.d3_disables_decoding = true;  // manual 6.3.1.4
  if (info.pcix) {
    c.pcix_offset = 0xE4;
    c.pcix_command = 0x0002;  // relaxed ordering enabled, 512-byte reads, one outstanding split
    c.pcix_status = kPcixStatus;
  }
  c.msi_offset = 0xF0;
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
