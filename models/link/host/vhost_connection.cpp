#include "e1000tlm/link/host/vhost_connection.h"

#include <algorithm>
#include <cerrno>
#include <stdexcept>
#include <utility>

#include <poll.h>

#include "e1000tlm/link/host/host_fd.h"

namespace e1000tlm::link {
namespace {

using std::chrono::milliseconds;
using SteadyClock = std::chrono::steady_clock;
namespace vhost = virtio::vhost_user;
using State = vhost::FrontEnd::State;

constexpr const char* kGone = "has gone";
constexpr milliseconds kSlice{20};

}  // namespace

VhostConnection::VhostConnection(const Settings& settings, vhost::Wishes wishes, const Watch& watch,
                                 Owner& owner)
    : settings_(settings),
      owner_(owner),
      front_(std::move(wishes)),
      watch_(watch),
      peer_(settings.chardev, watch) {
  if (settings_.log.empty()) return;
  log_.open(settings_.log);
  if (!log_) throw_host_error("cannot write '" + settings_.log + "'", errno);
  front_.log = [this](const std::string& line) { log_ << line << std::endl; };
}

bool VhostConnection::serve_until(const std::function<bool()>& condition, milliseconds span) {
  const auto deadline = SteadyClock::now() + span;
  for (serve(); !condition(); serve()) {
    const auto left = std::chrono::duration_cast<milliseconds>(deadline - SteadyClock::now());
    if (left.count() <= 0) return false;
    is_ready(watch_.fd(), POLLIN, std::min(left, kSlice));
  }
  return true;
}

void VhostConnection::wait_for_first(const std::function<bool()>& condition,
                                     const std::function<bool()>& stop) {
  if (settings_.chardev.server) {
    while (!serve_until(condition, kSlice)) {
      if (stop && stop()) return;
    }
    return;
  }
  const bool in_time = serve_until([&] { return condition() || !peer_; }, kPatience);
  if (!in_time) {
    throw std::runtime_error("the back-end does not answer " + front_.waiting_for());
  }
  if (!peer_) throw std::runtime_error("the back-end " + (trouble_.empty() ? kGone : trouble_));
}

void VhostConnection::serve() {
  if (!peer_.find()) return;
  if (front_.state() == State::kIdle) front_.connected();
  // What has been answered may allow the next request, and that be answered at once.
  while (peer_ && send_messages() && take_messages()) {
  }
}

/// False: the back-end has gone.
bool VhostConnection::send_messages() {
  owner_.vhost_proceeds();
  while (const vhost::FrontEnd::Outgoing* message = front_.next()) {
    switch (channel_.send(peer_.fd(), ConstBytes(message->bytes), message->descriptors)) {
      case VhostChannel::Sent::kAll: break;
      case VhostChannel::Sent::kLater: peer_.wait_for_room(true); return true;
      case VhostChannel::Sent::kGone: lose(kGone); return false;
    }
    front_.sent();
    owner_.vhost_proceeds();
  }
  if (!peer_) return false;  // its owner does not want it
  peer_.wait_for_room(false);
  return true;
}

/// True: something came that moved the session on.
bool VhostConnection::take_messages() {
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

/// That it has gone, and nothing else, is no fault of a back-end.
void VhostConnection::lose(const std::string& why) {
  if (why != kGone) {
    if (troubles_++ == 0) trouble_ = why;
  }
  if (log_.is_open()) log_ << "- the back-end " << why << std::endl;
  end_session();
}

void VhostConnection::end_session() {
  if (!peer_) return;
  owner_.vhost_ends();
  front_.disconnected();
  channel_.clear();
  peer_.hang_up();
}

std::string VhostConnection::why_closed() const {
  const std::string what = "the back-end " + (trouble_.empty() ? kGone : trouble_);
  const bool again = settings_.chardev.descriptor.empty() && !settings_.chardev.server;
  return again ? what + " (reconnect=SECONDS looks for it again)" : what;
}

std::vector<std::string> VhostConnection::warnings() const {
  if (troubles_ == 0) return {};
  const std::string text = "the back-end " + trouble_ + "; its connection was closed";
  return {troubles_ == 1 ? text : text + " (and " + std::to_string(troubles_ - 1) + " more)"};
}

}  // namespace e1000tlm::link
