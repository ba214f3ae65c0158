/// DMI that comes and goes changes nothing that a guest could see.
#include <gtest/gtest.h>

#include "e1000tlm/board/board.h"
#include "e1000tlm/tlm/sc_time.h"

namespace e1000tlm::platform {
namespace {

BoardConfig traffic(Time quantum) {
  BoardConfig config;
  config.app = AppChoice::kGenerate;
  config.links = {"loopback"};
  config.sizes = "64-1518";
  config.frames = 3000;
  config.quantum = quantum;
  return config;
}

/// Withdraws DMI from everybody fifty times while frames are under way, and grants it again.
void expect_nothing_lost(const BoardConfig& config, Time first, Time between) {
  Board board("board", config);
  int withdrawals = 0;
  sc_core::sc_spawn([&] {
    sc_core::wait(to_sc(first));
    for (; withdrawals < 50; ++withdrawals) {
      sc_core::wait(to_sc(between));
      board.memory().allow_dmi(false);
      if (withdrawals % 2 != 0) sc_core::wait(to_sc(ns(500)));
      board.memory().allow_dmi(true);
    }
  });
  board.run();
  board.finish();
  const RunSummary s = board.summary();
  EXPECT_EQ(withdrawals, 50);
  ASSERT_EQ(s.streams.size(), 1U);
  EXPECT_EQ(s.streams[0].sent, 3000U);
  EXPECT_EQ(s.streams[0].received, 3000U);
  EXPECT_EQ(s.streams[0].corrupt + s.streams[0].duplicates + s.streams[0].reordered, 0U);
  EXPECT_TRUE(s.nics[0].lost.empty());
  EXPECT_EQ(s.ended_by, "traffic handled");
}

TEST(BoardDmi, WithdrawalsLoseNothingApproximatelyTimed) {
  expect_nothing_lost(traffic(kTimeZero), ms(520), us(400));
}
TEST(BoardDmi, WithdrawalsLoseNothingLooselyTimed) {
  expect_nothing_lost(traffic(us(10)), ms(520), us(400));
}

}  // namespace
}  // namespace e1000tlm::platform
