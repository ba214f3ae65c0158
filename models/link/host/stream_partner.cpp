#include "e1000tlm/link/host/stream_partner.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

#include <poll.h>
#include <sys/uio.h>
#include <unistd.h>

#include "e1000tlm/link/host/host_timer.h"
#include "e1000tlm/link/host/host_watch.h"
#include "e1000tlm/link/host/length_prefix.h"

namespace e1000tlm::link {
namespace {

using std::chrono::milliseconds;
using SteadyClock = std::chrono::steady_clock;

/// Takes one connection after the other. Rests while there is no descriptor left for one: it would
/// be ready all the time.
class Acceptor {
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
class Connector {
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

class StreamDevice : public HostDevice {
 public:
  explicit StreamDevice(const StreamConfig& config) : config_(config) {
    UniqueFd given;
    if (!config.descriptor.empty()) given = stream_socket(config.descriptor, config.server);
    if (config.server) {
      acceptor_.emplace(given ? std::move(given) : listen_on(config.address), watch_);
    } else if (given) {
      watch_.add(given.get(), 0);
      take(std::move(given));
    } else if (config.reconnect.count() > 0) {
      connector_.emplace(config.address, config.reconnect, watch_);
      take(connector_->start());
    } else {
      UniqueFd connection = connect_to(config.address);
      watch_.add(connection.get(), 0);
      take(std::move(connection));
    }
  }
  ~StreamDevice() override {
    if (acceptor_ && !config_.address.path.empty() && config_.descriptor.empty())
      ::unlink(config_.address.path.c_str());
  }

  int fd() const override { return watch_.fd(); }
  bool poll_tells_room() const override { return false; }
  std::string why_closed() const override {
    return config_.descriptor.empty() ? "the peer has gone (reconnect=SECONDS looks for it again)"
                                      : "the peer has gone";
  }

  ReadResult read() override {
    for (;;) {
      if (!connection_ && !find_peer()) {
        return {waits_for_peers() ? Outcome::kAgain : Outcome::kClosed, {}, nullptr};
      }
      const LengthPrefixReader::Item item = reader_.next();
      leftover_.set(item.result != LengthPrefixReader::Result::kNeedsMore && reader_.inside());
      switch (item.result) {
        case LengthPrefixReader::Result::kFrame: return {Outcome::kDone, item.frame, nullptr};
        case LengthPrefixReader::Result::kTooLong: return {Outcome::kDropped, {}, "too_long"};
        case LengthPrefixReader::Result::kGarbage:
          hang_up();
          return {Outcome::kDropped, {}, "bad_length"};
        case LengthPrefixReader::Result::kNeedsMore: break;
      }
      const Bytes room = reader_.room();
      const ssize_t bytes = ::recv(connection_.get(), room.data(), room.size(), MSG_DONTWAIT);
      if (bytes > 0) {
        reader_.received(static_cast<std::size_t>(bytes));
        continue;
      }
      if (bytes < 0 && has_no_room(errno)) return {Outcome::kAgain, {}, nullptr};
      const bool cut_off = reader_.inside();
      hang_up();
      if (cut_off) return {Outcome::kDropped, {}, "cut_off"};
    }
  }

  WriteResult write(ConstBytes frame, milliseconds wait) override {
    const auto deadline = SteadyClock::now() + wait;
    if (!connection_) find_peer();
    while (connection_ && !deaf_) {
      if (send_rest(frame)) return {Outcome::kDone, nullptr};
      if (deaf_) break;
      const auto left = std::chrono::duration_cast<milliseconds>(deadline - SteadyClock::now());
      if (left.count() <= 0) return {Outcome::kAgain, nullptr};
      is_ready(connection_.get(), POLLOUT, left);
    }
    if (!connection_ && !waits_for_peers()) return {Outcome::kClosed, nullptr};
    return {Outcome::kDropped, "no_peer"};
  }

