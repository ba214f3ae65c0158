/// Causes, mask, throttling, link changes, ethtool's interrupt test (rules INT-1 to INT-9).

#include "testbenches/unit/e1000/nic_rig.h"

namespace e1000tlm::e1000::test {
namespace {

/// One ICS write and enough time for the line.
void cause_and_wait(NicRig& rig, std::uint32_t causes) {
  rig.write(reg::kIcs, causes);
  NicRig::wait_for(ns(100));
}

TEST(Interrupt, Int1LevelFollowsIcrAndMask) {
  NicRig rig;
  rig.run([&] {
    const Time start = sc_now();
    rig.write(reg::kIms, cause::kRxt0);
    cause_and_wait(rig, cause::kTxdw);
    EXPECT_FALSE(rig.irq.read());  // masked, but collected
    EXPECT_EQ(rig.peek(reg::kIcr), cause::kTxdw);
    const Time at = sc_now();
    cause_and_wait(rig, cause::kRxt0);
    EXPECT_TRUE(rig.irq.read());
    ASSERT_EQ(rig.edges.size(), 1U);
    EXPECT_EQ(rig.edges[0].at, at + kInterruptLatency);
    EXPECT_LT(start, at);
    EXPECT_EQ(rig.read(reg::kIcr), cause::kRxt0 | cause::kTxdw);  // INT-2
    NicRig::wait_for(ns(1));
    EXPECT_FALSE(rig.irq.read());
    EXPECT_EQ(rig.read(reg::kIcr), 0U);
  });
}

TEST(Interrupt, Int2ReadClearsWithEverythingMasked) {  // OG-2
  NicRig rig;
  rig.run([&] {
    cause_and_wait(rig, 0xD5);
    EXPECT_EQ(rig.read(reg::kIcr), 0xD5U);
    EXPECT_EQ(rig.read(reg::kIcr), 0U);
  });
}

TEST(Interrupt, Int2WrittenOnesClearOnlyTheirBits) {
  NicRig rig;
  rig.run([&] {
    rig.write(reg::kIms, 0xFF);
    cause_and_wait(rig, 0xD5);
    rig.write(reg::kIcr, 0x85);
    EXPECT_EQ(rig.peek(reg::kIcr), 0x50U);
    NicRig::wait_for(ns(100));
    EXPECT_TRUE(rig.irq.read());
    rig.write(reg::kIcr, 0x50);
    NicRig::wait_for(ns(1));
    EXPECT_FALSE(rig.irq.read());
  });
}

TEST(Interrupt, Int3UnmaskingAPendingCauseFiresAtOnce) {
  NicRig rig;
  rig.run([&] {
    cause_and_wait(rig, cause::kLsc);
    EXPECT_FALSE(rig.irq.read());
    const Time at = sc_now();
    rig.write(reg::kIms, cause::kLsc);
    NicRig::wait_for(ns(100));
    ASSERT_EQ(rig.edges.size(), 1U);
    EXPECT_EQ(rig.edges[0].at, at + kInterruptLatency);
    rig.write(reg::kImc, cause::kLsc);
    NicRig::wait_for(ns(1));
    EXPECT_FALSE(rig.irq.read());
    EXPECT_EQ(rig.peek(reg::kIcr), cause::kLsc);  // masking clears no cause
    EXPECT_EQ(rig.read(reg::kIms), 0U);
  });
}

TEST(Interrupt, Int3ImsSetsAndImcClearsSingleBits) {
  NicRig rig;
  rig.run([&] {
    rig.write(reg::kIms, 0x1F6DC);  // OG-1, reserved bits included
    EXPECT_EQ(rig.read(reg::kIms), 0x1F6DCU);
    rig.write(reg::kIms, 0x1);
    EXPECT_EQ(rig.read(reg::kIms), 0x1F6DDU);
    rig.write(reg::kImc, 0x10);
    EXPECT_EQ(rig.read(reg::kIms), 0x1F6CDU);
    EXPECT_EQ(rig.read(reg::kImc), 0U);
    rig.write(reg::kImc, 0xFFFFFFFF);
    EXPECT_EQ(rig.read(reg::kIms), 0U);
  });
}

TEST(Interrupt, Int7IcsReadsIcrWithoutClearing) {  // OG-5
  NicRig rig;
  rig.run([&] {
    cause_and_wait(rig, 0x44);
    EXPECT_EQ(rig.read(reg::kIcs), 0x44U);
    EXPECT_EQ(rig.read(reg::kIcs), 0x44U);
    EXPECT_EQ(rig.read(reg::kIcr), 0x44U);
  });
}

TEST(Interrupt, Int8ReservedBitsLatchAndInterrupt) {
  NicRig rig;
  rig.run([&] {
    for (const std::uint32_t bit : {5U, 8U}) {
      rig.write(reg::kIms, 1U << bit);
      cause_and_wait(rig, 1U << bit);
      EXPECT_TRUE(rig.irq.read());
      EXPECT_EQ(rig.read(reg::kIcr), 1U << bit);
      rig.write(reg::kImc, 0xFFFFFFFF);
      NicRig::wait_for(ns(1));
    }
    cause_and_wait(rig, 0xFFFE0000);
    EXPECT_EQ(rig.read(reg::kIcr), 0U);
  });
}

TEST(Interrupt, CausesThatThe82544LacksDoNotLatch) {
  NicRig rig(Part::k82544gc);
  rig.run([&] {
    cause_and_wait(rig, cause::kTxdLow | cause::kSrpd | cause::kTxdw);
    EXPECT_EQ(rig.read(reg::kIcr), cause::kTxdw);
  });
}

TEST(Interrupt, Int4ItrKeepsTheGapBetweenAssertions) {
  NicRig rig;
  rig.run([&] {
    rig.write(reg::kItr, 100);  // 25.6 us
    rig.write(reg::kIms, 0xFF);
    for (int i = 0; i < 20; ++i) {  // every 7 us, acknowledged at once
      rig.write(reg::kIcs, cause::kRxt0);
      NicRig::wait_for(us(1));
      if (rig.irq.read()) rig.read(reg::kIcr);
      NicRig::wait_for(us(6));
    }
    std::vector<Time> rising;
    for (const NicRig::Edge& edge : rig.edges) {
      if (edge.level) rising.push_back(edge.at);
    }
    ASSERT_GE(rising.size(), 4U);
    for (std::size_t i = 1; i < rising.size(); ++i) {
      EXPECT_EQ(rising[i] - rising[i - 1], ns(25'600)) << i;  // a cause always waited
    }
  });
}

TEST(Interrupt, Int4CauseAfterTheGapIsNotHeldBack) {
  NicRig rig;
  rig.run([&] {
    rig.write(reg::kItr, 100);
    rig.write(reg::kIms, 0xFF);
    cause_and_wait(rig, 1);
    rig.read(reg::kIcr);
    NicRig::wait_for(us(30));
    const Time at = sc_now();
    cause_and_wait(rig, 1);
    EXPECT_EQ(rig.edges.back().at, at + kInterruptLatency);
    EXPECT_EQ(rig.nic.interrupts(), 2U);
  });
}

TEST(Interrupt, Int4ThrottledCauseReadBeforeTheGapEndsNeverInterrupts) {
  NicRig rig;
  rig.run([&] {
    rig.write(reg::kItr, 100);
    rig.write(reg::kIms, 0xFF);
    cause_and_wait(rig, 1);
    rig.read(reg::kIcr);
    NicRig::wait_for(us(5));
    cause_and_wait(rig, 2);
    EXPECT_FALSE(rig.irq.read());
    EXPECT_EQ(rig.read(reg::kIcr), 2U);
    NicRig::wait_for(us(100));
    EXPECT_EQ(rig.nic.interrupts(), 1U);
  });
}

TEST(Interrupt, Int4WritingZeroEndsTheIntervalThatRuns) {  // 13.4.18
  NicRig rig;
  rig.run([&] {
    rig.write(reg::kItr, 60'000);  // 15.36 ms
    rig.write(reg::kIms, 0xFF);
    cause_and_wait(rig, 1);
    rig.read(reg::kIcr);
    cause_and_wait(rig, 2);
    EXPECT_FALSE(rig.irq.read());
    rig.write(reg::kItr, 50'000);  // of the next interval
    NicRig::wait_for(us(1));
    EXPECT_FALSE(rig.irq.read());
    const Time at = sc_now();
    rig.write(reg::kItr, 0);
    NicRig::wait_for(us(1));
    EXPECT_TRUE(rig.irq.read());
    EXPECT_EQ(rig.edges.back().at, at + kInterruptLatency);
    rig.read(reg::kIcr);
    cause_and_wait(rig, 4);
    EXPECT_EQ(rig.nic.interrupts(), 3U);
  });
}

TEST(Interrupt, Int4WritingZeroBetweenInterruptsEndsTheIntervalToo) {
  NicRig rig;
  rig.run([&] {
    rig.write(reg::kItr, 60'000);
    rig.write(reg::kIms, 0xFF);
    cause_and_wait(rig, 1);
    rig.read(reg::kIcr);
    rig.write(reg::kItr, 0);
    cause_and_wait(rig, 2);
    EXPECT_EQ(rig.nic.interrupts(), 2U);
  });
}

TEST(Interrupt, Int4HoldsForAnAcknowledgeAndANewCauseInTheSameMoment) {
  NicRig rig;
  rig.run([&] {
    rig.write(reg::kItr, 100);
    rig.write(reg::kIms, 0xFF);
    cause_and_wait(rig, 1);
    rig.read(reg::kIcr);
    rig.write(reg::kIcs, 2);
    NicRig::wait_for(us(60));
    ASSERT_EQ(rig.edges.size(), 3U);
    EXPECT_FALSE(rig.edges[1].level);
    EXPECT_EQ(rig.edges[2].at - rig.edges[0].at, ns(25'600));
  });
}

TEST(Interrupt, IsWorkUntilTheLineFollowsUnlessItIsThrottled) {
  NicRig rig;
  rig.run([&] {
    rig.write(reg::kItr, 100);
    rig.write(reg::kIms, 0xFF);
    NicRig::wait_for(ms(10));  // the EEPROM has been read
    ASSERT_FALSE(rig.nic.busy());
    rig.write(reg::kIcs, 1);
    EXPECT_TRUE(rig.nic.busy());
    NicRig::wait_for(ns(100));
    EXPECT_TRUE(rig.irq.read());
    EXPECT_FALSE(rig.nic.busy());
    rig.read(reg::kIcr);
    rig.write(reg::kIcs, 1);
    EXPECT_FALSE(rig.nic.busy());
  });
}

TEST(Interrupt, NoThrottlingOnThe82544) {
  NicRig rig(Part::k82544gc);
  rig.run([&] {
    rig.write(reg::kItr, 0xFFFF);
    rig.write(reg::kIms, 0xFF);
    for (int i = 0; i < 3; ++i) {
      cause_and_wait(rig, 1);
      rig.read(reg::kIcr);
    }
    EXPECT_EQ(rig.nic.interrupts(), 3U);
  });
}

TEST(Interrupt, IcsStormDeliversOneInterruptPerAcknowledge) {
  NicRig rig;
  rig.run([&] {
    rig.write(reg::kIms, 0x1FFFF);
    for (int i = 0; i < 5000; ++i) rig.write(reg::kIcs, 1U << (i % 17));
    NicRig::wait_for(us(1));
    EXPECT_EQ(rig.nic.interrupts(), 1U);
    EXPECT_EQ(rig.read(reg::kIcr), 0x1FFFFU);
  });
}

TEST(Interrupt, Lnk5LscOnEveryLinkChangeWithSluOnly) {
  NicRig rig(Part::k82545em);  // starts without SLU
  rig.run([&] {
    NicRig::wait_for(ms(600));  // the PHY has link, the MAC does not look
    EXPECT_EQ(rig.read(reg::kStatus) & status::kLu, 0U);
    EXPECT_EQ(rig.read(reg::kIcr), 0U);
    rig.write(reg::kCtrl, rig.read(reg::kCtrl) | ctrl::kSlu);
    EXPECT_EQ(rig.read(reg::kStatus) & 0x3C3,
              status::kLu | status::kFd | 2U << status::kSpeedShift | 2U << status::kAsdvShift);
    EXPECT_EQ(rig.read(reg::kIcr), cause::kLsc);
    rig.cable.plug(false);
    NicRig::wait_for(ms(1));
    EXPECT_EQ(rig.read(reg::kIcr), cause::kLsc);
    EXPECT_EQ(rig.read(reg::kStatus) & status::kLu, 0U);
    rig.cable.plug(true);
    NicRig::wait_for(ms(600));
    EXPECT_EQ(rig.read(reg::kIcr), cause::kLsc);
    rig.write(reg::kCtrl, rig.read(reg::kCtrl) & ~ctrl::kSlu);
    EXPECT_EQ(rig.read(reg::kIcr), cause::kLsc);
  });
}

TEST(Interrupt, PhyintFollowsThePhysInterruptPin) {  // 13.4.6, 13.4.17
  NicRig rig;
  rig.run([&] {
    rig.bring_up();
    rig.phy_read(19);
    rig.phy_write(18, 0x0400);  // link status changed
    rig.write(reg::kCtrlExt, ctrl_ext::kPhyintEn);
    rig.write(reg::kIms, cause::kPhyint);
    EXPECT_EQ(rig.read(reg::kIcr), 0U);
    rig.cable.plug(false);
    NicRig::wait_for(ms(1));
    EXPECT_TRUE(rig.irq.read());
    EXPECT_EQ(rig.read(reg::kIcr), cause::kPhyint | cause::kLsc);
    rig.cable.plug(true);
    NicRig::wait_for(ms(600));
    EXPECT_EQ(rig.read(reg::kIcr), cause::kLsc) << "the pin is still asserted";
    EXPECT_NE(rig.phy_read(19) & 0x0400, 0);
    rig.cable.plug(false);
    NicRig::wait_for(ms(1));
    EXPECT_EQ(rig.read(reg::kIcr), cause::kPhyint | cause::kLsc);
  });
}

TEST(Interrupt, PhyintNeedsBothEnables) {
  NicRig rig;
  rig.run([&] {
    rig.bring_up();
    rig.phy_read(19);
    rig.write(reg::kCtrlExt, ctrl_ext::kPhyintEn);
    rig.cable.plug(false);
    NicRig::wait_for(ms(1));
    EXPECT_EQ(rig.read(reg::kIcr), cause::kLsc) << "PINTE lets nothing through";
    rig.write(reg::kCtrlExt, 0);
    rig.phy_write(18, 0xFFFF);
    EXPECT_EQ(rig.read(reg::kIcr), 0U);
    rig.write(reg::kCtrlExt, ctrl_ext::kPhyintEn);
    EXPECT_EQ(rig.read(reg::kIcr), cause::kPhyint) << "the pin is asserted already";
  });
}

TEST(Interrupt, Lnk4ForcedSpeedAndDuplexShowInStatus) {
  NicRig rig;
  rig.run([&] {
    rig.bring_up();
    rig.write(reg::kCtrl, ctrl::kSlu | ctrl::kFrcspd | ctrl::kFrcdpx | 1 << ctrl::kSpeedShift);
    EXPECT_EQ(rig.read(reg::kStatus) & 0xC3, status::kLu | 1U << status::kSpeedShift);
    rig.write(reg::kCtrl, ctrl::kSlu | ctrl::kFrcspd | ctrl::kFrcdpx | ctrl::kFd);
    EXPECT_EQ(rig.read(reg::kStatus) & 0xC3, status::kLu | status::kFd);
  });
}

class EthtoolInterruptTest : public ::testing::TestWithParam<std::int64_t> {};

/// The interrupt test of `ethtool -t`, as Linux runs it; the handler is called as long as the line
/// is asserted. Parameter: how long its register read comes after the line, in nanoseconds.
TEST_P(EthtoolInterruptTest, PassesUnshared) {
  NicRig rig;
  rig.run([&] {
    rig.bring_up();
    std::uint32_t seen = 0;
    const auto sleep_10ms = [&] {
      const Time end = sc_now() + ms(10);
      while (sc_now() < end) {
        if (rig.irq.read()) {
          NicRig::wait_for(ns(GetParam()));
          seen |= rig.read(reg::kIcr);
          NicRig::wait_for(ns(10));
        } else {
          NicRig::wait_for(us(1));
        }
      }
    };
    rig.write(reg::kImc, 0xFFFFFFFF);
    sleep_10ms();
    for (int i = 0; i < 10; ++i) {
      const std::uint32_t mask = 1U << i;
      seen = 0;
      rig.write(reg::kImc, mask);
      rig.write(reg::kIcs, mask);
      sleep_10ms();
      EXPECT_EQ(seen & mask, 0U) << "3, bit " << i;
      seen = 0;
      rig.write(reg::kIms, mask);
      rig.write(reg::kIcs, mask);
      sleep_10ms();
      EXPECT_EQ(seen & mask, mask) << "4, bit " << i;
      seen = 0;
      rig.write(reg::kImc, ~mask & 0x7FFF);
      rig.write(reg::kIcs, ~mask & 0x7FFF);
      sleep_10ms();
      EXPECT_EQ(seen, 0U) << "5, bit " << i;
    }
    rig.write(reg::kImc, 0xFFFFFFFF);
    sleep_10ms();
    EXPECT_FALSE(rig.irq.read());
  });
}
INSTANTIATE_TEST_SUITE_P(Interrupt, EthtoolInterruptTest, ::testing::Values(0, 500, 20'000));

TEST(Interrupt, MdicCompletionRaisesMdacAfterItsTime) {  // MD-1, MD-2
  NicRig rig;
  rig.run([&] {
    rig.write(reg::kMdic,
              mdic::kInterrupt | mdic::kOpRead | 1 << mdic::kPhyShift | 2 << mdic::kRegShift);
    EXPECT_EQ(rig.read(reg::kMdic) & mdic::kReady, 0U);
    NicRig::wait_for(ns(25'599));
    EXPECT_EQ(rig.read(reg::kMdic) & mdic::kReady, 0U);
    EXPECT_EQ(rig.read(reg::kIcr), 0U);
    NicRig::wait_for(ns(2));
    EXPECT_EQ(rig.read(reg::kMdic) & (mdic::kReady | mdic::kError | mdic::kDataMask),
              mdic::kReady | 0x0141U);
    EXPECT_EQ(rig.read(reg::kIcr), cause::kMdac);
    EXPECT_EQ(rig.phy_read(3), 0x0C24);
  });
}

TEST(Interrupt, MdicToNobodyEndsWithError) {
  NicRig rig;
  rig.run([&] {
    for (const std::uint32_t op : {mdic::kOpRead, mdic::kOpWrite, 0U, mdic::kOpMask}) {
      rig.write(reg::kMdic, op | 3 << mdic::kPhyShift);
      NicRig::wait_for(us(26));
      EXPECT_EQ(rig.read(reg::kMdic) & (mdic::kReady | mdic::kError), mdic::kReady | mdic::kError);
    }
    EXPECT_EQ(rig.read(reg::kIcr), 0U);
    EXPECT_EQ(rig.phy_read(25), 0);  // MD-6: unimplemented registers answer
    EXPECT_EQ(rig.read(reg::kMdic) & mdic::kError, 0U);
  });
}

}  // namespace
}  // namespace e1000tlm::e1000::test
