#include "e1000tlm/link/partner.h"

#include <functional>
#include <stdexcept>

#include <systemc>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "e1000tlm/link/hold_queue.h"
#include "e1000tlm/link/host/builtin_partners.h"
#include "e1000tlm/link/simple_partners.h"
#include "testbenches/unit/link/link_fixture.h"

namespace e1000tlm::link {
namespace {

using test::Script;
using test::TestNic;
using test::wait_for;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

std::string refusal(const std::function<void()>& action) {
  try {
    action();
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "accepted";
}

TEST(PartnerSpec, TakesKindAndOptionsApart) {
  const PartnerSpec spec = PartnerSpec::parse("pcap:in=a=b.pcap,pace=line,out=x,,y:z");
  EXPECT_EQ(spec.kind, "pcap");
  EXPECT_THAT(spec.options,
              ElementsAre(Pair("in", "a=b.pcap"), Pair("out", "x,y:z"), Pair("pace", "line")));
  EXPECT_EQ(PartnerSpec::parse("null").kind, "null");
  EXPECT_TRUE(PartnerSpec::parse("null:").options.empty());
  EXPECT_EQ(PartnerSpec::parse("k:a=").find("a"), "");
  EXPECT_EQ(PartnerSpec::parse("k:a=1").find("b"), std::nullopt);
}

TEST(PartnerSpec, RefusesMalformedTextNamingIt) {
  for (const char* text : {"", ":a=1", "a=1", "pcap,in=x", "pcap:in", "pcap:=x", "pcap:a=1,a=2",
                           "pcap:a=1,b", "pcap:,a=1"}) {
    EXPECT_THAT(refusal([&] { PartnerSpec::parse(text); }),
                HasSubstr('"' + std::string(text) + '"'));
  }
}

TEST(PartnerSpec, ChecksNumbersAndChoices) {
  const PartnerSpec spec =
      PartnerSpec::parse("k:n=17,neg=-1,big=99999999999999999999,hex=0x1,empty=,w=two");
  EXPECT_EQ(spec.number("n", 5, 0, 17), 17U);
  EXPECT_EQ(spec.number("absent", 5, 0, 17), 5U);
  EXPECT_THAT(refusal([&] { spec.number("n", 0, 18, 20); }),
              AllOf(HasSubstr("k: option n=17"), HasSubstr("18 to 20")));
  for (const char* key : {"neg", "big", "hex", "empty"}) {
    EXPECT_THAT(refusal([&] { spec.number(key, 0, 0, 100); }), HasSubstr(key));
  }
  EXPECT_EQ(spec.choice("w", {"one", "two"}, 0), 1U);
  EXPECT_EQ(spec.choice("absent", {"one", "two"}, 0), 0U);
  EXPECT_THAT(refusal([&] {
                spec.choice("w", {"a", "b"}, 0);
              }),
              AllOf(HasSubstr("w=two"), HasSubstr("a, b")));
  EXPECT_THAT(refusal([&] { spec.require("in"); }), HasSubstr("in="));
  EXPECT_THAT(refusal([&] { spec.require("empty"); }), HasSubstr("empty="));
}

Abilities parsed(const char* options) {
  return abilities_from(PartnerSpec::parse(std::string("k:") + options));
}

TEST(PartnerAbilities, ComeFromTheCommonOptions) {
  EXPECT_EQ(parsed("pause=both"), gigabit_abilities());
  EXPECT_FALSE(parsed("").pause);
  EXPECT_EQ(resolve(parsed("speed=100"), gigabit_abilities()), (LinkMode{Speed::k100, true}));
  EXPECT_EQ(resolve(parsed("speed=10,aneg=off"), gigabit_abilities()),
            (LinkMode{Speed::k10, false}));
  EXPECT_EQ(resolve(parsed("speed=1000"), parsed("speed=100")), std::nullopt);
  const auto pause = [](const char* options) {
    const Abilities a = parsed(options);
    return std::pair(a.pause, a.asymmetric_pause);
  };
  // IEEE 802.3 table 28B-2
  EXPECT_EQ(pause("pause=none"), std::pair(false, false));
  EXPECT_EQ(pause("pause=tx"), std::pair(false, true));
  EXPECT_EQ(pause("pause=both"), std::pair(true, false));
  EXPECT_EQ(pause("pause=rx"), std::pair(true, true));
}

TEST(PartnerAbilities, RefuseWhatEthernetDoesNotHave) {
  for (const char* options :
       {"speed=1", "speed=", "aneg=maybe", "pause=yes", "aneg=off", "aneg=off,speed=1000"}) {
    EXPECT_THROW(parsed(options), std::invalid_argument) << options;
  }
}

TEST(PartnerRegistry, UnknownKindsAndOptionsListTheKnownOnes) {
  Cable cable("cable");
  const PartnerRegistry registry = builtin_partners();
  PartnerContext context;
  context.name = "partner";
  EXPECT_THAT(
      refusal([&] { registry.make(context, cable.end(1), PartnerSpec::parse("pcpa:in=x")); }),
      AllOf(HasSubstr("pcpa"), HasSubstr("pcap, socket, stream, tap")));
  EXPECT_THAT(
      refusal([&] { registry.make(context, cable.end(1), PartnerSpec::parse("pcap:file=x")); }),
      AllOf(HasSubstr("pcap"), HasSubstr("\"file\""), HasSubstr("in, out, pace")));
  const auto partner = registry.make(context, cable.end(1), PartnerSpec::parse("null:speed=10"));
  EXPECT_STREQ(partner->name(), "partner");
  EXPECT_TRUE(partner->exhausted());
  EXPECT_FALSE(partner->live());
}

TEST(PartnerRegistry, OwnKindsStayWithTheRegistryTheyWereAddedTo) {
  PartnerRegistry mine = builtin_partners();
  mine.add("sink", null_kind());
  mine.add("pcap", null_kind());
  EXPECT_EQ(mine.kinds().count("sink"), 1U);
  EXPECT_EQ(builtin_partners().kinds().count("sink"), 0U);
  Cable cable("cable");
  PartnerContext context;
  context.name = "partner";
  EXPECT_NE(mine.make(context, cable.end(1), PartnerSpec::parse("pcap")), nullptr);
}

TEST(LinkPartner, HasLinkAsLongAsTheOtherEndNegotiates) {
  Cable cable("cable");
  NullPartner partner("partner", cable.end(1), PartnerSpec::parse("null:speed=100"));
  TestNic nic(cable.end(0));
  Script script([&] {
    wait_for(ns(1));
    EXPECT_TRUE(cable.end(0).link_up());
    EXPECT_EQ(cable.end(0).speed(), Speed::k100);
    EXPECT_TRUE(cable.end(0).partner_ready());
    nic.disconnect();
    wait_for(ns(1));
    EXPECT_FALSE(cable.end(0).link_up());
    nic.connect();
    wait_for(ns(1));
    EXPECT_TRUE(cable.end(0).link_up());
    cable.plug(false);
    wait_for(ns(1));
    EXPECT_FALSE(cable.end(1).link_up());
    cable.plug(true);
    wait_for(ns(1));
    EXPECT_TRUE(cable.end(1).link_up());
  });
  sc_core::sc_start(to_sc(us(1)));
}

TEST(LinkPartner, HasNoLinkWithoutACommonMode) {
  Cable cable("cable");
  NullPartner partner("partner", cable.end(1), PartnerSpec::parse("null:speed=100"));
  Abilities gigabit_only;
  gigabit_only.full_1000 = true;
  TestNic nic(cable.end(0), gigabit_only);
  sc_core::sc_start(to_sc(us(1)));
  EXPECT_FALSE(cable.end(0).link_up());
}

TEST(NullPartner, CountsWhatItTakes) {
  Cable cable("cable");
  NullPartner partner("partner", cable.end(1));
  TestNic nic(cable.end(0));
  Script script([&] {
    wait_for(ns(1));
    for (int i = 0; i < 5; ++i) cable.end(0).send(FramePool::shared().make(100), kTimeZero);
  });
  sc_core::sc_start(to_sc(us(100)));
  EXPECT_EQ(partner.statistics().frames_from_nic, 5U);
  EXPECT_EQ(partner.statistics().bytes_from_nic, 500U);
  EXPECT_EQ(partner.statistics().frames_to_nic, 0U);
  EXPECT_TRUE(nic.received.empty());
}

TEST(LoopbackPartner, SendsFramesBackUnchangedAfterTheirArrival) {
  Cable cable("cable", {ns(50)});
  LoopbackPartner partner("partner", cable.end(1));
  TestNic nic(cable.end(0));
  Script script([&] {
    wait_for(us(1));
    const FramePtr frame = FramePool::shared().make(60);
    frame->carry_fcs(0x12345678);
    frame->tag = 9;
    cable.end(0).send(frame, us(1));
  });
  sc_core::sc_start(to_sc(us(100)));
  ASSERT_EQ(nic.received.size(), 1U);
  EXPECT_EQ(nic.received[0].first_bit, us(1) + ns(576 + 50 + 50));
  EXPECT_EQ(nic.received[0].frame->tag, 9U);
  EXPECT_EQ(nic.received[0].frame->fcs(), 0x12345678U);
  EXPECT_EQ(partner.statistics().frames_from_nic, 1U);
  EXPECT_EQ(partner.statistics().bytes_to_nic, 60U);
}

/// Two frames; the plug is pulled in the middle of the second.
template <class Partner>
void pull_the_plug(Cable& cable, const Partner& partner, const TestNic& nic) {
  Script script([&] {
    wait_for(us(1));
    for (int i = 0; i < 2; ++i) cable.end(0).send(FramePool::shared().make(60), us(1));
    wait_for(ns(900));
    cable.plug(false);
  });
  sc_core::sc_start(to_sc(us(100)));
  EXPECT_EQ(partner.statistics().frames_from_nic, 1U);
  EXPECT_EQ(partner.statistics().bytes_from_nic, 60U);
  EXPECT_EQ(cable.statistics(0).frames, 1U);
  EXPECT_EQ(cable.statistics(0).lost_no_link, 1U);
  EXPECT_TRUE(partner.statistics().drops.empty()) << "counted once";
  EXPECT_TRUE(nic.received.empty());
}

TEST(NullPartner, GivesBackWhatAPulledPlugCutsOff) {
  Cable cable("cable", {ns(50)});
  NullPartner partner("partner", cable.end(1));
  TestNic nic(cable.end(0));
  pull_the_plug(cable, partner, nic);
}

TEST(LoopbackPartner, DoesNotSendBackWhatAPulledPlugCutsOff) {
  Cable cable("cable", {ns(50)});
  LoopbackPartner partner("partner", cable.end(1));
  TestNic nic(cable.end(0));
  pull_the_plug(cable, partner, nic);
  EXPECT_EQ(partner.statistics().frames_to_nic, 1U);
  EXPECT_EQ(partner.statistics().bytes_to_nic, 60U);
  EXPECT_EQ(cable.statistics(1).frames, 0U);
  EXPECT_EQ(cable.statistics(1).lost_no_link, 1U) << "the first, on its way back";
}

struct HoldBench {
  explicit HoldBench(std::size_t capacity = HoldQueue::kUnlimited)
      : queue("queue", out, statistics, {us(10), capacity}) {}
  void offer(std::uint64_t tag) {
    FramePtr frame = FramePool::shared().make(60);
    frame->tag = tag;
    queue.offer(frame, sc_now());
  }
  Cable cable{"cable", {ns(0)}};
  PartnerStatistics statistics;
  NullPartner partner{"partner", cable.end(1)};
  PauseQueue out{"out", cable.end(1)};
  HoldQueue queue;
  TestNic nic{cable.end(0)};
};

TEST(HoldQueue, ReleasesHeldFramesInOrderAfterTheSettlingTime) {
  HoldBench bench;
  Script script([&] {
    wait_for(us(1));
    for (std::uint64_t i = 0; i < 100; ++i) bench.offer(i);
    EXPECT_EQ(bench.queue.held(), 100U);
    bench.cable.end(0).set_ready(true);
    wait_for(us(9));
    bench.offer(100);
    EXPECT_FALSE(bench.queue.open());
    EXPECT_EQ(bench.queue.held(), 101U);
    wait_for(us(2));
    EXPECT_TRUE(bench.queue.open());
    EXPECT_EQ(bench.queue.held(), 0U);
    bench.offer(101);
    EXPECT_EQ(bench.queue.held(), 0U) << "straight through";
  });
  sc_core::sc_start(to_sc(ms(1)));
  ASSERT_EQ(bench.nic.received.size(), 102U);
  EXPECT_EQ(bench.nic.received[0].first_bit, us(11));
  for (std::uint64_t i = 0; i < 102; ++i) EXPECT_EQ(bench.nic.received[i].frame->tag, i);
  EXPECT_EQ(bench.statistics.frames_to_nic, 102U);
  EXPECT_EQ(bench.statistics.bytes_to_nic, 102U * 60);
  EXPECT_TRUE(bench.statistics.drops.empty());
}

TEST(HoldQueue, DropsTheNewestBeyondItsCapacityAndCounts) {
  HoldBench bench(4);
  Script script([&] {
    for (std::uint64_t i = 0; i < 10; ++i) bench.offer(i);
    bench.cable.end(0).set_ready(true);
  });
  sc_core::sc_start(to_sc(us(100)));
  ASSERT_EQ(bench.nic.received.size(), 4U);
  EXPECT_EQ(bench.nic.received[3].frame->tag, 3U);
  EXPECT_EQ(bench.statistics.drops.at("hold_overflow"), 6U);
}

TEST(HoldQueue, HoldsAgainWhenReadinessOrLinkGo) {
  HoldBench bench;
  Script script([&] {
    bench.cable.end(0).set_ready(true);
    wait_for(us(20));
    ASSERT_TRUE(bench.queue.open());
    bench.cable.end(0).set_ready(false);
    EXPECT_FALSE(bench.queue.open()) << "at once, not a delta cycle later";
    bench.offer(1);
    EXPECT_EQ(bench.queue.held(), 1U);
    bench.cable.end(0).set_ready(true);
    wait_for(us(20));
    EXPECT_EQ(bench.queue.held(), 0U);
    bench.nic.disconnect();
    wait_for(us(20));
    bench.offer(2);
    EXPECT_EQ(bench.queue.held(), 1U);
    bench.nic.connect();
    wait_for(us(20));
    EXPECT_EQ(bench.queue.held(), 0U);
  });
  sc_core::sc_start(to_sc(ms(1)));
  EXPECT_EQ(bench.nic.received.size(), 2U);
}

TEST(HoldQueue, LosingReadinessDuringTheSettlingTimeStartsItAnew) {
  HoldBench bench;
  Script script([&] {
    bench.offer(1);
    bench.cable.end(0).set_ready(true);
    wait_for(us(9));
    bench.cable.end(0).set_ready(false);
    wait_for(us(5));
    bench.cable.end(0).set_ready(true);
  });
  sc_core::sc_start(to_sc(us(100)));
  ASSERT_EQ(bench.nic.received.size(), 1U);
  EXPECT_EQ(bench.nic.received[0].first_bit, us(24));
}

}  // namespace
}  // namespace e1000tlm::link
