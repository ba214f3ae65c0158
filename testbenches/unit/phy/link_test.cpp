/// Resets, forced modes, power-down, isolation, loss of link, management addresses.

#include <stdexcept>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "testbenches/unit/phy/phy_fixture.h"

namespace e1000tlm::phy::test {
namespace {

using link::Abilities;
using link::LinkMode;
using link::Speed;
using ::testing::ElementsAre;

TEST(PhyManagement, AnswersAtItsAddressOnly) {
  PhyConfig config;
  config.address = 5;
  config.id2 = 0x0C34;
  M88E1011 phy("phy", config);
  for (unsigned address = 0; address < 40; ++address) {
    const bool mine = address == 5;
    EXPECT_EQ(phy.mdio_read(address, reg::kId2).has_value(), mine);
    EXPECT_EQ(phy.mdio_peek(address, reg::kId2).has_value(), mine);
    EXPECT_EQ(phy.mdio_write(address, reg::kExtendedControl, 7), mine);
  }
  EXPECT_EQ(phy.mdio_read(5, reg::kId2), 0x0C34);
  EXPECT_EQ(phy.mdio_read(5, 31), 0) << "unimplemented, no error";
  EXPECT_TRUE(phy.mdio_write(5, 31, 1));
  EXPECT_EQ(phy.mdio_read(5, 32), std::nullopt) << "no such register number";
  EXPECT_FALSE(phy.mdio_write(5, 32, 1));
}

TEST(PhyManagement, RefusesABadConfiguration) {
  PhyConfig config;
  config.address = 99;
  EXPECT_THROW(M88E1011("phy", config), std::invalid_argument);
}

TEST(PhyReset, SoftResetActsOnStagedBits) {
  Bench b;
  b.partner_offers(link::gigabit_abilities(), kGigabit);
  Bench::run(ms(600));
  b.write(reg::kControl, 0x2000);  // staged: 100 half, no autonegotiation
  Bench::run(ms(1000));
  EXPECT_EQ(b.phy.link().mode, kGigabit) << "still the old link";
  EXPECT_EQ(b.read(reg::kControl), 0x2000);
  b.partner().set_link(LinkMode{Speed::k100, false});
  b.write(reg::kControl, 0xA000);
  EXPECT_FALSE(b.phy.link().up);
  Bench::run(ms(11));
  EXPECT_EQ(b.phy.link(), (LinkStatus{true, {Speed::k100, false}, false}));
  EXPECT_EQ(b.watch.times.back(), ms(1610));
  EXPECT_EQ(b.read(reg::kStatus) & status::kComplete, 0) << "nothing was negotiated";
}

TEST(PhyReset, LinkLossActsOnStagedBits) {
  Bench b;
  b.gigabit_partner();
  Bench::run(ms(600));
  b.write(reg::kControl, 0x2100);
  b.partner_silent();
  Bench::run(ms(1));
  ASSERT_TRUE(b.partner().partner().has_value());
  EXPECT_FALSE(b.partner().partner()->negotiates);
  EXPECT_TRUE(b.partner().partner()->full_100);
}

TEST(PhyReset, HardwareResetPin) {
  Bench b;
  b.gigabit_partner();
  Bench::run(ms(600));
  b.write(reg::kAdvertisement, 0x0DE1);
  b.phy.hardware_reset(true);
  EXPECT_FALSE(b.phy.link().up);
  EXPECT_EQ(b.partner().partner(), std::nullopt);
  EXPECT_EQ(b.phy.mdio_read(1, reg::kStatus), std::nullopt);
  EXPECT_EQ(b.phy.mdio_peek(1, reg::kStatus), std::nullopt);
  EXPECT_FALSE(b.phy.mdio_write(1, reg::kAdvertisement, 0x0001));
  b.phy.hardware_reset(true);
  Bench::run(ms(2000));
  EXPECT_FALSE(b.phy.link().up) << "held";
  b.phy.hardware_reset(false);
  EXPECT_EQ(b.read(reg::kAdvertisement), 0x01E1);
  EXPECT_EQ(b.read(reg::kControl), 0x1140);
  Bench::run(ms(600));
  b.phy.hardware_reset(false);  // again: nothing
  EXPECT_TRUE(b.phy.link().up);
  EXPECT_THAT(b.watch.times, ElementsAre(ms(500), ms(600), ms(3100)));
}

TEST(PhyPower, DownSlowAndFull) {
  Bench b;
  b.gigabit_partner();
  Bench::run(ms(600));
  b.phy.set_power(PhyPower::kDown);
  EXPECT_FALSE(b.phy.link().up);
  EXPECT_EQ(b.partner().partner(), std::nullopt);
  EXPECT_EQ(b.read(reg::kControl), 0x1140) << "no register changes";
  b.write(reg::kControl, 0x1340);  // restart: not now
  Bench::run(ms(1000));
  EXPECT_EQ(b.partner().partner(), std::nullopt);

  b.phy.set_power(PhyPower::kSlow);
  ASSERT_TRUE(b.partner().partner().has_value());
  EXPECT_FALSE(b.partner().partner()->full_1000 || b.partner().partner()->half_1000);
  EXPECT_TRUE(b.partner().partner()->full_100 && b.partner().partner()->half_10);
  b.phy.set_power(PhyPower::kFull);
  ASSERT_TRUE(b.partner().partner().has_value());
  EXPECT_TRUE(b.partner().partner()->full_1000);
  Bench::run(ms(600));
  EXPECT_EQ(b.phy.link().mode, kGigabit);
}

TEST(PhyPower, LeavesThePhysOwnPowerDownAndLoopbackAlone) {
  Bench b;
  b.gigabit_partner();
  Bench::run(ms(600));
  b.write(reg::kControl, 0x0940);  // power-down
  b.phy.set_power(PhyPower::kDown);
  b.phy.set_power(PhyPower::kFull);
  Bench::run(ms(1000));
  EXPECT_EQ(b.partner().partner(), std::nullopt);
  b.write(reg::kControl, 0x4140);  // loopback
  EXPECT_TRUE(b.phy.link().loopback);
  b.phy.set_power(PhyPower::kDown);
  EXPECT_FALSE(b.phy.link().up);
  b.phy.set_power(PhyPower::kFull);
  EXPECT_TRUE(b.phy.link().loopback);
}

TEST(PhyPower, WaitsForTheResetPin) {
  Bench b;
  b.gigabit_partner();
  Bench::run(ms(600));
  b.phy.hardware_reset(true);
  b.phy.set_power(PhyPower::kDown);
  b.phy.hardware_reset(false);
  Bench::run(ms(1000));
  EXPECT_FALSE(b.phy.link().up);
  b.phy.set_power(PhyPower::kFull);
  Bench::run(ms(600));
  EXPECT_TRUE(b.phy.link().up);
}

TEST(PhyReset, PinCancelsANegotiationUnderWay) {
  Bench b;
  b.gigabit_partner();
  Bench::run(ms(499));
  b.phy.hardware_reset(true);
  Bench::run(ms(10));
  b.phy.hardware_reset(false);
  Bench::run(ms(499));
  EXPECT_FALSE(b.phy.link().up);
  Bench::run(ms(2));
  EXPECT_THAT(b.watch.times, ElementsAre(ms(1009)));
}

TEST(PhyReset, PinHeldFromTheStart) {
  Bench b;
  b.phy.hardware_reset(true);
  b.gigabit_partner();
  Bench::run(ms(1000));
  EXPECT_FALSE(b.phy.link().up);
  b.phy.power_on_reset();
  EXPECT_EQ(b.phy.mdio_read(1, 0), std::nullopt) << "the pin still holds it";
  b.phy.hardware_reset(false);
  Bench::run(ms(501));
  EXPECT_TRUE(b.phy.link().up);
}

TEST(PhyReset, PowerOnStartsAfresh) {
  Bench b;
  b.gigabit_partner();
  Bench::run(ms(600));
  b.write(reg::kControl, 0x1940);
  b.write(reg::kGigabitControl, 0);
  b.phy.power_on_reset();
  EXPECT_EQ(b.read(reg::kControl), 0x1140);
  EXPECT_EQ(b.read(reg::kGigabitControl), 0x0E00);
  EXPECT_EQ(b.read(reg::kStatus), 0x7949);
  Bench::run(ms(501));
  EXPECT_EQ(b.phy.link().mode, kGigabit);
}

TEST(PhyForced, HundredFullAgainstAForcedPartner) {
  Bench b;
  Abilities partner;
  partner.negotiates = false;
  partner.full_100 = true;
  b.partner_offers(partner, kFast);
  Bench::run(kTimeZero);
  b.write(reg::kControl, 0xA100);
  Bench::run(ms(11));
  EXPECT_EQ(b.phy.link(), (LinkStatus{true, kFast, false}));
  EXPECT_THAT(b.watch.times, ElementsAre(ms(10)));
  EXPECT_EQ(b.read(reg::kSpecificStatus), 0x6C00);
  EXPECT_EQ(b.read(reg::kPartnerAbility), 0);
  EXPECT_TRUE(b.partner().link_up());
}

TEST(PhyForced, DuplexMismatchStillCarriesFrames) {
  Bench b;
  // The partner negotiates, finds 100 Mb/s by parallel detection and goes half duplex.
  b.partner_offers(link::gigabit_abilities(), LinkMode{Speed::k100, false});
  Bench::run(kTimeZero);
  b.write(reg::kControl, 0xA100);
  Bench::run(ms(11));
  EXPECT_EQ(b.phy.link().mode, kFast) << "the forced end goes by its own setting";
  EXPECT_TRUE(b.partner().link_up());
}

TEST(PhyForced, WrongSpeedNoLink) {
  Bench b;
  Abilities partner;
  partner.negotiates = false;
  partner.half_100 = true;
  b.partner_offers(partner, LinkMode{Speed::k100, false});
  Bench::run(kTimeZero);
  b.write(reg::kControl, 0x8000);
  Bench::run(ms(1000));
  EXPECT_FALSE(b.phy.link().up);
}

TEST(PhyForced, GigabitDoesNotLinkWithANegotiatingPartner) {
  Bench b;
  b.gigabit_partner();
  Bench::run(kTimeZero);
  b.write(reg::kControl, 0x8140);
  Bench::run(ms(1000));
  EXPECT_FALSE(b.phy.link().up);
}

TEST(PhyForced, ForceLinkBitNeedsNoPartner) {
  Bench b;
  Bench::run(kTimeZero);
  b.write(reg::kControl, 0xA100);
  Bench::run(ms(100));
  EXPECT_FALSE(b.phy.link().up);
  b.write(reg::kSpecificControl, 0x0468);
  Bench::run(ms(11));
  EXPECT_EQ(b.phy.link(), (LinkStatus{true, kFast, false}));
  b.write(reg::kSpecificControl, 0x0068);
  Bench::run(ms(1));
  EXPECT_FALSE(b.phy.link().up);
}

TEST(PhyForced, BackToAutonegotiationByRestart) {
  Bench b;
  b.gigabit_partner();
  Bench::run(kTimeZero);
  b.write(reg::kControl, 0x8140);
  Bench::run(ms(100));
  b.write(reg::kControl, 0x1340);
  Bench::run(ms(501));
  EXPECT_THAT(b.watch.times, ElementsAre(ms(600)));
}

TEST(PhyPowerDown, SilentButAnsweringUntilWoken) {
  Bench b;
  b.gigabit_partner();
  Bench::run(ms(600));
  b.write(reg::kControl, 0x1940);
  EXPECT_FALSE(b.phy.link().up);
  EXPECT_EQ(b.partner().partner(), std::nullopt);
  Bench::run(ms(5000));
  EXPECT_FALSE(b.phy.link().up);
  EXPECT_EQ(b.read(reg::kControl), 0x1940);
  EXPECT_EQ(b.read(reg::kStatus), 0x7949);
  b.write(reg::kAdvertisement, 0x0DE1);
  b.write(reg::kControl, 0x1B40);
  Bench::run(ms(1000));
  EXPECT_FALSE(b.phy.link().up) << "no restart while powered down";
  b.write(reg::kControl, 0x1140);
  Bench::run(ms(501));
  EXPECT_THAT(b.watch.times, ElementsAre(ms(500), ms(600), ms(7100)));
  EXPECT_TRUE(b.partner().partner()->pause);
}

TEST(PhyIsolate, MacSeesNoLinkButThePhyKeepsIt) {
  Bench b;
  b.gigabit_partner();
  Bench::run(ms(600));
  b.write(reg::kControl, 0x1540);
  EXPECT_FALSE(b.phy.link().up);
  Bench::run(ms(1000));
  EXPECT_EQ(b.read(reg::kStatus), 0x796D);
  b.phy.transmit(link::FramePool::shared().make(60), sc_now(), 12);
  EXPECT_EQ(b.phy.statistics().lost_no_link, 1U);
  b.write(reg::kControl, 0x1140);
  Bench::run(ms(100));
  EXPECT_TRUE(b.phy.link().up);
  EXPECT_TRUE(b.partner().link_up());
  EXPECT_THAT(b.watch.times, ElementsAre(ms(500), ms(600), ms(1600)));
}

TEST(PhyLinkLoss, UnplugAndPlug) {
  Bench b;
  b.gigabit_partner();
  Bench::run(ms(600));
  b.cable.plug(false);
  Bench::run(ms(100));
  EXPECT_FALSE(b.phy.link().up);
  EXPECT_EQ(b.read(reg::kStatus), 0x7949);
  b.cable.plug(true);
  Bench::run(ms(600));
  EXPECT_TRUE(b.phy.link().up);
  EXPECT_THAT(b.watch.times, ElementsAre(ms(500), ms(600) + us(350), ms(1200)));
}

TEST(PhyLinkLoss, ShorterThanDetectionIsNotNoticed) {
  Bench b;
  b.gigabit_partner();
  Bench::run(ms(600));
  b.cable.plug(false);
  Bench::run(us(300));
  b.cable.plug(true);
  Bench::run(ms(100));
  EXPECT_TRUE(b.phy.link().up);
  EXPECT_TRUE(b.partner().link_up());
  EXPECT_EQ(b.watch.times.size(), 1U);
}

TEST(PhyLinkLoss, PartnerDropsItsLink) {
  Bench b;
  b.gigabit_partner();
  Bench::run(ms(600));
  b.partner().set_link(std::nullopt);
  Bench::run(ms(1));
  EXPECT_FALSE(b.phy.link().up);
  b.partner().set_link(kGigabit);
  Bench::run(ms(600));
  EXPECT_TRUE(b.partner().link_up());
}

TEST(PhyLinkLoss, PartnerRenegotiatesOtherAbilities) {
  Bench b;
  b.gigabit_partner();
  Bench::run(ms(600));
  Abilities fast;
  fast.full_100 = true;
  b.partner_offers(fast, kFast);
  Bench::run(ms(600));
  EXPECT_EQ(b.phy.link().mode, kFast);
  EXPECT_THAT(b.watch.times, ElementsAre(ms(500), ms(600) + us(350), ms(1100) + us(350)));
}

TEST(PhyLinkLoss, ResetCancelsTheDetection) {
  Bench b;
  b.gigabit_partner();
  Bench::run(ms(600));
  b.cable.plug(false);
  Bench::run(us(100));
  b.write(reg::kControl, 0x9140);
  b.cable.plug(true);
  Bench::run(ms(600));
  EXPECT_THAT(b.watch.up, ElementsAre(true, false, true));
}

}  // namespace
}  // namespace e1000tlm::phy::test
