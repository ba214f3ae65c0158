#include "e1000tlm/link/host/chardev.h"

#include <cerrno>
#include <cstdint>
#include <stdexcept>
#include <utility>
#include <vector>

#include <poll.h>
#include <unistd.h>

#include "e1000tlm/link/host/host_timer.h"

namespace e1000tlm::link {

using std::chrono::milliseconds;

/// Takes one connection after the other. Rests while there is no descriptor left for one: it would
/// be ready all the time.
class Chardev::Acceptor {
 public:
  Acceptor(UniqueFd listener, const Watch& watch)
      : watch_(watch), timer_(watch), fd_(std::move(listener)) {
    watch_.add(fd_.get(), EPOLLIN);
  }
  /// One that waits, or none. The next one is waited for from listen() on.
  UniqueFd accept() {
    if (resting_ && !timer_.expired()) return {};
    UniqueFd connection = accept_from(fd_.get());
    if (connection && !watch_.try_add(connection.get(), 0)) connection.reset();
    const bool rest = !connection && out_of_descriptors(errno);
    const bool idle = connection || rest;
    if (idle || resting_) watch_.change(fd_.get(), idle ? 0U : std::uint32_t{EPOLLIN});
    if (rest) timer_.start(kDescriptorRest);
    resting_ = rest;
    return connection;
  }
  void listen() {
    if (!resting_) watch_.change(fd_.get(), EPOLLIN);
  }

 private:
  const Watch& watch_;
  Timer timer_;
  UniqueFd fd_;
  bool resting_ = false;
};

/// Tries to connect again and again, without ever waiting.
class Chardev::Connector {
 public:
  Connector(const SocketAddress& address, milliseconds interval, const Watch& watch)
      : addresses_(resolve(address)), interval_(interval), watch_(watch), timer_(watch) {}

  /// Makes what progress there is to make; a connection that is ready, or none.
  UniqueFd advance() {
    if (attempt_ && is_ready(attempt_.get(), POLLOUT, milliseconds(0))) {
      int error = 0;
      socklen_t size = sizeof error;
      ::getsockopt(attempt_.get(), SOL_SOCKET, SO_ERROR, &error, &size);
      if (error == 0 && !is_connected_to_itself(attempt_.get())) return taken();
      attempt_.reset();
      return try_from(next_);
    }
    return timer_.expired() ? try_from(0) : UniqueFd();
  }
  UniqueFd start() { return try_from(0); }
  void wait_for_next_attempt() const { timer_.start(interval_); }

 private:
  /// Tries the addresses from this one on. Having no descriptor left is a failed attempt like any
  /// other.
  UniqueFd try_from(std::size_t first) {
    for (next_ = first; next_ < addresses_.size();) {
      const ResolvedAddress& remote = addresses_[next_++];
      attempt_ = UniqueFd(::socket(remote.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
      if (!attempt_ || !watch_.try_add(attempt_.get(), EPOLLOUT)) {
        attempt_.reset();
        continue;
      }
      const bool connected = ::connect(attempt_.get(), remote.generic(), remote.size) == 0;
      if (!connected && errno == EINPROGRESS) return {};
      if (connected && !is_connected_to_itself(attempt_.get())) return taken();
      attempt_.reset();
    }
    wait_for_next_attempt();
    return {};
  }

  UniqueFd taken() {
    set_no_delay(attempt_.get());
    return std::exchange(attempt_, {});
  }

  std::vector<ResolvedAddress> addresses_;
  milliseconds interval_;
  const Watch& watch_;
  Timer timer_;
  UniqueFd attempt_;
  std::size_t next_ = 0;
};

namespace {

/// A stream socket that somebody else has opened. Throws std::invalid_argument.
UniqueFd stream_socket(const std::string& number, bool listening) {
  UniqueFd fd = take_descriptor(number);
  int type = 0;
  int accepts = 0;
  socklen_t size = sizeof type;
  const bool known =
      ::getsockopt(fd.get(), SOL_SOCKET, SO_TYPE, &type, &size) == 0 &&
      ::getsockopt(fd.get(), SOL_SOCKET, SO_ACCEPTCONN, &accepts, &(size = sizeof accepts)) == 0;
  if (!known || type != SOCK_STREAM) {
    throw std::invalid_argument("descriptor " + number + " is no stream socket");
  }
  if ((accepts != 0) != listening) {
    throw std::invalid_argument(
        "descriptor " + number +
        (listening ? " does not listen, as server=on asks for" : " listens: say server=on"));
  }
  set_no_delay(fd.get());
  return fd;
}

}  // namespace

Chardev::Chardev(const ChardevConfig& config, const Watch& watch) : config_(config), watch_(watch) {
  UniqueFd given;
  if (!config.descriptor.empty()) given = stream_socket(config.descriptor, config.server);
  if (config.server) {
    acceptor_ =
        std::make_unique<Acceptor>(given ? std::move(given) : listen_on(config.address), watch_);
  } else if (given) {
    watch_.add(given.get(), 0);
    take(std::move(given));
  } else if (config.reconnect.count() > 0) {
    connector_ = std::make_unique<Connector>(config.address, config.reconnect, watch_);
    take(connector_->start());
  } else {
    UniqueFd connection = connect_to(config.address);
    watch_.add(connection.get(), 0);
    take(std::move(connection));
  }
}

Chardev::~Chardev() {
  if (acceptor_ && !config_.address.path.empty() && config_.descriptor.empty()) {
    ::unlink(config_.address.path.c_str());
  }
}

bool Chardev::find() {
  if (connection_) return true;
  if (acceptor_) {
    take(acceptor_->accept());
  } else if (connector_) {
    take(connector_->advance());
  }
  return static_cast<bool>(connection_);
}

void Chardev::take(UniqueFd connection) {
  if (!connection) return;
  connection_ = std::move(connection);
  waits_for_room_ = false;
  watch_.change(connection_.get(), EPOLLIN);
}

void Chardev::hang_up() {
  connection_.reset();
  if (acceptor_) acceptor_->listen();
  if (connector_) connector_->wait_for_next_attempt();
}

void Chardev::wait_for_room(bool room) {
  if (!connection_ || std::exchange(waits_for_room_, room) == room) return;
  watch_.change(connection_.get(), room ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

}  // namespace e1000tlm::link
