#pragma once
/// A virtio device's registers on PCI, modern and legacy, and what they do (virtio 1.2, 4.1). No
/// SystemC.

#include <cstdint>
#include <string>
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
///
/// A register that an access covers in part is read and written in part; an access may cover
/// several (drivers must not do either, virtio 1.2, 4.1.3.1). Status bits can only be set, until
/// the driver resets the device (2.1.1), and some are refused, so that the driver reads them as 0:
/// FEATURES_OK if a feature was not offered, features do not go together, or VERSION_1 is missing
/// (3.1.1, 6.1); DRIVER_OK without FEATURES_OK. Legacy registers know no FEATURES_OK.
class PciTransport {
 public:
  /// `device` and `interrupts` must outlive it. Throws std::invalid_argument if there are no
  /// queues, more than the notify part has room for, or their size is no power of two up to 32768.
  PciTransport(const TransportConfig& config, DeviceModel& device, InterruptSink& interrupts);

  /// The modern BAR: see pci_layout. What is not there reads 0.
  std::uint32_t read(std::uint32_t offset, unsigned bytes);
  /// Ditto.
  void write(std::uint32_t offset, unsigned bytes, std::uint32_t value);
  /// As read(), without side effects.
  std::uint32_t peek(std::uint32_t offset, unsigned bytes) const;
  /// The legacy BAR. Without legacy registers it reads 0 and takes nothing.
  std::uint32_t read_legacy(std::uint32_t offset, unsigned bytes);
  /// Ditto.
  void write_legacy(std::uint32_t offset, unsigned bytes, std::uint32_t value);
  /// As read_legacy(), without side effects.
  std::uint32_t peek_legacy(std::uint32_t offset, unsigned bytes) const;

  /// RST# and the like: as a driver's reset, and registers that a driver's reset leaves.
  void bus_reset();

  /// Device status (device_status).
  std::uint8_t status() const { return status_; }
  /// DRIVER_OK is set and NEEDS_RESET is not.
  bool running() const {
    return (status_ & (device_status::kDriverOk | device_status::kNeedsReset)) ==
           device_status::kDriverOk;
  }
  /// As agreed; 0 before.
  std::uint64_t features() const { return features_; }
  /// VIRTIO_F_VERSION_1 was not agreed on: layouts of legacy devices hold.
  bool legacy_driver() const { return (features_ & ring_feature::kVersion1) == 0; }
  /// As the driver has set it up.
  const QueueSetup& queue(unsigned index) const { return queues_.at(index); }
  /// So many there are.
  unsigned queues() const { return config_.queues; }

  /// Buffers of a queue have been used, and the driver wants to be told. With MSI-X its vector's
  /// message, else ISR and INTx. Nothing unless running().
  void queue_used(unsigned queue);
  /// The device's configuration has changed: generation, and from DRIVER_OK on vector or INTx. Its
  /// ISR bit is set with MSI-X, too (virtio 1.2, 4.1.4.5.1).
  void config_changed();
  /// The driver has broken a rule: the device does nothing more until it is reset (virtio 1.2,
  /// 2.1.2). A driver that is ready is told as by config_changed(). The first `why` is kept.
  void needs_reset(const std::string& why = {});
  /// Why it needs a reset, the transport's own reasons included; empty: it does not, or nobody
  /// said.
  const std::string& fault() const { return fault_; }
  /// MSI-X was enabled or disabled: INTx is silent with it, and follows ISR without.
  void messages_switched() { update_level(); }
  /// Interrupts so far: messages of used buffers and configuration, or edges of INTx.
  std::uint64_t interrupts() const { return interrupts_; }

 private:
  struct Register;  // of the common configuration, or a legacy one

  std::uint8_t peek_byte(std::uint32_t offset) const;
  std::uint8_t peek_legacy_byte(std::uint32_t offset) const;
  std::uint32_t legacy_device() const;
  void acknowledge();
  void update_level();
  void signal_config();
  void reset();
  void forget(unsigned queue);
  void send(std::uint16_t vector);

  QueueSetup* selected();
  const QueueSetup* selected() const;
  std::uint16_t mapped(std::uint64_t vector) const;
  void set_status(std::uint8_t value, bool legacy);
  bool agree(bool legacy);
  void enable_queue(std::uint64_t value);
  void set_legacy_address(std::uint32_t page);
  void reset_queue(std::uint64_t value);
  void set_address(std::uint64_t SplitLayout::*part, std::uint64_t address);
  void set_driver_features(unsigned select, std::uint32_t value);
  void notify(unsigned queue);

  TransportConfig config_;
  DeviceModel& device_;
  InterruptSink& sink_;
  std::vector<QueueSetup> queues_;
  std::uint64_t features_ = 0;         // agreed
  std::uint64_t driver_features_ = 0;  // written
  std::uint32_t device_select_ = 0, driver_select_ = 0;
  std::uint16_t queue_select_ = 0;
  std::uint16_t config_vector_ = pci_layout::kNoVector;
  std::uint8_t status_ = 0, generation_ = 0, isr_ = 0;
  bool level_ = false;
  std::uint64_t interrupts_ = 0;
  std::string fault_;
};

}  // namespace e1000tlm::virtio
