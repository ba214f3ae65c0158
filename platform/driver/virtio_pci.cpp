#include "e1000tlm/driver/virtio_pci.h"

#include <stdexcept>
#include <utility>

namespace e1000tlm::driver {
namespace {

namespace layout = virtio::pci_layout;
namespace common = layout::common;

constexpr std::uint8_t kVendorCapability = 0x09;
// A vendor capability (4.1.4).
constexpr unsigned kType = 3, kBar = 4, kOffset = 8, kMultiplier = 16;
constexpr unsigned kBars = 6;
constexpr unsigned kResetPolls = 1000, kConfigTries = 100;
constexpr Time kPoll = us(10);

const char* name_of(std::uint8_t type) {
  switch (type) {
    case layout::kCommonCfg: return "common configuration";
    case layout::kNotifyCfg: return "notifications";
    case layout::kIsrCfg: return "ISR status";
    default: return "device configuration";
  }
}

}  // namespace

VirtioPci::VirtioPci(Cpu& cpu, PciHost& host, const PciDevice& pci, std::string name)
    : cpu_(cpu),
      name_(std::move(name)),
      common_(find(host, pci, layout::kCommonCfg)),
      notify_(find(host, pci, layout::kNotifyCfg)),
      isr_(find(host, pci, layout::kIsrCfg)),
      device_(find(host, pci, layout::kDeviceCfg)) {}

/// Address of the registers of this type: what the first capability says that names a BAR.
std::uint64_t VirtioPci::find(PciHost& host, const PciDevice& pci, std::uint8_t type) {
  for (const unsigned at : host.capabilities(pci.device, kVendorCapability)) {
    if (host.read(pci.device, at + kType, 1) != type) continue;
    const std::uint32_t bar = host.read(pci.device, at + kBar, 1);
    if (bar >= kBars) continue;  // reserved
    if (pci.bars[bar] == 0) {
      throw std::runtime_error(name_ + ": BAR " + std::to_string(bar) + " could not be placed");
    }
    if (type == layout::kNotifyCfg) notify_step_ = host.read(pci.device, at + kMultiplier);
    return pci.bars[bar] + host.read(pci.device, at + kOffset);
  }
  throw std::runtime_error(name_ + ": has no modern registers for " + name_of(type) +
                           " (virtio 1.2, 4.1.4); legacy devices are not driven");
}

void VirtioPci::reset() {
  cpu_.write(common_ + common::kStatus, 0, 1);
  for (unsigned polls = 0; status() != 0; ++polls) {
    if (polls == kResetPolls) throw std::runtime_error(name_ + ": reset does not end");
    cpu_.sleep(kPoll);
  }
}

void VirtioPci::add_status(std::uint8_t bits) {
  cpu_.write(common_ + common::kStatus, status() | bits, 1);
}

std::uint64_t VirtioPci::device_features() {
  std::uint64_t features = 0;
  for (unsigned half = 0; half < 2; ++half) {
    cpu_.write32(common_ + common::kDeviceFeatureSelect, half);
    features |= std::uint64_t{cpu_.read32(common_ + common::kDeviceFeature)} << (32 * half);
  }
  return features;
}

void VirtioPci::agree(std::uint64_t features) {
  for (unsigned half = 0; half < 2; ++half) {
    cpu_.write32(common_ + common::kDriverFeatureSelect, half);
    cpu_.write32(common_ + common::kDriverFeature,
                 static_cast<std::uint32_t>(features >> (32 * half)));
  }
  add_status(virtio::device_status::kFeaturesOk);
  if ((status() & virtio::device_status::kFeaturesOk) != 0) return;
  add_status(virtio::device_status::kFailed);
  throw std::runtime_error(name_ + ": does not agree on features that it has offered");
}

unsigned VirtioPci::queues() { return common16(common::kQueues); }

std::uint16_t VirtioPci::most_descriptors(unsigned queue) {
  set16(common::kQueueSelect, queue);
  return common16(common::kQueueSize);
}

void VirtioPci::set64(unsigned offset, std::uint64_t value) {
  cpu_.write32(common_ + offset, static_cast<std::uint32_t>(value));
  cpu_.write32(common_ + offset + 4, static_cast<std::uint32_t>(value >> 32));
}

void VirtioPci::enable_queue(unsigned queue, const virtio::SplitLayout& layout) {
  set16(common::kQueueSelect, queue);
  set16(common::kQueueSize, layout.size);
  set64(common::kQueueDescriptors, layout.descriptors);
  set64(common::kQueueAvailable, layout.available);
  set64(common::kQueueUsed, layout.used);
  if (doorbells_.size() <= queue) doorbells_.resize(queue + std::size_t{1});
  doorbells_[queue] = notify_ + std::uint64_t{common16(common::kQueueNotifyOffset)} * notify_step_;
  set16(common::kQueueEnable, 1);
}

void VirtioPci::notify(unsigned queue) { cpu_.write(doorbells_[queue], queue, 2); }

void VirtioPci::config(unsigned offset, Bytes to) {
  for (unsigned tries = 0; tries < kConfigTries; ++tries) {
    const std::uint8_t generation = common8(common::kGeneration);
    for (std::size_t i = 0; i < static_cast<std::size_t>(to.size()); ++i) {
      to[i] = static_cast<std::uint8_t>(config(offset + static_cast<unsigned>(i), 1));
    }
    if (common8(common::kGeneration) == generation) return;
  }
  throw std::runtime_error(name_ + ": its configuration changes all the time");
}

}  // namespace e1000tlm::driver
