#pragma once
/// The capture that comes with the program: traffic/captures/default.pcap, compiled in.

#include "e1000tlm/tlm/bytes.h"

namespace e1000tlm::traffic {

/// The whole pcap file (nanosecond format), see traffic/captures/README.md.
ConstBytes default_capture();

}  // namespace e1000tlm::traffic
