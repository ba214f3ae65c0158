#pragma once
/// Sends frames as fast as the adapters take them, with next to no work of its own.

#include <memory>

#include "e1000tlm/driver/apps.h"

namespace e1000tlm::driver {

/// Every transmit buffer holds a frame of the largest of the sizes, written once and sent again and
/// again, as Linux's pktgen does with clone_skb; what comes in is discarded. For measuring: `rate`
/// is not looked at, and the frames are all the same, so nobody can check them.
std::unique_ptr<App> make_blast(const AppSettings& settings, Cpu& cpu, const Nics& nics,
                                RamAllocator& ram);

}  // namespace e1000tlm::driver
