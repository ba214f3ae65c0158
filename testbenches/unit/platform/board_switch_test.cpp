/// Boards and link partners that meet on switches.
#include <numeric>
#include <stdexcept>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "e1000tlm/board/board.h"
#include "testbenches/unit/platform/board_fixture.h"

namespace e1000tlm::platform {
namespace {

using test::run;

using ::testing::HasSubstr;

BoardConfig generate(unsigned boards, std::uint64_t frames) {
  BoardConfig config;
  config.boards = boards;
  config.links = {"switch:lan"};
  config.app = AppChoice::kGenerate;
  config.frames = frames;
  return config;
}

void expect_all_arrive(const RunSummary& s, std::size_t streams, std::uint64_t frames) {
  ASSERT_EQ(s.streams.size(), streams);
  for (const StreamSummary& stream : s.streams) {
    EXPECT_EQ(stream.sent, frames);
    EXPECT_EQ(stream.received, frames);
    EXPECT_EQ(stream.corrupt + stream.duplicates + stream.reordered, 0U);
  }
  EXPECT_EQ(s.ended_by, "traffic handled");
}

std::uint64_t lost(const SwitchSummary& hub, const std::string& reason) {
  return std::accumulate(hub.ports.begin(), hub.ports.end(), std::uint64_t{0},
                         [&](std::uint64_t sum, const SwitchPortSummary& port) {
                           const auto found = port.lost.find(reason);
                           return sum + (found == port.lost.end() ? 0 : found->second);
                         });
}

std::uint64_t filtered(const SwitchSummary& hub) {
  std::uint64_t frames = 0;
  for (const SwitchPortSummary& port : hub.ports) {
    for (const auto& entry : port.filtered) frames += entry.second;
  }
  return frames;
}

TEST(BoardSwitch, ThreeBoardsSendToEachOtherAndAddressesAreLearned) {
  const RunSummary s = run(generate(3, 1000));
  expect_all_arrive(s, 3, 1000);
  EXPECT_EQ(s.boards, 3U);
  ASSERT_EQ(s.nics.size(), 3U);
  EXPECT_EQ(s.nics[2].mac, "52:54:00:12:34:58");
  ASSERT_EQ(s.switches.size(), 1U);
  const SwitchSummary& hub = s.switches[0];
  EXPECT_EQ(hub.name, "lan");
  EXPECT_EQ(hub.stations, 3U);
  EXPECT_EQ(hub.learned, 3U);
  EXPECT_EQ(hub.forwarded + hub.flooded, 3000U);
  EXPECT_LT(hub.flooded, 10U) << "only what came before the first answer";
  ASSERT_EQ(hub.ports.size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) {
    const SwitchPortSummary& port = hub.ports[i];
    EXPECT_EQ(port.to, "nic " + std::to_string(i));
    EXPECT_EQ(port.mbit_per_second, 1000U);
    EXPECT_EQ(port.in.frames, s.nics[i].wire_out.frames);
    EXPECT_EQ(port.in.bytes, s.nics[i].wire_out.bytes);
    EXPECT_EQ(port.out.frames, s.nics[i].wire_in.frames);
    EXPECT_EQ(port.under_way, 0U);
  }
}

TEST(BoardSwitch, SixtyFourBoardsOnOneSwitch) {
  const RunSummary s = run(generate(64, 200));
  expect_all_arrive(s, 64, 200);
  EXPECT_EQ(s.switches[0].stations, 64U);
}

TEST(BoardSwitch, SixtyFourBoardsLooselyTimed) {
  BoardConfig config = generate(64, 200);
  config.quantum = us(100);
  expect_all_arrive(run(config), 64, 200);
}

TEST(BoardSwitch, AdaptersOfOneBoardMeetToo) {
  BoardConfig config = generate(1, 500);
  config.nics.resize(4);
  config.links.assign(4, "switch:lan");
  config.to = "pair";
  config.rate = "50Mbit/s";
  const RunSummary s = run(config);
  expect_all_arrive(s, 4, 500);
  EXPECT_EQ(s.switches[0].stations, 4U);
}

TEST(BoardSwitch, WhatOnePortCannotCarryIsDroppedAndCounted) {
  BoardConfig config = generate(4, 2000);
  config.to = "first";
  config.sizes = "1518";
  config.pci = "64/66";
  config.nics[0].part = e1000::Part::k82545em;
  config.switches = {{"lan", {}}};
  config.switches[0].config.queue_bytes = 64 * 1024;
  const RunSummary s = run(config);
  EXPECT_GT(lost(s.switches[0], "queue_full"), 1000U);
  std::uint64_t received = 0;
  for (const StreamSummary& stream : s.streams) received += stream.received;
  std::uint64_t in_adapters = 0;
  for (const auto& [reason, frames] : s.nics[0].lost) {
    if (reason.rfind("rx_", 0) == 0) in_adapters += frames;
  }
  EXPECT_EQ(received + lost(s.switches[0], "queue_full") + in_adapters, 8000U);
}

TEST(BoardSwitch, ARecordingOnAPortReachesEveryAdapterOrStaysBehind) {
  BoardConfig config;
  config.boards = 2;
  config.links = {"switch:lan"};
  config.app = AppChoice::kSink;
  config.outlets = {{"lan", "pcap"}};
  const RunSummary s = run(config);
  const SwitchSummary& hub = s.switches[0];
  ASSERT_EQ(hub.ports.size(), 3U);
  EXPECT_EQ(hub.ports[2].to, "pcap");
  EXPECT_EQ(hub.ports[2].in.frames, 340U);
  EXPECT_EQ(hub.flooded + filtered(hub), 340U);
  EXPECT_GT(hub.flooded, 0U);
  for (const SwitchPortSummary& port : hub.ports) EXPECT_TRUE(port.lost.empty());
  for (const NicSummary& nic : s.nics) {
    EXPECT_EQ(nic.driver_in.frames, hub.flooded);
    EXPECT_TRUE(nic.lost.empty()) << "held back until all adapters were ready";
  }
}

TEST(BoardSwitch, ATrunkJoinsTwoSwitches) {
  BoardConfig config = generate(1, 300);
  config.nics.resize(2);
  config.links = {"switch:a", "switch:b,speed=100"};
  config.outlets = {{"a", "switch:b"}};
  config.rate = "20Mbit/s";
  const RunSummary s = run(config);
  expect_all_arrive(s, 2, 300);
  EXPECT_EQ(s.nics[1].mbit_per_second, 100U);
  ASSERT_EQ(s.switches.size(), 2U);
  EXPECT_EQ(s.switches[0].stations, 2U);
  EXPECT_EQ(s.switches[1].stations, 2U);
  EXPECT_EQ(s.switches[1].ports[1].to, "switch a");
}

TEST(BoardSwitch, ModulesHaveNamesThatTellWhereTheyAre) {
  BoardConfig config = generate(2, 1);
  config.outlets = {{"lan", "null"}, {"lan", "loopback"}};
  Board board("board", config);
  EXPECT_NE(sc_core::sc_find_object("board.nic0.partner"), nullptr);
  EXPECT_NE(sc_core::sc_find_object("board.board1_nic0.partner"), nullptr);
  EXPECT_NE(sc_core::sc_find_object("board.outlet1.port"), nullptr);
  EXPECT_NE(sc_core::sc_find_object("board.outlet1.partner"), nullptr);
  EXPECT_NE(sc_core::sc_find_object("board.switch_lan"), nullptr);
}

TEST(BoardSwitch, RefusesWhatCannotBeAndNamesIt) {
  const auto refusal = [](const BoardConfig& config) -> std::string {
    try {
      Board board(sc_core::sc_gen_unique_name("board"), config);
      return "";
    } catch (const std::exception& error) {
      return error.what();
    }
  };
  const auto linked = [&](const std::string& link) {
    BoardConfig config;
    config.links = {link};
    return config;
  };
  EXPECT_THAT(refusal(linked("switch")), HasSubstr("switch:NAME"));
  EXPECT_THAT(refusal(linked("switch:")), HasSubstr("switch:NAME"));
  EXPECT_THAT(refusal(linked("switch:a b")), HasSubstr("switch:NAME"));
  EXPECT_THAT(refusal(linked("switch:lan,speed=7")), HasSubstr("speed=7"));
  EXPECT_THAT(refusal(linked("switch:lan,latency=1us")), HasSubstr("--switch"));
  BoardConfig config = linked("null");
  config.switches = {{"lan", {}}};
  EXPECT_THAT(refusal(config), HasSubstr("--switch lan"));
  config = linked("null");
  config.outlets = {{"lan", "null"}};
  EXPECT_THAT(refusal(config), HasSubstr("--on-switch lan=null"));
  config = linked("switch:lan");
  config.outlets = {{"lan", "pcap:in=/no/such.pcap"}};
  EXPECT_THAT(refusal(config), HasSubstr("/no/such.pcap"));
  config = linked("switch:lan");
  config.outlets = {{"lan", "switch:lan"}};
  EXPECT_THAT(refusal(config), HasSubstr("ring"));
  config.outlets = {{"lan", "switch:b"}, {"b", "switch:c"}, {"c", "switch:lan"}};
  EXPECT_THAT(refusal(config), HasSubstr("ring"));
  config = linked("switch:lan");
  config.boards = 2;
  config.qtest = "unix:/tmp/none";
  EXPECT_THAT(refusal(config), HasSubstr("--boards 2"));
}

}  // namespace
}  // namespace e1000tlm::platform
