/// Autonegotiation against partners of all kinds.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "testbenches/unit/phy/phy_fixture.h"

namespace e1000tlm::phy::test {
namespace {

using link::Abilities;
using link::LinkMode;
using link::Speed;
using ::testing::ElementsAre;

TEST(PhyAutonegotiation, GigabitTakes500Milliseconds) {
  Bench b;
  b.gigabit_partner();
  Bench::run(ms(499));
  EXPECT_FALSE(b.phy.link().up);
  EXPECT_EQ(b.read(reg::kStatus), 0x7949);
  EXPECT_EQ(b.read(reg::kPartnerAbility), 0);
  Bench::run(ms(2));
  EXPECT_EQ(b.phy.link(), (LinkStatus{true, kGigabit, false}));
  EXPECT_TRUE(b.partner().link_up());
  EXPECT_THAT(b.watch.times, ElementsAre(ms(500)));
  EXPECT_EQ(b.read(reg::kStatus), 0x796D);
  EXPECT_EQ(b.read(reg::kPartnerAbility), 0xC5E1);
  EXPECT_EQ(b.read(reg::kExpansion), 0x000F);
  EXPECT_EQ(b.read(reg::kExpansion), 0x000D);
  EXPECT_EQ(b.read(reg::kGigabitStatus), 0x7C00);
  EXPECT_EQ(b.read(reg::kSpecificStatus), 0xBC00);
  EXPECT_EQ(b.read(reg::kSpecificStatus), 0xAC00);
}

TEST(PhyAutonegotiation, ManualSlave) {
  Bench b;
  b.gigabit_partner();
  Bench::run(kTimeZero);
  b.write(reg::kGigabitControl, 0x1200);
  b.write(reg::kControl, 0x1340);
  Bench::run(ms(501));
  EXPECT_EQ(b.read(reg::kGigabitStatus), 0x3C00);
}

TEST(PhyAutonegotiation, FastEthernetFullDuplexWithPauseBits) {
  Bench b;
  Abilities partner;
  partner.full_100 = partner.half_10 = partner.pause = partner.asymmetric_pause = true;
  b.partner_offers(partner, kFast);
  Bench::run(ms(501));
  EXPECT_EQ(b.phy.link(), (LinkStatus{true, kFast, false}));
  EXPECT_EQ(b.read(reg::kPartnerAbility), 0x4D21);
  EXPECT_EQ(b.read(reg::kGigabitStatus), 0);
  EXPECT_EQ(b.read(reg::kExpansion), 0x0003);
  EXPECT_EQ(b.read(reg::kSpecificStatus), 0x7C00);
  EXPECT_EQ(b.partner().speed(), Speed::k100);
}

TEST(PhyAutonegotiation, TenHalfByParallelDetection) {
  Bench b;
  Abilities partner;
  partner.negotiates = false;
  partner.half_10 = true;
  b.partner_offers(partner, LinkMode{Speed::k10, false});
  Bench::run(ms(501));
  EXPECT_EQ(b.phy.link(), (LinkStatus{true, {Speed::k10, false}, false}));
  EXPECT_EQ(b.read(reg::kPartnerAbility), 0x0020);
  EXPECT_EQ(b.read(reg::kExpansion), 0) << "no page, and the partner does not negotiate";
  EXPECT_EQ(b.read(reg::kStatus) & status::kComplete, status::kComplete);
  EXPECT_EQ(b.read(reg::kSpecificStatus), 0x0C00);
}

TEST(PhyAutonegotiation, ParallelDetectionFault) {
  Bench b;
  Abilities partner;
  partner.negotiates = false;
  partner.half_10 = partner.half_100 = true;
  b.partner_offers(partner, std::nullopt);
  Bench::run(ms(600));
  EXPECT_FALSE(b.phy.link().up);
  EXPECT_EQ(b.read(reg::kExpansion), expansion::kParallelFault);
  EXPECT_EQ(b.read(reg::kExpansion), 0);
}

TEST(PhyAutonegotiation, OwnPauseBitsReachThePartner) {
  Bench b;
  Bench::run(kTimeZero);
  EXPECT_FALSE(b.partner().partner()->pause);
  b.write(reg::kAdvertisement, 0x0DE1);
  EXPECT_FALSE(b.partner().partner()->pause) << "from the next start on";
  b.write(reg::kControl, 0x1340);
  EXPECT_TRUE(b.partner().partner()->pause);
  EXPECT_TRUE(b.partner().partner()->asymmetric_pause);
}

TEST(PhyAutonegotiation, NothingInCommonGivesPageButNoLink) {
  Bench b;
  Abilities partner;
  partner.full_10 = true;
  b.write(reg::kAdvertisement, 0x0181);  // before simulation: power-up resets it
  b.partner_offers(partner, std::nullopt);
  Bench::run(kTimeZero);
  EXPECT_EQ(b.read(reg::kAdvertisement), 0x01E1);
  b.write(reg::kAdvertisement, 0x0181);
  b.write(reg::kControl, 0x1340);
  Bench::run(ms(2000));
  EXPECT_FALSE(b.phy.link().up);
  EXPECT_TRUE(b.watch.times.empty());
  EXPECT_EQ(b.read(reg::kStatus), 0x7949);
  EXPECT_EQ(b.read(reg::kPartnerAbility), 0x4041);
  // The partner changes its mind: 500 ms from then.
  partner.full_100 = true;
  b.partner_offers(partner, kFast);
  Bench::run(ms(501));
  EXPECT_THAT(b.watch.times, ElementsAre(ms(2500)));
}

TEST(PhyAutonegotiation, NoPartnerNoLink) {
  Bench b;
  Bench::run(ms(10'000));
  EXPECT_FALSE(b.phy.link().up);
  EXPECT_TRUE(b.watch.times.empty());
  EXPECT_EQ(b.read(reg::kStatus), 0x7949);
}

TEST(PhyAutonegotiation, UnboundCableIsNoCable) {
  M88E1011 phy("phy");
  LinkWatch watch("watch", phy);
  sc_core::sc_start(to_sc(ms(1000)));
  EXPECT_FALSE(phy.link().up);
  EXPECT_EQ(phy.mdio_read(1, reg::kStatus), 0x7949);
  EXPECT_EQ(phy.next(sc_now()), nullptr);
  phy.set_ready(true);
  phy.mdio_write(1, reg::kControl, 0x1340);
  EXPECT_EQ(phy.transmit(link::FramePool::shared().make(60), ms(1000), 12), ms(1000) + ns(576));
  EXPECT_EQ(phy.statistics().lost_no_link, 1U);
}

TEST(PhyAutonegotiation, TimeCountsFromThePartnersAppearance) {
  Bench b;
  Bench::run(ms(300));
  b.gigabit_partner();
  Bench::run(ms(600));
  EXPECT_THAT(b.watch.times, ElementsAre(ms(800)));
}

TEST(PhyAutonegotiation, PartnerThatLeavesOrChangesMidwayStartsTheCountAgain) {
  Bench b;
  b.gigabit_partner();
  Bench::run(ms(400));
  b.partner_silent();
  Bench::run(ms(400));
  EXPECT_TRUE(b.watch.times.empty());
  b.gigabit_partner();
  Bench::run(ms(200));
  Abilities fast;
  fast.full_100 = true;
  b.partner_offers(fast, kFast);
  Bench::run(ms(501));
  EXPECT_THAT(b.watch.times, ElementsAre(ms(1500)));
  EXPECT_EQ(b.phy.link().mode, kFast);
}

TEST(PhyAutonegotiation, RestartDropsTheLinkAndTakesAsLongAgain) {
  Bench b;
  b.gigabit_partner();
  Bench::run(ms(600));
  b.write(reg::kControl, 0x1340);
  EXPECT_EQ(b.read(reg::kControl), 0x1140);
  EXPECT_FALSE(b.phy.link().up);
  EXPECT_FALSE(b.partner().link_up());
  Bench::run(ms(499));
  EXPECT_EQ(b.read(reg::kStatus) & status::kComplete, 0);
  Bench::run(ms(2));
  EXPECT_THAT(b.watch.times, ElementsAre(ms(500), ms(600), ms(1100)));
  EXPECT_THAT(b.watch.up, ElementsAre(true, false, true));
}

TEST(PhyAutonegotiation, LatchedLinkShowsTheDropOnce) {
  Bench b;
  b.gigabit_partner();
  Bench::run(ms(501));
  EXPECT_EQ(b.read(reg::kStatus), 0x796D);
  b.write(reg::kControl, 0x1340);
  Bench::run(ms(501));
  EXPECT_EQ(b.phy.mdio_peek(1, reg::kStatus), 0x7969);
  EXPECT_EQ(b.read(reg::kSpecificStatus) & specific::kLink, specific::kLink);
  EXPECT_EQ(b.read(reg::kStatus), 0x7969);
  EXPECT_EQ(b.read(reg::kStatus), 0x796D);
}

TEST(PhyAutonegotiation, RestartDuringNegotiationStartsTheCountAgain) {
  Bench b;
  b.gigabit_partner();
  Bench::run(ms(300));
  b.write(reg::kControl, 0x9140);
  Bench::run(ms(700));
  EXPECT_THAT(b.watch.times, ElementsAre(ms(800)));
}

/// Restarts the PHY at the very moment at which negotiation ends, in the same delta cycle.
struct Racer : sc_core::sc_module {
  Racer(const sc_core::sc_module_name& name, Bench& bench) : sc_module(name), b(bench) {
    SC_HAS_PROCESS(Racer);
    SC_METHOD(restart);
    sensitive << now;
    dont_initialize();
  }
  void restart() { b.write(reg::kControl, 0x1340); }
  sc_core::sc_event now{"now"};
  Bench& b;
};

TEST(PhyAutonegotiation, RestartAtTheMomentOfCompletionWins) {
  Bench b;
  Racer early("early", b);
  b.gigabit_partner();
  early.now.notify(to_sc(ms(500)));
  Bench::run(ms(1001));
  ASSERT_FALSE(b.watch.times.empty());
  EXPECT_FALSE(b.watch.times.front() == ms(500) && b.watch.up.front());
  EXPECT_EQ(b.watch.times.back(), ms(1000));
  EXPECT_TRUE(b.watch.up.back());
}

TEST(PhyAutonegotiation, TwoPhysBackToBack) {
  link::Cable cable("cable");
  M88E1011 a("a");
  M88E1011 b("b");
  a.cable.bind(cable.end(0));
  b.cable.bind(cable.end(1));
  sc_core::sc_start(to_sc(ms(501)));
  EXPECT_EQ(a.link(), (LinkStatus{true, kGigabit, false}));
  EXPECT_EQ(b.link(), a.link());
  EXPECT_TRUE(cable.end(0).link_up());
  a.mdio_write(1, reg::kControl, 0x1340);  // b notices, and both come back
  sc_core::sc_start(to_sc(ms(1)));
  EXPECT_FALSE(b.link().up);
  sc_core::sc_start(to_sc(ms(501)));
  EXPECT_TRUE(a.link().up && b.link().up && cable.end(0).link_up());
  EXPECT_EQ(sc_now(), ms(501 + 1 + 501));
}

}  // namespace
}  // namespace e1000tlm::phy::test
