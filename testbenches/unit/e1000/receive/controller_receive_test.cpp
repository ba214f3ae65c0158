/// Filters, buffers, tags, checksums end to end (rules RX-1 to RX-29).

#include "testbenches/unit/e1000/nic_rig.h"

namespace e1000tlm::e1000::test {
namespace {

using Octets = std::vector<std::uint8_t>;
constexpr MacAddress kOther{0x02, 0, 0, 0, 0, 0x77}, kBroadcast{0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF},
    kMulticast{0x01, 0x00, 0x5E, 0x01, 0x02, 0x03};
constexpr std::uint32_t kPlain = rctl::kEn | rctl::kBam;

void with_receiver(NicRig& rig, std::uint32_t rctl, const std::function<void()>& script) {
  rig.run([&] {
    rig.bring_up();
    rig.setup_rx(8, rctl);
    script();
  });
}
/// Sends one frame and gives it time; the number of descriptors used up.
std::uint32_t deliver(NicRig& rig, const Octets& frame) {
  const std::uint32_t before = rig.read(reg::kRdh);
  rig.far.send(frame);
  NicRig::wait_for(wire_time(frame.size()) + us(5));
  return (rig.read(reg::kRdh) + 8 - before) % 8;
}

TEST(Receive, Rx2StationAndBroadcastPassOthersDoNot) {
  NicRig rig;
  with_receiver(rig, kPlain, [&] {
    EXPECT_EQ(deliver(rig, NicRig::frame(60)), 1U);
    EXPECT_EQ(deliver(rig, NicRig::frame(60, 0, kBroadcast)), 1U);
    EXPECT_EQ(deliver(rig, NicRig::frame(60, 0, kOther)), 0U);
    EXPECT_EQ(deliver(rig, NicRig::frame(60, 0, kMulticast)), 0U);
    EXPECT_EQ(rig.counter(Counter::kTpr), 4U);
    EXPECT_EQ(rig.counter(Counter::kGprc), 2U);
    EXPECT_EQ(rig.counter(Counter::kBprc), 1U);
    EXPECT_EQ(rig.read(0x40C0), 4U * 64U);
    EXPECT_EQ(rig.read(0x4088), 2U * 64U);
    EXPECT_EQ(rig.dropped(Drop::kRxFiltered), 2U);
  });
}

TEST(Receive, Rx2WithoutBamNoBroadcast) {
  NicRig rig;
  with_receiver(rig, rctl::kEn, [&] {
    EXPECT_EQ(deliver(rig, NicRig::frame(60, 0, kBroadcast)), 0U);
    EXPECT_EQ(rig.counter(Counter::kBprc), 0U);
  });
}

TEST(Receive, Rx2PromiscuousAndRx3Pif) {
  NicRig rig;
  with_receiver(rig, kPlain | rctl::kUpe | rctl::kMpe, [&] {
    EXPECT_EQ(deliver(rig, NicRig::frame(60, 0, kOther)), 1U);
    EXPECT_EQ(rig.rx_status_of(0) & rx_status::kPif, rx_status::kPif);
    EXPECT_EQ(deliver(rig, NicRig::frame(60, 0, kMulticast)), 1U);
    EXPECT_EQ(deliver(rig, NicRig::frame(60)), 1U);
    EXPECT_EQ(rig.rx_status_of(2) & rx_status::kPif, 0U);
    EXPECT_EQ(rig.counter(Counter::kMprc), 1U);
  });
}

TEST(Receive, Rx4MulticastByHashTable) {
  NicRig rig;
  with_receiver(rig, kPlain, [&] {
    // Last bytes 02:03: MO 0 gives 02 >> 4 | 03 << 4 = 030h: row 1, bit 16.
    rig.write(reg::kMta + 4, 1 << 16);
    EXPECT_EQ(deliver(rig, NicRig::frame(60, 0, kMulticast)), 1U);
    EXPECT_EQ(rig.rx_status_of(0) & rx_status::kPif, rx_status::kPif);
    rig.write(reg::kMta + 4, 0);
    EXPECT_EQ(deliver(rig, NicRig::frame(60, 0, kMulticast)), 0U);
  });
}

TEST(Receive, Rx2SecondReceiveAddressTakesEffectAtOnce) {
  NicRig rig;
  with_receiver(rig, kPlain, [&] {
    rig.write(reg::kRa + 16 * 7, 0x00000002);
    rig.write(reg::kRa + 16 * 7 + 4, 0x80007700);
    EXPECT_EQ(deliver(rig, NicRig::frame(60, 0, kOther)), 1U);
    rig.write(reg::kRa + 16 * 7 + 4, 0x00007700);  // AV off
    EXPECT_EQ(deliver(rig, NicRig::frame(60, 0, kOther)), 0U);
  });
}

TEST(Receive, Rx5VlanFilter) {
  NicRig rig;
  with_receiver(rig, kPlain | rctl::kVfe, [&] {
    Octets tagged = NicRig::frame(80, 0, kRigMac, 0x8100);
    store_be16(&tagged[14], 0x6005);
    EXPECT_EQ(deliver(rig, tagged), 0U);
    EXPECT_EQ(deliver(rig, NicRig::frame(80)), 1U);
    rig.write(reg::kVfta, 1 << 5);
    EXPECT_EQ(deliver(rig, tagged), 1U);
    EXPECT_EQ(rig.rx_length(1), 84);  // VME off: the tag stays
    EXPECT_EQ(rig.rx_status_of(1) & rx_status::kVp, 0U);
    EXPECT_EQ(rig.dropped(Drop::kRxFiltered), 1U);
  });
}

TEST(Receive, Rx16VmeStripsTheTag) {
  NicRig rig;
  with_receiver(rig, kPlain, [&] {
    rig.write(reg::kCtrl, rig.read(reg::kCtrl) | ctrl::kVme);
    Octets tagged = NicRig::frame(100, 0, kRigMac, 0x8100);
    store_be16(&tagged[14], 0x6005);
    EXPECT_EQ(deliver(rig, tagged), 1U);
    EXPECT_EQ(rig.rx_length(0), 100);
    EXPECT_EQ(load_le16(rig.rx_descriptor(0) + 14), 0x6005);
    EXPECT_EQ(rig.rx_status_of(0) & rx_status::kVp, rx_status::kVp);
    Octets stripped = tagged;
    stripped.erase(stripped.begin() + 12, stripped.begin() + 16);
    EXPECT_EQ(rig.rx_data(0, 96), stripped);
    EXPECT_EQ(rig.counter(Counter::kPrc127), 1U);  // as on the wire
  });
}

class BufferSize : public ::testing::TestWithParam<std::pair<std::uint32_t, std::uint32_t>> {};

TEST_P(BufferSize, Rx12CutsFramesIntoFullBuffersAndARest) {
  const auto [code, bytes] = GetParam();
  NicRig rig;
  const Octets sent = NicRig::frame(8000);
  with_receiver(rig, kPlain | rctl::kLpe | code, [&, bytes = bytes] {
    const std::uint32_t total = 8004, used = (total + bytes - 1) / bytes;
    if (used >= 8) {  // more than the ring holds: it waits for the tail
      rig.far.send(sent);
      NicRig::wait_for(us(100));
      EXPECT_EQ(rig.read(reg::kRdh), 7U);
      return;
    }
    EXPECT_EQ(deliver(rig, sent), used);
    Octets got;
    for (std::uint32_t i = 0; i < used; ++i) {
      const bool last = i + 1 == used;
      const std::uint32_t length = last ? total - i * bytes : bytes;
      EXPECT_EQ(rig.rx_length(i), length);
      EXPECT_EQ((rig.rx_status_of(i) & rx_status::kEop) != 0, last) << "RX-13";
      if (!last) {
        EXPECT_EQ(rig.rx_status_of(i), rx_status::kDd);
      }
      const Octets part = rig.rx_data(i, length);
      got.insert(got.end(), part.begin(), part.end());
    }
    got.resize(8000);
    EXPECT_EQ(got, sent);
  });
}
INSTANTIATE_TEST_SUITE_P(
    Receive, BufferSize,
    ::testing::Values(std::pair<std::uint32_t, std::uint32_t>{0, 2048},
                      std::pair<std::uint32_t, std::uint32_t>{1 << 16, 1024},
                      std::pair<std::uint32_t, std::uint32_t>{2 << 16, 512},
                      std::pair<std::uint32_t, std::uint32_t>{3 << 16, 256},
                      std::pair<std::uint32_t, std::uint32_t>{rctl::kBsex, 2048},
                      std::pair<std::uint32_t, std::uint32_t>{rctl::kBsex | 1 << 16, 16384},
                      std::pair<std::uint32_t, std::uint32_t>{rctl::kBsex | 2 << 16, 8192},
                      std::pair<std::uint32_t, std::uint32_t>{rctl::kBsex | 3 << 16, 4096}));

TEST(Receive, ChainThatRunsOutOfDescriptorsGoesOnWhenTheTailMoves) {
  NicRig rig;
  const Octets sent = NicRig::frame(1500);
  with_receiver(rig, kPlain | 3 << rctl::kBsizeShift, [&] {  // 256 bytes: six are needed
    rig.write(reg::kRctl, 0);
    rig.setup_rx(8, kPlain | 3 << rctl::kBsizeShift, 4);
    rig.far.send(sent);
    NicRig::wait_for(us(50));
    EXPECT_EQ(rig.read(reg::kRdh), 4U);
    EXPECT_EQ(rig.rx_status_of(3), rx_status::kDd);
    rig.write(reg::kRdt, 7);
    NicRig::wait_for(us(5));
    EXPECT_EQ(rig.read(reg::kRdh), 6U);
    EXPECT_EQ(rig.rx_status_of(5) & rx_status::kEop, rx_status::kEop);
    EXPECT_EQ(rig.rx_length(5), 1504 - 5 * 256);
    EXPECT_EQ(rig.rx_data(4, 256), Octets(sent.begin() + 1024, sent.begin() + 1280));
  });
}

TEST(Receive, Rx14SecrcLeavesTheCrcOut) {
  NicRig rig;
  with_receiver(rig, kPlain | rctl::kSecrc, [&] {
    std::fill(rig.rx_buffer(0), rig.rx_buffer(0) + 128, std::uint8_t{0xEE});
    EXPECT_EQ(deliver(rig, NicRig::frame(60)), 1U);
    EXPECT_EQ(rig.rx_length(0), 60);
    EXPECT_EQ(rig.rx_data(0, 60), NicRig::frame(60));
    EXPECT_EQ(rig.rx_buffer(0)[60], 0xEE);
    EXPECT_EQ(rig.counter(Counter::kPrc64), 1U);
  });
}

TEST(Receive, Rx15NullDescriptorsAreCompletedWithoutData) {
  NicRig rig;
  with_receiver(rig, kPlain, [&] {
    store_le64(rig.rx_descriptor(0), 0);
    store_le64(rig.rx_descriptor(1), 0);
    const std::vector<std::uint8_t> low(rig.ram.bytes().begin(), rig.ram.bytes().begin() + 4096);
    EXPECT_EQ(deliver(rig, NicRig::frame(60)), 3U);
    EXPECT_TRUE(rig.rx_done(0));
    EXPECT_EQ(rig.rx_length(0), 0);
    EXPECT_EQ(rig.rx_data(2, 60), NicRig::frame(60));
    EXPECT_EQ(rig.rx_status_of(2) & rx_status::kEop, rx_status::kEop);
    EXPECT_TRUE(std::equal(low.begin(), low.end(), rig.ram.bytes().data()));
  });
}

/// Ethernet, IPv4, UDP; checksums right.
Octets udp_frame() {
  Octets f = NicRig::frame(60, 0, kRigMac, 0x0800);
  const Octets ip{0x45, 0, 0,  46, 0, 1, 0, 0, 64, 17, 0, 0,  10, 0,
                  0,    1, 10, 0,  0, 2, 0, 7, 0,  9,  0, 26, 0,  0};
  std::copy(ip.begin(), ip.end(), f.begin() + 14);
  const auto sum = [&](std::size_t from, std::size_t to, std::uint32_t s) {
    for (std::size_t i = from; i < to; i += 2) s += load_be16(&f[i]);
    while (s > 0xFFFF) s = (s & 0xFFFF) + (s >> 16);
    return static_cast<std::uint16_t>(~s);
  };
  store_be16(&f[24], sum(14, 34, 0));
  store_be16(&f[40], sum(34, 60, 0x0A00 + 1 + 0x0A00 + 2 + 17 + 26));
  return f;
}

TEST(Receive, Rx25ChecksumStatusAndErrors) {
  NicRig rig;
  with_receiver(rig, kPlain, [&] {
    const Octets good = udp_frame();
    Octets bad = good;
    bad[50] ^= 1;
    rig.far.send(good);
    NicRig::wait_for(us(5));
    EXPECT_EQ(rig.rx_status_of(0) & rx_status::kIxsm, rx_status::kIxsm);
    rig.write(reg::kRxcsum, 0x300);
    EXPECT_EQ(deliver(rig, good), 1U);
    EXPECT_EQ(rig.rx_status_of(1),
              rx_status::kDd | rx_status::kEop | rx_status::kIpcs | rx_status::kTcpcs);
    EXPECT_EQ(rig.rx_errors_of(1), 0);
    EXPECT_EQ(deliver(rig, bad), 1U);
    EXPECT_EQ(rig.rx_errors_of(2), rx_error::kTcpe);
    EXPECT_EQ(deliver(rig, NicRig::frame(60)), 1U);
    EXPECT_EQ(rig.rx_status_of(3) & rx_status::kIxsm, rx_status::kIxsm);
  });
}

TEST(Receive, Rx27PacketChecksumInTheFirstDescriptor) {
  NicRig rig;
  with_receiver(rig, kPlain | rctl::kSecrc | 3 << rctl::kBsizeShift, [&] {
    rig.write(reg::kRxcsum, 14);
    Octets f = NicRig::frame(300);
    std::fill(f.begin() + 14, f.end(), std::uint8_t{0});
    f[14] = 0x12;
    f[15] = 0x34;
    f[299] = 0x01;
    EXPECT_EQ(deliver(rig, f), 2U);
    EXPECT_EQ(load_le16(rig.rx_descriptor(0) + 10), 0x1235);
    EXPECT_EQ(load_le16(rig.rx_descriptor(1) + 10), 0);
  });
}

TEST(Receive, Rx27NoPacketChecksumOnThe82544) {
  NicRig rig(Part::k82544gc);
  with_receiver(rig, kPlain, [&] {
    EXPECT_EQ(deliver(rig, NicRig::frame(60)), 1U);
    EXPECT_EQ(load_le16(rig.rx_descriptor(0) + 10), 0);
  });
}

TEST(Receive, Rx11RingWrapsAndTheTailsDescriptorIsNeverUsed) {
  NicRig rig;
  with_receiver(rig, kPlain, [&] {
    std::uint8_t mark = 0;
    for (std::uint32_t i = 0; i < 30; ++i) {
      rig.far.send(NicRig::frame(60, ++mark));
      NicRig::wait_for(us(3));
      const std::uint32_t index = i % 8;
      EXPECT_TRUE(rig.rx_done(index));
      EXPECT_EQ(rig.rx_data(index, 60), NicRig::frame(60, mark));
      rig.rx_descriptor(index)[12] = 0;
      rig.write(reg::kRdt, index);
    }
    // Seven frames fit, the eighth stays in the packet buffer.
    for (int i = 0; i < 8; ++i) rig.far.send(NicRig::frame(60));
    NicRig::wait_for(us(20));
    EXPECT_EQ(rig.read(reg::kRdh), rig.read(reg::kRdt));
    EXPECT_FALSE(rig.rx_done(rig.read(reg::kRdt)));
  });
}

TEST(Receive, Rx1SwitchedOffDropsAndCountsInNoRegister) {
  NicRig rig;
  with_receiver(rig, kPlain, [&] {
    rig.write(reg::kRctl, rctl::kBam);
    EXPECT_EQ(deliver(rig, NicRig::frame(60)), 0U);
    EXPECT_EQ(rig.counter(Counter::kTpr), 0U);
    EXPECT_EQ(rig.dropped(Drop::kRxDisabled), 1U);
    rig.write(reg::kRctl, kPlain);
    EXPECT_EQ(deliver(rig, NicRig::frame(60)), 1U);
  });
}

TEST(Receive, Rx19SwitchedOffInMidFrameFinishesIt) {
  RigOptions options;
  options.memory_latency = us(2);
  NicRig rig(options);
  rig.run([&] {
    rig.bring_up();
    rig.setup_rx(8, kPlain | 3 << rctl::kBsizeShift);
    rig.far.send(NicRig::frame(600));
    EXPECT_TRUE(NicRig::wait_until([&] { return rig.rx_done(0); }, us(50)));
    rig.write(reg::kRctl, 0);
    NicRig::wait_for(us(50));
    EXPECT_EQ(rig.rx_status_of(2) & rx_status::kEop, rx_status::kEop);
  });
}

TEST(Receive, Lnk3WithoutSluNothingIsReceived) {
  NicRig rig;
  with_receiver(rig, kPlain, [&] {
    rig.write(reg::kCtrl, rig.read(reg::kCtrl) & ~ctrl::kSlu);
    EXPECT_EQ(deliver(rig, NicRig::frame(60)), 0U);
    EXPECT_EQ(rig.dropped(Drop::kRxNoLink), 1U);
  });
}

TEST(Receive, ReadyTellsTheFarEndWhetherToHoldBack) {
  NicRig rig;
  link::CableEndIf& far = rig.cable.end(1);
  rig.run([&] {
    rig.bring_up();
    EXPECT_FALSE(far.partner_ready());
    rig.write(reg::kRctl, kPlain);  // RX-20: enabled with an empty ring
    EXPECT_FALSE(far.partner_ready());
    rig.setup_rx();
    EXPECT_TRUE(far.partner_ready());
    for (int i = 0; i < 10; ++i) rig.far.send(NicRig::frame(60));
    NicRig::wait_for(us(20));
    EXPECT_TRUE(far.partner_ready());  // running dry is the packet buffer's business
    rig.write(reg::kRctl, 0);
    EXPECT_FALSE(far.partner_ready());
    rig.write(reg::kRctl, kPlain);
    EXPECT_FALSE(far.partner_ready());
    rig.write(reg::kRdt, 6);
    EXPECT_TRUE(far.partner_ready());
    rig.nic.pci_bus_master(false);
    EXPECT_FALSE(far.partner_ready());
  });
}

/// Manual 4.2: bursts of whole 8-byte words, wherever the buffer begins.
TEST(Receive, BurstsEndWithAWholeWordOfMemory) {
  RigOptions options;
  options.waiting_bus = ns(100);
  NicRig rig(options);
  with_receiver(rig, kPlain | rctl::kSecrc, [&] {
    std::uint32_t next = 0;
    for (const std::uint64_t offset : {0x00U, 0x12U, 0x07U}) {
      store_le64(rig.rx_descriptor(next++), kRxBuffers + offset);
    }
    for (int i = 0; i < 3; ++i) EXPECT_EQ(deliver(rig, NicRig::frame(1514)), 1U);
    std::vector<std::uint32_t> bursts;
    for (const WaitingBus::Access& write : rig.bus->writes) {
      if (write.bytes > 1000) bursts.push_back(write.bytes);
    }
    EXPECT_EQ(bursts, (std::vector<std::uint32_t>{1520, 1518, 1521}));
  });
}

}  // namespace
}  // namespace e1000tlm::e1000::test
