/// Drivers that break the rules: the device needs a reset, the simulation goes on, and after a
/// reset all is well.
#include <random>

#include "net_rig.h"

namespace e1000tlm::virtio::test {
namespace {

using namespace net::feature;
constexpr std::uint64_t kUsual = kMac | kStatus | kMergeableBuffers | kIndirect | kControlQueue;

/// Something wrong that a driver does to a queue.
struct Crime {
  const char* name;
  unsigned queue;
  const char* fault;  // as the device says it
  void (*commit)(NetRig& rig, std::uint8_t* table, std::uint8_t* available);
};

void put_descriptor(std::uint8_t* table, unsigned i, const Descriptor& descriptor) {
  descriptor.encode(table + Descriptor::kBytes * i);
}
void offer(std::uint8_t* available, std::uint16_t count = 1) { store_le16(available + 2, count); }

constexpr std::uint64_t kNowhere = 0x80000000;

const Crime kCrimes[] = {
    {"IndexJump", 1, "queue 1: an index is further ahead than the queue has room",
     [](NetRig&, std::uint8_t*, std::uint8_t* available) { offer(available, 1000); }},
    {"HeadOutside", 0, "queue 0: a chain begins outside of the descriptor table",
     [](NetRig&, std::uint8_t*, std::uint8_t* available) {
       store_le16(available + 4, 4000);
       offer(available);
     }},
    {"Loop", 1, "queue 1: a chain is longer than its table",
     [](NetRig&, std::uint8_t* table, std::uint8_t* available) {
       put_descriptor(table, 0, {0x400000, 64, Descriptor::kNext, 1});
       put_descriptor(table, 1, {0x400000, 64, Descriptor::kNext, 0});
       offer(available);
     }},
    {"NextOutside", 1, "queue 1: a chain goes on outside of its table",
     [](NetRig&, std::uint8_t* table, std::uint8_t* available) {
       put_descriptor(table, 0, {0x400000, 64, Descriptor::kNext, 60000});
       offer(available);
     }},
    {"BufferNowhere", 1, "queue 1: a buffer is not in memory",
     [](NetRig&, std::uint8_t* table, std::uint8_t* available) {
       put_descriptor(table, 0, {kNowhere, 100, 0, 0});
       offer(available);
     }},
    {"ReceiveBufferNowhere", 0, "queue 0: a buffer is not in memory",
     [](NetRig& rig, std::uint8_t* table, std::uint8_t* available) {
       put_descriptor(table, 0, {kNowhere, 2000, Descriptor::kWrite, 0});
       offer(available);
       rig.far.send(frame_of(100));
     }},
    {"ReceiveBufferToRead", 0, "queue 0: a buffer that cannot be written",
     [](NetRig&, std::uint8_t* table, std::uint8_t* available) {
       put_descriptor(table, 0, {0x400000, 2000, 0, 0});
       offer(available);
     }},
    {"IndirectNowhere", 1, "queue 1: a part of the queue is not in memory",
     [](NetRig&, std::uint8_t* table, std::uint8_t* available) {
       put_descriptor(table, 0, {kNowhere, 64, Descriptor::kIndirect, 0});
       offer(available);
     }},
    {"IndirectNested", 1, "queue 1: an indirect table is in another",
     [](NetRig& rig, std::uint8_t* table, std::uint8_t* available) {
       put_descriptor(table, 0, {0x400000, 64, Descriptor::kIndirect, 0});
       put_descriptor(&rig.ram.bytes()[0x400000], 0, {0x400000, 64, Descriptor::kIndirect, 0});
       offer(available);
     }},
    {"ZeroLength", 1, "queue 1: a descriptor has no bytes",
     [](NetRig&, std::uint8_t* table, std::uint8_t* available) {
       put_descriptor(table, 0, {0x400000, 0, 0, 0});
       offer(available);
     }},
    {"ControlWithoutAnswer", 2, "queue 2: a control command has no room for its answer",
     [](NetRig&, std::uint8_t* table, std::uint8_t* available) {
       put_descriptor(table, 0, {0x400000, 16, 0, 0});
       offer(available);
     }},
    {"ControlNowhere", 2, "queue 2: a buffer is not in memory",
     [](NetRig&, std::uint8_t* table, std::uint8_t* available) {
       put_descriptor(table, 0, {kNowhere, 16, Descriptor::kNext, 1});
       put_descriptor(table, 1, {0x400000, 1, Descriptor::kWrite, 0});
       offer(available);
     }},
};

struct HostileCase {
  Crime crime;
  Time quantum;
};

/// For messages of failed tests.
void PrintTo(const HostileCase& hostile, std::ostream* out) { *out << hostile.crime.name; }

class NetDeviceHostile : public ::testing::TestWithParam<HostileCase> {};

TEST_P(NetDeviceHostile, NeedsAReset) {
  const Crime& crime = GetParam().crime;
  NetRigOptions options;
  options.quantum = GetParam().quantum;
  NetRig rig(options);
  rig.run([&] {
    rig.set_up();
    for (unsigned round = 0; round < 2; ++round) {
      rig.start(kUsual);
      const SplitLayout layout = rig.layout_of(crime.queue);
      crime.commit(rig, &rig.ram.bytes()[layout.descriptors], &rig.ram.bytes()[layout.available]);
      rig.notify(crime.queue);
      ASSERT_TRUE(rig.wait_until(
          [&] { return (rig.nic.status() & device_status::kNeedsReset) != 0; }, us(400)));
      EXPECT_EQ(rig.nic.fault(), crime.fault);
      EXPECT_EQ(rig.isr() & pci_layout::kIsrConfig, pci_layout::kIsrConfig);
      // Nothing works until a reset, and nothing is lost uncounted.
      rig.put(0, frame_of(100));
      rig.notify(1);
      rig.far.send(frame_of(100));
      rig.wait_for(us(50));
      EXPECT_EQ(rig.far.received.size(), round);
      rig.set_status(0);
      EXPECT_EQ(rig.nic.fault(), "");
      EXPECT_EQ(rig.rx_frames() + rig.drops_of("rx"), rig.far.sent);
      rig.start(kUsual);
      rig.supply(0, 4);
      rig.put(0, frame_of(100));
      const std::uint64_t before = rig.rx_frames();
      rig.far.send(frame_of(100));
      EXPECT_TRUE(rig.wait_until(
          [&] { return rig.rx_frames() == before + 1 && rig.far.received.size() == round + 1; },
          us(100)));
      rig.wait_for(us(20));  // loosely timed it may have been sent ahead of time
    }
  });
}

std::vector<HostileCase> cases() {
  std::vector<HostileCase> all;
  for (const Crime& crime : kCrimes) {
    for (const Time quantum : {kTimeZero, us(5)}) all.push_back({crime, quantum});
  }
  return all;
}
INSTANTIATE_TEST_SUITE_P(Crimes, NetDeviceHostile, ::testing::ValuesIn(cases()),
                         [](const auto& info) {
                           return info.param.crime.name + std::string("Quantum") +
                                  std::to_string(info.param.quantum / ns(1)) + "ns";
                         });

TEST(NetDeviceHostileHeaders, AreLostPacketsAndNoMore) {
  NetRig rig;
  rig.run([&] {
    rig.set_up();
    rig.start(kMac | kStatus | kCsum | kHostTso4);
    const auto header = [](std::uint8_t flags, std::uint8_t gso, unsigned mss, unsigned start,
                           unsigned offset) {
      std::vector<std::uint8_t> bytes(12);
      bytes[0] = flags;
      bytes[1] = gso;
      store_le16(&bytes[4], static_cast<std::uint16_t>(mss));
      store_le16(&bytes[6], static_cast<std::uint16_t>(start));
      store_le16(&bytes[8], static_cast<std::uint16_t>(offset));
      return bytes;
    };
    rig.put(0, frame_of(100), header(1, 0, 0, 90, 60));  // checksum outside
    rig.put(0, frame_of(100), header(1, 0, 0, 65535, 65535));
    rig.put(0, frame_of(100), header(1, 1, 1000, 34, 16));  // not TCP
    rig.put(0, frame_of(100), header(1, 1, 0, 34, 16));     // no payload
    rig.put(0, frame_of(100), header(1, 4, 1000, 34, 16));  // not agreed on
    rig.put(0, frame_of(100), header(1, 7, 1000, 34, 16));  // unknown
    rig.put(0, frame_of(100), header(0, 1, 1000, 34, 16));  // without checksum
    rig.put(0, Frame(13));                                  // no Ethernet header
    rig.put(0, frame_of(17000));                            // longer than any frame
    rig.put(0, frame_of(70000));                            // longer than any packet
    rig.put(0, frame_of(100));
    ASSERT_TRUE(rig.wait_until([&] { return rig.far.received.size() == 1; }, us(200)));
    rig.wait_for(us(20));
    EXPECT_EQ(rig.nic.drops(NetDrop::kTxMalformed), 10U);
    EXPECT_EQ(rig.reap_sent(0), 11U);
    EXPECT_EQ(rig.nic.fault(), "");
  });
}

TEST(NetDeviceHostileBuffers, TooSmallOnesCostTheFrame) {
  NetRig rig;
  rig.run([&] {
    rig.set_up();
    rig.start(kMac | kStatus);
    rig.supply(0, 4, 500);
    ASSERT_TRUE(rig.wait_until([&] { return rig.far.nic_ready(); }, us(50)));
    rig.far.send(frame_of(1000));
    rig.far.send(frame_of(400));
    ASSERT_TRUE(rig.wait_until([&] { return rig.rx_frames() == 1; }, us(100)));
    EXPECT_EQ(rig.nic.drops(NetDrop::kRxTooLong), 1U);
    rig.wait_for(us(10));
    EXPECT_EQ(rig.reap(0), std::vector<Frame>{frame_of(400)});
  });
}

TEST(NetDeviceHostileBuffers, AWholeRingOfTinyOnesDoesNotBlock) {
  NetRigOptions options;
  options.device.queue_size = 8;
  NetRig rig(options);
  rig.run([&] {
    rig.set_up();
    rig.start(kMac | kStatus | kMergeableBuffers);
    rig.supply(0, 8, 20);
    ASSERT_TRUE(rig.wait_until([&] { return rig.far.nic_ready(); }, us(50)));
    rig.far.send(frame_of(1000));
    rig.far.send(frame_of(100));
    ASSERT_TRUE(rig.wait_until([&] { return rig.rx_frames() == 1; }, us(100)));
    EXPECT_EQ(rig.nic.drops(NetDrop::kRxTooLong), 1U);
    rig.wait_for(us(10));
    EXPECT_EQ(rig.reap(0), std::vector<Frame>{frame_of(100)});
  });
}

/// Rings, descriptors and buffers of random bytes, and random accesses to registers.
TEST(NetDeviceHostileNoise, LeavesTheSimulationAlone) {
  NetRigOptions options;
  options.device.queue_pairs = 2;
  options.quantum = us(1);
  NetRig rig(options);
  rig.run([&] {
    rig.set_up();
    std::mt19937 random(4711);
    const auto below = [&](unsigned n) { return static_cast<unsigned>(random() % n); };
    for (unsigned round = 0; round < 300; ++round) {
      std::uint64_t features = rig.offered();
      if (below(3) == 0) features &= ~kEventIndex;
      if (below(3) == 0) features &= ~(kGuestTso4 | kGuestTso6 | kGuestEcn);
      rig.start(features, 2);
      for (unsigned queue = 0; queue < 5; ++queue) {
        const SplitLayout layout = rig.layout_of(queue);
        std::uint8_t* const table = &rig.ram.bytes()[layout.descriptors];
        for (unsigned i = 0; i < 16; ++i) {
          Descriptor d;
          d.address = below(20) == 0 ? random() : 0x400000 + below(0x10000);
          d.length = below(20) == 0 ? random() : 1 + below(2000);
          d.flags = static_cast<std::uint16_t>(below(10) == 0 ? below(8) : queue % 2 == 0 ? 2 : 0);
          d.next = static_cast<std::uint16_t>(below(20));
          d.encode(table + 16 * i);
        }
        std::uint8_t* const available = &rig.ram.bytes()[layout.available];
        for (unsigned i = 0; i < 16; ++i) {
          store_le16(available + 4 + 2 * i, static_cast<std::uint16_t>(below(below(9) ? 16 : 300)));
        }
        store_le16(available + 2, static_cast<std::uint16_t>(below(30) == 0 ? 999 : below(17)));
        rig.notify(queue);
      }
      for (unsigned i = 0; i < 200; ++i) {
        rig.ram.bytes()[0x400000 + below(0x10000)] = static_cast<std::uint8_t>(below(6));
      }
      for (unsigned i = 0; i < 8; ++i) rig.far.send(frame_of(60 + below(1400), i), below(4));
      rig.wait_for(us(5 + below(40)));
      if (below(4) == 0) {
        for (unsigned i = 0; i < 20; ++i) rig.write(4 * below(0x1000), random());
      }
    }
    rig.set_status(0);
    ASSERT_TRUE(rig.wait_until([&] { return rig.far.end().in_flight() == 0; }, ms(100)));
    EXPECT_EQ(rig.rx_frames() + rig.drops_of("rx"), rig.far.sent);
    EXPECT_EQ(rig.tx_frames(), rig.far.received.size());
    rig.set_up();
    rig.start(kUsual);
    rig.supply(0, 4);
    rig.put(0, frame_of(100));
    const std::size_t before = rig.far.received.size();
    EXPECT_TRUE(rig.wait_until([&] { return rig.far.received.size() == before + 1; }, us(100)));
  });
}

}  // namespace
}  // namespace e1000tlm::virtio::test
