/// What hardware loads from the EEPROM by itself, and when (manual 5.6, 13.4.1, 14).

#include "testbenches/unit/e1000/nic_rig.h"

namespace e1000tlm::e1000::test {
namespace {

bool link_up(NicRig& rig) { return (rig.read(reg::kStatus) & status::kLu) != 0; }

TEST(EepromLoad, SluStartsAsOneWhereApmIsArmed) {  // 13.4.1
  NicRig rig;
  rig.run([&] {
    EXPECT_EQ(rig.read(reg::kCtrl), 0x241U);
    NicRig::wait_for(ms(600));
    EXPECT_TRUE(link_up(rig)) << "without a driver";
    EXPECT_EQ(rig.read(reg::kIcr), cause::kLsc);
    rig.write(reg::kCtrl, 0);
    rig.write(reg::kCtrl, ctrl::kRst);
    NicRig::wait_for(us(1));
    EXPECT_EQ(rig.read(reg::kCtrl), 0x241U);
    EXPECT_TRUE(link_up(rig));
    rig.write(reg::kCtrl, 0);
    rig.nic.pci_reset(pci::ResetKind::kPowerState);
    EXPECT_EQ(rig.read(reg::kCtrl), 0x241U);
    NicRig::wait_for(ms(600));
    EXPECT_TRUE(link_up(rig));
  });
}

TEST(EepromLoad, SluStartsAsZeroWhereItIsNot) {
  NicRig rig(Part::k82545em);
  rig.run([&] {
    EXPECT_EQ(rig.read(reg::kCtrl), 0x201U);
    NicRig::wait_for(ms(600));
    EXPECT_FALSE(link_up(rig));
    rig.bring_up();
    rig.write(reg::kCtrl, ctrl::kRst);
    NicRig::wait_for(us(1));
    EXPECT_EQ(rig.read(reg::kCtrl), 0x201U);
    EXPECT_FALSE(link_up(rig));
  });
}

TEST(EepromLoad, The82544HasSluAgainOnlyOnRequest) {  // RST-3
  NicRig rig(Part::k82544gc);
  rig.run([&] {
    NicRig::wait_for(ms(600));
    EXPECT_TRUE(link_up(rig)) << "without a driver";
    rig.write(reg::kCtrl, ctrl::kRst);
    NicRig::wait_for(us(1));
    EXPECT_EQ(rig.read(reg::kCtrl), 0xA09U);
    EXPECT_FALSE(link_up(rig));
    rig.read(reg::kIcr);
    rig.write(reg::kCtrlExt, ctrl_ext::kEeRst);
    NicRig::wait_for(ms(2));
    EXPECT_TRUE(link_up(rig));
    EXPECT_EQ(rig.read(reg::kIcr), cause::kLsc);
  });
}

TEST(EepromDefault, FollowsThePart) {
  for (const PartInfo& info : kParts) {
    ControllerConfig config;
    config.part = info.part;
    EXPECT_EQ(eeprom_image(config).word(0x0D), info.device_id) << info.name;
    EXPECT_TRUE(eeprom_image(config).checksum_ok()) << info.name;
    EXPECT_EQ(pci_profile(config).device_id, info.device_id) << info.name;
    EXPECT_EQ(phy_profile(info.part).id2, info.phy_id2) << info.name;
  }
}

TEST(EepromDefault, IsWhatTheControllerHas) {
  RigOptions options;
  options.part = Part::k82545em;
  options.adjust = [](ControllerConfig& config) { config.eeprom.reset(); };
  NicRig rig(options);
  EXPECT_EQ(rig.nic.config().eeprom->word(0x0D), 0x100F);
  rig.run([&] {
    EXPECT_EQ(rig.read(reg::kCtrl), 0x201U);
    EXPECT_EQ(rig.read(reg::kRa), 0x12005452U);
    rig.write(reg::kEerd, 0x0D << eerd::kAddrShift | eerd::kStart);
    NicRig::wait_for(us(100));
    EXPECT_EQ(rig.read(reg::kEerd) >> eerd::kDataShift, 0x100FU);
  });
}

/// A driver that resets the device and never touches CTRL again.
TEST(EepromLoad, ADriverThatNeverWritesSluHasLink) {
  NicRig rig;
  rig.run([&] {
    NicRig::wait_for(ms(10));
    rig.write(reg::kIms, 0);
    rig.write(reg::kCtrl, rig.read(reg::kCtrl) | ctrl::kRst);
    rig.write(reg::kIms, 0);
    rig.setup_tx();
    rig.setup_rx();
    rig.put_legacy(0, NicRig::frame(60));
    rig.write(reg::kTdt, 1);
    NicRig::wait_for(ms(700));
    EXPECT_TRUE(rig.tx_done(0));
    rig.far.send(NicRig::frame(64));
    NicRig::wait_for(us(10));
    EXPECT_TRUE(rig.rx_done(0));
  });
  EXPECT_EQ(rig.far.received.size(), 1U);
}

}  // namespace
}  // namespace e1000tlm::e1000::test
