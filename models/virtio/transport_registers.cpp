/// The registers of PciTransport: what is where, and how accesses reach it.

#include <algorithm>
#include <array>

#include "e1000tlm/virtio/transport.h"

namespace e1000tlm::virtio {
namespace {

namespace layout = pci_layout;
namespace common = pci_layout::common;
namespace legacy = pci_layout::legacy;
using layout::kNoVector;

constexpr unsigned kFeatureWindows = 2;  // of 32 bits

constexpr std::uint32_t window(std::uint64_t features, std::uint32_t select) {
  return select < kFeatureWindows ? static_cast<std::uint32_t>(features >> (32 * select)) : 0;
}

constexpr std::uint8_t byte_of(std::uint64_t value, std::uint32_t index) {
  return static_cast<std::uint8_t>(value >> (8 * index));
}

constexpr bool within(std::uint32_t offset, std::uint32_t from) {
  return offset >= from && offset - from < layout::kPartBytes;
}

/// The access covers a register's first byte.
constexpr bool covers(std::uint32_t offset, unsigned bytes, std::uint32_t at) {
  return offset <= at && at - offset < bytes;
}

}  // namespace

/// What is at an offset, how it is read, and what a write does; null: it is read only.
struct PciTransport::Register {
  std::uint32_t offset;
  std::uint32_t bytes;
  std::uint64_t (*read)(const PciTransport&);
  void (*write)(PciTransport&, std::uint64_t);

