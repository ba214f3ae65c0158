#pragma once
/// Frames on a tap interface of a Linux host.

#include <memory>
#include <string>

#include "e1000tlm/link/host/host_partner.h"
#include "e1000tlm/link/partner.h"

namespace e1000tlm::link {

/// Partner kind "tap": option ifname=NAME.
///
/// Creates the interface and, where that is permitted, brings it up; or joins one that exists (made
/// by `ip tuntap add`) and leaves its settings alone. An interface made here goes with the partner.
/// Frames carry no virtio header; where other users of a multi-queue interface have it switched on
/// it is stripped and written as zeros. (Whether such users have packet information switched on the
/// kernel does not tell: they must not.) Drops beside those of HostPartner: "offload" (a frame that
/// relies on the header: not yet cut into segments, or its checksum not yet made),
/// "interface_down", "host_error".
class TapPartner : public HostPartner {
 public:
  /// Throws std::invalid_argument (no or impossible name) or std::runtime_error (no /dev/net/tun,
  /// no permission, interface busy), naming the interface.
  TapPartner(const PartnerContext& context, CableEndIf& end, const PartnerSpec& spec);
};

/// The interface alone. Throws as TapPartner.
std::unique_ptr<HostDevice> open_tap(const std::string& ifname,
                                     const std::string& control = "/dev/net/tun");

PartnerRegistry::Kind tap_kind();

}  // namespace e1000tlm::link
