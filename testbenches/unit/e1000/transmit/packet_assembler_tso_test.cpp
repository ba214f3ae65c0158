// Segmented sends (manual 3.5).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "testbenches/unit/e1000/transmit/assembler_rig.h"

namespace e1000tlm::e1000 {
namespace {

using namespace test;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr unsigned kFirst = kTse | kIfcs;
constexpr unsigned kLast = kTse | kIfcs | kEop;
constexpr unsigned kBoth = kIxsm | kTxsm;
constexpr std::uint8_t kFin = 0x01, kPsh = 0x08, kAck = 0x10, kCwr = 0x80;

void put16(Content& to, std::size_t at, unsigned value) {
  to[at] = static_cast<std::uint8_t>(value >> 8);
  to[at + 1] = static_cast<std::uint8_t>(value);
}
void put32(Content& to, std::size_t at, std::uint32_t value) {
  put16(to, at, value >> 16);
  put16(to, at + 2, value & 0xFFFF);
}
std::uint32_t get32(const Content& from, std::size_t at) {
  return word(from, at) << 16 | word(from, at + 2);
}

/// A kind of segmented send: its prototype header and context.
struct Proto {
  bool ipv4 = true, tcp = true;
  unsigned option_bytes = 0;  // of TCP
  std::uint16_t id = 0x1234;
  std::uint32_t sequence = 0x01020304;
  std::uint8_t flags = kAck;

  unsigned ip_bytes() const { return ipv4 ? 20 : 40; }
  unsigned transport() const { return 14 + ip_bytes(); }
  unsigned header_bytes() const { return transport() + (tcp ? 20 + option_bytes : 8); }
  unsigned checksum_at() const { return transport() + (tcp ? 16 : 6); }

  Content header() const {
    Content h = pattern(header_bytes(), 77);
    put16(h, 12, ipv4 ? 0x0800 : 0x86DD);
    if (ipv4) {
      h[14] = 0x45;
      put16(h, 16, 0);
      put16(h, 18, id);
      put16(h, 24, 0);
      h[23] = protocol();
    } else {
      h[14] = 0x60;
      put16(h, 18, 0);
      h[20] = protocol();
    }
    if (tcp) {
      put32(h, transport() + 4, sequence);
      h[transport() + 12] = static_cast<std::uint8_t>((20 + option_bytes) / 4 << 4);
      h[transport() + 13] = flags;
    }
    // The pseudo-header without the length (manual 3.5.5, figure 3-7).
    put16(h, checksum_at(), bytewise_sum(h, addresses(), transport(), protocol()));
    return h;
  }
  TxContext context(std::uint32_t paylen, std::uint16_t mss) const {
    TxContext c;
    c.ipcss = 14;
    c.ipcso = 24;
    c.ipcse = ipv4 ? 33 : 0;
    c.tucss = static_cast<std::uint8_t>(transport());
    c.tucso = static_cast<std::uint8_t>(checksum_at());
    c.paylen = paylen;
    c.hdrlen = static_cast<std::uint8_t>(header_bytes());
    c.mss = mss;
    c.tse = true;
    c.ipv4 = ipv4;
    c.tcp = tcp;
    return c;
  }
  unsigned popts() const { return ipv4 ? kBoth : kTxsm; }
  std::uint8_t protocol() const { return tcp ? 6 : 17; }
  std::size_t addresses() const { return ipv4 ? 26 : 22; }

