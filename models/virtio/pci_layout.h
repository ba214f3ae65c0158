#pragma once
/// Where a virtio device on PCI has what (virtio 1.2, 4.1). No SystemC.

#include <cstdint>

namespace e1000tlm::virtio {

/// Device status (virtio 1.2, 2.1).
namespace device_status {
inline constexpr std::uint8_t kAcknowledge = 1, kDriver = 2, kDriverOk = 4, kFeaturesOk = 8,
                              kNeedsReset = 64, kFailed = 128;
}  // namespace device_status

namespace pci_layout {

/// Who makes virtio devices, and their device IDs: of a modern device 1040h + type, of a
/// transitional network device.
inline constexpr std::uint16_t kVendor = 0x1AF4, kModernBase = 0x1040, kTransitionalNet = 0x1000;
/// The type of network devices.
inline constexpr std::uint16_t kNetType = 1;

/// Vendor capabilities (4.1.4): types.
inline constexpr std::uint8_t kCommonCfg = 1, kNotifyCfg = 2, kIsrCfg = 3, kDeviceCfg = 4,
                              kPciCfg = 5;

/// Common configuration (4.1.4.3): offsets.
namespace common {
inline constexpr unsigned kDeviceFeatureSelect = 0, kDeviceFeature = 4, kDriverFeatureSelect = 8,
                          kDriverFeature = 12, kConfigVector = 16, kQueues = 18, kStatus = 20,
                          kGeneration = 21, kQueueSelect = 22, kQueueSize = 24, kQueueVector = 26,
                          kQueueEnable = 28, kQueueNotifyOffset = 30, kQueueDescriptors = 32,
                          kQueueAvailable = 40, kQueueUsed = 48, kQueueNotifyData = 56,
                          kQueueReset = 58, kBytes = 60;
}  // namespace common

/// Legacy registers in BAR 0 (4.1.4.10): offsets. The device's configuration follows at kDevice, or
/// at kDeviceMsix while MSI-X is enabled.
namespace legacy {
inline constexpr unsigned kDeviceFeatures = 0, kDriverFeatures = 4, kQueueAddress = 8,
                          kQueueSize = 12, kQueueSelect = 14, kQueueNotify = 16, kStatus = 18,
                          kIsr = 19, kConfigVector = 20, kQueueVector = 22, kDevice = 20,
                          kDeviceMsix = 24;
}  // namespace legacy

/// Bytes that a legacy queue address counts, and at a multiple of which its used ring begins
/// (4.1.5.1.3.1).
inline constexpr std::uint32_t kLegacyPage = 4096;

/// No MSI-X vector.
inline constexpr std::uint16_t kNoVector = 0xFFFF;
/// ISR: a queue wants attention; the configuration has changed.
inline constexpr std::uint8_t kIsrQueue = 1, kIsrConfig = 2;

/// Where the model has the parts of its modern BAR (4, 64 bits wide, prefetchable, 16 KiB): as QEMU
/// has them. Each queue's notify register is kNotifyStep after the one before. MSI-X has BAR 1
/// (table at 0, pending bits at kPending); legacy registers are in BAR 0 (I/O).
inline constexpr unsigned kModernBar = 4, kMsixBar = 1, kLegacyBar = 0;
inline constexpr std::uint32_t kPartBytes = 0x1000, kCommonAt = 0x0000, kIsrAt = 0x1000,
                               kDeviceAt = 0x2000, kNotifyAt = 0x3000, kModernBytes = 0x4000,
                               kNotifyStep = 4, kPending = 0x800, kMsixBytes = 0x1000;

}  // namespace pci_layout
}  // namespace e1000tlm::virtio
