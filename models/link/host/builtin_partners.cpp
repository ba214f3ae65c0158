#include "e1000tlm/link/host/builtin_partners.h"

#include "e1000tlm/link/capture/pcap_partner.h"
#include "e1000tlm/link/host/dgram_partner.h"
#include "e1000tlm/link/host/stream_partner.h"
#include "e1000tlm/link/host/tap_partner.h"
#include "e1000tlm/link/simple_partners.h"

namespace e1000tlm::link {

PartnerRegistry builtin_partners() {
  PartnerRegistry registry;
  registry.add("pcap", pcap_kind());
  registry.add("tap", tap_kind());
  registry.add("dgram", dgram_kind());
  registry.add("stream", stream_kind());
  registry.add("null", null_kind());
  registry.add("loopback", loopback_kind());
  return registry;
}

}  // namespace e1000tlm::link
