/// Frames to and from the wire, and PHY loopback.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "testbenches/unit/phy/phy_fixture.h"

namespace e1000tlm::phy::test {
namespace {

using link::FramePool;
using link::FramePtr;
using link::LinkMode;
using link::Speed;
using ::testing::ElementsAre;

FramePtr frame(std::uint64_t tag, std::size_t size = 60) {
  FramePtr f = FramePool::shared().make(size);
  f->tag = tag;
  return f;
}

// A 60-byte frame at gigabit: (8 + 64) * 8 ns.
constexpr Time kShort = ns(576);

/// Counts wake-ups of a MAC that waits for frames.
struct ArrivalWatch : sc_core::sc_module {
  ArrivalWatch(const sc_core::sc_module_name& name, GmiiIf& gmii) : sc_module(name), phy(gmii) {
    SC_HAS_PROCESS(ArrivalWatch);
    SC_THREAD(run);
  }
  void run() {
    const sc_core::sc_event& event = phy.arrival_event();
    while (true) {
      wait(event);
      ++count;
    }
  }
  GmiiIf& phy;
  int count = 0;
};

TEST(PhyFrames, GoToTheWireAtTheirTime) {
  Bench b;
  b.gigabit_partner();
  Bench::run(ms(600));
  EXPECT_EQ(b.phy.transmit(frame(1), ms(600), 12), ms(600) + kShort);
  EXPECT_EQ(b.phy.transmit(frame(2), ms(600), 12), ms(600) + 2 * kShort + ns(96));
  EXPECT_EQ(b.phy.busy_until(), ms(600) + 2 * kShort + ns(96));
  const link::Arrival* head = b.partner().next(sc_now());
  ASSERT_NE(head, nullptr);
  EXPECT_EQ(head->last_bit, ms(600) + kShort + ns(50));
  EXPECT_EQ(b.partner().take().frame->tag, 1U);
  EXPECT_EQ(b.partner().take().frame->tag, 2U);
}

TEST(PhyFrames, LatencyIsAddedBothWays) {
  PhyConfig config;
  config.timing.tx_latency = ns(84);
  config.timing.rx_latency = ns(244);
  Bench b(config);
  b.gigabit_partner();
  EXPECT_EQ(b.phy.busy_until(), kTimeZero);
  Bench::run(ms(600));
  EXPECT_EQ(b.phy.transmit(frame(1), ms(600), 12), ms(600) + kShort) << "at the MAC";
  EXPECT_EQ(b.phy.busy_until(), ms(600) + kShort);
  EXPECT_EQ(b.partner().take().last_bit, ms(600) + kShort + ns(84 + 50));

  b.partner().send(frame(7), ms(600));
  const link::Arrival* head = b.phy.next(sc_now());
  ASSERT_NE(head, nullptr);
  EXPECT_EQ(head->frame->tag, 7U);
  EXPECT_EQ(head->first_bit, ms(600) + ns(50 + 244));
  EXPECT_EQ(head->last_bit, ms(600) + kShort + ns(50 + 244));
  const link::Arrival arrival = b.phy.take();
  EXPECT_EQ(arrival.last_bit, ms(600) + kShort + ns(50 + 244));
  EXPECT_EQ(arrival.frame->tag, 7U);
  EXPECT_EQ(b.phy.next(sc_now()), nullptr);
}

TEST(PhyFrames, ArrivalEventWakesTheMac) {
  Bench b;
  ArrivalWatch watch("arrivals", b.phy);
  b.gigabit_partner();
  Bench::run(ms(600));
  b.partner().send(frame(1), sc_now());
  Bench::run(us(10));
  EXPECT_EQ(watch.count, 1);
  b.phy.take();
  b.write(reg::kControl, 0x4140);
  b.phy.transmit(frame(2), sc_now(), 12);
  Bench::run(us(10));
  EXPECT_EQ(watch.count, 2) << "the same event tells of looped frames";
}

TEST(PhyFrames, WithoutLinkAreLostAndCountedButTakeTheirTime) {
  Bench b;
  Bench::run(ms(1));
  EXPECT_EQ(b.phy.transmit(frame(1), ms(1), 12), ms(1) + kShort);
  EXPECT_EQ(b.phy.transmit(frame(2), ms(1), 12), ms(1) + 2 * kShort + ns(96));
  EXPECT_EQ(b.phy.busy_until(), ms(1) + 2 * kShort + ns(96));
  EXPECT_EQ(b.phy.statistics().lost_no_link, 2U);
  EXPECT_EQ(b.cable.statistics(0).frames, 0U);
}

TEST(PhyFrames, CodingErrorsAreCounted) {
  Bench b;
  b.gigabit_partner();
  Bench::run(ms(600));
  FramePtr bad = frame(1);
  bad->coding_error = true;
  b.partner().send(bad, sc_now());
  b.partner().send(frame(2), sc_now());
  b.phy.take();
  b.phy.take();
  EXPECT_EQ(b.read(reg::kReceiveErrors), 1);
  EXPECT_EQ(b.read(reg::kReceiveErrors), 0);
}

TEST(PhyFrames, ReadinessReachesThePartner) {
  Bench b;
  EXPECT_FALSE(b.partner().partner_ready());
  Bench::run(kTimeZero);
  b.phy.set_ready(true);
  EXPECT_TRUE(b.partner().partner_ready());
  b.phy.set_ready(false);
  EXPECT_FALSE(b.partner().partner_ready());
}

TEST(PhyFrames, ReceivedBeforeLinkLossCanStillBeTaken) {
  Bench b;
  b.gigabit_partner();
  Bench::run(ms(600));
  b.partner().send(frame(1), sc_now());
  Bench::run(us(10));
  b.write(reg::kControl, 0x1340);
  ASSERT_NE(b.phy.next(sc_now()), nullptr);
  EXPECT_EQ(b.phy.take().frame->tag, 1U);
}

TEST(PhyFrames, PowerDownAndResetDiscardWhatWasNotTaken) {
  Bench b;
  b.gigabit_partner();
  Bench::run(ms(600));
  b.partner().send(frame(1), sc_now());
  b.partner().send(frame(2), sc_now());
  Bench::run(us(10));
  b.write(reg::kControl, 0x1940);
  EXPECT_EQ(b.phy.next(sc_now()), nullptr);
  EXPECT_EQ(b.phy.statistics().discarded, 2U);
  b.phy.hardware_reset(true);
  EXPECT_EQ(b.phy.next(sc_now()), nullptr);
}

/// Never runs dry while there is link.
struct EndlessSource : link::FrameSource {
  explicit EndlessSource(link::CableEndIf& from) : end(from) {}
  void refill(Time now) override { end.send(frame(9), now); }
  link::CableEndIf& end;
};

TEST(PhyFrames, PowerDownEndsEvenWithAnEndlessSource) {
  Bench b;
  EndlessSource source(b.partner());
  b.gigabit_partner();
  b.partner().set_source(&source);
  Bench::run(ms(600));
  ASSERT_NE(b.phy.next(sc_now()), nullptr);
  b.phy.take();
  b.write(reg::kControl, 0x1940);
  EXPECT_EQ(b.phy.next(sc_now()), nullptr);
}

TEST(PhyLoopback, UsableTheMomentItIsWritten) {
  Bench b;  // as Linux's loopback self-test does it, without a cable
  Bench::run(ms(1));
  b.write(reg::kSpecificControl, 0x0808);
  b.write(reg::kControl, 0x9140);
  b.write(reg::kControl, 0x8140);
  b.write(reg::kControl, 0x4140);
  EXPECT_EQ(b.phy.link(), (LinkStatus{true, kGigabit, true}));
  EXPECT_EQ(b.read(reg::kControl), 0x4140);
  EXPECT_EQ(b.read(reg::kSpecificStatus), 0xAC00);
  EXPECT_EQ(b.read(reg::kStatus) & status::kLink, status::kLink);

  // 64 frames of 1024 bytes: 64 * (8 + 1028) * 8 ns + 63 * 96 ns.
  Time end = kTimeZero;
  for (unsigned i = 0; i < 64; ++i) end = b.phy.transmit(frame(i, 1024), ms(1), 12);
  EXPECT_EQ(end, ms(1) + ns(64 * 8288 + 63 * 96));
  for (unsigned i = 0; i < 64; ++i) {
    ASSERT_NE(b.phy.next(sc_now()), nullptr);
    const link::Arrival arrival = b.phy.take();
    EXPECT_EQ(arrival.frame->tag, i);
    EXPECT_EQ(arrival.last_bit, ms(1) + ns((i + 1) * 8288 + i * 96 + 100));
    EXPECT_EQ(arrival.first_bit, ms(1) + ns(i * (8288 + 96) + 100));
  }
  EXPECT_EQ(b.phy.next(sc_now()), nullptr);
  EXPECT_EQ(b.phy.statistics().looped, 64U);
  EXPECT_EQ(b.cable.statistics(0).frames, 0U);
  EXPECT_EQ(b.cable.statistics(0).lost_no_link, 0U) << "nothing reached the wire";
}

TEST(PhyLoopback, BreaksTheLinkAndRestartsItAfterwards) {
  Bench b;
  b.gigabit_partner();
  Bench::run(ms(600));
  b.partner().send(frame(1), sc_now());
  Bench::run(us(10));
  b.write(reg::kControl, 0x5140);
  EXPECT_TRUE(b.phy.link().loopback);
  EXPECT_EQ(b.partner().partner(), std::nullopt);
  EXPECT_FALSE(b.partner().link_up());
  EXPECT_EQ(b.phy.next(sc_now()), nullptr);
  EXPECT_EQ(b.phy.statistics().discarded, 1U);
  b.phy.transmit(frame(2), sc_now(), 12);
  Bench::run(ms(100));
  EXPECT_EQ(b.read(reg::kStatus) & status::kLink, 0) << "latched: the link did break";
  b.write(reg::kControl, 0x1140);
  EXPECT_FALSE(b.phy.link().up);
  EXPECT_EQ(b.phy.next(sc_now()), nullptr) << "what was in the loop is gone";
  EXPECT_EQ(b.phy.statistics().discarded, 2U);
  Bench::run(ms(501));
  EXPECT_EQ(b.phy.link(), (LinkStatus{true, kGigabit, false}));
  EXPECT_THAT(b.watch.times,
              ElementsAre(ms(500), ms(600) + us(10), ms(700) + us(10), ms(1200) + us(10)));
}

TEST(PhyLoopback, RunsAtTheWrittenSpeed) {
  Bench b;
  Bench::run(ms(1));
  b.write(reg::kControl, 0x6100);
  EXPECT_EQ(b.phy.link(), (LinkStatus{true, kFast, true}));
  EXPECT_EQ(b.phy.transmit(frame(1), ms(1), 12), ms(1) + ns(5760));
  b.write(reg::kControl, 0x4000);
  EXPECT_EQ(b.phy.link().mode, (LinkMode{Speed::k10, false}));
  EXPECT_NE(b.phy.next(sc_now()), nullptr) << "a change of speed loses no frame";
}

TEST(PhyLoopback, SoftAndHardwareResetEndIt) {
  Bench b;
  Bench::run(ms(1));
  b.write(reg::kControl, 0x4140);
  b.write(reg::kControl, 0xC140);
  EXPECT_FALSE(b.phy.link().up);
  EXPECT_EQ(b.read(reg::kControl), 0x0140);
  b.write(reg::kControl, 0x4140);
  b.phy.hardware_reset(true);
  EXPECT_FALSE(b.phy.link().up);
  b.phy.hardware_reset(false);
  EXPECT_EQ(b.read(reg::kControl), 0x1140);
}

TEST(PhyLoopback, IgnoresTheCable) {
  Bench b;
  Bench::run(ms(1));
  b.write(reg::kControl, 0x4140);
  b.gigabit_partner();
  Bench::run(ms(1000));
  b.cable.plug(false);
  Bench::run(ms(10));
  EXPECT_TRUE(b.phy.link().loopback);
  EXPECT_EQ(b.watch.times.size(), 1U);
}

TEST(PhyLoopback, FramesNobodyTakesAreBoundedAndCounted) {
  Bench b;
  Bench::run(ms(1));
  b.write(reg::kControl, 0x4140);
  const FramePtr same = frame(1);
  for (std::size_t i = 0; i < M88E1011::kLoopLimit + 3; ++i) b.phy.transmit(same, ms(1), 12);
  EXPECT_EQ(b.phy.statistics().lost_loopback_full, 3U);
  EXPECT_EQ(b.phy.statistics().looped, M88E1011::kLoopLimit + 3);
}

}  // namespace
}  // namespace e1000tlm::phy::test
