/// Bring-up: status, features, queues, control commands, link (virtio 1.2, 3.1.1 and 5.1.5).
#include <algorithm>
#include <array>
#include <stdexcept>

#include "e1000tlm/driver/virtio_nic.h"

namespace e1000tlm::driver {

namespace net = virtio::net;
namespace config = net::config;
namespace control = net::control;
namespace feature = net::feature;
namespace status = virtio::device_status;

namespace {

constexpr std::uint32_t kMergeableBytes = 2048;
constexpr std::size_t kMostMerged = 256;  // frames of several buffers that software has
constexpr std::uint32_t kMostFrame = 65'535;
constexpr std::uint32_t kEthernetBytes = 18;  // addresses, type and a VLAN tag
constexpr std::uint32_t kUnknownSpeed = 0xFFFF'FFFF;
constexpr unsigned kFruitlessResets = 3;

std::uint32_t rounded(std::uint32_t bytes) { return (bytes + 63) & ~63U; }

/// The sizes as the driver may have wanted them, before the device's are known.
void check(const NicSettings& settings) {
  for (const unsigned size : {settings.rx_descriptors, settings.tx_descriptors}) {
    if (size < 16 || size > 4096 || (size & (size - 1)) != 0) {
      throw std::invalid_argument("virtio-net: ring of " + std::to_string(size) +
                                  " descriptors: expected a power of two from 16 to 4096");
    }
  }
  if (settings.max_frame_bytes > kMostFrame) {
    throw std::invalid_argument("virtio-net: maximum frame of " +
                                std::to_string(settings.max_frame_bytes) + " bytes: up to " +
                                std::to_string(kMostFrame) + " can be received");
  }
  if (settings.queue_pairs > VirtioNic::kMostPairs) {
    throw std::invalid_argument("virtio-net: " + std::to_string(settings.queue_pairs) +
                                " pairs of queues: the driver uses up to " +
                                std::to_string(VirtioNic::kMostPairs));
  }
}

}  // namespace

VirtioNic::VirtioNic(Cpu& cpu, PciHost& host, const PciDevice& pci, RamAllocator& ram,
                     const NicSettings& settings, Time frame_cost)
    : Nic(cpu, pci, settings),
      ram_(ram),
      registers_(cpu, host, pci, name()),
      frame_cost_(frame_cost) {
  check(settings);
  headroom_ = kVirtioHeader;
}

void VirtioNic::bring_up() {
  registers_.reset();
  registers_.add_status(status::kAcknowledge);
  registers_.add_status(status::kDriver);
  try {
    choose_features();
    registers_.agree(features_);
    read_config();
    if (!buffers_) allocate();
    start_queues();
  } catch (const std::exception&) {
    registers_.add_status(status::kFailed);  // 3.1.1: the driver has given up
    throw;
  }
  registers_.add_status(status::kDriverOk);
  set_modes();
}

/// All that it can use, of what there is.
void VirtioNic::choose_features() {
  const std::uint64_t offered = registers_.device_features();
  if ((offered & feature::kVersion1) == 0) {
    throw std::runtime_error(name() + ": a legacy device (no VIRTIO_F_VERSION_1) is not driven");
  }
  std::uint64_t wanted = feature::kVersion1 | feature::kMac | feature::kStatus | feature::kMtu |
                         feature::kSpeedDuplex | feature::kControlQueue | feature::kControlRx |
                         feature::kCsum | feature::kHostTso4 | feature::kHostTso6;
  if (settings_.event_index) wanted |= feature::kEventIndex;
  if (settings_.mergeable) wanted |= feature::kMergeableBuffers;
  if (settings_.indirect) wanted |= feature::kIndirect;
  device_pairs_ = 1;
  if ((offered & feature::kMultiQueue) != 0 && (offered & feature::kControlQueue) != 0) {
    device_pairs_ = registers_.config(config::kMostPairs, 2);
  }
  if (settings_.queue_pairs > device_pairs_) {
    throw std::invalid_argument(name() + ": has " + std::to_string(device_pairs_) +
                                " pairs of queues, and the driver is to use " +
                                std::to_string(settings_.queue_pairs));
  }
  pairs_ = settings_.queue_pairs != 0 ? settings_.queue_pairs : std::min(device_pairs_, kMostPairs);
  if (pairs_ > 1) wanted |= feature::kMultiQueue;
  features_ = offered & wanted;
  // What needs a feature that is not there (5.1.3.1).
  if (!agreed(feature::kCsum)) features_ &= ~(feature::kHostTso4 | feature::kHostTso6);
  if (!agreed(feature::kControlQueue)) features_ &= ~feature::kControlRx;
}

void VirtioNic::read_config() {
  if (agreed(feature::kMac)) {
    registers_.config(config::kMac, Bytes(mac_.data(), mac_.size()));
  } else {
    // Locally administered, and one for each place on the bus.
    mac_ = {0x02, 0, 0, 0, 0, static_cast<std::uint8_t>(pci_.device)};
  }
  // What is longer may not be sent (5.1.4.2).
  longest_ = agreed(feature::kMtu) ? registers_.config(config::kMtu, 2) + kEthernetBytes : ~0U;
}

/// Size of a queue as wanted, or, where nothing special was wanted, what the device has.
std::uint16_t VirtioNic::ring_size(unsigned queue, unsigned& setting, const char* key) {
  const std::uint16_t most = registers_.most_descriptors(queue);
  if (most == 0) {
    throw std::runtime_error(name() + ": has no queue " + std::to_string(queue));
  }
  if (setting > most) {
    if (setting != NicSettings{}.rx_descriptors) {
      throw std::invalid_argument(name() + ": " + key + "=" + std::to_string(setting) +
                                  ": its queues have at most " + std::to_string(most) +
                                  " descriptors");
    }
    setting = most;
  }
  return static_cast<std::uint16_t>(setting);
}

void VirtioNic::allocate() {
  const std::uint16_t rx = ring_size(net::receive_queue(0), settings_.rx_descriptors, "rx-ring");
  const std::uint16_t tx = ring_size(net::transmit_queue(0), settings_.tx_descriptors, "tx-ring");
  const bool mergeable = agreed(feature::kMergeableBuffers);
  const std::uint32_t frame = rounded(settings_.max_frame_bytes);
  // A whole queue of them takes the longest frame.
  const std::uint32_t part =
      mergeable ? std::min(frame, std::max(kMergeableBytes, rounded(frame / rx))) : frame;
  const std::size_t sending = std::size_t{pairs_} * tx;
  // Enough to keep the receive queues full while as many received frames wait to be sent.
  buffers_.emplace(VirtioBuffers{
      BufferPool(ram_, std::size_t{pairs_} * rx + sending, part, kVirtioHeader),
      BufferPool(ram_, part < frame ? std::min(sending, kMostMerged) : 0, frame, kVirtioHeader),
      settings_.max_frame_bytes, mergeable});
  for (unsigned pair = 0; pair < pairs_; ++pair) {
    receivers_.push_back(std::make_unique<VirtioReceiver>(cpu_, ram_, name(),
                                                          net::receive_queue(pair), rx, *buffers_));
    transmitters_.push_back(std::make_unique<VirtioTransmitter>(
        cpu_, ram_, name(), net::transmit_queue(pair), tx, counters_));
  }
  tx_limit_ = tx;
  if (!agreed(feature::kControlQueue)) return;
  // Behind all pairs that the device has, if the driver knows that there are more than one.
  const unsigned number = agreed(feature::kMultiQueue) ? 2 * device_pairs_ : 2;
  constexpr unsigned kControlSize = 16;
  const std::uint16_t most = registers_.most_descriptors(number);
  if (most == 0) throw std::runtime_error(name() + ": has no control queue");
  control_ = std::make_unique<VirtioControl>(
      cpu_, ram_, name(), number,
      static_cast<std::uint16_t>(std::min<unsigned>(most, kControlSize)));
}

void VirtioNic::start_queues() {
  virtio::RingOptions options;
  options.event_index = agreed(feature::kEventIndex);
  options.indirect = agreed(feature::kIndirect);
  for (unsigned pair = 0; pair < pairs_; ++pair) {
    receivers_[pair]->start(registers_, options);
    transmitters_[pair]->start(registers_, options);
    transmitters_[pair]->use_indirect(options.indirect);
  }
  if (control_) control_->start(registers_, options);
}

void VirtioNic::command(std::uint8_t command_class, std::uint8_t command, ConstBytes data) {
  control_->command(registers_, command_class, command, data);
}

void VirtioNic::set_modes() {
  if (agreed(feature::kControlRx)) {
    const std::array<std::uint8_t, 1> on{static_cast<std::uint8_t>(settings_.promiscuous ? 1 : 0)};
    command(control::kRx, control::kRxPromiscuous, on);
    command(control::kRx, control::kRxAllMulticast, on);
  }
  if (pairs_ > 1) {
    std::array<std::uint8_t, 2> number{};
    store_le16(number.data(), static_cast<std::uint16_t>(pairs_));
    command(control::kMultiQueue, control::kPairs, number);
  }
}

void VirtioNic::enable_interrupts() {
  check_link();
  masked_ = true;
  unmask();
}

void VirtioNic::start_receiver() {
  started_ = true;
  for (const auto& queue : receivers_) queue->refill(registers_, settings_.refill_batch);
}

void VirtioNic::stop() {
  registers_.reset();
  started_ = false;
  link_ = {};
}

void VirtioNic::close() {
  stop();
  for (const auto& queue : receivers_) queue->give_up();
  for (const auto& queue : transmitters_) queue->give_up();
  tx_used_ = 0;
}

/// The device has said that it needs a reset (2.1.2).
void VirtioNic::recover() {
  needs_reset_ = false;
  ++resets_;
  const std::uint64_t frames = counters_.rx_frames + counters_.tx_frames;
  fruitless_resets_ = frames == frames_at_reset_ ? fruitless_resets_ + 1 : 1;
  frames_at_reset_ = frames;
  if (fruitless_resets_ > kFruitlessResets) {
    throw std::runtime_error(name() + ": needs a reset again and again");
  }
  const bool receiving = started_;
  close();
  bring_up();
  check_link();
  if (receiving) start_receiver();
}

void VirtioNic::check_link() {
  NicLink now;
  now.up = !agreed(feature::kStatus) || (registers_.config(config::kStatus, 2) & net::kLinkUp) != 0;
  if (now.up) {
    now.full_duplex = true;
    if (agreed(feature::kSpeedDuplex)) {
      const std::uint32_t speed = registers_.config(config::kSpeed, 4);
      now.mbit_per_second = speed == kUnknownSpeed ? 0 : speed;
      now.full_duplex = registers_.config(config::kDuplex, 1) != 0;
    }
  }
  if (now.up != link_.up) ++counters_.link_changes;
  link_ = now;
}

}  // namespace e1000tlm::driver
