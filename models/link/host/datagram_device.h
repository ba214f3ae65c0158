#pragma once
/// Frames as datagrams: UNIX, UDP, multicast. No SystemC.

#include <memory>
#include <string>

#include "e1000tlm/link/host/host_device.h"
#include "e1000tlm/link/host/host_fd.h"
#include "e1000tlm/link/host/host_socket.h"

namespace e1000tlm::link {

/// A socket for each direction, or one for both.
struct DatagramSockets {
  UniqueFd in;          ///< datagrams are taken from here
  UniqueFd out;         ///< and sent here; none: `in`
  ResolvedAddress to;   ///< whom they go to; size 0: whom the socket is connected to
  ResolvedAddress own;  ///< what comes from here has been sent by us; size 0: nothing has
  std::string path;     ///< UNIX socket that is removed at the end; empty: none
};

/// A datagram is a frame without FCS. A receiver on this machine whose queue is full makes frames
/// wait, in order; what the kernel itself throws away because we are slow is counted as
/// "host_overflow". Other drops: "no_peer" (nobody is there), "host_error" (the host refused for
/// another reason), "too_long".
std::unique_ptr<HostDevice> make_datagram_device(DatagramSockets sockets);

/// Bound to `local`; datagrams are taken from whoever sends there. Throws std::invalid_argument or
/// std::runtime_error naming the path, as bind_unix_socket().
DatagramSockets unix_datagrams(const std::string& local, const std::string& remote);
/// UDP, bound to `local`. Throws std::runtime_error naming the address.
DatagramSockets udp_datagrams(const SocketAddress& local, const SocketAddress& remote);
/// An IPv4 multicast group, as QEMU joins it: all members see what one sends, on other machines
/// too, and members on this machine share the port. `interface`: address of the one to use; empty:
/// the kernel's choice. Throws std::runtime_error or std::invalid_argument naming the address.
DatagramSockets multicast_datagrams(const SocketAddress& group, const std::string& interface);
/// A socket that whoever started the program has opened (see take_descriptor()); without `remote`
/// it must be connected. Throws std::invalid_argument.
DatagramSockets descriptor_datagrams(const std::string& number, const SocketAddress* remote);

/// An IPv4 address of a multicast group.
bool is_multicast(const std::string& host);

}  // namespace e1000tlm::link
