/// What has broken other virtio devices, tried on this one: each test is named after the entry of
/// the list of vulnerabilities (CVE), or says what the driver does. The device finds the fault, and
/// no memory but the driver's own is touched.

#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "e1000tlm/link/virtio_header.h"
#include "e1000tlm/virtio/control_unit.h"
#include "e1000tlm/virtio/packet_header.h"
#include "e1000tlm/virtio/transport.h"

#include "packets.h"

namespace {

using namespace e1000tlm;
using namespace e1000tlm::virtio;
using Pop = DeviceQueue::Pop;
using Octets = std::vector<std::uint8_t>;

constexpr std::uint64_t kBase = 0x10000;
constexpr std::size_t kMemory = 0x4000, kGuard = 0x1000;
constexpr std::uint16_t kSize = 8;
constexpr std::uint16_t N = Descriptor::kNext, W = Descriptor::kWrite, I = Descriptor::kIndirect;

/// A queue in memory, and before and behind that what nobody may touch.
struct Guarded : ::testing::Test {
  Guarded() {
    memory.add(kBase, Bytes(all.data() + kGuard, kMemory));
    std::fill(all.begin() + kGuard, all.end() - kGuard, std::uint8_t{0});
    start({});
  }
  ~Guarded() override {
    const auto touched = [](std::uint8_t byte) { return byte != 0xC5; };
    EXPECT_EQ(std::count_if(all.begin(), all.begin() + kGuard, touched), 0);
    EXPECT_EQ(std::count_if(all.end() - kGuard, all.end(), touched), 0);
  }
  void start(const RingOptions& options) { EXPECT_TRUE(device.start(layout, options)); }
  std::uint8_t* at(std::uint64_t address) { return &all[kGuard + (address - kBase)]; }
  void table(std::uint64_t address, const std::vector<Descriptor>& descriptors) {
    for (std::size_t i = 0; i < descriptors.size(); ++i) {
      descriptors[i].encode(at(address + 16 * i));
    }
  }
  void available(std::uint16_t index, std::uint16_t head = 0) {
    for (std::uint16_t i = 0; i < kSize; ++i) store_le16(at(layout.available + 4 + 2U * i), head);
    store_le16(at(layout.available + 2), index);
  }
  /// What the device finds in a chain that begins with the first of these.
  RingFault fault_of(const std::vector<Descriptor>& descriptors) {
    table(layout.descriptors, descriptors);
    available(1);
    return device.pop(chain) == Pop::kBroken ? device.fault() : RingFault::kNone;
  }

  Octets all = Octets(kMemory + 2 * kGuard, 0xC5);
  MappedMemory memory;
  SplitLayout layout = SplitLayout::at(kBase, kSize);
  DeviceQueue device{memory};
  DeviceQueue::Chain chain;
};
using VirtqueueCve = Guarded;
using VirtqueueAttack = Guarded;

constexpr std::uint64_t kBuffer = kBase + 0x1000, kTable = kBase + 0x2000;

// QEMU: more pieces in an indirect table than the array for them has room for.
TEST_F(VirtqueueCve, CVE_2011_2212_IndirectTableWithTooManyPieces) {
  start({false, true, 64});
  std::vector<Descriptor> pieces(100, Descriptor{kBuffer, 1, N, 0});
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    pieces[i].next = static_cast<std::uint16_t>(i + 1);
  }
  pieces.back().flags = 0;
  table(kTable, pieces);
  EXPECT_EQ(fault_of({{kTable, 1600, I, 0}}), RingFault::kTooLong);
  EXPECT_LE(chain.readable.size(), 64U);
}

// QEMU: more requests than the queue has descriptors, none of them finished, and memory for each.
TEST_F(VirtqueueCve, CVE_2016_5403_MoreRequestsThanDescriptors) {
  table(layout.descriptors, {{kBuffer, 16, 0, 0}});
  available(kSize);
  for (int i = 0; i < kSize; ++i) EXPECT_EQ(device.pop(chain), Pop::kChain);
  available(kSize + 1);
  EXPECT_EQ(device.pop(chain), Pop::kBroken);
  EXPECT_EQ(device.fault(), RingFault::kTwice);
}

// QEMU: mapping a piece of no bytes went on for ever.
TEST_F(VirtqueueCve, CVE_2016_6490_PieceWithoutBytes) {
  EXPECT_EQ(fault_of({{kBuffer, 0, 0, 0}}), RingFault::kZeroLength);
}

