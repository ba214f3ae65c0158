#include "e1000tlm/link/host/vhost_user_plane.h"

#include <utility>

#include <unistd.h>

namespace e1000tlm::link {
namespace {

namespace vhost = virtio::vhost_user;
namespace feature = virtio::net::feature;
using State = vhost::FrontEnd::State;
using Queue = virtio::DataPlane::Queue;

/// User addresses, by which rings are named, are the driver's plus this: any will do, but some
/// back-ends take 0 for none.
constexpr std::uint64_t kUserAddress = 1ULL << 32;

std::string names_of(std::uint64_t features) {
  std::string names;
  for (const virtio::net::FeatureName& one : virtio::net::kFeatureNames) {
    if ((features & one.bit) == 0) continue;
    names.append(names.empty() ? "" : ", ").append(one.name);
  }
  return names;
}

}  // namespace

vhost::Wishes VhostUserPlane::wishes(const VhostUserPlaneConfig& config,
                                     const std::deque<Ring>& rings) {
  vhost::Wishes wishes;
  wishes.features = kOfPackets;
  wishes.queue_pairs = config.pairs;
  wishes.mtu = config.mtu;
  for (const Ring& ring : rings) wishes.calls.push_back(ring.call.fd());
  return wishes;
}

VhostUserPlane::VhostUserPlane(VhostUserPlaneConfig config)
    : config_(std::move(config)),
      rings_(2 * std::size_t{config_.pairs}),
      connection_(config_.connection, wishes(config_, rings_), watch_, *this) {
  for (const Ring& ring : rings_) {
    watch_.add(ring.call.fd(), EPOLLIN);
    calls_.push_back({ring.call.fd(), POLLIN, 0});
  }
  memory_.add(0, config_.memory);
  if (config_.pairs > 1) known_ |= feature::kMultiQueue;
  const ChardevConfig& chardev = config_.connection.chardev;
  if (config_.wait && (chardev.server || chardev.reconnect.count() == 0)) {
    connection_.wait_for_first([this] { return link_; }, config_.stop);
  }
}

// --- the session ---

void VhostUserPlane::serve() {
  connection_.serve();
  look_at_calls();
}

VhostUserPlane::News VhostUserPlane::take_news() { return std::exchange(news_, {}); }

/// The session's state, and what the driver wants.
void VhostUserPlane::vhost_proceeds() {
  vhost::FrontEnd& front = connection_.front();
  switch (front.state()) {
    case State::kAgreed:
      if (!link_ && !acceptable()) return;
      known_ = front.features();
      set_link(true);
      if (started_) hand_over();
      break;
    case State::kStopped:
      if (started_) hand_over();
      break;
    case State::kRunning:
      if (!started_ || std::exchange(kicked_, true)) break;
      for (std::size_t i = 0; i < rings_.size(); ++i) {
        if (!rings_[i].queue) continue;
        rings_[i].kick.set();
        // Whether the last back-end has told of what it used nobody knows.
        if (resumed_) news_.used.set(i);
      }
      break;
    default: break;
  }
}

/// It may become the device's back-end; otherwise it has been sent away.
bool VhostUserPlane::acceptable() {
  const std::uint64_t features = connection_.front().features();
  if ((features & feature::kVersion1) == 0) {
    connection_.lose("knows legacy drivers only: it does not offer VERSION_1");
    return false;
  }
  const std::uint64_t missing = started_ ? driver_features_ & kOfPackets & ~features : 0;
  if (missing == 0) return true;
  connection_.lose("lacks what the driver has been promised: " + names_of(missing));
  return false;
}

void VhostUserPlane::hand_over() {
  kicked_ = false;
  std::vector<vhost::SharedRing> rings;
  for (const Ring& ring : rings_) {
    if (ring.queue) rings.push_back(shared(ring));
  }
  const auto bytes = static_cast<std::uint64_t>(config_.memory.size());
  connection_.front().start(driver_features_,
                            {{{0, bytes, kUserAddress, 0}, config_.memory_descriptor}}, rings);
}

vhost::SharedRing VhostUserPlane::shared(const Ring& ring) const {
  const Queue& queue = *ring.queue;
  virtio::SplitLayout layout = queue.layout;
  layout.descriptors += kUserAddress;
  layout.available += kUserAddress;
  layout.used += kUserAddress;
  return {
      static_cast<std::uint8_t>(queue.index), layout, queue.base, ring.kick.fd(), ring.call.fd(),
      queue.index / 2 < active_pairs_};
}

void VhostUserPlane::vhost_ends() {
  ++sessions_;
  kicked_ = false;
  set_link(false);
  if (!started_) return;
  resumed_ = true;
  for (Ring& ring : rings_) {
    if (!ring.queue || find_base(*ring.queue)) continue;
    news_.failure = "queue " + std::to_string(ring.queue->index) +
                    ": the back-end has left it with impossible indices";
    ring.queue.reset();
  }
}

/// The back-end has gone, and only the ring itself tells how far it has come. False: not even that.
bool VhostUserPlane::find_base(Queue& queue) {
  std::uint16_t available = 0;
  return memory_.load(queue.layout.used + 2, queue.base) &&
         memory_.load(queue.layout.available + 2, available) &&
         static_cast<std::uint16_t>(available - queue.base) <= queue.layout.size;
}

void VhostUserPlane::set_link(bool up) {
  if (std::exchange(link_, up) != up) news_.link = up;
}

void VhostUserPlane::look_at_calls() {
  if (::poll(calls_.data(), calls_.size(), 0) <= 0) return;
  for (std::size_t i = 0; i < calls_.size(); ++i) {
    if ((calls_[i].revents & POLLIN) == 0) continue;
    rings_[i].call.clear();
    if (rings_[i].queue) news_.used.set(i);
  }
}

// --- the driver ---

/// It has rings, or is about to get them.
bool VhostUserPlane::at_work() const {
  const State state = connection_.front().state();
  return state == State::kStarting || state == State::kRunning;
}

/// Waits until the back-end has answered everything. False: it has gone instead.
bool VhostUserPlane::settled() {
  const auto done = [this] {
    look_at_calls();
    return !connection_ || !connection_.front().busy();
  };
  connection_.serve_until(done, kLastAnswers);
  if (connection_ && connection_.front().busy()) {
    connection_.lose("does not answer " + connection_.front().waiting_for());
  }
  return static_cast<bool>(connection_);
}

bool VhostUserPlane::in_memory(const virtio::SplitLayout& layout) const {
  using Layout = virtio::SplitLayout;
  return !memory_.at(layout.descriptors, Layout::descriptor_bytes(layout.size)).empty() &&
         !memory_.at(layout.available, Layout::available_bytes(layout.size)).empty() &&
         !memory_.at(layout.used, Layout::used_bytes(layout.size)).empty();
}

/// False: that is no queue that could be handed over.
bool VhostUserPlane::add(const Queue& queue) {
  if (queue.index >= rings_.size()) return false;
  const std::string problem = queue.layout.problem();
  if (!problem.empty() || !in_memory(queue.layout)) {
    news_.failure = "queue " + std::to_string(queue.index) + ": " +
                    (problem.empty() ? "it is not in memory" : problem);
    return false;
  }
  rings_[queue.index].queue = queue;
  return true;
}

void VhostUserPlane::start(std::uint64_t features,
                           gsl::span<const virtio::DataPlane::Queue> queues) {
  stop();
  started_ = true;
  resumed_ = false;
  driver_features_ = features;
  for (const Queue& queue : queues) add(queue);
  // Another back-end may have come since the driver saw what there is.
  if (connection_.front().state() == State::kAgreed && !acceptable()) return;
  if (connection_.front().state() == State::kStopped && !acceptable()) return;
  connection_.serve();
}

void VhostUserPlane::start_queue(const Queue& queue) {
  if (!started_ || !add(queue) || !at_work()) return;
  connection_.front().start_ring(shared(rings_[queue.index]));
  rings_[queue.index].kick.set();
  connection_.serve();
}

std::uint16_t VhostUserPlane::stop_queue(unsigned index) {
  if (index >= rings_.size() || !rings_[index].queue) return 0;
  Ring& ring = rings_[index];
  const auto short_index = static_cast<std::uint8_t>(index);
  if (at_work() && settled() && at_work()) {
    const std::uint64_t session = sessions_;
    connection_.front().stop_ring(short_index);
    // When the session has ended, the ring has told how far it came.
    if (settled() && session == sessions_) ring.queue->base = connection_.front().base(index);
    if (!ring.queue) return 0;
  }
  const std::uint16_t base = ring.queue->base;
  ring.queue.reset();
  ring.call.clear();
  news_.used.reset(index);
  return base;
}

void VhostUserPlane::stop() {
  started_ = false;
  if (at_work() && settled() && at_work()) {
    connection_.front().stop();
    settled();
  }
  for (Ring& ring : rings_) {
    ring.queue.reset();
    ring.call.clear();
    ring.kick.clear();
  }
  news_.used.reset();
  news_.failure.clear();
}

void VhostUserPlane::notified(unsigned queue) {
  if (queue < rings_.size() && rings_[queue].queue) rings_[queue].kick.set();
}

void VhostUserPlane::set_active_pairs(unsigned pairs) {
  const unsigned before = std::exchange(active_pairs_, pairs);
  if (!at_work() || before == pairs) return;
  for (const Ring& ring : rings_) {
    if (!ring.queue) continue;
    const unsigned pair = ring.queue->index / 2;
    const bool on = pair < pairs;
    if (on != (pair < before)) {
      connection_.front().enable_ring(static_cast<std::uint8_t>(ring.queue->index), on);
    }
  }
  connection_.serve();
}

void VhostUserPlane::shut_down() {
  stop();
  connection_.end_session();
  connection_.close_log();
}

}  // namespace e1000tlm::link
