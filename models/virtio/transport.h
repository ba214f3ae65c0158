#pragma once
/// A virtio device's registers on PCI, modern and legacy, and what they do (virtio 1.2, 4.1). No
/// SystemC.

#include <cstdint>
#include <vector>

#include "e1000tlm/virtio/pci_layout.h"
#include "e1000tlm/virtio/split_ring.h"

namespace e1000tlm::virtio {

/// A queue as the driver has set it up.
struct QueueSetup {
  SplitLayout layout;                            ///< valid while enabled
  std::uint16_t vector = pci_layout::kNoVector;  ///< MSI-X, of used buffers
  bool enabled = false;                          ///< may be worked on when the driver is ready
};

/// The device behind a transport. Calls come in the process that accesses a register and must not
/// wait.
class DeviceModel {
 public:
  virtual ~DeviceModel() = default;
  /// All that it is able to; kVersion1 and ring features included.
  virtual std::uint64_t offered_features() const = 0;
  /// The driver wants these, all offered. False: they do not go together (virtio 1.2, 5.1.3.1).
  virtual bool accept_features(std::uint64_t features) = 0;
  /// The driver is ready: queues that are enabled may be worked on.
  virtual void driver_ready() = 0;
  /// The driver has reset the device, or the bus has. All queues are forgotten. Also called for a
  /// device that is reset already.
  virtual void device_reset() = 0;
  /// A queue has been enabled after driver_ready().
  virtual void queue_enabled(unsigned queue) = 0;
  /// A single queue is reset (VIRTIO_F_RING_RESET); its setup is forgotten afterwards.
  virtual void queue_reset(unsigned queue) = 0;
  /// The driver says that there is something in an existing queue; enabled or not, ready or not.
  virtual void queue_notified(unsigned queue) = 0;
  /// Device-specific configuration: a byte, without side effects. Beyond its end: 0.
  virtual std::uint8_t config_byte(unsigned offset) const = 0;
  /// A byte of it is written; most devices ignore that.
  virtual void write_config(unsigned offset, std::uint8_t value) = 0;
};

/// Where a transport's interrupts go. Calls must not wait.
class InterruptSink {
 public:
  virtual ~InterruptSink() = default;
  /// MSI-X is enabled.
  virtual bool messages_enabled() const = 0;
  /// Sends the message of a vector, or has it pending while masked.
  virtual void send_message(unsigned vector) = 0;
  /// The level of INTx follows the ISR register.
  virtual void set_level(bool asserted) = 0;
};

/// What a transport is like.
struct TransportConfig {
  unsigned queues = 3;             ///< in all
  std::uint16_t queue_size = 256;  ///< most descriptors of each, a power of two
  unsigned vectors = 4;            ///< of MSI-X; 0: none
  bool legacy = false;             ///< transitional: legacy registers too (virtio 1.2, 4.1.2.3)
};

/// All registers, for accesses of 1, 2 and 4 bytes (8 are two of 4), little endian.
class PciTransport {
 public:
  /// `device` and `interrupts` must outlive it.
  PciTransport(const TransportConfig& config, DeviceModel& device, InterruptSink& interrupts);

  /// The modern BAR: see pci_layout. What is not there reads 0.
  std::uint32_t read(std::uint32_t offset, unsigned bytes);
  /// Ditto.
  void write(std::uint32_t offset, unsigned bytes, std::uint32_t value);
  /// As read(), without side effects.
  std::uint32_t peek(std::uint32_t offset, unsigned bytes) const;
  /// The legacy BAR.
  std::uint32_t read_legacy(std::uint32_t offset, unsigned bytes);
  /// Ditto.
  void write_legacy(std::uint32_t offset, unsigned bytes, std::uint32_t value);
  /// As read_legacy(), without side effects.
  std::uint32_t peek_legacy(std::uint32_t offset, unsigned bytes) const;

  /// RST# and the like: as a driver's reset, and registers that a driver's reset leaves.
  void bus_reset();

  /// Device status (device_status).
  std::uint8_t status() const;
  /// DRIVER_OK is set and NEEDS_RESET is not.
  bool running() const;
  /// As agreed; 0 before.
  std::uint64_t features() const;
  /// VIRTIO_F_VERSION_1 was not agreed on: layouts of legacy devices hold.
  bool legacy_driver() const;
  /// As the driver has set it up.
  const QueueSetup& queue(unsigned index) const;
  /// So many there are.
  unsigned queues() const;

  /// Buffers of a queue have been used, and the driver wants to be told. With MSI-X its vector's
  /// message, else ISR and INTx.
  void queue_used(unsigned queue);
  /// The device's configuration has changed: generation, vector or ISR. Not before DRIVER_OK.
  void config_changed();
  /// The driver has broken a rule: the device does nothing more until it is reset (virtio 1.2,
  /// 2.1.2). A driver that is ready is told as by config_changed().
  void needs_reset();
  /// Interrupts so far: messages of used buffers and configuration, or edges of INTx.
  std::uint64_t interrupts() const;

 private:
  TransportConfig config_;
  DeviceModel& device_;
  InterruptSink& sink_;
  std::vector<QueueSetup> queues_;
};

}  // namespace e1000tlm::virtio