// QEMU: the header's buffer lies outside of memory; what had been mapped was used after its end.
TEST_F(VirtqueueCve, CVE_2021_3748_HeaderOutsideOfMemory) {
  EXPECT_EQ(fault_of({{kBase + kMemory, 12, W | N, 1}, {kBuffer, 100, W, 0}}), RingFault::kNone);
  EXPECT_FALSE(write_chain(memory, chain, 0, Octets(50, 0xAA)));
  EXPECT_EQ(*at(kBuffer), 0) << "nothing behind it was written either";
}

// QEMU: with a hash in it the header was copied to where a shorter one has room.
TEST_F(VirtqueueCve, CVE_2023_6693_HeaderWithHash) {
  const std::uint64_t features = net::feature::kVersion1 | net::feature::kHashReport;
  ASSERT_EQ(net::header_bytes(features), net::header::kHashBytes);
  EXPECT_EQ(fault_of({{kBuffer, 20, N, 1}, {kBuffer + 64, 60, 0, 0}}), RingFault::kNone);
  Octets header(net::header_bytes(features) + 4, 0xC5);
  EXPECT_EQ(read_chain(memory, chain, 0, Bytes(header.data(), 20)), 20U);
  EXPECT_EQ(header[20], 0xC5);
  net::PacketHeader::decode(Bytes(header.data(), 20)).encode(Bytes(header.data(), 10));
  EXPECT_EQ(header[20], 0xC5);
}

// DPDK: a piece that begins in one region of memory and ends in another.
TEST_F(VirtqueueCve, CVE_2018_1059_PieceAcrossRegions) {
  Octets neighbour(0x1000, 0xC5);
  memory.add(kBase + kMemory, neighbour);
  EXPECT_EQ(fault_of({{kBase + kMemory - 8, 16, W, 0}}), RingFault::kNone);
  EXPECT_FALSE(write_chain(memory, chain, 0, Octets(16, 0xAA)));
  EXPECT_EQ(neighbour, Octets(0x1000, 0xC5));
  EXPECT_EQ(*at(kBase + kMemory - 1), 0);
}

// DPDK: a buffer where there is no memory.
TEST_F(VirtqueueCve, CVE_2020_10725_BufferThatIsNotThere) {
  EXPECT_EQ(fault_of({{0xFFFF'FFFF'0000, 64, 0, 0}}), RingFault::kNone);
  Octets data(64, 0xC5);
  EXPECT_FALSE(read_chain(memory, chain, 0, data));
}

// DPDK: a header in more than two pieces, and packets that end before their header does.
TEST_F(VirtqueueCve, CVE_2022_2132_HeaderInManyPieces) {
  std::vector<Descriptor> pieces;
  for (std::uint16_t i = 0; i < 6; ++i) {
    pieces.push_back({kBuffer + 2U * i, 2, N, static_cast<std::uint16_t>(i + 1)});
  }
  pieces.push_back({kBuffer + 12, 60, 0, 0});
  std::iota(at(kBuffer), at(kBuffer) + 72, std::uint8_t{0});
  EXPECT_EQ(fault_of(pieces), RingFault::kNone);
  Octets data(80, 0xC5);
  EXPECT_EQ(read_chain(memory, chain, 0, data), 72U);
  EXPECT_EQ(data[71], 71U);
  EXPECT_EQ(data[72], 0xC5U);
  start({});
  EXPECT_EQ(fault_of({{kBuffer, 5, 0, 0}}), RingFault::kNone);
  EXPECT_EQ(read_chain(memory, chain, 0, Bytes(data.data(), 12)), 5U) << "shorter than a header";
  EXPECT_EQ(read_chain(memory, chain, 12, data), 0U);
}

// DPDK: a checksum to be filled in beyond the packet's end.
TEST(PacketCve, CVE_2024_11614_ChecksumBeyondThePacket) {
  for (const auto& [start, offset] :
       {std::pair{0xFFFFU, 0U}, {60U, 0U}, {34U, 0xFFFFU}, {0xFFFFU, 0xFFFFU}, {34U, 25U}}) {
    net::PacketHeader header;
    header.flags = net::header::kNeedsCsum;
    header.checksum_start = static_cast<std::uint16_t>(start);
    header.checksum_offset = static_cast<std::uint16_t>(offset);
    Octets bytes(net::header::kBytes), frame(60, 0xC5);
    header.encode(bytes);
    link::OffloadFinisher finisher;
    EXPECT_FALSE(finisher.begin(bytes, frame)) << start << ' ' << offset;
    EXPECT_TRUE(finisher.next().empty());
    EXPECT_EQ(frame, Octets(60, 0xC5));
  }
}

// --- chains and rings without a number ---