  static const std::array<Register, 18> kCommon;
  static const std::array<Register, 8> kLegacy;
  static const std::array<Register, 2> kLegacyVectors;  // with MSI-X
};

// virtio 1.2, 4.1.4.3. What a queue that does not exist reads: size 0, no vector.
const std::array<PciTransport::Register, 18> PciTransport::Register::kCommon{{
    {common::kDeviceFeatureSelect, 4,
     [](const PciTransport& t) { return std::uint64_t{t.device_select_}; },
     [](PciTransport& t, std::uint64_t v) { t.device_select_ = static_cast<std::uint32_t>(v); }},
    {common::kDeviceFeature, 4,
     [](const PciTransport& t) {
       return std::uint64_t{window(t.device_.offered_features(), t.device_select_)};
     },
     nullptr},
    {common::kDriverFeatureSelect, 4,
     [](const PciTransport& t) { return std::uint64_t{t.driver_select_}; },
     [](PciTransport& t, std::uint64_t v) { t.driver_select_ = static_cast<std::uint32_t>(v); }},
    {common::kDriverFeature, 4,
     [](const PciTransport& t) {
       return std::uint64_t{window(t.driver_features_, t.driver_select_)};
     },
     [](PciTransport& t, std::uint64_t v) {
       t.set_driver_features(t.driver_select_, static_cast<std::uint32_t>(v));
     }},
    {common::kConfigVector, 2,
     [](const PciTransport& t) { return std::uint64_t{t.config_vector_}; },
     [](PciTransport& t, std::uint64_t v) { t.config_vector_ = t.mapped(v); }},
    {common::kQueues, 2, [](const PciTransport& t) { return std::uint64_t{t.config_.queues}; },
     nullptr},
    {common::kStatus, 1, [](const PciTransport& t) { return std::uint64_t{t.status_}; },
     [](PciTransport& t, std::uint64_t v) { t.set_status(static_cast<std::uint8_t>(v), false); }},
    {common::kGeneration, 1, [](const PciTransport& t) { return std::uint64_t{t.generation_}; },
     nullptr},
    {common::kQueueSelect, 2, [](const PciTransport& t) { return std::uint64_t{t.queue_select_}; },
     [](PciTransport& t, std::uint64_t v) { t.queue_select_ = static_cast<std::uint16_t>(v); }},
    {common::kQueueSize, 2,
     [](const PciTransport& t) {
       return std::uint64_t{t.selected() ? t.selected()->layout.size : 0U};
     },
     [](PciTransport& t, std::uint64_t v) {
       QueueSetup* const queue = t.selected();
       if (queue && !queue->enabled) queue->layout.size = static_cast<std::uint16_t>(v);
     }},
    {common::kQueueVector, 2,
     [](const PciTransport& t) {
       return std::uint64_t{t.selected() ? t.selected()->vector : kNoVector};
     },
     [](PciTransport& t, std::uint64_t v) {
       if (QueueSetup* const queue = t.selected()) queue->vector = t.mapped(v);
     }},
    {common::kQueueEnable, 2,
     [](const PciTransport& t) { return std::uint64_t{t.selected() && t.selected()->enabled}; },
     [](PciTransport& t, std::uint64_t v) { t.enable_queue(v); }},
    {common::kQueueNotifyOffset, 2,
     [](const PciTransport& t) { return std::uint64_t{t.selected() ? t.queue_select_ : 0U}; },
     nullptr},
    {common::kQueueDescriptors, 8,
     [](const PciTransport& t) { return t.selected() ? t.selected()->layout.descriptors : 0; },
     [](PciTransport& t, std::uint64_t v) { t.set_address(&SplitLayout::descriptors, v); }},
    {common::kQueueAvailable, 8,
     [](const PciTransport& t) { return t.selected() ? t.selected()->layout.available : 0; },
     [](PciTransport& t, std::uint64_t v) { t.set_address(&SplitLayout::available, v); }},
    {common::kQueueUsed, 8,
     [](const PciTransport& t) { return t.selected() ? t.selected()->layout.used : 0; },
     [](PciTransport& t, std::uint64_t v) { t.set_address(&SplitLayout::used, v); }},
    // Only with VIRTIO_F_NOTIF_CONFIG_DATA, which no device here has.
    {common::kQueueNotifyData, 2, [](const PciTransport&) { return std::uint64_t{0}; }, nullptr},
    // A queue is reset at once, so that it never reads 1.
    {common::kQueueReset, 2, [](const PciTransport&) { return std::uint64_t{0}; },
     [](PciTransport& t, std::uint64_t v) { t.reset_queue(v); }},
}};

// virtio 1.2, 4.1.4.10; all of the device's features that the driver can see are the first 32.
const std::array<PciTransport::Register, 8> PciTransport::Register::kLegacy{{
    {legacy::kDeviceFeatures, 4,
     [](const PciTransport& t) { return std::uint64_t{window(t.device_.offered_features(), 0)}; },
     nullptr},
    {legacy::kDriverFeatures, 4,
     [](const PciTransport& t) { return std::uint64_t{window(t.driver_features_, 0)}; },
     [](PciTransport& t, std::uint64_t v) {
       t.set_driver_features(0, static_cast<std::uint32_t>(v));
     }},
    {legacy::kQueueAddress, 4,
     [](const PciTransport& t) {
       return t.selected() ? t.selected()->layout.descriptors / layout::kLegacyPage : 0;
     },
     [](PciTransport& t, std::uint64_t v) { t.set_legacy_address(static_cast<std::uint32_t>(v)); }},
    {legacy::kQueueSize, 2,
     [](const PciTransport& t) {
       return std::uint64_t{t.selected() ? t.selected()->layout.size : 0U};
     },
     nullptr},
    {legacy::kQueueSelect, 2, [](const PciTransport& t) { return std::uint64_t{t.queue_select_}; },
     [](PciTransport& t, std::uint64_t v) { t.queue_select_ = static_cast<std::uint16_t>(v); }},
    {legacy::kQueueNotify, 2, [](const PciTransport&) { return std::uint64_t{0}; },
     [](PciTransport& t, std::uint64_t v) { t.notify(static_cast<unsigned>(v)); }},
    {legacy::kStatus, 1, [](const PciTransport& t) { return std::uint64_t{t.status_}; },
     [](PciTransport& t, std::uint64_t v) { t.set_status(static_cast<std::uint8_t>(v), true); }},
    {legacy::kIsr, 1, [](const PciTransport& t) { return std::uint64_t{t.isr_}; }, nullptr},
}};
const std::array<PciTransport::Register, 2> PciTransport::Register::kLegacyVectors{{
    {legacy::kConfigVector, 2,
     [](const PciTransport& t) { return std::uint64_t{t.config_vector_}; },
     [](PciTransport& t, std::uint64_t v) { t.config_vector_ = t.mapped(v); }},
    {legacy::kQueueVector, 2,
     [](const PciTransport& t) {
       return std::uint64_t{t.selected() ? t.selected()->vector : kNoVector};
     },
     [](PciTransport& t, std::uint64_t v) {
       if (QueueSetup* const queue = t.selected()) queue->vector = t.mapped(v);
     }},
}};

namespace {

template <class Registers>
auto find_register(const Registers& registers, std::uint32_t offset) {
  return std::find_if(registers.begin(), registers.end(), [&](const auto& r) {
    return offset >= r.offset && offset - r.offset < r.bytes;
  });
}

/// A byte of what these registers hold; 0 between them.
template <class Registers>
std::uint8_t register_byte(const PciTransport& transport, const Registers& registers,
                           std::uint32_t offset) {
  const auto found = find_register(registers, offset);
  return found == registers.end() ? std::uint8_t{0}
                                  : byte_of(found->read(transport), offset - found->offset);
}

/// Replaces the part of `old` that an access covers.
std::uint64_t merged(std::uint64_t old, std::uint32_t at, std::uint32_t size, std::uint32_t offset,
                     unsigned bytes, std::uint32_t value) {
  for (std::uint32_t i = 0; i < size; ++i) {
    if (!covers(offset, bytes, at + i)) continue;
    old &= ~(std::uint64_t{0xFF} << (8 * i));
    old |= std::uint64_t{byte_of(value, at + i - offset)} << (8 * i);
  }
  return old;
}

/// Writes all registers of which the access covers a part, in their order.
template <class Registers>
void write_registers(PciTransport& transport, const Registers& registers, std::uint32_t offset,
                     unsigned bytes, std::uint32_t value) {
  for (const auto& r : registers) {
    const bool touched = r.offset < std::uint64_t{offset} + bytes && offset < r.offset + r.bytes;
    if (!touched || !r.write) continue;
    r.write(transport, merged(r.read(transport), r.offset, r.bytes, offset, bytes, value));
  }
}

}  // namespace

std::uint8_t PciTransport::peek_byte(std::uint32_t offset) const {
  if (within(offset, layout::kCommonAt)) {
    return register_byte(*this, Register::kCommon, offset - layout::kCommonAt);
  }
  if (offset == layout::kIsrAt) return isr_;
  if (within(offset, layout::kDeviceAt)) return device_.config_byte(offset - layout::kDeviceAt);
  return 0;
}

std::uint32_t PciTransport::peek(std::uint32_t offset, unsigned bytes) const {
  std::uint32_t value = 0;
  for (unsigned i = 0; i < bytes; ++i) value |= std::uint32_t{peek_byte(offset + i)} << (8 * i);
  return value;
}

std::uint32_t PciTransport::read(std::uint32_t offset, unsigned bytes) {
  const std::uint32_t value = peek(offset, bytes);
  if (covers(offset, bytes, layout::kIsrAt)) acknowledge();
  return value;
}

void PciTransport::write(std::uint32_t offset, unsigned bytes, std::uint32_t value) {
  if (within(offset, layout::kNotifyAt)) {
    notify((offset - layout::kNotifyAt) / layout::kNotifyStep);
  } else if (within(offset, layout::kCommonAt)) {
    write_registers(*this, Register::kCommon, offset - layout::kCommonAt, bytes, value);
  } else if (within(offset, layout::kDeviceAt)) {
    for (unsigned i = 0; i < bytes; ++i) {
      device_.write_config(offset - layout::kDeviceAt + i, byte_of(value, i));
    }
  }
}

std::uint32_t PciTransport::legacy_device() const {
  return sink_.messages_enabled() ? legacy::kDeviceMsix : legacy::kDevice;
}

std::uint8_t PciTransport::peek_legacy_byte(std::uint32_t offset) const {
  const std::uint32_t device = legacy_device();
  if (offset >= device) return device_.config_byte(offset - device);
  if (offset >= legacy::kConfigVector) {
    return register_byte(*this, Register::kLegacyVectors, offset);
  }
  return register_byte(*this, Register::kLegacy, offset);
}

std::uint32_t PciTransport::peek_legacy(std::uint32_t offset, unsigned bytes) const {
  std::uint32_t value = 0;
  for (unsigned i = 0; i < bytes && config_.legacy; ++i) {
    value |= std::uint32_t{peek_legacy_byte(offset + i)} << (8 * i);
  }
  return value;
}

std::uint32_t PciTransport::read_legacy(std::uint32_t offset, unsigned bytes) {
  const std::uint32_t value = peek_legacy(offset, bytes);
  if (config_.legacy && covers(offset, bytes, legacy::kIsr)) acknowledge();
  return value;
}

void PciTransport::write_legacy(std::uint32_t offset, unsigned bytes, std::uint32_t value) {
  if (!config_.legacy) return;
  const std::uint32_t device = legacy_device();
  write_registers(*this, Register::kLegacy, offset, bytes, value);
  if (device == legacy::kDeviceMsix) {
    write_registers(*this, Register::kLegacyVectors, offset, bytes, value);
  }
  for (unsigned i = 0; i < bytes; ++i) {
    if (offset + i >= device) device_.write_config(offset + i - device, byte_of(value, i));
  }
}

}  // namespace e1000tlm::virtio
