#include "e1000tlm/virtio/transport.h"

#include <stdexcept>

namespace e1000tlm::virtio {
namespace {

using pci_layout::kNoVector;
constexpr std::uint32_t kLegacyPage = pci_layout::kLegacyPage;

constexpr std::uint8_t kOk = device_status::kDriverOk, kFeaturesOk = device_status::kFeaturesOk,
                       kNeedsReset = device_status::kNeedsReset;

/// Most queues that the notify part has room for.
constexpr unsigned kMostQueues = pci_layout::kPartBytes / pci_layout::kNotifyStep;

/// Where the rings of a legacy queue are (virtio 1.2, 2.7.2, "legacy interfaces").
SplitLayout legacy_layout(std::uint32_t page, std::uint16_t size) {
  SplitLayout parts = SplitLayout::at(std::uint64_t{page} * kLegacyPage, size);
  const std::uint64_t end = parts.available + SplitLayout::available_bytes(size);
  parts.used = (end + kLegacyPage - 1) / kLegacyPage * kLegacyPage;
  return parts;
}

std::string about(unsigned queue) { return "queue " + std::to_string(queue) + ": "; }

}  // namespace

PciTransport::PciTransport(const TransportConfig& config, DeviceModel& device,
                           InterruptSink& interrupts)
    : config_(config), device_(device), sink_(interrupts), queues_(config.queues) {
  if (config.queues == 0 || config.queues > kMostQueues) {
    throw std::invalid_argument("a virtio device on PCI has 1 to " + std::to_string(kMostQueues) +
                                " queues, not " + std::to_string(config.queues));
  }
  if (const auto problem = SplitLayout::at(0, config.queue_size).problem(); !problem.empty()) {
    throw std::invalid_argument(problem);
  }
  for (QueueSetup& queue : queues_) queue.layout.size = config.queue_size;
}

void PciTransport::reset() {
  features_ = driver_features_ = 0;
  device_select_ = driver_select_ = 0;
  queue_select_ = 0;
  config_vector_ = kNoVector;
  status_ = isr_ = 0;
  fault_.clear();
  for (unsigned i = 0; i < queues(); ++i) forget(i);
  update_level();
  device_.device_reset();
}

void PciTransport::bus_reset() {
  reset();
  generation_ = 0;
}

void PciTransport::forget(unsigned queue) {
  queues_[queue] = {};
  queues_[queue].layout.size = config_.queue_size;
}

QueueSetup* PciTransport::selected() {
  return queue_select_ < queues() ? &queues_[queue_select_] : nullptr;
}

const QueueSetup* PciTransport::selected() const {
  return queue_select_ < queues() ? &queues_[queue_select_] : nullptr;
}

/// What a vector register reads after this was written (virtio 1.2, 4.1.5.1.2.1).
std::uint16_t PciTransport::mapped(std::uint64_t vector) const {
  return vector < config_.vectors ? static_cast<std::uint16_t>(vector) : kNoVector;
}

void PciTransport::set_driver_features(unsigned select, std::uint32_t value) {
  if ((status_ & (kFeaturesOk | kOk)) != 0 || select > 1) return;
  const unsigned shift = 32 * select;
  driver_features_ &= ~(std::uint64_t{0xFFFF'FFFF} << shift);
  driver_features_ |= std::uint64_t{value} << shift;
}

/// The features that the driver has written become those agreed on. False: they cannot.
bool PciTransport::agree(bool legacy) {
  if ((driver_features_ & ~device_.offered_features()) != 0) return false;
  if (!legacy && (driver_features_ & ring_feature::kVersion1) == 0) return false;
  if (!device_.accept_features(driver_features_)) return false;
  features_ = driver_features_;
  return true;
}

void PciTransport::set_status(std::uint8_t value, bool legacy) {
  if (value == 0) {
    reset();
    return;
  }
  unsigned set = value & ~unsigned{status_} & ~unsigned{kNeedsReset};
  if ((set & kFeaturesOk) != 0 && !agree(legacy)) set &= ~unsigned{kFeaturesOk};
  const bool agreed = ((status_ | set) & kFeaturesOk) != 0;
  // A legacy driver says by DRIVER_OK that it has written its features.
  if ((set & kOk) != 0 && !agreed && legacy && !agree(true)) {
    needs_reset("the driver wants features that do not go together or were not offered");
  } else if ((set & kOk) != 0 && !agreed && !legacy) {
    set &= ~unsigned{kOk};
  }
  status_ = static_cast<std::uint8_t>(status_ | set);
  if ((set & kOk) == 0) return;
  if (running()) {
    device_.driver_ready();
  } else {
    signal_config();
  }
}

void PciTransport::enable_queue(std::uint64_t value) {
  QueueSetup* const queue = selected();
  if (!queue || (status_ & kNeedsReset) != 0) return;
  if (value != 1) {
    needs_reset(about(queue_select_) + "queue_enable takes 1 only, not " + std::to_string(value));
    return;
  }
  if (queue->enabled) return;
  std::string problem = queue->layout.problem();
  if (queue->layout.size > config_.queue_size) {
    problem = "it has at most " + std::to_string(config_.queue_size) + " descriptors, not " +
              std::to_string(queue->layout.size);
  }
  if (!problem.empty()) {
    needs_reset(about(queue_select_) + problem);
    return;
  }
  queue->enabled = true;
  if (running()) device_.queue_enabled(queue_select_);
}

void PciTransport::set_address(std::uint64_t SplitLayout::*part, std::uint64_t address) {
  QueueSetup* const queue = selected();
  if (queue && !queue->enabled) queue->layout.*part = address;
}

void PciTransport::reset_queue(std::uint64_t value) {
  const bool agreed = (features_ & ring_feature::kRingReset) != 0;
  if (value != 1 || !agreed || !selected() || !selected()->enabled) return;
  const unsigned queue = queue_select_;
  device_.queue_reset(queue);
  forget(queue);
}

/// A page of 0 takes the queue away.
void PciTransport::set_legacy_address(std::uint32_t page) {
  QueueSetup* const queue = selected();
  if (!queue) return;
  const unsigned index = queue_select_;
  if (queue->enabled) device_.queue_reset(index);
  const std::uint16_t vector = queue->vector;
  forget(index);
  queue->vector = vector;
  if (page == 0 || (status_ & kNeedsReset) != 0) return;
  queue->layout = legacy_layout(page, config_.queue_size);
  queue->enabled = true;
  if (running()) device_.queue_enabled(index);
}

void PciTransport::notify(unsigned queue) {
  if (queue < queues() && (status_ & kNeedsReset) == 0) device_.queue_notified(queue);
}

void PciTransport::acknowledge() {
  isr_ = 0;
  update_level();
}

/// INTx is silent while MSI-X is enabled (PCI 3.0 6.8.3.3).
void PciTransport::update_level() {
  const bool level = isr_ != 0 && !sink_.messages_enabled();
  if (level == level_) return;
  level_ = level;
  if (level) ++interrupts_;
  sink_.set_level(level);
}

void PciTransport::send(std::uint16_t vector) {
  if (vector == kNoVector) return;
  ++interrupts_;
  sink_.send_message(vector);
}

void PciTransport::queue_used(unsigned queue) {
  if (!running()) return;
  if (sink_.messages_enabled()) {
    send(queues_.at(queue).vector);
    return;
  }
  isr_ |= pci_layout::kIsrQueue;
  update_level();
}

void PciTransport::signal_config() {
  if ((status_ & kOk) == 0) return;
  isr_ |= pci_layout::kIsrConfig;
  update_level();
  if (sink_.messages_enabled()) send(config_vector_);
}

void PciTransport::config_changed() {
  ++generation_;
  signal_config();
}

void PciTransport::needs_reset(const std::string& why) {
  if ((status_ & kNeedsReset) != 0) return;
  status_ |= kNeedsReset;
  fault_ = why;
  signal_config();
}

}  // namespace e1000tlm::virtio