TEST_F(VirtqueueAttack, ChainThatLoops) {
  EXPECT_EQ(fault_of({{kBuffer, 1, N, 1}, {kBuffer, 1, N, 0}}), RingFault::kLoop);
}

TEST_F(VirtqueueAttack, ChainLongerThanTheRing) {
  std::vector<Descriptor> pieces(kSize, Descriptor{kBuffer, 1, N, 0});
  for (std::uint16_t i = 0; i < kSize; ++i) pieces[i].next = static_cast<std::uint16_t>(i + 1);
  EXPECT_EQ(fault_of(pieces), RingFault::kBadNext) << "out of the table";
  start({});
  pieces.back().next = 0;
  EXPECT_EQ(fault_of(pieces), RingFault::kLoop);
}

TEST_F(VirtqueueAttack, IndirectTableThatLoops) {
  start({false, true});
  table(kTable, {{kBuffer, 1, N, 1}, {kBuffer, 1, N, 1}});
  EXPECT_EQ(fault_of({{kTable, 32, I, 0}}), RingFault::kLoop);
}

TEST_F(VirtqueueAttack, IndirectTableThatNamesItself) {
  start({false, true});
  table(kTable, {{kTable, 16, I, 0}});
  EXPECT_EQ(fault_of({{kTable, 16, I, 0}}), RingFault::kIndirectNested);
}

