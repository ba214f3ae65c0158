/// Wake-up and power states (rules PM-1 to PM-6; manual 6.3, 6.4).

#include <algorithm>
#include <vector>

#include <gtest/gtest.h>

#include "e1000tlm/e1000/power/wakeup_filter.h"
#include "testbenches/unit/e1000/nic_rig.h"

namespace e1000tlm::e1000::test {
namespace {

constexpr std::uint32_t kCommand = 0x04, kPmcsr = 0xE0;
constexpr std::uint32_t kMemory = 2, kMemoryAndMaster = 6, kD3 = 3, kPmeEn = 1 << 8,
                        kPmeStatus = 1 << 15;
constexpr MacAddress kBroadcast{0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};

std::vector<std::uint8_t> magic(MacAddress to = kRigMac) {
  std::vector<std::uint8_t> p = NicRig::frame(20, 0, to);
  p.insert(p.end(), 6, 0xFF);
  for (int i = 0; i < 16; ++i) p.insert(p.end(), kRigMac.begin(), kRigMac.end());
  return p;
}

struct Rig : NicRig {
  explicit Rig(Part part = Part::k82540em, Time quantum = kTimeZero)
      : NicRig(options(part, quantum)) {}
  explicit Rig(const RigOptions& options) : NicRig(options) {}
  static RigOptions options(Part part, Time quantum) {
    RigOptions o;
    o.part = part;
    o.quantum = quantum;
    o.behind_function = true;
    return o;
  }
  /// As a driver suspends: no receive descriptors are lent, the receiver is on.
  void suspend(std::uint32_t filters, std::uint32_t pmcsr = kPmeEn | kD3) {
    config_write(kCommand, kMemoryAndMaster);
    bring_up();
    write(reg::kWuc, wuc::kPmeEn);
    write(reg::kWufc, filters);
    setup_rx(8, rctl::kEn | rctl::kBam);
    config_write(kPmcsr, pmcsr);
  }
  std::uint32_t pmcsr() {
    return (function->config().pme_enabled() ? kPmeEn : 0) |
           (function->config().pme_status() ? kPmeStatus : 0);
  }
  void deliver(const std::vector<std::uint8_t>& bytes) {
    far.send(bytes);
    wait_for(us(20));
  }
  std::vector<std::uint8_t> stored_packet(std::size_t size) {
    std::vector<std::uint8_t> bytes;
    for (std::uint32_t i = 0; i < size; ++i) {
      bytes.push_back(static_cast<std::uint8_t>(peek(reg::kWupm + (i & ~3U)) >> (8 * (i & 3))));
    }
    return bytes;
  }
};

class WakeUp : public ::testing::TestWithParam<Time> {};

TEST_P(WakeUp, MatchInD3SetsStatusStoresThePacketAndAssertsPme) {
  Rig rig(Part::k82540em, GetParam());
  rig.run([&] {
    rig.suspend(wake::kMag | wake::kEx);
    rig.deliver(NicRig::frame(60, 0, kBroadcast));
    EXPECT_EQ(rig.peek(reg::kWus), 0U);
    EXPECT_FALSE(rig.pme.read());

    const std::vector<std::uint8_t> packet = magic();
    const Time sent = sc_now();
    rig.far.send(packet);
    const Time arrival = sent + wire_time(packet.size()) + kPropagation;
    NicRig::wait_for(arrival - sent - ns(1));
    EXPECT_FALSE(rig.pme.read());  // not before its last bit, whatever the quantum
    NicRig::wait_for(us(1));
    EXPECT_TRUE(rig.pme.read());
    EXPECT_EQ(rig.pmcsr(), kPmeEn | kPmeStatus);
    EXPECT_EQ(rig.peek(reg::kWuc) & 6, wuc::kPmeEn | wuc::kPmeStatus);
    EXPECT_EQ(rig.peek(reg::kWus), wake::kMag | wake::kEx);
    EXPECT_EQ(rig.peek(reg::kWupl), packet.size() + 4);
    EXPECT_EQ(rig.stored_packet(packet.size()), packet);
    EXPECT_EQ(rig.dropped(Drop::kRxAsleep), 2U);
    EXPECT_EQ(rig.peek(reg::kRdh), 0U);
  });
}
INSTANTIATE_TEST_SUITE_P(Quantum, WakeUp, ::testing::Values(kTimeZero, us(10)),
                         [](const auto& info) { return quantum_name(info.param); });

TEST(WakeUpUnit, TheFirstPacketIsKeptUntilStatusIsCleared) {
  Rig rig;
  rig.run([&] {
    rig.suspend(wake::kEx | wake::kBc);
    const auto first = NicRig::frame(1000, 1);
    rig.deliver(first);
    rig.deliver(NicRig::frame(60, 2, kBroadcast));
    EXPECT_EQ(rig.peek(reg::kWus), std::uint32_t{wake::kEx});
    EXPECT_EQ(rig.peek(reg::kWupl), 1004U);
    EXPECT_EQ(rig.stored_packet(128),
              std::vector<std::uint8_t>(first.begin(), first.begin() + 128));

    // Back to D0: what woke the system can be read, and is cleared by writing ones.
    rig.config_write(kPmcsr, kPmeStatus);
    NicRig::wait_for(us(1));
    EXPECT_FALSE(rig.pme.read());
    rig.config_write(kCommand, kMemoryAndMaster);
    EXPECT_EQ(rig.read(reg::kWus), std::uint32_t{wake::kEx});
    rig.write(reg::kWus, 0xFFFFFFFF);
    EXPECT_EQ(rig.read(reg::kWus), 0U);
    rig.suspend(wake::kBc);
    rig.deliver(NicRig::frame(60, 2, kBroadcast));
    EXPECT_EQ(rig.peek(reg::kWus), std::uint32_t{wake::kBc});
    EXPECT_EQ(rig.peek(reg::kWupl), 64U);
  });
}

TEST(WakeUpUnit, LengthOfJumboFramesIs2047) {
  Rig rig;
  rig.run([&] {
    rig.config_write(kCommand, kMemoryAndMaster);
    rig.bring_up();
    rig.write(reg::kWuc, wuc::kPmeEn);
    rig.write(reg::kWufc, wake::kEx);
    rig.write(reg::kRctl, rctl::kEn | rctl::kLpe);
    rig.config_write(kPmcsr, kPmeEn | kD3);
    rig.far.send(NicRig::frame(5000));
    NicRig::wait_for(us(60));
    EXPECT_EQ(rig.peek(reg::kWupl), 2047U);
    EXPECT_TRUE(rig.pme.read());
  });
}

/// Partners that hold frames back for a receiver that is not ready must let them through.
TEST(WakeUpUnit, ASleepingReceiverThatWatchesCountsAsReady) {
  Rig rig;
  rig.run([&] {
    rig.suspend(wake::kEx);
    EXPECT_TRUE(rig.cable.end(1).partner_ready());
    rig.config_write(kPmcsr, kD3);
    EXPECT_FALSE(rig.cable.end(1).partner_ready());
    rig.config_write(kPmcsr, kPmeEn | kD3);
    EXPECT_TRUE(rig.cable.end(1).partner_ready());
  });
}

/// Linux' driver prepares for wake-up and gives up bus mastering; the kernel goes to D3 later.
TEST(WakeUpUnit, AReceiverThatMayWakeIsReadyBeforeItSleeps) {
  Rig rig;
  rig.run([&] {
    rig.config_write(kCommand, kMemoryAndMaster);
    rig.bring_up();
    rig.write(reg::kRctl, rctl::kEn | rctl::kBam);
    rig.config_write(kCommand, kMemory);
    EXPECT_FALSE(rig.cable.end(1).partner_ready());
    rig.write(reg::kWufc, wake::kMag);
    rig.write(reg::kWuc, wuc::kPmeEn);
    EXPECT_TRUE(rig.cable.end(1).partner_ready());
    rig.deliver(magic());
    EXPECT_EQ(rig.read(reg::kWus), std::uint32_t{wake::kMag});
    EXPECT_TRUE(rig.pme.read());
    rig.write(reg::kWuc, wuc::kPmeStatus);
    EXPECT_FALSE(rig.cable.end(1).partner_ready());
  });
}

TEST(WakeUpUnit, NothingWakesWithoutPmeEnable) {
  Rig rig;
  rig.run([&] {
    rig.suspend(wake::kEx | wake::kLnkc, kD3);  // PMCSR's PME_En is cleared again
    EXPECT_EQ(rig.peek(reg::kWuc) & wuc::kPmeEn, 0U);
    rig.deliver(NicRig::frame(60));
    rig.cable.plug(false);
    NicRig::wait_for(ms(1));
    EXPECT_EQ(rig.peek(reg::kWus), 0U);
    EXPECT_EQ(rig.pmcsr(), 0U);
    EXPECT_EQ(rig.cable.statistics(1).lost_no_link, 1U) << "nobody needs the link: no PHY";
  });
}

// Manual 11.4: the PHY while the MAC sleeps.

TEST(PhyPower, OffWhenNobodyNeedsTheLink) {
  Rig rig;
  rig.run([&] {
    rig.suspend(0);
    rig.config_write(kPmcsr, 0);
    rig.suspend(0, 0);  // in D0 again, with link
    rig.write(reg::kWuc, 0);
    EXPECT_TRUE(rig.phy.link().up);
    rig.config_write(kPmcsr, kD3);
    EXPECT_FALSE(rig.phy.link().up);
    EXPECT_EQ(rig.cable.end(1).partner(), std::nullopt);
    NicRig::wait_for(ms(5000));
    EXPECT_FALSE(rig.phy.link().up);
    rig.config_write(kPmcsr, 0);
    EXPECT_TRUE(rig.cable.end(1).partner().has_value());
    NicRig::wait_for(ms(4000));
    EXPECT_TRUE(rig.phy.link().up);
    EXPECT_EQ(rig.phy.link().mode.speed, link::Speed::k1000);
  });
}

TEST(PhyPower, StaysAsItIsForWakeUp) {
  Rig rig;
  rig.run([&] {
    rig.suspend(wake::kEx);
    EXPECT_TRUE(rig.phy.link().up);
    EXPECT_EQ(rig.phy.link().mode.speed, link::Speed::k1000);
  });
}

TEST(PhyPower, SlowForWakeUpIfCtrlSaysSo) {
  Rig rig;
  rig.run([&] {
    rig.suspend(wake::kEx, kPmeEn);
    rig.write(reg::kCtrl, rig.read(reg::kCtrl) | ctrl::kEnPhyPwrMgmt);
    rig.config_write(kPmcsr, kPmeEn | kD3);
    EXPECT_FALSE(rig.phy.link().up);
    NicRig::wait_for(ms(4000));
    EXPECT_TRUE(rig.phy.link().up);
    EXPECT_EQ(rig.phy.link().mode.speed, link::Speed::k100);
    EXPECT_EQ(rig.peek(reg::kWus), 0U);
    rig.deliver(NicRig::frame(60));
    EXPECT_EQ(rig.peek(reg::kWus), std::uint32_t{wake::kEx});
    EXPECT_TRUE(rig.pme.read());
    rig.config_write(kPmcsr, kPmeEn | kPmeStatus);
    NicRig::wait_for(ms(4000));
    EXPECT_EQ(rig.phy.link().mode.speed, link::Speed::k1000);
  });
}

TEST(PhyPower, FollowsPmeEnableInD3) {
  Rig rig;
  rig.run([&] {
    rig.suspend(wake::kEx, kD3);
    EXPECT_FALSE(rig.phy.link().up);
    rig.config_write(kPmcsr, kPmeEn | kD3);
    NicRig::wait_for(ms(4000));
    EXPECT_TRUE(rig.phy.link().up);
    rig.deliver(NicRig::frame(60));
    EXPECT_TRUE(rig.pme.read());
  });
}

/// Init Control 2 bit 15 lets APM assert PME# with no software at all.
TEST(WakeUpUnit, TheEepromMayLetApmAssertPme) {
  RigOptions options = Rig::options(Part::k82540em, kTimeZero);
  options.adjust = [](ControllerConfig& config) {
    config.eeprom->set_word(0x0F, config.eeprom->word(0x0F) | 0x8000);
  };
  Rig rig(options);
  rig.run([&] {
    NicRig::wait_for(ms(4000));
    EXPECT_EQ(rig.read(reg::kWuc), wuc::kApme | wuc::kApmpme);
    rig.deliver(magic());
    EXPECT_TRUE(rig.pme.read());
    EXPECT_EQ(rig.pmcsr(), kPmeStatus);
  });
}

TEST(WakeUpUnit, DamagedPacketsDoNotWake) {
  Rig rig;
  rig.run([&] {
    rig.suspend(wake::kEx);
    const auto bytes = NicRig::frame(60);
    link::FramePtr frame = link::FramePool::shared().copy({bytes.data(), bytes.size()});
    frame->coding_error = true;
    rig.far.send(std::move(frame));
    rig.far.send(NicRig::frame(40));    // a runt
    rig.far.send(NicRig::frame(1600));  // long packets are off
    NicRig::wait_for(us(50));
    EXPECT_EQ(rig.peek(reg::kWus), 0U);
    EXPECT_EQ(rig.dropped(Drop::kRxAsleep), 3U);
  });
}

TEST(WakeUpUnit, LinkChangeWakes) {
  Rig rig;
  rig.run([&] {
    rig.suspend(wake::kLnkc);
    NicRig::wait_for(ms(1));
    EXPECT_FALSE(rig.pme.read());
    rig.cable.plug(false);
    NicRig::wait_for(ms(1));
    EXPECT_TRUE(rig.pme.read());
    EXPECT_EQ(rig.peek(reg::kWus), std::uint32_t{wake::kLnkc});
    // Ignored until LNKC is cleared, though PME_Status has been.
    rig.config_write(kPmcsr, kPmeStatus | kPmeEn | kD3);
    rig.cable.plug(true);
    NicRig::wait_for(ms(4000));
    EXPECT_FALSE(rig.pme.read());
    EXPECT_EQ(rig.pmcsr(), kPmeEn);
  });
}

TEST(WakeUpUnit, WucShadowsPmcsrBothWays) {
  Rig rig;
  rig.run([&] {
    rig.config_write(kCommand, kMemoryAndMaster);
    rig.write(reg::kWuc, wuc::kPmeEn);
    EXPECT_EQ(rig.pmcsr(), kPmeEn);
    rig.config_write(kPmcsr, 0);
    EXPECT_EQ(rig.read(reg::kWuc) & 6, 0U);
    rig.config_write(kPmcsr, kPmeEn);
    EXPECT_EQ(rig.read(reg::kWuc) & 6, std::uint32_t{wuc::kPmeEn});
    rig.function->set_pme(true, true);
    rig.nic.pci_pme(true, true);
    NicRig::wait_for(us(1));
    EXPECT_TRUE(rig.pme.read());
    rig.write(reg::kWuc, wuc::kPmeEn | wuc::kPmeStatus);  // write one to clear
    NicRig::wait_for(us(1));
    EXPECT_FALSE(rig.pme.read());
    EXPECT_EQ(rig.pmcsr(), kPmeEn);
    EXPECT_EQ(rig.read(reg::kWuc) & 6, std::uint32_t{wuc::kPmeEn});
  });
}

/// The 82540EM's card has APM on; no driver has touched anything.
TEST(WakeUpUnit, ApmFindsMagicPacketsWithoutADriver) {
  Rig rig;
  rig.run([&] {
    NicRig::wait_for(ms(4000));  // the PHY has its link
    EXPECT_EQ(rig.read(reg::kWuc), std::uint32_t{wuc::kApme});
    rig.deliver(NicRig::frame(60));
    EXPECT_EQ(rig.read(reg::kWus), 0U);
    rig.deliver(magic(kBroadcast));
    EXPECT_EQ(rig.read(reg::kWus), std::uint32_t{wake::kMag});
    EXPECT_EQ(rig.read(reg::kWupl), 126U);
    EXPECT_EQ(rig.pmcsr(), 0U);  // APMPME is off

    rig.write(reg::kWus, wake::kMag);
    rig.write(reg::kWuc, wuc::kApme | wuc::kApmpme);
    rig.deliver(magic());
    EXPECT_EQ(rig.pmcsr(), kPmeStatus);
    EXPECT_TRUE(rig.pme.read());  // though PME_En is off
    rig.config_write(kPmcsr, kPmeStatus);
    NicRig::wait_for(us(1));
    EXPECT_FALSE(rig.pme.read());

    rig.write(reg::kWus, wake::kMag);
    rig.write(reg::kWuc, 0);
    rig.deliver(magic());
    EXPECT_EQ(rig.read(reg::kWus), 0U);
  });
}

TEST(WakeUpUnit, InD0TheWakeUpPacketIsReceivedAsWell) {
  Rig rig;
  rig.run([&] {
    rig.suspend(wake::kEx, kPmeEn);  // stays in D0
    rig.deliver(NicRig::frame(60));
    EXPECT_TRUE(rig.pme.read());
    EXPECT_EQ(rig.read(reg::kWus), std::uint32_t{wake::kEx});
    EXPECT_TRUE(rig.rx_done(0));
    EXPECT_EQ(rig.dropped(Drop::kRxAsleep), 0U);
  });
}

TEST(WakeUpUnit, ReturnToD0ReloadsAndKeepsThePmeContext) {
  Rig rig;
  rig.run([&] {
    rig.suspend(wake::kEx);
    rig.nic.eeprom().set_word(0, 0x7752);
    rig.deliver(NicRig::frame(60));
    rig.config_write(kPmcsr, kPmeEn);  // D0, PME_Status is left alone
    EXPECT_EQ(rig.pmcsr(), kPmeEn | kPmeStatus);
    rig.config_write(kCommand, kMemoryAndMaster);
    EXPECT_EQ(rig.read(reg::kWuc), wuc::kApme | wuc::kPmeEn | wuc::kPmeStatus);
    EXPECT_EQ(rig.read(reg::kWufc), 0U);
    EXPECT_EQ(rig.read(reg::kRctl), 0U);
    EXPECT_EQ(rig.read(reg::kRa), 0x12007752U);  // from the EEPROM anew
    EXPECT_EQ(rig.read(reg::kWus), std::uint32_t{wake::kEx});
    rig.write(reg::kRa, 0x12005452);
    rig.bring_up();
    rig.setup_rx();
    rig.deliver(NicRig::frame(77));
    EXPECT_TRUE(rig.rx_done(0));
    EXPECT_EQ(rig.rx_data(0, 77), NicRig::frame(77));
  });
}

/// Without auxiliary power RST# ends the PME context, but WUS stays (rule RST-5).
TEST(WakeUpUnit, BusResetClearsThePmeContext) {
  Rig rig;
  rig.run([&] {
    rig.suspend(wake::kEx);
    rig.deliver(NicRig::frame(60));
    EXPECT_TRUE(rig.pme.read());
    rig.function->bus_reset();
    NicRig::wait_for(us(1));
    EXPECT_FALSE(rig.pme.read());
    EXPECT_EQ(rig.pmcsr(), 0U);
    EXPECT_EQ(rig.peek(reg::kWuc), std::uint32_t{wuc::kApme});
    EXPECT_EQ(rig.peek(reg::kWus), std::uint32_t{wake::kEx});
  });
}

TEST(WakeUpUnit, WorksWithoutPci) {
  NicRig rig;
  rig.run([&] {
    rig.bring_up();
    rig.write(reg::kWuc, wuc::kPmeEn);
    rig.write(reg::kWufc, wake::kBc);
    rig.setup_rx();
    rig.far.send(NicRig::frame(60, 0, kBroadcast));
    NicRig::wait_for(us(10));
    EXPECT_EQ(rig.read(reg::kWuc), wuc::kPmeEn | wuc::kPmeStatus);
    EXPECT_EQ(rig.read(reg::kWus), std::uint32_t{wake::kBc});
  });
}

}  // namespace
}  // namespace e1000tlm::e1000::test
