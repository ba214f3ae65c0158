#pragma once
/// Frames as datagrams on a socket.

#include "e1000tlm/link/host/datagram_device.h"
#include "e1000tlm/link/host/host_partner.h"
#include "e1000tlm/link/partner.h"

namespace e1000tlm::link {

/// Partner kind "dgram", QEMU's -netdev dgram:
///   local=PATH,remote=PATH   UNIX sockets; in QEMU's words local.type=unix,local.path=PATH,
///                            remote.type=unix,remote.path=PATH
///   local.type=inet,local.host=,local.port=,remote.type=inet,remote.host=,remote.port=   UDP
///   remote.type=inet,remote.host=GROUP,remote.port=[,local.host=INTERFACE]   multicast
///   local.type=fd,local.str=N[,remote.type=inet,...]   a socket that is open already
///
/// Every frame without FCS is one datagram. See make_datagram_device() for what is lost when.
class DgramPartner : public HostPartner {
 public:
  /// Throws std::invalid_argument (option missing, path too long) or std::runtime_error (socket in
  /// use, path not writable), naming the path or address.
  DgramPartner(const PartnerContext& context, CableEndIf& end, const PartnerSpec& spec);
};

/// The socket alone, of the options of a spec. Throws as DgramPartner.
std::unique_ptr<HostDevice> open_dgram(const PartnerSpec& spec);

/// For the registry.
PartnerRegistry::Kind dgram_kind();

}  // namespace e1000tlm::link
