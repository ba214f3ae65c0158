#include "e1000tlm/options/value_parsers.h"

#include <algorithm>
#include <cstdint>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>

#include "e1000tlm/board/link_filters.h"
#include "e1000tlm/traffic/units.h"

namespace e1000tlm::platform {
namespace {

/// The longest frame with FCS that a link carries.
constexpr std::uint64_t kLongestFrame = 16384;

Time positive(const std::string& text, Time longest) {
  const Time time = traffic::parse_time(text);
  if (time > kTimeZero && time <= longest) return time;
  throw std::invalid_argument(text + ": expected more than 0 and at most " +
                              traffic::format_time(longest));
}

void set_switch_key(link::SwitchConfig& config, const std::string& key, const std::string& value) {
  if (key == "latency") {
    config.latency = traffic::parse_time(value);
    if (config.latency > ms(1'000)) throw std::invalid_argument(value + ": expected 1s at most");
  } else if (key == "table") {
    config.stations = in_range(value, traffic::parse_size(value), 1, 1U << 20);
  } else if (key == "aging") {
    config.aging = positive(value, ms(1'000'000'000));
  } else if (key == "queue") {
    config.queue_bytes = in_range(value, traffic::parse_size(value), 64, 1U << 30);
  } else if (key == "max-frame") {
    config.max_frame_bytes = in_range(value, traffic::parse_size(value), 64, kLongestFrame);
  } else {
    throw std::invalid_argument("unknown key '" + key +
                                "'; known are latency, table, aging, queue, max-frame");
  }
}

void check_name(const std::string& name) {
  if (is_switch_name(name)) return;
  throw std::invalid_argument("'" + name +
                              "': the name of a switch or hub is letters, digits, - and _");
}

void set_hub_key(link::SwitchConfig& config, const std::string& key, const std::string& value) {
  if (key == "latency" || key == "queue") return set_switch_key(config, key, value);
  throw std::invalid_argument("unknown key '" + key + "'; known are latency, queue");
}

template <class SetKey>
SwitchSettings parse_settings(const std::string& text, const link::SwitchConfig& defaults,
                              SetKey set_key) {
  SwitchSettings settings;
  settings.name = text.substr(0, text.find(':'));
  settings.config = defaults;
  check_name(settings.name);
  if (settings.name.size() == text.size()) return settings;
  for_each_pair(text.substr(settings.name.size() + 1),
                [&](const std::string& key, const std::string& value) {
                  set_key(settings.config, key, value);
                });
  return settings;
}

}  // namespace

std::uint64_t in_range(const std::string& text, std::uint64_t value, std::uint64_t least,
                       std::uint64_t most) {
  if (value >= least && value <= most) return value;
  throw std::invalid_argument(text + ": expected " + std::to_string(least) + " to " +
                              std::to_string(most));
}

void for_each_pair(
    const std::string& text,
    const std::function<void(const std::string& key, const std::string& value)>& use) {
  std::set<std::string> keys;
  std::istringstream parts(text);
  std::string part;
  while (std::getline(parts, part, ',')) {
    const std::size_t equals = part.find('=');
    if (equals == std::string::npos || equals + 1 == part.size()) {
      throw std::invalid_argument("'" + part + "': expected key=value");
    }
    const std::string key = part.substr(0, equals);
    if (!keys.insert(key).second) throw std::invalid_argument("'" + key + "' is given twice");
    use(key, part.substr(equals + 1));
  }
}

SwitchSettings parse_switch(const std::string& text) {
  return parse_settings(text, {}, set_switch_key);
}

SwitchSettings parse_hub(const std::string& text) {
  return parse_settings(text, link::hub_defaults(), set_hub_key);
}

FilterConfig parse_filter(const std::string& text) {
  const std::size_t colon = text.find(':');
  const std::string first = text.substr(0, colon);
  const bool no_link =
      first == "impair" || first == "dump" || first == "mirror" || first == "redirect";
  if (first.empty() || no_link || colon == std::string::npos || colon + 1 == text.size()) {
    throw std::invalid_argument("'" + text +
                                "': expected LINK:KIND:key=value,..., e.g. 0:impair:loss=1%");
  }
  FilterConfig filter{first, text.substr(colon + 1)};
  try {
    parse_filter_spec(filter.text);
  } catch (const std::invalid_argument& error) {
    throw std::invalid_argument(text + ": " + error.what());
  }
  return filter;
}

static unsigned parse_door_nic(const std::string& value) {
  const bool digits = !value.empty() && value.size() <= 2 &&
                      value.find_first_not_of("0123456789") == std::string::npos;
  if (!digits) throw std::invalid_argument("nic=" + value + ": expected a number, from 0");
  return static_cast<unsigned>(std::stoul(value));
}

UmlConfig parse_uml(const std::string& text) {
  const std::string prefix = "unix:";
  const std::size_t comma = std::min(text.size(), text.find(','));
  UmlConfig door;
  if (text.compare(0, prefix.size(), prefix) == 0) {
    door.path = text.substr(prefix.size(), comma - prefix.size());
  }
  if (door.path.empty()) {
    throw std::invalid_argument(text + ": expected unix:PATH, with ,nic=N,time=travel|wall");
  }
  if (comma == text.size()) return door;
  for_each_pair(text.substr(comma + 1), [&](const std::string& key, const std::string& value) {
    if (key == "nic") {
      door.nic = parse_door_nic(value);
    } else if (key == "time") {
      if (value != "travel" && value != "wall") {
        throw std::invalid_argument("time=" + value + ": expected travel or wall");
      }
      door.travels = value == "travel";
    } else {
      throw std::invalid_argument("unknown key '" + key + "'; known are nic, time");
    }
  });
  return door;
}

VfioUserConfig parse_vfio_user(const std::string& text) {
  const std::string prefix = "unix:";
  const std::size_t comma = std::min(text.size(), text.find(','));
  VfioUserConfig door;
  if (text.compare(0, prefix.size(), prefix) == 0) {
    door.path = text.substr(prefix.size(), comma - prefix.size());
  }
  if (door.path.empty()) {
    throw std::invalid_argument(text + ": expected unix:PATH, with ,nic=N,keep=on|off,busy=on|off");
  }
  if (comma == text.size()) return door;
  const auto on_off = [](const std::string& key, const std::string& value) {
    if (value != "on" && value != "off") {
      throw std::invalid_argument(key + "=" + value + ": expected on or off");
    }
    return value == "on";
  };
  for_each_pair(text.substr(comma + 1), [&](const std::string& key, const std::string& value) {
    if (key == "nic") {
      door.nic = parse_door_nic(value);
    } else if (key == "keep") {
      door.keep = on_off(key, value);
    } else if (key == "busy") {
      door.busy = on_off(key, value);
    } else {
      throw std::invalid_argument("unknown key '" + key + "'; known are nic, keep, busy");
    }
  });
  return door;
}

OutletConfig parse_outlet(const std::string& text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos || equals + 1 == text.size()) {
    throw std::invalid_argument("'" + text +
                                "': expected NAME=KIND:..., e.g. lan=pcap:out=x.pcapng");
  }
  OutletConfig outlet{text.substr(0, equals), text.substr(equals + 1)};
  check_name(outlet.on);
  return outlet;
}

}  // namespace e1000tlm::platform
