#include "e1000tlm/e1000/transmit/transmit_queue.h"

#include <vector>

#include <gmock/gmock.h>

namespace e1000tlm::e1000 {
namespace {

using ::testing::ElementsAre;

/// A frame that can be told from others by its bytes on the wire.
QueuedFrame numbered(std::uint32_t number) {
  QueuedFrame frame;
  frame.frame = link::FramePool::shared().make(60);
  frame.wire_bytes = number;
  return frame;
}
void append(TransmitQueue& queue, std::uint32_t number) { queue.append() = numbered(number); }

std::vector<std::uint32_t> numbers(const TransmitQueue& queue) {
  std::vector<std::uint32_t> found;
  for (TransmitQueue::Number n = queue.oldest(); n != queue.end(); ++n) {
    found.push_back(queue[n].wire_bytes);
  }
  return found;
}

TEST(TransmitQueue, AFrameWaitsIsPlannedStartsAndLeaves) {
  TransmitQueue queue;
  EXPECT_TRUE(queue.empty());
  append(queue, 1);
  append(queue, 2);
  EXPECT_EQ(queue.frames_waiting(), 2U);
  EXPECT_EQ(queue.vague(), queue.oldest()) << "no plan yet";
  queue.planned();
  EXPECT_EQ(queue.vague(), queue.oldest() + 1);
  queue.started();
  EXPECT_EQ(queue.waiting(), queue.oldest() + 1);
  EXPECT_EQ(queue.frames_waiting(), 1U);
  queue.retire();
  EXPECT_THAT(numbers(queue), ElementsAre(2));
  EXPECT_EQ(queue.waiting(), queue.oldest());
  EXPECT_FALSE(queue.empty());
}

TEST(TransmitQueue, WhatIsPutInTakesThePlansOfThoseBehindIt) {
  TransmitQueue queue;
  for (const std::uint32_t n : {1, 2, 3}) append(queue, n);
  for (int i = 0; i < 3; ++i) queue.planned();
  queue.started();
  queue.insert(queue.waiting() + 1, numbered(9));
  EXPECT_THAT(numbers(queue), ElementsAre(1, 2, 9, 3));
  EXPECT_EQ(queue.vague(), queue.oldest() + 2) << "2 keeps its plan, 9 and 3 have none";
  for (TransmitQueue::Number n = queue.oldest(); n != queue.end(); ++n) {
    EXPECT_NE(queue[n].frame, nullptr);
  }
  queue.insert(queue.end(), numbered(10));
  EXPECT_THAT(numbers(queue), ElementsAre(1, 2, 9, 3, 10));
  EXPECT_EQ(queue.vague(), queue.oldest() + 2);
}

TEST(TransmitQueue, WhatIsTakenOutTakesThePlansOfThoseBehindIt) {
  TransmitQueue queue;
  for (const std::uint32_t n : {1, 2, 3, 4}) append(queue, n);
  for (int i = 0; i < 4; ++i) queue.planned();
  queue.erase(queue.oldest() + 1);
  EXPECT_THAT(numbers(queue), ElementsAre(1, 3, 4));
  EXPECT_EQ(queue.vague(), queue.oldest() + 1);
  queue.erase(queue.end() - 1);
  EXPECT_THAT(numbers(queue), ElementsAre(1, 3));
}

TEST(TransmitQueue, PlansCanBeForgotten) {
  TransmitQueue queue;
  for (const std::uint32_t n : {1, 2, 3}) append(queue, n);
  for (int i = 0; i < 3; ++i) queue.planned();
  queue.started();
  queue.forget_plans();
  EXPECT_EQ(queue.vague(), queue.waiting());
  EXPECT_THAT(numbers(queue), ElementsAre(1, 2, 3));
}

/// A reset keeps what is on the wire, and gives the other frames back to their pool.
TEST(TransmitQueue, DroppingLeavesWhatHasStarted) {
  TransmitQueue queue;
  for (const std::uint32_t n : {1, 2, 3}) append(queue, n);
  queue.planned();
  queue.started();
  const std::uint64_t behind = queue.end();
  queue.drop_waiting();
  EXPECT_THAT(numbers(queue), ElementsAre(1));
  EXPECT_EQ(queue.frames_waiting(), 0U);
  EXPECT_EQ(queue.vague(), queue.end());
  for (TransmitQueue::Number n = queue.end(); n != behind; ++n) EXPECT_EQ(queue[n].frame, nullptr);
}

/// A frame's number is its own until it is retired, however the queue grows meanwhile.
TEST(TransmitQueue, GrowsWithoutRenumbering) {
  TransmitQueue queue;
  std::uint32_t next = 0;
  for (; next < 50; ++next) append(queue, next);
  for (int i = 0; i < 40; ++i) {
    queue.planned();
    queue.started();
    queue.retire();
  }
  for (; next < 1000; ++next) append(queue, next);
  EXPECT_EQ(queue.frames_waiting(), 960U);
  for (TransmitQueue::Number n = queue.oldest(); n != queue.end(); ++n) {
    ASSERT_EQ(queue[n].wire_bytes, n);
    ASSERT_NE(queue[n].frame, nullptr);
  }
}

}  // namespace
}  // namespace e1000tlm::e1000
