#include "e1000tlm/link/virtio_header.h"

#include <array>
#include <vector>

#include <gtest/gtest.h>

#include "e1000tlm/link/checksum.h"

namespace e1000tlm::link {
namespace {

using Octets = std::vector<std::uint8_t>;

constexpr std::uint8_t kNeedsChecksum = 1, kTcp4 = 1, kUfo = 3, kTcp6 = 4, kUdpL4 = 5, kEcn = 0x80;

Octets header(std::uint8_t flags, std::uint8_t gso, std::uint16_t size, std::uint16_t start,
              std::uint16_t offset) {
  Octets h(kVirtioHeaderBytes, 0);
  h[0] = flags;
  h[1] = gso;
  store_le16(&h[4], size);
  store_le16(&h[6], start);
  store_le16(&h[8], offset);
  return h;
}

/// Ethernet, IP without options, TCP or UDP, and a payload that counts up.
Octets packet(bool ipv4, bool tcp, std::size_t payload) {
  const std::size_t transport = 14U + (ipv4 ? 20 : 40);
  const std::size_t headers = transport + (tcp ? 20 : 8);
  Octets p(headers + payload, 0);
  store_be16(&p[12], ipv4 ? 0x0800 : 0x86DD);
  if (ipv4) {
    p[14] = 0x45;
    p[23] = tcp ? 6 : 17;
    store_be32(&p[26], 0x0A00'0001);
    store_be32(&p[30], 0x0A00'0002);
  } else {
    p[14] = 0x60;
    p[20] = tcp ? 6 : 17;
    p[37] = 1;
    p[53] = 2;
  }
  if (tcp) {
    store_be32(&p[transport + 4], 1000);
    p[transport + 12] = 0x50;
    p[transport + 13] = 0x99;  // CWR, ACK, PSH, FIN
  }
  for (std::size_t i = 0; i < payload; ++i) p[headers + i] = static_cast<std::uint8_t>(i);
  return p;
}

/// Of the pseudo-header and the segment: FFFFh when the checksum is right (RFC 1071).
unsigned transport_sum(ConstBytes frame, bool ipv4, bool tcp) {
  const std::size_t transport = 14U + (ipv4 ? 20 : 40);
  const auto length = static_cast<std::uint32_t>(frame.size() - transport);
  const std::uint32_t seed =
      ones_sum(ipv4 ? frame.subspan(26, 8) : frame.subspan(22, 32)) + length + (tcp ? 6U : 17U);
  return ones_sum(frame.subspan(transport), seed);
}

TEST(OffloadFinisher, PassesOnWhatAsksForNothing) {
  Octets frame = packet(true, true, 10);
  const Octets before = frame;
  OffloadFinisher finisher;
  ASSERT_TRUE(finisher.begin(header(0, 0, 0, 0, 0), frame));
  const ConstBytes out = finisher.next();
  EXPECT_EQ(Octets(out.begin(), out.end()), before);
  EXPECT_FALSE(finisher.more());
}

TEST(OffloadFinisher, FillsInAChecksumWhoseFieldHoldsThePseudoHeader) {
  Octets frame = packet(true, false, 33);
  store_be16(&frame[38], 41);  // UDP length
  store_be16(&frame[40], ones_sum(ConstBytes(frame).subspan(26, 8), 41 + 17));
  OffloadFinisher finisher;
  ASSERT_TRUE(finisher.begin(header(kNeedsChecksum, 0, 0, 34, 6), frame));
  EXPECT_EQ(transport_sum(finisher.next(), true, false), 0xFFFFU);
}

struct Case {
  bool ipv4, tcp;
  std::uint8_t gso;
};

class Segments : public ::testing::TestWithParam<Case> {};

TEST_P(Segments, AreWholePacketsWithThePayloadInOrder) {
  const auto [ipv4, tcp, gso] = GetParam();
  constexpr std::size_t kPayload = 250;
  constexpr std::uint16_t kMss = 100;
  Octets frame = packet(ipv4, tcp, kPayload);
  const std::size_t transport = 14U + (ipv4 ? 20 : 40);
  const std::size_t headers = frame.size() - kPayload;
  OffloadFinisher finisher;
  ASSERT_TRUE(finisher.begin(
      header(kNeedsChecksum, gso, kMss, static_cast<std::uint16_t>(transport), tcp ? 16 : 6),
      frame));
  std::size_t at = 0;
  unsigned index = 0;
  for (const std::size_t bytes : {100U, 100U, 50U}) {
    const ConstBytes s = finisher.next();
    ASSERT_EQ(s.size(), headers + bytes);
    for (std::size_t i = 0; i < bytes; ++i, ++at) {
      EXPECT_EQ(s[headers + i], static_cast<std::uint8_t>(at));
    }
    EXPECT_EQ(transport_sum(s, ipv4, tcp), 0xFFFFU);
    if (ipv4) {
      EXPECT_EQ(ones_sum(s.subspan(14, 20)), 0xFFFF);
      EXPECT_EQ(load_be16(&s[16]), s.size() - 14);
      EXPECT_EQ(load_be16(&s[18]), index);
    } else {
      EXPECT_EQ(load_be16(&s[18]), s.size() - 54);
    }
    if (tcp) {
      EXPECT_EQ(load_be32(&s[transport + 4]), 1000 + 100 * index);
      const unsigned cwr = index == 0 || (gso & kEcn) == 0 ? 0x80U : 0U;
      EXPECT_EQ(s[transport + 13], (index == 2 ? 0x19U : 0x10U) | cwr);
    } else {
      EXPECT_EQ(load_be16(&s[transport + 4]), s.size() - transport);
    }
    ++index;
  }
  EXPECT_FALSE(finisher.more());
  EXPECT_TRUE(finisher.next().empty());
}

INSTANTIATE_TEST_SUITE_P(Kinds, Segments,
                         ::testing::Values(Case{true, true, kTcp4}, Case{true, true, kTcp4 | kEcn},
                                           Case{false, true, kTcp6}, Case{true, false, kUdpL4},
                                           Case{false, false, kUdpL4}));

TEST(OffloadFinisher, RefusesWhatCannotBeDone) {
  const auto refused = [](const Octets& h, Octets frame) {
    OffloadFinisher finisher;
    return !finisher.begin(h, frame) && finisher.next().empty();
  };
  const Octets tcp = packet(true, true, 100);
  EXPECT_TRUE(refused(header(kNeedsChecksum, 0, 0, 153, 16), tcp));     // field outside
  EXPECT_TRUE(refused(header(kNeedsChecksum, 0, 0, 10, 0), tcp));       // in the Ethernet header
  EXPECT_TRUE(refused(header(kNeedsChecksum, kTcp4, 0, 34, 16), tcp));  // no size
  EXPECT_TRUE(refused(header(0, kTcp4, 50, 34, 16), tcp));              // segments without checksum
  EXPECT_TRUE(refused(header(kNeedsChecksum, kTcp6, 50, 34, 16), tcp));
  EXPECT_TRUE(refused(header(kNeedsChecksum, kUfo, 50, 34, 6), packet(true, false, 100)));
  EXPECT_TRUE(refused(header(kNeedsChecksum, kTcp4, 50, 34, 16), packet(true, false, 100)));
  EXPECT_TRUE(refused(header(kNeedsChecksum, kTcp4, 50, 36, 16), tcp));
  EXPECT_TRUE(refused(header(kNeedsChecksum, 7, 50, 34, 16), tcp));
  Octets bad = tcp;
  bad[46] = 0x40;  // a TCP header of 16 bytes
  EXPECT_TRUE(refused(header(kNeedsChecksum, kTcp4, 50, 34, 16), bad));
  bad[46] = 0xF0;  // and one that is longer than the frame
  EXPECT_TRUE(
      refused(header(kNeedsChecksum, kTcp4, 50, 34, 16), Octets(bad.begin(), bad.begin() + 90)));
}

}  // namespace
}  // namespace e1000tlm::link
