/// What the device does on the bus and when: bursts, batches, notices, order; the same again, and
/// with lookahead.
#include <fstream>
#include <sstream>

#include <sys/wait.h>
#include <unistd.h>

#include "net_rig.h"

namespace e1000tlm::virtio::test {
namespace {

using namespace net::feature;
constexpr std::uint64_t kUsual = kMac | kStatus | kMergeableBuffers | kEventIndex;

/// The device's accesses.
struct Access {
  bool write;
  std::uint64_t address;
  std::uint32_t bytes;
  Time end;
};

class Watched : public NetRig {
 public:
  explicit Watched(const NetRigOptions& options = {}) : NetRig(options) {
    bus.tenures().attach([this](const pci::TenureEvent& event) {
      if (event.master == 0 || !watching) return;
      accesses.push_back({pci::is_write(event.command), event.address, event.bytes, event.end});
    });
  }
  /// Names an access by the part of a queue that it touches.
  std::string name(const Access& access) const {
    std::ostringstream text;
    text << (access.write ? "write " : "read ");
    for (unsigned queue = 0; queue < 2; ++queue) {
      const SplitLayout at = layout_of(queue);
      const auto in = [&](std::uint64_t start, std::uint64_t bytes) {
        return access.address >= start && access.address < start + bytes;
      };
      const std::uint16_t size = at.size;
      if (in(at.descriptors, SplitLayout::descriptor_bytes(size))) {
        text << "descriptors " << access.bytes / 16;
        return text.str();
      }
      if (in(at.available, 4)) return text.str() + "available index";
      if (in(at.available + 4, 2U * size)) {
        text << "available entries " << access.bytes / 2;
        return text.str();
      }
      if (in(at.available + 4 + 2U * size, 2)) return text.str() + "used event";
      if (in(at.used, 4)) return text.str() + "used index";
      if (in(at.used + 4, 8U * size)) {
        text << "used elements " << access.bytes / 8;
        return text.str();
      }
      if (in(at.used + 4 + 8U * size, 2)) return text.str() + "available event";
    }
    text << "data " << access.bytes;
    return text.str();
  }
  std::vector<std::string> names() const {
    std::vector<std::string> all;
    for (const Access& access : accesses) all.push_back(name(access));
    return all;
  }

