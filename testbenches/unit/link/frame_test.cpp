#include "e1000tlm/link/frame.h"

#include <array>
#include <numeric>
#include <stdexcept>
#include <vector>

#include <gtest/gtest.h>

namespace e1000tlm::link {
namespace {

constexpr std::array<std::uint8_t, 9> kCheckInput{'1', '2', '3', '4', '5', '6', '7', '8', '9'};
constexpr std::uint32_t kCheckValue = 0xCBF43926;  // CRC-32 catalogue, CRC-32/ISO-HDLC

std::vector<std::uint8_t> counting(std::size_t size) {
  std::vector<std::uint8_t> bytes(size);
  std::iota(bytes.begin(), bytes.end(), std::uint8_t{0});
  return bytes;
}

TEST(EthernetFcs, IsTheIeeeCrc) {
  EXPECT_EQ(ethernet_fcs(kCheckInput), kCheckValue);
  EXPECT_EQ(ethernet_fcs({}), 0U);
}

TEST(EthernetFcs, CrcOverFrameAndItsFcsLeavesTheMagicResidue) {
  std::vector<std::uint8_t> bytes = counting(60);
  const std::uint32_t fcs = ethernet_fcs(bytes);
  for (int i = 0; i < 4; ++i) bytes.push_back(static_cast<std::uint8_t>(fcs >> (8 * i)));
  EXPECT_EQ(ethernet_fcs(bytes), 0x2144DF1CU);
}

TEST(Frame, FcsIsImpliedUntilCarried) {
  FramePool pool;
  const FramePtr frame = pool.copy(kCheckInput);
  EXPECT_TRUE(frame->fcs_implied());
  EXPECT_TRUE(frame->fcs_ok());
  EXPECT_EQ(frame->fcs(), kCheckValue);
  frame->carry_fcs(kCheckValue ^ 1);
  EXPECT_FALSE(frame->fcs_implied());
  EXPECT_FALSE(frame->fcs_ok());
  EXPECT_EQ(frame->fcs(), kCheckValue ^ 1);
  frame->carry_fcs(kCheckValue);
  EXPECT_TRUE(frame->fcs_ok());
  frame->data()[0] ^= 1;
  EXPECT_FALSE(frame->fcs_ok()) << "content changed under a carried FCS";
  frame->imply_fcs();
  EXPECT_TRUE(frame->fcs_ok());
}

TEST(Frame, BelongsToNoQueueUntilSomebodySaysSo) {
  FramePool pool;
  FramePtr frame = pool.make(60);
  EXPECT_EQ(frame->queue, kNoQueue);
  frame->queue = 3;
  const Frame* const first = frame.get();
  frame.reset();
  const FramePtr again = pool.copy(kCheckInput);
  ASSERT_EQ(again.get(), first) << "the same one, recycled";
  EXPECT_EQ(again->queue, kNoQueue);
}

TEST(Frame, WireBytesIncludeTheFcs) {
  FramePool pool;
  EXPECT_EQ(pool.make(60)->wire_bytes(), 64U);
}

TEST(Frame, ResizeKeepsContentAcrossTheSizeClass) {
  FramePool pool;
  const std::vector<std::uint8_t> content = counting(kSmallFrameBytes);
  const FramePtr frame = pool.copy(content);
  frame->resize(kMaxFrameBytes);
  ASSERT_EQ(frame->size(), kMaxFrameBytes);
  EXPECT_TRUE(std::equal(content.begin(), content.end(), frame->data()));
  frame->data()[kMaxFrameBytes - 1] = 0x5A;
  frame->resize(10);
  EXPECT_EQ(frame->size(), 10U);
  EXPECT_EQ(frame->data()[9], 9);
}

TEST(Frame, AppendAndAssign) {
  FramePool pool;
  const FramePtr frame = pool.copy(kCheckInput);
  frame->append(kCheckInput);
  frame->append({});
  ASSERT_EQ(frame->size(), 18U);
  EXPECT_EQ(frame->data()[9], '1');
  frame->assign(ConstBytes(kCheckInput).first(3));
  ASSERT_EQ(frame->size(), 3U);
  EXPECT_EQ(frame->data()[2], '3');
}

TEST(Frame, MoreThanTheLongestIsRefused) {
  FramePool pool;
  const FramePtr frame = pool.make(kMaxFrameBytes);
  EXPECT_THROW(frame->resize(kMaxFrameBytes + 1), std::length_error);
  EXPECT_THROW(frame->append(kCheckInput), std::length_error);
  EXPECT_EQ(frame->size(), kMaxFrameBytes);
  EXPECT_THROW(pool.make(kMaxFrameBytes + 1), std::length_error);
}

TEST(FramePool, SteadyTrafficAllocatesNothing) {
  FramePool pool;
  std::vector<FramePtr> in_flight;
  const auto burst = [&] {
    for (int i = 0; i < 100; ++i) in_flight.push_back(pool.make(i % 2 == 0 ? 60 : 9000));
    in_flight.clear();
  };
  burst();
  const std::size_t after_first = pool.allocated();
  EXPECT_GE(after_first, 100U);
  EXPECT_LE(after_first, 125U) << "a quarter ahead at most";
  for (int i = 0; i < 10; ++i) burst();
  EXPECT_EQ(pool.allocated(), after_first);
}

TEST(FramePool, GrowingFramesReachASteadyStateToo) {
  FramePool pool;
  const auto round = [&] { pool.make(60)->resize(9000); };
  round();
  const std::size_t after_first = pool.allocated();
  for (int i = 0; i < 10; ++i) round();
  EXPECT_EQ(pool.allocated(), after_first);
}

TEST(FramePool, RecycledFramesAreAsNew) {
  FramePool pool;
  const Frame* first = nullptr;
  {
    const FramePtr frame = pool.make(100);
    first = frame.get();
    frame->carry_fcs(1);
    frame->coding_error = true;
    frame->tag = 7;
  }
  const FramePtr frame = pool.make(64);
  EXPECT_EQ(frame.get(), first);
  EXPECT_EQ(frame->size(), 64U);
  EXPECT_TRUE(frame->fcs_implied());
  EXPECT_FALSE(frame->coding_error);
  EXPECT_EQ(frame->tag, 0U);
}

TEST(FramePool, SharedFramesReturnWithTheLastReference) {
  FramePool pool;
  FramePtr a = pool.make(60);
  FramePtr b = a;
  a.reset();
  EXPECT_NE(pool.make(60).get(), b.get());
  const Frame* address = b.get();
  b.reset();
  EXPECT_EQ(pool.make(60).get(), address);
}

/// Also while frames wait to be used again, of either size class.
TEST(FramePool, NoFrameIsEverLongerThanItsStorage) {
  FramePool pool;
  for (int round = 0; round < 2; ++round) {
    EXPECT_THROW(pool.make(kMaxFrameBytes + 1), std::length_error);
    EXPECT_THROW(pool.make(60'000), std::length_error);
    EXPECT_THROW(pool.make(~std::size_t{0}), std::length_error);
    const std::vector<std::uint8_t> content(60'000);
    EXPECT_THROW(pool.copy(content), std::length_error);
    pool.make(60);
    const FramePtr large = pool.make(kMaxFrameBytes);
    EXPECT_EQ(large->size(), kMaxFrameBytes);
    EXPECT_THROW(large->resize(kMaxFrameBytes + 1), std::length_error);
    EXPECT_THROW(large->append({content.data(), 1}), std::length_error);
    EXPECT_THROW(large->assign(content), std::length_error);
  }
}

}  // namespace
}  // namespace e1000tlm::link
