#include "e1000tlm/virtio/net_features.h"

#include <gtest/gtest.h>

#include "e1000tlm/virtio/split_ring.h"

namespace {

using namespace e1000tlm::virtio::net;

TEST(NetFeatures, RulesOfTheSpecification) {
  for (const FeatureRule& rule : kFeatureRules) {
    EXPECT_TRUE(broken_rule(rule.feature)) << to_string(rule);
    EXPECT_EQ(without_unmet(rule.feature), 0U) << to_string(rule);
  }
  EXPECT_FALSE(broken_rule(0));
  EXPECT_FALSE(broken_rule(feature::kCsum | feature::kHostTso4));
  EXPECT_FALSE(broken_rule(feature::kCsum | feature::kHostTso6 | feature::kHostEcn));
  EXPECT_TRUE(broken_rule(feature::kGuestCsum | feature::kHostTso4));
  std::uint64_t all = 0;
  for (const FeatureName& known : kFeatureNames) all |= known.bit;
  EXPECT_FALSE(broken_rule(all));
  EXPECT_EQ(without_unmet(all), all);
}

TEST(NetFeatures, WhatNeedsAMissingOneGoesWithIt) {
  static_assert(without_unmet(feature::kHostTso4 | feature::kHostEcn | feature::kMac) ==
                feature::kMac);
  EXPECT_EQ(without_unmet(feature::kMultiQueue | feature::kRss | feature::kCsum), feature::kCsum);
}

TEST(NetFeatures, AreThoseOfRings) {
  using namespace e1000tlm::virtio;
  static_assert(feature::kIndirect == ring_feature::kIndirect);
  static_assert(feature::kEventIndex == ring_feature::kEventIndex);
  static_assert(feature::kVersion1 == ring_feature::kVersion1);
  static_assert(feature::kRingReset == ring_feature::kRingReset);
}

TEST(NetFeatures, HaveTexts) {
  for (std::size_t i = 0; i < kFeatureNames.size(); ++i) {
    EXPECT_EQ(kFeatureTexts[i].bit, kFeatureNames[i].bit) << kFeatureNames[i].name;
    EXPECT_FALSE(feature_text(kFeatureNames[i].bit).empty());
  }
  EXPECT_EQ(feature_text(1ULL << 50), "");
}

TEST(NetFeatures, HaveNames) {
  EXPECT_EQ(feature_list(0), "");
  EXPECT_EQ(feature_list(feature::kCsum | feature::kMergeableBuffers | 1ULL << 50),
            "CSUM, MRG_RXBUF, bit 50");
  EXPECT_EQ(feature_list(feature::kSpeedDuplex), "SPEED_DUPLEX");
  EXPECT_EQ(feature_named("mrg_rxbuf"), feature::kMergeableBuffers);
  EXPECT_EQ(feature_named("MRG"), 0U);
  EXPECT_EQ(to_string(*broken_rule(feature::kGuestEcn)),
            "GUEST_ECN needs GUEST_TSO4 or GUEST_TSO6");
  for (const FeatureName& known : kFeatureNames) {
    EXPECT_EQ(feature_list(known.bit), known.name);
    EXPECT_EQ(feature_named(known.name), known.bit);
  }
}

}  // namespace
