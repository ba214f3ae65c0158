#pragma once
/// A port of a VDE switch.

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "e1000tlm/link/host/host_partner.h"
#include "e1000tlm/link/partner.h"

namespace e1000tlm::link {

/// Where to plug in.
struct VdeConfig {
  std::string sock;        ///< directory of the switch's sockets; empty: libvdeplug's default
  int port = 0;            ///< of the switch; 0: any
  std::string group;       ///< of our own socket; empty: as it is
  std::uint32_t mode = 0;  ///< of our own socket; 0: as it is
  /// How long after a failure or the end of the switch the next attempt begins; 0: there is none,
  /// the first must succeed.
  std::chrono::milliseconds reconnect{0};
};

/// Partner kind "vde", with the keys of QEMU's -netdev vde: sock, port, group, mode (octal); and
/// reconnect=S, reconnect-ms=MS as for the kind "stream". Needs libvdeplug.
///
/// A full switch makes frames wait, in order. Drops beside those of HostPartner: "no_peer" (the
/// switch has gone and is looked for again), "host_error", "too_long".
class VdePartner : public HostPartner {
 public:
  /// Throws std::invalid_argument (bad option) or std::runtime_error (no switch there), naming it.
  VdePartner(const PartnerContext& context, CableEndIf& end, const PartnerSpec& spec);
};

/// The connection alone. Throws as VdePartner.
std::unique_ptr<HostDevice> open_vde(const VdeConfig& config);

/// For the registry.
PartnerRegistry::Kind vde_kind();

}  // namespace e1000tlm::link
