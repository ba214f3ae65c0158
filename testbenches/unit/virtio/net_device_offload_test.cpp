/// What drivers leave to the device, and what it does for them.
#include "e1000tlm/link/checksum.h"

#include "net_rig.h"

namespace e1000tlm::virtio::test {
namespace {

using namespace net::feature;

constexpr std::size_t kHeaders = 54, kTcp = 34, kChecksum = 16;

/// A TCP packet to the rig's device, or from it, with right IP lengths; the checksums are those of
/// the pseudo-header, or whole.
Frame tcp(std::size_t payload, bool from_device, bool whole, std::uint32_t sequence = 1000,
          std::uint16_t id = 7, std::uint8_t flags = 0x10) {
  Frame frame = frame_of(kHeaders + payload, sequence);
  if (from_device) std::swap_ranges(frame.begin(), frame.begin() + 6, frame.begin() + 6);
  std::fill_n(frame.begin() + 12, kHeaders - 12, std::uint8_t{0});
  store_be16(&frame[12], 0x0800);
  frame[14] = 0x45;
  store_be16(&frame[16], static_cast<std::uint16_t>(frame.size() - 14));
  store_be16(&frame[18], id);
  frame[22] = 64;
  frame[23] = 6;
  frame[26] = frame[30] = 10;
  frame[29] = 1;
  frame[33] = 2;
  store_be16(&frame[kTcp], 1234);
  store_be16(&frame[kTcp + 2], 80);
  store_be16(&frame[kTcp + 4], static_cast<std::uint16_t>(sequence >> 16));
  store_be16(&frame[kTcp + 6], static_cast<std::uint16_t>(sequence));
  frame[kTcp + 12] = 0x50;
  frame[kTcp + 13] = flags;
  Bytes all(frame);
  link::insert_checksum(all, 14, 33, 24, false);
  const std::uint32_t pseudo =
      link::ones_sum(all.subspan(26, 8), 6U + static_cast<std::uint32_t>(frame.size() - kTcp));
  if (whole) {
    link::insert_checksum(all, kTcp, 0, kTcp + kChecksum, false, pseudo);
  } else {
    store_be16(&frame[kTcp + kChecksum], static_cast<std::uint16_t>(pseudo));
  }
  return frame;
}

std::vector<std::uint8_t> header(std::uint8_t gso, std::uint16_t mss) {
  std::vector<std::uint8_t> bytes(12);
  bytes[net::header::kFlags] = net::header::kNeedsCsum;
  bytes[net::header::kGsoType] = gso;
  store_le16(&bytes[net::header::kHeaderLength], kHeaders);
  store_le16(&bytes[net::header::kGsoSize], mss);
  store_le16(&bytes[net::header::kCsumStart], kTcp);
  store_le16(&bytes[net::header::kCsumOffset], kChecksum);
  return bytes;
}

class NetDeviceOffload : public ::testing::TestWithParam<Time> {
 protected:
  NetRigOptions options() const {
    NetRigOptions options;
    options.quantum = GetParam();
    return options;
  }
};

TEST_P(NetDeviceOffload, FillsInChecksums) {
  NetRig rig(options());
  rig.run([&] {
    rig.set_up();
    rig.start(kMac | kStatus | kCsum);
    rig.put(0, tcp(300, true, false), header(net::header::kGsoNone, 0));
    rig.put(0, tcp(1, true, false), header(net::header::kGsoNone, 0));
    ASSERT_TRUE(rig.wait_until([&] { return rig.far.received.size() == 2; }, us(100)));
    EXPECT_EQ(rig.far.bytes(0), tcp(300, true, true));
    Frame small = tcp(1, true, true);
    small.resize(60);
    EXPECT_EQ(rig.far.bytes(1), small);
  });
}

TEST_P(NetDeviceOffload, CutsLongPacketsAsTheWireTakesThem) {
  NetRig rig(options());
  rig.run([&] {
    rig.set_up();
    rig.start(kMac | kStatus | kCsum | kHostTso4);
    const std::size_t payload = 60000;
    const Frame packet = tcp(payload, true, false, 5000, 100, 0x18);
    rig.put(0, packet, header(net::header::kGsoTcp4, 1448));
    const std::size_t segments = (payload + 1447) / 1448;
    // The first ones are on the wire long before the packet has been read.
    ASSERT_TRUE(rig.wait_until([&] { return rig.far.received.size() >= 2; }, us(60)));
    EXPECT_LT(rig.far.received.size(), segments - 10);
    ASSERT_TRUE(rig.wait_until([&] { return rig.far.received.size() == segments; }, ms(2)));
    std::size_t done = 0;
    for (std::size_t i = 0; i < segments; ++i) {
      const std::size_t part = std::min<std::size_t>(1448, payload - done);
      Frame want = tcp(part, true, true, static_cast<std::uint32_t>(5000 + done),
                       static_cast<std::uint16_t>(100 + i), i + 1 == segments ? 0x18 : 0x10);
      std::copy_n(packet.begin() + static_cast<int>(kHeaders + done), part,
                  want.begin() + kHeaders);
      Bytes all(want);
      store_be16(&want[kTcp + kChecksum], 0);
      link::insert_checksum(
          all, kTcp, 0, kTcp + kChecksum, false,
          link::ones_sum(all.subspan(26, 8), 6U + static_cast<std::uint32_t>(want.size() - kTcp)));
      ASSERT_EQ(rig.far.bytes(i), want) << i;
      done += part;
    }
    EXPECT_EQ(rig.nic.counters(0).tx_frames, segments);
    rig.wait_for(us(20));
    EXPECT_EQ(rig.reap_sent(0), 1U);
    EXPECT_EQ(rig.all_drops(), 0U);
  });
}

TEST_P(NetDeviceOffload, SaysThatChecksumsAreRight) {
  NetRig rig(options());
  rig.run([&] {
    rig.set_up();
    rig.start(kMac | kStatus | kGuestCsum);
    rig.supply(0, 8);
    ASSERT_TRUE(rig.wait_until([&] { return rig.far.nic_ready(); }, us(50)));
    rig.far.send(tcp(300, false, true));
    Frame wrong = tcp(300, false, true);
    wrong.back() ^= 1;
    rig.far.send(wrong);
    ASSERT_TRUE(rig.wait_until([&] { return rig.rx_frames() == 2; }, us(100)));
    rig.wait_for(us(20));
    rig.reap(0);
    EXPECT_EQ(rig.headers[0][net::header::kFlags], net::header::kDataValid);
    EXPECT_EQ(rig.headers[1][net::header::kFlags], 0);
  });
}

TEST_P(NetDeviceOffload, SegmentsThatWaitTogetherBecomeOnePacket) {
  NetRig rig(options());
  rig.run([&] {
    rig.set_up();
    rig.start(kMac | kStatus | kGuestCsum | kGuestTso4 | kMergeableBuffers);
    rig.supply(0, 1);
    ASSERT_TRUE(rig.wait_until([&] { return rig.far.nic_ready(); }, us(50)));
    rig.far.send(frame_of(100));  // takes the buffer
    ASSERT_TRUE(rig.wait_until([&] { return rig.rx_frames() == 1; }, us(100)));
    for (unsigned i = 0; i < 6; ++i) {
      rig.far.send(tcp(1000, false, true, 1000 + 1000 * i, static_cast<std::uint16_t>(7 + i)));
    }
    rig.wait_for(us(100));
    rig.supply(0, 20);
    ASSERT_TRUE(rig.wait_until([&] { return rig.rx_frames() == 7; }, us(200)));
    rig.wait_for(us(20));
    const std::vector<Frame> frames = rig.reap(0);
    // The first had been looked at before others came.
    ASSERT_EQ(frames.size(), 3U);
    EXPECT_EQ(frames[1].size(), kHeaders + 1000);
    EXPECT_EQ(frames[2].size(), kHeaders + 5000);
    EXPECT_EQ(rig.headers[2][net::header::kGsoType], net::header::kGsoTcp4);
    EXPECT_EQ(load_le16(&rig.headers[2][net::header::kGsoSize]), 1000U);
    EXPECT_EQ(rig.all_drops(), 0U);
    EXPECT_EQ(rig.nic.counters(0).rx_bytes, 100 + 6 * (kHeaders + 1000));
  });
}

INSTANTIATE_TEST_SUITE_P(Accuracies, NetDeviceOffload, ::testing::Values(kTimeZero, us(5)),
                         [](const auto& info) {
                           return "Quantum" + std::to_string(info.param / ns(1)) + "ns";
                         });

}  // namespace
}  // namespace e1000tlm::virtio::test
