/// Split virtqueues: both sides together, and the device against drivers that break the rules.

#include "e1000tlm/virtio/split_ring.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include <gtest/gtest.h>

namespace {

using namespace e1000tlm;
using namespace e1000tlm::virtio;
using Pop = DeviceQueue::Pop;
using Reap = DriverQueue::Reap;
using Data = std::vector<std::uint8_t>;

constexpr std::uint64_t kBase = 0x10000;
constexpr std::uint64_t kBuffers = kBase + 0x4000;
constexpr std::uint16_t kSize = 8;

struct Queues {
  explicit Queues(const RingOptions& options = {}, std::uint16_t size = kSize)
      : layout(SplitLayout::at(kBase, size)) {
    memory.add(kBase, bytes);
    EXPECT_TRUE(driver.start(layout, options));
    EXPECT_TRUE(device.start(layout, options));
  }

  /// Writes a descriptor as a driver without manners would.
  void descriptor(std::uint16_t index, const Descriptor& d) {
    d.encode(&bytes[layout.descriptors - kBase + 16U * index]);
  }
  void indirect(std::uint64_t address, std::uint16_t index, const Descriptor& d) {
    d.encode(&bytes[address - kBase + 16U * index]);
  }
  /// Names chains as available.
  void available(const std::vector<std::uint16_t>& heads, std::uint16_t index) {
    std::uint8_t* const ring = &bytes[layout.available - kBase];
    for (std::size_t i = 0; i < heads.size(); ++i) store_le16(ring + 4 + 2 * i, heads[i]);
    store_le16(ring + 2, index);
  }
  RingFault fault_of(const std::vector<Descriptor>& table, std::uint16_t head = 0) {
    for (std::size_t i = 0; i < table.size(); ++i) {
      descriptor(static_cast<std::uint16_t>(i), table[i]);
    }
    available({head}, 1);
    DeviceQueue::Chain chain;
    return device.pop(chain) == Pop::kBroken ? device.fault() : RingFault::kNone;
  }

