#pragma once
/// Features of network devices: what they do in words, and which need others. No SystemC.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "e1000tlm/virtio/net.h"

namespace e1000tlm::virtio::net {

/// What a feature is for.
struct FeatureText {
  std::uint64_t bit;      ///< one bit
  std::string_view text;  ///< half a sentence, for help and tables
};
/// Of all in kFeatureNames, in their order.
inline constexpr std::array<FeatureText, kFeatureNames.size()> kFeatureTexts{{
    {feature::kCsum, "the device fills in checksums of sent packets"},
    {feature::kGuestCsum, "the driver takes received packets without complete checksum"},
    {feature::kMtu, "the device tells its largest MTU"},
    {feature::kMac, "the device has an address"},
    {feature::kGuestTso4, "the driver takes TCP/IPv4 segments joined to long packets"},
    {feature::kGuestTso6, "the driver takes TCP/IPv6 segments joined to long packets"},
    {feature::kGuestEcn, "the driver takes long packets with ECN"},
    {feature::kHostTso4, "the device cuts long TCP/IPv4 packets into segments"},
    {feature::kHostTso6, "the device cuts long TCP/IPv6 packets into segments"},
    {feature::kHostEcn, "the device cuts long packets with ECN"},
    {feature::kMergeableBuffers, "a received packet may take several buffers"},
    {feature::kStatus, "link status can be read"},
    {feature::kControlQueue, "there is a control queue"},
    {feature::kControlRx, "receive modes and address tables are set by the control queue"},
    {feature::kControlVlan, "received frames are filtered by VLAN"},
    {feature::kControlRxExtra, "further receive modes"},
    {feature::kGuestAnnounce, "the device can ask the driver to announce itself"},
    {feature::kMultiQueue, "several pairs of queues, steered by the device"},
    {feature::kControlMac, "the address is set by the control queue"},
    {feature::kAnyLayout, "(legacy drivers) header and packet may share descriptors"},
    {feature::kIndirect, "buffers may be described by a table of their own"},
    {feature::kEventIndex, "notices are asked for by index"},
    {feature::kVersion1, "virtio 1.0 or later, not legacy"},
    {feature::kInOrder, "buffers are used in the order in which they were made available"},
    {feature::kRingReset, "single queues can be reset"},
    {feature::kHashReport, "the packet's hash is told in its header"},
    {feature::kRss, "received packets are steered by their hash and the driver's table"},
    {feature::kSpeedDuplex, "speed and duplex can be read"},
}};

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

/// What a feature is for; empty: unknown.
constexpr std::string_view feature_text(std::uint64_t bit) {
  for (const FeatureText& known : kFeatureTexts) {
    if (known.bit == bit) return known.text;
  }
  return {};
}

/// "CSUM, MRG_RXBUF": their names, lowest bit first; unknown ones as "bit 50".
std::string feature_list(std::uint64_t features);
/// The bit of this name, in either case; 0: there is none.
std::uint64_t feature_named(std::string_view name);
/// "GUEST_ECN needs GUEST_TSO4 or GUEST_TSO6".
std::string to_string(const FeatureRule& rule);

}  // namespace e1000tlm::virtio::net
