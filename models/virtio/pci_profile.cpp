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
  c.pm_offset = 0xDC;
  c.pm_capabilities = kPmcVersion;
  return c;
}

}  // namespace e1000tlm::virtio
