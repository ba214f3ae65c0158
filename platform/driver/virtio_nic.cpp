/// What runs once per frame or interrupt.
#include "e1000tlm/driver/virtio_nic.h"

#include <algorithm>
#include <array>
#include <stdexcept>

#include "e1000tlm/virtio/flow_fields.h"

namespace e1000tlm::driver {

namespace net = virtio::net;
namespace layout = virtio::pci_layout;
using net::feature::kCsum;
using net::feature::kHostTso4;
using net::feature::kHostTso6;

bool VirtioNic::interrupt() {
  const std::uint8_t why = registers_.isr();
  if (why == 0) {
    ++counters_.spurious;
    return false;
  }
  ++counters_.interrupts;
  mask();
  masked_ = true;
  if ((why & layout::kIsrConfig) != 0) {
    needs_reset_ = (registers_.status() & virtio::device_status::kNeedsReset) != 0;
    if (!needs_reset_) check_link();
  }
  return true;
}

void VirtioNic::mask() {
  for (const auto& queue : receivers_) queue->mask();
  for (const auto& queue : transmitters_) queue->mask();
}

bool VirtioNic::unmask() {
  if (needs_reset_) recover();
  bool more = false;
  bool blocked = false;
  for (const auto& queue : receivers_) {
    if (queue->blocked()) {
      blocked = true;
    } else {
      more = queue->unmask(false) || more;
    }
  }
  // Buffers that were sent are not urgent.
  for (const auto& queue : transmitters_) more = queue->unmask(true) || more;
  if (more) mask();
  masked_ = more || blocked;
  return more;
}

unsigned VirtioNic::receive(FrameTaker& taker, unsigned budget) {
  constexpr unsigned kTurn = 8;  // frames of a pair before the next one's turn
  unsigned taken = 0;
  const auto count = static_cast<unsigned>(receivers_.size());
  for (unsigned dry = 0; taken < budget && dry < count;) {
    const unsigned turn = count == 1 ? budget : std::min(kTurn, budget - taken);
    const unsigned got = receivers_[first_]->receive(taker, turn, counters_, frame_cost_);
    taken += got;
    dry = got < turn ? dry + 1 : 0;
    if (++first_ == count) first_ = 0;
  }
  if (started_) {
    for (const auto& queue : receivers_) queue->refill(registers_, settings_.refill_batch);
  }
  return taken;
}

void VirtioNic::reclaim() {
  tx_used_ = 0;
  for (const auto& queue : transmitters_) {
    queue->reclaim();
    tx_used_ = std::max(tx_used_, queue->size() - queue->free());
  }
}

VirtioTransmitter& VirtioNic::transmitter_of(std::uint64_t address, std::uint32_t bytes) {
  if (transmitters_.size() == 1) return *transmitters_.front();
  // The program reads as far as the ports; the length of the rest counts, too.
  std::array<std::uint8_t, 64> start{};
  cpu_.load(address, start.data(), std::min<std::uint32_t>(bytes, start.size()));
  const std::uint8_t* frame = cpu_.window(address, bytes);
  if (frame == nullptr) {
    scratch_.resize(bytes);
    cpu_.load(address, scratch_.data(), bytes);
    frame = scratch_.data();
  }
  const std::uint32_t hash = net::symmetric_flow_hash(ConstBytes(frame, bytes));
  return *transmitters_[hash % transmitters_.size()];
}

bool VirtioNic::put(std::uint64_t address, std::uint32_t bytes, BufferPool& home,
                    const VirtioTransmitter::Header* header) {
  VirtioTransmitter& queue = transmitter_of(address, bytes);
  if (!queue.send(registers_, address, bytes, home, header)) return false;
  tx_used_ = std::max(tx_used_, queue.size() - queue.free());
  cpu_.time().advance(frame_cost_);
  if (queue.unannounced() >= settings_.doorbell_batch) queue.announce(registers_);
  return true;
}

bool VirtioNic::send(std::uint64_t address, std::uint32_t bytes, BufferPool& home) {
  if (bytes > longest_) {
    ++counters_.tx_too_long;
    home.give(address);
    return true;
  }
  return put(address, bytes, home, nullptr);
}

void VirtioNic::check_offload(const TxOffload& offload) const {
  const auto need = [this](std::uint64_t feature, const char* what) {
    if (!agreed(feature)) throw std::runtime_error(name() + ": does not offer " + what);
  };
  need(kCsum, "to fill in checksums (VIRTIO_NET_F_CSUM)");
  if (offload.mss == 0) return;
  if (!offload.tcp) throw std::runtime_error(name() + ": segments TCP alone");
  if (offload.ipv4) {
    need(kHostTso4, "to segment TCP over IPv4 (VIRTIO_NET_F_HOST_TSO4)");
  } else {
    need(kHostTso6, "to segment TCP over IPv6 (VIRTIO_NET_F_HOST_TSO6)");
  }
}

namespace {

std::uint16_t fold(std::uint32_t sum) {
  while (sum > 0xFFFF) sum = (sum & 0xFFFF) + (sum >> 16);
  return static_cast<std::uint16_t>(sum);
}

constexpr std::uint16_t kTcpChecksum = 16, kUdpChecksum = 6;  // offsets

}  // namespace

/// What an e1000 adapter does and a virtio device does not: the IPv4 header's length and checksum;
/// and the length in the pseudo header of what is to be segmented.
void VirtioNic::finish_headers(std::uint64_t address, std::uint32_t bytes,
                               const TxOffload& offload) {
  constexpr unsigned kLength = 2, kChecksum = 10, kMostHeader = 60, kLeastHeader = 20;
  if (offload.ipv4) {
    const std::uint64_t at = address + offload.ip_offset;
    std::array<std::uint8_t, kMostHeader> header{};
    const unsigned size = offload.transport_offset - offload.ip_offset;
    if (size < kLeastHeader || size > kMostHeader) {
      throw std::invalid_argument(name() + ": an IPv4 header of " + std::to_string(size) +
                                  " bytes");
    }
    cpu_.load(at, header.data(), size);
    if (offload.mss != 0) {
      store_be16(&header[kLength], static_cast<std::uint16_t>(bytes - offload.ip_offset));
    }
    store_be16(&header[kChecksum], 0);
    std::uint32_t sum = 0;
    for (unsigned i = 0; i < size; i += 2) sum += load_be16(&header[i]);
    store_be16(&header[kChecksum], static_cast<std::uint16_t>(~fold(sum)));
    cpu_.store(at, header.data(), size);
  }
  if (offload.mss != 0) {
    const std::uint64_t at = address + offload.transport_offset + kTcpChecksum;
    std::uint8_t seed[2];
    cpu_.load(at, seed, 2);
    store_be16(seed, fold(load_be16(seed) + bytes - offload.transport_offset));
    cpu_.store(at, seed, 2);
  }
}

bool VirtioNic::send(std::uint64_t address, std::uint32_t bytes, BufferPool& home,
                     const TxOffload& offload) {
  check_offload(offload);
  if (offload.mss == 0 && bytes > longest_) return send(address, bytes, home);
  finish_headers(address, bytes, offload);
  VirtioTransmitter::Header header{};
  header[net::header::kFlags] = net::header::kNeedsCsum;
  store_le16(&header[net::header::kCsumStart], offload.transport_offset);
  store_le16(&header[net::header::kCsumOffset], offload.tcp ? kTcpChecksum : kUdpChecksum);
  if (offload.mss != 0) {
    header[net::header::kGsoType] = offload.ipv4 ? net::header::kGsoTcp4 : net::header::kGsoTcp6;
    store_le16(&header[net::header::kHeaderLength], offload.header_bytes);
    store_le16(&header[net::header::kGsoSize], offload.mss);
  }
  return put(address, bytes, home, &header);
}

void VirtioNic::flush() {
  for (const auto& queue : transmitters_) {
    if (queue->unannounced() != 0) queue->announce(registers_);
  }
}

bool VirtioNic::idle() {
  const auto sent = [](const auto& queue) { return queue->in_flight() == 0; };
  const auto quiet = [](const auto& queue) { return !queue->holds() && !queue->waits(); };
  return std::all_of(transmitters_.begin(), transmitters_.end(), sent) &&
         std::all_of(receivers_.begin(), receivers_.end(), quiet);
}

}  // namespace e1000tlm::driver
