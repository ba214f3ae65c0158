#pragma once
/// Which frames belong together. No SystemC.

#include <cstdint>

#include "e1000tlm/tlm/bytes.h"

namespace e1000tlm::link {

/// The same for all frames of one flow: Ethernet addresses, IP addresses and, of TCP and UDP packets
/// that are no fragments, ports. Any bytes will do; what is not there does not count.
std::uint32_t flow_hash(ConstBytes frame);

}  // namespace e1000tlm::link
