#pragma once
/// Gets an address by DHCP and pings the gateway, or somebody beyond it.

#include <memory>

#include "e1000tlm/driver/apps.h"

namespace e1000tlm::driver {

/// Every adapter for itself, see PingClient; `frames` of the settings is the number of echo
/// requests, `target` whom they go to.
std::unique_ptr<App> make_ping(const AppSettings& settings, Cpu& cpu, const Nics& nics,
                               RamAllocator& ram);

}  // namespace e1000tlm::driver
