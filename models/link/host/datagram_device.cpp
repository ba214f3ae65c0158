#include "e1000tlm/link/host/datagram_device.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/time.h>
#include <unistd.h>

#include "e1000tlm/link/frame.h"

namespace e1000tlm::link {
namespace {

using std::chrono::milliseconds;

bool same(const ResolvedAddress& a, const sockaddr_storage& b) {
  return a.size != 0 && std::memcmp(&a.address, &b, a.size) == 0;
}

class DatagramDevice : public HostDevice {
 public:
  explicit DatagramDevice(DatagramSockets sockets)
      : sockets_(std::move(sockets)), buffer_(kMaxFrameBytes) {
    const int on = 1;  // fails where the kernel loses nothing: on UNIX sockets
    ::setsockopt(sockets_.in.get(), SOL_SOCKET, SO_RXQ_OVFL, &on, sizeof on);
  }
  ~DatagramDevice() override {
    if (!sockets_.path.empty()) ::unlink(sockets_.path.c_str());
  }

  int fd() const override { return sockets_.in.get(); }
  // A socket that is not connected, so that `remote` may come and go: then poll() knows nothing of
  // the receiver's queue.
  bool poll_tells_room() const override { return false; }
  std::string why_closed() const override { return "the socket does not work any more"; }

  ReadResult read() override {
    if (held_) return {Outcome::kDone, *std::exchange(held_, std::nullopt), nullptr};
    for (;;) {
      sockaddr_storage from{};
      const ssize_t size = receive(from);
      if (size < 0) {
        // Of an earlier send: the peer of a connected socket was not there.
        if (errno == ECONNREFUSED) continue;
        return {has_no_room(errno) ? Outcome::kAgain : Outcome::kClosed, {}, nullptr};
      }
      if (same(sockets_.own, from)) continue;
      return checked(static_cast<std::size_t>(size));
    }
  }

  WriteResult write(ConstBytes frame, milliseconds wait) override {
    // The kernel itself wakes a blocked sender when the receiver's queue has room again.
    int flags = MSG_NOSIGNAL;
    if (wait.count() > 0) {
      set_send_timeout(wait);
    } else {
      flags |= MSG_DONTWAIT;
    }
    const sockaddr* const to = sockets_.to.size != 0 ? sockets_.to.generic() : nullptr;
    const ssize_t sent =
        ::sendto(sender(), frame.data(), frame.size(), flags, to, sockets_.to.size);
    return sent >= 0 ? WriteResult{Outcome::kDone, nullptr} : failed(errno);
  }

 private:
  int sender() const { return sockets_.out ? sockets_.out.get() : sockets_.in.get(); }

  ssize_t receive(sockaddr_storage& from) {
    iovec part{buffer_.data(), buffer_.size()};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(std::uint32_t))> control{};
    msghdr message{};
    message.msg_name = &from;
    message.msg_namelen = sizeof from;
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    const ssize_t size = ::recvmsg(sockets_.in.get(), &message, MSG_DONTWAIT | MSG_TRUNC);
    if (size < 0) return size;
    const cmsghdr* const header = CMSG_FIRSTHDR(&message);
    if (header != nullptr && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SO_RXQ_OVFL) {
      std::memcpy(&overflow_, CMSG_DATA(header), sizeof overflow_);
    }
    return size;
  }

  /// What was lost before a frame is told before it.
  ReadResult checked(std::size_t size) {
    const std::uint32_t lost = overflow_ - std::exchange(told_overflow_, overflow_);
    const bool too_long = size > buffer_.size();
    if (lost > 0) {
      if (!too_long) held_ = ConstBytes(buffer_.data(), size);
      return {Outcome::kDropped, {}, "host_overflow", lost};
    }
    if (too_long) return {Outcome::kDropped, {}, "too_long"};
    return {Outcome::kDone, {buffer_.data(), size}, nullptr};
  }

  static WriteResult failed(int error) {
    if (has_no_room(error)) return {Outcome::kAgain, nullptr};
    if (has_no_receiver(error)) return {Outcome::kDropped, "no_peer"};
    return {Outcome::kDropped, error == EMSGSIZE ? "too_long" : "host_error"};
  }

  void set_send_timeout(milliseconds wait) {
    if (wait == send_timeout_) return;
    timeval timeout{};
    timeout.tv_sec = static_cast<time_t>(wait.count() / 1000);
    timeout.tv_usec = static_cast<suseconds_t>(wait.count() % 1000 * 1000);
    ::setsockopt(sender(), SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout);
    send_timeout_ = wait;
  }

