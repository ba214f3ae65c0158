#include "e1000tlm/link/filter/filter_box.h"

#include <algorithm>
#include <functional>
#include <memory>
#include <numeric>
#include <vector>

#include <gtest/gtest.h>

#include "e1000tlm/link/filter/divert_filter.h"
#include "e1000tlm/link/filter/impair_filter.h"
#include "e1000tlm/link/simple_partners.h"
#include "testbenches/unit/link/link_fixture.h"

namespace e1000tlm::link {
namespace {

using test::Script;
using test::TestNic;

/// An adapter, a cable, a box with one bad line, and a partner that sends everything back.
class Bench {
 public:
  explicit Bench(const ImpairConfig& config, Ways ways = {true, true})
      : nic(cable.end(0)),
        box("box", cable.end(1)),
        line(box.add(std::make_unique<ImpairFilter>("impair", ways, config))),
        partner("partner", box.outer()) {}

  static FramePtr frame(unsigned number, std::size_t bytes = 200) {
    FramePtr made = FramePool::shared().make(bytes);
    std::fill(made->data(), made->data() + bytes, static_cast<std::uint8_t>(number));
    made->tag = number;
    made->queue = static_cast<std::uint16_t>(number % 4);
    return made;
  }
  /// Sends frames at equal distances, and waits until all is over.
  void exchange(unsigned frames, Time distance, Time afterwards = ms(50)) {
    test::wait_for(us(10));
    begun = sc_now();
    for (unsigned i = 1; i <= frames; ++i) {
      cable.end(0).send(frame(i), begun + distance * static_cast<std::int64_t>(i));
    }
    test::wait_for(distance * static_cast<std::int64_t>(frames) + afterwards);
  }
  std::vector<std::uint64_t> tags() const {
    std::vector<std::uint64_t> all;
    for (const Arrival& a : nic.received) all.push_back(a.frame->tag);
    return all;
  }

