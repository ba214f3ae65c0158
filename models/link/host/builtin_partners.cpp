#include "e1000tlm/link/host/builtin_partners.h"

#include <string>
#include <utility>

#include "e1000tlm/link/capture/pcap_partner.h"
#include "e1000tlm/link/host/dgram_partner.h"
#include "e1000tlm/link/host/kind_references.h"
#include "e1000tlm/link/host/l2tpv3_partner.h"
#include "e1000tlm/link/host/passt_partner.h"
#include "e1000tlm/link/host/socket_partner.h"
#include "e1000tlm/link/host/stream_partner.h"
#include "e1000tlm/link/host/tap_partner.h"
#include "e1000tlm/link/host/user_partner.h"
#include "e1000tlm/link/host/vde_partner.h"
#include "e1000tlm/link/host/vhost_user_partner.h"
#include "e1000tlm/link/simple_partners.h"

namespace e1000tlm::link {

namespace {

/// Why a kind is not there that needs a library which was not found when this was built.
[[maybe_unused]] std::string missing(const std::string& library, const std::string& package) {
  return "this build has it not, as " + library + " was missing; on Debian: apt-get install " +
         package + ", then configure and build again";
}

}  // namespace

PartnerRegistry builtin_partners() {
  PartnerRegistry registry;
  const auto add = [&](const std::string& name, PartnerRegistry::Kind kind) {
    kind.reference = kind_reference(name);
    registry.add(name, std::move(kind));
  };
  add("pcap", pcap_kind());
  add("tap", tap_kind());
  add("bridge", bridge_kind());
  add("dgram", dgram_kind());
  add("stream", stream_kind());
  add("socket", socket_kind());
  add("l2tpv3", l2tpv3_kind());
  add("passt", passt_kind());
  add("vhost-user", vhost_user_kind());
  add("null", null_kind());
  add("loopback", loopback_kind());
#ifdef E1000TLM_HAS_SLIRP
  add("user", user_kind());
#else
  registry.add_missing("user", missing("libslirp", "libslirp-dev"));
#endif
#ifdef E1000TLM_HAS_VDEPLUG
  add("vde", vde_kind());
#else
  registry.add_missing("vde", missing("libvdeplug", "libvdeplug-dev"));
#endif
  return registry;
}

}  // namespace e1000tlm::link
