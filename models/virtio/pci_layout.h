#pragma once
/// Where a virtio device on PCI has what (virtio 1.2, 4.1). No SystemC.

#include <cstdint>

namespace e1000tlm::virtio {

/// Device status (virtio 1.2, 2.1).
namespace device_status {
inline constexpr std::uint8_t kAcknowledge = 1;  ///< the driver has seen the device
inline constexpr std::uint8_t kDriver = 2;       ///< it can drive it
inline constexpr std::uint8_t kDriverOk = 4;     ///< it is ready
inline constexpr std::uint8_t kFeaturesOk = 8;   ///< both have agreed on features
inline constexpr std::uint8_t kNeedsReset = 64;  ///< the device has given up
inline constexpr std::uint8_t kFailed = 128;     ///< the driver has given up
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
inline constexpr unsigned kDeviceFeatureSelect = 0;  ///< which 32 features kDeviceFeature has
inline constexpr unsigned kDeviceFeature = 4;        ///< offered, read only
inline constexpr unsigned kDriverFeatureSelect = 8;  ///< which 32 features kDriverFeature has
inline constexpr unsigned kDriverFeature = 12;       ///< wanted by the driver
inline constexpr unsigned kConfigVector = 16;        ///< MSI-X vector of configuration changes
inline constexpr unsigned kQueues = 18;              ///< number of queues, read only
inline constexpr unsigned kStatus = 20;              ///< device status; 0 resets
inline constexpr unsigned kGeneration = 21;          ///< counts configuration changes, read only
inline constexpr unsigned kQueueSelect = 22;         ///< which queue the following are of
inline constexpr unsigned kQueueSize = 24;           ///< descriptors
inline constexpr unsigned kQueueVector = 26;         ///< MSI-X vector of used buffers
inline constexpr unsigned kQueueEnable = 28;         ///< 1 enables
inline constexpr unsigned kQueueNotifyOffset = 30;   ///< where its notify register is, read only
inline constexpr unsigned kQueueDescriptors = 32;    ///< address of the table, 64 bits
inline constexpr unsigned kQueueAvailable = 40;      ///< address of the available ring, 64 bits
inline constexpr unsigned kQueueUsed = 48;           ///< address of the used ring, 64 bits
inline constexpr unsigned kQueueNotifyData = 56;     ///< what notifications write, read only
inline constexpr unsigned kQueueReset = 58;          ///< 1 resets the queue
inline constexpr unsigned kBytes = 60;               ///< of all
}  // namespace common

/// Legacy registers in BAR 0 (4.1.4.10): offsets. The device's configuration follows at kDevice, or
/// at kDeviceMsix while MSI-X is enabled.
namespace legacy {
inline constexpr unsigned kDeviceFeatures = 0;  ///< offered, read only
inline constexpr unsigned kDriverFeatures = 4;  ///< wanted by the driver
inline constexpr unsigned kQueueAddress = 8;    ///< in units of kLegacyPage; 0: none
inline constexpr unsigned kQueueSize = 12;      ///< descriptors, read only
inline constexpr unsigned kQueueSelect = 14;    ///< which queue these are of
inline constexpr unsigned kQueueNotify = 16;    ///< number of a queue to look at
inline constexpr unsigned kStatus = 18;         ///< device status; 0 resets
inline constexpr unsigned kIsr = 19;            ///< reading clears it
inline constexpr unsigned kConfigVector = 20;   ///< with MSI-X: of configuration changes
inline constexpr unsigned kQueueVector = 22;    ///< with MSI-X: of used buffers
inline constexpr unsigned kDevice = 20;         ///< device configuration without MSI-X
inline constexpr unsigned kDeviceMsix = 24;     ///< device configuration with MSI-X
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
