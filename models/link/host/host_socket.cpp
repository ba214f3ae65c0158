#include "e1000tlm/link/host/host_socket.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <stdexcept>

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <unistd.h>

namespace e1000tlm::link {
namespace {

constexpr int kBacklog = 8;

using AddressList = std::unique_ptr<addrinfo, void (*)(addrinfo*)>;

AddressList look_up(const SocketAddress& address) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const std::string host = address.host.empty() ? "127.0.0.1" : address.host;
  const int error = ::getaddrinfo(host.c_str(), address.port.c_str(), &hints, &found);
  if (error != 0) {
    throw std::runtime_error("cannot resolve " + address.text() + ": " + ::gai_strerror(error));
  }
  return {found, &::freeaddrinfo};
}

UniqueFd open_stream(int family) {
  return UniqueFd(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
}

UniqueFd bind_tcp(const SocketAddress& address) {
  int error = ENOENT;
  for (const ResolvedAddress& local : resolve(address)) {
    UniqueFd fd = open_stream(local.family());
    if (!fd) {
      error = errno;
      continue;
    }
    const int on = 1;
    ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (::bind(fd.get(), local.generic(), local.size) == 0) return fd;
    error = errno;
  }
  throw_host_error("cannot bind to " + address.text(), error);
}

}  // namespace

std::string SocketAddress::text() const {
  return "'" + (path.empty() ? host + ":" + port : path) + "'";
}

std::vector<ResolvedAddress> resolve(const SocketAddress& address) {
  std::vector<ResolvedAddress> addresses;
  const auto add = [&](const void* generic, socklen_t size) {
    ResolvedAddress& resolved = addresses.emplace_back();
    std::memcpy(&resolved.address, generic, size);
    resolved.size = size;
  };
  if (!address.path.empty()) {
    const sockaddr_un local = unix_address(address.path);
    add(&local, sizeof local);
    return addresses;
  }
  const AddressList found = look_up(address);
  for (const addrinfo* it = found.get(); it != nullptr; it = it->ai_next) {
    add(it->ai_addr, it->ai_addrlen);
  }
  return addresses;
}

UniqueFd listen_on(const SocketAddress& address) {
  UniqueFd fd =
      address.path.empty() ? bind_tcp(address) : bind_unix_socket(address.path, SOCK_STREAM);
  const int flags = ::fcntl(fd.get(), F_GETFL);
  if (::fcntl(fd.get(), F_SETFL, flags | O_NONBLOCK) != 0 || ::listen(fd.get(), kBacklog) != 0) {
    throw_host_error("cannot listen on " + address.text(), errno);
  }
  return fd;
}

UniqueFd connect_to(const SocketAddress& address) {
  int error = ENOENT;
  for (const ResolvedAddress& remote : resolve(address)) {
    UniqueFd fd = open_stream(remote.family());
    if (!fd) {
      error = errno;
      continue;
    }
    const bool connected = ::connect(fd.get(), remote.generic(), remote.size) == 0;
    error = connected ? ECONNREFUSED : errno;
    if (!connected || is_connected_to_itself(fd.get())) continue;
    set_no_delay(fd.get());
    return fd;
  }
  throw_host_error("cannot connect to " + address.text(), error);
}

UniqueFd accept_from(int listener) {
  UniqueFd fd(::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC));
  if (fd) set_no_delay(fd.get());
  return fd;
}

bool out_of_descriptors(int error) {
  return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

bool has_no_room(int error) { return error == EAGAIN || error == EINTR || error == ENOBUFS; }

bool has_no_receiver(int error) {
  constexpr std::array<int, 9> kErrors{ENOENT,       ECONNREFUSED, ECONNRESET,  ENOTCONN, EPIPE,
                                       EDESTADDRREQ, EHOSTUNREACH, ENETUNREACH, ENOTDIR};
  return std::find(kErrors.begin(), kErrors.end(), error) != kErrors.end();
}

bool is_connected_to_itself(int fd) {
  ResolvedAddress here;
  ResolvedAddress there;
  here.size = there.size = sizeof(sockaddr_storage);
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&here.address), &here.size);
  ::getpeername(fd, reinterpret_cast<sockaddr*>(&there.address), &there.size);
  return here.family() != AF_UNIX && here.size == there.size &&
         std::memcmp(&here.address, &there.address, here.size) == 0;
}

void set_no_delay(int fd) {
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

}  // namespace e1000tlm::link
