#include "models/link/dgram_partner.h"
#include "models/link/partner.h"
#include "models/link/pcap_partner.h"
#include "models/link/simple_partners.h"
#include "models/link/stream_partner.h"
#include "models/link/tap_partner.h"

namespace e1000tlm::link {

void register_builtin_partners() {
  PartnerRegistry& registry = PartnerRegistry::instance();
  registry.add("pcap", pcap_kind());
  registry.add("tap", tap_kind());
  registry.add("dgram", dgram_kind());
  registry.add("stream", stream_kind());
  registry.add("null", null_kind());
  registry.add("loopback", loopback_kind());
}

}  // namespace e1000tlm::link
