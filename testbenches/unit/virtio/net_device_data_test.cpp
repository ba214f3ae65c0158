/// The network device's data path: frames out and in, in both accuracies.
#include "net_rig.h"

namespace e1000tlm::virtio::test {
namespace {

using namespace net::feature;

class NetDeviceData : public ::testing::TestWithParam<Time> {
 protected:
  NetRigOptions options() const {
    NetRigOptions options;
    options.quantum = GetParam();
    return options;
  }
};

TEST_P(NetDeviceData, SendsFrames) {
  NetRig rig(options());
  rig.run([&] {
    rig.set_up();
    rig.start(kMac | kStatus);
    for (unsigned i = 0; i < 40; ++i) rig.put(0, frame_of(60 + 37 * i, i));
    ASSERT_TRUE(rig.wait_until([&] { return rig.far.received.size() == 40; }, ms(2)));
    rig.wait_for(us(20));
    EXPECT_EQ(rig.reap_sent(0), 40U);
    for (unsigned i = 0; i < 40; ++i) EXPECT_EQ(rig.far.bytes(i), frame_of(60 + 37 * i, i));
    EXPECT_EQ(rig.nic.counters(0).tx_frames, 40U);
    EXPECT_EQ(rig.all_drops(), 0U);
    EXPECT_EQ(rig.nic.fault(), "");
  });
}

TEST_P(NetDeviceData, StoresFrames) {
  NetRig rig(options());
  rig.run([&] {
    rig.set_up();
    rig.start(kMac | kStatus);
    rig.supply(0, 64);
    ASSERT_TRUE(rig.wait_until([&] { return rig.far.nic_ready(); }, us(20)));
    for (unsigned i = 0; i < 40; ++i) rig.far.send(frame_of(60 + 37 * i, i));
    ASSERT_TRUE(rig.wait_until([&] { return rig.nic.counters(0).rx_frames == 40; }, ms(2)));
    rig.wait_for(us(20));
    const std::vector<Frame> frames = rig.reap(0);
    ASSERT_EQ(frames.size(), 40U);
    for (unsigned i = 0; i < 40; ++i) EXPECT_EQ(frames[i], frame_of(60 + 37 * i, i));
    EXPECT_EQ(rig.all_drops(), 0U);
    EXPECT_FALSE(rig.irq_edges.empty());
    EXPECT_EQ(rig.isr(), pci_layout::kIsrQueue);
  });
}

TEST_P(NetDeviceData, MergesBuffers) {
  NetRig rig(options());
  rig.run([&] {
    rig.set_up();
    rig.start(kMac | kStatus | kMergeableBuffers | kEventIndex);
    rig.supply(0, 100, 256);
    ASSERT_TRUE(rig.wait_until([&] { return rig.far.nic_ready(); }, us(20)));
    for (unsigned i = 0; i < 10; ++i) rig.far.send(frame_of(100 + 160 * i, i));
    ASSERT_TRUE(rig.wait_until([&] { return rig.nic.counters(0).rx_frames == 10; }, ms(2)));
    rig.wait_for(us(20));
    const std::vector<Frame> frames = rig.reap(0);
    ASSERT_EQ(frames.size(), 10U);
    for (unsigned i = 0; i < 10; ++i) EXPECT_EQ(frames[i], frame_of(100 + 160 * i, i));
  });
}

INSTANTIATE_TEST_SUITE_P(Accuracies, NetDeviceData, ::testing::Values(kTimeZero, us(1), us(10)),
                         [](const auto& info) {
                           return "Quantum" + std::to_string(info.param / ns(1)) + "ns";
                         });

}  // namespace
}  // namespace e1000tlm::virtio::test
