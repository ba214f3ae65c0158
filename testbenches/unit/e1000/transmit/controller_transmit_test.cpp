/// What reaches the wire: chains, padding, FCS, null descriptors, enable, link (rules TX-1 to
/// TX-16).

#include "testbenches/unit/e1000/nic_rig.h"

namespace e1000tlm::e1000::test {
namespace {

using Octets = std::vector<std::uint8_t>;
constexpr std::uint8_t kWhole = tx_cmd::kEop | tx_cmd::kIfcs | tx_cmd::kRs;

/// Brings link and ring up, runs `script`, lets everything go out.
void with_transmitter(NicRig& rig, const std::function<void()>& script) {
  rig.run([&] {
    rig.bring_up();
    rig.setup_tx();
    script();
    NicRig::wait_for(us(100));
  });
}

TEST(Transmit, Tx1OwnsHeadToTailAndWrapsToZero) {
  NicRig rig;
  with_transmitter(rig, [&] {
    for (std::uint8_t i = 0; i < 20; ++i) {
      rig.put_legacy(i % 8, NicRig::frame(60, i));
      rig.write(reg::kTdt, (i + 1U) % 8);
      NicRig::wait_for(us(2));
      EXPECT_EQ(rig.read(reg::kTdh), (i + 1U) % 8);
    }
  });
  ASSERT_EQ(rig.far.received.size(), 20U);
  for (std::uint8_t i = 0; i < 20; ++i) EXPECT_EQ(rig.far.bytes(i), NicRig::frame(60, i));
}

TEST(Transmit, Tx2BatchAcrossTheRingsEndStaysInOrder) {
  NicRig rig;
  with_transmitter(rig, [&] {
    rig.setup_tx(8, tctl::kEn | tctl::kPsp, 5);
    for (std::uint32_t i = 0; i < 6; ++i) {
      rig.put_legacy((5 + i) % 8, NicRig::frame(100 + i, static_cast<std::uint8_t>(i)));
    }
    rig.write(reg::kTdt, 3);
  });
  ASSERT_EQ(rig.far.received.size(), 6U);
  for (std::uint32_t i = 0; i < 6; ++i) {
    EXPECT_EQ(rig.far.bytes(i), NicRig::frame(100 + i, static_cast<std::uint8_t>(i)));
  }
}

TEST(Transmit, Tx12ConcatenatesDescriptorsOfAnyAlignment) {
  NicRig rig;
  const Octets whole = NicRig::frame(300);
  with_transmitter(rig, [&] {
    const std::uint64_t at = rig.put_buffer(0, whole) + 0;
    rig.put_data(0, at, 1, tx_cmd::kIfcs);
    rig.put_data(1, at + 1, 60, tx_cmd::kIfcs);
    rig.put_data(2, at + 61, 239, tx_cmd::kIfcs | tx_cmd::kEop | tx_cmd::kRs);
    rig.write(reg::kTdt, 3);
    EXPECT_TRUE(NicRig::wait_until([&] { return rig.tx_done(2); }, us(20)));
    EXPECT_FALSE(rig.tx_done(0));  // TX-3: no RS, no DD
    EXPECT_FALSE(rig.tx_done(1));
  });
  ASSERT_EQ(rig.far.received.size(), 1U);
  EXPECT_EQ(rig.far.bytes(0), whole);
}

TEST(Transmit, Tx4NullAndEmptyDescriptorsMoveNothingButReport) {
  NicRig rig;
  with_transmitter(rig, [&] {
    rig.put_data(0, 0, 100, kWhole);         // null address
    rig.put_data(1, kTxBuffers, 0, kWhole);  // no length
    rig.put_legacy(2, NicRig::frame(64));
    rig.write(reg::kTdt, 3);
    EXPECT_TRUE(NicRig::wait_until([&] { return rig.tx_done(2); }, us(20)));
    EXPECT_TRUE(rig.tx_done(0));
    EXPECT_TRUE(rig.tx_done(1));
    EXPECT_EQ(rig.read(reg::kTdh), 3U);
    NicRig::wait_for(wire_time(64));  // it counts when its last bit has left
    EXPECT_EQ(rig.counter(Counter::kGptc), 0U + 1U);
  });
  ASSERT_EQ(rig.far.received.size(), 1U);
  EXPECT_EQ(rig.far.bytes(0), NicRig::frame(64));
}

TEST(Transmit, Tx4NullDescriptorWithEopEndsThePacketBeforeIt) {
  NicRig rig;
  const Octets whole = NicRig::frame(80);
  with_transmitter(rig, [&] {
    rig.put_data(0, rig.put_buffer(0, whole), 80, tx_cmd::kIfcs);
    rig.put_data(1, 0, 0, kWhole);
    rig.write(reg::kTdt, 2);
  });
  ASSERT_EQ(rig.far.received.size(), 1U);
  EXPECT_EQ(rig.far.bytes(0), whole);
}

TEST(Transmit, Tx14WithoutIfcsTheBufferBringsItsFcs) {
  NicRig rig;
  Octets frame = NicRig::frame(60);
  Octets with_fcs = frame;
  with_fcs.insert(with_fcs.end(), {0xDE, 0xAD, 0xBE, 0xEF});
  with_transmitter(rig, [&] {
    rig.put_legacy(0, with_fcs, tx_cmd::kEop | tx_cmd::kRs);
    rig.write(reg::kTdt, 1);
  });
  ASSERT_EQ(rig.far.received.size(), 1U);
  EXPECT_EQ(rig.far.bytes(0), frame);
  EXPECT_FALSE(rig.far.received[0].frame->fcs_ok());
  EXPECT_EQ(rig.far.received[0].frame->fcs(), 0xEFBEADDEU);
}

TEST(Transmit, Tx15PadsWithPspOnly) {
  NicRig rig;
  const Octets shorty = NicRig::frame(20);
  with_transmitter(rig, [&] {
    rig.put_legacy(0, shorty);
    rig.write(reg::kTdt, 1);
    NicRig::wait_for(us(10));
    EXPECT_EQ(rig.counter(Counter::kPtc64), 1U);
    rig.write(reg::kTctl, tctl::kEn);
    rig.put_legacy(1, shorty);
    rig.write(reg::kTdt, 2);
  });
  ASSERT_EQ(rig.far.received.size(), 2U);
  Octets padded = shorty;
  padded.resize(60);
  EXPECT_EQ(rig.far.bytes(0), padded);
  EXPECT_EQ(rig.far.bytes(1), shorty);
}

TEST(Transmit, Tx16InsertsTheTagOnlyWithVmeAndVle) {
  NicRig rig;
  const Octets plain = NicRig::frame(80);
  Octets tagged = plain;
  const Octets tag{0x81, 0x00, 0x30, 0x05};
  tagged.insert(tagged.begin() + 12, tag.begin(), tag.end());
  with_transmitter(rig, [&] {
    const auto send = [&](std::uint32_t i, std::uint8_t command) {
      rig.put_legacy(i, plain, command);
      store_le16(rig.tx_descriptor(i) + 14, 0x3005);
    };
    send(0, kWhole | tx_cmd::kVle);  // VME off
    send(1, kWhole);
    rig.write(reg::kTdt, 1);
    NicRig::wait_for(us(10));
    rig.write(reg::kCtrl, rig.read(reg::kCtrl) | ctrl::kVme);
    rig.write(reg::kTdt, 2);
    NicRig::wait_for(us(10));
    send(2, kWhole | tx_cmd::kVle);
    send(3, tx_cmd::kEop | tx_cmd::kRs | tx_cmd::kVle);  // no IFCS: appended nevertheless
    rig.write(reg::kTdt, 4);
    NicRig::wait_for(us(10));
    EXPECT_EQ(rig.counter(Counter::kPtc127), 4U);
  });
  ASSERT_EQ(rig.far.received.size(), 4U);
  EXPECT_EQ(rig.far.bytes(0), plain);
  EXPECT_EQ(rig.far.bytes(1), plain);
  EXPECT_EQ(rig.far.bytes(2), tagged);
  EXPECT_EQ(rig.far.bytes(3), tagged);
  EXPECT_TRUE(rig.far.received[3].frame->fcs_ok());
}

TEST(Transmit, Tx1TailWrittenBeforeEnableStartsWithEnable) {
  NicRig rig;
  with_transmitter(rig, [&] {
    rig.write(reg::kTctl, tctl::kPsp);
    rig.put_legacy(0, NicRig::frame(60));
    rig.write(reg::kTdt, 1);
    NicRig::wait_for(us(20));
    EXPECT_EQ(rig.read(reg::kTdh), 0U);
    EXPECT_TRUE(rig.far.received.empty());
    rig.write(reg::kTctl, tctl::kPsp | tctl::kEn);
  });
  EXPECT_EQ(rig.far.received.size(), 1U);
}

TEST(Transmit, Tx42SwitchedOffFinishesThePacketUnderWay) {
  NicRig rig;
  const Octets whole = NicRig::frame(200);
  with_transmitter(rig, [&] {
    const std::uint64_t at = rig.put_buffer(0, whole);
    rig.put_data(0, at, 100, tx_cmd::kIfcs);
    rig.put_data(1, at + 100, 100, kWhole);
    rig.put_legacy(2, NicRig::frame(60));
    rig.write(reg::kTdt, 1);
    NicRig::wait_for(us(5));
    rig.write(reg::kTctl, tctl::kPsp);
    rig.write(reg::kTdt, 3);
    NicRig::wait_for(us(5));
    EXPECT_EQ(rig.read(reg::kTdh), 2U);     // and no further
    EXPECT_TRUE(rig.far.received.empty());  // kept in the packet buffer
    rig.write(reg::kTctl, tctl::kPsp | tctl::kEn);
  });
  ASSERT_EQ(rig.far.received.size(), 2U);
  EXPECT_EQ(rig.far.bytes(0), whole);
}

TEST(Transmit, Tx7WithoutLinkFramesWaitAndGoOutLater) {
  NicRig rig;
  with_transmitter(rig, [&] {
    rig.cable.plug(false);
    NicRig::wait_for(ms(1));
    EXPECT_EQ(rig.read(reg::kStatus) & status::kLu, 0U);
    for (std::uint32_t i = 0; i < 3; ++i) rig.put_legacy(i, NicRig::frame(60 + i));
    rig.write(reg::kTdt, 3);
    NicRig::wait_for(ms(1));
    EXPECT_TRUE(rig.tx_done(2));  // TX-3: the data has been fetched
    EXPECT_TRUE(rig.far.received.empty());
    EXPECT_EQ(rig.counter(Counter::kGptc), 0U);
    rig.cable.plug(true);
    NicRig::wait_for(ms(600));
    EXPECT_EQ(rig.counter(Counter::kGptc), 3U);
  });
  ASSERT_EQ(rig.far.received.size(), 3U);
  EXPECT_EQ(rig.far.bytes(2), NicRig::frame(62));
}

TEST(Transmit, Lnk3WithoutSluNothingIsSent) {
  NicRig rig;
  with_transmitter(rig, [&] {
    rig.write(reg::kCtrl, rig.read(reg::kCtrl) & ~ctrl::kSlu);
    rig.put_legacy(0, NicRig::frame(60));
    rig.write(reg::kTdt, 1);
    NicRig::wait_for(us(50));
    EXPECT_TRUE(rig.far.received.empty());
    rig.write(reg::kCtrl, rig.read(reg::kCtrl) | ctrl::kSlu);
  });
  EXPECT_EQ(rig.far.received.size(), 1U);
}

TEST(Transmit, RingSetUpAnewForgetsTheHalfPacket) {
  NicRig rig;
  with_transmitter(rig, [&] {
    rig.put_data(0, rig.put_buffer(0, NicRig::frame(100)), 100, tx_cmd::kIfcs);
    rig.write(reg::kTdt, 1);
    NicRig::wait_for(us(5));
    rig.write(reg::kTctl, 0);
    rig.setup_tx();
    rig.put_legacy(0, NicRig::frame(70));
    rig.write(reg::kTdt, 1);
  });
  ASSERT_EQ(rig.far.received.size(), 1U);
  EXPECT_EQ(rig.far.bytes(0), NicRig::frame(70));
  EXPECT_EQ(rig.dropped(Drop::kTxReset), 1U);
}

TEST(Transmit, St3CountsWhatWasSent) {
  NicRig rig;
  with_transmitter(rig, [&] {
    rig.put_legacy(0, NicRig::frame(60));
    rig.put_legacy(1, NicRig::frame(200, 0, {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF}));
    rig.put_legacy(2, NicRig::frame(1514, 0, {0x01, 0, 0x5E, 0, 0, 1}));
    rig.write(reg::kTdt, 3);
    NicRig::wait_for(us(50));
    EXPECT_EQ(rig.counter(Counter::kGptc), 3U);
    EXPECT_EQ(rig.counter(Counter::kTpt), 3U);
    EXPECT_EQ(rig.counter(Counter::kBptc), 1U);
    EXPECT_EQ(rig.counter(Counter::kMptc), 1U);
    EXPECT_EQ(rig.counter(Counter::kPtc64), 1U);
    EXPECT_EQ(rig.counter(Counter::kPtc255), 1U);
    EXPECT_EQ(rig.counter(Counter::kPtc1522), 1U);
    EXPECT_EQ(rig.read(0x4090), 64U + 204U + 1518U);  // ST-2: low does not clear
    EXPECT_EQ(rig.read(0x4090), 64U + 204U + 1518U);
    EXPECT_EQ(rig.read(0x4094), 0U);
    EXPECT_EQ(rig.read(0x4090), 0U);
  });
}

}  // namespace
}  // namespace e1000tlm::e1000::test
