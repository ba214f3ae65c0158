/// Whole boards, run to the end.
#include <stdexcept>

#include <gtest/gtest.h>

#include "e1000tlm/board/board.h"
#include "testbenches/unit/platform/board_fixture.h"

namespace e1000tlm::platform {
namespace {

using test::run;

BoardConfig generate(e1000::Part part, std::uint64_t frames) {
  BoardConfig config;
  config.nics[0].part = part;
  config.links = {"loopback"};
  config.app = AppChoice::kGenerate;
  config.frames = frames;
  return config;
}

void expect_all_back(const RunSummary& s, std::uint64_t frames) {
  ASSERT_EQ(s.streams.size(), 1U);
  EXPECT_EQ(s.streams[0].sent, frames);
  EXPECT_EQ(s.streams[0].received, frames);
  EXPECT_EQ(s.streams[0].corrupt + s.streams[0].duplicates + s.streams[0].reordered, 0U);
  EXPECT_EQ(s.ended_by, "traffic handled");
}

TEST(Board, ReflectsTheBuiltInCaptureCompletely) {
  const RunSummary s = run({});
  EXPECT_EQ(s.nics[0].wire_in.frames, 340U);
  EXPECT_EQ(s.nics[0].wire_out.frames, 340U);
  EXPECT_EQ(s.nics[0].wire_in.bytes, s.nics[0].wire_out.bytes);
  EXPECT_TRUE(s.nics[0].lost.empty());
  EXPECT_EQ(s.nics[0].transit->samples, 340U);
}

/// Both directions of a gigabit are more than the bus carries.
BoardConfig overloaded(const std::string& pause) {
  BoardConfig config;
  config.links = {"pcap:in=built-in,loop=10,pace=line,pause=" + pause};
  return config;
}

TEST(Board, WithoutPauseOverloadLosesFramesAndCountsThem) {
  const RunSummary s = run(overloaded("none"));
  const auto lost = s.nics[0].lost.find("rx_fifo_full");
  ASSERT_NE(lost, s.nics[0].lost.end());
  EXPECT_EQ(lost->second + s.nics[0].wire_out.frames, 3400U);
}

TEST(Board, PauseKeepsOverloadFromLosingFrames) {
  const RunSummary s = run(overloaded("both"));
  EXPECT_EQ(s.nics[0].flow_control, "both");
  EXPECT_TRUE(s.nics[0].lost.empty());
  EXPECT_EQ(s.nics[0].driver_out.frames, 3400U);
  EXPECT_GT(s.nics[0].wire_out.frames, 3400U) << "with PAUSE frames";
}

/// Frames of any length, on buses that are slower and faster than the wire.
TEST(Board, PauseKeepsOverloadFromLosingLongFrames) {
  BoardConfig config;
  config.app = AppChoice::kGenerate;
  config.links = {"loopback:pause=both"};
  config.frames = 2500;
  config.sizes = "4000-9000";
  config.max_frame_bytes = 9018;
  const RunSummary s = run(config);
  EXPECT_TRUE(s.nics[0].lost.empty());
  ASSERT_EQ(s.streams.size(), 1U);
  EXPECT_EQ(s.streams[0].received, 2500U);
}

TEST(Board, LooselyTimedReflectsItToo) {
  BoardConfig config;
  config.quantum = us(50);
  const RunSummary s = run(config);
  EXPECT_EQ(s.nics[0].wire_out.frames, 340U);
  EXPECT_TRUE(s.nics[0].lost.empty());
}

TEST(Board, GeneratesAndChecksOn82540em) {
  expect_all_back(run(generate(e1000::Part::k82540em, 3000)), 3000);
}
TEST(Board, GeneratesAndChecksOn82544gc) {
  expect_all_back(run(generate(e1000::Part::k82544gc, 3000)), 3000);
}
TEST(Board, GeneratesAndChecksOn82545em) {
  expect_all_back(run(generate(e1000::Part::k82545em, 3000)), 3000);
}
TEST(Board, GeneratesAndChecksOn82545gm) {
  expect_all_back(run(generate(e1000::Part::k82545gm, 3000)), 3000);
}

TEST(Board, JumboFramesPass) {
  BoardConfig config = generate(e1000::Part::k82540em, 300);
  config.sizes = "1519-9000";
  expect_all_back(run(config), 300);
}

TEST(Board, LooselyTimedAtLineRateLosesNothing) {
  BoardConfig config = generate(e1000::Part::k82545em, 20'000);
  config.pci = "64/66";
  config.quantum = us(50);
  expect_all_back(run(config), 20'000);
}

TEST(Board, WorksWithoutDmi) {
  Board board("board", generate(e1000::Part::k82540em, 500));
  board.memory().allow_dmi(false);
  board.run();
  const RunSummary s = board.summary();
  EXPECT_TRUE(s.failures.empty());
  expect_all_back(s, 500);
}

TEST(Board, RateIsKept) {
  BoardConfig config = generate(e1000::Part::k82540em, 1001);
  config.rate = "10kfps";
  const RunSummary s = run(config);
  expect_all_back(s, 1001);
  EXPECT_GE(s.active, ms(100));
  EXPECT_LE(s.active, ms(101));
}

TEST(Board, ForwardsBetweenTwoAdaptersThatShareNoLine) {
  BoardConfig config;
  config.app = AppChoice::kForward;
  config.nics.resize(2);
  config.links = {"pcap:scale=0.1", "pcap:scale=0.1"};
  const RunSummary s = run(config);
  for (const NicSummary& n : s.nics) {
    EXPECT_EQ(n.wire_in.frames, 340U);
    EXPECT_EQ(n.wire_out.frames, 340U);
    EXPECT_TRUE(n.lost.empty());
  }
}

TEST(Board, FiveAdaptersShareInterruptLines) {
  BoardConfig config = generate(e1000::Part::k82540em, 200);
  config.nics.resize(5);
  config.links.assign(5, "loopback");
  const RunSummary s = run(config);
  ASSERT_EQ(s.streams.size(), 5U);
  for (const StreamSummary& stream : s.streams) EXPECT_EQ(stream.received, 200U);
}

TEST(Board, DurationEndsAnEndlessRunToThePicosecond) {
  BoardConfig config = generate(e1000::Part::k82540em, 0);
  config.duration = ms(600);
  const RunSummary s = run(config);
  EXPECT_EQ(s.simulated, ms(600));
  EXPECT_EQ(s.ended_by, "duration");
  EXPECT_GT(s.streams[0].received, 1000U);
}

TEST(Board, NoLinkIsAFailureAndNotAHang) {
  BoardConfig config;
  config.links = {"null:speed=10,aneg=off"};
  config.nics[0].autonegotiation = ms(500'000);
  config.duration = ms(20'000);
  Board board("board", config);
  board.run();
  EXPECT_FALSE(board.summary().failures.empty());
}

TEST(Board, RefusesWhatCannotBeAndNamesIt) {
  const auto refusal = [](const BoardConfig& config) -> std::string {
    try {
      Board board(sc_core::sc_gen_unique_name("board"), config);
      return "";
    } catch (const std::exception& error) {
      return error.what();
    }
  };
  BoardConfig config;
  config.pci = "8/4";
  EXPECT_NE(refusal(config).find("--pci 8/4"), std::string::npos);
  config.pci = "64/133x";
  EXPECT_NE(refusal(config).find("82540em"), std::string::npos);
  config = {};
  config.links = {"pcap:in=/no/such/file.pcap"};
  EXPECT_NE(refusal(config).find("/no/such/file.pcap"), std::string::npos);
  config.links = {"teleport:"};
  EXPECT_NE(refusal(config).find("teleport"), std::string::npos);
  config.links = {"loopback:warp=9"};
  EXPECT_NE(refusal(config).find("warp"), std::string::npos);
  config = {};
  config.nics[0].eeprom_file = "/no/such/eeprom.bin";
  EXPECT_NE(refusal(config).find("/no/such/eeprom.bin"), std::string::npos);
}

TEST(Board, InterruptsOfBringUpAreNoneOfTheTimeUnderTest) {
  BoardConfig config;
  config.app = AppChoice::kSink;
  config.links = {"null"};
  config.duration = ms(600);
  const RunSummary s = run(config);
  EXPECT_GT(s.nics[0].interrupts, 0U) << "the link came up";
  EXPECT_EQ(s.nics[0].interrupts, s.nics[0].before.interrupts);
}

TEST(Board, LooselyTimedMastersMayAskForMoreThanTheBusHas) {
  BoardConfig config;
  config.links = {"pcap:in=built-in,loop=10,pace=line"};
  config.quantum = us(1);
  const RunSummary s = run(config);
  EXPECT_GT(s.pci.busiest, 1.2);
  EXPECT_NE(to_text(s).find("overcommitted"), std::string::npos);
}

/// A bridge that cuts bursts at 96 bytes moves less than the default one.
TEST(Board, TheHostIsChosenByName) {
  BoardConfig config = generate(e1000::Part::k82540em, 2000);
  config.sizes = "1518";
  config.links = {"null"};
  config.host = "vt8233";
  const RunSummary s = run(config);
  const double mbit = static_cast<double>(s.nics[0].wire_out.frames) * 1518 * 8e6 /
                      static_cast<double>(s.active.count());
  EXPECT_GT(mbit, 450);
  EXPECT_LT(mbit, 650);
}

}  // namespace
}  // namespace e1000tlm::platform
