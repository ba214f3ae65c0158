/// The path finder on events made by hand.
#include <vector>

#include <gtest/gtest.h>

#include "e1000tlm/e1000/registers/registers.h"
#include "e1000tlm/trace/frame_path.h"

namespace e1000tlm::trace {
namespace {

class Follow : public testing::Test {
 protected:
  Event at(Kind kind, Time from, Time to) {
    Event event;
    event.kind = kind;
    event.asked = event.at = from;
    event.end = to;
    return event;
  }
  void bus(Use use, Time asked, Time start, Time end) {
    Event event = at(Kind::kBus, start, end);
    event.asked = asked;
    event.use = use;
    finder(event);
  }
  void received(Time first, Time last, std::uint32_t bytes) {
    Event event = at(Kind::kReceived, last, last);
    event.asked = first;
    event.bytes = bytes;
    finder(event);
  }
  void filled(Time when, bool last = true) {
    Event event = at(Kind::kReceiveDescriptor, when, when);
    event.code = last ? kEndsPacket : 0;
    finder(event);
  }
  void interrupt(Time when, bool throttled = false) {
    Event event = at(Kind::kInterrupt, when, when);
    event.code = 1;
    event.bytes = throttled ? 1 : 0;
    finder(event);
  }
  void access(std::uint32_t offset, bool write, Time when) {
    Event event = at(Kind::kRegister, when - ns(1), when);
    event.value = offset;
    event.command = write ? pci::Command::kMemoryWrite : pci::Command::kMemoryRead;
    finder(event);
  }
  void doorbell(std::uint32_t before, Time when) {
    finder.tail(0, before, 256);
    access(e1000::reg::kTdt, true, when);
  }
  void descriptor(std::uint32_t index, std::uint32_t bytes, std::uint8_t code, Time when) {
    Event event = at(Kind::kTransmitDescriptor, when, when);
    event.value = index;
    event.bytes = bytes;
    event.code = code;
    finder(event);
  }
  void sent(std::uint32_t bytes, Time start, std::uint32_t headers = 14) {
    Event event = at(Kind::kWireOut, start, start + ns(8) * (bytes + 8));
    event.bytes = bytes;
    event.value = headers;
    finder(event);
  }
  /// Its descriptor is written back, and software looks.
  void completed(Time when) {
    bus(Use::kTransmitWriteBack, when, when, when + ns(100));
    access(e1000::reg::kIcr, false, when + us(1));
  }
  Time part(std::size_t path, Part which) {
    return paths.at(path).parts.at(static_cast<std::size_t>(which));
  }

