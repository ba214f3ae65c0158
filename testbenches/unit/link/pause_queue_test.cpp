/// Link partners obey PAUSE. A frame of 64 bytes takes 576 ns on a gigabit wire (with preamble),
/// its gap 96 ns; the cables have no length.
#include "e1000tlm/link/pause_queue.h"

#include <string>
#include <vector>

#include <systemc>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "e1000tlm/link/capture/pcap_partner.h"
#include "e1000tlm/link/simple_partners.h"
#include "testbenches/unit/link/capture/capture_fixture.h"
#include "testbenches/unit/link/link_fixture.h"

namespace e1000tlm::link {
namespace {

using test::Script;
using test::TestNic;
using test::wait_for;
using ::testing::ElementsAre;

FramePtr pause(std::uint16_t quanta) {
  FramePtr frame = FramePool::shared().make(kMinFrameBytes);
  std::fill(frame->data(), frame->data() + frame->size(), std::uint8_t{0});
  const std::vector<std::uint8_t> head{0x01, 0x80, 0xC2, 0, 0, 1, 2, 0, 0, 0, 0, 1, 0x88, 8, 0, 1};
  std::copy(head.begin(), head.end(), frame->data());
  store_be16(frame->data() + 16, quanta);
  return frame;
}
FramePtr data(std::uint64_t tag = 0) {
  FramePtr frame = FramePool::shared().make(kMinFrameBytes);
  std::fill(frame->data(), frame->data() + frame->size(), std::uint8_t{0x55});
  frame->tag = tag;
  return frame;
}

TEST(PauseQuanta, ReadsPauseFramesAndNothingElse) {
  EXPECT_EQ(pause_quanta(*pause(0x1234)), 0x1234);
  EXPECT_EQ(pause_quanta(*pause(0)), 0);
  EXPECT_EQ(pause_quanta(*data()), std::nullopt);
  for (const std::size_t byte : {0U, 5U, 12U, 13U, 14U, 15U}) {
    const FramePtr other = pause(1);
    other->data()[byte] ^= 1;
    EXPECT_EQ(pause_quanta(*other), std::nullopt) << byte;
  }
  const FramePtr damaged = pause(1);
  damaged->carry_fcs(damaged->fcs() ^ 1);
  EXPECT_EQ(pause_quanta(*damaged), std::nullopt);
  const FramePtr broken = pause(1);
  broken->coding_error = true;
  EXPECT_EQ(pause_quanta(*broken), std::nullopt);
  const FramePtr brief = FramePool::shared().make(17);
  EXPECT_EQ(pause_quanta(*brief), std::nullopt);
}

class LoopbackBench {
 public:
  explicit LoopbackBench(const std::string& options)
      : partner("partner", cable.end(1), PartnerSpec::parse("loopback:" + options)) {}

  std::vector<Time> starts(Time since) const {
    std::vector<Time> result;
    for (const Arrival& a : nic.received) result.push_back(a.first_bit - since);
    return result;
  }