  /// Judges one segment as its receiver would: lengths, both checksums, header and payload.
  void expect_segment(const Content& frame, std::size_t index, const Content& payload,
                      std::size_t mss, bool last) const {
    SCOPED_TRACE(index);
    const std::size_t length = std::min(mss, payload.size() - index * mss);
    ASSERT_EQ(frame.size(), header_bytes() + length);
    EXPECT_EQ(slice(frame, header_bytes(), length), slice(payload, index * mss, length));
    const std::size_t segment = frame.size() - transport();
    if (ipv4) {
      EXPECT_EQ(word(frame, 16), frame.size() - 14);
      EXPECT_EQ(word(frame, 18), (id + index) & 0xFFFF);
      EXPECT_EQ(bytewise_sum(frame, 14, 34), 0u);
    } else {
      EXPECT_EQ(word(frame, 18), segment);
    }
    const unsigned pseudo =
        bytewise_sum(frame, addresses(), transport(), static_cast<unsigned>(protocol() + segment));
    EXPECT_EQ(bytewise_sum(frame, transport(), frame.size(), pseudo), 0u);
    if (tcp) {
      EXPECT_EQ(get32(frame, transport() + 4), static_cast<std::uint32_t>(sequence + index * mss));
      EXPECT_EQ(frame[transport() + 13], last ? flags : flags & ~(kFin | kPsh));
    } else {
      EXPECT_EQ(word(frame, transport() + 4), segment);
    }
    Content rest = frame, prototype = header();
    rest.resize(header_bytes());
    for (Content* h : {&rest, &prototype}) {  // whatever else the header holds is untouched
      put16(*h, ipv4 ? 16 : 18, 0);
      if (ipv4) put32(*h, 18, 0), put16(*h, 24, 0);
      put16(*h, checksum_at(), 0);
      tcp ? put32(*h, transport() + 4, 0) : put16(*h, transport() + 4, 0);
      if (tcp) (*h)[transport() + 13] = 0;
    }
    if (ipv4) {
      put16(rest, 20, word(frame, 20));
      put16(prototype, 20, word(header(), 20));
    }
    EXPECT_EQ(rest, prototype);
  }