  std::vector<FramePath> paths;
  PathFinder finder{[this](const FramePath& path) { paths.push_back(path); }};
};

TEST_F(Follow, AReceivedFrameThroughAllItsParts) {
  received(us(10), us(11), 100);
  bus(Use::kReceiveFetch, us(11), us(11), us(12));
  bus(Use::kReceiveData, us(12), us(13), us(15));
  filled(us(16));
  bus(Use::kReceiveWriteBack, us(18), us(19), us(21));
  interrupt(us(30));
  access(e1000::reg::kIcr, false, us(33));
  ASSERT_EQ(paths.size(), 1U);
  EXPECT_EQ(part(0, Part::kWire), us(1));
  EXPECT_EQ(part(0, Part::kFifoWait), kTimeZero);
  EXPECT_EQ(part(0, Part::kDescriptorWait), us(1));
  EXPECT_EQ(part(0, Part::kArbitration), us(1) + us(1));
  EXPECT_EQ(part(0, Part::kTransfer), us(2) + us(2));
  EXPECT_EQ(part(0, Part::kMemory), us(1));
  EXPECT_EQ(part(0, Part::kWriteBackWait), us(2));
  EXPECT_EQ(part(0, Part::kDelayTimer), us(9));
  EXPECT_EQ(part(0, Part::kThrottling), kTimeZero);
  EXPECT_EQ(part(0, Part::kInterruptLatency), us(3));
  EXPECT_EQ(paths[0].sum(), us(23));
  EXPECT_EQ(paths[0].end - paths[0].begin, us(23));
}

TEST_F(Follow, TheSecondOfTwoWaitsInTheFifo) {
  received(us(10), us(11), 100);
  received(us(11), us(12), 100);
  bus(Use::kReceiveData, us(11), us(11), us(14));
  filled(us(14));
  bus(Use::kReceiveWriteBack, us(14), us(14), us(15));
  bus(Use::kReceiveData, us(16), us(16), us(17));
  filled(us(17));
  bus(Use::kReceiveWriteBack, us(17), us(17), us(18));
  access(e1000::reg::kRdt, true, us(20));
  ASSERT_EQ(paths.size(), 2U);
  EXPECT_EQ(part(1, Part::kFifoWait), us(3)) << "until the engine was free";
  EXPECT_EQ(part(1, Part::kDescriptorWait), us(1));
  EXPECT_EQ(part(1, Part::kDelayTimer), kTimeZero) << "software looked by itself";
  EXPECT_EQ(part(1, Part::kInterruptLatency), us(2));
}

TEST_F(Follow, WhatItrHeldBackIsItsShare) {
  received(us(10), us(11), 100);
  bus(Use::kReceiveData, us(11), us(11), us(14));
  filled(us(14));
  bus(Use::kReceiveWriteBack, us(14), us(14), us(15));
  interrupt(us(40), true);
  access(e1000::reg::kIcr, false, us(41));
  ASSERT_EQ(paths.size(), 1U);
  EXPECT_EQ(part(0, Part::kThrottling), us(25));
  EXPECT_EQ(part(0, Part::kDelayTimer), kTimeZero);
}

TEST_F(Follow, SoftwareThatLookedBeforeTheWriteBackHasNotSeenTheFrame) {
  received(us(10), us(11), 100);
  bus(Use::kReceiveData, us(11), us(11), us(14));
  filled(us(14));
  bus(Use::kReceiveWriteBack, us(14), us(14), us(15));
  access(e1000::reg::kIcr, false, us(15));
  EXPECT_TRUE(paths.empty());
}

TEST_F(Follow, ASentFrameBeginsWithItsOwnDoorbell) {
  doorbell(0, us(1));   // to 2
  doorbell(2, us(5));   // to 4
  doorbell(4, us(90));  // to somewhere
  for (std::uint32_t i = 0; i < 4; ++i) {
    const Time begin = us(10 + 2 * static_cast<std::int64_t>(i));
    descriptor(i, 60, kEndsPacket, begin);
    bus(Use::kTransmitData, begin, begin, begin + us(1));
    sent(64, begin + us(1));
  }
  EXPECT_TRUE(paths.empty()) << "nobody was told";
  bus(Use::kTransmitWriteBack, us(20), us(21), us(23));
  interrupt(us(30));
  access(e1000::reg::kIcr, false, us(34));
  ASSERT_EQ(paths.size(), 4U);
  EXPECT_EQ(paths[0].end, us(34));
  EXPECT_EQ(paths[0].sent, us(11) + ns(8 * 72));
  EXPECT_EQ(part(0, Part::kWriteBackWait), us(20) - paths[0].sent);
  EXPECT_EQ(part(0, Part::kArbitration), us(1));
  EXPECT_EQ(part(0, Part::kDelayTimer), us(7));
  EXPECT_EQ(part(0, Part::kInterruptLatency), us(4));
  EXPECT_EQ(paths[0].begin, us(1));
  EXPECT_EQ(paths[1].begin, us(1));
  EXPECT_EQ(paths[2].begin, us(5));
  EXPECT_EQ(paths[3].begin, us(5));
  EXPECT_EQ(part(3, Part::kDescriptorWait), us(11));
  EXPECT_EQ(part(3, Part::kWire), ns(8 * 72));
  EXPECT_EQ(paths[3].sum(), paths[3].end - paths[3].begin);
}

TEST_F(Follow, AFrameOfSeveralDescriptorsIsOne) {
  descriptor(0, 40, 0, us(1));
  bus(Use::kTransmitData, us(1), us(1), us(2));
  descriptor(1, 60, kEndsPacket, us(3));
  bus(Use::kTransmitData, us(3), us(3), us(4));
  sent(104, us(5));
  completed(us(8));
  ASSERT_EQ(paths.size(), 1U);
  EXPECT_EQ(part(0, Part::kTransfer), us(2) + ns(100));
  EXPECT_EQ(finder.lost_track(), 0U);
}

TEST_F(Follow, SegmentsAreCountedAndWhatFollowsIsFollowed) {
  descriptor(0, 0, kContext, us(1));
  descriptor(1, 54 + 250, kEndsPacket | kSegments, us(1));
  descriptor(2, 100, kEndsPacket, us(2));
  for (const std::uint32_t payload : {100U, 100U, 50U}) sent(54 + payload + 4, us(3), 54);
  sent(104, us(9));
  completed(us(20));
  EXPECT_EQ(finder.lost_track(), 3U);
  ASSERT_EQ(paths.size(), 1U);
  EXPECT_EQ(paths[0].bytes, 104U);
}

TEST_F(Follow, AFrameThatNeverCameIsPassedOver) {
  descriptor(0, 200, kEndsPacket, us(1));
  descriptor(1, 100, kEndsPacket, us(2));
  completed(us(3));
  sent(104, us(9));
  EXPECT_EQ(finder.lost_track(), 1U);
  ASSERT_EQ(paths.size(), 1U);
}

TEST_F(Follow, PauseIsNobodysFrame) {
  descriptor(0, 60, kEndsPacket, us(1));
  Event pause = at(Kind::kWireOut, us(2), us(3));
  pause.bytes = 64;
  pause.code = 1;
  finder(pause);
  EXPECT_TRUE(paths.empty());
  sent(64, us(4));
  completed(us(8));
  EXPECT_EQ(paths.size(), 1U);
}

TEST_F(Follow, SoftwareThatKnowsBeforeTheLastBitEndsNothing) {
  descriptor(0, 60, kEndsPacket, us(1));
  completed(us(2));
  EXPECT_TRUE(paths.empty());
  sent(64, us(9));
  ASSERT_EQ(paths.size(), 1U);
  EXPECT_EQ(paths[0].end, us(9) + ns(8 * 72));
  EXPECT_EQ(part(0, Part::kWriteBackWait), kTimeZero);
  EXPECT_EQ(part(0, Part::kInterruptLatency), kTimeZero);
}

TEST_F(Follow, AWriteBackTellsOfDescriptorsThatWereBegun) {
  descriptor(0, 60, kEndsPacket, us(1));
  descriptor(1, 60, kEndsPacket, us(6));
  sent(64, us(2));
  completed(us(5));
  sent(64, us(7));
  ASSERT_EQ(paths.size(), 1U);
  completed(us(10));
  EXPECT_EQ(paths.size(), 2U);
}

TEST_F(Follow, ItrHoldsTheInterruptOfASentFrame) {
  descriptor(0, 60, kEndsPacket, us(1));
  sent(64, us(2));
  bus(Use::kTransmitWriteBack, us(3), us(3), us(4));
  interrupt(us(40), true);
  access(e1000::reg::kIcr, false, us(41));
  ASSERT_EQ(paths.size(), 1U);
  EXPECT_EQ(part(0, Part::kThrottling), us(36));
  EXPECT_EQ(part(0, Part::kInterruptLatency), us(1));
}

}  // namespace
}  // namespace e1000tlm::trace
