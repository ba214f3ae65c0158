/// The virtio driver against a device that the test plays.
#include <set>

#include <gtest/gtest.h>

#include "e1000tlm/driver/driver.h"
#include "e1000tlm/driver/virtio_nic.h"
#include "testbenches/unit/platform/virtio_fixture.h"

namespace e1000tlm::driver {
namespace {

namespace net = virtio::net;
namespace status = virtio::device_status;

/// Takes frames into a vector, while it likes.
class Collector : public FrameTaker {
 public:
  explicit Collector(Cpu& cpu) : cpu_(cpu) {}
  std::vector<FrameBytes> frames;
  bool willing = true;

 private:
  bool take(std::uint64_t address, std::uint32_t bytes, BufferPool& home) override {
    if (!willing) return false;
    FrameBytes frame(bytes);
    cpu_.load(address, frame.data(), bytes);
    frames.push_back(std::move(frame));
    home.give(address);
    return true;
  }
  Cpu& cpu_;
};

/// Runs a test's body in the processor, with an adapter that is not yet brought up.
class Session : public Program {
 public:
  using Body = std::function<void(Session&)>;
  Session(VirtioMachine& machine, NicSettings settings, Body body)
      : machine(machine), settings_(settings), body_(std::move(body)) {
    machine.run(*this);
    EXPECT_TRUE(ended_) << "the body has not come to its end";
  }

  void run() override {
    PciHost host(machine.cpu);
    PciDevice device = host.scan().at(0);
    host.enable(device);
    VirtioNic virtio(machine.cpu, host, device, ram, settings_, ns(50));
    nic = &virtio;
    body_(*this);
    ended_ = true;
  }
  void open() {
    nic->bring_up();
    nic->enable_interrupts();
    nic->start_receiver();
  }
  /// In a buffer of a pool of its own.
  bool send(BufferPool& pool, const FrameBytes& frame) {
    const std::uint64_t buffer = pool.take();
    machine.cpu.store(buffer, frame.data(), static_cast<std::uint32_t>(frame.size()));
    return nic->send(buffer, static_cast<std::uint32_t>(frame.size()), pool);
  }

  VirtioMachine& machine;
  RamAllocator ram{1 << 20, VirtioMachine::kRam};
  VirtioNic* nic = nullptr;
  Collector collector{machine.cpu};

