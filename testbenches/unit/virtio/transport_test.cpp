/// The registers of a virtio device on PCI, modern and legacy (virtio 1.2, 4.1).

#include "e1000tlm/virtio/transport.h"

#include <array>
#include <map>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace {

using namespace e1000tlm::virtio;
namespace lay = pci_layout;
namespace com = pci_layout::common;
namespace leg = pci_layout::legacy;
namespace ds = device_status;

constexpr std::uint64_t kOffered =
    ring_feature::kVersion1 | ring_feature::kRingReset | ring_feature::kIndirect | 0x21;
constexpr std::uint8_t kInit = ds::kAcknowledge | ds::kDriver;

/// Notes what a transport tells it.
struct Device : DeviceModel {
  std::uint64_t offered_features() const override { return offered; }
  bool accept_features(std::uint64_t features) override {
    accepted = features;
    return willing;
  }
  void driver_ready() override { log.push_back("ready"); }
  void device_reset() override { log.push_back("reset"); }
  void queue_enabled(unsigned queue) override { note("enabled", queue); }
  void queue_reset(unsigned queue) override { note("queue reset", queue); }
  void queue_notified(unsigned queue) override { note("notified", queue); }
  std::uint8_t config_byte(unsigned offset) const override {
    return offset < config.size() ? config[offset] : std::uint8_t{0};
  }
  void write_config(unsigned offset, std::uint8_t value) override {
    if (offset < config.size()) config[offset] = value;
  }
  void note(const char* what, unsigned queue) {
    log.push_back(std::string(what) + " " + std::to_string(queue));
  }
  std::vector<std::string> take() { return std::exchange(log, {}); }

  std::uint64_t offered = kOffered;
  std::uint64_t accepted = 0;
  bool willing = true;
  std::array<std::uint8_t, 8> config{0x52, 0x54, 0, 0x12, 0x34, 0x56, 1, 0};
  std::vector<std::string> log;
};

struct Sink : InterruptSink {
  bool messages_enabled() const override { return msix; }
  void send_message(unsigned vector) override { ++sent[vector]; }
  void set_level(bool asserted) override {
    level = asserted;
    ++changes;
  }
  bool msix = false;
  bool level = false;
  int changes = 0;
  std::map<unsigned, int> sent;
};

using Log = std::vector<std::string>;

struct Transport : ::testing::Test {
  std::uint32_t get(std::uint32_t offset, unsigned bytes) { return t.read(offset, bytes); }
  void put(std::uint32_t offset, unsigned bytes, std::uint32_t value) {
    t.write(offset, bytes, value);
  }
  void features(std::uint64_t wanted) {
    for (std::uint32_t i = 0; i < 2; ++i) {
      put(com::kDriverFeatureSelect, 4, i);
      put(com::kDriverFeature, 4, static_cast<std::uint32_t>(wanted >> (32 * i)));
    }
  }
  void set_up_queue(std::uint16_t index, std::uint16_t size = 64) {
    put(com::kQueueSelect, 2, index);
    put(com::kQueueSize, 2, size);
    put(com::kQueueDescriptors, 4, 0x1000);
    put(com::kQueueDescriptors + 4, 4, 0x12);
    put(com::kQueueAvailable, 4, 0x2000);
    put(com::kQueueAvailable + 4, 4, 0);
    put(com::kQueueUsed, 4, 0x3000);
    put(com::kQueueUsed + 4, 4, 0);
    put(com::kQueueEnable, 2, 1);
  }
  /// As far as a driver gets that wants these features.
  void start(std::uint64_t wanted = ring_feature::kVersion1) {
    put(com::kStatus, 1, kInit);
    features(wanted);
    put(com::kStatus, 1, kInit | ds::kFeaturesOk);
    set_up_queue(0);
    put(com::kStatus, 1, kInit | ds::kFeaturesOk | ds::kDriverOk);
    device.log.clear();
  }

  Device device;
  Sink sink;
  TransportConfig config{3, 256, 4, true};
  PciTransport t{config, device, sink};
};

