/// What software writes to FIFO pointers and to the packet buffer memory window (manual 13.8).

#include <random>

#include "testbenches/unit/e1000/packet_buffer/packet_buffer_rig.h"

namespace e1000tlm::e1000::test {
namespace {

class PacketBufferWrites : public ::testing::TestWithParam<Time> {};
INSTANTIATE_TEST_SUITE_P(BothAccuracies, PacketBufferWrites, ::testing::Values(kTimeZero, us(10)),
                         [](const auto& info) { return quantum_name(info.param); });

/// As Linux and FreeBSD do it for the 82547 once all is sent.
TEST_P(PacketBufferWrites, DriversSendTheTransmitFifoBackToItsStart) {
  NicRig rig(Part::k82540em, GetParam());
  rig.run([&] {
    rig.bring_up();
    rig.setup_tx(16);
    rig.read(reg::kPbm);
    queue(rig, 0, {NicRig::frame(60, 1), NicRig::frame(1500, 2)});
    NicRig::wait_for(us(50));
    EXPECT_EQ(rig.read(reg::kTdt), rig.read(reg::kTdh));
    const Pointers idle = tx_pointers(rig);
    EXPECT_EQ(idle.tail, idle.head);
    EXPECT_EQ(idle.tail_saved, idle.head_saved);
    EXPECT_EQ(idle.packets, 0U);
    const std::uint32_t tctl = rig.read(reg::kTctl);
    const std::uint32_t start = (rig.read(reg::kPba) & 0xFFFF) << 7;
    rig.write(reg::kTctl, tctl & ~tctl::kEn);
    for (const std::uint32_t offset : {reg::kTdft, reg::kTdfh, reg::kTdfts, reg::kTdfhs}) {
      rig.write(offset, start);
    }
    rig.write(reg::kTctl, tctl);
    EXPECT_EQ(tx_pointers(rig), (Pointers{kTxWord, kTxWord, kTxWord, kTxWord, 0}));
    queue(rig, 2, {NicRig::frame(300, 3)});
    NicRig::wait_for(us(50));
    const std::uint32_t end = kTxWord + 38;
    EXPECT_EQ(tx_pointers(rig), (Pointers{end, end, end, end, 0}));
    EXPECT_EQ(read_window(rig, kTxBase, 300), NicRig::frame(300, 3));
  });
  EXPECT_EQ(rig.far.received.size(), 3U);
}

TEST_P(PacketBufferWrites, PointersOfAFifoAtRestReadAsWrittenUntilAFrameComes) {
  NicRig rig(Part::k82540em, GetParam());
  rig.run([&] {
    rig.bring_up();
    rig.write(reg::kRdfh, 0x111);
    rig.write(reg::kRdfpc, 0xFFFFFFFF);
    EXPECT_EQ(rx_pointers(rig), (Pointers{0x111, 0, 0, 0, 0x1FFF}));
    rig.write(reg::kRdft, 0x100);
    EXPECT_EQ(rx_pointers(rig), (Pointers{0x111, 0x100, 0, 0, 0x1FFF}));
    starve(rig);
    EXPECT_EQ(rx_pointers(rig), (Pointers{0x111, 0x100, 0, 0, 0x1FFF}));
    rig.far.send(NicRig::frame(60, 1));
    NicRig::wait_for(us(20));
    EXPECT_EQ(rx_pointers(rig), (Pointers{0x100, 0x108, 0x100, 0x108, 1}));
    EXPECT_EQ(read_window(rig, 0x800, 64), with_fcs(NicRig::frame(60, 1)));
    // A full house, even switched off, and a receiver that is on are left alone.
    rig.write(reg::kRctl, 0);
    rig.write(reg::kRdft, 0x300);
    EXPECT_EQ(rx_pointers(rig), (Pointers{0x100, 0x108, 0x100, 0x108, 1}));
    rig.write(reg::kRctl, rctl::kEn);
    rig.write(reg::kRdt, 7);
    NicRig::wait_for(us(20));
    rig.write(reg::kRdfh, 0x300);
    EXPECT_EQ(rx_pointers(rig), (Pointers{0x108, 0x108, 0x108, 0x108, 0}));
    EXPECT_EQ(rig.rx_data(0, 60), NicRig::frame(60, 1));
    // Reset forgets them.
    rig.write(reg::kRctl, 0);
    rig.write(reg::kRdft, 0x300);
    EXPECT_EQ(rig.read(reg::kRdft), 0x300U);
    reset(rig);
    EXPECT_EQ(rx_pointers(rig), (Pointers{0, 0, 0, 0, 0}));
  });
}

TEST(PacketBufferWindowWrites, HoldsWhatDiagnosticsWrote) {
  NicRig rig;
  rig.run([&] {
    const auto pattern = [](std::uint32_t offset) { return offset * 0x9E3779B1U; };
    for (std::uint32_t offset = 0; offset < kPacketBufferBytes; offset += 4) {
      rig.write(reg::kPbm + offset, pattern(offset));
    }
    reset(rig);
    for (std::uint32_t offset = 0; offset < kPacketBufferBytes; offset += 4) {
      ASSERT_EQ(rig.peek(reg::kPbm + offset), pattern(offset)) << offset;
      ASSERT_EQ(rig.read(reg::kPbm + offset), pattern(offset)) << offset;
    }
  });
}

TEST(PacketBufferWindowWrites, WritesIntoAWaitingFrameShowAndLeaveTheFrameAlone) {
  NicRig rig;
  rig.run([&] {
    rig.bring_up();
    starve(rig);
    rig.far.send(NicRig::frame(60, 1));
    NicRig::wait_for(us(5));
    rig.write(reg::kPbm + 20, 0x55AA55AA);  // the first access
    Octets shown = with_fcs(NicRig::frame(60, 1));
    store_le32(&shown[20], 0x55AA55AA);
    EXPECT_EQ(peek_window(rig, 0, 64), shown);
    EXPECT_EQ(read_window(rig, 0, 64), shown);
    rig.write(reg::kRdt, 7);
    NicRig::wait_for(us(5));
    EXPECT_EQ(rig.rx_data(0, 60), NicRig::frame(60, 1));
  });
}

/// Traffic both ways while software plays with pointers and memory: no frame is harmed, and
/// pointers stay in their regions whenever hardware has moved them.
TEST_P(PacketBufferWrites, NoWriteHarmsAFrame) {
  NicRig rig(Part::k82540em, GetParam());
  std::mt19937 random(3);
  constexpr std::uint32_t kFrames = 200;
  rig.run([&] {
    rig.bring_up();
    rig.setup_tx(256);
    rig.setup_rx(256, rctl::kEn | rctl::kBam);
    for (std::uint32_t i = 0; i < kFrames; ++i) {
      const std::size_t size = 60 + random() % 1455;
      rig.far.send(NicRig::frame(size, static_cast<std::uint8_t>(i)));
      queue(rig, i, {NicRig::frame(size, static_cast<std::uint8_t>(i))});
      for (int n = 0; n < 8; ++n) {
        const std::uint32_t fifo = random() % 2 == 0 ? reg::kRdfh : reg::kTdfh;
        const auto value = static_cast<std::uint32_t>(random());
        switch (random() % 4) {
          case 0: rig.write(fifo + 8 * (value % 5), value >> 8); break;
          case 1: rig.write(reg::kTctl, random() % 2 == 0 ? 0 : tctl::kEn); break;
          case 2: rig.write(reg::kPbm + (value & 0xFFFC), value); break;
          default: rig.read(reg::kPbm + (value & 0xFFFC)); break;
        }
      }
      NicRig::wait_for(ns(random() % 20000));
    }
    rig.write(reg::kTctl, tctl::kEn);
    queue(rig, kFrames, {NicRig::frame(60)});
    NicRig::wait_for(ms(5));
    const Pointers rx = rx_pointers(rig), tx = tx_pointers(rig);
    EXPECT_LT(rx.tail, kTxWord);
    EXPECT_GE(tx.tail, kTxWord);
    EXPECT_EQ(rx, (Pointers{rx.tail, rx.tail, rx.tail, rx.tail, 0}));
    EXPECT_EQ(tx, (Pointers{tx.tail, tx.tail, tx.tail, tx.tail, 0}));
    for (std::uint32_t i = 0; i < kFrames; ++i) {
      ASSERT_TRUE(rig.rx_done(i)) << i;
      const std::size_t size = rig.rx_length(i) - 4U;
      EXPECT_EQ(rig.rx_data(i, size), NicRig::frame(size, static_cast<std::uint8_t>(i)));
    }
  });
  ASSERT_EQ(rig.far.received.size(), kFrames + 1U);
  for (std::uint32_t i = 0; i < kFrames; ++i) {
    const Octets bytes = rig.far.bytes(i);
    EXPECT_EQ(bytes, NicRig::frame(bytes.size(), static_cast<std::uint8_t>(i)));
  }
}

}  // namespace
}  // namespace e1000tlm::e1000::test
