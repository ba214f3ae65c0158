#include "e1000tlm/link/segment_header.h"

#include <vector>

#include <gtest/gtest.h>

namespace e1000tlm::link {
namespace {

constexpr std::uint8_t kFinPshAckCwr = 0x99;

std::vector<std::uint8_t> segment(std::size_t size) {
  std::vector<std::uint8_t> bytes(size, 0);
  store_be16(bytes.data() + 18, 0xFFFF);       // IPv4 identification
  store_be32(bytes.data() + 38, 0xFFFF'FFF0);  // TCP sequence
  bytes[47] = kFinPshAckCwr;
  return bytes;
}

TEST(SegmentHeader, CountsOnInIpv4AndTcp) {
  auto bytes = segment(54 + 100);
  update_segment_header(bytes, {}, 2, 200, false);
  EXPECT_EQ(load_be16(&bytes[16]), 140);
  EXPECT_EQ(load_be16(&bytes[18]), 1);  // FFFFh + 2
  EXPECT_EQ(load_be32(&bytes[38]), 184U);
  EXPECT_EQ(bytes[47], kFinPshAckCwr & 0xF6);
}

TEST(SegmentHeader, LeavesFinAndPshToTheLastSegment) {
  auto bytes = segment(54 + 1);
  update_segment_header(bytes, {}, 0, 0, true);
  EXPECT_EQ(bytes[47], kFinPshAckCwr);
  EXPECT_EQ(load_be16(&bytes[18]), 0xFFFF);
}

TEST(SegmentHeader, Ipv6CountsWhatFollowsItsHeader) {
  std::vector<std::uint8_t> bytes(14 + 40 + 8 + 30, 0);
  update_segment_header(bytes, {false, false, 14, 54, 62}, 1, 30, false);
  EXPECT_EQ(load_be16(&bytes[18]), 38);
  EXPECT_EQ(load_be16(&bytes[58]), 38);  // UDP length
}

TEST(SegmentHeader, TouchesNothingBeyondTheHeader) {
  std::vector<std::uint8_t> bytes(40, 0xAA);
  const auto before = bytes;
  update_segment_header(bytes, {true, true, 36, 200, 40}, 3, 9, false);
  EXPECT_EQ(bytes, before);
}

}  // namespace
}  // namespace e1000tlm::link
