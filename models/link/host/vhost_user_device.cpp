#include "e1000tlm/link/host/vhost_user_device.h"

#include <algorithm>
#include <utility>

#include <poll.h>

#include "e1000tlm/link/host/flow.h"

namespace e1000tlm::link {
namespace {

using std::chrono::milliseconds;
using SteadyClock = std::chrono::steady_clock;
namespace vhost = virtio::vhost_user;
namespace net = vhost::net_feature;
using State = vhost::FrontEnd::State;

constexpr milliseconds kSlice{20};
// Frames after which the socket is looked at although there are more.
constexpr unsigned kServeEvery = 256;

vhost::Wishes wishes(const VhostUserConfig& config, const VhostQueues& queues) {
  vhost::Wishes wishes;
  wishes.calls = queues.calls();
  wishes.features = virtio::ring_feature::kVersion1 | net::kAnyLayout;
  if (config.mergeable) wishes.features |= net::kMergeableBuffers;
  if (config.event_index) wishes.features |= virtio::ring_feature::kEventIndex;
  if (config.mtu != 0) wishes.features |= net::kMtu;
  if (config.queues.pairs > 1) wishes.features |= net::kMultiQueue;
  if (config.offload) {
    wishes.features |= net::kGuestCsum | net::kGuestTso4 | net::kGuestTso6 | net::kGuestEcn;
  }
  wishes.queue_pairs = config.queues.pairs;
  wishes.mtu = config.mtu;
  return wishes;
}

milliseconds left_until(SteadyClock::time_point deadline) {
  const auto left = std::chrono::duration_cast<milliseconds>(deadline - SteadyClock::now());
  return std::max(left, milliseconds(0));
}

}  // namespace

VhostUserDevice::VhostUserDevice(VhostUserConfig config)
    : config_(std::move(config)),
      queues_(config_.queues, watch_),
      connection_({config_.chardev, config_.log}, wishes(config_, queues_), watch_, *this) {
  if (config_.chardev.server ? config_.wait : config_.chardev.reconnect.count() == 0) {
    connection_.wait_for_first([this] { return running(); }, config_.stop);
  }
}

/// What the session's state asks of the queues.
void VhostUserDevice::vhost_proceeds() {
  vhost::FrontEnd& front = connection_.front();
  if (front.state() == State::kAgreed) {
    queues_.begin(front.features());
    front.start(front.features(), {queues_.memory()}, queues_.rings());
  }
  if (running() && !std::exchange(kicked_, true)) queues_.kick_all();
}

void VhostUserDevice::vhost_ends() {
  lost_ += queues_.unsent();
  queues_.begin(0);
  kicked_ = false;
  if (lost_ > 0) leftover_.set(true);
}

// --- frames ---

/// nullopt: there is none.
std::optional<HostDevice::ReadResult> VhostUserDevice::received() {
  if (!running()) return std::nullopt;
  const VhostQueues::Result result = queues_.receive();
  switch (result.outcome) {
    case VhostQueues::Received::kFrame:
      return ReadResult{Outcome::kDone, result.frame, nullptr, 1, result.pair};
    case VhostQueues::Received::kDropped: return ReadResult{Outcome::kDropped, {}, result.reason};
    case VhostQueues::Received::kBroken:
      connection_.lose(std::string("breaks a ring: ") + queues_.why());
      break;
    case VhostQueues::Received::kNone: break;
  }
  return std::nullopt;
}

HostDevice::ReadResult VhostUserDevice::read() {
  if (!running() || ++reads_ % kServeEvery == 0) connection_.serve();
  auto result = received();
  if (!result) {
    queues_.clear_calls();
    connection_.serve();
    result = received();
  }
  if (!result && lost_ > 0) {
    result = ReadResult{Outcome::kDropped, {}, "back_end_gone", std::exchange(lost_, 0)};
  }
  leftover_.set(result.has_value());
  if (result) return *result;
  const bool over = !connection_ && !connection_.waits_for_peers();
  return {over ? Outcome::kClosed : Outcome::kAgain, {}, nullptr};
}

HostDevice::WriteResult VhostUserDevice::write(ConstBytes frame, milliseconds wait) {
  return write_by(kNoQueue, frame, wait);
}

HostDevice::WriteResult VhostUserDevice::write_by(std::uint16_t queue, ConstBytes frame,
                                                  milliseconds wait) {
  const auto deadline = SteadyClock::now() + wait;
  const auto pair = static_cast<unsigned>(queue_for(queue, frame, config_.queues.pairs));
  for (;;) {
    if (!running()) connection_.serve();
    if (!running() && !connection_) return without_session();
    if (running()) {
      switch (queues_.send(pair, frame)) {
        case VhostQueues::Sent::kDone: return {Outcome::kDone, nullptr};
        case VhostQueues::Sent::kBroken:
          connection_.lose(std::string("breaks a ring: ") + queues_.why());
          return without_session();
        case VhostQueues::Sent::kFull: connection_.serve(); break;
      }
    }
    const milliseconds left = left_until(deadline);
    if (left.count() == 0) return {Outcome::kAgain, nullptr};
    is_ready(running() ? queues_.room_fd(pair) : watch_.fd(), POLLIN, std::min(left, kSlice));
  }
}

HostDevice::WriteResult VhostUserDevice::without_session() const {
  if (!connection_.waits_for_peers()) return {Outcome::kClosed, nullptr};
  return {Outcome::kDropped, "no_peer"};
}

// --- the end ---

/// Lets the back-end use what it has.
void VhostUserDevice::use_up(milliseconds span) {
  const auto deadline = SteadyClock::now() + span;
  while (running() && queues_.unsent() > 0 && left_until(deadline).count() > 0) {
    is_ready(connection_.fd(), POLLIN, milliseconds(1));
    connection_.serve();
  }
}

std::string VhostUserDevice::shut_down() {
  use_up(kLastUse);
  if (running()) {
    connection_.front().stop();
    connection_.serve_until(
        [this] { return !connection_ || connection_.front().state() == State::kStopped; },
        kLastAnswers);
  }
  connection_.end_session();
  connection_.close_log();
  return {};
}

std::uint64_t VhostUserDevice::unsent() { return std::exchange(lost_, 0); }

}  // namespace e1000tlm::link
