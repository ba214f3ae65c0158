#include <set>

#include <gtest/gtest.h>

#include "e1000tlm/traffic/default_capture.h"

namespace e1000tlm::traffic {
namespace {

TEST(DefaultCapture, IsAWellFormedVariedNanosecondPcap) {
  const ConstBytes file = default_capture();
  ASSERT_GT(file.size(), 24U);
  EXPECT_EQ(load_le32(file.data()), 0xA1B23C4DU);
  EXPECT_EQ(load_le32(file.data() + 20), 1U) << "link type Ethernet";
  std::size_t frames = 0;
  std::uint64_t last = 0;
  std::set<std::uint16_t> ethertypes;
  std::size_t offset = 24;
  while (offset + 16 <= file.size()) {
    const std::uint8_t* record = file.data() + offset;
    const std::uint64_t time =
        load_le32(record) * std::uint64_t{1'000'000'000} + load_le32(record + 4);
    const std::uint32_t captured = load_le32(record + 8);
    EXPECT_EQ(captured, load_le32(record + 12)) << "cut short";
    EXPECT_GE(captured, 60U);
    EXPECT_LE(captured, 1514U);
    EXPECT_GE(time, last);
    last = time;
    ethertypes.insert(load_be16(record + 16 + 12));
    offset += 16 + captured;
    ++frames;
  }
  EXPECT_EQ(offset, file.size());
  EXPECT_EQ(frames, 340U);
  EXPECT_EQ(ethertypes, (std::set<std::uint16_t>{0x0800, 0x0806, 0x86DD}));
}

}  // namespace
}  // namespace e1000tlm::traffic
