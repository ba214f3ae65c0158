#include "platform/plugs/stream_endpoint.h"

#include <array>
#include <cerrno>
#include <memory>
#include <stdexcept>

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace e1000tlm::plugs {
namespace {

using link::UniqueFd;

constexpr int kBacklog = 8;

[[noreturn]] void malformed(std::string_view text, const std::string& reason) {
  throw std::invalid_argument("address '" + std::string(text) + "': " + reason +
                              " (expected unix:PATH or tcp:HOST:PORT[,server=on|off])");
}

bool starts_with(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix;
}

using AddressList = std::unique_ptr<addrinfo, void (*)(addrinfo*)>;

AddressList resolve(const StreamAddress& address) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const char* host = address.host.empty() ? nullptr : address.host.c_str();
  const int error = ::getaddrinfo(host, address.port.c_str(), &hints, &found);
  if (error != 0) {
    throw std::runtime_error("cannot resolve '" + address.host + ":" + address.port +
                             "': " + ::gai_strerror(error));
  }
  return {found, &::freeaddrinfo};
}

/// The first address that can be listened on or connected to.
UniqueFd open_tcp(const StreamAddress& address) {
  const AddressList addresses = resolve(address);
  int error = ENOENT;
  for (const addrinfo* it = addresses.get(); it != nullptr; it = it->ai_next) {
    UniqueFd fd(::socket(it->ai_family, it->ai_socktype | SOCK_CLOEXEC, it->ai_protocol));
    const int on = 1;
    if (address.server) ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    const int result = address.server ? ::bind(fd.get(), it->ai_addr, it->ai_addrlen)
                                      : ::connect(fd.get(), it->ai_addr, it->ai_addrlen);
    if (result == 0) return fd;
    error = errno;
  }
  link::throw_host_error(std::string(address.server ? "cannot bind to" : "cannot connect to") +
                             " '" + address.host + ":" + address.port + "'",
                         error);
}

UniqueFd open_unix(const StreamAddress& address) {
  if (address.server) return link::bind_unix_socket(address.path, SOCK_STREAM);
  const sockaddr_un remote = link::unix_address(address.path);
  UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&remote), sizeof remote) != 0) {
    link::throw_host_error("cannot connect to '" + address.path + "'", errno);
  }
  return fd;
}

}  // namespace

StreamAddress StreamAddress::parse(std::string_view text) {
  StreamAddress address;
  std::string_view rest = text;
  const std::size_t comma = text.find(',');
  if (comma != std::string_view::npos) {
    const std::string_view option = text.substr(comma + 1);
    if (option != "server=on" && option != "server=off") {
      malformed(text, "unknown option '" + std::string(option) + "'");
    }
    address.server = option == "server=on";
    rest = text.substr(0, comma);
  }
  if (starts_with(rest, "unix:")) {
    address.path = rest.substr(5);
    if (address.path.empty()) malformed(text, "no path");
    return address;
  }
  if (!starts_with(rest, "tcp:")) malformed(text, "unknown kind of address");
  address.kind = Kind::kTcp;
  rest.remove_prefix(4);
  const std::size_t colon = rest.rfind(':');
  if (colon == std::string_view::npos || colon + 1 == rest.size()) malformed(text, "no port");
  const std::string_view port = rest.substr(colon + 1);
  constexpr std::size_t kMostDigits = 5;
  const bool digits = port.find_first_not_of("0123456789") == std::string_view::npos;
  if (!digits || port.size() > kMostDigits || std::stoul(std::string(port)) - 1 >= 65535) {
    malformed(text, "'" + std::string(port) + "' is no port from 1 to 65535");
  }
  std::string_view host = rest.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);  // IPv6
  }
  address.host = host;
  address.port = port;
  return address;
}

StreamEndpoint::StreamEndpoint(std::string_view address) : address_(StreamAddress::parse(address)) {
  UniqueFd fd =
      address_.kind == StreamAddress::Kind::kUnix ? open_unix(address_) : open_tcp(address_);
  if (!address_.server) {
    connected_ = std::move(fd);
    return;
  }
  if (::listen(fd.get(), kBacklog) != 0) {
    link::throw_host_error("cannot listen on '" + std::string(address) + "'", errno);
  }
  listener_ = std::move(fd);
}

StreamEndpoint::~StreamEndpoint() {
  if (listener_ && address_.kind == StreamAddress::Kind::kUnix) ::unlink(address_.path.c_str());
}

UniqueFd StreamEndpoint::accept(int interrupt) {
  if (!listener_) return std::move(connected_);
  for (;;) {
    std::array<pollfd, 2> fds{{{interrupt, POLLIN, 0}, {listener_.get(), POLLIN, 0}}};
    if (::poll(fds.data(), fds.size(), -1) < 0 && errno != EINTR) return {};
    if (fds[0].revents != 0) return {};
    if (fds[1].revents == 0) continue;
    UniqueFd client(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!client) continue;  // it has gone again
    if (address_.kind == StreamAddress::Kind::kTcp) {
      const int on = 1;
      ::setsockopt(client.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    }
    return client;
  }
}

}  // namespace e1000tlm::plugs