 private:
  NicSettings settings_;
  Body body_;
  bool ended_ = false;
};

FrameBytes frame_of(unsigned number, std::size_t bytes) {
  FrameBytes frame(bytes);
  for (std::size_t i = 0; i < bytes; ++i) frame[i] = static_cast<std::uint8_t>(i * 3 + number);
  return frame;
}

/// A UDP packet of one of many flows.
FrameBytes flow_frame(unsigned flow, unsigned number) {
  FrameBytes frame = frame_of(number, 280);
  store_be16(&frame[12], 0x0800);
  frame[14] = 0x45;
  store_be16(&frame[16], 266);
  store_be16(&frame[20], 0);
  frame[23] = 17;
  std::fill_n(frame.begin(), 12, std::uint8_t{2});
  std::fill_n(frame.begin() + 26, 8, std::uint8_t{10});
  store_be16(&frame[34], static_cast<std::uint16_t>(1000 + flow));
  store_be16(&frame[36], 9);
  return frame;
}

TEST(VirtioNic, GoesThroughTheStatesOfTheSpecification) {
  VirtioMachine m("machine");
  Session(m, {}, [&](Session& s) {
    s.open();
    EXPECT_EQ(s.nic->mac(), (std::array<std::uint8_t, 6>{0x52, 0x54, 0, 1, 2, 3}));
    EXPECT_TRUE(s.nic->link().up);
    EXPECT_EQ(m.device->queue(0).fault(), virtio::RingFault::kNone);
  });
  const std::uint8_t a = status::kAcknowledge;
  const std::uint8_t d = a | status::kDriver;
  const std::uint8_t f = d | status::kFeaturesOk;
  EXPECT_EQ(m.status_writes, (std::vector<std::uint8_t>{
                                 0, a, d, f, static_cast<std::uint8_t>(f | status::kDriverOk)}));
  EXPECT_EQ(m.device->transport().fault(), "");
  EXPECT_TRUE(m.device->agreed(net::feature::kVersion1));
  EXPECT_TRUE(m.device->agreed(net::feature::kEventIndex));
  EXPECT_FALSE(m.device->agreed(net::feature::kIndirect)) << "not by default";
  EXPECT_EQ(m.device->commands, (std::vector<EchoDevice::Command>{
                                    {net::control::kRx, net::control::kRxPromiscuous, {1}},
                                    {net::control::kRx, net::control::kRxAllMulticast, {1}}}));
}

struct Way {
  bool event_index, mergeable, indirect, headroom;
};

class VirtioWays : public ::testing::TestWithParam<Way> {};

TEST_P(VirtioWays, ManyFramesGoThereAndComeBack) {
  const Way way = GetParam();
  NicSettings settings;
  settings.event_index = way.event_index;
  settings.mergeable = way.mergeable;
  settings.indirect = way.indirect;
  settings.rx_descriptors = settings.tx_descriptors = 32;
  VirtioMachine m("machine");
  Session(m, settings, [&](Session& s) {
    s.open();
    EXPECT_EQ(m.device->agreed(net::feature::kEventIndex), way.event_index);
    EXPECT_EQ(m.device->agreed(net::feature::kMergeableBuffers), way.mergeable);
    EXPECT_EQ(m.device->agreed(net::feature::kIndirect), way.indirect);
    BufferPool pool(s.ram, 40, 2048, way.headroom ? s.nic->headroom() : 0);
    std::vector<FrameBytes> sent;
    for (unsigned i = 0; i < 1000; ++i) {
      sent.push_back(frame_of(i, 60 + i * 7 % 1455));
      ASSERT_TRUE(s.send(pool, sent.back()));
      if (i % 5 != 4) continue;
      s.nic->flush();
      s.nic->receive(s.collector, 64);
      s.nic->reclaim();
    }
    EXPECT_EQ(s.collector.frames, sent);
    EXPECT_TRUE(s.nic->idle());
    EXPECT_TRUE(pool.complete());
    EXPECT_EQ(s.nic->counters().tx_frames, 1000U);
    EXPECT_EQ(s.nic->counters().rx_frames, 1000U);
    EXPECT_EQ(s.nic->counters().tx_bytes, s.nic->counters().rx_bytes);
    EXPECT_EQ(s.nic->tx_room(), 32U);
    const std::size_t pieces = way.headroom ? 1 : 2;
    for (const auto& packet : m.device->packets) {
      ASSERT_EQ(packet.pieces, pieces);
      ASSERT_EQ(packet.header, FrameBytes(net::header::kBytes, 0));
    }
    s.nic->close();
    EXPECT_EQ(m.device->transport().status(), 0);
  });
}

INSTANTIATE_TEST_SUITE_P(All, VirtioWays,
                         ::testing::Values(Way{true, true, false, true},
                                           Way{false, true, false, true},
                                           Way{true, false, false, true},
                                           Way{true, true, true, false},
                                           Way{false, false, false, false}));

TEST(VirtioNic, FullRingTakesNoMoreAndLosesNothing) {
  VirtioMachine m("machine");
  m.device->echo = false;
  NicSettings settings;
  settings.tx_descriptors = 16;
  Session(m, settings, [&](Session& s) {
    s.open();
    BufferPool pool(s.ram, 64, 256, s.nic->headroom());
    EXPECT_EQ(s.nic->tx_room(), 16U);
    for (unsigned i = 0; i < 16; ++i) ASSERT_TRUE(s.send(pool, frame_of(i, 60)));
    EXPECT_EQ(s.nic->tx_room(), 0U);
    EXPECT_TRUE(s.send(pool, frame_of(16, 60))) << "the device is told, and has sent by then";
    s.nic->flush();
    s.nic->reclaim();
    EXPECT_EQ(s.nic->tx_room(), 16U);
    EXPECT_EQ(m.device->packets.size(), 17U);
  });
}

TEST(VirtioNic, AFrameThatIsNotTakenWaits) {
  VirtioMachine m("machine");
  Session(m, {}, [&](Session& s) {
    s.open();
    for (unsigned i = 0; i < 3; ++i) m.device->deliver(0, frame_of(i, 60));
    s.collector.willing = false;
    EXPECT_EQ(s.nic->receive(s.collector, 64), 0U);
    EXPECT_FALSE(s.nic->idle());
    s.collector.willing = true;
    EXPECT_EQ(s.nic->receive(s.collector, 2), 2U);
    EXPECT_EQ(s.nic->receive(s.collector, 64), 1U);
    EXPECT_EQ(s.collector.frames,
              (std::vector<FrameBytes>{frame_of(0, 60), frame_of(1, 60), frame_of(2, 60)}));
    EXPECT_TRUE(s.nic->idle());
  });
}

TEST(VirtioNic, FramesThatWaitForRoomAreNoWorkToDo) {
  VirtioMachine m("machine");
  Session(m, {}, [&](Session& s) {
    s.open();
    s.nic->interrupt();
    EXPECT_FALSE(s.nic->unmask());
    for (unsigned i = 0; i < 3; ++i) m.device->deliver(0, frame_of(i, 60));
    EXPECT_TRUE(s.nic->interrupt());
    s.collector.willing = false;
    s.nic->receive(s.collector, 64);
    EXPECT_FALSE(s.nic->unmask()) << "else the program would go round for ever";
    EXPECT_TRUE(s.nic->masked()) << "and is to ask again";
    s.collector.willing = true;
    EXPECT_EQ(s.nic->receive(s.collector, 64), 3U);
    EXPECT_FALSE(s.nic->unmask());
    EXPECT_FALSE(s.nic->masked());
    const std::uint64_t before = m.device->transport().interrupts();
    m.device->deliver(0, frame_of(3, 60));
    EXPECT_EQ(m.device->transport().interrupts(), before + 1);
  });
}

TEST(VirtioNic, FramesOfSeveralBuffersArePutTogether) {
  VirtioMachine m("machine");
  NicSettings settings;
  settings.max_frame_bytes = 9018;
  settings.rx_descriptors = settings.tx_descriptors = 32;
  Session(m, settings, [&](Session& s) {
    s.open();
    std::vector<FrameBytes> sent;
    for (unsigned i = 0; i < 200; ++i) {
      sent.push_back(frame_of(i, 60 + i * 997 % 8959));
      m.device->deliver(0, sent.back());
      if (i % 4 == 3) s.nic->receive(s.collector, 64);
    }
    EXPECT_EQ(s.collector.frames, sent);
    m.device->deliver(0, frame_of(0, 9019));
    EXPECT_EQ(s.nic->receive(s.collector, 64), 1U);
    EXPECT_EQ(s.nic->counters().rx_errors, 1U) << "longer than is taken";
    EXPECT_EQ(s.nic->counters().rx_frames, 200U);
  });
}

TEST(VirtioNic, FlowsKeepToAPairOfQueuesAndAllPairsAreServed) {
  VirtioMachine m("machine", 4);
  Session(m, {}, [&](Session& s) {
    s.open();
    EXPECT_EQ(s.nic->pairs(), 4U);
    EXPECT_EQ(m.device->commands.back(),
              (EchoDevice::Command{net::control::kMultiQueue, net::control::kPairs, {4, 0}}));
    BufferPool pool(s.ram, 64, 320, s.nic->headroom());
    for (unsigned i = 0; i < 400; ++i) {
      ASSERT_TRUE(s.send(pool, flow_frame(i % 20, i)));
      if (i % 10 != 9) continue;
      s.nic->flush();
      s.nic->receive(s.collector, 64);
      s.nic->reclaim();
    }
    EXPECT_EQ(s.collector.frames.size(), 400U);
    EXPECT_TRUE(s.nic->idle());
  });
  std::map<FrameBytes, std::set<unsigned>> pairs_of;
  std::set<unsigned> used;
  for (const auto& packet : m.device->packets) {
    pairs_of[FrameBytes(packet.frame.begin() + 34, packet.frame.begin() + 36)].insert(packet.pair);
    used.insert(packet.pair);
  }
  EXPECT_EQ(used.size(), 4U);
  EXPECT_EQ(pairs_of.size(), 20U);
  for (const auto& [flow, pairs] : pairs_of) EXPECT_EQ(pairs.size(), 1U);
}

TEST(VirtioNic, UsesFewerPairsIfToldTo) {
  VirtioMachine m("machine", 4);
  NicSettings settings;
  settings.queue_pairs = 1;
  Session(m, settings, [&](Session& s) {
    s.open();
    EXPECT_EQ(s.nic->pairs(), 1U);
    EXPECT_FALSE(m.device->agreed(net::feature::kMultiQueue));
    EXPECT_EQ(m.device->commands.size(), 2U) << "the control queue is the third then";
  });
}

TEST(VirtioNic, InterruptsAreMaskedWhileThereIsWork) {
  VirtioMachine m("machine");
  Session(m, {}, [&](Session& s) {
    s.open();
    while (s.nic->interrupt()) {
    }
    EXPECT_FALSE(s.nic->unmask());
    const std::uint64_t before = m.device->transport().interrupts();
    m.device->deliver(0, frame_of(0, 60));
    EXPECT_EQ(m.device->transport().interrupts(), before + 1);
    EXPECT_TRUE(s.nic->interrupt());
    EXPECT_TRUE(s.nic->masked());
    for (unsigned i = 1; i < 10; ++i) m.device->deliver(0, frame_of(i, 60));
    EXPECT_EQ(m.device->transport().interrupts(), before + 1);
    EXPECT_TRUE(s.nic->unmask()) << "ten wait, of which no interrupt would tell";
    EXPECT_TRUE(s.nic->masked());
    EXPECT_EQ(s.nic->receive(s.collector, 64), 10U);
    EXPECT_FALSE(s.nic->unmask());
    EXPECT_FALSE(s.nic->interrupt()) << "spurious";
    EXPECT_EQ(s.nic->counters().spurious, 2U);
    m.device->deliver(0, frame_of(0, 60));
    EXPECT_EQ(m.device->transport().interrupts(), before + 2);
  });
}

TEST(VirtioNic, LinkFollowsTheConfiguration) {
  VirtioMachine m("machine");
  m.device->features |= net::feature::kSpeedDuplex;
  store_le32(&m.device->space[net::config::kSpeed], 1000);
  m.device->space[net::config::kDuplex] = 1;
  m.device->set_link(false);
  Session(m, {}, [&](Session& s) {
    s.open();
    EXPECT_FALSE(s.nic->link().up);
    m.device->set_link(true);
    EXPECT_TRUE(s.nic->interrupt());
    EXPECT_TRUE(s.nic->link().up);
    EXPECT_EQ(s.nic->link().mbit_per_second, 1000U);
    EXPECT_TRUE(s.nic->link().full_duplex);
    m.device->set_link(false);
    s.nic->unmask();
    EXPECT_TRUE(s.nic->interrupt());
    EXPECT_FALSE(s.nic->link().up);
    EXPECT_EQ(s.nic->counters().link_changes, 2U);
  });
}

TEST(VirtioNic, OffloadsAreAskedForInTheHeader) {
  VirtioMachine m("machine");
  m.device->echo = false;
  Session(m, {}, [&](Session& s) {
    s.open();
    BufferPool pool(s.ram, 4, 4096, s.nic->headroom());
    FrameBytes frame = flow_frame(0, 0);
    frame.resize(3000);
    store_be16(&frame[16], 0);
    store_be16(&frame[50], 0x1234);  // sum of the pseudo header without length
    const std::uint64_t buffer = pool.take();
    s.machine.cpu.store(buffer, frame.data(), 3000);
    TxOffload offload;
    offload.tcp = true;
    offload.mss = 1460;
    offload.header_bytes = 54;
    ASSERT_TRUE(s.nic->send(buffer, 3000, pool, offload));
    s.nic->flush();
    offload.ipv4 = false;
    EXPECT_THROW(s.nic->send(buffer, 3000, pool, offload), std::runtime_error) << "no HOST_TSO6";
  });
  ASSERT_EQ(m.device->packets.size(), 1U);
  const auto& [pair, pieces, header, frame] = m.device->packets[0];
  EXPECT_EQ(header, (FrameBytes{net::header::kNeedsCsum, net::header::kGsoTcp4, 54, 0, 0xB4, 5, 34,
                                0, 16, 0, 0, 0}));
  EXPECT_EQ(load_be16(&frame[16]), 3000 - 14) << "length of the packet";
  std::uint32_t sum = 0;
  for (unsigned i = 14; i < 34; i += 2) sum += load_be16(&frame[i]);
  EXPECT_EQ(sum % 0xFFFF, 0U) << "checksum of the IPv4 header";
  EXPECT_EQ(load_be16(&frame[50]), 0x1234 + 3000 - 34) << "with length, as the specification asks";
}

TEST(VirtioNic, ADeviceThatNeedsAResetGetsOne) {
  VirtioMachine m("machine");
  Session(m, {}, [&](Session& s) {
    s.open();
    BufferPool pool(s.ram, 8, 256, s.nic->headroom());
    ASSERT_TRUE(s.send(pool, frame_of(1, 60)));
    s.nic->flush();
    s.nic->receive(s.collector, 64);
    m.device->transport().needs_reset("for a test");
    ASSERT_TRUE(s.send(pool, frame_of(2, 60)));
    s.nic->flush();
    EXPECT_TRUE(s.nic->interrupt());
    s.nic->unmask();
    EXPECT_EQ(s.nic->resets(), 1U);
    EXPECT_TRUE(pool.complete()) << "what was under way is given back";
    EXPECT_TRUE(m.device->transport().running());
    ASSERT_TRUE(s.send(pool, frame_of(3, 60)));
    s.nic->flush();
    s.nic->receive(s.collector, 64);
    EXPECT_EQ(s.collector.frames, (std::vector<FrameBytes>{frame_of(1, 60), frame_of(3, 60)}));
    const auto break_it = [&] {
      m.device->transport().needs_reset("again");
      s.nic->interrupt();
      s.nic->unmask();
    };
    for (int i = 0; i < 3; ++i) break_it();
    EXPECT_THROW(break_it(), std::runtime_error) << "again and again without a frame";
  });
}

TEST(VirtioNic, ADeviceThatBreaksTheRulesIsNamed) {
  VirtioMachine m("machine");
  Session(m, {}, [&](Session& s) {
    s.open();
    m.device->announced_buffers = 1000;
    m.device->deliver(0, frame_of(0, 60));
    try {
      s.nic->receive(s.collector, 64);
      FAIL() << "no error";
    } catch (const std::runtime_error& error) {
      EXPECT_STREQ(error.what(),
                   "PCI device 3 (1af4:1041): queue 0: a packet that is said to have more buffers "
                   "than there are");
    }
  });
}

/// What bring-up says on failure.
std::string failure(VirtioMachine& m, const NicSettings& settings) {
  std::string text;
  Session(m, settings, [&](Session& s) {
    try {
      s.nic->bring_up();
    } catch (const std::exception& error) {
      text = error.what();
    }
  });
  return text;
}

TEST(VirtioNic, RefusesWhatTheDeviceDoesNotHave) {
  VirtioMachine m("machine", 2);
  NicSettings settings;
  settings.queue_pairs = 3;
  EXPECT_EQ(failure(m, settings),
            "PCI device 3 (1af4:1041): has 2 pairs of queues, and the driver is to use 3");
  EXPECT_NE(m.device->transport().status() & status::kFailed, 0);
}

TEST(VirtioNic, RefusesRingsThatAreTooLarge) {
  VirtioMachine m("machine");
  NicSettings settings;
  settings.rx_descriptors = 128;
  EXPECT_EQ(failure(m, settings),
            "PCI device 3 (1af4:1041): rx-ring=128: its queues have at most 64 descriptors");
}

TEST(VirtioNic, DoesNotSendFramesLongerThanTheMtuAllows) {
  VirtioMachine m("machine");
  m.device->echo = false;
  m.device->features |= net::feature::kMtu;
  store_le16(&m.device->space[net::config::kMtu], 1400);
  Session(m, {}, [&](Session& s) {
    s.open();
    BufferPool pool(s.ram, 4, 2048, s.nic->headroom());
    EXPECT_TRUE(s.send(pool, frame_of(0, 1418)));
    EXPECT_TRUE(s.send(pool, frame_of(0, 1419)));
    s.nic->flush();
    s.nic->reclaim();
    EXPECT_TRUE(pool.complete());
    EXPECT_EQ(s.nic->counters().tx_frames, 1U);
    EXPECT_EQ(s.nic->counters().tx_too_long, 1U);
  });
  EXPECT_EQ(m.device->packets.size(), 1U);
}

TEST(VirtioNic, RefusesLegacyDevices) {
  VirtioMachine m("machine");
  m.device->features &= ~net::feature::kVersion1;
  EXPECT_NE(failure(m, {}).find("a legacy device"), std::string::npos);
}

TEST(VirtioNic, DoesNotWaitForeverForAnAnswer) {
  VirtioMachine m("machine");
  m.device->answers = false;
  EXPECT_EQ(failure(m, {}), "PCI device 3 (1af4:1041): queue 2: command 0.0 is not answered");
}

TEST(VirtioNic, SaysWhichCommandIsRefused) {
  VirtioMachine m("machine");
  m.device->verdict = net::control::kError;
  EXPECT_EQ(failure(m, {}), "PCI device 3 (1af4:1041): queue 2: command 0.0 is refused");
}

/// The driver as a whole, until it gives up or `limit`.
std::string run_driver(VirtioMachine& m, const DriverSettings& settings, Time limit) {
  Driver driver(m.cpu, settings);
  m.run(driver, limit);
  return driver.error();
}

TEST(VirtioDriver, ReflectsFrames) {
  VirtioMachine m("machine", 2);
  m.device->echo = false;
  DriverSettings settings;
  settings.ram_bytes = VirtioMachine::kRam;
  Driver driver(m.cpu, settings);
  driver.on_ready([&] {
    for (unsigned i = 0; i < 50; ++i) m.device->deliver(i % 2, flow_frame(i % 5, i));
  });
  m.run(driver, ms(5));
  EXPECT_EQ(driver.error(), "");
  EXPECT_TRUE(driver.idle());
  EXPECT_EQ(m.device->packets.size(), 50U);
  EXPECT_EQ(driver.nics().at(0)->counters().rx_frames, 50U);
  EXPECT_EQ(driver.nics().at(0)->counters().tx_frames, 50U);
  EXPECT_GT(driver.nics().at(0)->counters().interrupts, 0U);
}

TEST(VirtioDriver, RefusesTheSelfTest) {
  VirtioMachine m("machine");
  DriverSettings settings;
  settings.ram_bytes = VirtioMachine::kRam;
  settings.app.kind = AppKind::kSelfTest;
  EXPECT_EQ(run_driver(m, settings, ms(100)),
            "PCI device 3 (1af4:1041): the self-test is one of e1000 cards, and this is none; "
            "choose another --app for it");
}

TEST(VirtioDriver, RefusesSettingsOfOtherAdapters) {
  VirtioMachine m("machine");
  DriverSettings settings;
  settings.ram_bytes = VirtioMachine::kRam;
  settings.nic.tidv = 3;
  EXPECT_EQ(run_driver(m, settings, ms(100)),
            "--driver tidv: only e1000 adapters have this, and there is none");
}

}  // namespace
}  // namespace e1000tlm::driver
