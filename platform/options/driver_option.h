#pragma once
/// The value of --driver.

#include <string>

#include "platform/driver/nic_settings.h"

namespace e1000tlm::platform {

/// "key=value,..." onto the defaults. Throws std::invalid_argument naming the key and what it
/// takes.
driver::NicSettings parse_driver(const std::string& text);

/// The keys with their ranges and defaults, for help texts.
std::string driver_keys();

}  // namespace e1000tlm::platform
