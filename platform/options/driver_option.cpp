#include <algorithm>
#include <array>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

#include "e1000tlm/options/value_parsers.h"

namespace e1000tlm::platform {
namespace {

using driver::NicSettings;

struct Key {
  const char* name;
  unsigned least, most;
  unsigned multiple;
  void (*set)(NicSettings&, unsigned);
  unsigned (*get)(const NicSettings&);
};

template <auto Member>
constexpr Key key(const char* name, unsigned least, unsigned most, unsigned multiple = 1) {
  using Value = std::remove_reference_t<decltype(std::declval<NicSettings>().*Member)>;
  return {name,
          least,
          most,
          multiple,
          [](NicSettings& s, unsigned value) { s.*Member = static_cast<Value>(value); },
          [](const NicSettings& s) { return static_cast<unsigned>(s.*Member); }};
}

constexpr std::array<Key, 13> kKeys{{
    key<&NicSettings::rx_descriptors>("rx-ring", 16, 4096, 8),
    key<&NicSettings::tx_descriptors>("tx-ring", 16, 4096, 8),
    key<&NicSettings::interrupt_rate>("interrupt-rate", 0, 1'000'000),
    key<&NicSettings::rdtr>("rdtr", 0, 0xFFFF),
    key<&NicSettings::radv>("radv", 0, 0xFFFF),
    key<&NicSettings::tidv>("tidv", 0, 0xFFFF),
    key<&NicSettings::tadv>("tadv", 0, 0xFFFF),
    key<&NicSettings::refill_batch>("refill-batch", 1, 4096),
    key<&NicSettings::doorbell_batch>("doorbell-batch", 1, 4096),
    key<&NicSettings::queue_pairs>("queues", 0, 16),
    key<&NicSettings::event_index>("event-idx", 0, 1),
    key<&NicSettings::mergeable>("mergeable", 0, 1),
    key<&NicSettings::indirect>("indirect", 0, 1),
}};

unsigned parse_value(const Key& key, const std::string& text) {
  const bool digits =
      !text.empty() && text.size() <= 7 &&
      std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
  const unsigned long value = digits ? std::stoul(text) : 0;
  if (!digits || value < key.least || value > key.most || value % key.multiple != 0) {
    throw std::invalid_argument(
        std::string(key.name) + "=" + text + ": expected " + std::to_string(key.least) + " to " +
        std::to_string(key.most) +
        (key.multiple != 1 ? ", a multiple of " + std::to_string(key.multiple) : ""));
  }
  return static_cast<unsigned>(value);
}

}  // namespace

NicSettings parse_driver(const std::string& text) {
  NicSettings settings;
  for_each_pair(text, [&](const std::string& name, const std::string& value) {
    const auto found =
        std::find_if(kKeys.begin(), kKeys.end(), [&](const Key& key) { return name == key.name; });
    if (found == kKeys.end()) {
      throw std::invalid_argument("unknown key '" + name + "'; known are " + driver_keys());
    }
    found->set(settings, parse_value(*found, value));
  });
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
