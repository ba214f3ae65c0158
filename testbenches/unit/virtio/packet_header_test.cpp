/// Headers before packets, in both directions.

#include "e1000tlm/virtio/packet_header.h"

#include <gtest/gtest.h>

#include "packets.h"

namespace {

using namespace e1000tlm;
using namespace e1000tlm::virtio::net;
using e1000tlm::virtio::net::test::Octets;
using e1000tlm::virtio::net::test::packet;
using e1000tlm::virtio::net::test::PacketSpec;

TEST(PacketHeader, ThereAndBack) {
  PacketHeader header;
  header.flags = header::kNeedsCsum;
  header.gso_type = header::kGsoTcp6 | header::kGsoEcn;
  header.header_length = 0x1234;
  header.gso_size = 0x2345;
  header.checksum_start = 0x3456;
  header.checksum_offset = 0x4567;
  header.buffers = 0x5678;
  header.hash = {HashReport::kUdp6, 0x89AB'CDEF};
  Octets bytes(20, 0xEE);
  header.encode(bytes);
  EXPECT_EQ(bytes, (Octets{1,    0x84, 0x34, 0x12, 0x45, 0x23, 0x56, 0x34, 0x67, 0x45,
                           0x78, 0x56, 0xEF, 0xCD, 0xAB, 0x89, 6,    0,    0,    0}));
  const PacketHeader again = PacketHeader::decode(bytes);
  EXPECT_EQ(again.gso_type, header.gso_type);
  EXPECT_EQ(again.header_length, header.header_length);
  EXPECT_EQ(again.checksum_offset, header.checksum_offset);
  EXPECT_EQ(again.hash.value, header.hash.value);
  EXPECT_EQ(again.hash.report, header.hash.report);
  Octets shorter(11, 0xEE);
  header.encode(Bytes(shorter.data(), 10));
  EXPECT_EQ(shorter[9], 0x45);
  EXPECT_EQ(shorter[10], 0xEE) << "nothing beyond";
  EXPECT_EQ(PacketHeader::decode(Bytes(shorter.data(), 10)).buffers, 0U);
}

TEST(PacketHeader, LengthDependsOnFeatures) {
  EXPECT_EQ(header_bytes(0), 10U);
  EXPECT_EQ(header_bytes(feature::kMergeableBuffers), 12U);
  EXPECT_EQ(header_bytes(feature::kVersion1), 12U);
  EXPECT_EQ(header_bytes(feature::kVersion1 | feature::kHashReport), 20U);
}

const char* problem(std::uint8_t flags, std::uint8_t gso, std::uint16_t size,
                    std::uint64_t features) {
  PacketHeader header;
  header.flags = flags;
  header.gso_type = gso;
  header.gso_size = size;
  return transmit_problem(header, features);
}

TEST(TransmitHeader, AsksOnlyForWhatWasAgreed) {
  const std::uint64_t csum = feature::kCsum, tso4 = csum | feature::kHostTso4;
  EXPECT_EQ(problem(0, 0, 0, 0), nullptr);
  EXPECT_STREQ(problem(1, 0, 0, 0), "a checksum without VIRTIO_NET_F_CSUM");
  EXPECT_EQ(problem(1, 0, 0, csum), nullptr);
  EXPECT_STREQ(problem(1, header::kGsoTcp4, 100, csum), "segmentation that was not agreed on");
  EXPECT_EQ(problem(1, header::kGsoTcp4, 100, tso4), nullptr);
  EXPECT_STREQ(problem(1, header::kGsoTcp6, 100, tso4), "segmentation that was not agreed on");
  EXPECT_STREQ(problem(0, header::kGsoTcp4, 100, tso4), "segmentation without checksum");
  EXPECT_STREQ(problem(1, header::kGsoTcp4, 0, tso4), "segments without payload");
  EXPECT_STREQ(problem(1, header::kGsoTcp4 | header::kGsoEcn, 100, tso4),
               "ECN that was not agreed on");
  EXPECT_EQ(problem(1, header::kGsoTcp4 | header::kGsoEcn, 100, tso4 | feature::kHostEcn), nullptr);
  EXPECT_STREQ(problem(1, header::kGsoEcn, 0, tso4), "ECN without segmentation");
  EXPECT_STREQ(problem(1, header::kGsoUdp, 100, ~0ULL), "an unknown kind of segmentation");
  EXPECT_STREQ(problem(1, 77, 100, ~0ULL), "an unknown kind of segmentation");
}

TEST(ReceiveHeader, SaysThatChecksumsAreRight) {
  for (const bool ipv4 : {true, false}) {
    for (const bool tcp : {true, false}) {
      PacketSpec spec;
      spec.ipv4 = ipv4;
      spec.tcp = tcp;
      spec.payload = 3;
      spec.padding = 9;
      Octets p = packet(spec);
      EXPECT_EQ(receive_header(p, feature::kGuestCsum).flags, header::kDataValid);
      EXPECT_EQ(receive_header(p, 0).flags, 0) << "not agreed on";
      EXPECT_EQ(receive_header(p, feature::kGuestCsum).buffers, 1U);
      p.back() = 0x55;
      EXPECT_TRUE(checksums_right(p)) << "padding does not count";
      ++p[p.size() - 10];
      EXPECT_FALSE(checksums_right(p));
      --p[p.size() - 10];
      ++p[ipv4 ? 26 : 22];
      EXPECT_FALSE(checksums_right(p)) << "an address is wrong";
    }
  }
}

TEST(ReceiveHeader, WhatHasNoChecksumIsNotRight) {
  PacketSpec spec;
  spec.tcp = false;
  Octets udp = packet(spec);
  store_be16(&udp[40], 0);
  EXPECT_FALSE(checksums_right(udp));
  EXPECT_FALSE(checksums_right(Octets(60, 0)));
  Octets fragment = packet({});
  store_be16(&fragment[20], 0x2000);
  EXPECT_FALSE(checksums_right(fragment));
  Octets header = packet({});
  ++header[22];  // TTL
  EXPECT_FALSE(checksums_right(header)) << "the IP header's";
}

}  // namespace
