#pragma once
/// Stream sockets of host back-ends: listening and connecting. No SystemC.

#include <chrono>
#include <string>
#include <vector>

#include <sys/socket.h>

#include "e1000tlm/link/host/host_fd.h"

namespace e1000tlm::link {

/// A UNIX socket's path, or host and port of a TCP socket.
struct SocketAddress {
  std::string path;        ///< empty: TCP
  std::string host, port;  ///< no host: 127.0.0.1

  /// For messages: "'/tmp/socket'", "'localhost:1234'".
  std::string text() const;
};

/// An address as the kernel wants it.
struct ResolvedAddress {
  sockaddr_storage address{};
  socklen_t size = 0;
  int family() const { return address.ss_family; }
  const sockaddr* generic() const { return reinterpret_cast<const sockaddr*>(&address); }
};

/// At least one. May ask a name server. Throws std::invalid_argument or std::runtime_error naming
/// the address and the reason.
std::vector<ResolvedAddress> resolve(const SocketAddress& address);

/// Listens there; a stale UNIX socket is replaced (see remove_stale_socket). Accepting never
/// blocks. Throws as resolve().
UniqueFd listen_on(const SocketAddress& address);

/// A connection to the first address that takes it; waits for it. Throws as resolve().
UniqueFd connect_to(const SocketAddress& address);

/// The next connection, with small packets sent at once; empty: none waits, or errno says why it
/// cannot be taken.
UniqueFd accept_from(int listener);

/// This errno means that the process or the machine has no descriptor (or memory) left for a
/// socket: what was tried may succeed later. A listener with a connection waiting stays readable
/// all the while, so whoever polls it has to rest.
bool out_of_descriptors(int error);
/// How long.
inline constexpr std::chrono::milliseconds kDescriptorRest{100};

/// This errno of sending means that there is no room now (or that a signal came): try again later.
bool has_no_room(int error);
/// This errno of sending means that nobody is there to receive.
bool has_no_receiver(int error);

/// Where nobody listens on a port of this machine, TCP may connect a socket to itself.
bool is_connected_to_itself(int fd);

/// Sends small packets at once. Does nothing to sockets that are not TCP's.
void set_no_delay(int fd);

}  // namespace e1000tlm::link
