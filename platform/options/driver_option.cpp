#include "platform/options/driver_option.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <set>
#include <sstream>
#include <stdexcept>

namespace e1000tlm::platform {
namespace {

using driver::NicSettings;

struct Key {
  const char* name;
  unsigned least, most;
  void (*set)(NicSettings&, unsigned);
  unsigned (*get)(const NicSettings&);
};

template <auto Member>
constexpr Key key(const char* name, unsigned least, unsigned most) {
  using Value = std::remove_reference_t<decltype(std::declval<NicSettings>().*Member)>;
  return {name, least, most,
          [](NicSettings& s, unsigned value) { s.*Member = static_cast<Value>(value); },
          [](const NicSettings& s) { return static_cast<unsigned>(s.*Member); }};
}

constexpr std::array<Key, 9> kKeys{{
    key<&NicSettings::rx_descriptors>("rx-ring", 16, 4096),
    key<&NicSettings::tx_descriptors>("tx-ring", 16, 4096),
    key<&NicSettings::interrupt_rate>("interrupt-rate", 0, 1'000'000),
    key<&NicSettings::rdtr>("rdtr", 0, 0xFFFF),
    key<&NicSettings::radv>("radv", 0, 0xFFFF),
    key<&NicSettings::tidv>("tidv", 0, 0xFFFF),
    key<&NicSettings::tadv>("tadv", 0, 0xFFFF),
    key<&NicSettings::refill_batch>("refill-batch", 1, 4096),
    key<&NicSettings::doorbell_batch>("doorbell-batch", 1, 4096),
}};

unsigned parse_value(const Key& key, const std::string& text) {
  const bool digits =
      !text.empty() && text.size() <= 7 &&
      std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
  const unsigned long value = digits ? std::stoul(text) : 0;
  if (!digits || value < key.least || value > key.most) {
    throw std::invalid_argument(std::string(key.name) + "=" + text + ": expected " +
                                std::to_string(key.least) + " to " + std::to_string(key.most));
  }
  return static_cast<unsigned>(value);
}

}  // namespace

NicSettings parse_driver(const std::string& text) {
  NicSettings settings;
  std::set<std::string> seen;
  std::istringstream parts(text);
  std::string part;
  while (std::getline(parts, part, ',')) {
    const std::size_t equals = part.find('=');
    if (equals == std::string::npos) {
      throw std::invalid_argument("'" + part + "': expected key=value");
    }
    const std::string name = part.substr(0, equals);
    const auto found =
        std::find_if(kKeys.begin(), kKeys.end(), [&](const Key& key) { return name == key.name; });
    if (found == kKeys.end()) {
      throw std::invalid_argument("unknown key '" + name + "'; known are " + driver_keys());
    }
    if (!seen.insert(name).second) throw std::invalid_argument("'" + name + "' is given twice");
    found->set(settings, parse_value(*found, part.substr(equals + 1)));
  }
  return settings;
}

std::string driver_keys() {
  const NicSettings defaults;
  std::string text;
  for (const Key& key : kKeys) {
    if (!text.empty()) text += ", ";
    text += std::string(key.name) + "=" + std::to_string(key.get(defaults));
  }
  return text;
}

}  // namespace e1000tlm::platform