  DatagramSockets sockets_;
  std::vector<std::uint8_t> buffer_;
  std::optional<ConstBytes> held_;  // in the buffer
  std::uint32_t overflow_ = 0, told_overflow_ = 0;
  milliseconds send_timeout_{0};
};

UniqueFd open_udp(const SocketAddress& what, int family) {
  UniqueFd fd(::socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!fd) throw_host_error("cannot create a socket for " + what.text(), errno);
  return fd;
}

void share_address(const UniqueFd& fd) {
  const int on = 1;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
}

/// The first address of that family.
ResolvedAddress resolve_as(const SocketAddress& address, int family) {
  for (const ResolvedAddress& found : resolve(address)) {
    if (found.family() == family) return found;
  }
  throw std::runtime_error("local and remote address are of different families: no " +
                           std::string(family == AF_INET ? "IPv4" : "IPv6") + " address of " +
                           address.text());
}

in_addr interface_address(const std::string& text) {
  in_addr address{};
  if (!text.empty() && ::inet_pton(AF_INET, text.c_str(), &address) != 1) {
    throw std::invalid_argument("'" + text + "' is no IPv4 address of an interface");
  }
  return address;
}

void join_group(const UniqueFd& fd, const SocketAddress& group, in_addr interface) {
  ip_mreqn membership{};
  ::inet_pton(AF_INET, group.host.c_str(), &membership.imr_multiaddr);
  membership.imr_address = interface;
  if (::setsockopt(fd.get(), IPPROTO_IP, IP_ADD_MEMBERSHIP, &membership, sizeof membership) != 0) {
    throw_host_error("cannot join the multicast group " + group.text() +
                         " (is there an interface with a route to it? localaddr= names one)",
                     errno);
  }
}

}  // namespace

std::unique_ptr<HostDevice> make_datagram_device(DatagramSockets sockets) {
  return std::make_unique<DatagramDevice>(std::move(sockets));
}

bool is_multicast(const std::string& host) {
  in_addr address{};
  return ::inet_pton(AF_INET, host.c_str(), &address) == 1 && IN_MULTICAST(ntohl(address.s_addr));
}

DatagramSockets unix_datagrams(const std::string& local, const std::string& remote) {
  DatagramSockets sockets;
  const sockaddr_un to = unix_address(remote);
  if (local == remote) {
    throw std::invalid_argument("local and remote socket are both '" + local + "'");
  }
  std::memcpy(&sockets.to.address, &to, sizeof to);
  sockets.to.size = sizeof to;
  sockets.in = bind_unix_socket(local, SOCK_DGRAM);
  sockets.path = local;
  return sockets;
}

DatagramSockets udp_datagrams(const SocketAddress& local, const SocketAddress& remote) {
  DatagramSockets sockets;
  const ResolvedAddress from = resolve(local).front();
  sockets.to = resolve_as(remote, from.family());
  sockets.in = open_udp(local, from.family());
  if (::bind(sockets.in.get(), from.generic(), from.size) != 0) {
    throw_host_error("cannot bind to " + local.text(), errno);
  }
  return sockets;
}

DatagramSockets multicast_datagrams(const SocketAddress& group, const std::string& interface) {
  if (!is_multicast(group.host)) {
    throw std::invalid_argument("'" + group.host +
                                "' is no address of a multicast group (224.0.0.0 to "
                                "239.255.255.255)");
  }
  const in_addr through = interface_address(interface);
  DatagramSockets sockets;
  sockets.to = resolve_as(group, AF_INET);
  sockets.in = open_udp(group, AF_INET);
  share_address(sockets.in);
  if (::bind(sockets.in.get(), sockets.to.generic(), sockets.to.size) != 0) {
    throw_host_error("cannot bind to " + group.text(), errno);
  }
  join_group(sockets.in, group, through);
  // Sent from a socket of its own, whose address tells our own frames from those of others on this
  // machine. A wire does not bring them back.
  sockets.out = open_udp(group, AF_INET);
  ::setsockopt(sockets.out.get(), IPPROTO_IP, IP_MULTICAST_IF, &through, sizeof through);
  if (::connect(sockets.out.get(), sockets.to.generic(), sockets.to.size) != 0) {
    throw_host_error("cannot send to " + group.text(), errno);
  }
  sockets.own.size = sizeof(sockaddr_storage);
  ::getsockname(sockets.out.get(), reinterpret_cast<sockaddr*>(&sockets.own.address),
                &sockets.own.size);
  sockets.to.size = 0;
  return sockets;
}

DatagramSockets descriptor_datagrams(const std::string& number, const SocketAddress* remote) {
  DatagramSockets sockets;
  sockets.in = take_descriptor(number);
  int type = 0;
  socklen_t size = sizeof type;
  if (::getsockopt(sockets.in.get(), SOL_SOCKET, SO_TYPE, &type, &size) != 0 ||
      type != SOCK_DGRAM) {
    throw std::invalid_argument("descriptor " + number + " is no datagram socket");
  }
  ResolvedAddress here;
  here.size = sizeof(sockaddr_storage);
  ::getsockname(sockets.in.get(), reinterpret_cast<sockaddr*>(&here.address), &here.size);
  if (remote != nullptr) {
    sockets.to = resolve_as(*remote, here.family());
  } else if (sockaddr_storage peer{};
             size = sizeof peer,
             ::getpeername(sockets.in.get(), reinterpret_cast<sockaddr*>(&peer), &size) != 0) {
    throw std::invalid_argument("descriptor " + number +
                                " is not connected, and no remote address is given");
  }
  return sockets;
}

}  // namespace e1000tlm::link