  bool watching = false;
  std::vector<Access> accesses;
};

TEST(NetDeviceTiming, FramesGoOutInBursts) {
  Watched rig;
  rig.run([&] {
    rig.set_up();
    rig.start(kUsual);
    rig.wait_for(us(5));
    rig.watching = true;
    for (unsigned i = 0; i < 4; ++i) rig.put(0, frame_of(100, i), {}, false);
    rig.notify(1);
    rig.wait_for(us(50));
    EXPECT_EQ(rig.names(),
              (std::vector<std::string>{
                  "read available index", "read available entries 4", "read descriptors 8",
                  "read data 12", "read data 100", "read data 12", "read data 100", "read data 12",
                  "read data 100", "read data 12", "read data 100", "read available index",
                  "write used elements 4", "write used index", "read used event",
                  "write available event", "read available index"}));
  });
}

TEST(NetDeviceTiming, FramesComeInWithOneWriteEach) {
  Watched rig;
  rig.run([&] {
    rig.set_up();
    rig.start(kUsual);
    rig.supply(0, 32);
    ASSERT_TRUE(rig.wait_until([&] { return rig.far.nic_ready(); }, us(50)));
    rig.wait_for(us(5));
    rig.watching = true;
    rig.far.send(frame_of(100));
    rig.wait_for(us(50));
    // A buffer has been fetched while nothing else was to be done.
    EXPECT_EQ(rig.names(), (std::vector<std::string>{"write data 112", "write used elements 1",
                                                     "write used index", "read used event"}));
    const Time told = rig.irq_edges.at(0);
    EXPECT_GE(told, rig.accesses.back().end);
    EXPECT_LE(told - rig.accesses.back().end, ns(60));
  });
}

TEST(NetDeviceTiming, WaitingForBuffersTakesNothingOfTheBus) {
  Watched rig;
  rig.run([&] {
    rig.set_up();
    rig.start(kUsual);
    rig.supply(0, 2, 256);
    ASSERT_TRUE(rig.wait_until([&] { return rig.far.nic_ready(); }, us(50)));
    rig.far.send(frame_of(1000));  // needs more than there are
    rig.wait_for(us(50));
    rig.watching = true;
    rig.wait_for(us(200));
    EXPECT_EQ(rig.names(), std::vector<std::string>());
    EXPECT_EQ(rig.rx_frames(), 0U);
    rig.supply(0, 2, 512);
    ASSERT_TRUE(rig.wait_until([&] { return rig.rx_frames() == 1; }, us(50)));
    rig.wait_for(us(10));
    EXPECT_EQ(rig.reap(0), std::vector<Frame>{frame_of(1000)});
  });
}

TEST(NetDeviceProbes, TellOfEachFrameBufferAndInterrupt) {
  NetRig rig;
  std::map<NetDrop, unsigned> lost;
  unsigned stored = 0, taken = 0, used = 0, interrupts = 0;
  rig.nic.probes().received.attach([&](const NetReceiveEvent& event) {
    if (event.stored) {
      ++stored;
    } else {
      ++lost[event.drop];
    }
  });
  rig.nic.probes().buffers.attach(
      [&](const NetBufferEvent& event) { ++(event.used ? used : taken); });
  rig.nic.probes().interrupts.attach([&](const NetInterruptEvent&) { ++interrupts; });
  rig.run([&] {
    rig.set_up();
    rig.far.send(frame_of(100));  // nobody is ready
    rig.wait_for(us(10));
    rig.start(kUsual);
    rig.supply(0, 4);
    ASSERT_TRUE(rig.wait_until([&] { return rig.far.nic_ready(); }, us(50)));
    for (unsigned i = 0; i < 3; ++i) rig.far.send(frame_of(100, i));
    rig.put(0, frame_of(100));
    rig.wait_for(us(50));
    EXPECT_EQ(stored, 3U);
    EXPECT_EQ(lost, (std::map<NetDrop, unsigned>{{NetDrop::kRxNotReady, 1}}));
    EXPECT_EQ(rig.nic.drops(NetDrop::kRxNotReady), 1U);
    EXPECT_EQ(taken, 4U);  // of both queues
    EXPECT_EQ(used, 4U);
    const NetPairCounters& counters = rig.nic.counters(0);
    EXPECT_EQ(interrupts, counters.rx_interrupts + counters.tx_interrupts);
    EXPECT_GE(interrupts, 2U);
  });
}

TEST(NetDeviceTiming, TheDoorbellTakesItsTime) {
  NetRigOptions options;
  options.device.timing.doorbell = us(3);
  Watched rig(options);
  rig.run([&] {
    rig.set_up();
    rig.start(kUsual);
    rig.wait_for(us(5));
    rig.watching = true;
    rig.put(0, frame_of(100), {}, false);
    const Time asked = sc_now();
    rig.notify(1);
    rig.wait_for(us(50));
    ASSERT_FALSE(rig.accesses.empty());
    EXPECT_GE(rig.accesses.front().end - asked, us(3));
    EXPECT_LE(rig.accesses.front().end - asked, us(4));
  });
}

TEST(NetDeviceTiming, InterruptsAreAsRareAsModerationSays) {
  for (const Time interval : {us(100)}) {
    NetRigOptions options;
    options.device.timing.moderation = interval;
    Watched rig(options);
    std::vector<Time> told;
    rig.nic.probes().interrupts.attach(
        [&](const NetInterruptEvent& event) { told.push_back(event.at); });
    rig.run([&] {
      rig.set_up();
      rig.start(kMac | kStatus);
      rig.supply(0, 100);
      ASSERT_TRUE(rig.wait_until([&] { return rig.far.nic_ready(); }, us(50)));
      for (unsigned i = 0; i < 60; ++i) rig.far.send(frame_of(1000, i));
      ASSERT_TRUE(rig.wait_until([&] { return rig.rx_frames() == 60; }, ms(2)));
      rig.wait_for(us(200));
      ASSERT_GE(told.size(), 5U);
      EXPECT_LE(told.size(), 7U);
      for (std::size_t i = 1; i < told.size(); ++i) EXPECT_GE(told[i] - told[i - 1], interval);
      EXPECT_EQ(rig.reap(0).size(), 60U);
      EXPECT_EQ(rig.nic.counters(0).rx_interrupts, told.size());
    });
  }
}

TEST(NetDeviceTiming, EventIndicesSaveInterruptsAndKicks) {
  NetRig rig;
  rig.run([&] {
    rig.set_up();
    rig.start(kUsual);
    rig.supply(0, 100);
    ASSERT_TRUE(rig.wait_until([&] { return rig.far.nic_ready(); }, us(50)));
    // A driver that polls wants no interrupt.
    rig.queue(0).disable_calls();
    DriverQueue::Used used;
    for (unsigned i = 0; i < 40; ++i) rig.far.send(frame_of(1000, i));
    ASSERT_TRUE(rig.wait_until([&] { return rig.rx_frames() == 40; }, ms(2)));
    rig.wait_for(us(20));
    EXPECT_LE(rig.nic.counters(0).rx_interrupts, 1U);
    EXPECT_EQ(rig.reap(0).size(), 40U);
    // While the device works on a queue it wants no kick.
    rig.kicks = 0;
    for (unsigned i = 0; i < 40; ++i) {
      rig.put(0, frame_of(1000, i));
      rig.wait_for(us(1));
    }
    EXPECT_LE(rig.kicks, 12U);
    ASSERT_TRUE(rig.wait_until([&] { return rig.tx_frames() == 40; }, ms(2)));
  });
}

TEST(NetDeviceTiming, TheTransmitMemoryIsBounded) {
  NetRigOptions options;
  options.bus.speed = *pci::find_bus_speed("64/66");
  NetRig rig(options);
  rig.run([&] {
    rig.set_up();
    rig.start(kUsual);
    for (unsigned i = 0; i < 100; ++i) rig.put(0, frame_of(1500, i), {}, false);
    rig.notify(1);
    rig.wait_for(us(300));
    // What has not left by now: no more than there is room for.
    const Time now = sc_now();
    std::uint64_t waiting = 0;
    for (const link::Arrival& arrival : rig.far.received) {
      if (arrival.last_bit > now) waiting += arrival.frame->size();
    }
    EXPECT_LE(waiting, rig.nic.config().timing.transmit_fifo + 1500);
    EXPECT_GE(waiting, 1500U);
    rig.wait_for(ms(2));
    ASSERT_EQ(rig.far.received.size(), 100U);
    // At line rate, without a gap more than there must be.
    for (std::size_t i = 1; i < 100; ++i) {
      EXPECT_EQ(rig.far.received[i].last_bit - rig.far.received[i - 1].last_bit,
                ns(8) * (8 + 1500 + 4 + 12));
    }
  });
}

/// What happened, to the picosecond.
std::string story(const NetRigOptions& options) {
  Watched rig(options);
  std::ostringstream text;
  rig.nic.probes().interrupts.attach([&](const NetInterruptEvent& event) {
    text << "interrupt " << event.queue << " " << event.at.count() << "\n";
  });
  rig.run([&] {
    rig.set_up();
    rig.start(kUsual | kControlQueue | kMultiQueue, 2);
    rig.control({net::control::kMultiQueue, net::control::kPairs, 2, 0});
    rig.supply(0, 100);
    rig.supply(1, 100);
    rig.wait_for(us(20));
    rig.watching = true;
    for (unsigned i = 0; i < 60; ++i) {
      rig.put(i % 2, frame_of(60 + 89 * (i % 16), i));
      rig.far.send(frame_of(60 + 97 * (i % 15), i), static_cast<std::uint16_t>(i % 2));
      if (i % 10 == 9) rig.wait_for(us(20));
    }
    rig.wait_for(ms(1));
    rig.reap(0);
    rig.reap(1);
  });
  for (const Access& access : rig.accesses) {
    text << rig.name(access) << " " << access.address << " " << access.end.count() << "\n";
  }
  for (const link::Arrival& arrival : rig.far.received) {
    text << "out " << arrival.frame->size() << " " << arrival.last_bit.count() << "\n";
  }
  return text.str();
}

class NetDeviceStory : public ::testing::TestWithParam<Time> {};

/// A SystemC kernel elaborates once a process: the other story comes from a child.
std::string story_of_child(const NetRigOptions& options) {
  const std::string path = ::testing::TempDir() + "net_story_" + std::to_string(getpid());
  const pid_t child = fork();
  if (child == 0) {
    std::ofstream(path) << story(options);
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  std::remove(path.c_str());
  return text.str();
}

TEST_P(NetDeviceStory, IsTheSameAgain) {
  NetRigOptions options;
  options.quantum = GetParam();
  options.device.queue_pairs = 2;
  const std::string before = story_of_child(options);
  EXPECT_GT(before.size(), 5000U);
  EXPECT_EQ(story(options), before);
}

INSTANTIATE_TEST_SUITE_P(Accuracies, NetDeviceStory, ::testing::Values(kTimeZero, us(5)),
                         [](const auto& info) {
                           return "Quantum" + std::to_string(info.param / ns(1)) + "ns";
                         });

TEST(NetDeviceLookahead, ChangesNothing) {
  NetRigOptions options;
  options.device.queue_pairs = 2;
  const std::string before = story_of_child(options);
  options.lookahead = us(100);
  EXPECT_EQ(story(options), before);
}

}  // namespace
}  // namespace e1000tlm::virtio::test
