/// Several pairs of queues, the control queue, MSI-X and steering.
#include <numeric>

#include "net_rig.h"

namespace e1000tlm::virtio::test {
namespace {

using namespace net::feature;

constexpr std::uint64_t kMany = kMac | kStatus | kControlQueue | kControlRx | kMultiQueue;

NetRigOptions with_pairs(unsigned pairs, Time quantum = kTimeZero) {
  NetRigOptions options;
  options.device.queue_pairs = pairs;
  options.quantum = quantum;
  return options;
}

std::vector<std::uint8_t> pairs_command(unsigned pairs) {
  return {net::control::kMultiQueue, net::control::kPairs, static_cast<std::uint8_t>(pairs), 0};
}

/// A UDP packet of a flow that its source port names; from the far end, or its answer.
Frame udp(std::uint16_t port, bool answer, std::size_t size = 200) {
  Frame frame = frame_of(size);
  if (!answer) std::swap_ranges(frame.begin(), frame.begin() + 6, frame.begin() + 6);
  store_be16(&frame[12], 0x0800);
  frame[14] = 0x45;
  store_be16(&frame[16], static_cast<std::uint16_t>(size - 14));
  store_be16(&frame[20], 0);
  frame[23] = 17;
  const std::uint32_t near = 0x0A000001, far = 0x0A000002;
  store_le32(&frame[26], answer ? far : near);
  store_le32(&frame[30], answer ? near : far);
  store_be16(&frame[34], answer ? 9 : port);
  store_be16(&frame[36], answer ? port : 9);
  store_be16(&frame[38], static_cast<std::uint16_t>(size - 34));
  return frame;
}

class NetDeviceQueues : public ::testing::TestWithParam<Time> {};

TEST_P(NetDeviceQueues, AnswersComeOnThePairThatAFlowSentOn) {
  NetRig rig(with_pairs(4, GetParam()));
  rig.run([&] {
    rig.set_up();
    rig.start(kMany, 4);
    EXPECT_EQ(rig.nic.active_pairs(), 1U);
    EXPECT_EQ(rig.control(pairs_command(4)), net::control::kOk);
    EXPECT_EQ(rig.nic.active_pairs(), 4U);
    for (unsigned pair = 0; pair < 4; ++pair) rig.supply(pair, 32);
    ASSERT_TRUE(rig.wait_until([&] { return rig.far.nic_ready(); }, us(50)));
    for (std::uint16_t flow = 0; flow < 16; ++flow) rig.put(flow % 4, udp(1000 + flow, false));
    ASSERT_TRUE(rig.wait_until([&] { return rig.far.received.size() == 16; }, ms(1)));
    for (unsigned i = 0; i < 16; ++i) {
      const link::Frame& frame = *rig.far.received[i].frame;
      EXPECT_EQ((load_be16(frame.data() + 34) - 1000) % 4, frame.queue);
    }
    for (std::uint16_t flow = 0; flow < 16; ++flow) rig.far.send(udp(1000 + flow, true));
    ASSERT_TRUE(rig.wait_until([&] { return rig.rx_frames() == 16; }, ms(1)));
    rig.wait_for(us(20));
    for (unsigned pair = 0; pair < 4; ++pair) {
      const std::vector<Frame> frames = rig.reap(pair);
      EXPECT_EQ(frames.size(), 4U);
      for (const Frame& frame : frames) EXPECT_EQ((load_be16(&frame[36]) - 1000U) % 4, pair);
    }
    EXPECT_EQ(rig.all_drops(), 0U);
  });
}

/// Every used element names the chain that the available ring has at the same place.
void expect_in_order(NetRig& rig, unsigned queue, unsigned at_least) {
  const SplitLayout layout = rig.layout_of(queue);
  const std::uint8_t* const ram = rig.ram.bytes().data();
  const unsigned used = load_le16(ram + layout.used + 2);
  EXPECT_GE(used, at_least);
  for (unsigned i = 0; i < used; ++i) {
    const unsigned slot = i % layout.size;
    EXPECT_EQ(load_le32(ram + layout.used + 4 + std::size_t{8} * slot),
              load_le16(ram + layout.available + 4 + std::size_t{2} * slot))
        << "queue " << queue << ", used element " << i;
  }
}

TEST_P(NetDeviceQueues, InOrderIsOfferedOnDemandAndKeptTo) {
  NetRigOptions options = with_pairs(1, GetParam());
  EXPECT_NE(options.device.masked_features & kInOrder, 0U);
  options.device.masked_features &= ~kInOrder;
  NetRig rig(options);
  rig.run([&] {
    rig.set_up();
    EXPECT_NE(rig.offered() & kInOrder, 0U);
    rig.start(kMac | kMergeableBuffers | kInOrder);
    // Buffers of different sizes, frames that take one or several, and one that cannot be sent.
    for (unsigned i = 0; i < 60; ++i) rig.supply(0, 1, 100 + 97 * (i % 7));
    ASSERT_TRUE(rig.wait_until([&] { return rig.far.nic_ready(); }, us(50)));
    for (unsigned i = 0; i < 25; ++i) {
      rig.far.send(frame_of(60 + 53 * (i % 11), i));
      rig.put(0, i == 7 ? Frame(3) : frame_of(60 + 101 * (i % 9), i));
    }
    ASSERT_TRUE(
        rig.wait_until([&] { return rig.reap_sent(0) > 0 && rig.rx_frames() == 25; }, ms(2)));
    rig.wait_for(us(100));
    expect_in_order(rig, net::receive_queue(0), 25);
    expect_in_order(rig, net::transmit_queue(0), 25);
    EXPECT_EQ(rig.nic.drops(NetDrop::kTxMalformed), 1U);
  });
}

TEST_P(NetDeviceQueues, TheLinksQueueIsThePair) {
  NetRig rig(with_pairs(4, GetParam()));
  rig.run([&] {
    rig.set_up();
    rig.start(kMany, 4);
    EXPECT_EQ(rig.control(pairs_command(3)), net::control::kOk);
    for (unsigned pair = 0; pair < 4; ++pair) rig.supply(pair, 32);
    ASSERT_TRUE(rig.wait_until([&] { return rig.far.nic_ready(); }, us(50)));
    for (std::uint16_t queue = 0; queue < 3; ++queue) rig.far.send(frame_of(100, queue), queue);
    // Pair 3 is not in use.
    rig.far.send(frame_of(100, 3), 3);
    ASSERT_TRUE(rig.wait_until([&] { return rig.rx_frames() == 4; }, ms(1)));
    rig.wait_for(us(20));
    for (unsigned pair = 0; pair < 3; ++pair) {
      const std::vector<Frame> frames = rig.reap(pair);
      ASSERT_FALSE(frames.empty());
      EXPECT_EQ(frames[0], frame_of(100, pair));
    }
    EXPECT_EQ(rig.nic.counters(3).rx_frames, 0U);
  });
}

TEST_P(NetDeviceQueues, AllPairsHaveTheirShareOfTheWire) {
  NetRig rig(with_pairs(4, GetParam()));
  rig.run([&] {
    rig.set_up();
    rig.start(kMany, 4);
    EXPECT_EQ(rig.control(pairs_command(4)), net::control::kOk);
    // Pair 0 has much to send before the others come.
    for (unsigned i = 0; i < 60; ++i) rig.put(0, frame_of(1500, i), {}, i == 59);
    rig.notify(1);
    for (unsigned pair = 1; pair < 4; ++pair) {
      for (unsigned i = 0; i < 10; ++i) rig.put(pair, frame_of(1500, i));
    }
    ASSERT_TRUE(rig.wait_until([&] { return rig.far.received.size() == 90; }, ms(4)));
    // In turn, when all have something: the others are through long before pair 0 is.
    std::array<std::size_t, 4> last{};
    for (std::size_t i = 0; i < 90; ++i) last.at(rig.far.received[i].frame->queue) = i;
    EXPECT_EQ(last[0], 89U);
    for (unsigned pair = 1; pair < 4; ++pair) EXPECT_LT(last[pair], 70U) << pair;
  });
}

TEST_P(NetDeviceQueues, APairWithoutBuffersHoldsUpNoOther) {
  NetRig rig(with_pairs(2, GetParam()));
  rig.run([&] {
    rig.set_up();
    rig.start(kMany, 2);
    EXPECT_EQ(rig.control(pairs_command(2)), net::control::kOk);
    rig.supply(1, 64);
    ASSERT_TRUE(rig.wait_until([&] { return rig.far.nic_ready(); }, us(50)));
    for (unsigned i = 0; i < 40; ++i) rig.far.send(frame_of(1500, i), i % 2);
    ASSERT_TRUE(rig.wait_until([&] { return rig.nic.counters(1).rx_frames == 20; }, ms(2)));
    EXPECT_EQ(rig.nic.counters(0).rx_frames, 0U);
    rig.wait_for(us(50));
    EXPECT_FALSE(rig.nic.idle());
    rig.supply(0, 64);
    ASSERT_TRUE(rig.wait_until([&] { return rig.nic.counters(0).rx_frames == 20; }, ms(2)));
    rig.wait_for(us(20));
    EXPECT_EQ(rig.reap(0).size(), 20U);
  });
}

TEST_P(NetDeviceQueues, EveryQueueHasAMessageOfItsOwn) {
  NetRig rig(with_pairs(2, GetParam()));
  constexpr std::uint64_t kWhere = 0x8000;
  rig.run([&] {
    rig.set_up();
    // MSI-X: vector v writes v + 1 to its own place in memory.
    const unsigned vectors_there = 6;
    for (unsigned v = 0; v < vectors_there; ++v) {
      rig.write_at(NetRig::kMsixBar + 16 * v, static_cast<std::uint32_t>(kWhere + 4 * v));
      rig.write_at(NetRig::kMsixBar + 16 * v + 4, 0);
      rig.write_at(NetRig::kMsixBar + 16 * v + 8, v + 1);
      rig.write_at(NetRig::kMsixBar + 16 * v + 12, 0);
    }
    rig.config_write(0x98 + 2, 0x8000, 2);
    rig.vectors = true;
    rig.start(kMany, 2);
    const auto message = [&](unsigned v) { return load_le32(&rig.ram.bytes()[kWhere + 4 * v]); };
    EXPECT_EQ(rig.control(pairs_command(2)), net::control::kOk);
    ASSERT_TRUE(rig.wait_until([&] { return message(5) != 0; }, us(20))) << "control queue";
    for (unsigned pair = 0; pair < 2; ++pair) rig.supply(pair, 8);
    ASSERT_TRUE(rig.wait_until([&] { return rig.far.nic_ready(); }, us(50)));
    EXPECT_EQ(message(1), 0U);
    rig.far.send(frame_of(100), 0);
    ASSERT_TRUE(rig.wait_until([&] { return message(1) != 0; }, us(50)));
    // The message comes after what it tells of.
    EXPECT_EQ(rig.reap(0).size(), 1U);
    EXPECT_EQ(message(3), 0U);
    rig.far.send(frame_of(100), 1);
    ASSERT_TRUE(rig.wait_until([&] { return message(3) == 4; }, us(50)));
    rig.put(1, frame_of(100));
    ASSERT_TRUE(rig.wait_until([&] { return message(4) == 5; }, us(50)));
    EXPECT_EQ(message(0), 0U);
    rig.cable.plug(false);
    ASSERT_TRUE(rig.wait_until([&] { return message(0) == 1; }, us(50))) << "configuration";
    EXPECT_TRUE(rig.irq_edges.empty());
    EXPECT_EQ(rig.nic.interrupts(), 5U);
  });
}

TEST_P(NetDeviceQueues, TheFilterIsTheControlQueues) {
  NetRig rig(with_pairs(1, GetParam()));
  rig.run([&] {
    rig.set_up();
    rig.start(kMac | kStatus | kControlQueue | kControlRx);
    rig.supply(0, 64);
    ASSERT_TRUE(rig.wait_until([&] { return rig.far.nic_ready(); }, us(50)));
    Frame other = frame_of(100);
    other[5] ^= 1;
    rig.far.send(other);
    ASSERT_TRUE(rig.wait_until([&] { return rig.rx_frames() == 1; }, us(50)));
    EXPECT_EQ(rig.control({net::control::kRx, net::control::kRxPromiscuous, 0}), net::control::kOk);
    rig.far.send(other);
    rig.far.send(frame_of(100));
    ASSERT_TRUE(rig.wait_until([&] { return rig.rx_frames() == 2; }, us(50)));
    EXPECT_EQ(rig.nic.drops(NetDrop::kRxFiltered), 1U);
    EXPECT_EQ(rig.control({net::control::kRx, 77, 0}), net::control::kError);
  });
}

TEST_P(NetDeviceQueues, RssSpreadsByItsTableAndReportsTheHash) {
  NetRigOptions options = with_pairs(4, GetParam());
  options.device.masked_features = 0;
  NetRig rig(options);
  rig.run([&] {
    rig.set_up();
    rig.start(kMany | kRss | kHashReport, 4);
    // types, mask, unclassified, table of 4, pairs, key of 40.
    std::vector<std::uint8_t> command{net::control::kMultiQueue, net::control::kRssConfig};
    const auto put16 = [&](unsigned v) {
      command.push_back(static_cast<std::uint8_t>(v));
      command.push_back(static_cast<std::uint8_t>(v >> 8));
    };
    put16(4);  // UDP over IPv4
    put16(0);
    put16(3);  // mask
    put16(0);
    for (unsigned entry : {0U, 2U, 4U, 6U}) put16(entry / 2);
    put16(4);
    command.push_back(40);
    for (unsigned i = 0; i < 40; ++i) command.push_back(static_cast<std::uint8_t>(37 * i + 11));
    EXPECT_EQ(rig.control(command), net::control::kOk);
    EXPECT_EQ(rig.nic.active_pairs(), 4U);
    for (unsigned pair = 0; pair < 4; ++pair) rig.supply(pair, 64);
    ASSERT_TRUE(rig.wait_until([&] { return rig.far.nic_ready(); }, us(50)));
    for (std::uint16_t flow = 0; flow < 64; ++flow) rig.far.send(udp(1000 + flow, true, 80));
    ASSERT_TRUE(rig.wait_until([&] { return rig.rx_frames() == 64; }, ms(2)));
    rig.wait_for(us(20));
    unsigned used = 0;
    for (unsigned pair = 0; pair < 4; ++pair) {
      rig.headers.clear();
      const std::vector<Frame> frames = rig.reap(pair);
      used += frames.empty() ? 0 : 1;
      for (const Frame& header : rig.headers) {
        EXPECT_EQ(load_le16(&header[net::header::kHashReport]), 3U);
        EXPECT_EQ(load_le32(&header[net::header::kHashValue]) % 4, pair);
      }
    }
    EXPECT_EQ(used, 4U);
  });
}

INSTANTIATE_TEST_SUITE_P(Accuracies, NetDeviceQueues, ::testing::Values(kTimeZero, us(5)),
                         [](const auto& info) {
                           return "Quantum" + std::to_string(info.param / ns(1)) + "ns";
                         });

}  // namespace
}  // namespace e1000tlm::virtio::test
