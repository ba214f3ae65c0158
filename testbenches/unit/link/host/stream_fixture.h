#pragma once
/// What the tests of the stream partner share: the outside world's end, and a bench.

#include <array>
#include <cstdint>
#include <string>
#include <utility>

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include "e1000tlm/link/host/length_prefix.h"
#include "e1000tlm/link/host/stream_partner.h"
#include "testbenches/unit/link/host/host_fixture.h"

namespace e1000tlm::link {

/// The outside world's end of a connection.
class StreamRemote {
 public:
  explicit StreamRemote(UniqueFd fd) : fd_(std::move(fd)) {}
  explicit StreamRemote(const SocketAddress& address) : fd_(connect_to(address)) {}

  bool raw(ConstBytes bytes) const {
    while (!bytes.empty()) {
      const ssize_t size = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (size <= 0) return false;
      bytes = bytes.subspan(static_cast<std::size_t>(size));
    }
    return true;
  }
  bool send(const Octets& frame) const { return raw(length_prefix(frame.size())) && raw(frame); }
  /// The next frame; waits for it. Empty: the connection has ended.
  Octets receive() const {
    std::array<std::uint8_t, kLengthPrefixBytes> prefix{};
    if (!fill(prefix)) return {};
    Octets frame(std::size_t{prefix[2]} << 8 | prefix[3]);
    EXPECT_EQ(prefix[0] + prefix[1], 0);
    return fill(frame) ? frame : Octets{};
  }
  bool quiet() const {
    pollfd waiting{fd_.get(), POLLIN, 0};
    return ::poll(&waiting, 1, 0) == 0;
  }
  void close() { fd_.reset(); }

 private:
  bool fill(Bytes room) const {
    while (!room.empty()) {
      const ssize_t size = ::recv(fd_.get(), room.data(), room.size(), 0);
      if (size <= 0) return false;
      room = room.subspan(static_cast<std::size_t>(size));
    }
    return true;
  }
  UniqueFd fd_;
};

/// A TCP port that nobody uses.
inline std::string free_port() {
  const UniqueFd fd(::socket(AF_INET, SOCK_STREAM, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  EXPECT_EQ(::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
  ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &size);
  return std::to_string(ntohs(address.sin_port));
}

/// A stream partner at this address, with more options.
inline PartnerSpec spec_for(const SocketAddress& address, const std::string& more = "") {
  return PartnerSpec::parse(
      "stream:" +
      (address.path.empty() ? "host=127.0.0.1,port=" + address.port : "path=" + address.path) +
      more);
}

/// What the partner has dropped for this reason.
inline std::uint64_t drops_of(const LinkPartner& partner, const std::string& reason) {
  const auto& all = partner.statistics().drops;
  const auto it = all.find(reason);
  return it == all.end() ? 0 : it->second;
}

/// A NIC, a cable and a listening partner, polled.
struct StreamBench {
  explicit StreamBench(const std::string& more = ",server") : spec(spec_for(address, more)) {
    partner.use_polling();
    nic.begin();
  }
  std::uint64_t drops(const std::string& reason) const { return drops_of(partner, reason); }
  /// Frames that reach the NIC when the partner looks once.
  std::size_t poll() {
    partner.poll();
    sc_core::sc_start(1, sc_core::SC_MS);
    return nic.received.size();
  }

  TemporaryDirectory directory;
  SocketAddress address{directory.file("nic"), "", ""};
  PartnerSpec spec;
  Cable cable{"cable"};
  NicEnd nic{"nic", cable.end(0)};
  StreamPartner partner{{"partner"}, cable.end(1), spec};
};

}  // namespace e1000tlm::link
