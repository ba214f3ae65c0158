#include "e1000tlm/virtio/config_window.h"
#include "e1000tlm/virtio/net_device.h"
#include "e1000tlm/virtio/pci_layout.h"

namespace e1000tlm::virtio {
namespace {

/// As QEMU has it: modern devices are 1AF4:1100 of the subsystem; transitional ones have their
/// type there (virtio 1.2, 4.1.2.3).
constexpr std::uint16_t kModernSubsystem = 0x1100;
/// The registers' bytes and those of the device's configuration behind them, a power of two.
constexpr std::uint64_t kLegacyBytes = 64;
/// Version 2; nothing wakes the system.
constexpr std::uint16_t kPmcVersion = 0x0002;

/// Where QEMU has the capabilities.
constexpr std::uint8_t kCommonCapability = 0x40, kIsrCapability = 0x50, kDeviceCapability = 0x60,
                       kNotifyCapability = 0x70, kWindowCapability = 0x84, kMsixCapability = 0x98,
                       kPmCapability = 0xDC;

/// A part of the modern BAR (virtio 1.2, 4.1.4); `more` bytes of its own follow.
pci::VendorCapability part(std::uint8_t at, std::uint8_t type, unsigned bar, std::uint32_t offset,
                           std::uint32_t length, std::size_t more = 0) {
  constexpr std::size_t kBefore = 3, kBytes = 16;  // ID, link and length are the function's
  pci::VendorCapability capability;
  capability.offset = at;
  capability.bytes.resize(kBytes + more - kBefore);
  std::uint8_t* const bytes = capability.bytes.data();
  bytes[0] = type;
  bytes[1] = static_cast<std::uint8_t>(bar);
  store_le32(bytes + 8 - kBefore, offset);
  store_le32(bytes + 12 - kBefore, length);
  return capability;
}

std::vector<pci::VendorCapability> capabilities() {
  using namespace pci_layout;
  std::vector<pci::VendorCapability> all{
      part(kCommonCapability, kCommonCfg, kModernBar, kCommonAt, kPartBytes),
      part(kIsrCapability, kIsrCfg, kModernBar, kIsrAt, kPartBytes),
      part(kDeviceCapability, kDeviceCfg, kModernBar, kDeviceAt, kPartBytes),
      part(kNotifyCapability, kNotifyCfg, kModernBar, kNotifyAt, kPartBytes, 4),
      part(kWindowCapability, kPciCfg, 0, 0, 0, ConfigWindow::kBytes - 16)};
  store_le32(all[3].bytes.data() + 13, kNotifyStep);
  std::vector<std::uint8_t>& writable = all[kWindowIndex].writable;
  writable.assign(all[kWindowIndex].bytes.size(), 0xFF);
  // Type, ID and padding stay.
  for (const std::size_t i : {0, 2, 3, 4}) writable[i] = 0;
  return all;
}

}  // namespace

pci::FunctionConfig pci_profile(const NetDeviceConfig& config) {
  using Kind = pci::BarConfig::Kind;
  const bool transitional = config.interface == NetInterface::kTransitional;
  pci::FunctionConfig c;
  c.vendor_id = pci_layout::kVendor;
  c.device_id = transitional
                    ? pci_layout::kTransitionalNet
                    : static_cast<std::uint16_t>(pci_layout::kModernBase + pci_layout::kNetType);
  c.revision = transitional ? 0 : 1;
  c.class_code = 0x020000;
  c.subsystem_vendor_id = pci_layout::kVendor;
  c.subsystem_id = transitional ? pci_layout::kNetType : kModernSubsystem;
  c.width_bits = 64;
  c.min_grant = 0xFF;
  c.command_writable |= pci::command::kIntxDisable;
  if (transitional) c.bars[pci_layout::kLegacyBar] = {Kind::kIo, kLegacyBytes, false};
  c.bars[pci_layout::kModernBar] = {Kind::kMemory64, pci_layout::kModernBytes, true};
  c.bars[pci_layout::kMsixBar] = {Kind::kMemory32, pci_layout::kMsixBytes, false};
  c.msix.offset = kMsixCapability;
  c.msix.vectors = vectors(config);
  c.msix.table = {pci_layout::kMsixBar, 0};
  c.msix.pending = {pci_layout::kMsixBar, pci_layout::kPending};
  c.vendor = capabilities();
  c.pm_offset = kPmCapability;
  c.pm_capabilities = kPmcVersion;
  return c;
}

}  // namespace e1000tlm::virtio
