/// ethtool's offline test on whole boards: on every part, and what it says of broken ones.
#include <cstdio>
#include <string>
#include <tuple>

#include <gtest/gtest.h>

#include "e1000tlm/board/board.h"
#include "testbenches/support/sc_test.h"
#include "testbenches/unit/platform/board_fixture.h"

namespace e1000tlm::platform {
namespace {

using test::run_to_end;

BoardConfig self_test(e1000::Part part = e1000::Part::k82540em) {
  BoardConfig config;
  config.nics[0].part = part;
  config.links = {"null"};
  config.app = AppChoice::kSelfTest;
  return config;
}

class SelfTestOnPart : public ::testing::TestWithParam<std::tuple<e1000::Part, int>> {};

TEST_P(SelfTestOnPart, Passes) {
  BoardConfig config = self_test(std::get<0>(GetParam()));
  config.quantum = us(std::get<1>(GetParam()));
  const RunSummary s = run_to_end(config);
  for (const std::string& failure : s.failures) ADD_FAILURE() << failure;
  ASSERT_TRUE(s.nics[0].self_test);
  EXPECT_EQ(s.nics[0].self_test->registers, 0U);
  EXPECT_EQ(s.nics[0].self_test->eeprom, 0U);
  EXPECT_EQ(s.nics[0].self_test->interrupt, 0U);
  EXPECT_EQ(s.nics[0].self_test->loopback, 0U);
  EXPECT_EQ(s.nics[0].self_test->link, 0U);
  EXPECT_TRUE(s.nics[0].link_up) << "the adapter is open again";
  EXPECT_EQ(s.ended_by, "traffic handled");
}
INSTANTIATE_TEST_SUITE_P(
    EveryPart, SelfTestOnPart,
    ::testing::Combine(::testing::Values(e1000::Part::k82540em, e1000::Part::k82544gc,
                                         e1000::Part::k82545em, e1000::Part::k82545gm),
                       ::testing::Values(0, 1, 100, 20'000)),
    [](const auto& info) {
      return "Part" + std::string(e1000::part_info(std::get<0>(info.param)).name) + "Quantum" +
             std::to_string(std::get<1>(info.param)) + "us";
    });

TEST(SelfTest, PassesWhileFramesComeIn) {
  BoardConfig config = self_test();
  config.links = {"pcap:in=built-in,loop=200,pace=10kfps"};
  const RunSummary s = run_to_end(config);
  for (const std::string& failure : s.failures) ADD_FAILURE() << failure;
  EXPECT_TRUE(s.nics[0].self_test->passed());
  EXPECT_GT(s.nics[0].wire_in.frames, 60'000U);
}

TEST(SelfTest, TestsEveryAdapterAndSharedLinesToo) {
  BoardConfig config = self_test();
  config.nics.resize(5);
  config.links.assign(5, "null");
  const RunSummary s = run_to_end(config);
  for (const std::string& failure : s.failures) ADD_FAILURE() << failure;
  for (const NicSummary& nic : s.nics) EXPECT_TRUE(nic.self_test && nic.self_test->passed());
}

// What the test would find on a broken adapter, and on one whose link comes at the wrong moment.

TEST(SelfTest, TellsAWrongEepromSum) {
  BoardConfig config = self_test();
  const std::string file = ::testing::TempDir() + "self_test_eeprom.bin";
  e1000::EepromImage image =
      e1000::EepromImage::make(e1000::Part::k82540em, {0x52, 0x54, 0, 0, 0, 1});
  std::string bytes;
  for (unsigned i = 0; i < 64; ++i) {
    const unsigned word = image.word(i) + (i == 0x30 ? 1U : 0U);
    bytes += static_cast<char>(word & 0xFF);
    bytes += static_cast<char>(word >> 8 & 0xFF);
  }
  std::FILE* out = std::fopen(file.c_str(), "wb");
  ASSERT_NE(out, nullptr);
  std::fwrite(bytes.data(), 1, bytes.size(), out);
  std::fclose(out);
  config.nics[0].eeprom_file = file;
  e1000tlm::test::expect_report("/e1000tlm/platform/eeprom");
  const RunSummary s = run_to_end(config);
  EXPECT_EQ(s.nics[0].self_test->eeprom, 2U);
  EXPECT_EQ(s.nics[0].self_test->registers, 0U);
  EXPECT_EQ(s.failures, std::vector<std::string>{"nic 0: self-test failed"});
}

/// A link that comes up while LSC is the enabled cause makes ICR tell the others, too.
TEST(SelfTest, FailsWhenNegotiationEndsInTheMiddleOfTheInterruptTest) {
  BoardConfig config = self_test();
  config.nics[0].autonegotiation = ms(95);
  const RunSummary s = run_to_end(config);
  EXPECT_EQ(s.nics[0].self_test->interrupt, 5U);
  EXPECT_EQ(s.nics[0].self_test->loopback, 0U);
}

}  // namespace
}  // namespace e1000tlm::platform