  Cable cable{"cable", {ns(0)}};
  LoopbackPartner partner;
  TestNic nic{cable.end(0)};
};

TEST(PauseQueue, HoldsFramesThatHaveNotStarted) {
  LoopbackBench bench("pause=both");
  Script script([&] {
    wait_for(us(10));
    CableEndIf& end = bench.cable.end(0);
    for (const FramePtr& f : {data(), data(), pause(100), data(), data()}) end.send(f, us(10));
    wait_for(us(20));
    EXPECT_EQ(bench.nic.received.size(), 2U);
    EXPECT_FALSE(bench.partner.exhausted());
  });
  sc_core::sc_start(to_sc(ms(1)));
  // The PAUSE frame has come in after 1920 ns and lasts 51200 ns.
  EXPECT_THAT(bench.starts(us(10)), ElementsAre(ns(576), ns(1248), ns(53120), ns(53792)));
  EXPECT_TRUE(bench.partner.exhausted());
  EXPECT_EQ(bench.partner.statistics().frames_from_nic, 5U);
  EXPECT_EQ(bench.partner.statistics().frames_to_nic, 4U);
}

TEST(PauseQueue, XonEndsThePause) {
  LoopbackBench bench("pause=rx");
  Script script([&] {
    wait_for(us(10));
    CableEndIf& end = bench.cable.end(0);
    for (const FramePtr& f : {pause(0xFFFF), data(), data()}) end.send(f, us(10));
    wait_for(us(20));
    EXPECT_TRUE(bench.nic.received.empty());
    end.send(pause(0), us(30));
  });
  sc_core::sc_start(to_sc(ms(1)));
  EXPECT_THAT(bench.starts(us(30)), ElementsAre(ns(576), ns(1248)));
}

TEST(PauseQueue, ANewPauseReplacesTheOldOne) {
  LoopbackBench bench("pause=both");
  Script script([&] {
    wait_for(us(10));
    CableEndIf& end = bench.cable.end(0);
    for (const FramePtr& f : {pause(1000), data()}) end.send(f, us(10));
    end.send(pause(50), us(20));  // shorter: 25.6 us
  });
  sc_core::sc_start(to_sc(ms(1)));
  EXPECT_THAT(bench.starts(us(20)), ElementsAre(ns(576 + 25600)));
}

TEST(PauseQueue, WithoutAgreementPauseIsAFrameLikeAnyOther) {
  LoopbackBench bench("pause=none");
  Script script([&] {
    wait_for(us(10));
    for (const FramePtr& f : {pause(1000), data()}) bench.cable.end(0).send(f, us(10));
  });
  sc_core::sc_start(to_sc(ms(1)));
  EXPECT_THAT(bench.starts(us(10)), ElementsAre(ns(576), ns(1248)));
}

TEST(PauseQueue, LosingTheLinkEndsThePauseAndWhatWaitedIsCounted) {
  LoopbackBench bench("pause=both");
  Script script([&] {
    wait_for(us(10));
    for (const FramePtr& f : {pause(0xFFFF), data(), data()}) bench.cable.end(0).send(f, us(10));
    wait_for(us(20));
    bench.nic.disconnect();
    wait_for(us(20));
    EXPECT_TRUE(bench.partner.exhausted());
    EXPECT_EQ(bench.cable.statistics(1).lost_no_link, 2U);
    bench.nic.connect();
    wait_for(us(50));
    bench.cable.end(0).send(data(), us(100));
  });
  sc_core::sc_start(to_sc(ms(1)));
  EXPECT_THAT(bench.starts(us(100)), ElementsAre(ns(576)));
}

TEST(PauseQueue, AReplayStandsStillAndGoesOn) {
  test::TemporaryFile file("in.pcap");
  test::Bytestream capture = test::pcap_header();
  for (unsigned i = 0; i < 5; ++i) test::add_record(capture, 1, i, test::filled(60, 7));
  capture.save(file.path());
  Cable cable("cable", {ns(0)});
  PcapPartner partner("partner", cable.end(1),
                      PartnerSpec::parse("pcap:pace=line,pause=both,in=" + file.path()), us(10));
  TestNic nic(cable.end(0));
  Script script([&] {
    cable.end(0).set_ready(true);
    wait_for(us(11));
    cable.end(0).send(pause(2), us(11));  // heard at 11.576 us, for 1.024 us
  });
  sc_core::sc_start(to_sc(ms(1)));
  std::vector<Time> starts;
  for (const Arrival& a : nic.received) starts.push_back(a.first_bit - us(10));
  EXPECT_THAT(starts, ElementsAre(ns(0), ns(672), ns(1344), ns(2600), ns(3272)));
  EXPECT_TRUE(partner.exhausted());
}

TEST(PauseQueue, RecordedTimesAreKeptWherePauseAllows) {
  test::TemporaryFile file("in.pcap");
  test::Bytestream capture = test::pcap_header();
  for (const unsigned at : {0U, 20U, 40U, 60U}) {
    test::add_record(capture, 1, at, test::filled(60, 7));
  }
  capture.save(file.path());
  Cable cable("cable", {ns(0)});
  PcapPartner partner("partner", cable.end(1),
                      PartnerSpec::parse("pcap:pause=both,in=" + file.path()), us(10));
  TestNic nic(cable.end(0));
  Script script([&] {
    cable.end(0).set_ready(true);
    wait_for(us(20));
    cable.end(0).send(pause(50), us(20));  // heard at 20.576 us, until 46.176 us
  });
  sc_core::sc_start(to_sc(ms(1)));
  std::vector<Time> starts;
  for (const Arrival& a : nic.received) starts.push_back(a.first_bit - us(10));
  EXPECT_THAT(starts, ElementsAre(us(0), ns(36176), us(40), us(60)));
}

/// A sender that runs ahead makes its PAUSE frames known before they are there: until then the one
/// before them holds, and none of them is forgotten.
TEST(PauseQueue, APauseThatIsKnownEarlyLeavesTheSilenceInForce) {
  LoopbackBench bench("pause=both");
  Script script([&] {
    wait_for(us(10));
    CableEndIf& end = bench.cable.end(0);
    for (const FramePtr& f : {pause(20), data(), data()}) end.send(f, us(10));  // until 20.816 us
    wait_for(us(4));
    end.send(pause(20), us(30));  // heard at 30.576 us, until 40.816 us
    end.send(pause(1), us(35));   // heard at 35.576 us, until 36.088 us
    wait_for(us(15));             // the first silence is over, the second not begun
    end.send(data(), us(35));     // behind the last PAUSE frame, heard at 36.248 us
  });
  sc_core::sc_start(to_sc(ms(1)));
  EXPECT_THAT(bench.starts(us(10)), ElementsAre(ns(10816), ns(11488), ns(26248)));
}

TEST(PauseQueue, AnEarlierXonDoesNotEndALaterPause) {
  LoopbackBench bench("pause=both");
  Script script([&] {
    wait_for(us(10));
    CableEndIf& end = bench.cable.end(0);
    end.send(pause(1000), us(10));  // 10.576 us, until 522.576 us
    end.send(data(), us(11));
    wait_for(us(2));
    end.send(pause(0), us(20));   // ends it at 20.576 us
    end.send(pause(20), us(21));  // 21.824 us .. 32.064 us, with the gap
    end.send(data(), us(22));
  });
  sc_core::sc_start(to_sc(ms(1)));
  EXPECT_EQ(bench.nic.received.size(), 2U);
  EXPECT_EQ(bench.starts(us(10)).front(), ns(10576));
  EXPECT_GE(bench.starts(us(10)).back(), us(21));
}

}  // namespace
}  // namespace e1000tlm::link
