#include "e1000tlm/link/capture/pcap_partner.h"

#include <algorithm>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <systemc>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "e1000tlm/link/simple_partners.h"
#include "testbenches/support/sc_test.h"
#include "testbenches/unit/link/capture/pcap_bench.h"
#include "testbenches/unit/link/capture/read_all.h"

namespace e1000tlm::link {
namespace {

using test::add_record;
using test::Bytestream;
using test::filled;
using test::kFlush;
using test::pcap_header;
using test::PcapBench;
using test::read_all;
using test::ReadFrame;
using test::save_three;
using test::Script;
using test::TemporaryFile;
using test::wait_for;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(PcapPartner, ReplaysRecordedTimesFromReadinessPlusSettlingTime) {
  TemporaryFile file("in.pcap");
  save_three(file.path());
  PcapBench bench("in=" + file.path());
  bench.run_ready();
  EXPECT_THAT(bench.times(), ElementsAre(us(0), us(5), us(20)));
  EXPECT_EQ(bench.nic.received[1].frame->size(), 1514U);
  EXPECT_EQ(bench.nic.received[1].frame->data()[1513], 2);
  EXPECT_EQ(bench.nic.received[2].frame->tag, 2U);
  EXPECT_TRUE(bench.partner.exhausted());
  EXPECT_EQ(bench.partner.statistics().frames_to_nic, 3U);
  EXPECT_EQ(bench.partner.statistics().bytes_to_nic, 60U + 1514 + 100);
}

TEST(PcapPartner, NothingIsSentBeforeTheMacIsReady) {
  TemporaryFile file("in.pcap");
  save_three(file.path());
  PcapBench bench("in=" + file.path());
  Script script([&] {
    wait_for(ms(1));
    EXPECT_TRUE(bench.cable.end(1).link_up());
    EXPECT_FALSE(bench.partner.exhausted());
    bench.cable.end(0).set_ready(true);
  });
  sc_core::sc_start(to_sc(ms(10)));
  EXPECT_THAT(bench.times(ms(1) + kFlush), ElementsAre(us(0), us(5), us(20)));
}

TEST(PcapPartner, ScaleDividesRecordedTimes) {
  TemporaryFile file("in.pcap");
  save_three(file.path());
  PcapBench bench("in=" + file.path() + ",scale=0.5");
  bench.run_ready();
  // 1514 bytes at 10 us end long before the third frame.
  EXPECT_THAT(bench.times(), ElementsAre(us(0), us(10), us(40)));
}

TEST(PcapPartner, FramesCloserThanTheWireAllowsFollowBackToBack) {
  TemporaryFile file("in.pcap");
  save_three(file.path());
  PcapBench bench("in=" + file.path() + ",scale=1000");
  bench.run_ready();
  // 60 bytes: (60 + 4 + 8 + 12) * 8 ns; 1514 bytes: 1538 * 8 ns.
  EXPECT_THAT(bench.times(), ElementsAre(ns(0), ns(672), ns(672 + 12'304)));
}

TEST(PcapPartner, LinePaceSendsBackToBack) {
  TemporaryFile file("in.pcap");
  save_three(file.path());
  PcapBench bench("in=" + file.path() + ",pace=line,loop=2");
  bench.run_ready();
  const Time third = ns(672 + 12'304);
  const Time fourth = third + ns(124 * 8);
  EXPECT_THAT(bench.times(),
              ElementsAre(ns(0), ns(672), third, fourth, fourth + ns(672), fourth + third));
  EXPECT_TRUE(bench.partner.exhausted());
}

TEST(PcapPartner, BitRateCountsDestinationToFcs) {
  TemporaryFile file("in.pcap");
  save_three(file.path());
  PcapBench bench("in=" + file.path() + ",pace=100Mbit/s");
  bench.run_ready();
  EXPECT_THAT(bench.times(), ElementsAre(ns(0), ns(64 * 80), ns((64 + 1518) * 80)));
}

TEST(PcapPartner, FrameRateSpacesStartsEvenly) {
  TemporaryFile file("in.pcap");
  save_three(file.path());
  PcapBench bench("in=" + file.path() + ",pace=10kfps");
  bench.run_ready();
  EXPECT_THAT(bench.times(), ElementsAre(us(0), us(100), us(200)));
}

TEST(PcapPartner, RatesMayBeWrittenAsGeneratorsTakeThem) {
  for (const char* text : {"10kfps", "10 kfps", "10kpps", "10000frames/s"}) {
    EXPECT_EQ(Pace::parse(text).rate, 10'000U) << text;
    EXPECT_EQ(Pace::parse(text).kind, Pace::Kind::kFrames) << text;
  }
}

TEST(PcapPartner, LoopsRecordedTimesRightAfterTheLastFrame) {
  TemporaryFile file("in.pcap");
  save_three(file.path());
  PcapBench bench("in=" + file.path() + ",loop=2");
  bench.run_ready();
  // The last frame of the first pass ends after 112 byte times; the gap follows.
  const Time end = us(20) + ns((8 + 104) * 8);
  // Recorded times of the second pass count from there.
  EXPECT_THAT(bench.times(),
              ElementsAre(us(0), us(5), us(20), end + ns(96), end + us(5), end + us(20)));
}

TEST(PcapPartner, RecordsThatGoBackInTimeKeepFileOrder) {
  TemporaryFile file("in.pcap");
  Bytestream content = pcap_header();
  add_record(content, 5, 0, filled(60, 1));
  add_record(content, 5, 50, filled(60, 2));
  add_record(content, 5, 10, filled(60, 3));
  add_record(content, 4, 0, filled(60, 4));
  add_record(content, 5, 60, filled(60, 5));
  content.save(file.path());
  e1000tlm::test::expect_report("/e1000tlm/link/pcap");
  PcapBench bench("in=" + file.path());
  bench.run_ready();
  EXPECT_THAT(bench.times(),
              ElementsAre(us(0), us(50), us(50) + ns(672), us(50) + ns(1'344), us(60)));
  EXPECT_THAT(bench.partner.warnings(),
              ElementsAre(AllOf(HasSubstr(file.path() + ": 2 time stamps go back"),
                                HasSubstr("first record 3"))));
  EXPECT_EQ(bench.nic.received[2].frame->data()[0], 3);
}

TEST(PcapPartner, PadsShortFramesWithZeros) {
  TemporaryFile file("in.pcap");
  Bytestream content = pcap_header();
  add_record(content, 0, 0, filled(42, 0xFF));
  add_record(content, 0, 0, filled(0, 0));
  content.save(file.path());
  e1000tlm::test::expect_report("/e1000tlm/link/pcap");  // of the empty one
  PcapBench bench("in=" + file.path());
  bench.run_ready();
  ASSERT_EQ(bench.nic.received.size(), 2U);
  const Frame& frame = *bench.nic.received[0].frame;
  ASSERT_EQ(frame.size(), kMinFrameBytes);
  EXPECT_EQ(frame.data()[41], 0xFF);
  EXPECT_EQ(frame.data()[42], 0);
  EXPECT_EQ(frame.data()[59], 0);
}

TEST(PcapPartner, CarriesTheFcsOfTheFile) {
  TemporaryFile file("in.pcap");
  Bytestream content = pcap_header();
  add_record(content, 0, 0, filled(64, 0x77));
  content.save(file.path());
  PcapBench bench("fcs=yes,in=" + file.path());
  bench.run_ready();
  ASSERT_EQ(bench.nic.received.size(), 1U);
  EXPECT_EQ(bench.nic.received[0].frame->size(), 60U);
  EXPECT_EQ(bench.nic.received[0].frame->fcs(), 0x77777777U);
  EXPECT_FALSE(bench.nic.received[0].frame->fcs_ok());
}

TEST(PcapPartner, StandsStillWhileTheMacIsNotReady) {
  TemporaryFile file("in.pcap");
  save_three(file.path());
  PcapBench bench("in=" + file.path());
  Script script([&] {
    bench.cable.end(0).set_ready(true);
    wait_for(kFlush + us(7));  // two frames sent; the third is already scheduled
    bench.cable.end(0).set_ready(false);
    wait_for(us(100));
    bench.cable.end(0).set_ready(true);
  });
  sc_core::sc_start(to_sc(ms(10)));
  // The second ends 5 us + 1526 * 8 ns after the start and is taken then, during the standstill.
  EXPECT_THAT(bench.times(), ElementsAre(us(0), us(5), us(20 + 100) + kFlush));
  EXPECT_TRUE(bench.partner.exhausted());
}

TEST(PcapPartner, AFrameStillWaitingForItsTimeSurvivesALinkLoss) {
  TemporaryFile file("in.pcap");
  save_three(file.path());
  PcapBench bench("in=" + file.path());
  Script script([&] {
    bench.cable.end(0).set_ready(true);
    wait_for(kFlush + us(19));
    bench.nic.disconnect();
    wait_for(us(100));
    bench.nic.connect();
  });
  sc_core::sc_start(to_sc(ms(10)));
  EXPECT_THAT(bench.times(), ElementsAre(us(0), us(5), us(20 + 100) + kFlush));
  EXPECT_TRUE(bench.partner.statistics().drops.empty());
  EXPECT_EQ(bench.cable.statistics(1).lost_no_link, 0U) << "it is no loss";
  EXPECT_EQ(bench.partner.statistics().frames_to_nic, 3U);
}

TEST(PcapPartner, AFrameCutByALinkLossIsCounted) {
  TemporaryFile file("in.pcap");
  save_three(file.path());
  PcapBench bench("in=" + file.path());
  Script script([&] {
    bench.cable.end(0).set_ready(true);
    wait_for(kFlush + us(7));
    bench.nic.disconnect();
    wait_for(us(100));
    bench.nic.connect();
  });
  sc_core::sc_start(to_sc(ms(10)));
  EXPECT_THAT(bench.times(), ElementsAre(us(0), us(20 + 100) + kFlush));
  EXPECT_EQ(bench.cable.statistics(1).lost_no_link, 1U);
  EXPECT_TRUE(bench.partner.statistics().drops.empty()) << "the cable has counted it";
}

TEST(PcapPartner, RecordsBothDirectionsInOrderOfTime) {
  TemporaryFile in("in.pcap");
  TemporaryFile out("out.pcapng");
  save_three(in.path());
  PcapBench bench("in=" + in.path() + ",out=" + out.path());
  Script script([&] {
    bench.cable.end(0).set_ready(true);
    wait_for(kFlush + us(17));
    // The third replayed frame (20 us) is announced already; these two come in reverse order.
    bench.cable.end(0).send(FramePool::shared().copy(filled(70, 9)), sc_now() + us(1));
    wait_for(us(1));
    bench.cable.end(0).send(FramePool::shared().copy(filled(71, 9)), sc_now() + us(4));
  });
  sc_core::sc_start(to_sc(ms(10)));
  bench.partner.finish();
  bench.partner.finish();
  EXPECT_EQ(bench.partner.statistics().frames_from_nic, 2U);
  EXPECT_EQ(bench.partner.statistics().bytes_from_nic, 141U);
  std::vector<std::pair<std::int64_t, std::size_t>> records;
  for (const ReadFrame& frame : read_all(out.path())) {
    records.emplace_back(frame.time_ns, frame.bytes.size());
  }
  using Record = std::pair<std::int64_t, std::size_t>;
  EXPECT_THAT(records, ElementsAre(Record(10'000, 60), Record(15'000, 1514), Record(28'000, 70),
                                   Record(30'000, 100), Record(32'000, 71)));
}

TEST(PcapPartner, RecordsWithoutReplaying) {
  TemporaryFile out("out.pcapng");
  PcapBench bench("out=" + out.path());
  Script script([&] {
    wait_for(us(1));
    bench.cable.end(0).send(FramePool::shared().copy(filled(70, 9)), sc_now());
  });
  sc_core::sc_start(to_sc(ms(10)));
  EXPECT_TRUE(bench.partner.exhausted());
  bench.partner.finish();
  EXPECT_EQ(read_all(out.path()).size(), 1U);
}

TEST(PcapPartner, AFullDiskIsReportedAndDoesNotStopTheSimulation) {
  if (!std::filesystem::exists("/dev/full")) GTEST_SKIP() << "no /dev/full";
  e1000tlm::test::expect_report("/e1000tlm/link/capture");
  PcapBench bench("out=/dev/full");
  Script script([&] {
    wait_for(us(1));
    for (int i = 0; i < 200; ++i) {
      bench.cable.end(0).send(FramePool::shared().copy(filled(9000, 9)), sc_now());
      wait_for(us(80));
    }
  });
  sc_core::sc_start(to_sc(ms(100)));
  EXPECT_EQ(bench.partner.statistics().frames_from_nic, 200U);
  EXPECT_THROW(bench.partner.finish(), std::runtime_error);
}

TEST(PcapPartner, FeedsASinkAtTheRecordedTimes) {
  TemporaryFile file("in.pcap");
  save_three(file.path());
  Cable cable("cable", {ns(0)});
  PcapPartner replay("replay", cable.end(1), PartnerSpec::parse("pcap:in=" + file.path()), kFlush);
  TemporaryFile out("out.pcapng");
  PcapPartner record("record", cable.end(0), PartnerSpec::parse("pcap:out=" + out.path()), kFlush);
  sc_core::sc_start(to_sc(ms(1)));
  EXPECT_TRUE(replay.exhausted());
  EXPECT_EQ(record.statistics().frames_from_nic, 3U);
  record.finish();
  const std::vector<ReadFrame> frames = read_all(out.path());
  ASSERT_EQ(frames.size(), 3U);
  EXPECT_EQ(frames[2].time_ns - frames[0].time_ns, 20'000);
}

TEST(PcapPartner, WhatASinkWasToGetAfterTheEndHasNotBeenSent) {
  TemporaryFile file("in.pcap"), out("out.pcapng");
  save_three(file.path());
  Cable cable("cable", {ns(0)});
  PcapPartner replay("replay", cable.end(1),
                     PartnerSpec::parse("pcap:in=" + file.path() + ",out=" + out.path()), kFlush);
  NullPartner sink("sink", cable.end(0));
  cable.end(0).set_ready(true);
  sc_core::sc_start(to_sc(kFlush + us(19)));  // the third begins a microsecond later
  EXPECT_FALSE(replay.exhausted()) << "it is on its way";
  replay.finish();
  EXPECT_EQ(sink.statistics().frames_from_nic, 2U);
  EXPECT_EQ(replay.statistics().frames_to_nic, 2U);
  EXPECT_EQ(cable.statistics(1).frames, 2U);
  EXPECT_EQ(read_all(out.path()).size(), 2U);
}

std::string refusal(Cable& cable, const std::string& options) {
  try {
    PcapPartner partner("partner", cable.end(1), PartnerSpec::parse("pcap:" + options), kFlush);
  } catch (const std::exception& error) {
    return error.what();
  }
  return "accepted";
}

TEST(PcapPartner, RefusesBadOptionsNamingThem) {
  Cable cable("cable");
  TemporaryFile file("in.pcap");
  save_three(file.path());
  const std::string in = "in=" + file.path();
  EXPECT_THAT(refusal(cable, "pace=line"), HasSubstr("needs the option in="));
  EXPECT_THAT(refusal(cable, "in="), HasSubstr("in="));
  EXPECT_THAT(refusal(cable, "in=/nonexistent.pcap"), HasSubstr("/nonexistent.pcap"));
  EXPECT_THAT(refusal(cable, in + ",pace=fast"),
              AllOf(HasSubstr("pace=fast"), HasSubstr("recorded")));
  EXPECT_THAT(refusal(cable, in + ",scale=0"), HasSubstr("scale=0"));
  EXPECT_THAT(refusal(cable, in + ",scale=nan"), HasSubstr("scale=nan"));
  EXPECT_THAT(refusal(cable, in + ",scale=2x"), HasSubstr("scale=2x"));
  EXPECT_THAT(refusal(cable, in + ",scale=2,pace=line"), HasSubstr("pace=recorded"));
  EXPECT_THAT(refusal(cable, in + ",loop=0"), HasSubstr("loop=0"));
  EXPECT_THAT(refusal(cable, in + ",fcs=4"), HasSubstr("fcs=4"));
  EXPECT_THAT(refusal(cable, in + ",out=/nonexistent/out.pcapng"),
              HasSubstr("/nonexistent/out.pcapng"));
  EXPECT_THAT(refusal(cable, in + ",out=" + file.path()), HasSubstr("is the file that in= names"));
  EXPECT_EQ(read_all(file.path()).size(), 3U) << "and left it alone";
}

/// Simulated time holds 100 days and a little. What would be due later is never sent at a wrong
/// time.
TEST(PcapPartner, LoopsThatSimulatedTimeDoesNotHoldEndEarly) {
  constexpr unsigned kDay = 24 * 3600;
  TemporaryFile file("in.pcap");
  Bytestream capture = pcap_header();
  add_record(capture, 1'000, 0, filled(60, 1));
  add_record(capture, 1'000 + 60 * kDay, 0, filled(60, 2));
  capture.save(file.path());
  PcapBench bench("loop=3,in=" + file.path());
  e1000tlm::test::expect_report("/e1000tlm/link/pcap");
  bench.run_ready(ms(std::int64_t{101} * kDay * 1000));
  ASSERT_EQ(bench.nic.received.size(), 3U) << "the second round's first frame, and no more";
  EXPECT_EQ(bench.times()[1], ms(std::int64_t{60} * kDay * 1000));
  EXPECT_THAT(bench.partner.fault(), HasSubstr("100 days"));
}

TEST(PcapPartner, RatesThatSimulatedTimeDoesNotHoldEndEarly) {
  TemporaryFile file("in.pcap");
  save_three(file.path());
  PcapBench bench("pace=1bit/s,loop=1000000,in=" + file.path());
  e1000tlm::test::expect_report("/e1000tlm/link/pcap");
  bench.run_ready(ms(std::int64_t{101} * 24 * 3600 * 1000));
  const std::vector<Time> times = bench.times();
  EXPECT_GT(times.size(), 1000U);
  EXPECT_TRUE(std::is_sorted(times.begin(), times.end()));
  EXPECT_THAT(bench.partner.fault(), HasSubstr("100 days"));
}

}  // namespace
}  // namespace e1000tlm::link
