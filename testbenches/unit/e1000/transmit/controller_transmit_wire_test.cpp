/// Times on the wire and the packet buffer (rules TX-39, TX-40, TX-6, RST-6).

#include "testbenches/unit/e1000/nic_rig.h"

namespace e1000tlm::e1000::test {
namespace {

constexpr std::uint8_t kSilent = tx_cmd::kEop | tx_cmd::kIfcs;

/// Sends `count` frames of `size` bytes; returns the time of the tail write.
Time send(NicRig& rig, std::uint32_t count, std::size_t size) {
  for (std::uint32_t i = 0; i < count; ++i) rig.put_legacy(i, NicRig::frame(size), kSilent);
  const Time start = sc_now();
  rig.write(reg::kTdt, count);
  return start;
}

TEST(TransmitWire, Tx40FirstBitAfterFetchLastBitAfterSerialisation) {
  NicRig rig;
  Time start{};
  rig.run([&] {
    rig.bring_up();
    rig.setup_tx();
    start = send(rig, 1, 60);
    NicRig::wait_for(us(5));
  });
  ASSERT_EQ(rig.far.received.size(), 1U);
  const link::Arrival& a = rig.far.received[0];
  EXPECT_EQ(a.first_bit, start + 2 * kMemoryLatency + kPropagation);
  EXPECT_EQ(a.last_bit - a.first_bit, ns(576));
}

class Gap : public ::testing::TestWithParam<std::pair<std::uint32_t, std::int64_t>> {};

TEST_P(Gap, FollowsIpgtPlusFour) {
  NicRig rig;
  const auto [ipgt, nanoseconds] = GetParam();
  rig.run([&, ipgt = ipgt] {
    rig.bring_up();
    rig.write(reg::kTipg, 0x00602000 | ipgt);
    rig.setup_tx(16);
    send(rig, 12, 200);
    NicRig::wait_for(us(150));  // each waits in the FIFO for its turn
  });
  ASSERT_EQ(rig.far.received.size(), 12U);
  for (std::size_t i = 1; i < 12; ++i) {
    EXPECT_EQ(rig.far.received[i].first_bit - rig.far.received[i - 1].last_bit, ns(nanoseconds));
  }
}
INSTANTIATE_TEST_SUITE_P(TransmitWireTx39, Gap,
                         ::testing::Values(std::pair<std::uint32_t, std::int64_t>{8, 96},
                                           std::pair<std::uint32_t, std::int64_t>{10, 112},
                                           std::pair<std::uint32_t, std::int64_t>{0, 32},
                                           std::pair<std::uint32_t, std::int64_t>{0x3FF, 8216}));

TEST(TransmitWire, FramesOf64BytesGoAtLineRate) {
  NicRig rig;
  rig.run([&] {
    rig.bring_up();
    rig.setup_tx(256);
    send(rig, 200, 60);
    NicRig::wait_for(us(300));
  });
  ASSERT_EQ(rig.far.received.size(), 200U);
  // 84 byte times each: 1.488 million a second.
  EXPECT_EQ(rig.far.received[199].last_bit - rig.far.received[99].last_bit, 100 * ns(672));
}

TEST(TransmitWire, SlowMemoryLimitsTheRate) {
  RigOptions options;
  options.memory_latency = us(1);
  NicRig rig(options);
  rig.run([&] {
    rig.bring_up();
    rig.setup_tx(16);
    send(rig, 10, 60);
    NicRig::wait_for(us(50));
  });
  ASSERT_EQ(rig.far.received.size(), 10U);
  for (std::size_t i = 1; i < 10; ++i) {
    EXPECT_EQ(rig.far.received[i].first_bit - rig.far.received[i - 1].first_bit, us(1));
  }
}

TEST(TransmitWire, PacketBufferHoldsBackTheFetches) {
  NicRig rig;
  rig.run([&] {
    rig.bring_up();
    rig.setup_tx(32);
    const Time start = send(rig, 16, 1500);
    // 16384 bytes hold ten frames of 1500, which take up 1504 in 64-bit words; the eleventh enters
    // when 160 bytes of the first have left for the wire, 1344 before its end.
    const Time room = start + 2 * kMemoryLatency + wire_time(1500) - ns(8) * 1344;
    NicRig::wait_for(room - ns(1) - sc_now());
    EXPECT_EQ(rig.read(reg::kTdh), 10U);
    NicRig::wait_for(kMemoryLatency + ns(2));
    EXPECT_EQ(rig.read(reg::kTdh), 11U);
    NicRig::wait_for(us(300));
  });
  EXPECT_EQ(rig.far.received.size(), 16U);
}

TEST(TransmitWire, Rst6PbaTakesEffectAtTheNextReset) {
  NicRig rig;
  rig.run([&] {
    rig.bring_up();
    rig.write(reg::kPba, 62);  // 2 KiB
    EXPECT_EQ(rig.read(reg::kPba) & 0x7F, 62U);
    rig.setup_tx(32);
    send(rig, 8, 1500);
    NicRig::wait_for(us(2));
    EXPECT_EQ(rig.read(reg::kTdh), 8U);  // still 16 KiB
    NicRig::wait_for(us(200));
    rig.write(reg::kCtrl, rig.read(reg::kCtrl) | ctrl::kRst);
    NicRig::wait_for(us(2));
    EXPECT_EQ(rig.read(reg::kPba) & 0x7F, 62U);
    rig.bring_up();
    rig.setup_tx(32);
    send(rig, 8, 1500);
    NicRig::wait_for(us(2));
    EXPECT_EQ(rig.read(reg::kTdh), 1U);
    NicRig::wait_for(us(200));
    EXPECT_EQ(rig.read(reg::kTdh), 8U);
  });
  EXPECT_EQ(rig.far.received.size(), 16U);
}

TEST(TransmitWire, Tx6PacketsLongerThanTheBufferAreDroppedAndCounted) {
  NicRig rig;
  rig.run([&] {
    rig.bring_up();
    rig.setup_tx(8);
    rig.put_data(0, kTxBuffers, 16 * 1024 - 79, tx_cmd::kEop | tx_cmd::kIfcs | tx_cmd::kRs);
    rig.put_legacy(1, NicRig::frame(60));
    rig.write(reg::kTdt, 2);
    EXPECT_TRUE(NicRig::wait_until([&] { return rig.tx_done(1); }, us(50)));
    EXPECT_TRUE(rig.tx_done(0));
    NicRig::wait_for(us(10));
  });
  EXPECT_EQ(rig.far.received.size(), 1U);
  EXPECT_EQ(rig.dropped(Drop::kTxMalformed), 1U);
}

TEST(TransmitWire, LongestPacketOfTheBufferGoesOut) {
  NicRig rig;
  rig.run([&] {
    rig.bring_up();
    rig.setup_tx(8);
    rig.put_data(0, kTxBuffers, 16 * 1024 - 80, kSilent);
    rig.write(reg::kTdt, 1);
    NicRig::wait_for(us(200));
  });
  ASSERT_EQ(rig.far.received.size(), 1U);
  EXPECT_EQ(rig.far.received[0].frame->size(), 16304U);
}

TEST(TransmitWire, HundredMegabitScalesByTen) {
  NicRig rig;
  rig.run([&] {
    // Full duplex 100 only, by advertisement (LNK-2: acts on restart).
    rig.phy_write(4, 0x0101);
    rig.phy_write(9, 0);
    rig.phy_write(0, 0x1200);
    NicRig::wait_for(us(10));
    rig.write(reg::kCtrl, rig.read(reg::kCtrl) | ctrl::kSlu);
    NicRig::wait_for(ms(700));
    EXPECT_EQ(rig.read(reg::kStatus) & 0xC3, status::kLu | status::kFd | 1U << status::kSpeedShift);
    rig.setup_tx(8);
    send(rig, 2, 60);
    NicRig::wait_for(us(100));
  });
  ASSERT_EQ(rig.far.received.size(), 2U);
  EXPECT_EQ(rig.far.received[0].last_bit - rig.far.received[0].first_bit, ns(5760));
  EXPECT_EQ(rig.far.received[1].first_bit - rig.far.received[0].last_bit, ns(960));
}

}  // namespace
}  // namespace e1000tlm::e1000::test
