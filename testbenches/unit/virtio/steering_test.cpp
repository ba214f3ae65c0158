/// Hashes of packets and the pairs that they lead to.

#include "e1000tlm/virtio/steering.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include <gtest/gtest.h>

#include "packets.h"

namespace {

using namespace e1000tlm;
using namespace e1000tlm::virtio::net;
using e1000tlm::virtio::net::test::Octets;
using e1000tlm::virtio::net::test::packet;
using e1000tlm::virtio::net::test::PacketSpec;

// Key and results that Microsoft publishes ("Verifying the RSS Hash Calculation").
constexpr std::array<std::uint8_t, 40> kKey{
    0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67, 0x25, 0x3d, 0x43, 0xa3,
    0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb, 0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3,
    0x80, 0x30, 0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa};

struct Vector4 {
  std::array<std::uint8_t, 4> destination;
  std::uint16_t destination_port;
  std::array<std::uint8_t, 4> source;
  std::uint16_t source_port;
  std::uint32_t addresses, ports;  // hash of addresses alone, and with ports
};
constexpr std::array<Vector4, 5> kVectors4{{
    {{161, 142, 100, 80}, 1766, {66, 9, 149, 187}, 2794, 0x323e8fc2, 0x51ccc178},
    {{65, 69, 140, 83}, 4739, {199, 92, 111, 2}, 14230, 0xd718262a, 0xc626b0ea},
    {{12, 22, 207, 184}, 38024, {24, 19, 198, 95}, 12898, 0xd2d0a5de, 0x5c2b394a},
    {{209, 142, 163, 6}, 2217, {38, 27, 205, 30}, 48228, 0x82989176, 0xafc7327f},
    {{202, 188, 127, 2}, 1303, {153, 39, 163, 191}, 44251, 0x5d1809c5, 0x10e828a2},
}};
using Address6 = std::array<std::uint16_t, 8>;
struct Vector6 {
  Address6 destination;
  std::uint16_t destination_port;
  Address6 source;
  std::uint16_t source_port;
  std::uint32_t addresses, ports;
};
constexpr std::array<Vector6, 3> kVectors6{{
    {{0x3ffe, 0x2501, 0x200, 3, 0, 0, 0, 1},
     1766,
     {0x3ffe, 0x2501, 0x200, 0x1fff, 0, 0, 0, 7},
     2794,
     0x2cc18cd5,
     0x40207d3d},
    {{0xff02, 0, 0, 0, 0, 0, 0, 1},
     4739,
     {0x3ffe, 0x501, 8, 0, 0x260, 0x97ff, 0xfe40, 0xefab},
     14230,
     0x0f0c461c,
     0xdde51bbf},
    {{0xfe80, 0, 0, 0, 0x200, 0xf8ff, 0xfe21, 0x67cf},
     38024,
     {0x3ffe, 0x1900, 0x4545, 3, 0x200, 0xf8ff, 0xfe21, 0x67cf},
     44251,
     0x4b61e985,
     0x02d1feef},
}};

ReceiveHash hash_of(std::uint32_t types) {
  HashConfig config;
  config.types = types;
  config.key.assign(kKey.begin(), kKey.end());
  ReceiveHash hash;
  hash.configure(config);
  return hash;
}

Octets packet_of(const Vector4& v, bool tcp) {
  PacketSpec spec;
  spec.tcp = tcp;
  spec.source = v.source_port;
  spec.destination = v.destination_port;
  Octets p = packet(spec);
  std::copy(v.source.begin(), v.source.end(), p.begin() + 26);
  std::copy(v.destination.begin(), v.destination.end(), p.begin() + 30);
  return p;
}

void store6(const Address6& address, std::uint8_t* to) {
  for (std::size_t i = 0; i < 8; ++i) store_be16(to + 2 * i, address[i]);
}

Octets packet_of(const Vector6& v, bool tcp) {
  PacketSpec spec;
  spec.ipv4 = false;
  spec.tcp = tcp;
  spec.source = v.source_port;
  spec.destination = v.destination_port;
  Octets p = packet(spec);
  store6(v.source, &p[22]);
  store6(v.destination, &p[38]);
  return p;
}

void expect(const PacketHash& hash, HashReport report, std::uint32_t value) {
  EXPECT_EQ(hash.report, report);
  EXPECT_EQ(hash.value, value);
}

TEST(Toeplitz, MicrosoftsResultsForIpv4) {
  for (const Vector4& v : kVectors4) {
    for (const bool tcp : {true, false}) {
      const Octets p = packet_of(v, tcp);
      expect(hash_of(hash_type::kAll)(p), tcp ? HashReport::kTcp4 : HashReport::kUdp4, v.ports);
      expect(hash_of(hash_type::kIpv4)(p), HashReport::kIpv4, v.addresses);
    }
  }
}

TEST(Toeplitz, MicrosoftsResultsForIpv6) {
  for (const Vector6& v : kVectors6) {
    for (const bool tcp : {true, false}) {
      const Octets p = packet_of(v, tcp);
      expect(hash_of(hash_type::kAll)(p), tcp ? HashReport::kTcp6 : HashReport::kUdp6, v.ports);
      expect(hash_of(hash_type::kIpv6)(p), HashReport::kIpv6, v.addresses);
    }
  }
}

TEST(Toeplitz, ShortKeysGoOnWithZeros) {
  ToeplitzHash hash;
  hash.set_key(Octets{0x80});
  EXPECT_EQ(hash(Octets{0x80}), 0x8000'0000U);
  EXPECT_EQ(hash(Octets{0x40}), 0U);
  EXPECT_EQ(hash(Octets(100, 0xFF)), 0x8000'0000U) << "longer than any input";
}

TEST(ReceiveHash, OnlyWhatTheDriverWants) {
  const Octets tcp = packet({}), other(60, 0);
  EXPECT_EQ(hash_of(0)(tcp).report, HashReport::kNone);
  EXPECT_EQ(hash_of(hash_type::kUdp4 | hash_type::kTcp6)(tcp).report, HashReport::kNone);
  EXPECT_EQ(hash_of(hash_type::kUdp4 | hash_type::kIpv4)(tcp).report, HashReport::kIpv4);
  EXPECT_EQ(hash_of(hash_type::kAll)(other).report, HashReport::kNone);
  PacketSpec tagged;
  tagged.tagged = true;
  EXPECT_EQ(hash_of(hash_type::kAll)(packet(tagged)).value, hash_of(hash_type::kAll)(tcp).value)
      << "tags do not count";
}

TEST(ReceiveHash, FragmentsHaveNoPorts) {
  Octets p = packet({});
  store_be16(&p[20], 0x2000);  // more follow
  EXPECT_EQ(hash_of(hash_type::kAll)(p).report, HashReport::kIpv4);
  EXPECT_EQ(hash_of(hash_type::kTcp4)(p).report, HashReport::kNone);
}

/// A packet with the vector's addresses where extension headers have them.
Octets extended(const Vector6& v) {
  PacketSpec spec;
  spec.ipv4 = false;
  spec.source = v.source_port;
  spec.destination = v.destination_port;
  Octets p = packet(spec);
  Octets options(24, 0);  // destination options: PadN, home address
  options[0] = 43;
  options[1] = 2;
  options[2] = 1;
  options[3] = 2;
  options[6] = 201;
  options[7] = 16;
  store6(v.source, &options[8]);
  Octets routing(24, 0);
  routing[0] = 6;
  routing[1] = 2;
  routing[2] = 2;
  routing[3] = 1;
  store6(v.destination, &routing[8]);
  p[20] = 60;
  store_be16(&p[18], static_cast<std::uint16_t>(load_be16(&p[18]) + 48));
  p.insert(p.begin() + 54, routing.begin(), routing.end());
  p.insert(p.begin() + 54, options.begin(), options.end());
  return p;
}

TEST(ReceiveHash, AddressesOfExtensionHeaders) {
  for (const Vector6& v : kVectors6) {
    const Octets p = extended(v);
    expect(hash_of(hash_type::kAll)(p), HashReport::kTcp6Extended, v.ports);
    expect(hash_of(hash_type::kIpv6Extended)(p), HashReport::kIpv6Extended, v.addresses);
    EXPECT_EQ(hash_of(hash_type::kTcp6)(p).report, HashReport::kTcp6)
        << "without extended hashes they are passed over";
    EXPECT_NE(hash_of(hash_type::kTcp6)(p).value, v.ports);
  }
  EXPECT_EQ(hash_of(hash_type::kIpv6Extended)(packet_of(kVectors6[0], true)).report,
            HashReport::kNone)
      << "no extension header";
}

TEST(ReceiveHash, TableChoosesThePair) {
  HashConfig config;
  config.types = hash_type::kAll;
  config.key.assign(kKey.begin(), kKey.end());
  config.steering = true;
  config.mask = 3;
  config.table = {7, 6, 5, 4};
  config.unclassified = 9;
  ReceiveHash hash;
  hash.configure(config);
  EXPECT_EQ(hash.pair(hash(packet_of(kVectors4[0], true))), 7U) << "...78h";
  EXPECT_EQ(hash.pair(hash(packet_of(kVectors4[1], true))), 5U) << "...eah";
  EXPECT_EQ(hash.pair(hash(Octets(60, 0))), 9U);
}

TEST(FlowHash, IsThatOfBothDirections) {
  std::set<std::uint32_t> hashes;
  for (const bool ipv4 : {true, false}) {
    for (const bool tcp : {true, false}) {
      for (std::uint16_t port = 1; port < 50; ++port) {
        PacketSpec there;
        there.ipv4 = ipv4;
        there.tcp = tcp;
        there.source = port;
        PacketSpec back = there;
        back.swapped = true;
        back.payload = 7;
        EXPECT_EQ(symmetric_flow_hash(packet(there)), symmetric_flow_hash(packet(back)));
        hashes.insert(symmetric_flow_hash(packet(there)));
      }
    }
  }
  EXPECT_EQ(hashes.size(), 4U * 49U);
}

TEST(FlowHash, OfAnythingElseIsThatOfItsAddresses) {
  Octets arp(60, 0);
  arp[5] = 1;
  arp[11] = 2;
  store_be16(&arp[12], 0x0806);
  Octets back = arp;
  std::swap(back[5], back[11]);
  back[50] = 9;
  EXPECT_EQ(symmetric_flow_hash(arp), symmetric_flow_hash(back));
  back[11] = 3;
  EXPECT_NE(symmetric_flow_hash(arp), symmetric_flow_hash(back));
  EXPECT_EQ(symmetric_flow_hash(Octets(11, 1)), 0U);
}

TEST(FlowFields, NothingBeyondTheFrame) {
  for (const bool ipv4 : {true, false}) {
    PacketSpec spec;
    spec.ipv4 = ipv4;
    Octets p = ipv4 ? packet(spec) : extended(kVectors6[0]);
    for (std::size_t size = 0; size < p.size(); ++size) {
      const FlowFields fields = flow_fields(ConstBytes(p.data(), size));
      EXPECT_EQ(fields.network, FlowFields::Network::kNone) << size;
      EXPECT_EQ(fields.ports, 0U);
    }
    EXPECT_EQ(flow_fields(p).end, p.size());
  }
}

TEST(FlowTable, AnswersComeWhereTheFlowLastSent) {
  FlowTable table;
  PacketSpec spec;
  const std::uint32_t flow = symmetric_flow_hash(packet(spec));
  const unsigned by_hash = table.pair(flow, 4);
  EXPECT_LT(by_hash, 4U);
  table.note(flow, 3);
  EXPECT_EQ(table.pair(flow, 4), 3U);
  table.note(flow, 1);
  EXPECT_EQ(table.pair(flow, 4), 1U);
  EXPECT_EQ(table.pair(flow, 1), 0U) << "the pair is no longer in use";
  table.note(flow + FlowTable::kFlows, 2);  // in the same place
  EXPECT_EQ(table.pair(flow, 4), by_hash);
  table.reset();
  EXPECT_EQ(table.pair(flow, 4), by_hash);
}

TEST(FlowTable, UnknownFlowsSpread) {
  const FlowTable table;
  std::array<int, 4> flows{};
  for (std::uint16_t port = 0; port < 1000; ++port) {
    PacketSpec spec;
    spec.source = port;
    ++flows[table.pair(symmetric_flow_hash(packet(spec)), 4)];
  }
  for (const int count : flows) EXPECT_NEAR(count, 250, 60);
}

}  // namespace
