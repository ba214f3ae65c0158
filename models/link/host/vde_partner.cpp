#include "e1000tlm/link/host/vde_partner.h"

#include <cerrno>
#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>

// Its header does not say so itself.
extern "C" {
#include <libvdeplug.h>
}

#include "e1000tlm/link/host/host_socket.h"
#include "e1000tlm/link/host/host_timer.h"
#include "e1000tlm/link/host/host_watch.h"
#include "e1000tlm/link/host/stream_partner.h"

namespace e1000tlm::link {
namespace {

using std::chrono::milliseconds;

/// An open connection, and what a Watch is to look at while it is open.
class Connection {
 public:
  Connection(VDECONN* conn, const Watch& watch) : conn_(conn) {
    // libvdeplug hands the flags of its calls to nobody: the socket itself must not block.
    ::fcntl(::vde_datafd(conn), F_SETFL, ::fcntl(::vde_datafd(conn), F_GETFL) | O_NONBLOCK);
    watch.add(::vde_datafd(conn), EPOLLIN);
    // Silent until the switch closes it.
    if (::vde_ctlfd(conn) >= 0) watch.add(::vde_ctlfd(conn), EPOLLIN | EPOLLRDHUP);
  }
  ~Connection() { ::vde_close(conn_); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  VDECONN* get() const { return conn_; }
  int fd() const { return ::vde_datafd(conn_); }
  /// The switch has closed the control connection.
  bool ended() const {
    const int fd = ::vde_ctlfd(conn_);
    if (fd < 0) return false;
    char byte = 0;
    const ssize_t got = ::recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR && errno != ENOTSOCK);
  }

 private:
  VDECONN* conn_;
};

class VdeDevice : public HostDevice {
 public:
  explicit VdeDevice(const VdeConfig& config)
      : config_(config), timer_(watch_), buffer_(VDE_ETHBUFSIZE + 1) {
    if (connect() || waits()) return;
    throw_host_error("cannot connect to a VDE switch at '" + config.sock +
                         "' (start one with: vde_switch -s DIRECTORY)",
                     errno);
  }

  int fd() const override { return watch_.fd(); }
  bool poll_tells_room() const override { return false; }
  std::string why_closed() const override {
    return "the VDE switch has gone (reconnect=SECONDS looks for it again)";
  }

  ReadResult read() override {
    for (;;) {
      if (!connection_ && !(timer_.expired() && connect())) {
        return {waits() ? Outcome::kAgain : Outcome::kClosed, {}, nullptr};
      }
      const ssize_t size = ::vde_recv(connection_->get(), buffer_.data(), buffer_.size(), 0);
      if (size == static_cast<ssize_t>(buffer_.size())) return {Outcome::kDropped, {}, "too_long"};
      if (size >= 0) {
        return {Outcome::kDone, {buffer_.data(), static_cast<std::size_t>(size)}, nullptr};
      }
      if (has_no_room(errno) && !connection_->ended()) return {Outcome::kAgain, {}, nullptr};
      hang_up();
    }
  }

  WriteResult write(ConstBytes frame, milliseconds wait) override {
    if (!connection_) return no_peer();
    if (frame.size() > VDE_ETHBUFSIZE) return {Outcome::kDropped, "too_long"};
    if (wait.count() > 0) is_ready(connection_->fd(), POLLOUT, wait);
    const ssize_t sent = ::vde_send(connection_->get(), frame.data(), frame.size(), 0);
    if (sent >= 0) return {Outcome::kDone, nullptr};
    if (has_no_room(errno)) return {Outcome::kAgain, nullptr};
    if (!has_no_receiver(errno)) return {Outcome::kDropped, "host_error"};
    hang_up();
    return no_peer();
  }

 private:
  bool waits() const { return config_.reconnect.count() > 0; }
  WriteResult no_peer() const {
    return waits() ? WriteResult{Outcome::kDropped, "no_peer"}
                   : WriteResult{Outcome::kClosed, nullptr};
  }

  bool connect() {
    std::string sock = config_.sock;
    std::string group = config_.group;
    std::string description = "e1000-sim";
    vde_open_args arguments{};
    arguments.port = config_.port;
    arguments.group = group.empty() ? nullptr : group.data();
    arguments.mode = config_.mode;
    VDECONN* const conn =
        vde_open(sock.empty() ? nullptr : sock.data(), description.data(), &arguments);
    if (conn == nullptr) {
      if (waits()) timer_.start(config_.reconnect);
      return false;
    }
    connection_.emplace(conn, watch_);
    return true;
  }

  void hang_up() {
    connection_.reset();
    if (waits()) timer_.start(config_.reconnect);
  }

  VdeConfig config_;
  Watch watch_;
  Timer timer_;
  std::optional<Connection> connection_;
  std::vector<std::uint8_t> buffer_;
};

VdeConfig vde_config(const PartnerSpec& spec) {
  constexpr std::uint64_t kMostPorts = 65535;
  VdeConfig config;
  config.sock = spec.find("sock").value_or("");
  config.port = static_cast<int>(spec.number("port", 0, 0, kMostPorts));
  config.group = spec.find("group").value_or("");
  if (const auto mode = spec.find("mode")) {
    const bool octal = !mode->empty() && mode->size() <= 5 &&
                       mode->find_first_not_of("01234567") == std::string::npos;
    if (!octal || std::stoul(*mode, nullptr, 8) > 0777) {
      spec.reject("mode", "is no octal mode of a file, such as 0660");
    }
    config.mode = static_cast<std::uint32_t>(std::stoul(*mode, nullptr, 8));
  }
  config.reconnect = reconnect_interval(spec);
  return config;
}

}  // namespace

std::unique_ptr<HostDevice> open_vde(const VdeConfig& config) {
  return std::make_unique<VdeDevice>(config);
}

VdePartner::VdePartner(const PartnerContext& context, CableEndIf& end, const PartnerSpec& spec)
    : HostPartner(context.name.c_str(), end, spec, open_vde(vde_config(spec)), context.hold_flush) {
}

PartnerRegistry::Kind vde_kind() {
  const auto make = [](const PartnerContext& context, CableEndIf& end,
                       const PartnerSpec& spec) -> std::unique_ptr<LinkPartner> {
    return std::make_unique<VdePartner>(context, end, spec);
  };
  return {"a port of a VDE switch: sock=DIRECTORY",
          {"sock", "port", "group", "mode", "reconnect", "reconnect-ms"},
          make};
}

}  // namespace e1000tlm::link
