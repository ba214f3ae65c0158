#pragma once
/// Frames on a tap interface of a Linux host.

#include <string>

#include "e1000tlm/link/host/host_partner.h"
#include "e1000tlm/link/host/tap_device.h"
#include "e1000tlm/link/partner.h"

namespace e1000tlm::link {

/// Partner kind "tap", with the keys of QEMU's -netdev tap: ifname, fd, fds, script, downscript,
/// br, helper, sndbuf, vnet_hdr, queues; and kind "bridge": br, helper.
///
/// Creates the interface and, where that is permitted and no script does it, brings it up; or joins
/// one that exists (made by `ip tuntap add`) and leaves its settings alone. An interface made here
/// goes with the partner. Frames that the host hands over with a virtio header (vnet_hdr=on, or a
/// multi-queue interface whose other users have it) and without checksum or uncut are summed and
/// cut before they go to the wire. (Whether such users have packet information switched on the
/// kernel does not tell: they must not.) With several queues a flow's frames stay on one, and all
/// are read in turn. Drops beside those of HostPartner: "offload" (a frame whose header asks for
/// something that cannot be done), "interface_down", "host_error".
class TapPartner : public HostPartner {
 public:
  /// Throws std::invalid_argument (no or impossible name, keys at odds) or std::runtime_error (no
  /// /dev/net/tun, no permission, interface busy, script or helper failed), naming the interface.
  TapPartner(const PartnerContext& context, CableEndIf& end, const PartnerSpec& spec);
};

/// What the options of a spec of kind "tap" or "bridge" say. Throws std::invalid_argument.
TapConfig tap_config(const PartnerSpec& spec);

/// For the registry.
PartnerRegistry::Kind tap_kind();
/// For the registry.
PartnerRegistry::Kind bridge_kind();

}  // namespace e1000tlm::link
