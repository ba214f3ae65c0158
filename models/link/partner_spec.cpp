#include "e1000tlm/link/partner_spec.h"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <utility>

namespace e1000tlm::link {
namespace {

constexpr const char* kFlag = "server";  // the one option that may stand without a value
// Those that may be given several times.
constexpr std::array<std::string_view, 4> kLists{"hostfwd", "guestfwd", "dnssearch", "param"};

std::string quoted(std::string_view text) { return '"' + std::string(text) + '"'; }

[[noreturn]] void malformed(std::string_view text, const std::string& reason) {
  throw std::invalid_argument("link partner " + quoted(text) + ": " + reason +
                              " (expected kind:key=value,key=value)");
}

/// Cuts the text up to the next single comma off its front, with doubled commas made single.
std::string cut_option(std::string_view& rest) {
  std::string option;
  std::size_t i = 0;
  for (; i < rest.size(); ++i) {
    if (rest[i] == ',') {
      if (i + 1 == rest.size() || rest[i + 1] != ',') break;
      ++i;
    }
    option += rest[i];
  }
  rest.remove_prefix(std::min(rest.size(), i + 1));
  return option;
}

}  // namespace

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

PartnerSpec PartnerSpec::parse(std::string_view text) {
  PartnerSpec spec;
  const std::size_t colon = text.find(':');
  spec.kind = text.substr(0, colon);
  if (spec.kind.empty()) malformed(text, "no kind");
  if (spec.kind.find_first_of("=,") != std::string::npos) {
    malformed(text, "options without a kind before them");
  }
  if (colon == std::string_view::npos) return spec;
  std::string_view rest = text.substr(colon + 1);
  while (!rest.empty()) {
    const std::string option = cut_option(rest);
    const std::size_t equals = option.find('=');
    const bool alone = equals == std::string::npos;
    if (alone && option != kFlag) malformed(text, "option " + quoted(option) + " has no value");
    const std::string key = option.substr(0, equals);
    if (key.empty()) malformed(text, "option " + quoted(option) + " has no key");
    const std::string value = alone ? "on" : option.substr(equals + 1);
    if (spec.options.emplace(key, value).second) continue;
    if (std::find(kLists.begin(), kLists.end(), key) == kLists.end()) {
      malformed(text, "option " + quoted(key) + " is given twice");
    }
    spec.repeated[key].push_back(value);
  }
  return spec;
}

std::vector<std::string> PartnerSpec::all(const std::string& key) const {
  std::vector<std::string> values;
  if (const auto first = find(key)) values.push_back(*first);
  if (const auto more = repeated.find(key); more != repeated.end()) {
    values.insert(values.end(), more->second.begin(), more->second.end());
  }
  return values;
}

std::optional<std::string> PartnerSpec::find(const std::string& key) const {
  const auto it = options.find(key);
  if (it == options.end()) return std::nullopt;
  return it->second;
}

std::string PartnerSpec::require(const std::string& key) const {
  const auto value = find(key);
  if (!value || value->empty()) {
    throw std::invalid_argument("link partner " + kind + ": needs the option " + key + "=...");
  }
  return *value;
}

std::uint64_t PartnerSpec::number(const std::string& key, std::uint64_t default_value,
                                  std::uint64_t min, std::uint64_t max) const {
  const auto text = find(key);
  if (!text) return default_value;
  const std::string range =
      "is not a whole number from " + std::to_string(min) + " to " + std::to_string(max);
  if (text->empty() || text->size() > 20 ||
      text->find_first_not_of("0123456789") != std::string::npos) {
    reject(key, range);
  }
  try {
    const std::uint64_t value = std::stoull(*text);
    if (value >= min && value <= max) return value;
  } catch (const std::out_of_range&) {  // reported like any other number out of range
  }
  reject(key, range);
}

std::size_t PartnerSpec::choice(const std::string& key, const std::vector<std::string>& words,
                                std::size_t default_index) const {
  const auto text = find(key);
  if (!text) return default_index;
  const auto it = std::find(words.begin(), words.end(), *text);
  if (it == words.end()) reject(key, "is none of " + joined(words));
  return static_cast<std::size_t>(it - words.begin());
}

void PartnerSpec::reject(const std::string& key, const std::string& reason) const {
  throw std::invalid_argument("link partner " + kind + ": option " + key + "=" +
                              find(key).value_or("") + ": " + reason);
}

Abilities abilities_from(const PartnerSpec& spec) {
  constexpr std::size_t kAllSpeeds = 3;
  const std::size_t speed = spec.choice("speed", {"10", "100", "1000"}, kAllSpeeds);
  const bool negotiates = spec.choice("aneg", {"on", "off"}, 0) == 0;
  const std::size_t pause = spec.choice("pause", {"none", "rx", "tx", "both"}, 0);
  if (!negotiates && speed >= 2) {
    spec.reject("aneg", "needs speed=10 or speed=100 (1000BASE-T always negotiates)");
  }
  Abilities a;
  // Without negotiation the other end finds half duplex by parallel detection.
  a.half_10 = speed == 0 || speed == kAllSpeeds;
  a.half_100 = speed == 1 || speed == kAllSpeeds;
  a.half_1000 = speed == 2 || speed == kAllSpeeds;
  a.full_10 = a.half_10 && negotiates;
  a.full_100 = a.half_100 && negotiates;
  a.full_1000 = a.half_1000;
  a.negotiates = negotiates;
  // IEEE 802.3 table 28B-2.
  a.pause = pause == 1 || pause == 3;
  a.asymmetric_pause = pause == 1 || pause == 2;
  return a;
}

}  // namespace e1000tlm::link
