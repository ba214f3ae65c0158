/// FIFO pointers, packet counts and the packet buffer memory window (manual 13.8, 13.4.16).

#include "testbenches/unit/e1000/packet_buffer/packet_buffer_rig.h"

namespace e1000tlm::e1000::test {
namespace {

class PacketBuffer : public ::testing::TestWithParam<Time> {};
INSTANTIATE_TEST_SUITE_P(BothAccuracies, PacketBuffer, ::testing::Values(kTimeZero, us(10)),
                         [](const auto& info) { return quantum_name(info.param); });

TEST_P(PacketBuffer, ReceivedFramesWaitInTheFifoUntilThereAreDescriptors) {
  NicRig rig(Part::k82540em, GetParam());
  rig.run([&] {
    rig.bring_up();
    starve(rig);
    EXPECT_EQ(rx_pointers(rig), (Pointers{0, 0, 0, 0, 0}));
    rig.far.send(NicRig::frame(60, 1));   // 64 bytes, 8 words
    rig.far.send(NicRig::frame(101, 2));  // 105 bytes, 14 words
    rig.far.send(NicRig::frame(1514, 3));
    NicRig::wait_for(us(40));
    constexpr std::uint32_t kEnd = 8 + 14 + 190;
    EXPECT_EQ(rx_pointers(rig), (Pointers{0, kEnd, 0, kEnd, 3}));
    for (const bool debug : {true, false, true}) {
      EXPECT_EQ(window(rig, debug, 0, 64), with_fcs(NicRig::frame(60, 1)));
      EXPECT_EQ(window(rig, debug, 64, 105), with_fcs(NicRig::frame(101, 2)));
      EXPECT_EQ(window(rig, debug, 64 + 105, 7), Octets(7));
      EXPECT_EQ(window(rig, debug, 64 + 112, 1518), with_fcs(NicRig::frame(1514, 3)));
      EXPECT_EQ(window(rig, debug, kEnd * 8, 64), Octets(64));
    }
    rig.write(reg::kRdt, 2);
    NicRig::wait_for(us(40));
    EXPECT_EQ(rx_pointers(rig), (Pointers{22, kEnd, 22, kEnd, 1}));
    rig.write(reg::kRdt, 7);
    NicRig::wait_for(us(40));
    EXPECT_EQ(rx_pointers(rig), (Pointers{kEnd, kEnd, kEnd, kEnd, 0}));
    EXPECT_EQ(rig.rx_data(2, 1514), NicRig::frame(1514, 3));
    // Memory keeps what has left it.
    EXPECT_EQ(peek_window(rig, 64, 105), with_fcs(NicRig::frame(101, 2)));
  });
}

TEST_P(PacketBuffer, ReceiveFifoWrapsInItsRegion) {
  NicRig rig(Part::k82540em, GetParam());
  rig.run([&] {
    rig.write(reg::kPba, 2);
    reset(rig);
    rig.bring_up();
    rig.setup_rx();
    const std::uint32_t behind = rig.read(reg::kPbm + 2048);
    for (std::uint8_t i = 0; i < 3; ++i) {
      rig.far.send(NicRig::frame(596, i));  // 600 bytes
      NicRig::wait_for(us(20));
    }
    EXPECT_EQ(rx_pointers(rig), (Pointers{225, 225, 225, 225, 0}));
    starve(rig);
    rig.far.send(NicRig::frame(596, 8));
    rig.far.send(NicRig::frame(596, 9));
    NicRig::wait_for(us(40));
    EXPECT_EQ(rx_pointers(rig), (Pointers{225, 375 - 256, 225, 375 - 256, 2}));
    EXPECT_EQ(window(rig, false, 1800, 600, 0, 2048), with_fcs(NicRig::frame(596, 8)));
    EXPECT_EQ(read_window(rig, 2400 - 2048, 600), with_fcs(NicRig::frame(596, 9)));
    EXPECT_EQ(rig.read(reg::kPbm + 2048), behind);
  });
}

TEST_P(PacketBuffer, HeadMovesWithAFrameThatIsPartlyInMemory) {
  NicRig rig(Part::k82540em, GetParam());
  rig.run([&] {
    rig.bring_up();
    starve(rig, rctl::kEn | 3 << rctl::kBsizeShift);  // 256 bytes
    rig.far.send(NicRig::frame(596));
    NicRig::wait_for(us(20));
    rig.write(reg::kRdt, 2);
    NicRig::wait_for(us(20));
    EXPECT_EQ(rx_pointers(rig), (Pointers{64, 75, 0, 75, 1}));
    rig.write(reg::kRdt, 3);
    NicRig::wait_for(us(20));
    EXPECT_EQ(rx_pointers(rig), (Pointers{75, 75, 75, 75, 0}));
  });
}

TEST_P(PacketBuffer, FramesToSendWaitForTheLink) {
  NicRig rig(Part::k82540em, GetParam());
  rig.run([&] {
    EXPECT_EQ(tx_pointers(rig), (Pointers{kTxWord, kTxWord, kTxWord, kTxWord, 0}));
    rig.setup_tx(16);
    queue(rig, 0, {NicRig::frame(60, 1), NicRig::frame(1001, 2), NicRig::frame(300, 3)});
    NicRig::wait_for(us(100));
    const std::uint32_t end = kTxWord + 8 + 126 + 38;
    EXPECT_EQ(tx_pointers(rig), (Pointers{kTxWord, end, kTxWord, end, 3}));
    for (const bool debug : {true, false, true}) {
      EXPECT_EQ(window(rig, debug, kTxBase, 60), NicRig::frame(60, 1));
      EXPECT_EQ(window(rig, debug, kTxBase + 60, 4), Octets(4));
      EXPECT_EQ(window(rig, debug, kTxBase + 64, 1001), NicRig::frame(1001, 2));
      EXPECT_EQ(window(rig, debug, kTxBase + 64 + 1008, 300), NicRig::frame(300, 3));
    }
    rig.write(reg::kTctl, 0);
    rig.write(reg::kTdft, kTxWord);  // the FIFO is not empty: no effect
    EXPECT_EQ(tx_pointers(rig), (Pointers{kTxWord, end, kTxWord, end, 3}));
    rig.write(reg::kTctl, tctl::kEn);
    rig.bring_up();
    NicRig::wait_for(us(100));
    EXPECT_EQ(tx_pointers(rig), (Pointers{end, end, end, end, 0}));
    EXPECT_EQ(peek_window(rig, kTxBase + 64, 1001), NicRig::frame(1001, 2));
  });
  EXPECT_EQ(rig.far.received.size(), 3U);
}

TEST_P(PacketBuffer, FramesToSendWaitForTheEndOfAPause) {
  NicRig rig(Part::k82540em, GetParam());
  rig.run([&] {
    rig.bring_up();
    rig.write(reg::kFcal, 0x00C28001);
    rig.write(reg::kFcah, 0x00000100);
    rig.write(reg::kFct, 0x8808);
    rig.write(reg::kCtrl, rig.read(reg::kCtrl) | ctrl::kRfce);
    rig.setup_rx();
    rig.setup_tx(16);
    Octets pause(60);
    const MacAddress group{0x01, 0x80, 0xC2, 0x00, 0x00, 0x01};
    std::copy(group.begin(), group.end(), pause.begin());
    store_be16(&pause[12], 0x8808);
    store_be16(&pause[14], 1);
    store_be16(&pause[16], 1000);  // 512 us
    rig.far.send(pause);
    NicRig::wait_for(us(20));
    queue(rig, 0, {NicRig::frame(60, 1), NicRig::frame(500, 2)});
    NicRig::wait_for(us(100));
    const std::uint32_t end = kTxWord + 8 + 63;
    EXPECT_EQ(tx_pointers(rig), (Pointers{kTxWord, end, kTxWord, end, 2}));
    EXPECT_EQ(read_window(rig, kTxBase + 64, 500), NicRig::frame(500, 2));
    NicRig::wait_for(us(500));
    EXPECT_EQ(tx_pointers(rig), (Pointers{end, end, end, end, 0}));
  });
  EXPECT_EQ(rig.far.received.size(), 2U);
}

TEST_P(PacketBuffer, TailMovesWithAPacketThatIsNotComplete) {
  NicRig rig(Part::k82540em, GetParam());
  rig.run([&] {
    rig.bring_up();
    rig.setup_tx(16);
    rig.put_legacy(0, NicRig::frame(200), tx_cmd::kIfcs);
    rig.write(reg::kTdt, 1);
    NicRig::wait_for(us(20));
    EXPECT_EQ(tx_pointers(rig), (Pointers{kTxWord, kTxWord + 25, kTxWord, kTxWord, 0}));
    // Something is under way: pointers are not software's to move, on or off.
    rig.write(reg::kTctl, 0);
    rig.write(reg::kTdft, kTxWord + 500);
    EXPECT_EQ(tx_pointers(rig), (Pointers{kTxWord, kTxWord + 25, kTxWord, kTxWord, 0}));
    rig.write(reg::kTctl, tctl::kEn);
    rig.put_legacy(1, Octets(100, 7), kSilent);
    rig.write(reg::kTdt, 2);
    NicRig::wait_for(us(20));
    const std::uint32_t end = kTxWord + 38;
    EXPECT_EQ(tx_pointers(rig), (Pointers{end, end, end, end, 0}));
  });
  ASSERT_EQ(rig.far.received.size(), 1U);
  EXPECT_EQ(rig.far.bytes(0).size(), 300U);
}

TEST(PacketBufferOnTheWire, HeadMovesAsBytesLeave) {
  NicRig rig;
  rig.run([&] {
    rig.bring_up();
    rig.setup_tx(16);
    queue(rig, 0, {NicRig::frame(1500, 1), NicRig::frame(796, 2)});
    const Time start = sc_now() + 2 * kMemoryLatency;
    const std::uint32_t end = kTxWord + 188 + 100;
    // As room is made: the last of the 1504 bytes leaves with the last bit.
    const Time first_end = start + wire_time(1500);
    NicRig::wait_for(first_end - ns(8) * 504 - sc_now());
    EXPECT_EQ(tx_pointers(rig), (Pointers{kTxWord + 125, end, kTxWord, end, 2}));
    NicRig::wait_for(ns(63));
    EXPECT_EQ(tx_pointers(rig), (Pointers{kTxWord + 125, end, kTxWord, end, 2}));
    NicRig::wait_for(ns(1));
    EXPECT_EQ(tx_pointers(rig), (Pointers{kTxWord + 126, end, kTxWord, end, 2}));
    NicRig::wait_for(first_end - sc_now());
    const std::uint32_t second = kTxWord + 188;
    EXPECT_EQ(tx_pointers(rig), (Pointers{second, end, second, end, 1}));
    NicRig::wait_for(us(10));
    EXPECT_EQ(tx_pointers(rig), (Pointers{end, end, end, end, 0}));
  });
}

TEST_P(PacketBuffer, TransmitFifoWrapsInItsRegion) {
  NicRig rig(Part::k82540em, GetParam());
  rig.run([&] {
    rig.bring_up();
    rig.setup_tx(16);
    rig.write(reg::kPbm, 0x12345678);  // from here on memory keeps all frames
    for (std::uint32_t i = 0; i < 11; ++i) {
      queue(rig, i, {NicRig::frame(1500, static_cast<std::uint8_t>(i))});
      NicRig::wait_for(us(30));
    }
    const std::uint32_t end = kTxWord + 11 * 188 - 2048;
    EXPECT_EQ(tx_pointers(rig), (Pointers{end, end, end, end, 0}));
    EXPECT_EQ(window(rig, false, kTxBase + 15040, 1500, kTxBase), NicRig::frame(1500, 10));
    EXPECT_EQ(read_window(rig, kTxBase + 1504, 1500), NicRig::frame(1500, 1));
    EXPECT_EQ(rig.read(reg::kPbm), 0x12345678U);
  });
  EXPECT_EQ(rig.far.received.size(), 11U);
}

TEST(PacketBufferWindow, DebugAccessesAreNoFirstAccess) {
  NicRig rig;
  rig.run([&] {
    rig.bring_up();
    starve(rig);
    rig.far.send(NicRig::frame(60, 1));
    NicRig::wait_for(us(5));
    EXPECT_EQ(peek_window(rig, 0, 64), with_fcs(NicRig::frame(60, 1)));
    rig.write(reg::kRdt, 7);
    NicRig::wait_for(us(5));
    EXPECT_EQ(peek_window(rig, 0, 64), Octets(64));
    EXPECT_EQ(read_window(rig, 0, 64), Octets(64));
    rig.far.send(NicRig::frame(60, 2));
    NicRig::wait_for(us(5));
    EXPECT_EQ(peek_window(rig, 64, 64), with_fcs(NicRig::frame(60, 2)));
  });
}

TEST(PacketBufferWindow, AliasesAndIoWindowAgree) {
  NicRig rig;
  rig.run([&] {
    rig.bring_up();
    starve(rig);
    rig.far.send(NicRig::frame(60, 1));
    rig.write(reg::kTctl, 0);
    NicRig::wait_for(us(5));
    const auto by_io = [&](std::uint32_t offset) {
      rig.io_write(0, offset);
      return rig.io_read(4);
    };
    EXPECT_EQ(rig.read(0x8000), 0U);
    EXPECT_EQ(rig.read(0x8008), 8U);
    EXPECT_EQ(rig.read(0x8010), kTxWord);
    EXPECT_EQ(rig.read(0x8018), kTxWord);
    EXPECT_EQ(by_io(reg::kRdft), 8U);
    EXPECT_EQ(by_io(0x8008), 8U);
    EXPECT_EQ(by_io(reg::kTdft), kTxWord);
    EXPECT_EQ(by_io(reg::kRdfpc), 1U);
    const Octets frame = NicRig::frame(60, 1);
    EXPECT_EQ(by_io(reg::kPbm + 16), load_le32(&frame[16]));
    EXPECT_EQ(rig.read(reg::kPbm + 16), load_le32(&frame[16]));
    // Writes go the same ways.
    rig.write(0x8018, kTxWord + 3);
    EXPECT_EQ(rig.read(reg::kTdft), kTxWord + 3);
    rig.io_write(0, reg::kPbm + 16);
    rig.io_write(4, 0xCAFEF00D);
    EXPECT_EQ(rig.read(reg::kPbm + 16), 0xCAFEF00DU);
  });
}

TEST_P(PacketBuffer, ResetEmptiesTheFifosAndTakesOverPba) {
  NicRig rig(Part::k82540em, GetParam());
  rig.run([&] {
    starve(rig);
    rig.setup_tx(16);
    queue(rig, 0, {NicRig::frame(60, 1)});
    NicRig::wait_for(us(100));
    rig.write(reg::kPba, 40);
    const std::uint32_t end = kTxWord + 8;
    EXPECT_EQ(tx_pointers(rig), (Pointers{kTxWord, end, kTxWord, end, 1}));  // RST-6
    EXPECT_EQ(read_window(rig, kTxBase, 60), NicRig::frame(60, 1));
    reset(rig);
    constexpr std::uint32_t kBase = 40 * 128;
    EXPECT_EQ(tx_pointers(rig), (Pointers{kBase, kBase, kBase, kBase, 0}));
    EXPECT_EQ(rx_pointers(rig), (Pointers{0, 0, 0, 0, 0}));
    EXPECT_EQ(rig.dropped(Drop::kTxReset), 1U);
    // Memory is no register: it keeps what it held.
    EXPECT_EQ(peek_window(rig, kTxBase, 60), NicRig::frame(60, 1));
    // Pointers that software wrote go, even if hardware's stand where reset puts them.
    rig.write(reg::kTdfh, kBase + 1);
    rig.write(reg::kRdfpc, 5);
    reset(rig);
    EXPECT_EQ(tx_pointers(rig), (Pointers{kBase, kBase, kBase, kBase, 0}));
    EXPECT_EQ(rx_pointers(rig), (Pointers{0, 0, 0, 0, 0}));
    rig.setup_tx(16);
    queue(rig, 0, {NicRig::frame(100, 2)});
    NicRig::wait_for(us(100));
    EXPECT_EQ(read_window(rig, kBase * 8, 100), NicRig::frame(100, 2));
  });
}

TEST(PacketBufferWindow, WithoutAReceiveFifoFramesAreMissed) {
  NicRig rig;
  rig.run([&] {
    rig.write(reg::kPba, 0);
    reset(rig);
    rig.bring_up();
    starve(rig);
    rig.setup_tx(16);
    rig.far.send(NicRig::frame(60, 1));
    queue(rig, 0, {NicRig::frame(60, 2)});
    NicRig::wait_for(us(20));
    EXPECT_EQ(rx_pointers(rig), (Pointers{0, 0, 0, 0, 0}));
    EXPECT_EQ(tx_pointers(rig), (Pointers{8, 8, 8, 8, 0}));
    EXPECT_EQ(rig.counter(Counter::kMpc), 1U);
    EXPECT_EQ(read_window(rig, 0, 64), Octets(64));
  });
  EXPECT_EQ(rig.far.received.size(), 1U);
}

TEST(PacketBufferWindow, WithoutATransmitFifoThereIsNothingToSend) {
  NicRig rig;
  rig.run([&] {
    rig.write(reg::kPba, 127);
    reset(rig);
    rig.bring_up();
    starve(rig);
    rig.setup_tx(16);
    for (int i = 0; i < 50; ++i) rig.far.send(NicRig::frame(1496));  // 1500, 1504 in words
    queue(rig, 0, {NicRig::frame(60)});
    NicRig::wait_for(ms(1));
    EXPECT_EQ(tx_pointers(rig), (Pointers{0, 0, 0, 0, 0}));
    const std::uint32_t fit = kPacketBufferBytes / 1504;
    EXPECT_EQ(rx_pointers(rig), (Pointers{0, fit * 188, 0, fit * 188, fit}));
    EXPECT_EQ(rig.counter(Counter::kMpc), 50 - fit);
  });
  EXPECT_TRUE(rig.far.received.empty());
}

}  // namespace
}  // namespace e1000tlm::e1000::test