  void expect_segments(const Rig& rig, const Content& payload, std::size_t mss) const {
    const std::size_t count = (payload.size() + mss - 1) / mss;
    ASSERT_THAT(rig.sent, SizeIs(count));
    for (std::size_t i = 0; i < count; ++i) {
      EXPECT_TRUE(rig.sent[i].fcs_implied);
      expect_segment(rig.sent[i].bytes, i, payload, mss, i + 1 == count);
    }
    EXPECT_EQ(rig.complete, 1u);
    EXPECT_EQ(rig.mismatch, 0u);
    EXPECT_THAT(rig.faults, IsEmpty());
  }
};

std::vector<Proto> all_kinds() {
  std::vector<Proto> kinds;
  for (const bool ipv4 : {true, false}) {
    for (const bool tcp : {true, false}) {
      Proto proto;
      proto.ipv4 = ipv4;
      proto.tcp = tcp;
      proto.option_bytes = tcp ? 12 : 0;
      proto.flags = kAck | kFin | kPsh | kCwr;
      kinds.push_back(proto);
    }
  }
  return kinds;
}

std::vector<Step> send(const Proto& proto, const Content& payload, std::uint16_t mss) {
  return {context(proto.context(static_cast<std::uint32_t>(payload.size()), mss)),
          data(proto.header(), kFirst, proto.popts()), data(payload, kLast)};
}

TEST(Segments, OneTwoAndManyOfEveryKindWithAndWithoutShortLast) {
  for (const Proto& proto : all_kinds()) {
    for (const std::size_t size : {1u, 2u, 1447u, 1448u, 1449u, 2896u, 2897u, 65535u, 300001u}) {
      SCOPED_TRACE(::testing::Message() << proto.ipv4 << proto.tcp << ' ' << size);
      Rig rig;
      const Content payload = pattern(size);
      rig.run(send(proto, payload, 1448));
      proto.expect_segments(rig, payload, 1448);
      EXPECT_LE(rig.pool().allocated(), 1u);  // no more memory than one segment
    }
  }
}

TEST(Segments, HeaderAndPayloadMayBeSplitAnywhere) {
  const Proto proto;
  const Content payload = pattern(5000);
  const Content all = proto.header() + payload;
  for (const std::size_t piece : {1u, 7u, 53u, 54u, 55u, 1514u, 4999u, 5054u}) {
    for (const std::uint32_t chunk : {1u, 64u, 1u << 20}) {
      Rig rig;
      rig.chunk = chunk;
      rig.run(context(proto.context(5000, 1460)));
      for (std::size_t at = 0; at < all.size(); at += piece) {
        const std::size_t count = std::min(piece, all.size() - at);
        rig.run(data(slice(all, at, count), at + count == all.size() ? kLast : kFirst, kBoth));
      }
      proto.expect_segments(rig, payload, 1460);
    }
  }
}

TEST(Segments, IdentificationAndSequenceWrap) {
  Proto proto;
  proto.id = 0xFFFE;
  proto.sequence = 0xFFFFFF00;
  const Content payload = pattern(4000);
  Rig rig;
  rig.run(send(proto, payload, 1000));
  proto.expect_segments(rig, payload, 1000);
  EXPECT_EQ(word(rig.sent[2].bytes, 18), 0u);
  EXPECT_EQ(get32(rig.sent[1].bytes, 38), 0x2E8u);
}

TEST(Segments, ContextServesSeveralSendsAndStartsAfresh) {
  const Proto proto;
  const Content payload = pattern(3000);
  Rig rig;
  const std::vector<Step> program = send(proto, payload, 1460);
  rig.run(program);
  for (int i = 0; i < 2; ++i) {
    rig.clear();
    rig.run({program[1], program[2]});
    proto.expect_segments(rig, payload, 1460);
  }
}

TEST(Segments, ChecksumsOnlyWhereTheFirstDescriptorAsks) {
  const Proto proto;
  Rig rig;
  rig.run({context(proto.context(100, 60)), data(proto.header(), kFirst, 0),
           data(pattern(100), kLast, kBoth)});
  ASSERT_THAT(rig.sent, SizeIs(2));
  EXPECT_EQ(word(rig.sent[0].bytes, 24), 0u);
  EXPECT_EQ(word(rig.sent[0].bytes, 50), word(proto.header(), 50));
  EXPECT_EQ(word(rig.sent[1].bytes, 16), 40u + 40u);  // lengths are kept up all the same
}

TEST(Segments, EachIsTaggedByTheFirstDescriptor) {
  const Proto proto;
  Rig rig;
  rig.settings.vlan_enable = true;
  rig.run({context(proto.context(100, 60)), data(proto.header(), kFirst | kVle, kBoth, 0xA064),
           data(pattern(100), kLast, 0, 0x0001)});
  ASSERT_THAT(rig.sent, SizeIs(2));
  for (Sent& sent : rig.sent) {
    EXPECT_EQ(get32(sent.bytes, 12), 0x8100A064u);
    sent.bytes.erase(sent.bytes.begin() + 12, sent.bytes.begin() + 16);
  }
  proto.expect_segments(rig, pattern(100), 60);
  rig.clear();
  rig.run({data(proto.header(), kFirst, kBoth), data(pattern(100), kLast | kVle)});
  proto.expect_segments(rig, pattern(100), 60);  // VLE at the end only: no tag
  rig.clear();
  rig.settings.vlan_enable = false;
  rig.run({data(proto.header(), kFirst | kVle, kBoth), data(pattern(100), kLast | kVle)});
  proto.expect_segments(rig, pattern(100), 60);
}

TEST(Segments, ShortOnesArePaddedAndTheFcsIsAlwaysAppended) {
  const Proto proto;
  Rig rig;
  rig.settings.pad_short = true;
  rig.run({context(proto.context(3, 2)), data(proto.header(), kTse, kBoth),
           data(pattern(3), kTse | kEop)});
  ASSERT_THAT(rig.sent, SizeIs(2));
  for (Sent& sent : rig.sent) {
    EXPECT_TRUE(sent.fcs_implied);
    EXPECT_THAT(sent.bytes, SizeIs(60));
  }
  EXPECT_EQ(slice(rig.sent[1].bytes, 55, 5), Content(5, 0));
  rig.sent[0].bytes.resize(56);
  rig.sent[1].bytes.resize(55);
  proto.expect_segments(rig, pattern(3), 2);  // neither lengths nor sums count the padding
}

TEST(Segments, EopBeforePaylenSendsWhatIsThere) {
  const Proto proto;
  const Content payload = pattern(1500);
  Rig rig;
  rig.run({context(proto.context(3000, 1000)), data(proto.header() + payload, kLast, kBoth)});
  EXPECT_EQ(rig.mismatch, 1u);
  EXPECT_EQ(rig.complete, 0u);
  ASSERT_THAT(rig.sent, SizeIs(2));
  proto.expect_segment(rig.sent[0].bytes, 0, payload, 1000, false);
  proto.expect_segment(rig.sent[1].bytes, 1, payload, 1000, true);
}

TEST(Segments, DataBeyondPaylenIsDroppedAndCounted) {
  const Proto proto;
  const Content payload = pattern(2000);
  Rig rig;
  rig.run({context(proto.context(2000, 1000)), data(proto.header() + payload, kFirst, kBoth),
           data(Content((1u << 20) - 1, 1), kFirst), data(Content(1, 1), kLast)});
  EXPECT_EQ(rig.mismatch, 1u);
  EXPECT_EQ(rig.complete, 0u);
  ASSERT_THAT(rig.sent, SizeIs(2));
  proto.expect_segment(rig.sent[1].bytes, 1, payload, 1000, true);
}

TEST(Segments, PaylenReachedWaitsForEop) {
  const Proto proto;
  const Content payload = pattern(2000);
  Rig rig;
  rig.run({context(proto.context(2000, 1000)), data(proto.header() + payload, kFirst, kBoth)});
  EXPECT_THAT(rig.sent, SizeIs(2));
  EXPECT_EQ(rig.complete, 0u);
  EXPECT_TRUE(rig.assembler().in_packet());
  rig.run(data({}, kLast));  // null
  proto.expect_segments(rig, payload, 1000);
}

TEST(Segments, EmptyCommitsChangeNothing) {
  const Proto proto;
  link::FramePool pool;
  PacketAssembler assembler(pool);
  for (const Step& step : send(proto, Content(20), 10)) {
    const TxDescriptor descriptor = decode_tx(step.raw.data());
    assembler.commit(5);  // without room
    assembler.begin(descriptor, step.raw.data(), {});
    for (std::uint32_t left = descriptor.data_length(); left > 0;) {
      const Bytes room = assembler.room(left);
      assembler.commit(0);
      assembler.commit(static_cast<std::uint32_t>(room.size()));
      left -= static_cast<std::uint32_t>(room.size());
      const link::FramePtr frame = assembler.take_frame();
      assembler.commit(0);
      EXPECT_EQ(assembler.take_frame(), nullptr);
      EXPECT_EQ(frame != nullptr, room.size() == 10);
    }
    EXPECT_EQ(assembler.end(descriptor).tso_complete, descriptor.ends_packet());
  }
}

TEST(Segments, HeaderWithoutPayloadGoesOutAlone) {
  Proto proto;
  proto.flags = kAck | kFin;
  for (const std::uint32_t paylen : {0u, 500u}) {
    Rig rig;
    rig.run({context(proto.context(paylen, 100)), data(proto.header(), kLast, kBoth)});
    ASSERT_THAT(rig.sent, SizeIs(1));
    proto.expect_segment(rig.sent[0].bytes, 0, {}, 100, true);
    EXPECT_EQ(rig.complete, paylen == 0 ? 1u : 0u);
    EXPECT_EQ(rig.mismatch, paylen == 0 ? 0u : 1u);
  }
}

std::vector<Fault> faults_of(Rig& rig, const TxContext& c) {
  rig.clear();
  rig.run({context(c), data(pattern(400), kFirst, kBoth), data(pattern(400), kLast, kBoth)});
  EXPECT_FALSE(rig.assembler().in_packet());
  return rig.faults;
}

TEST(SegmentFaults, AreOnePerPacketAndLeaveTheNextAlone) {
  const Proto proto;
  Rig rig;
  rig.run({data(pattern(60), kLast)});  // no context yet
  EXPECT_THAT(rig.faults, ElementsAre(Fault::kBadMss));
  EXPECT_THAT(faults_of(rig, proto.context(746, 0)), ElementsAre(Fault::kBadMss));
  TxContext c = proto.context(746, 100);
  c.hdrlen = 0;
  EXPECT_THAT(faults_of(rig, c), ElementsAre(Fault::kNoHeader));
  c.hdrlen = 13;
  EXPECT_THAT(faults_of(rig, c), ElementsAre(Fault::kNoHeader));
  EXPECT_THAT(rig.sent, IsEmpty());
  EXPECT_THAT(faults_of(rig, proto.context(746, 100)), IsEmpty());
  EXPECT_THAT(rig.sent, SizeIs(8));
}

TEST(SegmentFaults, HeaderLongerThanTheData) {
  Rig rig;
  TxContext c = Proto().context(500, 100);
  c.hdrlen = 255;
  rig.run({context(c), data(pattern(200), kFirst), data(pattern(54), kLast)});
  EXPECT_THAT(rig.faults, ElementsAre(Fault::kNoHeader));
  EXPECT_EQ(rig.mismatch, 1u);
  EXPECT_THAT(rig.sent, IsEmpty());
}

TEST(SegmentFaults, SegmentsThatDoNotFitThePacketBuffer) {
  const Proto proto;
  Rig rig;
  rig.settings.max_packet_bytes = 1000;
  EXPECT_THAT(faults_of(rig, proto.context(2000, 947)), ElementsAre(Fault::kTooLong));
  EXPECT_THAT(faults_of(rig, proto.context(746, 65535)), IsEmpty());  // PAYLEN is less
  EXPECT_THAT(rig.sent, SizeIs(1));
  rig.settings.max_packet_bytes = 0xFFFFFFFF;
  EXPECT_THAT(faults_of(rig, proto.context(0xFFFFF, 65535)), ElementsAre(Fault::kTooLong));
}

TEST(SegmentFaults, ContextInsideASendCannotChangeItsSizes) {
  const Proto proto;
  Rig rig;
  TxContext hostile = proto.context(10, 1);
  hostile.hdrlen = 255;
  rig.run({context(proto.context(3000, 1000)), data(proto.header() + pattern(1500), kFirst, kBoth),
           context(hostile), data(pattern(1500), kLast)});
  EXPECT_THAT(rig.faults, ElementsAre(Fault::kContextInPacket));
  EXPECT_THAT(rig.sent, SizeIs(1));  // the segment that was complete before
  EXPECT_EQ(rig.complete + rig.mismatch, 0u);
}

TEST(SegmentFaults, OffsetsOutsideTheHeaderChangeNothing) {
  TxContext c;
  c.tse = c.tcp = true;
  c.hdrlen = 20;
  c.mss = 30;
  c.paylen = 60;
  const Content header = pattern(20), payload = pattern(60, 5);
  for (const bool tcp : {true, false}) {
    for (const std::uint8_t start : {15, 49, 50, 51, 255}) {
      c.tcp = tcp;
      c.ipv4 = tcp;
      c.ipcss = c.tucss = start;
      c.ipcso = c.tucso = start < 50 ? 49 : 20;
      Rig rig;
      rig.run({context(c), data(header + payload, kLast, kBoth)});
      ASSERT_THAT(rig.sent, SizeIs(2));
      EXPECT_EQ(rig.sent[0].bytes, header + slice(payload, 0, 30)) << int{start};
      EXPECT_EQ(rig.sent[1].bytes, header + slice(payload, 30, 30)) << int{start};
    }
  }
}

}  // namespace
}  // namespace e1000tlm::e1000
