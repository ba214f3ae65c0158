#pragma once
/// Frames as datagrams on a UNIX socket.

#include <memory>
#include <string>

#include "e1000tlm/link/host/host_partner.h"
#include "e1000tlm/link/partner.h"

namespace e1000tlm::link {

/// Partner kind "dgram": options local=PATH and remote=PATH.
///
/// Every frame without FCS is one datagram, as QEMU's
/// -netdev dgram,local.type=unix,local.path=...,remote.type=unix,remote.path=... has them. The
/// socket is bound to `local` by the constructor; datagrams are taken from whoever sends there. A
/// stale socket at that path is replaced, anything else there is an error. A receiver whose queue
/// is full makes frames wait, in order. Drops beside those of HostPartner: "no_peer" (nobody is
/// bound to `remote`), "host_error" (the host refused for another reason).
class DgramPartner : public HostPartner {
 public:
  /// Throws std::invalid_argument (option missing, path too long) or std::runtime_error (socket in
  /// use, path not writable), naming the path.
  DgramPartner(const PartnerContext& context, CableEndIf& end, const PartnerSpec& spec);
};

/// The socket alone. Throws as DgramPartner.
std::unique_ptr<HostDevice> open_dgram(const std::string& local, const std::string& remote);

PartnerRegistry::Kind dgram_kind();

}  // namespace e1000tlm::link
