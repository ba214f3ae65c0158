#pragma once
/// One end of an L2TPv3 tunnel.

#include <memory>

#include "e1000tlm/link/host/host_partner.h"
#include "e1000tlm/link/host/l2tpv3.h"
#include "e1000tlm/link/partner.h"

namespace e1000tlm::link {

/// Partner kind "l2tpv3" (RFC 3931), with the keys of QEMU's -netdev l2tpv3: src, dst, udp, ipv6,
/// srcport, dstport, txsession, rxsession, cookie64, txcookie, rxcookie, counter, pincounter,
/// offset.
///
/// A static session, as `ip l2tp` and QEMU have it: nothing is negotiated. Counters of the other
/// end are not looked at. Drops beside those of HostPartner and make_datagram_device():
/// "foreign_session", "bad_cookie", "not_data" (a control message, or another version),
/// "too_short".
class L2tpv3Partner : public HostPartner {
 public:
  /// Throws std::invalid_argument (options missing or at odds) or std::runtime_error (address in
  /// use, raw sockets without root), naming the address.
  L2tpv3Partner(const PartnerContext& context, CableEndIf& end, const PartnerSpec& spec);
};

/// The tunnel alone, of the options of a spec. Throws as L2tpv3Partner.
std::unique_ptr<HostDevice> open_l2tpv3(const PartnerSpec& spec);

/// For the registry.
PartnerRegistry::Kind l2tpv3_kind();

}  // namespace e1000tlm::link