  Cable cable{"cable"};
  TestNic nic;
  FilterBox box;
  ImpairFilter& line;
  LoopbackPartner partner;
  Time begun{};
};

/// Runs the steps in the only thread, to the end.
void run(const std::function<void()>& steps) {
  Script script([&] {
    steps();
    sc_core::sc_stop();
  });
  sc_core::sc_start();
}

std::vector<std::uint64_t> counted(unsigned to) {
  std::vector<std::uint64_t> all(to);
  std::iota(all.begin(), all.end(), 1);
  return all;
}

TEST(FilterBox, WithoutFilterOrDamageTimesAreThoseOfTheCable) {
  Bench bench({});
  run([&] { bench.exchange(20, us(5)); });
  ASSERT_EQ(bench.tags(), counted(20));
  for (unsigned i = 0; i < 20; ++i) {
    const Time sent = bench.begun + us(5) * static_cast<std::int64_t>(i + 1);
    const Time length = serialisation(204, Speed::k1000);
    // There and back: the partner answers when the last bit is in.
    EXPECT_EQ(bench.nic.received[i].first_bit, sent + ns(50) + length + ns(50));
    EXPECT_EQ(bench.nic.received[i].last_bit, sent + ns(50) + length + ns(50) + length);
  }
  EXPECT_TRUE(bench.box.idle());
  EXPECT_TRUE(bench.box.losses().empty());
}

TEST(FilterBox, FramesBackToBackStayBackToBack) {
  Bench bench({});
  run([&] { bench.exchange(50, kTimeZero); });
  ASSERT_EQ(bench.tags(), counted(50));
  for (unsigned i = 1; i < 50; ++i) {
    EXPECT_EQ(bench.nic.received[i].first_bit - bench.nic.received[i - 1].last_bit, ns(12 * 8));
  }
}

TEST(FilterBox, ADelayIsExactEachWay) {
  ImpairConfig config;
  config.delay = us(300);
  Bench bench(config);
  run([&] { bench.exchange(10, us(5)); });
  ASSERT_EQ(bench.tags(), counted(10));
  const Time length = serialisation(204, Speed::k1000);
  EXPECT_EQ(bench.nic.received[0].first_bit, bench.begun + us(5) + ns(100) + length + 2 * us(300));
}

TEST(FilterBox, OneWayOnly) {
  ImpairConfig config;
  config.lose = {{2, 3}};
  Bench bench(config, Ways{false, true});
  run([&] { bench.exchange(5, us(5)); });
  EXPECT_EQ(bench.tags(), (std::vector<std::uint64_t>{1, 4, 5}));
  EXPECT_EQ(bench.partner.statistics().frames_from_nic, 3U);
  EXPECT_EQ(bench.line.statistics(Way::kIn).frames, 0U);
  EXPECT_EQ(bench.box.losses(), (std::map<std::string, std::uint64_t>{{"impair_chosen", 2}}));
}

TEST(FilterBox, LossesAreThoseOfTheLogic) {
  ImpairConfig config;
  config.loss = 0.3;
  Bench bench(config);
  run([&] { bench.exchange(200, us(5)); });
  Impairment out(config, index_of(Way::kOut));
  Impairment in(config, index_of(Way::kIn));
  std::vector<std::uint64_t> expected;
  for (unsigned i = 1; i <= 200; ++i) {
    if (out.decide(kTimeZero, 204, Speed::k1000).lost) continue;
    if (!in.decide(kTimeZero, 204, Speed::k1000).lost) expected.push_back(i);
  }
  EXPECT_EQ(bench.tags(), expected);
}

TEST(FilterBox, CorruptionIsSeenByTheFcs) {
  ImpairConfig config;
  config.corrupt = 1;
  Bench bench(config, Ways{true, false});
  run([&] { bench.exchange(20, us(5)); });
  ASSERT_EQ(bench.nic.received.size(), 20U);
  for (const Arrival& a : bench.nic.received) {
    EXPECT_FALSE(a.frame->fcs_ok());
    EXPECT_EQ(a.frame->queue, a.frame->tag % 4) << "a damaged frame is of the same queue";
  }
}

TEST(FilterBox, MendedCorruptionPassesTheFcs) {
  ImpairConfig config;
  config.corrupt = 1;
  config.mend_fcs = true;
  Bench bench(config, Ways{true, false});
  run([&] { bench.exchange(20, us(5)); });
  unsigned changed = 0;
  for (const Arrival& a : bench.nic.received) {
    EXPECT_TRUE(a.frame->fcs_ok());
    const auto original = static_cast<std::uint8_t>(a.frame->tag);
    changed += static_cast<unsigned>(std::count_if(a.frame->bytes().begin(), a.frame->bytes().end(),
                                                   [&](std::uint8_t b) { return b != original; }));
  }
  EXPECT_GE(changed, 18U);  // a bit of the FCS may have been hit
  EXPECT_LE(changed, 20U);
}

TEST(FilterBox, DuplicatesFollowAtOnce) {
  ImpairConfig config;
  config.duplicate = 1;
  Bench bench(config, Ways{true, false});
  run([&] { bench.exchange(3, us(20)); });
  ASSERT_EQ(bench.tags(), (std::vector<std::uint64_t>{1, 1, 2, 2, 3, 3}));
  EXPECT_EQ(bench.nic.received[1].first_bit - bench.nic.received[0].last_bit, ns(12 * 8));
  EXPECT_EQ(bench.line.statistics(Way::kIn).duplicated, 3U);
}

TEST(FilterBox, AReorderedFrameIsOvertakenByDepthOrWaitsOutItsTime) {
  ImpairConfig config;
  config.reorder = 0.2;
  config.depth = 2;
  config.wait = ms(1);
  Bench bench(config, Ways{true, false});
  run([&] { bench.exchange(100, us(5)); });
  Impairment logic(config, index_of(Way::kIn));
  std::vector<std::uint64_t> expected;
  std::vector<std::pair<std::uint64_t, unsigned>> aside;
  for (unsigned i = 1; i <= 100; ++i) {
    if (logic.decide(kTimeZero, 204, Speed::k1000).aside) {
      aside.emplace_back(i, config.depth);
      continue;
    }
    expected.push_back(i);
    for (auto& waiting : aside) {
      if (--waiting.second == 0) expected.push_back(waiting.first);
    }
    aside.erase(std::remove_if(aside.begin(), aside.end(), [](auto& a) { return a.second == 0; }),
                aside.end());
  }
  for (const auto& waiting : aside) expected.push_back(waiting.first);
  EXPECT_EQ(bench.tags(), expected);
  EXPECT_NE(expected, counted(100));
}

TEST(FilterBox, WhatIsHeldWhenTheLinkGoesIsLostAndCounted) {
  ImpairConfig config;
  config.delay = ms(1);
  Bench bench(config);
  run([&] {
    bench.exchange(10, us(5), us(100));
    bench.cable.plug(false);
    test::wait_for(ms(5));
    EXPECT_FALSE(bench.box.outer().link_up());
    bench.cable.plug(true);
    bench.exchange(2, us(5));
  });
  EXPECT_EQ(bench.box.losses(), (std::map<std::string, std::uint64_t>{{"impair_link_lost", 10}}));
  EXPECT_EQ(bench.tags(), counted(2));
  EXPECT_TRUE(bench.box.idle());
}

TEST(FilterBox, AMirrorSeesWhatPassesAndARedirectTakesIt) {
  Cable cable("cable");
  TestNic nic(cable.end(0));
  FilterBox box("box", cable.end(1));
  auto& mirror =
      box.add(std::make_unique<DivertFilter>("mirror", Ways{false, true}, Divert::kMirror));
  auto& redirect =
      box.add(std::make_unique<DivertFilter>("redirect", Ways{true, false}, Divert::kRedirect));
  NullPartner seen("seen", mirror.outer());
  NullPartner taken("taken", redirect.outer());
  LoopbackPartner partner("partner", box.outer());
  run([&] {
    test::wait_for(us(10));
    for (unsigned i = 1; i <= 5; ++i) cable.end(0).send(Bench::frame(i), sc_now());
    test::wait_for(ms(1));
  });
  EXPECT_EQ(seen.statistics().frames_from_nic, 5U);
  EXPECT_EQ(partner.statistics().frames_from_nic, 5U);
  EXPECT_EQ(taken.statistics().frames_from_nic, 5U);
  EXPECT_TRUE(nic.received.empty());
  EXPECT_TRUE(box.idle());
}

TEST(FilterBox, WhatTheOtherPartnerSendsTakesTheRedirectedFramesPlace) {
  Cable cable("cable");
  TestNic nic(cable.end(0));
  FilterBox box("box", cable.end(1));
  auto& redirect =
      box.add(std::make_unique<DivertFilter>("redirect", Ways{false, true}, Divert::kRedirect));
  LoopbackPartner detour("detour", redirect.outer());
  LoopbackPartner partner("partner", box.outer());
  run([&] {
    test::wait_for(us(10));
    for (unsigned i = 1; i <= 5; ++i) cable.end(0).send(Bench::frame(i), sc_now());
    test::wait_for(ms(1));
  });
  EXPECT_EQ(detour.statistics().frames_from_nic, 5U);
  EXPECT_EQ(partner.statistics().frames_from_nic, 5U);
  EXPECT_EQ(nic.received.size(), 5U);
}

TEST(FilterBox, AProbeTellsTimesAndDirectionsOfItsPlace) {
  Cable cable("cable");
  TestNic nic(cable.end(0));
  FilterBox box("box", cable.end(1));
  ImpairConfig config;
  config.delay = us(100);
  auto& before = box.add(std::make_unique<ProbeFilter>(Ways{}, 0));
  box.add(std::make_unique<ImpairFilter>("impair", Ways{false, true}, config));
  auto& after = box.add(std::make_unique<ProbeFilter>(Ways{}, 0));
  LoopbackPartner partner("partner", box.outer());
  std::vector<std::pair<unsigned, Time>> first;
  std::vector<std::pair<unsigned, Time>> second;
  before.passing.attach([&](const WireEvent& e) { first.emplace_back(e.from, e.start); });
  after.passing.attach([&](const WireEvent& e) { second.emplace_back(e.from, e.start); });
  run([&] {
    test::wait_for(us(10));
    cable.end(0).send(Bench::frame(1), sc_now());
    test::wait_for(ms(1));
  });
  ASSERT_EQ(first.size(), 2U);
  ASSERT_EQ(second.size(), 2U);
  EXPECT_EQ(first[0].first, 0U);
  EXPECT_EQ(first[1].first, 1U);
  EXPECT_EQ(second[0].second - first[0].second, us(100));
  EXPECT_EQ(second[1].second, first[1].second);
}

}  // namespace
}  // namespace e1000tlm::link