  Data bytes = Data(0x8000);
  MappedMemory memory;
  SplitLayout layout;
  DriverQueue driver{memory};
  DeviceQueue device{memory};
  DeviceQueue::Chain chain;
  DriverQueue::Used used;
};

constexpr std::uint16_t N = Descriptor::kNext, W = Descriptor::kWrite, I = Descriptor::kIndirect;

TEST(SplitLayout, PartsStandOneAfterTheOther) {
  const auto layout = SplitLayout::at(0x1000, 256);
  EXPECT_EQ(layout.descriptors, 0x1000U);
  EXPECT_EQ(layout.available, 0x2000U);
  EXPECT_EQ(layout.used, 0x2240U);
  EXPECT_EQ(SplitLayout::end_of(0x1000, 256), 0x2A80U);
  EXPECT_EQ(layout.problem(), "");
}

TEST(SplitLayout, SaysWhatIsImpossible) {
  const auto problem = [](std::uint16_t size, std::uint64_t d, std::uint64_t a, std::uint64_t u) {
    return SplitLayout{size, d, a, u}.problem();
  };
  EXPECT_EQ(problem(3, 0, 0, 0), "a queue has 1 to 32768 descriptors, a power of two, not 3");
  EXPECT_EQ(problem(0, 0, 0, 0), "a queue has 1 to 32768 descriptors, a power of two, not 0");
  EXPECT_EQ(problem(4, 8, 0, 0), "the descriptor table is not at a multiple of 16");
  EXPECT_EQ(problem(4, 16, 1, 0), "the available ring is not at a multiple of 2");
  EXPECT_EQ(problem(4, 16, 2, 2), "the used ring is not at a multiple of 4");
  EXPECT_EQ(problem(4, 16, 2, ~std::uint64_t{3}), "a part of the queue ends beyond 2^64");
  EXPECT_EQ(problem(0x8000, 0, 0, 0), "");
}

TEST(SplitRing, BuffersGoThereAndComeBack) {
  Queues q;
  std::iota(q.bytes.begin() + 0x4000, q.bytes.begin() + 0x4010, std::uint8_t{1});
  const DriverQueue::Buffer pieces[] = {
      {kBuffers, 4, false}, {kBuffers + 4, 6, false}, {kBuffers + 0x100, 8, true}};
  const auto head = q.driver.add(pieces);
  ASSERT_TRUE(head);
  EXPECT_EQ(q.device.pop(q.chain), Pop::kEmpty) << "not published";
  EXPECT_TRUE(q.driver.publish()) << "wants a kick";
  EXPECT_FALSE(q.driver.publish()) << "nothing new";
  ASSERT_EQ(q.device.pop(q.chain), Pop::kChain);
  EXPECT_EQ(q.chain.head, *head);
  EXPECT_EQ(q.chain.readable_bytes, 10U);
  EXPECT_EQ(q.chain.writable_bytes, 8U);
  Data got(20);
  EXPECT_EQ(read_chain(q.memory, q.chain, 0, got), 10U);
  EXPECT_EQ(Data(got.begin(), got.begin() + 10), (Data{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}));
  EXPECT_EQ(read_chain(q.memory, q.chain, 5, Bytes(got).first(3)), 3U);
  EXPECT_EQ(got[0], 6);
  EXPECT_EQ(write_chain(q.memory, q.chain, 2, Data(20, 0xAB)), 6U);
  EXPECT_EQ(q.bytes[0x4101], 0);
  EXPECT_EQ(q.bytes[0x4102], 0xAB);
  EXPECT_EQ(q.bytes[0x4108], 0);
  EXPECT_EQ(q.driver.reap(q.used), Reap::kEmpty);
  EXPECT_TRUE(q.device.push(q.chain.head, 8));
  EXPECT_EQ(q.driver.reap(q.used), Reap::kEmpty) << "not published";
  EXPECT_TRUE(q.device.publish()) << "wants a call";
  ASSERT_EQ(q.driver.reap(q.used), Reap::kUsed);
  EXPECT_EQ(q.used.head, *head);
  EXPECT_EQ(q.used.written, 8U);
  EXPECT_EQ(q.driver.free(), kSize);
}

TEST(SplitRing, GoesRoundManyTimesOutOfOrder) {
  for (const bool event_index : {false, true}) {
    RingOptions options;
    options.event_index = event_index;
    Queues q(options);
    const DriverQueue::Buffer one[] = {{kBuffers, 64, true}};
    for (int round = 0; round < 70000 / 3; ++round) {
      std::vector<std::uint16_t> heads;
      for (int i = 0; i < 3; ++i) heads.push_back(q.driver.add(one).value());
      q.driver.publish();
      std::vector<std::uint16_t> popped;
      while (q.device.pop(q.chain) == Pop::kChain) popped.push_back(q.chain.head);
      ASSERT_EQ(popped, heads);
      for (int i = 2; i >= 0; --i)
        ASSERT_TRUE(q.device.push(heads[static_cast<std::size_t>(i)], 5));
      q.device.publish();
      for (int i = 2; i >= 0; --i) {
        ASSERT_EQ(q.driver.reap(q.used), Reap::kUsed);
        ASSERT_EQ(q.used.head, heads[static_cast<std::size_t>(i)]);
      }
      ASSERT_EQ(q.driver.reap(q.used), Reap::kEmpty);
      ASSERT_EQ(q.driver.free(), kSize);
    }
  }
}

TEST(SplitRing, FullQueueTakesNoMore) {
  Queues q;
  const DriverQueue::Buffer three[] = {
      {kBuffers, 1, false}, {kBuffers, 1, false}, {kBuffers, 1, false}};
  EXPECT_TRUE(q.driver.add(three));
  EXPECT_TRUE(q.driver.add(three));
  EXPECT_FALSE(q.driver.add(three));
  EXPECT_EQ(q.driver.free(), 2);
  EXPECT_EQ(q.driver.fault(), RingFault::kNone);
}

TEST(SplitRing, FlagsSuppressKicksAndCalls) {
  Queues q;
  const DriverQueue::Buffer one[] = {{kBuffers, 64, true}};
  q.device.disable_kicks();
  q.driver.add(one);
  EXPECT_FALSE(q.driver.publish());
  EXPECT_TRUE(q.device.enable_kicks()) << "one came meanwhile";
  q.driver.disable_calls();
  ASSERT_EQ(q.device.pop(q.chain), Pop::kChain);
  EXPECT_FALSE(q.device.enable_kicks());
  q.device.push(q.chain.head, 1);
  EXPECT_FALSE(q.device.publish());
  EXPECT_TRUE(q.driver.enable_calls()) << "one came meanwhile";
  q.driver.add(one);
  EXPECT_TRUE(q.driver.publish());
}

TEST(SplitRing, EventIndicesAskForOneNotice) {
  RingOptions options;
  options.event_index = true;
  Queues q(options);
  const DriverQueue::Buffer one[] = {{kBuffers, 64, true}};
  q.driver.add(one);
  EXPECT_TRUE(q.driver.publish()) << "the device waits for the first";
  q.driver.add(one);
  EXPECT_FALSE(q.driver.publish()) << "it has been told and not yet looked";
  ASSERT_EQ(q.device.pop(q.chain), Pop::kChain);
  q.device.push(q.chain.head, 1);
  EXPECT_TRUE(q.device.publish()) << "the driver waits for the first";
  ASSERT_EQ(q.device.pop(q.chain), Pop::kChain);
  q.device.push(q.chain.head, 1);
  EXPECT_FALSE(q.device.publish());
  ASSERT_EQ(q.device.pop(q.chain), Pop::kEmpty);
  q.driver.add(one);
  EXPECT_TRUE(q.driver.publish()) << "the device found nothing and waits again";
  while (q.driver.reap(q.used) == Reap::kUsed) {
  }
  ASSERT_EQ(q.device.pop(q.chain), Pop::kChain);
  q.device.push(q.chain.head, 1);
  EXPECT_TRUE(q.device.publish()) << "the driver found nothing and waits again";
}

/// Buffers that the device has to give back until it calls.
unsigned buffers_until_called(Queues& q) {
  unsigned buffers = 0;
  while (q.device.pop(q.chain) == Pop::kChain) {
    ++buffers;
    q.device.push(q.chain.head, 1);
    if (q.device.publish()) return buffers;
  }
  return 0;
}

TEST(SplitRing, ACallIsRequestedForTheNextBufferOrForMostOfThem) {
  const DriverQueue::Buffer one[] = {{kBuffers, 64, true}};
  for (const bool late : {false, true}) {
    RingOptions options;
    options.event_index = true;
    Queues q(options);
    q.driver.disable_calls();
    for (int i = 0; i < kSize; ++i) q.driver.add(one);
    q.driver.publish();
    EXPECT_FALSE(q.driver.request_call(late));
    EXPECT_EQ(buffers_until_called(q), late ? kSize * 3U / 4 + 1 : 1U);
    while (q.driver.reap(q.used) == Reap::kUsed) {
    }
    EXPECT_EQ(buffers_until_called(q), 0U) << "one call only";
  }
}

TEST(SplitRing, ARequestSaysWhatHasComeMeanwhile) {
  const DriverQueue::Buffer one[] = {{kBuffers, 64, true}};
  for (const bool event_index : {false, true}) {
    RingOptions options;
    options.event_index = event_index;
    Queues q(options);
    q.driver.disable_calls();
    for (int i = 0; i < 4; ++i) q.driver.add(one);
    q.driver.publish();
    ASSERT_EQ(q.device.pop(q.chain), Pop::kChain);
    q.device.push(q.chain.head, 1);
    q.device.publish();
    EXPECT_TRUE(q.driver.request_call(false));
    EXPECT_EQ(q.driver.request_call(true), !event_index) << "three more are to come";
    EXPECT_EQ(buffers_until_called(q), event_index ? 3U : 1U);
  }
}

TEST(SplitRing, IndirectBuffersTakeOneDescriptor) {
  RingOptions options;
  options.indirect = true;
  Queues q(options);
  const DriverQueue::Buffer pieces[] = {
      {kBuffers, 4, false}, {kBuffers + 4, 6, false}, {kBuffers + 0x100, 8, true}};
  for (unsigned i = 0; i < kSize; ++i) {
    ASSERT_TRUE(q.driver.add_indirect(pieces, kBuffers + 0x200 + 64U * i));
  }
  EXPECT_FALSE(q.driver.add_indirect(pieces, kBuffers + 0x800)) << "full";
  EXPECT_EQ(q.driver.fault(), RingFault::kNone);
  q.driver.publish();
  for (unsigned i = 0; i < kSize; ++i) {
    ASSERT_EQ(q.device.pop(q.chain), Pop::kChain);
    EXPECT_EQ(q.chain.readable.size(), 2U);
    EXPECT_EQ(q.chain.readable_bytes, 10U);
    EXPECT_EQ(q.chain.writable_bytes, 8U);
    EXPECT_TRUE(q.device.push(q.chain.head, 8));
  }
  q.device.publish();
  for (unsigned i = 0; i < kSize; ++i) ASSERT_EQ(q.driver.reap(q.used), Reap::kUsed);
  EXPECT_EQ(q.driver.free(), kSize);
}

TEST(SplitRing, IndirectBuffersAreOnlyMadeWhenAgreedOn) {
  Queues q;
  const DriverQueue::Buffer one[] = {{kBuffers, 64, true}};
  EXPECT_FALSE(q.driver.add_indirect(one, kBuffers + 0x200));
}

TEST(SplitRing, StoppedDeviceGoesOnWhereItWas) {
  Queues q;
  const DriverQueue::Buffer one[] = {{kBuffers, 64, true}};
  for (int i = 0; i < 3; ++i) q.driver.add(one);
  q.driver.publish();
  ASSERT_EQ(q.device.pop(q.chain), Pop::kChain);
  q.device.push(q.chain.head, 1);
  q.device.publish();
  ASSERT_EQ(q.device.pop(q.chain), Pop::kChain);
  q.device.undo_pop();
  const std::uint16_t base = q.device.stop();
  EXPECT_EQ(base, 1);
  EXPECT_EQ(q.device.pop(q.chain), Pop::kBroken);
  DeviceQueue next(q.memory);
  ASSERT_TRUE(next.start(q.layout, {}, base));
  for (int i = 0; i < 2; ++i) {
    ASSERT_EQ(next.pop(q.chain), Pop::kChain);
    next.push(q.chain.head, 2);
  }
  next.publish();
  for (int i = 0; i < 3; ++i) ASSERT_EQ(q.driver.reap(q.used), Reap::kUsed);
  EXPECT_EQ(q.driver.reap(q.used), Reap::kEmpty);
}

TEST(SplitRing, IndirectTablesAfterOrdinaryPieces) {
  RingOptions options;
  options.indirect = true;
  Queues q(options);
  const std::uint64_t table = kBuffers + 0x1000;
  q.descriptor(0, {kBuffers, 10, N, 5});
  q.descriptor(5, {table, 48, I, 0});
  q.indirect(table, 0, {kBuffers + 0x100, 20, N, 2});
  q.indirect(table, 2, {kBuffers + 0x200, 30, static_cast<std::uint16_t>(N | W), 1});
  q.indirect(table, 1, {kBuffers + 0x300, 40, W, 0});
  q.available({0}, 1);
  ASSERT_EQ(q.device.pop(q.chain), Pop::kChain);
  EXPECT_EQ(q.chain.readable_bytes, 30U);
  EXPECT_EQ(q.chain.writable_bytes, 70U);
  EXPECT_EQ(q.chain.writable[1].address, kBuffers + 0x300);
}

TEST(SplitRing, IndirectTablesThatBreakTheRules) {
  RingOptions options;
  options.indirect = true;
  const std::uint64_t table = kBuffers;
  const Descriptor entry{table, 32, I, 0};
  EXPECT_EQ(Queues().fault_of({entry}), RingFault::kIndirectRefused);
  EXPECT_EQ(Queues(options).fault_of({{table, 32, static_cast<std::uint16_t>(I | N), 1}, {}}),
            RingFault::kIndirectContinued);
  EXPECT_EQ(Queues(options).fault_of({{table, 0, I, 0}}), RingFault::kIndirectSize);
  EXPECT_EQ(Queues(options).fault_of({{table, 24, I, 0}}), RingFault::kIndirectSize);
  EXPECT_EQ(Queues(options).fault_of({{~std::uint64_t{0}, 32, I, 0}}), RingFault::kWraps);
  EXPECT_EQ(Queues(options).fault_of({{0x9999'0000, 32, I, 0}}), RingFault::kNoMemory);
  const auto with = [&](const Descriptor& a, const Descriptor& b) {
    Queues q(options);
    q.indirect(table, 0, a);
    q.indirect(table, 1, b);
    return q.fault_of({entry});
  };
  EXPECT_EQ(with({table, 16, I, 0}, {}), RingFault::kIndirectNested);
  EXPECT_EQ(with({kBuffers, 1, N, 1}, {kBuffers, 1, N, 0}), RingFault::kLoop);
  EXPECT_EQ(with({kBuffers, 1, N, 2}, {}), RingFault::kBadNext);
  EXPECT_EQ(with({kBuffers, 1, 0, 0}, {}), RingFault::kNone);
  // The queue's own table as an indirect one: its entries are not indirect a second time.
  EXPECT_EQ(Queues(options).fault_of({{kBase, 16 * kSize, I, 0}}), RingFault::kIndirectNested);
}

TEST(SplitRing, LongIndirectTablesAreCutOff) {
  RingOptions options;
  options.indirect = true;
  options.most_pieces = 16;
  for (const std::uint16_t pieces : {16, 17}) {
    Queues q(options);
    for (std::uint16_t i = 0; i < pieces; ++i) {
      const bool last = i + 1 == pieces;
      q.indirect(kBuffers, i,
                 {kBuffers, 1, last ? std::uint16_t{0} : N, static_cast<std::uint16_t>(i + 1)});
    }
    EXPECT_EQ(q.fault_of({{kBuffers, 16U * pieces, I, 0}}),
              pieces == 16 ? RingFault::kNone : RingFault::kTooLong);
  }
}

TEST(SplitRing, ChainsThatBreakTheRules) {
  const Descriptor good{kBuffers, 4, 0, 0};
  EXPECT_EQ(Queues().fault_of({good}), RingFault::kNone);
  EXPECT_EQ(Queues().fault_of({good}, kSize), RingFault::kBadHead);
  EXPECT_EQ(Queues().fault_of({good}, 0xFFFF), RingFault::kBadHead);
  EXPECT_EQ(Queues().fault_of({{kBuffers, 4, N, kSize}}), RingFault::kBadNext);
  EXPECT_EQ(Queues().fault_of({{kBuffers, 4, N, 0}}), RingFault::kLoop);
  EXPECT_EQ(Queues().fault_of({{kBuffers, 4, N, 1}, {kBuffers, 4, N, 0}}), RingFault::kLoop);
  EXPECT_EQ(Queues().fault_of({{kBuffers, 0, 0, 0}}), RingFault::kZeroLength);
  EXPECT_EQ(Queues().fault_of({{~std::uint64_t{0}, 2, 0, 0}}), RingFault::kWraps);
  EXPECT_EQ(Queues().fault_of({{kBuffers, 4, static_cast<std::uint16_t>(N | W), 1}, good}),
            RingFault::kReadAfterWrite);
  EXPECT_EQ(Queues().fault_of({{0, 0xFFFF'FFFF, N, 1}, {0, 1, 0, 0}}), RingFault::kTooLong);
}

TEST(SplitRing, PiecesOutsideOfMemoryAreNotTouched) {
  Queues q;
  q.descriptor(0, {kBuffers, 4, static_cast<std::uint16_t>(N | W), 1});
  q.descriptor(1, {kBase + 0x7FFE, 4, W, 0});
  q.available({0}, 1);
  ASSERT_EQ(q.device.pop(q.chain), Pop::kChain);
  EXPECT_EQ(write_chain(q.memory, q.chain, 0, Data(8, 0xFF)), std::nullopt);
  EXPECT_EQ(q.bytes[0x7FFE], 0);
  EXPECT_EQ(write_chain(q.memory, q.chain, 0, Data(4, 0xFF)), 4U);
}

TEST(SplitRing, IndexThatJumps) {
  Queues q;
  q.descriptor(0, {kBuffers, 4, 0, 0});
  q.available({0, 0, 0, 0, 0, 0, 0, 0}, kSize + 1);
  EXPECT_EQ(q.device.pop(q.chain), Pop::kBroken);
  EXPECT_EQ(q.device.fault(), RingFault::kIndexJump);
  EXPECT_FALSE(q.device.publish());
  EXPECT_FALSE(q.device.push(0, 0));
  EXPECT_FALSE(q.device.enable_kicks());
  q.available({}, kSize);
  EXPECT_EQ(q.device.pop(q.chain), Pop::kBroken) << "until it is started again";
  ASSERT_TRUE(q.device.start(q.layout, {}));
  EXPECT_EQ(q.device.pop(q.chain), Pop::kChain);
}

TEST(SplitRing, MoreChainsThanDescriptors) {
  Queues q;
  q.descriptor(0, {kBuffers, 4, 0, 0});
  q.available({0, 0, 0, 0, 0, 0, 0, 0}, kSize);
  for (int i = 0; i < kSize; ++i) ASSERT_EQ(q.device.pop(q.chain), Pop::kChain);
  q.available({}, kSize + 1);
  EXPECT_EQ(q.device.pop(q.chain), Pop::kBroken);
  EXPECT_EQ(q.device.fault(), RingFault::kTwice);
}

TEST(SplitRing, QueueOutsideOfMemory) {
  MappedMemory memory;
  Data bytes(64);
  memory.add(kBase, bytes);
  DeviceQueue device(memory);
  EXPECT_FALSE(device.start(SplitLayout::at(kBase, 8), {}));
  EXPECT_EQ(device.fault(), RingFault::kNoMemory);
  EXPECT_FALSE(device.start({3, kBase, kBase, kBase}, {}));
  EXPECT_EQ(device.fault(), RingFault::kBadLayout);
  DriverQueue driver(memory);
  EXPECT_FALSE(driver.start(SplitLayout::at(kBase, 8), {}));
  EXPECT_EQ(driver.fault(), RingFault::kNoMemory);
}

struct UsedElement {
  std::uint32_t id, written;
};
RingFault after_used(const std::vector<UsedElement>& elements, std::uint16_t index) {
  Queues q;
  const DriverQueue::Buffer pieces[] = {{kBuffers, 4, false}, {kBuffers, 8, true}};
  EXPECT_TRUE(q.driver.add(pieces));
  EXPECT_TRUE(q.driver.add(pieces));
  q.driver.publish();
  std::uint8_t* const ring = &q.bytes[q.layout.used - kBase];
  for (std::size_t i = 0; i < elements.size(); ++i) {
    store_le32(ring + 4 + 8 * i, elements[i].id);
    store_le32(ring + 8 + 8 * i, elements[i].written);
  }
  store_le16(ring + 2, index);
  while (q.driver.reap(q.used) == Reap::kUsed) {
  }
  return q.driver.fault();
}

TEST(SplitRing, DevicesThatBreakTheRules) {
  EXPECT_EQ(after_used({{0, 8}, {2, 0}}, 2), RingFault::kNone);
  EXPECT_EQ(after_used({{0, 8}, {2, 0}}, 3), RingFault::kIndexJump);
  EXPECT_EQ(after_used({{0, 8}, {0, 0}}, 2), RingFault::kBadUsed) << "twice the same";
  EXPECT_EQ(after_used({{1, 8}}, 1), RingFault::kBadUsed) << "no head of a chain";
  EXPECT_EQ(after_used({{4, 8}}, 1), RingFault::kBadUsed) << "not with the device";
  EXPECT_EQ(after_used({{kSize, 8}}, 1), RingFault::kBadUsed);
  EXPECT_EQ(after_used({{0xFFFF'0000, 8}}, 1), RingFault::kBadUsed);
  EXPECT_EQ(after_used({{0, 9}}, 1), RingFault::kBadUsedLength);
}

TEST(SplitRing, WrittenLengthOfWhatCanOnlyBeReadIsNotHeeded) {
  Queues q;
  const DriverQueue::Buffer one[] = {{kBuffers, 4, false}};
  q.driver.add(one);
  q.driver.publish();
  ASSERT_EQ(q.device.pop(q.chain), Pop::kChain);
  q.device.push(q.chain.head, 4);
  q.device.publish();
  ASSERT_EQ(q.driver.reap(q.used), Reap::kUsed);
  EXPECT_EQ(q.used.written, 0U);
}

TEST(RingFaults, HaveTexts) {
  EXPECT_STREQ(to_string(RingFault::kLoop), "a chain is longer than its table");
  EXPECT_STREQ(to_string(RingFault::kBadUsedLength), "more was written than there was room for");
}

}  // namespace
