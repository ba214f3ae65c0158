#pragma once
/// QEMU's older way to write streams and datagrams.

#include <memory>

#include "e1000tlm/link/host/host_partner.h"
#include "e1000tlm/link/partner.h"

namespace e1000tlm::link {

/// Partner kind "socket", QEMU's -netdev socket; one of
///   listen=[HOST]:PORT     TCP server, as stream:server=on; no host: all addresses
///   connect=HOST:PORT      TCP client; reconnect=S or reconnect-ms=MS (not QEMU's) as for stream
///   mcast=GROUP:PORT[,localaddr=ADDRESS]     multicast group, on the interface of that address
///   udp=HOST:PORT,localaddr=[HOST]:PORT      UDP
///   fd=N                   a stream or datagram socket that is open and connected
/// Frames are those of the kinds "stream" and "dgram", and lost as there.
class SocketPartner : public HostPartner {
 public:
  /// Throws std::invalid_argument (options missing or at odds) or std::runtime_error (address in
  /// use, nobody listens there), naming the option and the address.
  SocketPartner(const PartnerContext& context, CableEndIf& end, const PartnerSpec& spec);
};

/// The socket alone. Throws as SocketPartner.
std::unique_ptr<HostDevice> open_socket(const PartnerSpec& spec);

/// For the registry.
PartnerRegistry::Kind socket_kind();

}  // namespace e1000tlm::link
