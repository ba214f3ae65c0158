#include "e1000tlm/e1000/receive/link_header.h"

#include <vector>

#include <gtest/gtest.h>

namespace e1000tlm::e1000 {
namespace {

using Octets = std::vector<std::uint8_t>;
constexpr std::uint16_t kVet = 0x8100, kIpv4 = 0x0800;

Octets with_type(std::uint16_t type, std::size_t size = 60) {
  Octets frame(size, 0xEE);
  store_be16(&frame[12], type);
  return frame;
}
void put_snap(Octets& frame, std::size_t at, std::uint16_t type) {
  store_be32(&frame[at], 0xAAAA0300);
  store_be16(&frame[at + 4], 0);
  store_be16(&frame[at + 6], type);
}
LinkPayload payload(const Octets& frame) {
  return link_payload({frame.data(), frame.size()}, kVet);
}

TEST(LinkHeader, AnEtherTypeIsFollowedByWhatItNames) {
  const Octets frame = with_type(kIpv4);
  const LinkPayload found = payload(frame);
  EXPECT_EQ(found.type, kIpv4);
  EXPECT_EQ(found.bytes.data(), frame.data() + 14);
  EXPECT_EQ(found.bytes.size(), 46U);
}

TEST(LinkHeader, ATagIsSkippedIfItIsTheOneOfVet) {
  Octets frame = with_type(kVet);
  store_be16(&frame[14], 0x6123);
  store_be16(&frame[16], kIpv4);
  EXPECT_TRUE(is_tagged({frame.data(), frame.size()}, kVet));
  EXPECT_EQ(tag_control({frame.data(), frame.size()}), 0x6123);
  EXPECT_EQ(payload(frame).type, kIpv4);
  EXPECT_EQ(payload(frame).bytes.data(), frame.data() + 18);
  store_be16(&frame[12], 0x88A8);
  EXPECT_FALSE(is_tagged({frame.data(), frame.size()}, kVet));
  EXPECT_EQ(payload(frame).type, 0x88A8) << "an EtherType like any other";
}

TEST(LinkHeader, SnapHidesAnEtherTypeBehindALength) {
  Octets frame = with_type(0x28);
  put_snap(frame, 14, kIpv4);
  const LinkPayload found = payload(frame);
  EXPECT_EQ(found.type, kIpv4);
  EXPECT_EQ(found.bytes.data(), frame.data() + 22);
  EXPECT_EQ(found.bytes.size(), 0x28U - 8) << "the rest is padding";
}

TEST(LinkHeader, SnapBehindATag) {
  Octets frame = with_type(kVet);
  store_be16(&frame[16], 0x20);
  put_snap(frame, 18, kIpv4);
  EXPECT_EQ(payload(frame).type, kIpv4);
  EXPECT_EQ(payload(frame).bytes.size(), 0x20U - 8);
}

TEST(LinkHeader, WhatIsNoSnapOfOuiZeroIsNotUnderstood) {
  Octets frame = with_type(0x28);
  put_snap(frame, 14, kIpv4);
  for (std::size_t at = 14; at < 20; ++at) {
    Octets other = frame;
    other[at] ^= 1;
    EXPECT_EQ(payload(other).type, 0) << at;
    EXPECT_TRUE(payload(other).bytes.empty()) << at;
  }
}

TEST(LinkHeader, ALengthThatLiesIsNotBelieved) {
  for (const std::uint16_t length : {0, 7, 47, 1500}) {
    Octets frame = with_type(length);
    put_snap(frame, 14, kIpv4);
    EXPECT_EQ(payload(frame).type, 0) << length;
  }
  Octets frame = with_type(46);
  put_snap(frame, 14, kIpv4);
  EXPECT_EQ(payload(frame).type, kIpv4) << "all that is there";
  frame = with_type(8);
  put_snap(frame, 14, kIpv4);
  EXPECT_EQ(payload(frame).type, kIpv4);
  EXPECT_TRUE(payload(frame).bytes.empty());
}

TEST(LinkHeader, FromWhichValueOnATypeIsNoLength) {
  Octets frame = with_type(kLongestLength, 1514);
  put_snap(frame, 14, kIpv4);
  EXPECT_EQ(payload(frame).type, kIpv4);
  store_be16(&frame[12], kLongestLength + 1);
  EXPECT_EQ(payload(frame).type, kLongestLength + 1);
}

/// Frames come from outside: none is too short to be looked at.
TEST(LinkHeader, FramesOfAnySize) {
  for (std::size_t size = 0; size < 30; ++size) {
    for (const std::uint16_t type : {kVet, kIpv4, std::uint16_t{8}}) {
      Octets frame(size, 0);
      if (size >= 14) store_be16(&frame[12], type);
      if (size >= 18 && type == kVet) store_be16(&frame[16], kIpv4);
      const LinkPayload found = payload(frame);
      const std::size_t header = type == kVet ? 18 : 14;
      EXPECT_EQ(found.type, size < header || type == 8 ? 0 : kIpv4) << size << ' ' << type;
      EXPECT_LE(found.bytes.size(), size);
    }
  }
}

}  // namespace
}  // namespace e1000tlm::e1000