 private:
  /// True: the frame has gone. Otherwise there is no room now, or the peer is deaf.
  bool send_rest(ConstBytes frame) {
    auto prefix = length_prefix(frame.size());
    const std::size_t of_prefix = std::min(sent_, prefix.size());
    const std::size_t of_frame = sent_ - of_prefix;
    std::array<iovec, 2> parts{
        {{prefix.data() + of_prefix, prefix.size() - of_prefix},
         {const_cast<std::uint8_t*>(frame.data()) + of_frame, frame.size() - of_frame}}};
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = parts.size();
    const ssize_t bytes = ::sendmsg(connection_.get(), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (bytes < 0) {
      deaf_ = !has_no_room(errno);
      return false;
    }
    sent_ += static_cast<std::size_t>(bytes);
    if (sent_ < prefix.size() + frame.size()) return false;
    sent_ = 0;
    return true;
  }

  /// Otherwise the first peer is the only one.
  bool waits_for_peers() const { return acceptor_ || connector_; }

  bool find_peer() {
    if (acceptor_) {
      take(acceptor_->accept());
    } else if (connector_) {
      take(connector_->advance());
    }
    return static_cast<bool>(connection_);
  }

  void take(UniqueFd connection) {
    if (!connection) return;
    connection_ = std::move(connection);
    watch_.change(connection_.get(), EPOLLIN);
  }

  void hang_up() {
    connection_.reset();
    reader_.clear();
    leftover_.set(false);
    sent_ = 0;
    deaf_ = false;
    if (acceptor_) acceptor_->listen();
    if (connector_) connector_->wait_for_next_attempt();
  }

  StreamConfig config_;
  Watch watch_;
  std::optional<Acceptor> acceptor_;    // of a server
  std::optional<Connector> connector_;  // of a client that reconnects
  UniqueFd connection_;
  LengthPrefixReader reader_;
  Leftover leftover_{watch_};  // in the reader: what has been taken from the socket wakes nobody
  std::size_t sent_ = 0;       // of the frame that write() is offered again, with its prefix
  bool deaf_ = false;  // the peer takes nothing any more; what it has sent can still be read
};

}  // namespace

namespace {

/// The same options in QEMU's words: addr.type and what goes with it.
PartnerSpec without_prefix(const PartnerSpec& spec) {
  PartnerSpec plain = spec;
  const std::size_t type = spec.choice("addr.type", {"unix", "inet", "fd"}, 3);
  constexpr std::array<std::array<const char*, 3>, 4> kNames{{{"addr.path", "path", "unix"},
                                                              {"addr.host", "host", "inet"},
                                                              {"addr.port", "port", "inet"},
                                                              {"addr.str", "fd", "fd"}}};
  for (const auto& [prefixed, name, of_type] : kNames) {
    const auto value = spec.find(prefixed);
    if (!value) continue;
    if (type == 3 || *spec.find("addr.type") != of_type) {
      spec.reject(prefixed, std::string("goes with addr.type=") + of_type);
    }
    if (spec.find(name)) spec.reject(prefixed, std::string("is the same as ") + name + "=");
    plain.options[name] = *value;
  }
  return plain;
}

}  // namespace

milliseconds reconnect_interval(const PartnerSpec& spec) {
  constexpr std::uint64_t kMostSeconds = 86'400;
  const std::uint64_t seconds = spec.number("reconnect", 0, 0, kMostSeconds);
  return milliseconds(spec.number("reconnect-ms", seconds * 1000, 0, kMostSeconds * 1000));
}

StreamConfig stream_config(const PartnerSpec& given) {
  const PartnerSpec spec = without_prefix(given);
  StreamConfig config;
  const auto alone = [&](const char* way, std::initializer_list<const char*> others) {
    for (const char* key : others) {
      if (spec.find(key)) spec.reject(key, std::string("does not go with ") + way + "=");
    }
  };
  if (spec.find("fd")) {
    alone("fd", {"path", "host", "port", "reconnect", "reconnect-ms"});
    config.descriptor = spec.require("fd");
  } else if (spec.find("path")) {
    config.address.path = spec.require("path");
    alone("path", {"host", "port"});
  } else {
    spec.require("port");
    config.address.port = std::to_string(spec.number("port", 0, 1, 65535));
    config.address.host = spec.find("host").value_or("");
  }
  config.server = spec.choice("server", {"off", "on"}, 0) == 1;
  config.reconnect = reconnect_interval(spec);
  for (const char* key : {"reconnect", "reconnect-ms"}) {
    if (config.server && spec.find(key)) spec.reject(key, "does not go with server=on");
  }
  return config;
}

std::unique_ptr<HostDevice> open_stream(const StreamConfig& config) {
  return std::make_unique<StreamDevice>(config);
}

StreamPartner::StreamPartner(const PartnerContext& context, CableEndIf& end,
                             const PartnerSpec& spec)
    : HostPartner(context.name.c_str(), end, spec, open_stream(stream_config(spec)),
                  context.hold_flush) {}

PartnerRegistry::Kind stream_kind() {
  const auto make = [](const PartnerContext& context, CableEndIf& end,
                       const PartnerSpec& spec) -> std::unique_ptr<LinkPartner> {
    return std::make_unique<StreamPartner>(context, end, spec);
  };
  return {
      "frames on a stream socket, QEMU's -netdev stream: path=PATH, host=HOST,port=PORT or fd=N; "
      "server to listen, otherwise reconnect=SECONDS or reconnect-ms=N to try again",
      {"path", "host", "port", "fd", "server", "reconnect", "reconnect-ms", "addr.type",
       "addr.path", "addr.host", "addr.port", "addr.str"},
      make};
}

}  // namespace e1000tlm::link
