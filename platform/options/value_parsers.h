#pragma once
/// Values of options that are lists of keys. All throw std::invalid_argument saying what is wrong.

#include <cstdint>
#include <functional>
#include <string>

#include "e1000tlm/board/board_config.h"
#include "e1000tlm/driver/nic_settings.h"

namespace e1000tlm::platform {

/// "key=value,key=value", each key once.
void for_each_pair(
    const std::string& text,
    const std::function<void(const std::string& key, const std::string& value)>& use);

/// `value`, which `text` said, if it is from `least` to `most`.
std::uint64_t in_range(const std::string& text, std::uint64_t value, std::uint64_t least,
                       std::uint64_t most);

SwitchSettings parse_switch(const std::string& text);       ///< --switch
UmlConfig parse_uml(const std::string& text);               ///< --uml
VfioUserConfig parse_vfio_user(const std::string& text);    ///< --vfio-user
SwitchSettings parse_hub(const std::string& text);          ///< --hub
FilterConfig parse_filter(const std::string& text);         ///< --filter
OutletConfig parse_outlet(const std::string& text);         ///< --on-switch
driver::NicSettings parse_driver(const std::string& text);  ///< --driver
/// The keys of --driver with their defaults, for help texts.
std::string driver_keys();

}  // namespace e1000tlm::platform
