#include "e1000tlm/link/capture/pcap_partner.h"
#include "e1000tlm/link/host/dgram_partner.h"
#include "e1000tlm/link/host/stream_partner.h"
#include "e1000tlm/link/host/tap_partner.h"
#include "e1000tlm/link/partner.h"
#include "e1000tlm/link/simple_partners.h"

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
