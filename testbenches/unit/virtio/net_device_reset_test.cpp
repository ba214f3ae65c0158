/// Resets in the middle of traffic, bus mastering off, D3: no frame is lost uncounted.
#include "net_rig.h"

namespace e1000tlm::virtio::test {
namespace {

using namespace net::feature;
constexpr std::uint64_t kUsual = kMac | kStatus | kMergeableBuffers | kEventIndex | kRingReset;

class NetDeviceReset : public ::testing::TestWithParam<Time> {
 protected:
  NetRigOptions options() const {
    NetRigOptions options;
    options.quantum = GetParam();
    return options;
  }
  /// Fills both queues and lets the far end send.
  static void make_traffic(NetRig& rig, unsigned frames) {
    rig.supply(0, 100);
    ASSERT_TRUE(rig.wait_until([&] { return rig.far.nic_ready(); }, us(50)));
    for (unsigned i = 0; i < frames; ++i) {
      rig.far.send(frame_of(60 + 97 * (i % 15), i));
      rig.put(0, frame_of(60 + 89 * (i % 16), i), {}, false);
    }
    rig.notify(1);
  }
  /// Every frame that came is stored, or lost for a reason, and every one that the device took is
  /// with the far end, or lost for a reason.
  static void expect_balance(NetRig& rig, std::uint64_t put) {
    // The driver goes on giving buffers, if it still does.
    const auto all_here = [&] {
      if (rig.nic.status() != 0) {
        rig.reap(0);
        if (rig.queue(0).free() > 100) rig.supply(0, 50);
      }
      return rig.far.end().in_flight() == 0;
    };
    ASSERT_TRUE(rig.wait_until(all_here, ms(100), us(10)));
    rig.wait_for(ms(1));
    rig.isr();
    rig.wait_for(us(1));
    EXPECT_EQ(rig.rx_frames() + rig.drops_of("rx"), rig.far.sent);
    EXPECT_EQ(rig.tx_frames(), rig.far.received.size());
    EXPECT_LE(rig.tx_frames() + rig.drops_of("tx"), put);
    EXPECT_TRUE(rig.nic.idle());
  }
};

TEST_P(NetDeviceReset, AtAnyMoment) {
  NetRig rig(options());
  rig.run([&] {
    rig.set_up();
    std::uint64_t put = 0;
    // Steps that have no common measure with anything that happens regularly.
    for (unsigned round = 0; round < 60; ++round) {
      rig.start(kUsual);
      make_traffic(rig, 40);
      put += 40;
      rig.wait_for(ns(137) * static_cast<std::int64_t>(round * round % 1100));
      rig.set_status(0);
      EXPECT_EQ(rig.status(), 0);
      // Nothing moves into the driver's memory any more.
      const SplitLayout layout = rig.layout_of(0);
      const auto used = [&] { return load_le16(&rig.ram.bytes()[layout.used + 2]); };
      const std::uint16_t before = used();
      rig.wait_for(us(round % 3 == 0 ? 30 : 0));
      EXPECT_EQ(used(), before);
    }
    expect_balance(rig, put);
    EXPECT_GT(rig.nic.drops(NetDrop::kRxReset) + rig.nic.drops(NetDrop::kRxNotReady), 0U);
    rig.start(kUsual);
    const std::uint64_t stored = rig.rx_frames();
    rig.headers.clear();
    make_traffic(rig, 10);
    ASSERT_TRUE(rig.wait_until([&] { return rig.rx_frames() == stored + 10; }, ms(2)));
    rig.wait_for(us(200));
    EXPECT_EQ(rig.reap(0).size(), 10U);
    EXPECT_EQ(rig.reap_sent(0), 10U);
  });
}

TEST_P(NetDeviceReset, OfTheBusAndOutOfSleep) {
  NetRig rig(options());
  rig.run([&] {
    std::uint64_t put = 0;
    for (unsigned round = 0; round < 12; ++round) {
      rig.set_up();
      rig.start(kUsual);
      make_traffic(rig, 40);
      put += 40;
      rig.wait_for(us(7 * round));
      if (round % 2 == 0) {
        rig.bus.reset();
      } else {
        rig.config_write(0xDC + 4, 3, 2);
        rig.wait_for(us(100));
        rig.far.send(frame_of(100));
        rig.wait_for(us(20));
        rig.config_write(0xDC + 4, 0, 2);
      }
      EXPECT_EQ(rig.nic.status(), 0);
      EXPECT_EQ(rig.nic.features(), 0U);
    }
    rig.set_up();
    expect_balance(rig, put);
    rig.start(kUsual);
    make_traffic(rig, 10);
    rig.wait_for(ms(1));
    EXPECT_EQ(rig.reap(0).size(), 10U);
  });
}

TEST_P(NetDeviceReset, BusMasteringOffOnlyDelays) {
  NetRig rig(options());
  rig.run([&] {
    rig.set_up();
    rig.start(kUsual);
    make_traffic(rig, 40);
    for (unsigned round = 0; round < 20; ++round) {
      rig.wait_for(ns(1733) * static_cast<std::int64_t>(round % 7));
      rig.set_bus_master(false);
      rig.wait_for(us(3));
      rig.set_bus_master(true);
    }
    ASSERT_TRUE(rig.wait_until(
        [&] { return rig.rx_frames() + rig.drops_of("rx") == 40 && rig.tx_frames() == 40; },
        ms(4)));
    rig.wait_for(us(200));
    EXPECT_EQ(rig.reap_sent(0), 40U);
    EXPECT_EQ(rig.reap(0).size(), rig.rx_frames());
    EXPECT_EQ(rig.nic.fault(), "");
    // Frames that found the receive memory full.
    EXPECT_EQ(rig.drops_of("rx"), rig.nic.drops(NetDrop::kRxNoBuffer));
    expect_balance(rig, 40);
  });
}

TEST_P(NetDeviceReset, OfASingleQueue) {
  NetRig rig(options());
  rig.run([&] {
    rig.set_up();
    rig.start(kUsual);
    std::uint64_t put = 0;
    for (unsigned round = 0; round < 20; ++round) {
      make_traffic(rig, 30);
      put += 30;
      rig.wait_for(us(3 * round));
      for (const unsigned queue : {0U, 1U}) {
        rig.set_common(pci_layout::common::kQueueSelect, queue, 2);
        rig.set_common(pci_layout::common::kQueueReset, 1, 2);
        EXPECT_EQ(rig.common(pci_layout::common::kQueueReset, 2), 0U);
        rig.enable(queue);
      }
    }
    make_traffic(rig, 10);
    put += 10;
    expect_balance(rig, put);
    EXPECT_EQ(rig.nic.fault(), "");
  });
}

TEST_P(NetDeviceReset, ALinkThatGoesTakesWhatIsUnderWay) {
  NetRig rig(options());
  rig.run([&] {
    rig.set_up();
    rig.start(kUsual);
    std::uint64_t put = 0;
    for (unsigned round = 0; round < 10; ++round) {
      for (unsigned i = 0; i < 40; ++i) rig.put(0, frame_of(1500, i), {}, false);
      rig.notify(1);
      put += 40;
      rig.wait_for(us(11 * round));
      rig.cable.plug(false);
      rig.wait_for(us(100));
      EXPECT_EQ(rig.device_config(net::config::kStatus, 2), 0U);
      rig.cable.plug(true);
      rig.wait_for(us(600));
      EXPECT_EQ(rig.device_config(net::config::kStatus, 2), net::kLinkUp);
      EXPECT_EQ(rig.reap_sent(0), 40U);
    }
    EXPECT_EQ(rig.tx_frames(), rig.far.received.size());
    EXPECT_EQ(rig.tx_frames() + rig.drops_of("tx"), put);
    EXPECT_GT(rig.nic.drops(NetDrop::kTxNoLink), 0U);
  });
}

INSTANTIATE_TEST_SUITE_P(Accuracies, NetDeviceReset, ::testing::Values(kTimeZero, us(1), us(10)),
                         [](const auto& info) {
                           return "Quantum" + std::to_string(info.param / ns(1)) + "ns";
                         });

}  // namespace
}  // namespace e1000tlm::virtio::test
