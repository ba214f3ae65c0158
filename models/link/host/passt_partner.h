#pragma once
/// The host's own network through passt, without root.

#include <memory>
#include <string>
#include <vector>

#include "e1000tlm/link/host/host_partner.h"
#include "e1000tlm/link/partner.h"

namespace e1000tlm::link {

/// Partner kind "passt": the program passt (https://passt.top) translates between the cable and
/// sockets of the host. With socket=PATH one that runs already (passt --socket PATH; reconnect=S
/// and reconnect-ms=MS as for the kind "stream"); otherwise one is started, with the keys of QEMU's
/// -netdev passt, and ends with the run: path (of the program), quiet, ipv4, ipv6, mtu, address,
/// netmask, mac, gateway, interface, outbound, outbound-if4, outbound-if6, dns, dns-forward,
/// search, tcp, udp, icmp, dhcp, ndp, dhcpv6, ra, tcp-ports, udp-ports, param (repeatable; any
/// option of passt's).
///
/// Frames go and are lost as with the kind "stream".
class PasstPartner : public HostPartner {
 public:
  /// Throws std::invalid_argument (options at odds) or std::runtime_error (passt cannot be started,
  /// nobody listens), naming the path.
  PasstPartner(const PartnerContext& context, CableEndIf& end, const PartnerSpec& spec);
};

/// The connection alone. Throws as PasstPartner.
std::unique_ptr<HostDevice> open_passt(const PartnerSpec& spec);

/// The command that a spec without socket= starts, but for the descriptor. Throws
/// std::invalid_argument.
std::vector<std::string> passt_command(const PartnerSpec& spec);

/// For the registry.
PartnerRegistry::Kind passt_kind();

}  // namespace e1000tlm::link
