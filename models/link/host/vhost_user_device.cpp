#include "e1000tlm/link/host/vhost_user_device.h"

#include <algorithm>
#include <cerrno>
#include <stdexcept>
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

constexpr const char* kGone = "has gone";
constexpr milliseconds kSlice{20};
// Frames after which the socket is looked at although there are more.
constexpr unsigned kServeEvery = 256;

vhost::Wishes wishes(const VhostUserConfig& config) {
  vhost::Wishes wishes;
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
      front_(wishes(config_)),
      peer_(config_.chardev, watch_) {
  if (!config_.log.empty()) {
    log_.open(config_.log);
    if (!log_) throw_host_error("cannot write '" + config_.log + "'", errno);
    front_.log = [this](const std::string& line) { log_ << line << std::endl; };
  }
  if (config_.chardev.server ? config_.wait : config_.chardev.reconnect.count() == 0) {
    wait_for_agreement();
  }
}

bool VhostUserDevice::running() const { return front_.state() == State::kRunning; }

void VhostUserDevice::wait_for_agreement() {
  const bool server = config_.chardev.server;
  const auto deadline = SteadyClock::now() + kPatience;
  for (serve(); !running(); serve()) {
    if (server && config_.stop && config_.stop()) return;
    if (!server && !peer_)
      throw std::runtime_error("the back-end " + (trouble_.empty() ? kGone : trouble_));
    if (!server && SteadyClock::now() > deadline) {
      throw std::runtime_error("the back-end does not answer " + front_.waiting_for());
    }
    is_ready(watch_.fd(), POLLIN, kSlice);
  }
}

// --- the session ---

/// Makes what progress there is to make with the back-end's socket.
void VhostUserDevice::serve() {
  if (!peer_.find()) return;
  if (front_.state() == State::kIdle) front_.connected();
  // What has been answered may allow the next request, and that be answered at once.
  while (peer_ && send_messages() && take_messages()) {
  }
}

/// False: the back-end has gone.
bool VhostUserDevice::send_messages() {
  proceed();
  while (const vhost::FrontEnd::Outgoing* message = front_.next()) {
    switch (channel_.send(peer_.fd(), ConstBytes(message->bytes), message->descriptors)) {
      case VhostChannel::Sent::kAll: break;
      case VhostChannel::Sent::kLater: peer_.wait_for_room(true); return true;
      case VhostChannel::Sent::kGone: lose(kGone); return false;
    }
    front_.sent();
    proceed();
  }
  peer_.wait_for_room(false);
  return true;
}

/// True: something came that moved the session on.
bool VhostUserDevice::take_messages() {
  const bool there = channel_.receive(peer_.fd());
  bool moved = false;
  while (const auto message = channel_.next()) {
    moved = true;
    if (!front_.receive(message->header, message->body, message->descriptors.size())) break;
  }
  if (front_.state() == State::kBroken) {
    lose(front_.why());
  } else if (!channel_.why().empty()) {
    lose(channel_.why());
  } else if (!there) {
    const std::string waiting = front_.waiting_for();
    lose(waiting.empty() ? std::string(kGone) : "has gone instead of answering " + waiting);
  }
  return moved && peer_;
}

/// What the session's state asks of the queues.
void VhostUserDevice::proceed() {
  if (front_.state() == State::kAgreed) {
    queues_.begin(front_.features());
    front_.start({queues_.memory()}, queues_.rings());
  }
  if (running() && !std::exchange(kicked_, true)) queues_.kick_all();
}

/// That it has gone, and nothing else, is no fault of a back-end.
void VhostUserDevice::lose(const std::string& why) {
  if (why != kGone) {
    if (troubles_++ == 0) trouble_ = why;
  }
  if (log_.is_open()) log_ << "- the back-end " << why << std::endl;
  end_session();
}

void VhostUserDevice::end_session() {
  lost_ += queues_.unsent();
  queues_.begin(0);
  kicked_ = false;
  front_.disconnected();
  channel_.clear();
  peer_.hang_up();
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
      lose(std::string("breaks a ring: ") + queues_.why());
      break;
    case VhostQueues::Received::kNone: break;
  }
  return std::nullopt;
}

HostDevice::ReadResult VhostUserDevice::read() {
  if (!running() || ++reads_ % kServeEvery == 0) serve();
  auto result = received();
  if (!result) {
    queues_.clear_calls();
    serve();
    result = received();
  }
  if (!result && lost_ > 0) {
    result = ReadResult{Outcome::kDropped, {}, "back_end_gone", std::exchange(lost_, 0)};
  }
  leftover_.set(result.has_value());
  if (result) return *result;
  const bool over = !peer_ && !peer_.waits_for_peers();
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
    if (!running()) serve();
    if (!running() && !peer_) return without_session();
    if (running()) {
      switch (queues_.send(pair, frame)) {
        case VhostQueues::Sent::kDone: return {Outcome::kDone, nullptr};
        case VhostQueues::Sent::kBroken:
          lose(std::string("breaks a ring: ") + queues_.why());
          return without_session();
        case VhostQueues::Sent::kFull: serve(); break;
      }
    }
    const milliseconds left = left_until(deadline);
    if (left.count() == 0) return {Outcome::kAgain, nullptr};
    is_ready(running() ? queues_.room_fd(pair) : watch_.fd(), POLLIN, std::min(left, kSlice));
  }
}

HostDevice::WriteResult VhostUserDevice::without_session() const {
  if (!peer_.waits_for_peers()) return {Outcome::kClosed, nullptr};
  return {Outcome::kDropped, "no_peer"};
}

// --- the end ---

/// Lets the back-end use what it has.
void VhostUserDevice::use_up(milliseconds span) {
  const auto deadline = SteadyClock::now() + span;
  while (running() && queues_.unsent() > 0 && left_until(deadline).count() > 0) {
    is_ready(peer_.fd(), POLLIN, milliseconds(1));
    serve();
  }
}

std::string VhostUserDevice::shut_down() {
  use_up(kLastUse);
  if (running()) {
    front_.stop();
    const auto deadline = SteadyClock::now() + kLastAnswers;
    for (serve(); peer_ && front_.state() == State::kStopping; serve()) {
      const milliseconds left = left_until(deadline);
      if (left.count() == 0) break;
      is_ready(peer_.fd(), POLLIN, left);
    }
  }
  if (peer_) end_session();
  log_.close();
  return {};
}

std::uint64_t VhostUserDevice::unsent() { return std::exchange(lost_, 0); }

std::string VhostUserDevice::why_closed() const {
  const std::string what = "the back-end " + (trouble_.empty() ? kGone : trouble_);
  const bool again = config_.chardev.descriptor.empty() && !config_.chardev.server;
  return again ? what + " (reconnect=SECONDS looks for it again)" : what;
}

std::vector<std::string> VhostUserDevice::warnings() const {
  if (troubles_ == 0) return {};
  const std::string text = "the back-end " + trouble_ + "; its connection was closed";
  return {troubles_ == 1 ? text : text + " (and " + std::to_string(troubles_ - 1) + " more)"};
}

}  // namespace e1000tlm::link
