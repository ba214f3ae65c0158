#include "e1000tlm/e1000/packet_buffer/packet_buffer.h"

#include <deque>
#include <numeric>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace e1000tlm::e1000 {
namespace {

using Octets = std::vector<std::uint8_t>;

Octets counting(std::size_t size, std::uint8_t first = 1) {
  Octets bytes(size);
  std::iota(bytes.begin(), bytes.end(), first);
  return bytes;
}

/// A FIFO in a memory of its own.
struct Bench {
  std::vector<std::uint32_t> memory =
      std::vector<std::uint32_t>(kPacketBufferBytes / 4, kUntouched);
  PacketFifo fifo{memory};

  static constexpr std::uint32_t kUntouched = 0xDEADBEEF;

  std::uint8_t byte(std::uint32_t offset) const {
    return static_cast<std::uint8_t>(memory[offset / 4] >> (8 * (offset % 4)));
  }
  void put(const Octets& bytes) {
    fifo.store_next({bytes.data(), bytes.size()});
    fifo.enter(fifo_bytes(bytes.size()));
  }
};

TEST(PacketBufferSplit, GivesTransmitWhatReceiveLeaves) {
  const auto split = split_packet_buffer(0x00100030);
  EXPECT_EQ(split.receive.base, 0U);
  EXPECT_EQ(split.receive.bytes, 48U * 1024);
  EXPECT_EQ(split.transmit.base, 48U * 1024);
  EXPECT_EQ(split.transmit.bytes, 16U * 1024);
  EXPECT_EQ(split_packet_buffer(0).receive.bytes, 0U);
  EXPECT_EQ(split_packet_buffer(0).transmit.bytes, kPacketBufferBytes);
}

TEST(PacketBufferSplit, NeverExceedsTheMemory) {
  for (std::uint32_t rxa = 0; rxa < 0x80; ++rxa) {
    const auto split = split_packet_buffer(rxa | 0xFFFFFF80);
    EXPECT_EQ(split.receive.bytes, std::min(rxa, 64U) * 1024);
    EXPECT_EQ(split.transmit.base, split.receive.bytes);
    EXPECT_EQ(split.receive.bytes + split.transmit.bytes, kPacketBufferBytes);
  }
}

TEST(PacketFifo, CountsInWholeWords) {
  EXPECT_EQ(fifo_bytes(0), 0U);
  EXPECT_EQ(fifo_bytes(1), 8U);
  EXPECT_EQ(fifo_bytes(64), 64U);
  EXPECT_EQ(fifo_bytes(65), 72U);
  EXPECT_EQ(fifo_bytes(1518), 1520U);
}

TEST(PacketFifo, StartsAtItsRegionAndWrapsInIt) {
  Bench b;
  b.fifo.reset({49152, 16384});
  EXPECT_EQ(b.fifo.word_at(b.fifo.entered()), 0x1800U);
  for (int i = 0; i < 3; ++i) {
    b.fifo.enter(8000);
    b.fifo.leave(8000);
  }
  EXPECT_EQ(b.fifo.word_at(b.fifo.entered()), 0x1800U + (24000 - 16384) / 8);
  EXPECT_EQ(b.fifo.word_at(16376), 0x1FFFU);
  EXPECT_EQ(b.fifo.word_at(16384), 0x1800U);
  EXPECT_EQ(b.fifo.occupied(), 0U);
}

TEST(PacketFifo, HasRoomForExactlyItsRegion) {
  Bench b;
  b.fifo.reset({0, 2048});
  b.fifo.enter(1024);
  EXPECT_TRUE(b.fifo.has_room(1024));
  EXPECT_FALSE(b.fifo.has_room(1032));
  b.fifo.leave(1024);
  EXPECT_TRUE(b.fifo.has_room(2048));
}

TEST(PacketFifo, WithoutARegionHasNoRoomAndStaysPut) {
  Bench b;
  b.fifo.reset({kPacketBufferBytes, 0});
  EXPECT_FALSE(b.fifo.has_room(8));
  EXPECT_EQ(b.fifo.word_at(12345), kPacketBufferBytes / 8);
  const Octets bytes = counting(64);
  b.fifo.store_next({bytes.data(), bytes.size()});
  b.fifo.move_to(3);
  EXPECT_EQ(b.fifo.word_at(b.fifo.entered()), kPacketBufferBytes / 8);
  EXPECT_FALSE(b.fifo.dword_of({0, {bytes.data(), bytes.size()}}, 0));
  EXPECT_EQ(std::count(b.memory.begin(), b.memory.end(), Bench::kUntouched),
            static_cast<std::ptrdiff_t>(b.memory.size()));
}

TEST(PacketFifo, GoesOnWhereItIsMovedTo) {
  Bench b;
  b.fifo.reset({1024, 1024});
  b.fifo.enter(640);
  b.fifo.leave(640);
  b.fifo.move_to(1024 / 8 + 5);
  EXPECT_EQ(b.fifo.word_at(b.fifo.entered()), 1024U / 8 + 5);
  b.fifo.move_to(1016 / 8);  // one word before the region
  EXPECT_EQ(b.fifo.word_at(b.fifo.entered()), 1024U / 8);
  b.fifo.move_to(2048 / 8);  // the word behind it
  EXPECT_EQ(b.fifo.word_at(b.fifo.entered()), 1024U / 8);
}

TEST(PacketFifo, StoresWholeWordsAndNothingElse) {
  Bench b;
  b.fifo.reset({1024, 1024});
  b.put(counting(8));
  b.put(counting(13, 0x21));
  EXPECT_EQ(b.memory[1020 / 4], Bench::kUntouched);
  EXPECT_EQ(b.memory[1024 / 4], 0x04030201U);
  EXPECT_EQ(b.memory[1028 / 4], 0x08070605U);
  EXPECT_EQ(b.byte(1032), 0x21);
  EXPECT_EQ(b.byte(1044), 0x2D);
  EXPECT_EQ(b.byte(1045), 0);
  EXPECT_EQ(b.byte(1047), 0);
  EXPECT_EQ(b.memory[1048 / 4], Bench::kUntouched);
}

TEST(PacketFifo, StoresRoundTheEndOfItsRegion) {
  Bench b;
  b.fifo.reset({1024, 1024});
  b.fifo.move_to((2048 - 16) / 8);
  b.put(counting(40));
  EXPECT_EQ(b.byte(2048 - 16), 1);
  EXPECT_EQ(b.byte(2047), 16);
  EXPECT_EQ(b.byte(1024), 17);
  EXPECT_EQ(b.byte(1024 + 23), 40);
  EXPECT_EQ(b.memory[(1024 + 24) / 4], Bench::kUntouched);
  EXPECT_EQ(b.memory[2048 / 4], Bench::kUntouched);
  EXPECT_EQ(b.memory[1020 / 4], Bench::kUntouched);
}

TEST(PacketFifo, ResetEndsRecordingAndKeepsTheMemory) {
  Bench b;
  b.fifo.reset({0, 1024});
  b.fifo.record();
  b.put(counting(8));
  EXPECT_TRUE(b.fifo.recording());
  b.fifo.reset({0, 2048});
  EXPECT_FALSE(b.fifo.recording());
  EXPECT_EQ(b.fifo.occupied(), 0U);
  EXPECT_EQ(b.fifo.capacity(), 2048U);
  EXPECT_EQ(b.memory[0], 0x04030201U);
}

/// What a frame's dwords are said to be is what storing it writes.
TEST(PacketFifo, KnowsADwordWithoutStoringIt) {
  Bench b;
  std::mt19937 random(1);
  b.fifo.reset({2048, 3072});
  for (int round = 0; round < 300; ++round) {
    const Octets bytes = counting(1 + random() % 1500, static_cast<std::uint8_t>(random()));
    const FifoContent content{b.fifo.entered(), {bytes.data(), bytes.size()}};
    std::fill(b.memory.begin(), b.memory.end(), Bench::kUntouched);
    b.fifo.store(content);
    std::uint32_t found = 0;
    for (std::uint32_t offset = 0; offset < kPacketBufferBytes; offset += 4) {
      const auto dword = b.fifo.dword_of(content, offset);
      ASSERT_EQ(dword.value_or(Bench::kUntouched), b.memory[offset / 4]) << offset;
      if (dword) ++found;
    }
    EXPECT_EQ(found * 4, fifo_bytes(bytes.size()));
    b.fifo.enter(fifo_bytes(bytes.size()));
    b.fifo.leave(fifo_bytes(bytes.size()));
  }
}

/// Frames come and go; those inside lie one after the other and are never overwritten.
TEST(PacketFifo, KeepsWhatIsInside) {
  Bench b;
  std::mt19937 random(2);
  b.fifo.reset({4096, 5120});
  std::deque<std::pair<std::uint64_t, Octets>> inside;
  for (int round = 0; round < 3000; ++round) {
    const Octets bytes = counting(14 + random() % 1500, static_cast<std::uint8_t>(random()));
    if (b.fifo.has_room(fifo_bytes(bytes.size()))) {
      inside.emplace_back(b.fifo.entered(), bytes);
      b.put(bytes);
    } else {
      const Octets& oldest = inside.front().second;
      for (std::uint32_t i = 0; i < oldest.size(); ++i) {
        const std::uint32_t word = b.fifo.word_at(inside.front().first + i);
        ASSERT_EQ(b.byte(word * 8 + i % 8), oldest[i]);
      }
      EXPECT_EQ(b.fifo.entered() - b.fifo.occupied(), inside.front().first);
      b.fifo.leave(fifo_bytes(oldest.size()));
      inside.pop_front();
    }
  }
}

}  // namespace
}  // namespace e1000tlm::e1000
