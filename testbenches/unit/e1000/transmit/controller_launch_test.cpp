/// When frames leave the transmit FIFO for the wire, and what finds them still there.
#include <vector>

#include <gtest/gtest.h>

#include "testbenches/unit/e1000/nic_rig.h"

namespace e1000tlm::e1000::test {
namespace {

constexpr std::uint32_t kFrames = 20;
constexpr std::size_t kSize = 1514;
constexpr std::uint32_t kFlowControl = ctrl::kRfce | ctrl::kTfce;

/// Puts `kFrames` long frames into the FIFO as fast as memory gives them; the first is under way.
void fill_fifo(NicRig& rig, std::uint32_t more_ctrl = 0) {
  rig.bring_up();
  rig.write(reg::kCtrl, rig.read(reg::kCtrl) | more_ctrl);
  rig.setup_tx(32);
  for (std::uint32_t i = 0; i < kFrames; ++i) rig.put_legacy(i, NicRig::frame(kSize));
  rig.write(reg::kTdt, kFrames);
}

/// Frames whose first bit left before `t`.
std::size_t started_before(const NicRig& rig, Time t) {
  std::size_t frames = 0;
  for (const link::Arrival& a : rig.far.received) frames += a.first_bit - kPropagation < t ? 1 : 0;
  return frames;
}

class Launch : public ::testing::TestWithParam<Time> {
 protected:
  /// What stops the transmitter at a gigabit, 40 us after the first frame: no frame starts later
  /// than a quantum after that. Those that had started, and no others, have counted.
  template <class Stop>
  void stops(Stop stop) {
    NicRig rig(Part::k82540em, GetParam());
    Time at{};
    rig.run([&] {
      fill_fifo(rig);
      NicRig::wait_for(us(40));
      at = sc_now();
      stop(rig);
      NicRig::wait_for(ms(5));  // a reset loads the EEPROM
      EXPECT_FALSE(rig.nic.busy());
    });
    EXPECT_GE(rig.far.received.size(), 2U);
    EXPECT_LT(rig.far.received.size(), 6U);
    EXPECT_EQ(rig.far.received.size(), started_before(rig, at + GetParam() + ns(1)));
    EXPECT_EQ(rig.nic.statistics()[Counter::kGptc], rig.far.received.size());
  }
};

TEST_P(Launch, ResetLetsNothingStart) {
  stops([](NicRig& rig) { rig.write(reg::kCtrl, ctrl::kRst); });
}

TEST_P(Launch, SwitchedOffTheTransmitterKeepsWhatItHas) {  // 13.4.33
  stops([](NicRig& rig) { rig.write(reg::kTctl, 0); });
}

TEST_P(Launch, WithoutSluNothingStarts) {
  stops([](NicRig& rig) { rig.write(reg::kCtrl, rig.read(reg::kCtrl) & ~ctrl::kSlu); });
}

TEST_P(Launch, APhyThatIsPoweredDownCutsTheFrameUnderWay) {
  NicRig rig(Part::k82540em, GetParam());
  Time down{};
  rig.run([&] {
    fill_fifo(rig);
    rig.phy_write(0, 0x0800);  // the link is gone within a microsecond of the end of this
    down = sc_now();
    NicRig::wait_for(us(400));
    EXPECT_FALSE(rig.nic.busy());
  });
  EXPECT_GE(rig.far.received.size(), 2U);
  for (const link::Arrival& a : rig.far.received) EXPECT_LE(a.last_bit, down);
  EXPECT_EQ(rig.cable.statistics(0).frames, rig.far.received.size());
  EXPECT_LE(rig.cable.statistics(0).lost_no_link, GetParam() == us(10) ? 2U : 1U);
  EXPECT_EQ(rig.phy.statistics().lost_no_link, 0U) << "the rest is still in the FIFO";
}

TEST_P(Launch, APauseStopsItWithinAQuantum) {
  NicRig rig(Part::k82540em, GetParam());
  Time at{};
  rig.run([&] {
    fill_fifo(rig, kFlowControl);
    rig.setup_rx(32);
    NicRig::wait_for(us(40));
    std::vector<std::uint8_t> pause(60, 0);
    const std::uint8_t head[] = {0x01, 0x80, 0xC2, 0,    0,    1, 2, 0, 0,
                                 0,    0,    1,    0x88, 0x08, 0, 1, 2, 0};
    std::copy(std::begin(head), std::end(head), pause.begin());
    for (const auto& [offset, value] :
         {std::pair{reg::kFcal, 0x00C28001U}, {reg::kFcah, 0x100U}, {reg::kFct, 0x8808U}}) {
      rig.write(offset, value);
    }
    at = rig.far.send(pause) + kPropagation;
    NicRig::wait_for(us(200));  // of 512 quanta, 262 us
    EXPECT_FALSE(rig.nic.busy()) << "nothing happens until PAUSE is over";
    EXPECT_EQ(rig.far.received.size(), started_before(rig, at + GetParam() + ns(1)));
    EXPECT_LT(rig.far.received.size(), 7U);
    NicRig::wait_for(us(600));
  });
  EXPECT_EQ(rig.far.received.size(), kFrames);
}

TEST_P(Launch, FramesThatWereKeptLeaveWhenItIsOnAgain) {
  NicRig rig(Part::k82540em, GetParam());
  Time on{};
  std::size_t before = 0;
  rig.run([&] {
    fill_fifo(rig);
    NicRig::wait_for(us(40));
    rig.write(reg::kTctl, 0);
    NicRig::wait_for(us(100));
    before = rig.far.received.size();
    on = sc_now();
    rig.write(reg::kTctl, tctl::kEn | tctl::kPsp);
    NicRig::wait_for(us(500));
  });
  ASSERT_EQ(rig.far.received.size(), kFrames);
  EXPECT_EQ(rig.far.received[before].first_bit, on + kPropagation) << "at once";
  EXPECT_EQ(rig.far.received[before + 1].first_bit - rig.far.received[before].last_bit, ns(96));
}

TEST_P(Launch, CountsWhatHasLeft) {
  NicRig rig(Part::k82540em, GetParam());
  rig.run([&] {
    fill_fifo(rig);
    std::uint32_t counted = 0;
    for (int i = 0; i < 20; ++i) {
      NicRig::wait_for(us(13));
      counted += rig.counter(Counter::kGptc);
      std::uint32_t left = 0;
      for (const link::Arrival& a : rig.far.received) {
        left += a.last_bit - kPropagation <= sc_now() ? 1 : 0;
      }
      EXPECT_GE(counted, left);
      EXPECT_LE(counted, left + (GetParam() == kTimeZero ? 0U : 1U)) << "after step " << i;
    }
    EXPECT_EQ(counted, kFrames);
    EXPECT_EQ(rig.counter(Counter::kTpt), kFrames);
    EXPECT_EQ(rig.counter(Counter::kPtc1522), kFrames);
  });
}

TEST_P(Launch, NoFrameIsHandedOverBeforeItStarts) {
  NicRig rig(Part::k82540em, GetParam());
  rig.run([&] {
    fill_fifo(rig);
    for (int i = 0; i < 40; ++i) {
      NicRig::wait_for(us(5));
      if (rig.far.received.empty()) continue;
      EXPECT_LE(rig.far.received.back().first_bit - kPropagation, sc_now() + GetParam());
    }
  });
}

INSTANTIATE_TEST_SUITE_P(Quanta, Launch, ::testing::Values(kTimeZero, us(1), us(10)),
                         [](const auto& info) { return quantum_name(info.param); });

TEST(LaunchAt10Mbit, SwxoffGoesOutAfterTheFrameUnderWay) {  // 8.7.6
  NicRig rig;
  rig.run([&] {
    rig.phy_write(4, 0x0061);  // 10BASE-T
    rig.phy_write(9, 0);
    rig.phy_write(0, 0x1200);
    NicRig::wait_for(us(10));
    fill_fifo(rig, kFlowControl);
    NicRig::wait_for(ms(3));
    rig.write(reg::kFcttv, 0x100);
    rig.write(reg::kTctl, rig.read(reg::kTctl) | tctl::kSwxoff);
    NicRig::wait_for(ms(5));
    EXPECT_EQ(rig.counter(Counter::kXofftxc), 1U);
    NicRig::wait_for(ms(40));
  });
  ASSERT_EQ(rig.far.received.size(), kFrames + 1);
  std::size_t xoff = 0;
  while (rig.far.received[xoff].frame->size() != 60) ++xoff;
  EXPECT_EQ(xoff, 3U) << "1.22 ms each: the third was under way at 3 ms";
}

TEST(LaunchHeld, AnEngineThatWaitsForRoomBehindAPauseIsNotBusy) {
  NicRig rig;
  rig.run([&] {
    rig.bring_up();
    rig.setup_tx(64);
    for (std::uint32_t i = 0; i < 60; ++i) rig.put_legacy(i, NicRig::frame(kSize));
    rig.write(reg::kCtrl, rig.read(reg::kCtrl) & ~ctrl::kSlu);
    rig.write(reg::kTdt, 60);
    NicRig::wait_for(us(200));
    EXPECT_LT(rig.read(reg::kTdh), 60U) << "the FIFO is full";
    EXPECT_FALSE(rig.nic.busy());
    rig.write(reg::kCtrl, rig.read(reg::kCtrl) | ctrl::kSlu);
    EXPECT_TRUE(rig.nic.busy());
    NicRig::wait_for(ms(1));
    EXPECT_FALSE(rig.nic.busy());
  });
  EXPECT_EQ(rig.far.received.size(), 60U);
}

TEST(LaunchHeld, ChangingTheGapCountsFromTheNextFrameOn) {
  NicRig rig;
  rig.run([&] {
    fill_fifo(rig);
    NicRig::wait_for(us(30));
    rig.write(reg::kTipg, 100);
    NicRig::wait_for(us(400));
  });
  ASSERT_EQ(rig.far.received.size(), kFrames);
  const auto gap = [&](std::size_t i) {
    return rig.far.received[i].first_bit - rig.far.received[i - 1].last_bit;
  };
  EXPECT_EQ(gap(1), ns(96));
  EXPECT_EQ(gap(2), ns(96));
  for (std::size_t i = 3; i < kFrames; ++i) EXPECT_EQ(gap(i), ns(8 * 104));
}

}  // namespace
}  // namespace e1000tlm::e1000::test
