#include "e1000tlm/link/switch/switch_table.h"

#include <gtest/gtest.h>

namespace e1000tlm::link {
namespace {

constexpr unsigned kNowhere = StationTable::kNowhere;

TEST(StationAddress, HasTheFirstByteOnTopAndKnowsGroups) {
  const std::uint8_t bytes[] = {0x01, 0x80, 0xC2, 0x00, 0x00, 0x0E};
  EXPECT_EQ(load_station(bytes), 0x0180'C200'000EU);
  EXPECT_TRUE(is_group(0x0180'C200'000E));
  EXPECT_TRUE(is_group(0xFFFF'FFFF'FFFF));
  EXPECT_FALSE(is_group(0x5254'0012'3456));
  EXPECT_FALSE(is_group(0x02FF'FFFF'FFFF));
}

TEST(StationTable, FindsWhereAStationWasSeenLast) {
  StationTable table(16, ms(300));
  EXPECT_EQ(table.find(0xA, us(0)), kNowhere);
  table.learn(0xA, 3, us(1));
  table.learn(0xB, 0, us(2));
  EXPECT_EQ(table.find(0xA, us(3)), 3U);
  EXPECT_EQ(table.find(0xB, us(3)), 0U);
  table.learn(0xA, 5, us(4));
  EXPECT_EQ(table.find(0xA, us(5)), 5U);
  EXPECT_EQ(table.stations(us(5)), 2U);
  EXPECT_EQ(table.statistics().learned, 2U);
  EXPECT_EQ(table.statistics().moved, 1U);
}

TEST(StationTable, ForgetsAStationWhenItsTimeIsOver) {
  StationTable table(16, ms(300));
  table.learn(0xA, 3, ms(100));
  table.learn(0xA, 3, ms(200));
  EXPECT_EQ(table.find(0xA, ms(500)), 3U) << "seen exactly the ageing time ago";
  EXPECT_EQ(table.find(0xA, ms(500) + Time{1}), kNowhere);
  EXPECT_EQ(table.stations(ms(500) + Time{1}), 0U);
  table.learn(0xA, 4, ms(600));
  EXPECT_EQ(table.find(0xA, ms(600)), 4U);
  EXPECT_EQ(table.statistics().learned, 2U);
  EXPECT_EQ(table.statistics().aged, 1U);
  EXPECT_EQ(table.statistics().moved, 0U);
}

TEST(StationTable, AnEarlierSightingDoesNotMakeAnEntryOlder) {
  StationTable table(16, ms(300));
  table.learn(0xA, 3, ms(200));
  table.learn(0xA, 3, ms(150));
  EXPECT_EQ(table.find(0xA, ms(500)), 3U);
}

TEST(StationTable, HoldsAsManyAsItShouldAndNoMore) {
  StationTable table(100, ms(300));
  for (unsigned i = 0; i < 150; ++i) table.learn(0x5254'0000'0000 + i, i, us(i));
  for (unsigned i = 0; i < 150; ++i) {
    EXPECT_EQ(table.find(0x5254'0000'0000 + i, us(200)), i < 100 ? i : kNowhere);
  }
  EXPECT_EQ(table.statistics().learned, 100U);
  EXPECT_EQ(table.statistics().refused, 50U);
  // Known ones may still move.
  table.learn(0x5254'0000'0000, 77, us(200));
  EXPECT_EQ(table.find(0x5254'0000'0000, us(200)), 77U);
}

TEST(StationTable, AFullTableMakesRoomOfAgedEntries) {
  StationTable table(4, ms(300));
  for (unsigned i = 0; i < 4; ++i) table.learn(i, i, ms(100 * i));
  table.learn(9, 9, ms(300));
  EXPECT_EQ(table.find(9, ms(300)), kNowhere);
  table.learn(9, 9, ms(401));  // 0 and 1 were seen at 0 and 100 ms
  EXPECT_EQ(table.find(9, ms(401)), 9U);
  EXPECT_EQ(table.find(0, ms(401)), kNowhere);
  EXPECT_EQ(table.find(3, ms(401)), 3U);
  EXPECT_EQ(table.statistics().aged, 2U);
  EXPECT_EQ(table.stations(ms(401)), 3U);
}

TEST(StationTable, ForgetsWhatIsBehindAPort) {
  StationTable table(64, ms(300));
  for (unsigned i = 0; i < 64; ++i) table.learn(1000 + i, i % 2, us(1));
  table.forget(1);
  for (unsigned i = 0; i < 64; ++i) {
    EXPECT_EQ(table.find(1000 + i, us(2)), i % 2 == 0 ? 0U : kNowhere);
  }
  EXPECT_EQ(table.stations(us(2)), 32U);
}

TEST(StationTable, AddressZeroAndTheHighestPortAreLikeAnyOther) {
  StationTable table(2, ms(300));
  EXPECT_EQ(table.find(0, us(1)), kNowhere);
  table.learn(0, 0, us(1));
  table.learn(0xFEFF'FFFF'FFFF, 65534, us(1));
  EXPECT_EQ(table.find(0, us(1)), 0U);
  EXPECT_EQ(table.find(0xFEFF'FFFF'FFFF, us(1)), 65534U);
}

}  // namespace
}  // namespace e1000tlm::link
