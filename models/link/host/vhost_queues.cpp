#include "e1000tlm/link/host/vhost_queues.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "e1000tlm/link/frame.h"

namespace e1000tlm::link {
namespace {

using virtio::DriverQueue;
using virtio::SplitLayout;
namespace net = virtio::vhost_user::net_feature;

// Where our memory is for the back-end. Any address serves, as it only finds its way by it.
constexpr std::uint64_t kBase = 0x1'0000'0000;
constexpr std::uint64_t kPage = 4096;
// A buffer holds the longest frame with its header; where frames may take several buffers, each is
// offered as this much.
constexpr std::uint64_t kBufferBytes = 5 * kPage, kLongBufferBytes = 17 * kPage;
constexpr std::uint32_t kMergeableBytes = 2048;
static_assert(kBufferBytes >= kMaxFrameBytes + 12 &&
              kLongBufferBytes >= OffloadFinisher::kMostBytes + 12);

// virtio 1.2, 5.1.6: num_buffers stands behind the older header.
constexpr std::size_t kHeaderBytes = 12, kNumBuffers = 10;
constexpr std::uint16_t kRefill = 16;

constexpr std::uint64_t in_pages(std::uint64_t bytes) { return (bytes + kPage - 1) & ~(kPage - 1); }

}  // namespace

VhostQueues::VhostQueues(const VhostQueuesConfig& config, const Watch& watch)
    : config_(config), buffer_bytes_(config.long_packets ? kLongBufferBytes : kBufferBytes) {
  const std::uint64_t ring_bytes = in_pages(SplitLayout::end_of(0, config.size));
  const std::uint64_t each = ring_bytes + buffer_bytes_ * config.size;
  const std::size_t rings = 2 * std::size_t{config.pairs};
  const std::uint64_t size = rings * each;
  descriptor_ = UniqueFd(::memfd_create("e1000tlm-vhost", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!descriptor_ || ::ftruncate(descriptor_.get(), static_cast<off_t>(size)) != 0) {
    throw_host_error("cannot make memory for virtqueues", errno);
  }
  // Memory that shrinks under a mapping would end this program.
  ::fcntl(descriptor_.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
  void* const mapped =
      ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor_.get(), 0);
  if (mapped == MAP_FAILED) throw_host_error("cannot map memory for virtqueues", errno);
  bytes_ = {static_cast<std::uint8_t*>(mapped), static_cast<std::size_t>(size)};
  memory_.add(kBase, bytes_);
  rings_.reserve(rings);
  for (std::size_t i = 0; i < rings; ++i) {
    Ring& ring = rings_.emplace_back(memory_);
    ring.layout = SplitLayout::at(kBase + i * each, config.size);
    ring.buffers = kBase + i * each + ring_bytes;
    ring.buffer_of.resize(config.size);
    ring.free.reserve(config.size);
    watch.add(ring.call.fd(), EPOLLIN);
  }
  frame_.reserve(OffloadFinisher::kMostBytes + kHeaderBytes);
}

VhostQueues::~VhostQueues() { ::munmap(bytes_.data(), bytes_.size()); }

virtio::vhost_user::SharedMemory VhostQueues::memory() const {
  return {{kBase, bytes_.size(), kBase, 0}, descriptor_.get()};
}

std::vector<virtio::vhost_user::SharedRing> VhostQueues::rings() const {
  std::vector<virtio::vhost_user::SharedRing> shared;
  for (const Ring& ring : rings_) {
    const auto index = static_cast<std::uint8_t>(shared.size());
    shared.push_back({index, ring.layout, 0, ring.kick.fd(), ring.call.fd()});
  }
  return shared;
}

std::vector<int> VhostQueues::calls() const {
  std::vector<int> descriptors;
  for (const Ring& ring : rings_) descriptors.push_back(ring.call.fd());
  return descriptors;
}

std::uint64_t VhostQueues::address(const Ring& ring, std::uint16_t index) const {
  return ring.buffers + buffer_bytes_ * index;
}

Bytes VhostQueues::buffer(const Ring& ring, std::uint16_t index) const {
  return memory_.at(address(ring, index), buffer_bytes_);
}

void VhostQueues::begin(std::uint64_t features) {
  features_ = features;
  const bool modern = (features & (virtio::ring_feature::kVersion1 | net::kMergeableBuffers)) != 0;
  header_bytes_ = modern ? kHeaderBytes : kVirtioHeaderBytes;
  own_descriptor_ = (features & (virtio::ring_feature::kVersion1 | net::kAnyLayout)) == 0;
  parts_left_ = 0;
  finisher_.clear();
  why_ = "";
  virtio::RingOptions options;
  options.event_index = (features & virtio::ring_feature::kEventIndex) != 0;
  for (std::size_t i = 0; i < rings_.size(); ++i) {
    Ring& ring = rings_[i];
    ring.kick.clear();
    ring.call.clear();
    ring.queue.start(ring.layout, options);
    ring.free.clear();
    ring.fresh = 0;
    const bool receives = i % 2 == 0;
    for (std::uint16_t k = 0; k < config_.size; ++k) {
      if (receives) {
        add_receive_buffer(ring, k);
      } else {
        ring.free.push_back(k);
      }
    }
    if (receives) {
      ring.queue.publish();
      ring.fresh = 0;
      ring.queue.enable_calls();
    } else {
      ring.queue.disable_calls();
    }
  }
}

void VhostQueues::kick_all() const {
  for (const Ring& ring : rings_) ring.kick.set();
}

std::uint64_t VhostQueues::unsent() {
  std::uint64_t frames = 0;
  for (std::size_t i = 1; i < rings_.size(); i += 2) {
    reap_sent(rings_[i]);
    frames += rings_[i].queue.in_flight();
  }
  return frames;
}

// --- to the back-end ---

/// Takes back what the back-end has used. False: the ring is broken.
bool VhostQueues::reap_sent(Ring& ring) {
  DriverQueue::Used used;
  for (;;) {
    switch (ring.queue.reap(used)) {
      case DriverQueue::Reap::kEmpty: return true;
      case DriverQueue::Reap::kBroken: return false;
      case DriverQueue::Reap::kUsed: ring.free.push_back(ring.buffer_of[used.head]); break;
    }
  }
}

VhostQueues::Sent VhostQueues::send(unsigned pair, ConstBytes frame) {
  Ring& ring = rings_[2 * std::size_t{pair} + 1];
  const std::uint16_t needed = own_descriptor_ ? 2 : 1;
  if (ring.queue.free() < needed) {
    bool there = reap_sent(ring) && ring.queue.free() >= needed;
    // From now on the back-end tells; what it used meanwhile is looked for once more.
    if (!there && ring.queue.enable_calls()) {
      there = reap_sent(ring) && ring.queue.free() >= needed;
    }
    if (there) ring.queue.disable_calls();
  }
  if (ring.queue.fault() != virtio::RingFault::kNone) {
    why_ = virtio::to_string(ring.queue.fault());
    return Sent::kBroken;
  }
  if (ring.queue.free() < needed) return Sent::kFull;
  const std::uint16_t index = ring.free.back();
  const Bytes room = buffer(ring, index);
  std::fill_n(room.begin(), header_bytes_, std::uint8_t{0});
  std::copy(frame.begin(), frame.end(), room.begin() + static_cast<std::ptrdiff_t>(header_bytes_));
  const auto header = static_cast<std::uint32_t>(header_bytes_);
  const auto size = static_cast<std::uint32_t>(frame.size());
  const std::uint64_t at = address(ring, index);
  const std::array<DriverQueue::Buffer, 2> apart{{{at, header, false}, {at + header, size, false}}};
  const std::array<DriverQueue::Buffer, 1> whole{{{at, header + size, false}}};
  const auto head = own_descriptor_ ? ring.queue.add(apart) : ring.queue.add(whole);
  ring.free.pop_back();
  ring.buffer_of[*head] = index;
  if (ring.queue.publish()) ring.kick.set();
  return Sent::kDone;
}

int VhostQueues::room_fd(unsigned pair) const {
  return rings_[2 * std::size_t{pair} + 1].call.fd();
}

// --- from the back-end ---

bool VhostQueues::add_receive_buffer(Ring& ring, std::uint16_t index) {
  const bool mergeable = (features_ & net::kMergeableBuffers) != 0;
  const auto size = mergeable ? kMergeableBytes : static_cast<std::uint32_t>(buffer_bytes_);
  const std::uint64_t at = address(ring, index);
  const auto header = static_cast<std::uint32_t>(header_bytes_);
  const std::array<DriverQueue::Buffer, 1> whole{{{at, size, true}}};
  const std::array<DriverQueue::Buffer, 2> apart{
      {{at, header, true}, {at + header, size - header, true}}};
  const auto head = own_descriptor_ ? ring.queue.add(apart) : ring.queue.add(whole);
  if (!head) return false;
  ring.buffer_of[*head] = index;
  ++ring.fresh;
  return true;
}

void VhostQueues::publish(Ring& ring) {
  if (ring.fresh == 0) return;
  ring.fresh = 0;
  if (ring.queue.publish()) ring.kick.set();
}

VhostQueues::Result VhostQueues::broken(const char* why) {
  why_ = why;
  return {Received::kBroken, {}, nullptr};
}

VhostQueues::Result VhostQueues::receive() {
  if (finisher_.more()) return whole(finisher_.next());
  const std::size_t rings = rings_.size();
  for (std::size_t looked_at = 0; looked_at < rings; looked_at += 2) {
    Ring& ring = rings_[next_ring_];
    DriverQueue::Used used;
    DriverQueue::Reap reaped = DriverQueue::Reap::kEmpty;
    while ((reaped = ring.queue.reap(used)) == DriverQueue::Reap::kUsed) {
      if (!take_buffer(ring, used)) return {Received::kBroken, {}, nullptr};
      if (parts_left_ > 0) continue;
      came_by_ = config_.pairs == 1 ? kNoQueue : static_cast<std::uint16_t>(next_ring_ / 2);
      next_ring_ = (next_ring_ + 2) % rings;
      return finish_frame();
    }
    if (reaped == DriverQueue::Reap::kBroken) return broken(to_string(ring.queue.fault()));
    publish(ring);
    // The rest of a frame comes from the same ring.
    if (parts_left_ > 0) return {};
    next_ring_ = (next_ring_ + 2) % rings;
  }
  return {};
}

/// A buffer of a frame, the first or one more. False: the back-end has broken the rules.
bool VhostQueues::take_buffer(Ring& ring, const DriverQueue::Used& used) {
  const std::uint16_t index = ring.buffer_of[used.head];
  const ConstBytes part = ConstBytes(buffer(ring, index)).first(used.written);
  if (parts_left_ == 0) {
    if (static_cast<std::size_t>(part.size()) < header_bytes_) {
      why_ = "a received frame has no whole header";
      return false;
    }
    frame_.clear();
    too_long_ = false;
    const bool mergeable = (features_ & net::kMergeableBuffers) != 0;
    parts_left_ = mergeable ? load_le16(part.data() + kNumBuffers) : 1;
    if (parts_left_ == 0 || parts_left_ > config_.size) {
      why_ = "a received frame has an impossible number of buffers";
      return false;
    }
  }
  if (frame_.size() + static_cast<std::size_t>(part.size()) > frame_.capacity()) {
    too_long_ = true;
  } else {
    frame_.insert(frame_.end(), part.begin(), part.end());
  }
  --parts_left_;
  if (!add_receive_buffer(ring, index)) {
    why_ = virtio::to_string(ring.queue.fault());
    return false;
  }
  if (ring.fresh >= kRefill) publish(ring);
  return true;
}

VhostQueues::Result VhostQueues::finish_frame() {
  if (too_long_) return {Received::kDropped, {}, "too_long"};
  const ConstBytes header(frame_.data(), header_bytes_);
  const Bytes frame(frame_.data() + header_bytes_, frame_.size() - header_bytes_);
  // Flags, and the kind of segmentation with its bit for ECN.
  const bool left_to_us = (header[0] & 1) != 0 || (header[1] & 0x7F) != 0;
  if (!left_to_us || frame.empty()) return whole(frame);
  const bool agreed = (features_ & net::kGuestCsum) != 0;
  if (!agreed || !finisher_.begin(header, frame)) return {Received::kDropped, {}, "offload"};
  return whole(finisher_.next());
}

void VhostQueues::clear_calls() const {
  for (const Ring& ring : rings_) ring.call.clear();
}

}  // namespace e1000tlm::link
