#pragma once
/// Features of network devices: what they do in words, and which need others. No SystemC.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "e1000tlm/virtio/net.h"

namespace e1000tlm::virtio::net {

/// A feature that only makes sense with another (virtio 1.2, 5.1.3.1).
struct FeatureRule {
  std::uint64_t feature;  ///< this one, a single bit
  std::uint64_t needs;    ///< needs one of these
};
/// All of virtio 1.2, 5.1.3.1 among the features that the model knows.
inline constexpr std::array<FeatureRule, 12> kFeatureRules{{
    {feature::kGuestTso4, feature::kGuestCsum},
    {feature::kGuestTso6, feature::kGuestCsum},
    {feature::kGuestEcn, feature::kGuestTso4 | feature::kGuestTso6},
    {feature::kHostTso4, feature::kCsum},
    {feature::kHostTso6, feature::kCsum},
    {feature::kHostEcn, feature::kHostTso4 | feature::kHostTso6},
    {feature::kControlRx, feature::kControlQueue},
    {feature::kControlVlan, feature::kControlQueue},
    {feature::kGuestAnnounce, feature::kControlQueue},
    {feature::kMultiQueue, feature::kControlQueue},
    {feature::kControlMac, feature::kControlQueue},
    {feature::kRss, feature::kControlQueue},
}};

/// A rule that these features break.
constexpr std::optional<FeatureRule> broken_rule(std::uint64_t features) {
  for (const FeatureRule& rule : kFeatureRules) {
    if ((features & rule.feature) != 0 && (features & rule.needs) == 0) return rule;
  }
  return std::nullopt;
}

/// These features without those whose needs they do not meet: what a device may offer that lacks
/// some.
constexpr std::uint64_t without_unmet(std::uint64_t features) {
  for (auto rule = broken_rule(features); rule; rule = broken_rule(features)) {
    features &= ~rule->feature;
  }
  return features;
}

/// "CSUM, MRG_RXBUF": their names, lowest bit first; unknown ones as "bit 50".
std::string feature_list(std::uint64_t features);
/// The bit of this name, in either case; 0: there is none.
std::uint64_t feature_named(std::string_view name);
/// "GUEST_ECN needs GUEST_TSO4 or GUEST_TSO6".
std::string to_string(const FeatureRule& rule);

}  // namespace e1000tlm::virtio::net
