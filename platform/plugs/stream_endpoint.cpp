#include "e1000tlm/plugs/stream_endpoint.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <stdexcept>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace e1000tlm::plugs {
namespace {

using Kind = StreamAddress::Kind;
using link::UniqueFd;

[[noreturn]] void malformed(std::string_view text, const std::string& reason) {
  throw std::invalid_argument(
      "address '" + std::string(text) + "': " + reason +
      " (expected unix:PATH or tcp:HOST:PORT, each with ,server=on|off,keep=on|off; or stdio)");
}

bool starts_with(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix;
}

/// The text between single commas; two commas are one of the text.
std::vector<std::string> split_at_commas(std::string_view text) {
  std::vector<std::string> parts(1);
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool comma = text[i] == ',';
    const bool doubled = comma && i + 1 < text.size() && text[i + 1] == ',';
    if (comma && !doubled) {
      parts.emplace_back();
      continue;
    }
    parts.back() += text[i];
    if (doubled) ++i;
  }
  return parts;
}

void set_option(StreamAddress& address, std::string_view text, const std::string& option) {
  const std::size_t equals = option.find('=');
  const std::string key = option.substr(0, equals);
  const std::string value = equals == std::string::npos ? "on" : option.substr(equals + 1);
  if (key != "server" && key != "keep" && key != "wait") {
    malformed(text, "unknown option '" + option + "'");
  }
  if (value != "on" && value != "off") malformed(text, "'" + option + "' is neither on nor off");
  if (key == "server") address.server = value == "on";
  if (key == "keep") address.keep = value == "on";
}

void set_tcp(StreamAddress& address, std::string_view text, std::string_view host_port) {
  address.kind = Kind::kTcp;
  const std::size_t colon = host_port.rfind(':');
  if (colon == std::string_view::npos || colon + 1 == host_port.size()) malformed(text, "no port");
  const std::string_view port = host_port.substr(colon + 1);
  constexpr std::size_t kMostDigits = 5;
  const bool digits = port.find_first_not_of("0123456789") == std::string_view::npos;
  if (!digits || port.size() > kMostDigits || std::stoul(std::string(port)) - 1 >= 65535) {
    malformed(text, "'" + std::string(port) + "' is no port from 1 to 65535");
  }
  std::string_view host = host_port.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);  // IPv6
  }
  address.socket.host = host;
  address.socket.port = port;
}

UniqueFd duplicate(int fd) {
  UniqueFd copy(::fcntl(fd, F_DUPFD_CLOEXEC, 0));
  if (!copy) link::throw_host_error("cannot use standard input and output", errno);
  return copy;
}

}  // namespace

StreamAddress StreamAddress::parse(std::string_view text) {
  StreamAddress address;
  if (text == "stdio") {
    address.kind = Kind::kStdio;
    address.server = false;
    return address;
  }
  const std::vector<std::string> parts = split_at_commas(text);
  for (std::size_t i = 1; i < parts.size(); ++i) set_option(address, text, parts[i]);
  if (starts_with(parts[0], "unix:")) {
    address.socket.path = parts[0].substr(5);
    if (address.socket.path.empty()) malformed(text, "no path");
  } else if (starts_with(parts[0], "tcp:")) {
    set_tcp(address, text, std::string_view(parts[0]).substr(4));
  } else {
    malformed(text, "unknown kind of address");
  }
  return address;
}

void StreamConnection::reset() {
  in_.reset();
  out_.reset();
}

ssize_t StreamConnection::read(char* data, std::size_t size) const {
  return out_ ? ::read(in_.get(), data, size) : ::recv(in_.get(), data, size, MSG_DONTWAIT);
}

ssize_t StreamConnection::write(std::string_view data) const {
  if (!out_) return ::send(in_.get(), data.data(), data.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  // Others may share these descriptors, so that they must not become non-blocking; a pipe with
  // room takes as much as this.
  pollfd room{out_.get(), POLLOUT, 0};
  if (::poll(&room, 1, 0) <= 0) {
    errno = EAGAIN;
    return -1;
  }
  return ::write(out_.get(), data.data(), std::min<std::size_t>(data.size(), PIPE_BUF));
}

StreamEndpoint::StreamEndpoint(std::string_view address) : address_(StreamAddress::parse(address)) {
  if (address_.kind == Kind::kStdio) {
    connected_ = StreamConnection(duplicate(STDIN_FILENO), duplicate(STDOUT_FILENO));
  } else if (address_.server) {
    listener_ = link::listen_on(address_.socket);
  } else {
    connected_ = StreamConnection(link::connect_to(address_.socket));
  }
}

StreamEndpoint::~StreamEndpoint() {
  if (listener_ && address_.kind == Kind::kUnix) ::unlink(address_.socket.path.c_str());
}

StreamConnection StreamEndpoint::accept(int interrupt) {
  if (!listener_) return std::exchange(connected_, {});
  for (bool resting = false;;) {
    std::array<pollfd, 2> fds{{{interrupt, POLLIN, 0}, {listener_.get(), POLLIN, 0}}};
    const int patience = resting ? static_cast<int>(link::kDescriptorRest.count()) : -1;
    if (::poll(fds.data(), resting ? 1 : 2, patience) < 0 && errno != EINTR) return {};
    if (fds[0].revents != 0) return {};
    if (!resting && fds[1].revents == 0) continue;
    UniqueFd client = link::accept_from(listener_.get());
    if (client) return StreamConnection(std::move(client));
    resting = link::out_of_descriptors(errno);  // else it has gone again
  }
}

}  // namespace e1000tlm::plugs
