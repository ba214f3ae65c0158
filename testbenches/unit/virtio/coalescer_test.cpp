/// Segments become long packets, from which the same segments can be made again.

#include "e1000tlm/virtio/coalescer.h"

#include <tuple>
#include <vector>

#include <gtest/gtest.h>

#include "e1000tlm/link/virtio_header.h"

#include "packets.h"

namespace {

using namespace e1000tlm;
using namespace e1000tlm::virtio::net;
using e1000tlm::virtio::net::test::Octets;
using e1000tlm::virtio::net::test::packet;
using e1000tlm::virtio::net::test::PacketSpec;
using Result = Coalescer::Result;

constexpr std::uint64_t kBoth = feature::kGuestTso4 | feature::kGuestTso6;
constexpr std::uint8_t kAckPsh = 0x18;

/// Segments of a flow, one after the other.
class Flow {
 public:
  explicit Flow(PacketSpec spec) : spec_(spec) {}
  Octets next(std::size_t payload, std::uint8_t flags = 0x10) {
    spec_.payload = payload;
    spec_.flags = flags;
    const Octets p = packet(spec_);
    spec_.sequence += static_cast<std::uint32_t>(payload);
    ++spec_.id;
    return p;
  }
  PacketSpec& spec() { return spec_; }

 private:
  PacketSpec spec_;
};

PacketSpec kind(bool ipv4, bool tagged = false) {
  PacketSpec spec;
  spec.ipv4 = ipv4;
  spec.tagged = tagged;
  return spec;
}

std::vector<Octets> cut(const Coalescer::Packet& long_packet) {
  Octets header(link::kVirtioHeaderBytes),
      frame(long_packet.frame.begin(), long_packet.frame.end());
  long_packet.header.encode(header);
  link::OffloadFinisher finisher;
  EXPECT_TRUE(finisher.begin(header, frame));
  std::vector<Octets> segments;
  while (finisher.more()) {
    const ConstBytes segment = finisher.next();
    segments.emplace_back(segment.begin(), segment.end());
  }
  return segments;
}

struct Coalescing : ::testing::Test {
  Coalescing() { coalescer.configure(kBoth); }
  Coalescer coalescer;
};

class Kinds : public ::testing::TestWithParam<std::tuple<bool, bool>> {};

TEST_P(Kinds, CutAgainTheyAreTheSame) {
  Coalescer coalescer;
  coalescer.configure(kBoth);
  const auto [ipv4, tagged] = GetParam();
  Flow flow(kind(ipv4, tagged));
  std::vector<Octets> sent;
  for (int i = 0; i < 5; ++i) sent.push_back(flow.next(1000));
  sent.push_back(flow.next(300, kAckPsh));
  for (std::size_t i = 0; i < sent.size(); ++i) {
    EXPECT_EQ(coalescer.offer(sent[i]), i + 1 < sent.size() ? Result::kHeld : Result::kComplete);
  }
  const Coalescer::Packet packet = coalescer.take();
  EXPECT_EQ(packet.segments, 6U);
  EXPECT_EQ(packet.header.flags, header::kNeedsCsum);
  EXPECT_EQ(packet.header.gso_type, ipv4 ? header::kGsoTcp4 : header::kGsoTcp6);
  EXPECT_EQ(packet.header.gso_size, 1000U);
  const std::size_t headers = (tagged ? 18U : 14U) + (ipv4 ? 20U : 40U) + 20U;
  EXPECT_EQ(packet.header.header_length, headers);
  EXPECT_EQ(packet.frame.size(), headers + 5300U);
  EXPECT_EQ(cut(packet), sent);
  EXPECT_FALSE(coalescer.holds());
}

INSTANTIATE_TEST_SUITE_P(All, Kinds, ::testing::Combine(::testing::Bool(), ::testing::Bool()));

TEST_F(Coalescing, OneSegmentStaysAsItCame) {
  PacketSpec spec;
  spec.padding = 3;
  Flow flow(spec);
  const Octets only = flow.next(3);
  EXPECT_EQ(coalescer.offer(only), Result::kHeld);
  const Coalescer::Packet packet = coalescer.take();
  EXPECT_EQ(Octets(packet.frame.begin(), packet.frame.end()), only);
  EXPECT_EQ(packet.header.flags, header::kDataValid);
  EXPECT_EQ(packet.header.gso_type, header::kGsoNone);
  EXPECT_EQ(packet.segments, 1U);
}

TEST_F(Coalescing, PaddingIsLeftOut) {
  PacketSpec spec;
  spec.padding = 3;
  Flow flow(spec);
  EXPECT_EQ(coalescer.offer(flow.next(3)), Result::kHeld);
  EXPECT_EQ(coalescer.offer(flow.next(3)), Result::kHeld);
  EXPECT_EQ(coalescer.offer(flow.next(2)), Result::kComplete);
  const Coalescer::Packet packet = coalescer.take();
  EXPECT_EQ(packet.frame.size(), 54U + 8U);
  for (std::size_t i = 0; i < 8; ++i) {
    EXPECT_EQ(packet.frame[54 + i], static_cast<std::uint8_t>(1000 + i));
  }
}

TEST_F(Coalescing, FramesThatCannotBePartOfOne) {
  const auto alone = [&](const Octets& p) { return coalescer.offer(p) == Result::kAlone; };
  PacketSpec udp;
  udp.tcp = false;
  EXPECT_TRUE(alone(packet(udp)));
  for (const unsigned flags : {0x00U, 0x02U, 0x11U, 0x14U, 0x30U, 0x50U, 0x90U}) {
    PacketSpec spec;
    spec.flags = static_cast<std::uint8_t>(flags);
    EXPECT_TRUE(alone(packet(spec))) << flags;
  }
  PacketSpec pushed;
  pushed.flags = kAckPsh;
  EXPECT_TRUE(alone(packet(pushed))) << "nothing can follow";
  PacketSpec empty;
  empty.payload = 0;
  EXPECT_TRUE(alone(packet(empty)));
  Octets damaged = packet({});
  ++damaged[60];
  EXPECT_TRUE(alone(damaged)) << "checksum";
  Octets fragment = packet({});
  store_be16(&fragment[20], 0x2000);
  EXPECT_TRUE(alone(fragment));
  EXPECT_TRUE(alone(Octets(60, 0)));
  EXPECT_TRUE(alone({}));
  EXPECT_FALSE(coalescer.holds());
}

TEST_F(Coalescing, OnlyWhatTheDriverTakes) {
  coalescer.configure(feature::kGuestTso6);
  EXPECT_EQ(coalescer.offer(packet(kind(true))), Result::kAlone);
  EXPECT_EQ(coalescer.offer(packet(kind(false))), Result::kHeld);
  coalescer.configure(feature::kGuestTso4);
  EXPECT_FALSE(coalescer.holds());
  EXPECT_EQ(coalescer.offer(packet(kind(false))), Result::kAlone);
  EXPECT_EQ(coalescer.offer(packet(kind(true))), Result::kHeld);
}

TEST_F(Coalescing, OthersDoNotJoin) {
  const auto joins = [&](auto change) {
    coalescer.clear();
    Flow flow(kind(true));
    EXPECT_EQ(coalescer.offer(flow.next(100)), Result::kHeld);
    Octets second = flow.next(100);
    change(flow, second);
    return coalescer.offer(second) != Result::kOther;
  };
  const auto rebuilt = [&](auto change) {
    return joins([&](Flow& flow, Octets& second) {
      flow.spec().sequence -= 100;
      --flow.spec().id;
      change(flow.spec());
      second = packet(flow.spec());
    });
  };
  EXPECT_TRUE(joins([](Flow&, Octets&) {}));
  EXPECT_TRUE(rebuilt([](PacketSpec&) {}));
  EXPECT_FALSE(rebuilt([](PacketSpec& s) { ++s.sequence; })) << "a gap";
  EXPECT_FALSE(rebuilt([](PacketSpec& s) { s.sequence -= 100; })) << "again";
  EXPECT_FALSE(rebuilt([](PacketSpec& s) { ++s.id; })) << "identification";
  EXPECT_FALSE(rebuilt([](PacketSpec& s) { ++s.source; })) << "port";
  EXPECT_FALSE(rebuilt([](PacketSpec& s) { ++s.host; })) << "address";
  EXPECT_FALSE(rebuilt([](PacketSpec& s) { s.tagged = true; }));
  EXPECT_FALSE(rebuilt([](PacketSpec& s) { s.ipv4 = false; }));
  EXPECT_FALSE(rebuilt([](PacketSpec& s) { s.payload = 101; })) << "longer";
  EXPECT_FALSE(rebuilt([](PacketSpec& s) { s.payload = 0; })) << "a mere ACK";
  EXPECT_FALSE(rebuilt([](PacketSpec& s) { s.flags = 0x11; })) << "FIN";
  const auto with_byte = [&](std::size_t at) {
    return joins([&](Flow& flow, Octets& second) {
      ++second[at];
      e1000tlm::virtio::net::test::finish(second, flow.spec());
    });
  };
  EXPECT_FALSE(with_byte(0)) << "destination";
  EXPECT_FALSE(with_byte(15)) << "type of service";
  EXPECT_FALSE(with_byte(22)) << "time to live";
  EXPECT_FALSE(with_byte(45)) << "acknowledgement";
  EXPECT_FALSE(with_byte(49)) << "window";
  EXPECT_TRUE(with_byte(60)) << "payload";
  // Whatever did not join begins the next packet.
  coalescer.take();
  EXPECT_EQ(coalescer.offer(packet({})), Result::kHeld);
}

TEST_F(Coalescing, EndsAtSixtyFourKilobytes) {
  Flow flow(kind(true));
  Result result = Result::kHeld;
  int offered = 0;
  while (result == Result::kHeld) {
    result = coalescer.offer(flow.next(1448));
    ++offered;
  }
  EXPECT_EQ(result, Result::kComplete) << "another would not fit";
  const Coalescer::Packet packet = coalescer.take();
  EXPECT_EQ(packet.segments, static_cast<unsigned>(offered));
  EXPECT_EQ(packet.segments, (65535U - 40U) / 1448U);
  EXPECT_LE(packet.frame.size() - 14, Coalescer::kMostIpBytes);
  EXPECT_EQ(cut(packet).size(), packet.segments);
}

TEST_F(Coalescing, SequenceNumbersWrap) {
  PacketSpec spec;
  spec.sequence = 0xFFFF'FFC0;
  spec.id = 0xFFFF;
  Flow flow(spec);
  EXPECT_EQ(coalescer.offer(flow.next(100)), Result::kHeld);
  EXPECT_EQ(coalescer.offer(flow.next(100)), Result::kHeld);
  EXPECT_EQ(coalescer.offer(flow.next(1)), Result::kComplete);
}

}  // namespace
