#include "e1000tlm/link/host/length_prefix.h"

#include <algorithm>
#include <random>
#include <string>

#include <gtest/gtest.h>

#include "e1000tlm/link/frame.h"

namespace e1000tlm::link {
namespace {

using Octets = std::vector<std::uint8_t>;
using Result = LengthPrefixReader::Result;

Octets with_prefix(const Octets& frame) {
  const auto prefix = length_prefix(frame.size());
  Octets bytes(prefix.size() + frame.size());
  std::copy(frame.begin(), frame.end(), std::copy(prefix.begin(), prefix.end(), bytes.begin()));
  return bytes;
}

void feed(LengthPrefixReader& reader, ConstBytes bytes) {
  const Bytes room = reader.room();
  ASSERT_GE(room.size(), LengthPrefixReader::kPieceBytes);
  ASSERT_LE(bytes.size(), room.size());
  std::copy(bytes.begin(), bytes.end(), room.begin());
  reader.received(bytes.size());
}

Octets frame_of(const LengthPrefixReader::Item& item) {
  return {item.frame.begin(), item.frame.end()};
}

TEST(LengthPrefix, IsBigEndian) {
  const std::array<std::uint8_t, 4> expected{0x00, 0x01, 0x02, 0x03};
  EXPECT_EQ(length_prefix(0x10203), expected);
}

TEST(LengthPrefix, FramesComeInPiecesOfAnySize) {
  Octets stream;
  std::vector<Octets> frames;
  for (const std::size_t size : {60, 0, 1, 1514, 16384, 61}) {
    frames.emplace_back(size, static_cast<std::uint8_t>(size + 1));
    const Octets bytes = with_prefix(frames.back());
    stream.insert(stream.end(), bytes.begin(), bytes.end());
  }
  for (const std::size_t piece : {1, 3, 4, 5, 64, 1000, 30000}) {
    LengthPrefixReader reader;
    std::vector<Octets> got;
    for (std::size_t at = 0; at < stream.size(); at += piece) {
      feed(reader, ConstBytes(stream).subspan(at, std::min(piece, stream.size() - at)));
      LengthPrefixReader::Item item = reader.next();
      for (; item.result == Result::kFrame; item = reader.next()) got.push_back(frame_of(item));
      EXPECT_EQ(item.result, Result::kNeedsMore);
    }
    EXPECT_EQ(got, frames) << "in pieces of " << piece;
    EXPECT_FALSE(reader.inside());
  }
}

TEST(LengthPrefix, WhatIsTooLongIsSkippedAndWhatNoFrameHasEndsTheStream) {
  LengthPrefixReader reader;
  feed(reader, with_prefix(Octets(kMaxFrameBytes + 1, 7)));
  EXPECT_EQ(reader.next().result, Result::kTooLong);
  EXPECT_EQ(reader.next().result, Result::kNeedsMore);
  EXPECT_FALSE(reader.inside());
  feed(reader, length_prefix(LengthPrefixReader::kQemuMaxFrame));
  EXPECT_EQ(reader.next().result, Result::kTooLong);
  EXPECT_TRUE(reader.inside());
  for (std::size_t left = LengthPrefixReader::kQemuMaxFrame; left > 0;) {
    const std::size_t piece = std::min<std::size_t>(left, 10'000);
    feed(reader, Octets(piece, 0xff));
    EXPECT_EQ(reader.next().result, Result::kNeedsMore);
    left -= piece;
  }
  feed(reader, with_prefix({1, 2, 3}));
  EXPECT_EQ(frame_of(reader.next()), (Octets{1, 2, 3}));
  feed(reader, length_prefix(LengthPrefixReader::kQemuMaxFrame + 1));
  EXPECT_EQ(reader.next().result, Result::kGarbage);
  reader.clear();
  feed(reader, Octets(4, 0xff));
  EXPECT_EQ(reader.next().result, Result::kGarbage);
  reader.clear();
  feed(reader, with_prefix({4}));
  EXPECT_EQ(frame_of(reader.next()), Octets{4});
}

TEST(LengthPrefix, KnowsWhetherTheStreamEndsInsideAFrame) {
  LengthPrefixReader reader;
  EXPECT_FALSE(reader.inside());
  feed(reader, Octets{0});
  EXPECT_EQ(reader.next().result, Result::kNeedsMore);
  EXPECT_TRUE(reader.inside());
  feed(reader, Octets{0, 0, 2, 9});
  EXPECT_EQ(reader.next().result, Result::kNeedsMore);
  EXPECT_TRUE(reader.inside());
  feed(reader, Octets{9});
  EXPECT_EQ(reader.next().result, Result::kFrame);
  EXPECT_FALSE(reader.inside());
}

TEST(LengthPrefix, RandomBytesDoNoHarm) {
  std::mt19937 random(1);
  for (int round = 0; round < 200; ++round) {
    LengthPrefixReader reader;
    std::size_t taken = 0;
    for (int piece = 0; piece < 50; ++piece) {
      Octets bytes(random() % LengthPrefixReader::kPieceBytes);
      // Mostly lengths that are possible.
      for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random() % 8 == 0 ? random() : 0);
      feed(reader, bytes);
      LengthPrefixReader::Item item = reader.next();
      for (; item.result != Result::kNeedsMore; item = reader.next()) {
        EXPECT_LE(item.frame.size(), kMaxFrameBytes);
        if (item.result == Result::kGarbage) reader.clear();
        ++taken;
      }
    }
    EXPECT_GT(taken, 0U);
  }
}

}  // namespace
}  // namespace e1000tlm::link
