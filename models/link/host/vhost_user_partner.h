#pragma once
/// A port of a vhost-user back-end (Open vSwitch, testpmd) at the end of a cable.

#include "e1000tlm/link/host/host_partner.h"
#include "e1000tlm/link/host/vhost_user_device.h"
#include "e1000tlm/link/partner.h"

namespace e1000tlm::link {

/// Partner kind "vhost-user": path=PATH or fd=N, and server, wait, reconnect, queues, queue_size,
/// mrg_rxbuf, event_idx, offload, mtu, log.
///
/// A front-end without a guest, as DPDK's virtio-user is one: the partner owns the virtqueues. What
/// the back-end has not used of a ring when it goes is lost ("back_end_gone"); while none is
/// connected all is ("no_peer"); while one has not agreed yet, frames wait. A frame whose checksum
/// or segmentation the back-end has left to us without being allowed to is dropped as "offload".
/// One that breaks the protocol or a ring is left; warnings() tells what the first such one did.
class VhostUserPartner : public HostPartner {
 public:
  /// Throws std::invalid_argument (options missing or at odds) or std::runtime_error (nobody
  /// listens there, address in use, the back-end refuses), naming the path and the reason.
  VhostUserPartner(const PartnerContext& context, CableEndIf& end, const PartnerSpec& spec);
};

/// What the options of a spec say. Throws std::invalid_argument.
VhostUserConfig vhost_user_config(const PartnerSpec& spec);

PartnerRegistry::Kind vhost_user_kind();

}  // namespace e1000tlm::link
