#pragma once
/// Link partners that cost next to nothing themselves.

#include "e1000tlm/link/partner.h"

namespace e1000tlm::bench {

/// The built-in kinds, "source:frames=N,size=BYTES[,gap=BYTES][,copies=1]" and "mirror".
link::PartnerRegistry bench_partners();

}  // namespace e1000tlm::bench
