/// Guests that program nonsense (rings, heads and tails out of range, endless chains, contexts that
/// do not fit): no crash, no hang, losses counted.

#include "testbenches/unit/e1000/nic_rig.h"

namespace e1000tlm::e1000::test {
namespace {

constexpr std::uint32_t kPlain = rctl::kEn | rctl::kBam;
constexpr std::uint8_t kWhole = tx_cmd::kEop | tx_cmd::kIfcs | tx_cmd::kRs;

/// Nothing outside rings and buffers may change.
class MemoryGuard {
 public:
  explicit MemoryGuard(NicRig& rig) : rig_(rig), low_(copy(0, kTxRing)) {}
  ~MemoryGuard() { EXPECT_EQ(low_, copy(0, kTxRing)) << "memory was written that nobody named"; }

 private:
  std::vector<std::uint8_t> copy(std::size_t from, std::size_t to) {
    const Bytes bytes = rig_.ram.bytes();
    return {&bytes[from], &bytes[from] + (to - from)};
  }
  NicRig& rig_;
  std::vector<std::uint8_t> low_;
};

void expect_alive(NicRig& rig) {
  rig.write(reg::kTctl, 0);
  rig.write(reg::kRctl, 0);
  rig.write(reg::kCtrl, ctrl::kRst);
  NicRig::wait_for(us(2));
  rig.far.received.clear();
  rig.bring_up();
  rig.setup_tx();
  rig.setup_rx();
  rig.put_legacy(0, NicRig::frame(123));
  rig.write(reg::kTdt, 1);
  rig.far.send(NicRig::frame(321));
  NicRig::wait_for(us(100));
  ASSERT_GE(rig.far.received.size(), 1U);
  EXPECT_EQ(rig.far.bytes(rig.far.received.size() - 1), NicRig::frame(123));
  EXPECT_EQ(rig.rx_data(0, 321), NicRig::frame(321));
}

struct Ring {
  const char* name;
  std::uint32_t base_low, base_high, length, head, tail;
};
class BadRing : public ::testing::TestWithParam<Ring> {};

TEST_P(BadRing, TransmitRestsOrSkips) {  // CVE-2016-1981, CVE-2017-9310, B-7
  const Ring& r = GetParam();
  NicRig rig;
  rig.run([&] {
    const MemoryGuard guard(rig);
    rig.bring_up();
    rig.write(reg::kTctl, tctl::kPsp);
    rig.write(reg::kTdbal, r.base_low);
    rig.write(reg::kTdbah, r.base_high);
    rig.write(reg::kTdlen, r.length);
    rig.write(reg::kTdh, r.head);
    rig.write(reg::kTdt, r.tail);
    rig.write(reg::kTctl, tctl::kEn | tctl::kPsp);
    for (int i = 0; i < 20; ++i) {
      NicRig::wait_for(us(10));
      rig.write(reg::kTdt, r.tail);
    }
    EXPECT_TRUE(rig.far.received.empty());
    EXPECT_FALSE(rig.nic.busy());
    expect_alive(rig);
  });
}

TEST_P(BadRing, ReceiveHoldsOrCounts) {
  const Ring& r = GetParam();
  NicRig rig;
  rig.run([&] {
    const MemoryGuard guard(rig);
    rig.bring_up();
    rig.write(reg::kRdbal, r.base_low);
    rig.write(reg::kRdbah, r.base_high);
    rig.write(reg::kRdlen, r.length);
    rig.write(reg::kRdh, r.head);
    rig.write(reg::kRdt, r.tail);
    rig.write(reg::kRctl, kPlain);
    for (int i = 0; i < 100; ++i) rig.far.send(NicRig::frame(1000));
    NicRig::wait_for(ms(2));
    rig.write(reg::kRctl, 0);
    EXPECT_EQ(rig.counter(Counter::kTpr), 100U);
    EXPECT_EQ(rig.counter(Counter::kGprc) + rig.counter(Counter::kMpc), 100U);
    expect_alive(rig);
  });
}
INSTANTIATE_TEST_SUITE_P(
    Hostile, BadRing,
    ::testing::Values(Ring{"LengthZero", kTxRing, 0, 0, 0, 5},
                      Ring{"LengthBelow128", kTxRing, 0, 64, 0, 2},
                      Ring{"HeadBeyondTheRing", kTxRing, 0, 128, 9, 3},
                      Ring{"BothBeyondTheRing", kTxRing, 0, 0xFFF80, 0xFFFF, 0xFFFF},
                      Ring{"HeadAtTheEnd", kTxRing, 0, 128, 8, 0},
                      Ring{"Unmapped", 0, 0xDEAD, 128, 0, 5},
                      Ring{"TopOfMemory", 0xFFFFFFF0, 0xFFFFFFFF, 128, 0, 7},
                      Ring{"AcrossTheEndOfMemory", (16 << 20) - 32, 0, 128, 0, 7}),
    [](const auto& info) { return info.param.name; });

TEST(Hostile, TailBeyondTheTransmitRingIsNotFollowed) {
  NicRig rig;
  rig.run([&] {
    rig.bring_up();
    rig.setup_tx();
    for (std::uint32_t i = 0; i < 8; ++i) rig.put_legacy(i, NicRig::frame(60));
    rig.write(reg::kTxdctl, dctl::kGran | 1 << dctl::kHthreshShift | 63);
    rig.write(reg::kTdt, 3);
    NicRig::wait_for(kMemoryLatency + ns(5));
    rig.write(reg::kTdt, 200);
    NicRig::wait_for(us(100));
    EXPECT_EQ(rig.read(reg::kTdh), 3U);
    rig.write(reg::kTdt, 4);
    NicRig::wait_for(us(10));
    EXPECT_EQ(rig.read(reg::kTdh), 4U);
  });
  EXPECT_EQ(rig.far.received.size(), 4U);
}

TEST(Hostile, TailAtTheReceiveRingsLengthUsesTheWholeRing) {  // as careless drivers do
  NicRig rig;
  rig.run([&] {
    rig.bring_up();
    rig.setup_rx(8, kPlain, 8);
    for (std::uint8_t i = 0; i < 8; ++i) rig.far.send(NicRig::frame(60, i));
    NicRig::wait_for(us(50));
    for (std::uint8_t i = 0; i < 8; ++i) EXPECT_EQ(rig.rx_data(i, 60), NicRig::frame(60, i));
    expect_alive(rig);
  });
}

TEST(Hostile, RingOfNullDescriptorsEndsTheChase) {  // CVE-2020-28916
  RigOptions options;
  options.memory_latency = kTimeZero;  // not even the bus takes time
  NicRig rig(options);
  rig.run([&] {
    const MemoryGuard guard(rig);
    rig.bring_up();
    rig.setup_rx(8, kPlain, 20);
    for (std::uint32_t i = 0; i < 8; ++i) store_le64(rig.rx_descriptor(i), 0);
    rig.far.send(NicRig::frame(60));
    NicRig::wait_for(us(50));
    expect_alive(rig);
  });
}

TEST(Hostile, ChainsOf64KibWithoutEopAreDroppedOnce) {
  NicRig rig;
  rig.run([&] {
    rig.bring_up();
    rig.setup_tx(64);
    for (std::uint32_t i = 0; i < 60; ++i) {
      rig.put_data(i, kTxBuffers, 0xFFFF, tx_cmd::kIfcs | tx_cmd::kRs);
    }
    rig.put_data(60, kTxBuffers, 100, kWhole);
    rig.put_legacy(61, NicRig::frame(61));
    rig.write(reg::kTdt, 62);
    NicRig::wait_for(ms(1));
    EXPECT_EQ(rig.read(reg::kTdh), 62U);
    EXPECT_EQ(rig.dropped(Drop::kTxMalformed), 1U);
    EXPECT_EQ(rig.counter(Counter::kGptc), 1U);
  });
  ASSERT_EQ(rig.far.received.size(), 1U);
  EXPECT_EQ(rig.far.bytes(0), NicRig::frame(61));
}

TEST(Hostile, LargestDataDescriptorMegabyte) {
  NicRig rig;
  rig.run([&] {
    rig.bring_up();
    rig.setup_tx();
    rig.put_data(0, 0, 0xFFFFF, kWhole);           // null: nothing to fetch
    rig.put_data(1, kTxBuffers, 0xFFFFF, kWhole);  // too long
    rig.put_data(2, (16 << 20) - 100, 0xFFFFF, kWhole);
    rig.put_legacy(3, NicRig::frame(61));
    rig.write(reg::kTdt, 4);
    NicRig::wait_for(ms(1));
    EXPECT_EQ(rig.dropped(Drop::kTxMalformed), 2U);
  });
  EXPECT_EQ(rig.far.received.size(), 1U);
}

TEST(Hostile, ContextInMidPacketDropsThePacket) {  // the VirtualBox 0-day of 2018
  NicRig rig;
  rig.run([&] {
    rig.bring_up();
    rig.setup_tx(16);
    TxContext c;
    c.tse = c.tcp = c.ipv4 = true;
    c.ipcss = 14;
    c.tucss = 34;
    c.hdrlen = 54;
    c.mss = 100;
    c.paylen = 1000;
    rig.put_context(0, c);
    rig.put_data(1, kTxBuffers, 200, tx_cmd::kTse);
    c.hdrlen = 255;
    c.mss = 1;
    rig.put_context(2, c);
    rig.put_data(3, kTxBuffers, 500, tx_cmd::kTse | kWhole);
    rig.put_legacy(4, NicRig::frame(60));
    rig.write(reg::kTdt, 5);
    NicRig::wait_for(us(100));
    EXPECT_EQ(rig.dropped(Drop::kTxMalformed), 1U);
    EXPECT_EQ(rig.read(reg::kTdh), 5U);
  });
  ASSERT_GE(rig.far.received.size(), 1U);
  EXPECT_EQ(rig.far.bytes(rig.far.received.size() - 1), NicRig::frame(60));
}

TEST(Hostile, SegmentationWithoutMssOrHeader) {  // CVE-2015-6815, CVE-2021-20257
  NicRig rig;
  rig.run([&] {
    rig.bring_up();
    rig.setup_tx(16);
    std::uint32_t i = 0;
    for (const auto& [hdrlen, mss, paylen] :
         {std::tuple{54, 0, 1000}, {0, 100, 1000}, {13, 100, 1000}, {54, 0xFFFF, 0xFFFFF}}) {
      TxContext c;
      c.tse = c.tcp = true;
      c.hdrlen = static_cast<std::uint8_t>(hdrlen);
      c.mss = static_cast<std::uint16_t>(mss);
      c.paylen = static_cast<std::uint32_t>(paylen);
      rig.put_context(i++, c);
      rig.put_data(i++, kTxBuffers, 1054, tx_cmd::kTse | kWhole);
    }
    rig.put_legacy(i++, NicRig::frame(60));
    rig.write(reg::kTdt, i);
    NicRig::wait_for(us(200));
    EXPECT_EQ(rig.read(reg::kTdh), i);
    EXPECT_EQ(rig.dropped(Drop::kTxMalformed), 4U);
  });
  EXPECT_EQ(rig.far.received.size(), 1U);
}

TEST(Hostile, ChecksumOffsetsBeyondThePacket) {  // CVE-2016-2857
  NicRig rig;
  rig.run([&] {
    rig.bring_up();
    rig.setup_tx(16);
    TxContext c;
    c.ipcss = 255;
    c.ipcso = 254;
    c.ipcse = 0xFFFF;
    c.tucss = 63;
    c.tucso = 63;
    c.tucse = 1;
    rig.put_context(0, c);
    rig.put_data(1, rig.put_buffer(1, NicRig::frame(60)), 60, kWhole,
                 tx_popts::kIxsm | tx_popts::kTxsm);
    rig.put_legacy(2, NicRig::frame(60), kWhole | tx_cmd::kIc);
    rig.tx_descriptor(2)[10] = 59;
    rig.tx_descriptor(2)[13] = 255;
    rig.write(reg::kTdt, 3);
    NicRig::wait_for(us(50));
  });
  ASSERT_EQ(rig.far.received.size(), 2U);
  EXPECT_EQ(rig.far.bytes(0), NicRig::frame(60));
  EXPECT_EQ(rig.far.bytes(1), NicRig::frame(60));
}

TEST(Hostile, TransmitBufferNowhereLosesThePacketAndIsCounted) {
  NicRig rig;
  rig.run([&] {
    rig.bring_up();
    rig.setup_tx();
    rig.put_data(0, 0x7'0000'0000, 100, kWhole);
    rig.put_legacy(1, NicRig::frame(60));
    rig.write(reg::kTdt, 2);
    NicRig::wait_for(us(20));
    EXPECT_TRUE(rig.tx_done(0));
    EXPECT_EQ(rig.dropped(Drop::kTxDmaError), 1U);
  });
  EXPECT_EQ(rig.far.received.size(), 1U);
}

TEST(Hostile, HeadWrittenDuringOperation) {
  NicRig rig;
  rig.run([&] {
    rig.bring_up();
    rig.setup_tx(64);
    rig.setup_rx(64);
    for (std::uint32_t i = 0; i < 63; ++i) rig.put_legacy(i, NicRig::frame(60));
    for (std::uint32_t i = 0; i < 200; ++i) {
      rig.write(reg::kTdt, 63);
      rig.far.send(NicRig::frame(60));
      NicRig::wait_for(ns(700 + 13 * (i % 50)));
      rig.write(reg::kTdh, i * 7 % 80);
      rig.write(reg::kRdh, i * 11 % 80);
    }
    expect_alive(rig);
  });
}

TEST(Hostile, TimerExtremes) {
  NicRig rig;
  rig.run([&] {
    rig.bring_up();
    rig.setup_tx();
    rig.setup_rx();
    for (const std::uint32_t offset : {reg::kTidv, reg::kTadv, reg::kRdtr, reg::kRadv, reg::kItr}) {
      rig.write(offset, 0xFFFF);
    }
    rig.write(reg::kIms, 0x1FFFF);
    rig.put_legacy(0, NicRig::frame(60), kWhole | tx_cmd::kIde);
    rig.write(reg::kTdt, 1);
    rig.far.send(NicRig::frame(60));
    NicRig::wait_for(ms(200));
    EXPECT_EQ(rig.read(reg::kIcr) & (cause::kTxdw | cause::kRxt0), cause::kTxdw | cause::kRxt0);
    expect_alive(rig);
  });
}

}  // namespace
}  // namespace e1000tlm::e1000::test
