#include "e1000tlm/e1000/transmit/packet_assembler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "testbenches/unit/e1000/transmit/assembler_rig.h"

namespace e1000tlm::e1000 {
namespace {

using namespace test;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr unsigned kLast = kEop | kIfcs;

TEST(PlainPacket, OneDescriptorIsOneFrame) {
  for (const std::size_t size : {14u, 60u, 64u, 1514u, 2048u, 2049u, 9014u, 16288u}) {
    Rig rig;
    const Content packet = pattern(size);
    rig.run(legacy(packet, kLast)).run(data(packet, kLast));
    ASSERT_THAT(rig.sent, SizeIs(2)) << size;
    EXPECT_EQ(rig.sent[0].bytes, packet);
    EXPECT_EQ(rig.sent[1].bytes, packet);
    EXPECT_TRUE(rig.sent[0].fcs_implied);
    EXPECT_THAT(rig.faults, IsEmpty());
    EXPECT_FALSE(rig.assembler().in_packet());
  }
}

TEST(PlainPacket, DescriptorsAreJoinedUntilEop) {
  Rig rig;
  const Content packet = pattern(9000);
  std::size_t at = 0;
  for (const std::size_t size : {1u, 13u, 40u, 1994u, 1u, 4096u}) {
    rig.run(legacy(slice(packet, at, size), 0));
    EXPECT_TRUE(rig.assembler().in_packet());
    EXPECT_THAT(rig.sent, IsEmpty());
    at += size;
  }
  rig.run(legacy(slice(packet, at, packet.size() - at), kLast));
  ASSERT_THAT(rig.sent, SizeIs(1));
  EXPECT_EQ(rig.sent[0].bytes, packet);
}

TEST(PlainPacket, ManyTinyDescriptorsAndTinyMovesMakeTheSameFrame) {
  Rig rig;
  rig.chunk = 3;
  const Content packet = pattern(5000);
  for (std::size_t at = 0; at < 4995; at += 5) rig.run(data(slice(packet, at, 5), 0));
  rig.run(data(slice(packet, 4995, 5), kLast));
  ASSERT_THAT(rig.sent, SizeIs(1));
  EXPECT_EQ(rig.sent[0].bytes, packet);
}

TEST(PlainPacket, NullDescriptorsMoveNothing) {
  Rig rig;
  Step null_address = legacy(pattern(64), kLast);
  null_address.raw[2] = 0;
  rig.run({null_address, legacy({}, kLast), legacy({}, 0)});  // between packets: nothing at all
  EXPECT_FALSE(rig.assembler().in_packet());
  const Content packet = pattern(100);
  rig.run({legacy(packet, 0), legacy({}, 0), null_address});  // the last one ends the packet
  ASSERT_THAT(rig.sent, SizeIs(1));
  EXPECT_EQ(rig.sent[0].bytes, packet);
  EXPECT_THAT(rig.faults, IsEmpty());
}

TEST(PlainPacket, DmaMayFillLessThanTheRoomAndNeverMore) {
  link::FramePool pool;
  PacketAssembler assembler(pool);
  const Step first = legacy(Content(60), 0), second = legacy(Content(4), kLast);
  const auto fill = [&](std::uint32_t bytes, std::uint8_t value, std::uint32_t committed) {
    const Bytes room = assembler.room(bytes);
    ASSERT_FALSE(room.empty());
    std::fill(room.begin(), room.end(), value);
    assembler.commit(committed);
  };
  TxDescriptor descriptor = decode_tx(first.raw.data());
  assembler.begin(descriptor, first.raw.data(), {});
  fill(60, 1, 20);
  fill(40, 2, 1000);
  fill(10, 3, 10);  // beyond the descriptor's length: scratch
  assembler.end(descriptor);
  descriptor = decode_tx(second.raw.data());
  assembler.begin(descriptor, second.raw.data(), {});
  fill(4, 4, 4);
  assembler.end(descriptor);
  const link::FramePtr frame = assembler.take_frame();
  EXPECT_EQ(Content(frame->data(), frame->data() + frame->size()),
            Content(20, 1) + Content(40, 2) + Content(4, 4));
  EXPECT_EQ(assembler.take_frame(), nullptr);
}

TEST(PlainPacket, LongerThanThePacketBufferIsDroppedOnce) {
  Rig rig;
  rig.settings.max_packet_bytes = 1000;
  rig.run({legacy(pattern(1000), kLast), legacy(pattern(1001), kLast)});
  EXPECT_THAT(rig.sent, SizeIs(1));
  EXPECT_THAT(rig.faults, ElementsAre(Fault::kTooLong));
  rig.clear();
  rig.run({legacy(pattern(999), 0), legacy(pattern(2), 0), legacy(pattern(60), 0)});
  EXPECT_TRUE(rig.assembler().in_packet());
  rig.run(legacy(pattern(500), kLast));  // still the same packet
  EXPECT_THAT(rig.sent, IsEmpty());
  EXPECT_THAT(rig.faults, ElementsAre(Fault::kTooLong));
  rig.run(legacy(pattern(60), kLast));
  EXPECT_THAT(rig.sent, SizeIs(1));
}

TEST(PlainPacket, NoSettingMakesAFrameOverflow) {
  Rig rig;
  rig.settings.max_packet_bytes = 0xFFFFFFFF;
  rig.settings.vlan_enable = true;
  const std::size_t most = link::kMaxFrameBytes - 4;
  const Content packet = pattern(most);
  rig.run({legacy(packet, kLast | kVle), legacy(packet, kLast), data(pattern(most + 1), kLast)});
  ASSERT_THAT(rig.sent, SizeIs(2));
  EXPECT_EQ(rig.sent[0].bytes.size(), link::kMaxFrameBytes);
  EXPECT_THAT(rig.faults, ElementsAre(Fault::kTooLong));
}

TEST(PlainPacket, EndlessDataWithoutEopNeedsOneFrame) {
  Rig rig;
  const Step step = data(Content((1u << 20) - 1, 0xAA), 0);
  for (int i = 0; i < 20; ++i) rig.run(step);
  EXPECT_THAT(rig.faults, ElementsAre(Fault::kTooLong));
  const Step byte = data({1}, 0);
  rig.assembler().reset();
  for (int i = 0; i < 40000; ++i) rig.run(byte);
  EXPECT_THAT(rig.faults, ElementsAre(Fault::kTooLong, Fault::kTooLong));
  EXPECT_LE(rig.pool().allocated(), 2u);
}

TEST(PlainPacket, ShorterThanAnEthernetHeaderIsDropped) {
  Rig rig;
  rig.settings.pad_short = true;
  rig.run({legacy(pattern(13), kLast), legacy(pattern(1), kLast), data(pattern(13), kLast)});
  EXPECT_THAT(rig.sent, IsEmpty());
  EXPECT_THAT(rig.faults, ElementsAre(Fault::kTooShort, Fault::kTooShort, Fault::kTooShort));
}

TEST(Padding, FillsWithZerosToSixtyBytes) {
  Rig rig;
  const Content packet = pattern(42);
  rig.run(legacy(packet, kLast));
  rig.settings.pad_short = true;
  rig.run({legacy(packet, kLast), legacy(pattern(59), kLast), legacy(pattern(61), kLast)});
  ASSERT_THAT(rig.sent, SizeIs(4));
  EXPECT_EQ(rig.sent[0].bytes, packet);
  EXPECT_EQ(rig.sent[1].bytes, packet + Content(18, 0));
  EXPECT_EQ(rig.sent[2].bytes, pattern(59) + Content(1, 0));
  EXPECT_EQ(rig.sent[3].bytes, pattern(61));
}

TEST(Fcs, WithoutIfcsTheLastFourBytesAreTheFcs) {
  Rig rig;
  rig.settings.pad_short = true;
  const Content packet = pattern(30);
  rig.run(legacy(packet + Content{0x11, 0x22, 0x33, 0x44}, kEop));
  ASSERT_THAT(rig.sent, SizeIs(1));
  EXPECT_EQ(rig.sent[0].bytes, packet);  // as it is, without padding
  EXPECT_FALSE(rig.sent[0].fcs_implied);
  EXPECT_EQ(rig.sent[0].fcs, 0x44332211u);
}

TEST(Fcs, WithoutIfcsEighteenBytesAreTheLeast) {
  Rig rig;
  rig.run({legacy(pattern(17), kEop), legacy(pattern(18), kEop)});
  EXPECT_THAT(rig.faults, ElementsAre(Fault::kTooShort));
  ASSERT_THAT(rig.sent, SizeIs(1));
  EXPECT_EQ(rig.sent[0].bytes, slice(pattern(18), 0, 14));
}

TEST(Fcs, IfcsIsThatOfTheEopDescriptor) {
  Rig rig;
  rig.run({legacy(pattern(60), kIfcs), legacy(pattern(4), kEop)});
  rig.run({legacy(pattern(60), 0), legacy(pattern(4), kLast)});
  ASSERT_THAT(rig.sent, SizeIs(2));
  EXPECT_FALSE(rig.sent[0].fcs_implied);
  EXPECT_EQ(rig.sent[0].bytes.size(), 60u);
  EXPECT_TRUE(rig.sent[1].fcs_implied);
  EXPECT_EQ(rig.sent[1].bytes.size(), 64u);
}

Content tagged(const Content& packet, unsigned type, unsigned tag) {
  const auto byte = [](unsigned v) { return static_cast<std::uint8_t>(v); };
  return slice(packet, 0, 12) + Content{byte(type >> 8), byte(type), byte(tag >> 8), byte(tag)} +
         slice(packet, 12, packet.size() - 12);
}

TEST(Vlan, TagFollowsTheSourceAddress) {
  Rig rig;
  rig.settings.vlan_enable = true;
  rig.settings.vlan_type = 0x9100;
  const Content packet = pattern(1514);
  rig.run(legacy(packet, kLast | kVle, 0, 0, 0xA064)).run(data(packet, kLast | kVle, 0, 0x0FFF));
  ASSERT_THAT(rig.sent, SizeIs(2));
  EXPECT_EQ(rig.sent[0].bytes, tagged(packet, 0x9100, 0xA064));
  EXPECT_EQ(rig.sent[1].bytes, tagged(packet, 0x9100, 0x0FFF));
}

TEST(Vlan, NeedsVme) {
  Rig rig;
  rig.run(legacy(pattern(64), kLast | kVle, 0, 0, 5));
  rig.run(legacy(pattern(64), kEop | kVle, 0, 0, 5));
  EXPECT_EQ(rig.sent.at(0).bytes, pattern(64));
  EXPECT_FALSE(rig.sent.at(1).fcs_implied);  // an untagged packet keeps its own FCS
}

TEST(Vlan, VleAndSpecialAreThoseOfTheEopDescriptor) {
  Rig rig;
  rig.settings.vlan_enable = true;
  const Content packet = pattern(3000);
  const Content head = slice(packet, 0, 54);
  const Content tail = slice(packet, 54, 2946);
  rig.run({legacy(head, kVle, 0, 0, 1), legacy(tail, kLast | kVle, 0, 0, 2)});
  rig.run({legacy(head, 0, 0, 0, 1), legacy(tail, kLast | kVle, 0, 0, 3)});
  rig.run({legacy(head, kVle, 0, 0, 1), legacy(tail, kLast, 0, 0, 4)});
  ASSERT_THAT(rig.sent, SizeIs(3));
  EXPECT_EQ(rig.sent[0].bytes, tagged(packet, 0x8100, 2));
  EXPECT_EQ(rig.sent[1].bytes, tagged(packet, 0x8100, 3));
  EXPECT_EQ(rig.sent[2].bytes, packet);
}

TEST(Vlan, TheFcsIsAlwaysAppendedAndThePaddingCountsTheTag) {
  Rig rig;
  rig.settings.vlan_enable = true;
  rig.settings.pad_short = true;
  const Content packet = pattern(14);
  rig.run(legacy(packet, kEop | kVle, 0, 0, 9));
  ASSERT_THAT(rig.sent, SizeIs(1));
  EXPECT_TRUE(rig.sent[0].fcs_implied);
  EXPECT_EQ(rig.sent[0].bytes, tagged(packet, 0x8100, 9) + Content(42, 0));
}

TEST(Vlan, SettingsAreThoseOfTheFirstDescriptor) {
  Rig rig;
  rig.settings.vlan_enable = true;
  rig.run(legacy(pattern(60), kVle));
  rig.settings.vlan_enable = false;
  rig.run(legacy(pattern(4), kLast | kVle, 0, 0, 7));
  EXPECT_EQ(rig.sent.at(0).bytes.size(), 68u);
}

TEST(LegacyChecksum, RunsFromCssToTheEndAndLandsAtCso) {
  for (const std::size_t size : {60u, 61u, 1514u}) {
    Rig rig;
    const Content packet = pattern(size);
    rig.run(legacy(packet, kLast | kIc, 50, 34));
    ASSERT_THAT(rig.sent, SizeIs(1));
    const Content& out = rig.sent[0].bytes;
    EXPECT_EQ(word(out, 50), 0xFFFFu - bytewise_sum(packet, 34, size));
    EXPECT_EQ(slice(out, 0, 50), slice(packet, 0, 50));
    EXPECT_EQ(slice(out, 52, size - 52), slice(packet, 52, size - 52));
  }
}

TEST(LegacyChecksum, CssAndCsoAreOfTheFirstAndIcOfTheLastDescriptor) {
  Rig rig;
  const Content packet = pattern(200);
  rig.run({legacy(slice(packet, 0, 100), 0, 40, 20), legacy(slice(packet, 100, 100), kLast | kIc)});
  rig.run({legacy(slice(packet, 0, 100), kIc, 40, 20), legacy(slice(packet, 100, 100), kLast)});
  EXPECT_EQ(word(rig.sent.at(0).bytes, 40), 0xFFFFu - bytewise_sum(packet, 20, 200));
  EXPECT_EQ(rig.sent.at(1).bytes, packet);
}

TEST(LegacyChecksum, OffsetsBeyondThePacketInsertNothing) {
  Rig rig;
  const Content packet = pattern(60);
  rig.settings.pad_short = true;
  rig.run(legacy(packet, kLast | kIc, 59, 14));  // CSO >= length - 1
  rig.run(legacy(packet, kLast | kIc, 255, 14));
  rig.run(legacy(packet, kLast | kIc, 20, 60));                // CSS >= length
  rig.run(legacy(slice(packet, 0, 40), kLast | kIc, 20, 40));  // padding does not count
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(rig.sent.at(i).bytes, packet) << i;
  EXPECT_EQ(rig.sent.at(3).bytes, slice(packet, 0, 40) + Content(20, 0));
}

TEST(LegacyChecksum, OffsetsDoNotCountTheInsertedTag) {
  Rig rig;
  rig.settings.vlan_enable = true;
  const Content packet = pattern(100);
  rig.run(legacy(packet, kLast | kIc | kVle, 50, 34, 3));
  Content expected = packet;
  const unsigned sum = 0xFFFF - bytewise_sum(packet, 34, 100);
  expected[50] = static_cast<std::uint8_t>(sum >> 8);
  expected[51] = static_cast<std::uint8_t>(sum);
  EXPECT_EQ(rig.sent.at(0).bytes, tagged(expected, 0x8100, 3));
}

TxContext checksum_context() {
  TxContext c;
  c.ipcss = 14;
  c.ipcso = 24;
  c.ipcse = 33;
  c.tucss = 34;
  c.tucso = 50;
  c.tcp = true;
  return c;
}

TEST(ContextChecksum, EachOptionActsAlone) {
  const Content packet = pattern(300);
  const unsigned ip = 0xFFFF - bytewise_sum(packet, 14, 34);
  const unsigned tcp = 0xFFFF - bytewise_sum(packet, 34, 300);
  Rig rig;
  rig.run(context(checksum_context()));
  for (const unsigned popts : {0u, 1u, 2u, 3u}) {
    rig.clear();
    rig.run(data(packet, kLast, popts));
    const Content& out = rig.sent.at(0).bytes;
    EXPECT_EQ(word(out, 24), (popts & kIxsm) != 0 ? ip : word(packet, 24)) << popts;
    EXPECT_EQ(word(out, 50), (popts & kTxsm) != 0 ? tcp : word(packet, 50)) << popts;
  }
}

TEST(ContextChecksum, PoptsAreThoseOfTheFirstDataDescriptor) {
  Rig rig;
  const Content packet = pattern(300);
  const Content head = slice(packet, 0, 54), tail = slice(packet, 54, 246);
  rig.run(context(checksum_context()));
  rig.run({data(head, 0, kTxsm), data(tail, kLast, kIxsm)});
  rig.run({data({}, 0, kIxsm), data(head, 0), data(tail, kLast, kTxsm)});  // null: not the first
  EXPECT_EQ(word(rig.sent.at(0).bytes, 50), 0xFFFF - bytewise_sum(packet, 34, 300));
  EXPECT_EQ(word(rig.sent.at(0).bytes, 24), word(packet, 24));
  EXPECT_EQ(rig.sent.at(1).bytes, packet);
}

TEST(ContextChecksum, UdpZeroIsSentAsAllOnes) {
  TxContext c = checksum_context();
  c.tucso = 40;
  Content packet(60, 0);
  packet[34] = packet[35] = 0xFF;
  Rig rig;
  rig.run({context(c), data(packet, kLast, kTxsm)});
  EXPECT_EQ(word(rig.sent.at(0).bytes, 40), 0u);  // TCP
  c.tcp = false;
  rig.run({context(c), data(packet, kLast, kTxsm)});
  EXPECT_EQ(word(rig.sent.at(1).bytes, 40), 0xFFFFu);
}

TEST(ContextChecksum, HostileOffsetsInsertNothing) {
  const Content packet = pattern(60);
  Rig rig;
  TxContext c = checksum_context();
  c.ipcso = 59;
  c.tucso = 255;
  rig.run({context(c), data(packet, kLast, kIxsm | kTxsm)});
  c.ipcso = c.tucso = 20;
  c.ipcss = 60;
  c.tucss = 255;
  rig.run({context(c), data(packet, kLast, kIxsm | kTxsm)});
  c.ipcss = c.tucss = 40;
  c.ipcse = c.tucse = 39;
  rig.run({context(c), data(packet, kLast, kIxsm | kTxsm)});
  for (const Sent& sent : rig.sent) EXPECT_EQ(sent.bytes, packet);
  EXPECT_THAT(rig.sent, SizeIs(3));
}

TEST(ContextChecksum, EndsBeyondThePacketMeanItsEnd) {
  const Content packet = pattern(61);
  TxContext c = checksum_context();
  c.tucse = 0xFFFF;
  Rig rig;
  rig.run({context(c), data(packet, kLast, kTxsm)});
  EXPECT_EQ(word(rig.sent.at(0).bytes, 50), 0xFFFF - bytewise_sum(packet, 34, 61));
}

TEST(Contexts, PersistUntilReplacedAndGoWithReset) {
  Rig rig;
  const Content packet = pattern(100);
  const unsigned tcp = 0xFFFF - bytewise_sum(packet, 34, 100);
  rig.run(context(checksum_context()));
  for (int i = 0; i < 3; ++i) rig.run(data(packet, kLast, kTxsm));
  for (const Sent& sent : rig.sent) EXPECT_EQ(word(sent.bytes, 50), tcp);
  rig.assembler().reset();
  EXPECT_EQ(rig.assembler().checksum_context().tucss, 0);
}

TEST(Contexts, SegmentingAndPlainOnesAreKeptApart) {
  Rig rig;
  TxContext tso = checksum_context();
  tso.tse = true;
  tso.tucso = 60;
  tso.mss = 1000;
  const Content packet = pattern(100);
  rig.run({context(checksum_context()), context(tso), data(packet, kLast, kTxsm)});
  EXPECT_EQ(word(rig.sent.at(0).bytes, 50), 0xFFFF - bytewise_sum(packet, 34, 100));
  EXPECT_EQ(rig.assembler().tso_context().tucso, 60);
  EXPECT_EQ(rig.assembler().checksum_context().tucso, 50);
}

TEST(Faults, ContextInsideAPacketDropsItAndStillCounts) {
  Rig rig;
  rig.run({data(pattern(60), 0, kTxsm), context(checksum_context()), data(pattern(60), 0)});
  EXPECT_TRUE(rig.assembler().in_packet());
  rig.run({context(checksum_context()), data(pattern(60), kLast)});
  EXPECT_THAT(rig.sent, IsEmpty());
  EXPECT_THAT(rig.faults, ElementsAre(Fault::kContextInPacket));
  EXPECT_EQ(rig.assembler().checksum_context().tucso, 50);
  rig.run(data(pattern(60), kLast));
  EXPECT_THAT(rig.sent, SizeIs(1));
}

TEST(Faults, ReservedTypeDropsThePacketItBelongsTo) {
  Step reserved = data({}, 0);
  reserved.raw[10] = 0x20;
  Step reserved_eop = data({}, kEop);
  reserved_eop.raw[10] = 0xF0;
  Rig rig;
  rig.run({data(pattern(60), 0), reserved, data(pattern(60), kLast)});
  rig.run({reserved, data(pattern(60), kLast)});
  rig.run({data(pattern(60), 0), reserved_eop});
  rig.run(reserved_eop);
  EXPECT_THAT(rig.sent, IsEmpty());
  EXPECT_THAT(rig.faults, ElementsAre(Fault::kReservedType, Fault::kReservedType,
                                      Fault::kReservedType, Fault::kReservedType));
  rig.run(data(pattern(60), kLast));
  EXPECT_THAT(rig.sent, SizeIs(1));
}

TEST(Faults, LegacyAndDataDescriptorsMayMixTheFirstDecides) {
  Rig rig;
  const Content packet = pattern(120);
  const Content head = slice(packet, 0, 60), tail = slice(packet, 60, 60);
  rig.run(context(checksum_context()));
  rig.run({data(head, 0, kTxsm), legacy(tail, kLast | kIc, 20, 14)});
  rig.run({legacy(head, kIc, 20, 14), data(tail, kLast | kTse, kTxsm)});
  EXPECT_EQ(word(rig.sent.at(0).bytes, 50), 0xFFFF - bytewise_sum(packet, 34, 120));
  EXPECT_EQ(word(rig.sent.at(0).bytes, 20), word(packet, 20));
  EXPECT_EQ(rig.sent.at(1).bytes, packet);
}

TEST(Reset, ForgetsThePacketUnderWay) {
  Rig rig;
  rig.run(legacy(pattern(500), 0));
  rig.assembler().reset();
  EXPECT_FALSE(rig.assembler().in_packet());
  rig.run(legacy(pattern(60, 2), kLast));
  ASSERT_THAT(rig.sent, SizeIs(1));
  EXPECT_EQ(rig.sent[0].bytes, pattern(60, 2));
}

TEST(SteadyTraffic, AllocatesNothing) {
  Rig rig;
  rig.settings.vlan_enable = true;
  for (int i = 0; i < 50; ++i) {
    rig.run({legacy(pattern(60), kLast), legacy(pattern(54), kVle), legacy(pattern(5000), kLast)});
  }
  EXPECT_LE(rig.pool().allocated(), 2u);
}

}  // namespace
}  // namespace e1000tlm::e1000
