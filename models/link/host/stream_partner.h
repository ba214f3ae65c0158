#pragma once
/// Frames on a stream socket, each after its length.

#include <chrono>
#include <memory>

#include "e1000tlm/link/host/chardev.h"
#include "e1000tlm/link/host/host_partner.h"
#include "e1000tlm/link/partner.h"

namespace e1000tlm::link {

using StreamConfig = ChardevConfig;

/// Partner kind "stream": path=PATH, host=HOST,port=PORT (no host: 127.0.0.1), or fd=N; in QEMU's
/// words addr.type=unix,addr.path=, addr.type=inet,addr.host=,addr.port=, addr.type=fd,addr.str=.
///   server=on|off, server   listen; default: connect
///   reconnect=S, reconnect-ms=MS   see ChardevConfig
///
/// Compatible with QEMU's -netdev stream and -netdev socket,listen=/connect=: a frame without FCS
/// comes after its length in four bytes, big endian. One peer at a time; others wait to be accepted
/// until it has gone. What it sends is checked: a length of more than QEMU's limit ends the
/// connection. While the peer takes nothing frames wait, in order; those that wait when it goes are
/// for the next one, if that is there already. Drops beside those of HostPartner: "no_peer" (nobody
/// is connected, but somebody may be later), "cut_off" (the connection ended within a frame from
/// the peer), "bad_length" (the connection was closed for it).
class StreamPartner : public HostPartner {
 public:
  /// Throws std::invalid_argument (options missing or at odds) or std::runtime_error (nobody
  /// listens there, address in use), naming the address and the reason.
  StreamPartner(const PartnerContext& context, CableEndIf& end, const PartnerSpec& spec);
};

/// What the options of a spec say. Throws std::invalid_argument.
StreamConfig stream_config(const PartnerSpec& spec);

/// ChardevConfig::reconnect from the options reconnect and reconnect-ms. Throws
/// std::invalid_argument.
std::chrono::milliseconds reconnect_interval(const PartnerSpec& spec);

/// The socket alone. Throws as StreamPartner.
std::unique_ptr<HostDevice> open_stream(const StreamConfig& config);

PartnerRegistry::Kind stream_kind();

}  // namespace e1000tlm::link