TEST_F(Transport, FeaturesAreReadThroughAWindow) {
  put(com::kDeviceFeatureSelect, 4, 0);
  EXPECT_EQ(get(com::kDeviceFeature, 4), static_cast<std::uint32_t>(kOffered));
  put(com::kDeviceFeatureSelect, 4, 1);
  EXPECT_EQ(get(com::kDeviceFeature, 4), static_cast<std::uint32_t>(kOffered >> 32));
  put(com::kDeviceFeatureSelect, 4, 2);
  EXPECT_EQ(get(com::kDeviceFeature, 4), 0U);
  EXPECT_EQ(get(com::kDeviceFeatureSelect, 4), 2U);
  put(com::kDeviceFeature, 4, 0xFFFF'FFFF);
  put(com::kDeviceFeatureSelect, 4, 0);
  EXPECT_EQ(get(com::kDeviceFeature, 4), static_cast<std::uint32_t>(kOffered));
}

TEST_F(Transport, DriverWritesFeaturesThroughAWindowUntilFeaturesOk) {
  features(ring_feature::kVersion1 | 0x20);
  put(com::kDriverFeatureSelect, 4, 2);
  put(com::kDriverFeature, 4, 0xFFFF'FFFF);
  EXPECT_EQ(get(com::kDriverFeature, 4), 0U);
  EXPECT_EQ(t.features(), 0U) << "not agreed on yet";
  put(com::kStatus, 1, kInit | ds::kFeaturesOk);
  EXPECT_EQ(get(com::kStatus, 1), kInit | ds::kFeaturesOk);
  EXPECT_EQ(t.features(), ring_feature::kVersion1 | 0x20);
  EXPECT_EQ(device.accepted, t.features());
  EXPECT_FALSE(t.legacy_driver());
  features(ring_feature::kVersion1 | 1);
  put(com::kDriverFeatureSelect, 4, 0);
  EXPECT_EQ(get(com::kDriverFeature, 4), 0x20U);
}

TEST_F(Transport, FeaturesOkIsRefused) {
  const auto refused = [&](std::uint64_t wanted) {
    put(com::kStatus, 1, 0);
    put(com::kStatus, 1, kInit);
    features(wanted);
    put(com::kStatus, 1, kInit | ds::kFeaturesOk);
    return get(com::kStatus, 1) == kInit && t.features() == 0;
  };
  EXPECT_FALSE(refused(ring_feature::kVersion1));
  EXPECT_TRUE(refused(0x20)) << "without VERSION_1";
  EXPECT_TRUE(refused(ring_feature::kVersion1 | 2)) << "not offered";
  EXPECT_TRUE(refused(ring_feature::kVersion1 | 1ULL << 50)) << "not offered";
  device.willing = false;
  EXPECT_TRUE(refused(ring_feature::kVersion1)) << "the device says no";
  device.willing = true;
  // A driver may try again with fewer.
  features(ring_feature::kVersion1);
  put(com::kStatus, 1, kInit | ds::kFeaturesOk);
  EXPECT_EQ(get(com::kStatus, 1), kInit | ds::kFeaturesOk);
}

TEST_F(Transport, DriverOkNeedsFeaturesOk) {
  put(com::kStatus, 1, kInit | ds::kDriverOk);
  EXPECT_EQ(get(com::kStatus, 1), kInit);
  EXPECT_FALSE(t.running());
  features(2);  // will be refused, and takes DRIVER_OK with it
  put(com::kStatus, 1, kInit | ds::kFeaturesOk | ds::kDriverOk);
  EXPECT_EQ(get(com::kStatus, 1), kInit);
  EXPECT_EQ(device.take(), Log{});
  features(ring_feature::kVersion1);
  put(com::kStatus, 1, kInit | ds::kFeaturesOk | ds::kDriverOk);
  EXPECT_EQ(device.take(), Log{"ready"});
  EXPECT_TRUE(t.running());
  put(com::kStatus, 1, kInit | ds::kFeaturesOk | ds::kDriverOk);
  EXPECT_EQ(device.take(), Log{}) << "it is ready already";
}

TEST_F(Transport, StatusBitsStayUntilReset) {
  start();
  put(com::kStatus, 1, ds::kAcknowledge);
  EXPECT_TRUE(t.running());
  put(com::kStatus, 1, ds::kFailed);
  EXPECT_EQ(get(com::kStatus, 1), kInit | ds::kFeaturesOk | ds::kDriverOk | ds::kFailed);
  put(com::kStatus, 1, ds::kNeedsReset);
  EXPECT_EQ(get(com::kStatus, 1) & ds::kNeedsReset, 0U) << "the device's to set";
}

TEST_F(Transport, ResetForgetsWhatTheDriverDid) {
  start();
  put(com::kConfigVector, 2, 1);
  put(com::kQueueVector, 2, 2);
  t.queue_used(0);
  EXPECT_TRUE(sink.level);
  put(com::kStatus, 1, 0);
  EXPECT_EQ(device.take(), Log{"reset"});
  EXPECT_EQ(get(com::kStatus, 1), 0U);
  EXPECT_FALSE(sink.level);
  EXPECT_EQ(get(lay::kIsrAt, 1), 0U);
  EXPECT_EQ(t.features(), 0U);
  EXPECT_EQ(get(com::kConfigVector, 2), lay::kNoVector);
  EXPECT_EQ(get(com::kQueueSelect, 2), 0U);
  EXPECT_EQ(get(com::kQueueSize, 2), 256U);
  EXPECT_EQ(get(com::kQueueVector, 2), lay::kNoVector);
  EXPECT_EQ(get(com::kQueueEnable, 2), 0U);
  EXPECT_EQ(get(com::kQueueDescriptors, 4), 0U);
  put(com::kDriverFeatureSelect, 4, 1);
  EXPECT_EQ(get(com::kDriverFeature, 4), 0U);
  t.bus_reset();
  EXPECT_EQ(device.take(), Log{"reset"});
  EXPECT_EQ(get(com::kDriverFeatureSelect, 4), 0U);
}

TEST_F(Transport, QueuesAreSetUpInHalves) {
  EXPECT_EQ(get(com::kQueues, 2), 3U);
  set_up_queue(2, 128);
  EXPECT_EQ(t.queue(2).layout.descriptors, 0x12'0000'1000U);
  EXPECT_EQ(t.queue(2).layout.available, 0x2000U);
  EXPECT_EQ(t.queue(2).layout.used, 0x3000U);
  EXPECT_EQ(t.queue(2).layout.size, 128U);
  EXPECT_TRUE(t.queue(2).enabled);
  EXPECT_EQ(get(com::kQueueEnable, 2), 1U);
  EXPECT_EQ(get(com::kQueueDescriptors + 4, 4), 0x12U);
  EXPECT_EQ(get(com::kQueueNotifyOffset, 2), 2U);
  EXPECT_EQ(device.take(), Log{}) << "not ready yet";
  put(com::kQueueUsed, 4, 0x9000);
  put(com::kQueueSize, 2, 16);
  EXPECT_EQ(t.queue(2).layout.used, 0x3000U) << "enabled, it cannot be changed";
  EXPECT_EQ(t.queue(2).layout.size, 128U);
}

TEST_F(Transport, QueuesEnabledLaterAreTold) {
  start();
  set_up_queue(1);
  EXPECT_EQ(device.take(), Log{"enabled 1"});
  put(com::kQueueEnable, 2, 1);
  EXPECT_EQ(device.take(), Log{}) << "it is already";
}

TEST_F(Transport, QueuesThatDoNotExistReadAsSuch) {
  for (const std::uint16_t queue : {std::uint16_t{3}, std::uint16_t{0xFFFF}}) {
    set_up_queue(queue);
    EXPECT_EQ(get(com::kQueueSelect, 2), queue);
    EXPECT_EQ(get(com::kQueueSize, 2), 0U);
    EXPECT_EQ(get(com::kQueueEnable, 2), 0U);
    EXPECT_EQ(get(com::kQueueVector, 2), lay::kNoVector);
    EXPECT_EQ(get(com::kQueueDescriptors, 4), 0U);
    put(com::kQueueVector, 2, 1);
    EXPECT_EQ(get(com::kQueueVector, 2), lay::kNoVector);
  }
  EXPECT_EQ(get(com::kStatus, 1), 0U);
}

TEST_F(Transport, ImpossibleQueuesAreFaults) {
  const auto fault = [&](std::uint32_t offset, unsigned bytes, std::uint32_t value) {
    put(com::kStatus, 1, 0);
    put(com::kQueueSelect, 2, 1);
    put(offset, bytes, value);
    put(com::kQueueEnable, 2, 1);
    EXPECT_FALSE(t.queue(1).enabled);
    EXPECT_EQ(get(com::kStatus, 1), ds::kNeedsReset);
    return t.fault();
  };
  EXPECT_EQ(fault(com::kQueueSize, 2, 100),
            "queue 1: a queue has 1 to 32768 descriptors, a power of two, not 100");
  EXPECT_EQ(fault(com::kQueueSize, 2, 0),
            "queue 1: a queue has 1 to 32768 descriptors, a power of two, not 0");
  EXPECT_EQ(fault(com::kQueueSize, 2, 512), "queue 1: it has at most 256 descriptors, not 512");
  EXPECT_EQ(fault(com::kQueueDescriptors, 4, 8),
            "queue 1: the descriptor table is not at a multiple of 16");
  EXPECT_EQ(fault(com::kQueueAvailable, 1, 1),
            "queue 1: the available ring is not at a multiple of 2");
  EXPECT_EQ(fault(com::kQueueUsed, 2, 2), "queue 1: the used ring is not at a multiple of 4");
  EXPECT_EQ(fault(com::kQueueEnable, 2, 2), "queue 1: queue_enable takes 1 only, not 2");
  EXPECT_EQ(sink.changes, 0) << "no driver is ready to be told";
  put(com::kStatus, 1, 0);
  EXPECT_EQ(t.fault(), "");
}

TEST_F(Transport, SingleQueuesAreReset) {
  start(ring_feature::kVersion1 | ring_feature::kRingReset);
  put(com::kQueueVector, 2, 1);
  put(com::kQueueReset, 2, 1);
  EXPECT_EQ(device.take(), Log{"queue reset 0"});
  EXPECT_EQ(get(com::kQueueReset, 2), 0U) << "done";
  EXPECT_EQ(get(com::kQueueEnable, 2), 0U);
  EXPECT_EQ(get(com::kQueueSize, 2), 256U);
  EXPECT_EQ(get(com::kQueueVector, 2), lay::kNoVector);
  put(com::kQueueReset, 2, 1);
  EXPECT_EQ(device.take(), Log{}) << "it is not enabled";
  set_up_queue(0, 32);
  EXPECT_EQ(device.take(), Log{"enabled 0"});
  EXPECT_EQ(t.queue(0).layout.size, 32U);
  EXPECT_TRUE(t.running());
}

TEST_F(Transport, SingleQueuesAreNotResetUnlessAgreed) {
  start();
  put(com::kQueueReset, 2, 1);
  EXPECT_EQ(device.take(), Log{});
  EXPECT_TRUE(t.queue(0).enabled);
}

TEST_F(Transport, VectorsThatDoNotExistReadAsNone) {
  put(com::kConfigVector, 2, 3);
  EXPECT_EQ(get(com::kConfigVector, 2), 3U);
  put(com::kConfigVector, 2, 4);
  EXPECT_EQ(get(com::kConfigVector, 2), lay::kNoVector);
  put(com::kQueueVector, 2, 0);
  EXPECT_EQ(get(com::kQueueVector, 2), 0U);
  put(com::kQueueVector, 2, lay::kNoVector);
  EXPECT_EQ(get(com::kQueueVector, 2), lay::kNoVector);
  PciTransport without({3, 256, 0, false}, device, sink);
  without.write(com::kConfigVector, 2, 0);
  EXPECT_EQ(without.read(com::kConfigVector, 2), lay::kNoVector);
}

TEST_F(Transport, NotificationsNameTheirQueue) {
  put(lay::kNotifyAt, 2, 0);
  put(lay::kNotifyAt + 2 * lay::kNotifyStep, 2, 2);
  put(lay::kNotifyAt + 3 * lay::kNotifyStep, 2, 3);
  put(lay::kNotifyAt + lay::kPartBytes - 4, 4, 0);
  EXPECT_EQ(device.take(), (Log{"notified 0", "notified 2"}));
  EXPECT_EQ(get(lay::kNotifyAt, 4), 0U);
  t.needs_reset();
  put(lay::kNotifyAt, 2, 0);
  EXPECT_EQ(device.take(), Log{});
}

TEST_F(Transport, IsrIsClearedByReadingAndLevelFollows) {
  start();
  t.queue_used(0);
  t.queue_used(0);
  EXPECT_TRUE(sink.level);
  EXPECT_EQ(t.interrupts(), 1U) << "edges";
  t.config_changed();
  EXPECT_EQ(t.peek(lay::kIsrAt, 1), 3U);
  EXPECT_TRUE(sink.level) << "peek has no side effect";
  EXPECT_EQ(get(lay::kIsrAt + 1, 1), 0U);
  EXPECT_TRUE(sink.level) << "another byte";
  EXPECT_EQ(get(lay::kIsrAt, 4), 3U);
  EXPECT_FALSE(sink.level);
  EXPECT_EQ(get(lay::kIsrAt, 1), 0U);
  EXPECT_EQ(sink.changes, 2);
}

TEST_F(Transport, MessagesGoByVector) {
  start();
  put(com::kQueueVector, 2, 2);
  put(com::kConfigVector, 2, 1);
  sink.msix = true;
  t.queue_used(0);
  t.queue_used(1);  // has no vector
  t.config_changed();
  EXPECT_EQ(sink.sent, (std::map<unsigned, int>{{1, 1}, {2, 1}}));
  EXPECT_EQ(t.interrupts(), 2U);
  EXPECT_EQ(sink.changes, 0) << "INTx is silent";
  EXPECT_EQ(t.peek(lay::kIsrAt, 1), lay::kIsrConfig) << "virtio 1.2, 4.1.4.5.1";
  sink.msix = false;
  t.messages_switched();
  EXPECT_TRUE(sink.level) << "what ISR holds is seen again";
  sink.msix = true;
  t.messages_switched();
  EXPECT_FALSE(sink.level);
}

TEST_F(Transport, NothingIsToldBeforeTheDriverIsReady) {
  t.queue_used(0);
  t.config_changed();
  EXPECT_EQ(sink.changes, 0);
  EXPECT_EQ(get(lay::kIsrAt, 1), 0U);
  EXPECT_EQ(get(com::kGeneration, 1), 1U) << "but the generation counts";
}

TEST_F(Transport, GenerationCountsChanges) {
  start();
  const std::uint32_t before = get(com::kGeneration, 1);
  t.config_changed();
  EXPECT_EQ(get(com::kGeneration, 1), before + 1);
  put(com::kStatus, 1, 0);
  EXPECT_EQ(get(com::kGeneration, 1), before + 1) << "a driver's reset leaves it";
  t.bus_reset();
  EXPECT_EQ(get(com::kGeneration, 1), 0U);
}

TEST_F(Transport, NeedsResetStopsAllAndTellsTheDriver) {
  start();
  t.needs_reset("first");
  t.needs_reset("second");
  EXPECT_EQ(t.fault(), "first");
  EXPECT_FALSE(t.running());
  EXPECT_TRUE(sink.level);
  EXPECT_EQ(get(lay::kIsrAt, 1), lay::kIsrConfig);
  EXPECT_EQ(get(com::kStatus, 1), kInit | ds::kFeaturesOk | ds::kDriverOk | ds::kNeedsReset);
  t.queue_used(0);
  EXPECT_EQ(get(lay::kIsrAt, 1), 0U);
  set_up_queue(1);
  EXPECT_EQ(device.take(), Log{}) << "not running";
  put(com::kStatus, 1, 0);
  EXPECT_EQ(get(com::kStatus, 1), 0U);
  start();
  EXPECT_TRUE(t.running());
}

TEST_F(Transport, DriverThatGetsReadyAfterAFaultIsTold) {
  t.needs_reset("early");
  features(ring_feature::kVersion1);
  put(com::kStatus, 1, kInit | ds::kFeaturesOk | ds::kDriverOk);
  EXPECT_EQ(device.take(), Log{}) << "never ready";
  EXPECT_EQ(get(lay::kIsrAt, 1), lay::kIsrConfig);
}

TEST_F(Transport, DeviceConfigurationByteByByte) {
  EXPECT_EQ(get(lay::kDeviceAt, 4), 0x12005452U);
  EXPECT_EQ(get(lay::kDeviceAt + 6, 2), 1U);
  EXPECT_EQ(get(lay::kDeviceAt + 8, 4), 0U);
  put(lay::kDeviceAt + 4, 2, 0xBBAA);
  EXPECT_EQ(get(lay::kDeviceAt + 4, 1), 0xAAU);
  EXPECT_EQ(get(lay::kDeviceAt + 5, 1), 0xBBU);
}

TEST_F(Transport, AccessesOfOtherWidthsReachPartsAndNeighbours) {
  put(com::kQueueSelect, 1, 1);
  put(com::kQueueSize + 1, 1, 0);  // 256 becomes 0
  EXPECT_EQ(get(com::kQueueSelect, 4), 0x0000'0001U);
  put(com::kQueueSize, 4, 0x0002'0040);  // size and vector
  EXPECT_EQ(get(com::kQueueSize, 2), 0x40U);
  EXPECT_EQ(get(com::kQueueVector, 2), 2U);
  put(com::kQueueDescriptors + 2, 4, 0xDDCC'BBA0);
  EXPECT_EQ(t.queue(1).layout.descriptors, 0xDDCC'BBA0'0000U);
  EXPECT_EQ(get(com::kStatus, 4), 0x0001'0000U) << "status, generation and queue_select";
}

TEST_F(Transport, WhatIsNotThereReadsZero) {
  EXPECT_EQ(get(com::kBytes, 4), 0U);
  EXPECT_EQ(get(lay::kPartBytes - 4, 4), 0U);
  EXPECT_EQ(get(lay::kModernBytes, 4), 0U);
  EXPECT_EQ(get(0xFFFF'FFFC, 4), 0U);
  put(com::kBytes, 4, 1);
  put(lay::kModernBytes, 4, 1);
  put(0xFFFF'FFFC, 4, 1);
  EXPECT_EQ(device.take(), Log{});
}

TEST_F(Transport, ImpossibleDevicesAreRefused) {
  EXPECT_THROW(PciTransport({0, 256, 4, false}, device, sink), std::invalid_argument);
  EXPECT_THROW(PciTransport({1025, 256, 4, false}, device, sink), std::invalid_argument);
  EXPECT_THROW(PciTransport({3, 255, 4, false}, device, sink), std::invalid_argument);
}

// --- legacy registers ---

TEST_F(Transport, LegacyDriverFromStatusToRunning) {
  t.write_legacy(leg::kStatus, 1, kInit);
  EXPECT_EQ(t.read_legacy(leg::kDeviceFeatures, 4), static_cast<std::uint32_t>(kOffered));
  t.write_legacy(leg::kDriverFeatures, 4, 0x20);
  EXPECT_EQ(t.read_legacy(leg::kDriverFeatures, 4), 0x20U);
  t.write_legacy(leg::kQueueSelect, 2, 1);
  EXPECT_EQ(t.read_legacy(leg::kQueueSize, 2), 256U);
  t.write_legacy(leg::kQueueSize, 2, 16);
  EXPECT_EQ(t.read_legacy(leg::kQueueSize, 2), 256U) << "it is the device's";
  t.write_legacy(leg::kQueueAddress, 4, 0x123);
  EXPECT_EQ(t.read_legacy(leg::kQueueAddress, 4), 0x123U);
  t.write_legacy(leg::kStatus, 1, kInit | ds::kDriverOk);
  EXPECT_EQ(device.take(), Log{"ready"});
  EXPECT_TRUE(t.running());
  EXPECT_TRUE(t.legacy_driver());
  EXPECT_EQ(t.features(), 0x20U);
  t.write_legacy(leg::kQueueNotify, 2, 1);
  t.write_legacy(leg::kQueueNotify, 2, 9);
  EXPECT_EQ(device.take(), Log{"notified 1"});
}

TEST_F(Transport, LegacyRingsLieInPages) {
  t.write_legacy(leg::kQueueAddress, 4, 0xFFFF'FFFF);
  const SplitLayout& layout = t.queue(0).layout;
  EXPECT_EQ(layout.descriptors, 0xFFF'FFFF'F000U);
  EXPECT_EQ(layout.available, layout.descriptors + 4096);
  EXPECT_EQ(layout.used, layout.descriptors + 8192) << "at the next multiple of 4096";
  EXPECT_EQ(layout.problem(), "");
  EXPECT_TRUE(t.queue(0).enabled);
}

TEST_F(Transport, LegacyQueuesGoWithAddressZero) {
  t.write_legacy(leg::kQueueAddress, 4, 1);
  t.write_legacy(leg::kStatus, 1, ds::kDriverOk);
  device.log.clear();
  t.write_legacy(leg::kQueueAddress, 4, 2);
  EXPECT_EQ(device.take(), (Log{"queue reset 0", "enabled 0"}));
  t.write_legacy(leg::kQueueAddress, 4, 0);
  EXPECT_EQ(device.take(), Log{"queue reset 0"});
  EXPECT_FALSE(t.queue(0).enabled);
  EXPECT_EQ(t.read_legacy(leg::kQueueAddress, 4), 0U);
  t.write_legacy(leg::kQueueSelect, 2, 7);
  t.write_legacy(leg::kQueueAddress, 4, 1);
  EXPECT_EQ(t.read_legacy(leg::kQueueAddress, 4), 0U);
  EXPECT_EQ(t.read_legacy(leg::kQueueSize, 2), 0U);
}

TEST_F(Transport, LegacyRegistersShiftWithMsix) {
  EXPECT_EQ(t.read_legacy(leg::kDevice, 4), 0x12005452U);
  EXPECT_EQ(t.read_legacy(leg::kIsr, 2), 0x5200U) << "across the border";
  sink.msix = true;
  EXPECT_EQ(t.read_legacy(leg::kConfigVector, 4), 0xFFFF'FFFFU);
  t.write_legacy(leg::kConfigVector, 2, 1);
  t.write_legacy(leg::kQueueVector, 2, 5);
  EXPECT_EQ(t.read_legacy(leg::kConfigVector, 4), 0xFFFF'0001U);
  t.write_legacy(leg::kQueueVector, 2, 2);
  EXPECT_EQ(t.queue(0).vector, 2U);
  EXPECT_EQ(t.read_legacy(leg::kDeviceMsix, 4), 0x12005452U);
  t.write_legacy(leg::kDeviceMsix + 5, 1, 0x77);
  sink.msix = false;
  EXPECT_EQ(t.read_legacy(leg::kDevice + 5, 1), 0x77U);
}

TEST_F(Transport, LegacyIsrIsClearedByReading) {
  t.write_legacy(leg::kStatus, 1, ds::kDriverOk);
  t.queue_used(0);
  EXPECT_EQ(t.peek_legacy(leg::kIsr, 1), 1U);
  EXPECT_TRUE(sink.level);
  EXPECT_EQ(t.read_legacy(leg::kQueueNotify, 4), 0x0104'0000U) << "status and ISR";
  EXPECT_FALSE(sink.level);
}

TEST_F(Transport, LegacyFeaturesThatCannotBeAreAFault) {
  t.write_legacy(leg::kDriverFeatures, 4, 2);
  t.write_legacy(leg::kStatus, 1, kInit | ds::kDriverOk);
  EXPECT_EQ(t.fault(), "the driver wants features that do not go together or were not offered");
  EXPECT_FALSE(t.running());
  EXPECT_EQ(device.take(), Log{});
  EXPECT_TRUE(sink.level);
  t.write_legacy(leg::kStatus, 1, 0);
  EXPECT_EQ(device.take(), Log{"reset"});
}

TEST_F(Transport, ModernDevicesHaveNoLegacyRegisters) {
  PciTransport modern({3, 256, 4, false}, device, sink);
  EXPECT_EQ(modern.read_legacy(leg::kDeviceFeatures, 4), 0U);
  modern.write_legacy(leg::kStatus, 1, kInit | ds::kDriverOk);
  EXPECT_EQ(modern.status(), 0U);
}

}  // namespace