TEST_F(VirtqueueAttack, IndirectTableOfFourGigabytes) {
  start({false, true});
  EXPECT_EQ(fault_of({{kTable, 0xFFFF'FFF0, I, 0}}), RingFault::kZeroLength)
      << "it ends at its first entry, which is empty";
}

TEST_F(VirtqueueAttack, IndexThatJumps) {
  table(layout.descriptors, {{kBuffer, 1, 0, 0}});
  for (const std::uint16_t index :
       {std::uint16_t{kSize + 1}, std::uint16_t{0x8000}, std::uint16_t{0xFFFF}}) {
    available(0);
    start({});
    available(index);
    EXPECT_EQ(device.pop(chain), Pop::kBroken) << index;
    EXPECT_EQ(device.fault(), RingFault::kIndexJump);
  }
}

TEST_F(VirtqueueAttack, PiecesThatOverlap) {
  EXPECT_EQ(fault_of({{kBuffer, 8, W | N, 1}, {kBuffer + 4, 8, W, 0}}), RingFault::kNone);
  Octets data(32);
  std::iota(data.begin(), data.end(), std::uint8_t{1});
  EXPECT_EQ(write_chain(memory, chain, 0, data), 16U) << "as much as there is room for";
  EXPECT_EQ(Octets(at(kBuffer), at(kBuffer) + 13),
            (Octets{1, 2, 3, 4, 9, 10, 11, 12, 13, 14, 15, 16, 0}));
}

TEST_F(VirtqueueAttack, PiecesThatOverlapTheRings) {
  const auto whole = static_cast<std::uint32_t>(SplitLayout::end_of(kBase, kSize) - kBase);
  EXPECT_EQ(fault_of({{kBase, whole, W, 0}}), RingFault::kNone);
  EXPECT_EQ(write_chain(memory, chain, 0, Octets(whole, 0xFF)), whole);
  EXPECT_TRUE(device.push(chain.head, whole));
  device.publish();
  EXPECT_EQ(device.pop(chain), Pop::kBroken) << "the index is nonsense now";
  EXPECT_EQ(device.fault(), RingFault::kIndexJump);
}

TEST_F(VirtqueueAttack, UsedRingBeyondMemory) {
  layout.used = kBase + kMemory - 8;  // flags, index, and no room for an element
  start({});
  EXPECT_EQ(fault_of({{kBuffer, 1, W, 0}}), RingFault::kNone);
  EXPECT_FALSE(device.push(chain.head, 1));
  EXPECT_EQ(device.fault(), RingFault::kNoMemory);
}

TEST_F(VirtqueueAttack, UsedIndexAnywhereStaysInTheRing) {
  store_le16(at(layout.used + 2), 0xFFFF);
  start({});
  table(layout.descriptors, {{kBuffer, 1, W, 0}});
  for (std::uint16_t i = 1; i <= 3 * kSize; ++i) {
    available(i);
    ASSERT_EQ(device.pop(chain), Pop::kChain);
    ASSERT_TRUE(device.push(0, 1));
  }
  device.publish();
  EXPECT_EQ(*at(layout.used + SplitLayout::used_bytes(kSize)), 0) << "nothing behind the ring";
}

// --- registers ---

struct Quiet : DeviceModel, InterruptSink {
  std::uint64_t offered_features() const override { return ring_feature::kVersion1; }
  bool accept_features(std::uint64_t) override { return true; }
  void driver_ready() override {}
  void device_reset() override {}
  void queue_enabled(unsigned) override {}
  void queue_reset(unsigned) override {}
  void queue_notified(unsigned queue) override { notified.push_back(queue); }
  std::uint8_t config_byte(unsigned) const override { return 0; }
  void write_config(unsigned, std::uint8_t) override {}
  bool messages_enabled() const override { return true; }
  void send_message(unsigned) override {}
  void set_level(bool) override {}
  std::vector<unsigned> notified;
};

// QEMU: a notification of a queue whose number is negative.
TEST(TransportCve, CVE_2011_2512_NotificationOfNoQueue) {
  Quiet device;
  PciTransport transport({3, 256, 4, true}, device, device);
  for (const std::uint32_t queue : {3U, 0x7FFFU, 0x8000U, 0xFFFFU}) {
    transport.write_legacy(pci_layout::legacy::kQueueNotify, 2, queue);
  }
  for (std::uint32_t at = 12; at < pci_layout::kPartBytes; at += 4) {
    transport.write(pci_layout::kNotifyAt + at, 4, 0xFFFF'FFFF);
  }
  EXPECT_TRUE(device.notified.empty());
}

// Akin to CVE-2017-17381 of QEMU, which divided by an alignment that a driver had set to 0: there
// is no such register on PCI.
TEST(TransportAttack, QueueOfNoDescriptors) {
  Quiet device;
  PciTransport transport({3, 256, 4, true}, device, device);
  transport.write(pci_layout::common::kQueueSize, 2, 0);
  transport.write(pci_layout::common::kQueueEnable, 2, 1);
  EXPECT_FALSE(transport.queue(0).enabled);
  EXPECT_NE(transport.status() & device_status::kNeedsReset, 0);
}

// --- control commands ---

struct Commands : ::testing::Test {
  Commands() { unit.set_features(~0ULL); }
  net::ControlUnit unit{4, {2, 0, 0, 0, 0, 1}};
};
using ControlCve = Commands;

// QEMU: a number of addresses that times six is small again in 32 bits.
TEST_F(ControlCve, CVE_2014_0150_AddressesThatOverflow) {
  for (const std::uint32_t entries : {0x2AAA'AAABU, 0x4000'0000U, 0x8000'0000U, 0xFFFF'FFFFU}) {
    Octets command(6 + 64, 0);
    command[0] = net::control::kMac;
    command[1] = net::control::kMacTables;
    store_le32(&command[2], entries);
    EXPECT_EQ(unit.execute(command), net::control::kError) << entries;
    Octets second(10, 0);
    second[0] = net::control::kMac;
    store_le32(&second[6], entries);
    EXPECT_EQ(unit.execute(second), net::control::kError) << entries;
  }
  EXPECT_EQ(unit.filter().unicast_entries(), 0U);
}

// QEMU: an indirection table with pairs that do not exist.
TEST_F(ControlCve, CVE_2024_6505_TableWithPairsThatDoNotExist) {
  for (const unsigned pair : {4U, 16U, 0x7FFFU, 0xFFFFU}) {
    Octets command{net::control::kMultiQueue, net::control::kRssConfig, 1, 0, 0, 0, 0, 0, 0, 0};
    command.push_back(static_cast<std::uint8_t>(pair));
    command.push_back(static_cast<std::uint8_t>(pair >> 8));
    command.insert(command.end(), {4, 0, 40});
    command.insert(command.end(), 40, 1);
    EXPECT_EQ(unit.execute(command), net::control::kError);
    EXPECT_FALSE(unit.hash().steering());
    EXPECT_LT(unit.hash().pair(unit.hash()(net::test::packet({}))), 4U);
  }
}

TEST_F(ControlCve, RandomCommandsLeavePossibleValues) {
  std::uint32_t random = 1;
  const auto next = [&] { return random = random * 1664525 + 1013904223; };
  const Octets frame = net::test::packet({});
  for (int i = 0; i < 20000; ++i) {
    Octets command((next() >> 24) % 80);
    for (std::uint8_t& byte : command) byte = static_cast<std::uint8_t>(next() >> 24);
    if (command.size() > 1) {
      command[0] %= 6;
      command[1] %= 7;
    }
    unit.execute(command);
    ASSERT_GE(unit.pairs(), 1U);
    ASSERT_LE(unit.pairs(), 4U);
    ASSERT_LT(unit.hash().pair(unit.hash()(frame)), 4U);
    unit.filter().accepts(frame);
  }
  EXPECT_LT(unit.errors(), unit.commands());
}

}  // namespace
