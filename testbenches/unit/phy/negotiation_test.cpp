/// Autonegotiation's words and decisions.

#include "e1000tlm/phy/negotiation.h"

#include <gtest/gtest.h>

namespace e1000tlm::phy {
namespace {

using link::Abilities;
using link::LinkMode;
using link::Speed;

Abilities idle_at(bool Abilities::*technology) {
  Abilities a;
  a.negotiates = false;
  a.*technology = true;
  return a;
}

TEST(PhyNegotiation, AdvertisementFollowsRegisters) {
  Abilities all10and100;
  all10and100.half_10 = all10and100.full_10 = all10and100.half_100 = all10and100.full_100 = true;
  EXPECT_EQ(advertised(0x01E1, 0), all10and100);
  Abilities expected;
  expected.full_100 = expected.pause = expected.full_1000 = true;
  EXPECT_EQ(advertised(0x0501, 0x0200), expected);
  expected = Abilities{};
  expected.asymmetric_pause = expected.half_1000 = true;
  EXPECT_EQ(advertised(0x0801, 0x0100), expected);
}

TEST(PhyNegotiation, PartnerWords) {
  EXPECT_EQ(partner_word(link::gigabit_abilities()), 0xC5E1);
  Abilities a;
  a.full_100 = a.asymmetric_pause = true;
  EXPECT_EQ(partner_word(a), 0x4901);
  EXPECT_EQ(parallel_word(Speed::k100), 0x0080);
  EXPECT_EQ(parallel_word(Speed::k10), 0x0020);
}

TEST(PhyNegotiation, MasterByManualSettingThenByPortType) {
  EXPECT_TRUE(is_master(0x0E00));
  EXPECT_FALSE(is_master(0x0200));
  EXPECT_TRUE(is_master(0x1800));
  EXPECT_FALSE(is_master(0x1400)) << "manual slave wins over multiport";
}

TEST(PhyNegotiation, BothNegotiateHighestCommonMode) {
  const Abilities own = advertised(0x01E1, 0x0200);
  EXPECT_EQ(agree(own, link::gigabit_abilities()), (LinkMode{Speed::k1000, true}));
  EXPECT_EQ(agree(advertised(0x01E1, 0), link::gigabit_abilities()), (LinkMode{Speed::k100, true}));
  EXPECT_EQ(agree(advertised(0x0021, 0), advertised(0x01C1, 0)), std::nullopt);
}

TEST(PhyNegotiation, ParallelDetectionIsHalfDuplexAndNeverGigabit) {
  const Abilities own = advertised(0x01E1, 0x0300);
  EXPECT_EQ(agree(own, idle_at(&Abilities::full_100)), (LinkMode{Speed::k100, false}));
  EXPECT_EQ(agree(own, idle_at(&Abilities::half_10)), (LinkMode{Speed::k10, false}));
  EXPECT_EQ(agree(own, idle_at(&Abilities::full_1000)), std::nullopt);
}

TEST(PhyNegotiation, TwoSpeedsAtOnceAreAFault) {
  Abilities both = idle_at(&Abilities::half_10);
  both.half_100 = true;
  EXPECT_TRUE(parallel_detection_fault(both));
  EXPECT_EQ(agree(advertised(0x01E1, 0x0300), both), std::nullopt);
  both.negotiates = true;
  EXPECT_FALSE(parallel_detection_fault(both));
}

TEST(PhyNegotiation, ForcedModeNeedsAPartnerAtItsSpeed) {
  const Abilities fast = forced({Speed::k100, true});
  EXPECT_FALSE(fast.negotiates);
  EXPECT_EQ(agree(fast, link::gigabit_abilities()), (LinkMode{Speed::k100, true}));
  EXPECT_EQ(agree(fast, idle_at(&Abilities::half_100)), (LinkMode{Speed::k100, true}));
  EXPECT_EQ(agree(fast, idle_at(&Abilities::half_10)), std::nullopt);
  EXPECT_EQ(agree(forced({Speed::k10, false}), idle_at(&Abilities::full_10)),
            (LinkMode{Speed::k10, false}));
}

TEST(PhyNegotiation, ForcedGigabitNeedsAForcedPartner) {
  const Abilities gigabit = forced({Speed::k1000, true});
  EXPECT_EQ(agree(gigabit, link::gigabit_abilities()), std::nullopt);
  EXPECT_EQ(agree(gigabit, gigabit), (LinkMode{Speed::k1000, true}));
}

}  // namespace
}  // namespace e1000tlm::phy
