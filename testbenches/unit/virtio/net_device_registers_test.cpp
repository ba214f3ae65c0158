/// Configuration space, registers, link status, the legacy interface, and another data plane.
#include "e1000tlm/virtio/data_plane.h"

#include "net_rig.h"

namespace e1000tlm::virtio::test {
namespace {

using namespace net::feature;

TEST(NetDeviceRegisters, AreWhereTheCapabilitiesSay) {
  NetRig rig;
  rig.run([&] {
    rig.set_up();
    EXPECT_EQ(rig.config_read(0), 0x10411AF4U);
    std::map<std::uint32_t, std::pair<std::uint32_t, std::uint32_t>> parts;  // type: offset, length
    bool msix = false, power = false;
    for (std::uint32_t at = rig.config_read(0x34, 1); at != 0; at = rig.config_read(at + 1, 1)) {
      const std::uint32_t id = rig.config_read(at, 1);
      if (id == 0x11) {
        msix = true;
        EXPECT_EQ(rig.config_read(at + 2, 2), 3U);  // 4 vectors
      }
      power = power || id == 0x01;
      if (id != 0x09) continue;
      parts[rig.config_read(at + 3, 1)] = {rig.config_read(at + 8), rig.config_read(at + 12)};
      if (rig.config_read(at + 3, 1) != pci_layout::kPciCfg) {
        EXPECT_EQ(rig.config_read(at + 4, 1), pci_layout::kModernBar);
      }
      if (rig.config_read(at + 3, 1) == pci_layout::kNotifyCfg) {
        EXPECT_EQ(rig.config_read(at + 16), pci_layout::kNotifyStep);
      }
    }
    EXPECT_TRUE(msix);
    EXPECT_TRUE(power);
    ASSERT_EQ(parts.size(), 5U);
    EXPECT_EQ(parts[pci_layout::kCommonCfg].first, pci_layout::kCommonAt);
    EXPECT_EQ(parts[pci_layout::kIsrCfg].first, pci_layout::kIsrAt);
    EXPECT_EQ(parts[pci_layout::kDeviceCfg].first, pci_layout::kDeviceAt);
    EXPECT_EQ(parts[pci_layout::kNotifyCfg].first, pci_layout::kNotifyAt);
  });
}

TEST(NetDeviceRegisters, ShowInTheWindowToo) {
  NetRig rig;
  rig.run([&] {
    rig.set_up();
    constexpr unsigned kWindow = 0x84;
    const auto point = [&](std::uint32_t offset, std::uint32_t length) {
      rig.config_write(kWindow + 4, pci_layout::kModernBar, 1);
      rig.config_write(kWindow + 8, offset);
      rig.config_write(kWindow + 12, length);
    };
    point(pci_layout::kDeviceAt, 4);
    EXPECT_EQ(rig.config_read(kWindow + 16), 0x12005452U);
    point(pci_layout::kCommonAt + pci_layout::common::kStatus, 1);
    rig.config_write(kWindow + 16, 1, 1);
    EXPECT_EQ(rig.nic.status(), 1);
    EXPECT_EQ(rig.config_read(kWindow + 16, 1), 1U);
    point(pci_layout::kCommonAt, 3);  // no such length
    rig.config_write(kWindow + 16, 0);
    EXPECT_EQ(rig.nic.status(), 1);
    point(0xFFFFFFFC, 4);
    rig.config_read(kWindow + 16);
  });
}

TEST(NetDeviceRegisters, TellOfTheDeviceAndItsLink) {
  NetRigOptions options;
  options.device.mtu = 9000;
  options.device.queue_pairs = 3;
  NetRig rig(options);
  rig.run([&] {
    rig.set_up();
    rig.start(kMac | kStatus | kMtu | kControlQueue | kGuestAnnounce | kSpeedDuplex);
    namespace at = net::config;
    EXPECT_EQ(rig.device_config(at::kMac + 4, 2), 0x5634U);
    EXPECT_EQ(rig.device_config(at::kMostPairs, 2), 3U);
    EXPECT_EQ(rig.device_config(at::kMtu, 2), 9000U);
    EXPECT_EQ(rig.device_config(at::kSpeed, 4), 1000U);
    EXPECT_EQ(rig.device_config(at::kDuplex, 1), 1U);
    EXPECT_EQ(rig.device_config(at::kStatus, 2), net::kLinkUp);
    const std::uint32_t generation = rig.common(pci_layout::common::kGeneration, 1);
    rig.isr();
    rig.cable.plug(false);
    rig.wait_for(us(1));
    EXPECT_EQ(rig.device_config(at::kStatus, 2), 0U);
    EXPECT_NE(rig.common(pci_layout::common::kGeneration, 1), generation);
    EXPECT_EQ(rig.isr(), pci_layout::kIsrConfig);
    rig.cable.plug(true);
    rig.wait_for(us(1));
    EXPECT_EQ(rig.isr(), pci_layout::kIsrConfig);
    EXPECT_EQ(rig.device_config(at::kStatus, 2), net::kLinkUp | net::kAnnounce);
    EXPECT_EQ(rig.control({net::control::kAnnounce, net::control::kAnnounceAck}),
              net::control::kOk);
    EXPECT_EQ(rig.device_config(at::kStatus, 2), net::kLinkUp);
  });
}

TEST(NetDeviceRegisters, FeaturesThatDoNotGoTogetherAreRefused) {
  NetRig rig;
  rig.run([&] {
    rig.set_up();
    using namespace device_status;
    EXPECT_EQ(rig.offered() & (kMultiQueue | kRss | kMtu), 0U);
    rig.set_status(kAcknowledge | kDriver);
    rig.set_common(pci_layout::common::kDriverFeatureSelect, 0, 4);
    rig.set_common(pci_layout::common::kDriverFeature, static_cast<std::uint32_t>(kHostTso4), 4);
    rig.set_common(pci_layout::common::kDriverFeatureSelect, 1, 4);
    rig.set_common(pci_layout::common::kDriverFeature, 1, 4);
    rig.set_status(kAcknowledge | kDriver | kFeaturesOk);
    EXPECT_EQ(rig.status() & kFeaturesOk, 0);
  });
}

TEST(NetDeviceLegacy, DriversSendAndReceive) {
  NetRigOptions options;
  options.device.interface = NetInterface::kTransitional;
  NetRig rig(options);
  rig.run([&] {
    rig.set_up();
    EXPECT_EQ(rig.config_read(0), 0x10001AF4U);
    namespace at = pci_layout::legacy;
    rig.port_write(at::kStatus, 0, 1);
    rig.port_write(at::kStatus, 3, 1);
    EXPECT_NE(rig.port_read(at::kDeviceFeatures, 4) & kMac, 0U);
    rig.port_write(at::kDriverFeatures, static_cast<std::uint32_t>(kMac | kStatus), 4);
    rig.features = kMac | kStatus;
    ASSERT_EQ(rig.header_bytes(), net::header::kLegacyBytes);
    for (unsigned queue = 0; queue < 2; ++queue) {
      rig.port_write(at::kQueueSelect, queue, 2);
      const auto size = static_cast<std::uint16_t>(rig.port_read(at::kQueueSize, 2));
      SplitLayout layout = SplitLayout::at(NetRig::kRings + queue * 0x8000, size);
      layout.used = (layout.available + SplitLayout::available_bytes(size) + 4095) & ~4095ULL;
      rig.queues[queue] = std::make_unique<DriverQueue>(rig.driver_memory);
      ASSERT_TRUE(rig.queue(queue).start(layout, {}));
      rig.port_write(at::kQueueAddress, static_cast<std::uint32_t>(layout.descriptors / 4096), 4);
    }
    rig.port_write(at::kStatus, 7, 1);
    EXPECT_EQ(rig.port_read(at::kDevice, 1), 0x52U);
    rig.put(0, frame_of(300), {}, false);
    rig.port_write(at::kQueueNotify, 1, 2);
    ASSERT_TRUE(rig.wait_until([&] { return rig.far.received.size() == 1; }, us(100)));
    EXPECT_EQ(rig.far.bytes(0), frame_of(300));
    rig.wait_for(us(10));
    EXPECT_EQ(rig.port_read(at::kIsr, 1), pci_layout::kIsrQueue);
    // The kick of supply() goes to the modern registers, which serve as well.
    rig.supply(0, 8);
    ASSERT_TRUE(rig.wait_until([&] { return rig.far.nic_ready(); }, us(50)));
    rig.far.send(frame_of(200));
    ASSERT_TRUE(rig.wait_until([&] { return rig.rx_frames() == 1; }, us(100)));
    EXPECT_EQ(rig.nic.fault(), "");
  });
}

/// Writes down what it is told.
class Diary : public DataPlane {
 public:
  std::uint64_t features() const override { return ~kGuestTso4; }
  void start(std::uint64_t, gsl::span<const Queue> queues) override {
    for (const Queue& queue : queues) start_queue(queue);
    log.push_back("start");
  }
  void start_queue(const Queue& queue) override {
    log.push_back("queue " + std::to_string(queue.index) + " at " + std::to_string(queue.base));
  }
  std::uint16_t stop_queue(unsigned queue) override {
    log.push_back("stop " + std::to_string(queue));
    return static_cast<std::uint16_t>(40 + queue);
  }
  void stop() override { log.push_back("stop"); }
  void notified(unsigned queue) override { log.push_back("kick " + std::to_string(queue)); }
  void set_active_pairs(unsigned pairs) override {
    log.push_back("pairs " + std::to_string(pairs));
  }
  std::vector<std::string> take() { return std::exchange(log, {}); }
  std::vector<std::string> log;
};

using Lines = std::vector<std::string>;

TEST(NetDeviceDataPlane, AnotherOneIsToldAndTells) {
  NetRigOptions options;
  options.device.queue_pairs = 2;
  NetRig rig(options);
  Diary diary;
  rig.nic.set_data_plane(diary);
  rig.run([&] {
    rig.set_up();
    EXPECT_EQ(rig.offered() & (kGuestTso4 | kGuestEcn), kGuestEcn & rig.offered());
    diary.take();
    rig.start(kMac | kStatus | kControlQueue | kMultiQueue, 2);
    EXPECT_EQ(diary.take(), (Lines{"stop", "queue 0 at 0", "queue 1 at 0", "queue 2 at 0",
                                   "queue 3 at 0", "start"}));
    EXPECT_EQ(rig.control({net::control::kMultiQueue, net::control::kPairs, 2, 0}),
              net::control::kOk);
    EXPECT_EQ(diary.take(), Lines{"pairs 2"});
    rig.notify(3);
    EXPECT_EQ(diary.take(), Lines{"kick 3"});
    rig.isr();
    rig.nic.data_plane_owner().plane_used(3);
    EXPECT_EQ(rig.isr(), pci_layout::kIsrQueue);
    EXPECT_EQ(rig.nic.counters(1).tx_interrupts, 1U);
    rig.set_bus_master(false);
    EXPECT_EQ(diary.take(), (Lines{"stop 0", "stop 1", "stop 2", "stop 3"}));
    rig.set_bus_master(true);
    EXPECT_EQ(diary.take(),
              (Lines{"queue 0 at 40", "queue 1 at 41", "queue 2 at 42", "queue 3 at 43"}));
    rig.nic.data_plane_owner().plane_failed("it is broken");
    EXPECT_EQ(rig.nic.fault(), "it is broken");
    EXPECT_NE(rig.status() & device_status::kNeedsReset, 0);
    diary.take();
    rig.set_status(0);
    EXPECT_EQ(diary.take(), (Lines{"stop", "pairs 1"}));
  });
}

TEST(NetDeviceConfigTest, WhatCannotBeIsRefused) {
  const auto refused = [](auto change) {
    NetDeviceConfig config;
    change(config);
    EXPECT_THROW(NetDevice("nic", config), std::invalid_argument);
  };
  refused([](NetDeviceConfig& c) { c.queue_pairs = 0; });
  refused([](NetDeviceConfig& c) { c.queue_pairs = 17; });
  refused([](NetDeviceConfig& c) { c.queue_size = 100; });
  refused([](NetDeviceConfig& c) { c.timing.used_batch = 0; });
  refused([](NetDeviceConfig& c) { c.timing.descriptor_burst = 65; });
  refused([](NetDeviceConfig& c) { c.timing.data_burst = 10; });
  refused([](NetDeviceConfig& c) { c.timing.receive_fifo = 2000; });
}

}  // namespace
}  // namespace e1000tlm::virtio::test
