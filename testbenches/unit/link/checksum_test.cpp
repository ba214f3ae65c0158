#include "e1000tlm/link/checksum.h"

#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace e1000tlm::link {
namespace {

using Content = std::vector<std::uint8_t>;

// Byte by byte, carry by carry: another way than the one under test.
unsigned slow_sum(const Content& bytes, std::size_t from, std::size_t count, unsigned seed = 0) {
  unsigned sum = seed;
  while (sum > 0xFFFF) sum = (sum & 0xFFFF) + (sum >> 16);
  for (std::size_t i = 0; i < count; ++i) {
    sum += i % 2 == 0 ? bytes[from + i] * 256u : bytes[from + i];
    if (sum > 0xFFFF) sum -= 0xFFFF;
  }
  return sum;
}

Content random_content(std::size_t size, unsigned seed) {
  std::mt19937 random(seed);
  Content content(size);
  for (auto& byte : content) byte = static_cast<std::uint8_t>(random());
  return content;
}

TEST(OnesSum, MatchesTheExampleOfRfc1071) {
  const Content content = {0x00, 0x01, 0xF2, 0x03, 0xF4, 0xF5, 0xF6, 0xF7};
  EXPECT_EQ(ones_sum(content), 0xDDF2);
}

TEST(OnesSum, OddLastByteIsTheHighHalf) {
  EXPECT_EQ(ones_sum(Content{0xAB}), 0xAB00);
  EXPECT_EQ(ones_sum(Content{0x12, 0x34, 0x56}), 0x1234 + 0x5600);
}

TEST(OnesSum, NothingSumsToTheSeed) {
  EXPECT_EQ(ones_sum({}), 0);
  EXPECT_EQ(ones_sum({}, 0x1234), 0x1234);
  EXPECT_EQ(ones_sum({}, 0xFFFFFFFF), 0xFFFF);
  EXPECT_EQ(ones_sum({}, 0x00010000), 1);
}

TEST(OnesSum, OnlyZerosSumToZero) {
  EXPECT_EQ(ones_sum(Content(100, 0)), 0);
  EXPECT_EQ(ones_sum(Content{0xFF, 0xFE, 0x00, 0x01}), 0xFFFF);
  EXPECT_EQ(ones_sum(Content(65536, 0xFF)), 0xFFFF);
}

TEST(OnesSum, MatchesTheBytewiseSumAtEveryLengthAndAlignment) {
  const Content content = random_content(400, 1);
  for (std::size_t from = 0; from < 9; ++from) {
    for (std::size_t count = 0; from + count <= content.size(); ++count) {
      ASSERT_EQ(ones_sum({content.data() + from, count}, 0x89ABCDEF),
                slow_sum(content, from, count, 0x89ABCDEF))
          << from << '+' << count;
    }
  }
}

TEST(OnesSum, MatchesTheBytewiseSumOfManyRandomPackets) {
  for (unsigned seed = 0; seed < 300; ++seed) {
    const Content content = random_content(1 + seed * 54, seed);
    ASSERT_EQ(ones_sum(content, seed), slow_sum(content, 0, content.size(), seed));
  }
}

TEST(InsertChecksum, Ipv4HeaderFromTheClassicExample) {
  // 45 00 00 73 ... with checksum b861 (192.168.0.1 to 192.168.0.199, UDP).
  Content header = {0x45, 0x00, 0x00, 0x73, 0x00, 0x00, 0x40, 0x00, 0x40, 0x11,
                    0x00, 0x00, 0xC0, 0xA8, 0x00, 0x01, 0xC0, 0xA8, 0x00, 0xC7};
  EXPECT_TRUE(insert_checksum(header, 0, 19, 10, false));
  EXPECT_EQ(header[10], 0xB8);
  EXPECT_EQ(header[11], 0x61);
}

TEST(InsertChecksum, EndIsInclusiveAndZeroMeansTheLastByte) {
  const Content content = {1, 2, 3, 4, 5, 6, 0, 0};
  for (const unsigned end : {3u, 5u, 7u, 0u, 8u, 65535u}) {
    Content packet = content;
    ASSERT_TRUE(insert_checksum(packet, 2, end, 6, false));
    const std::size_t last = end == 0 || end > 7 ? 7 : end;
    const unsigned expected = ~slow_sum(content, 2, last - 1) & 0xFFFF;
    EXPECT_EQ(packet[6] * 256u + packet[7], expected) << end;
  }
}

TEST(InsertChecksum, TheWordAtTheOffsetIsASeed) {
  Content packet = {0x10, 0x00, 0x01, 0x02};
  ASSERT_TRUE(insert_checksum(packet, 0, 0, 2, false));
  EXPECT_EQ(packet, (Content{0x10, 0x00, 0xEE, 0xFD}));  // ~(1000 + 0102)
}

TEST(InsertChecksum, ExtraIsAddedBeforeTheComplement) {
  Content packet = {0x10, 0x00, 0x00, 0x00};
  ASSERT_TRUE(insert_checksum(packet, 0, 0, 2, false, 0x10001));
  EXPECT_EQ(packet[2] * 256 + packet[3], 0xFFFF - 0x1002);
}

TEST(InsertChecksum, ZeroBecomesAllOnesForUdpOnly) {
  const Content content = {0xFF, 0xFF, 0x00, 0x00};
  Content packet = content;
  ASSERT_TRUE(insert_checksum(packet, 0, 0, 2, true));
  EXPECT_EQ(packet, (Content{0xFF, 0xFF, 0xFF, 0xFF}));
  packet = content;
  ASSERT_TRUE(insert_checksum(packet, 0, 0, 2, false));
  EXPECT_EQ(packet, (Content{0xFF, 0xFF, 0x00, 0x00}));
}

TEST(InsertChecksum, RefusesWhatLiesBeyondThePacket) {
  const Content content = random_content(20, 7);
  const auto unchanged = [&](unsigned start, unsigned end, unsigned offset) {
    Content packet = content;
    return !insert_checksum(packet, start, end, offset, false) && packet == content;
  };
  EXPECT_TRUE(unchanged(20, 0, 10));  // CSS >= length
  EXPECT_TRUE(unchanged(255, 0, 10));
  EXPECT_TRUE(unchanged(0, 0, 19));  // CSO >= length - 1
  EXPECT_TRUE(unchanged(0, 0, 20));
  EXPECT_TRUE(unchanged(0, 0, 0xFFFFFFFF));
  EXPECT_TRUE(unchanged(10, 9, 4));  // end before start
  EXPECT_FALSE(unchanged(19, 0, 18));
  EXPECT_FALSE(unchanged(10, 10, 4));
  EXPECT_FALSE(insert_checksum({}, 0, 0, 0, false));
  Content one = {0x55};
  EXPECT_FALSE(insert_checksum(one, 0, 0, 0, false));
  EXPECT_EQ(one[0], 0x55);
}

}  // namespace
}  // namespace e1000tlm::link
