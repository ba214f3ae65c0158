#include "e1000tlm/link/cable.h"

#include <functional>
#include <vector>

#include <systemc>

#include <gtest/gtest.h>

#include "testbenches/support/sc_test.h"
#include "testbenches/unit/link/link_fixture.h"

namespace e1000tlm::link {
namespace {

using test::Collector;
using test::EventCounter;
using test::Script;
using test::wait_delta;
using test::wait_for;

constexpr LinkMode kGigabit{Speed::k1000, true};

FramePtr frame_of(std::size_t size, std::uint64_t tag = 0) {
  FramePtr frame = FramePool::shared().make(size);
  frame->tag = tag;
  return frame;
}

void link_both(Cable& cable, std::optional<LinkMode> mode = kGigabit) {
  cable.end(0).set_link(mode);
  cable.end(1).set_link(mode);
}

void run(const std::function<void()>& steps) {
  Script script(steps);
  sc_core::sc_start();
}

/// Sends `total` minimal frames back to back, one whenever asked.
class CountingSource : public FrameSource {
 public:
  CountingSource(CableEndIf& end, int total) : end_(end), left_(total) {}
  void refill(Time now) override {
    asked_at.push_back(now);
    if (left_-- > 0) end_.send(frame_of(60, next_tag_++), now);
  }
  std::vector<Time> asked_at;

