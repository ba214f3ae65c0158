#pragma once
/// All kinds of link partners that come with the library.

#include "e1000tlm/link/partner.h"

namespace e1000tlm::link {

/// pcap, tap, dgram, stream, null, loopback. To have others as well, add() them to the copy.
PartnerRegistry builtin_partners();

}  // namespace e1000tlm::link