 private:
  CableEndIf& end_;
  int left_;
  std::uint64_t next_tag_ = 0;
};

TEST(Cable, MinimalGigabitFramesFollowEvery672Nanoseconds) {
  Cable cable("cable", {ns(50)});
  run([&] {
    link_both(cable);
    EXPECT_EQ(cable.end(0).busy_until(), kTimeZero);
    EXPECT_EQ(cable.end(0).send(frame_of(60), kTimeZero), ns(576));
    EXPECT_EQ(cable.end(0).send(frame_of(60), kTimeZero), ns(672 + 576));
    EXPECT_EQ(cable.end(0).busy_until(), ns(672 + 576));
    EXPECT_EQ(cable.end(0).in_flight(), 2U);
    CableEndIf& receiver = cable.end(1);
    ASSERT_NE(receiver.next(kTimeZero), nullptr);
    const Arrival first = receiver.take();
    EXPECT_EQ(first.first_bit, ns(50));
    EXPECT_EQ(first.last_bit, ns(50 + 576));
    const Arrival second = receiver.take();
    EXPECT_EQ(second.first_bit, ns(50 + 672));
    EXPECT_EQ(second.last_bit, ns(50 + 672 + 576));
    EXPECT_EQ(receiver.next(kTimeZero), nullptr);
    EXPECT_EQ(cable.end(0).in_flight(), 0U);
    EXPECT_EQ(cable.statistics(0).frames, 2U);
    EXPECT_EQ(cable.statistics(0).bytes, 128U);
  });
}

TEST(Cable, SlowerSpeedsStretchFrameAndGap) {
  Cable cable("cable", {ns(50)});
  run([&] {
    link_both(cable, LinkMode{Speed::k100, true});
    EXPECT_EQ(cable.end(0).speed(), Speed::k100);
    cable.end(0).send(frame_of(60), kTimeZero);
    EXPECT_EQ(cable.end(0).send(frame_of(60), kTimeZero), ns(6'720 + 5'760));
    link_both(cable, std::nullopt);
    link_both(cable, LinkMode{Speed::k10, true});
    cable.end(1).send(frame_of(60), kTimeZero);
    EXPECT_EQ(cable.end(1).send(frame_of(60), kTimeZero), ns(67'200 + 57'600));
  });
}

TEST(Cable, FramesThatHaveNotBegunCanBeTakenBack) {
  Cable cable("cable");
  run([&] {
    link_both(cable);
    CableEndIf& sender = cable.end(1);
    sender.send(frame_of(60), kTimeZero);
    sender.send(frame_of(60), us(10));
    sender.send(frame_of(100), us(20));
    wait_for(us(10));  // the second begins right now
    EXPECT_EQ(sender.recall(), 1U);
    EXPECT_EQ(sender.recall(), 0U);
    EXPECT_EQ(sender.statistics().frames, 2U);
    EXPECT_EQ(sender.statistics().bytes, 128U);
    EXPECT_EQ(sender.in_flight(), 2U);
  });
}

TEST(Cable, KeepsTheAskedForGapAndTheEarliestTime) {
  Cable cable("cable");
  run([&] {
    link_both(cable);
    EXPECT_EQ(cable.end(0).send(frame_of(60), ns(1'000)), ns(1'576));
    EXPECT_EQ(cable.end(0).send(frame_of(60), kTimeZero, 20), ns(1'576 + 160 + 576));
    EXPECT_EQ(cable.end(0).send(frame_of(60), us(10), 20), us(10) + ns(576));
  });
}

TEST(Cable, DirectionsDoNotDisturbEachOther) {
  Cable cable("cable", {ns(0)});
  run([&] {
    link_both(cable);
    cable.end(0).send(frame_of(1514, 1), kTimeZero);
    EXPECT_EQ(cable.end(1).send(frame_of(60, 2), kTimeZero), ns(576));
    EXPECT_EQ(cable.end(1).take().frame->tag, 1U);
    EXPECT_EQ(cable.end(0).take().frame->tag, 2U);
  });
}

TEST(Cable, QueueGrowsAndKeepsOrder) {
  Cable cable("cable");
  run([&] {
    link_both(cable);
    for (std::uint64_t i = 0; i < 1000; ++i) {
      cable.end(0).send(frame_of(60, i), kTimeZero);
      if (i % 10 == 9) {
        EXPECT_EQ(cable.end(1).take().frame->tag, i / 10);
      }
    }
    for (std::uint64_t i = 100; i < 1000; ++i) EXPECT_EQ(cable.end(1).take().frame->tag, i);
  });
}

TEST(Cable, WithoutLinkFramesAreLostAndCounted) {
  Cable cable("cable");
  run([&] {
    cable.end(0).send(frame_of(60), kTimeZero);
    cable.end(0).set_link(kGigabit);
    EXPECT_FALSE(cable.end(0).link_up()) << "only one end has link";
    cable.end(0).send(frame_of(60), kTimeZero);
    cable.end(1).set_link(LinkMode{Speed::k100, true});
    EXPECT_FALSE(cable.end(0).link_up()) << "different modes";
    cable.end(1).send(frame_of(60), kTimeZero);
    EXPECT_EQ(cable.end(0).next(kTimeZero), nullptr);
    EXPECT_EQ(cable.end(1).next(kTimeZero), nullptr);
    EXPECT_EQ(cable.statistics(0).lost_no_link, 2U);
    EXPECT_EQ(cable.statistics(1).lost_no_link, 1U);
    EXPECT_EQ(cable.statistics(0).frames, 0U);
    cable.end(1).set_link(kGigabit);
    EXPECT_TRUE(cable.end(0).link_up());
    EXPECT_TRUE(cable.end(1).link_up());
  });
}

TEST(Cable, FramesUnderWayAreLostWithTheLinkAndArrivedOnesStay) {
  Cable cable("cable", {ns(50)});
  run([&] {
    link_both(cable);
    for (std::uint64_t i = 0; i < 3; ++i) cable.end(0).send(frame_of(60, i), kTimeZero);
    wait_for(ns(1'000));  // the second is on the wire
    cable.end(1).set_link(std::nullopt);
    EXPECT_FALSE(cable.end(0).link_up());
    EXPECT_EQ(cable.statistics(0).frames, 1U);
    EXPECT_EQ(cable.statistics(0).bytes, 64U);
    EXPECT_EQ(cable.statistics(0).lost_no_link, 2U);
    EXPECT_EQ(cable.end(0).busy_until(), ns(1'000)) << "the wire is free";
    ASSERT_NE(cable.end(1).next(sc_now()), nullptr);
    EXPECT_EQ(cable.end(1).take().frame->tag, 0U);
    EXPECT_EQ(cable.end(1).next(sc_now()), nullptr);
  });
}

TEST(Cable, ArrivalEventComesOnlyWhenAFrameJoinsAnEmptyQueue) {
  Cable cable("cable");
  EventCounter arrivals("arrivals", cable.end(1).arrival_event());
  run([&] {
    link_both(cable);
    cable.end(0).send(frame_of(60), kTimeZero);
    wait_for(ns(1));
    EXPECT_EQ(arrivals.notifications, 1);
    cable.end(0).send(frame_of(60), kTimeZero);
    wait_for(ns(1));
    EXPECT_EQ(arrivals.notifications, 1) << "queue was not empty";
    cable.end(1).take();
    cable.end(1).take();
    cable.end(0).send(frame_of(60), kTimeZero);
    wait_for(ns(1));
    EXPECT_EQ(arrivals.notifications, 2);
  });
}

TEST(Cable, AnEmptyQueueAsksTheSourceWithoutAnEvent) {
  Cable cable("cable");
  EventCounter arrivals("arrivals", cable.end(1).arrival_event());
  run([&] {
    CountingSource source(cable.end(0), 2);
    cable.end(0).set_source(&source);
    EXPECT_EQ(cable.end(1).next(ns(1)), nullptr) << "no link";
    EXPECT_TRUE(source.asked_at.empty());
    link_both(cable);
    wait_for(ns(1));
    const int before = arrivals.notifications;
    EXPECT_GE(before, 1) << "source and link have come";
    for (std::uint64_t i = 0; i < 2; ++i) {
      const Arrival* next = cable.end(1).next(ns(7));
      ASSERT_NE(next, nullptr);
      EXPECT_EQ(cable.end(1).next(ns(8)), next) << "asked once for one frame";
      EXPECT_EQ(next->frame->tag, i);
      cable.end(1).take();
    }
    EXPECT_EQ(cable.end(1).next(ns(9)), nullptr);
    EXPECT_EQ(source.asked_at, (std::vector<Time>{ns(7), ns(7), ns(9)}));
    wait_for(ns(1));
    EXPECT_EQ(arrivals.notifications, before);
    cable.end(0).set_source(nullptr);
    EXPECT_EQ(cable.end(1).next(ns(9)), nullptr);
    EXPECT_EQ(source.asked_at.size(), 3U);
  });
}

TEST(Cable, SinksGetFramesAtOnceStampedWithTheirArrival) {
  Cable cable("cable", {ns(50)});
  Collector sink;
  run([&] {
    link_both(cable);
    cable.end(0).send(frame_of(60, 1), kTimeZero);
    cable.end(1).set_sink(&sink);
    ASSERT_EQ(sink.arrivals.size(), 1U) << "what was queued goes to the sink";
    cable.end(0).send(frame_of(60, 2), us(1));
    ASSERT_EQ(sink.arrivals.size(), 2U);
    EXPECT_EQ(sink.arrivals[1].frame->tag, 2U);
    EXPECT_EQ(sink.arrivals[1].last_bit, us(1) + ns(626));
    EXPECT_EQ(cable.end(0).in_flight(), 2U);
    wait_for(us(3));
    EXPECT_EQ(cable.end(0).in_flight(), 0U) << "they have arrived";
    cable.end(1).set_sink(nullptr);
    cable.end(0).send(frame_of(60, 3), us(2));
    EXPECT_EQ(cable.end(1).take().frame->tag, 3U);
  });
}

/// Counts what it has, and may refuse to give it back.
class Holder : public FrameSink {
 public:
  void receive(Arrival arrival) override { last_bits.push_back(arrival.last_bit); }
  bool take_back(Time last_bit, std::size_t size) override {
    EXPECT_EQ(last_bit, last_bits.back()) << "newest first";
    EXPECT_EQ(size, 60U);
    if (last_bits.size() <= keep) return false;
    last_bits.pop_back();
    return true;
  }
  std::vector<Time> last_bits;
  std::size_t keep = 0;
};

TEST(Cable, ASinkGivesBackWhatAPulledPlugCutsOff) {
  Cable cable("cable", {ns(50)});
  Holder sink;
  cable.end(1).set_sink(&sink);
  run([&] {
    link_both(cable);
    for (unsigned i = 0; i < 100; ++i) {
      cable.end(0).send(frame_of(60, i), kTimeZero);
    }
    wait_for(sink.last_bits[97]);
    cable.plug(false);
    EXPECT_EQ(sink.last_bits.size(), 98U);
    EXPECT_EQ(cable.statistics(0).frames, 98U);
    EXPECT_EQ(cable.statistics(0).bytes, 98U * 64);
    EXPECT_EQ(cable.statistics(0).lost_no_link, 2U);
    EXPECT_EQ(cable.end(0).in_flight(), 0U);
  });
}

TEST(Cable, WhatASinkHasActedUponCountsAsCarried) {
  Cable cable("cable", {ns(50)});
  Holder sink;
  sink.keep = 1;
  cable.end(1).set_sink(&sink);
  run([&] {
    link_both(cable);
    cable.end(0).send(frame_of(60, 1), kTimeZero);
    cable.end(0).send(frame_of(60, 2), kTimeZero);
    cable.plug(false);
    EXPECT_EQ(cable.statistics(0).frames, 1U);
    EXPECT_EQ(cable.statistics(0).lost_no_link, 1U);
  });
}

TEST(Cable, ASenderRecallsFromASinkWhatHasNotBegun) {
  Cable cable("cable", {ns(50)});
  Holder sink;
  cable.end(1).set_sink(&sink);
  run([&] {
    link_both(cable);
    cable.end(0).send(frame_of(60, 1), kTimeZero);
    cable.end(0).send(frame_of(60, 2), us(10));
    cable.end(0).send(frame_of(60, 3), us(20));
    wait_for(us(10) + ns(100));
    EXPECT_EQ(cable.end(0).recall(), 1U) << "the second is under way";
    EXPECT_EQ(sink.last_bits.size(), 2U);
    EXPECT_EQ(cable.statistics(0).frames, 2U);
    EXPECT_EQ(cable.statistics(0).lost_no_link, 0U);
  });
}

TEST(Cable, FeedsASinkFromASourceFrameAfterFrame) {
  Cable cable("cable", {ns(50)});
  Collector sink;
  cable.end(1).set_sink(&sink);
  CountingSource source(cable.end(0), 3);
  cable.end(0).set_source(&source);
  run([&] {
    wait_for(us(1));
    EXPECT_TRUE(sink.arrivals.empty()) << "no link yet";
    link_both(cable);
    wait_for(us(10));
    ASSERT_EQ(sink.arrivals.size(), 3U);
    EXPECT_EQ(sink.called_at[0], us(1));
    EXPECT_EQ(sink.called_at[1], us(1) + ns(576)) << "when the first has left";
    EXPECT_EQ(sink.called_at[2], us(1) + ns(672 + 576));
    EXPECT_EQ(source.asked_at.size(), 4U) << "the last time in vain";
    cable.end(0).send(frame_of(60), kTimeZero);
    wait_for(us(10));
    EXPECT_EQ(source.asked_at.size(), 5U) << "a send() of its own restarts the flow";
  });
}

TEST(Cable, EachEndSeesWhatTheOtherAdvertises) {
  Cable cable("cable");
  EventCounter changes("changes", cable.end(1).change_event());
  run([&] {
    EXPECT_FALSE(cable.end(1).partner());
    cable.end(0).advertise(gigabit_abilities());
    EXPECT_EQ(cable.end(1).partner(), gigabit_abilities());
    EXPECT_FALSE(cable.end(0).partner());
    wait_delta();
    wait_delta();
    EXPECT_EQ(changes.notifications, 1);
    cable.end(0).advertise(gigabit_abilities());
    wait_delta();
    wait_delta();
    EXPECT_EQ(changes.notifications, 1) << "nothing new";
    cable.end(0).advertise(std::nullopt);
    wait_delta();
    wait_delta();
    EXPECT_EQ(changes.notifications, 2);
  });
}

TEST(Cable, UnpluggedBothEndsSeeSilence) {
  Cable cable("cable");
  EventCounter changes("changes", cable.end(0).change_event());
  run([&] {
    for (unsigned i = 0; i < 2; ++i) {
      cable.end(i).advertise(gigabit_abilities());
      cable.end(i).set_ready(true);
    }
    link_both(cable);
    wait_for(ns(1));
    const int before = changes.notifications;
    cable.end(0).send(frame_of(60), ns(1));
    cable.plug(false);
    EXPECT_FALSE(cable.end(0).partner() || cable.end(1).partner());
    EXPECT_FALSE(cable.end(0).link_up());
    EXPECT_FALSE(cable.end(1).partner_ready());
    EXPECT_EQ(cable.statistics(0).lost_no_link, 1U);
    wait_for(ns(1));
    EXPECT_EQ(changes.notifications, before + 1);
    cable.plug(true);
    EXPECT_EQ(cable.end(0).partner(), gigabit_abilities());
    EXPECT_TRUE(cable.end(0).link_up());
    EXPECT_TRUE(cable.end(1).partner_ready());
  });
}

TEST(Cable, ReadinessReachesTheOtherEnd) {
  Cable cable("cable");
  EventCounter ready("ready", cable.end(1).ready_event());
  run([&] {
    cable.end(0).set_ready(true);
    EXPECT_TRUE(cable.end(1).partner_ready());
    EXPECT_FALSE(cable.end(0).partner_ready());
    wait_for(ns(1));
    cable.end(0).set_ready(true);
    wait_for(ns(1));
    EXPECT_EQ(ready.notifications, 1);
    cable.end(0).set_ready(false);
    EXPECT_FALSE(cable.end(1).partner_ready());
    wait_for(ns(1));
    EXPECT_EQ(ready.notifications, 2);
  });
}

TEST(Cable, ProbeShowsFramesAsTheyLeaveTheSender) {
  Cable cable("cable", {ns(50)});
  std::vector<WireEvent> events;
  cable.wire.attach([&](const WireEvent& event) { events.push_back(event); });
  run([&] {
    cable.end(1).send(frame_of(60), kTimeZero);
    EXPECT_TRUE(events.empty()) << "never on the wire";
    link_both(cable);
    cable.end(1).send(frame_of(60), us(1));
    ASSERT_EQ(events.size(), 1U);
    EXPECT_EQ(events[0].from, 1U);
    EXPECT_EQ(events[0].start, us(1));
    EXPECT_EQ(events[0].end, us(1) + ns(576));
    EXPECT_EQ(&cable.end(1).wire(), &cable.wire);
    EXPECT_EQ(cable.end(1).index(), 1U);
  });
}

}  // namespace
}  // namespace e1000tlm::link
