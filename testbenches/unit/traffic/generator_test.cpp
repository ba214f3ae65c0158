#include "e1000tlm/traffic/generator.h"

#include <map>
#include <stdexcept>
#include <vector>

#include <gtest/gtest.h>

#include "e1000tlm/traffic/checker.h"

namespace e1000tlm::traffic {
namespace {

using Verdict = StreamChecker::Verdict;
using FrameBytes = std::vector<std::uint8_t>;

GeneratorConfig config(SizeMix sizes, std::uint64_t frames = 0) {
  GeneratorConfig c;
  c.sizes = sizes;
  c.frames = frames;
  c.seed = 42;
  c.stream = 3;
  c.source = {2, 0, 0, 0, 0, 1};
  c.destination = {2, 0, 0, 0, 0, 2};
  return c;
}

FrameBytes next(FrameGenerator& generator, Time stamp = kTimeZero) {
  FrameBytes frame(generator.size());
  generator.write(frame.data(), stamp);
  return frame;
}

/// Plain RFC 1071 over a range, independent of the generator's shortcuts.
std::uint16_t reference_sum(const FrameBytes& f, std::size_t from, std::size_t to,
                            std::uint32_t sum = 0) {
  for (std::size_t i = from; i < to; ++i) sum += (i - from) % 2 == 0 ? f[i] * 256U : f[i];
  while (sum > 0xFFFF) sum = (sum & 0xFFFF) + (sum >> 16);
  return static_cast<std::uint16_t>(sum);
}

TEST(Generator, FramesCarryRightIpAndUdpChecksumsAtEverySize) {
  FrameGenerator generator(config(SizeMix::uniform(64, 1518)));
  for (int i = 0; i < 3000; ++i) {
    const FrameBytes f = next(generator, us(i));
    EXPECT_EQ(reference_sum(f, 14, 34), 0xFFFF);
    EXPECT_NE(f[40] * 256 + f[41], 0) << "a UDP checksum of 0 means none";
    const std::uint32_t pseudo = reference_sum(f, 26, 34) + 17U + (f.size() - 34);
    ASSERT_EQ(reference_sum(f, 34, f.size(), pseudo), 0xFFFF) << "frame " << i;
    EXPECT_EQ(f[16] * 256U + f[17], f.size() - 14);
    EXPECT_EQ(f[38] * 256U + f[39], f.size() - 34);
  }
}

TEST(Generator, SizesCountTheFcs) {
  FrameGenerator generator(config(SizeMix::fixed(64)));
  EXPECT_EQ(generator.size(), 60U);
}

TEST(Generator, ImixIsSevenFourOne) {
  FrameGenerator generator(config(SizeMix::imix()));
  std::map<std::size_t, int> sizes;
  for (int i = 0; i < 1200; ++i) ++sizes[next(generator).size() + 4];
  EXPECT_EQ(sizes, (std::map<std::size_t, int>{{64, 700}, {594, 400}, {1518, 100}}));
}

TEST(Generator, SameSeedSameBytesOtherSeedOthers) {
  FrameGenerator a(config(SizeMix::uniform(64, 1518)));
  FrameGenerator b(config(SizeMix::uniform(64, 1518)));
  auto other = config(SizeMix::uniform(64, 1518));
  other.seed = 43;
  FrameGenerator c(other);
  bool differs = false;
  for (int i = 0; i < 100; ++i) {
    const FrameBytes fa = next(a);
    EXPECT_EQ(fa, next(b));
    differs = differs || fa != next(c);
  }
  EXPECT_TRUE(differs);
}

TEST(Generator, StopsAfterItsNumberOfFrames) {
  FrameGenerator generator(config(SizeMix::fixed(64), 2));
  EXPECT_FALSE(generator.done());
  next(generator);
  next(generator);
  EXPECT_TRUE(generator.done());
}

TEST(SizeMix, RefusesSizesNoNicSends) {
  EXPECT_THROW(SizeMix::parse("63"), std::invalid_argument);
  EXPECT_THROW(SizeMix::parse("16115"), std::invalid_argument);
  EXPECT_THROW(SizeMix::parse("1518-64"), std::invalid_argument);
  EXPECT_THROW(SizeMix::parse("big"), std::invalid_argument);
  EXPECT_NO_THROW(SizeMix::parse("64-1518"));
}

class CheckerTest : public ::testing::Test {
 protected:
  FrameGenerator generator_{config(SizeMix::uniform(64, 600))};
  StreamChecker checker_{42, 3};
};

TEST_F(CheckerTest, AcceptsWhatTheGeneratorMakesAndMeasuresLatency) {
  for (int i = 0; i < 1000; ++i) {
    EXPECT_EQ(checker_.check(next(generator_, us(i)), us(i) + ns(100)), Verdict::kGood);
  }
  EXPECT_EQ(checker_.received(), 1000U);
  EXPECT_EQ(checker_.lost(1000), 0U);
  EXPECT_EQ(checker_.latency().min(), 100'000U);
  EXPECT_EQ(checker_.latency().max(), 100'000U);
}

TEST_F(CheckerTest, EveryFlippedBitBehindTheMacAddressesIsSeen) {
  const FrameBytes good = next(generator_);
  for (std::size_t byte = 14; byte < good.size(); ++byte) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      FrameBytes bad = good;
      bad[byte] ^= static_cast<std::uint8_t>(1U << bit);
      const Verdict verdict = checker_.check(bad, kTimeZero);
      EXPECT_TRUE(verdict == Verdict::kCorrupt || verdict == Verdict::kForeign)
          << "byte " << byte << " bit " << bit;
    }
  }
  EXPECT_EQ(checker_.received(), 0U);
}

TEST_F(CheckerTest, CutOrPaddedFramesAreCorrupt) {
  FrameBytes frame = next(generator_);
  frame.push_back(0);
  EXPECT_EQ(checker_.check(frame, kTimeZero), Verdict::kCorrupt);
  frame.resize(frame.size() - 2);
  EXPECT_EQ(checker_.check(frame, kTimeZero), Verdict::kCorrupt);
}

TEST_F(CheckerTest, TellsLossOrderAndDuplicatesApart) {
  std::vector<FrameBytes> frames;
  for (int i = 0; i < 6; ++i) frames.push_back(next(generator_));
  EXPECT_EQ(checker_.check(frames[0], kTimeZero), Verdict::kGood);
  EXPECT_EQ(checker_.check(frames[2], kTimeZero), Verdict::kGood);
  EXPECT_EQ(checker_.check(frames[1], kTimeZero), Verdict::kReordered);
  EXPECT_EQ(checker_.check(frames[1], kTimeZero), Verdict::kDuplicate);
  EXPECT_EQ(checker_.check(frames[2], kTimeZero), Verdict::kDuplicate);
  EXPECT_EQ(checker_.check(frames[5], kTimeZero), Verdict::kGood);
  EXPECT_EQ(checker_.received(), 4U);
  EXPECT_EQ(checker_.lost(6), 2U);
}

TEST_F(CheckerTest, ForeignFramesAreNotItsBusiness) {
  EXPECT_EQ(checker_.check(FrameBytes(60, 0), kTimeZero), Verdict::kForeign);
  EXPECT_EQ(checker_.check(FrameBytes(3, 0xFF), kTimeZero), Verdict::kForeign);
  EXPECT_EQ(checker_.check(FrameBytes{}, kTimeZero), Verdict::kForeign);
  auto other = config(SizeMix::fixed(64));
  other.stream = 4;
  FrameGenerator stranger(other);
  EXPECT_EQ(checker_.check(next(stranger), kTimeZero), Verdict::kForeign);
}

TEST(Checker, FillerOfAnotherSequenceNumberIsCorrupt) {
  FrameGenerator generator(config(SizeMix::fixed(200)));
  StreamChecker checker(42, 3);
  const FrameBytes first = next(generator);
  FrameBytes second = next(generator);
  std::copy(first.begin() + kFillOffset, first.end(), second.begin() + kFillOffset);
  EXPECT_EQ(checker.check(second, kTimeZero), Verdict::kCorrupt);
}

}  // namespace
TEST(Checker, TheFarthestSequenceNumberIsFarBehind) {
  StreamChecker checker(1, 0);
  GeneratorConfig config;
  config.seed = 1;
  FrameGenerator generator(config);
  std::vector<std::uint8_t> frame(generator.size());
  generator.write(frame.data(), kTimeZero);
  // Sequence number 2^31: as far ahead as behind. The filler and sums must fit.
  const std::uint32_t sequence = 0x8000'0000;
  const Pattern pattern(1);
  const std::size_t fill = frame.size() - kFillOffset;
  store_be32(&frame[kStampOffset + 4], sequence);
  std::copy_n(pattern.filler(sequence), fill, &frame[kFillOffset]);
  store_be16(&frame[kUdpOffset + 6], 0);
  const std::uint64_t sum = word_sum(&frame[kIpOffset + 12], 8) + 17 + (frame.size() - kUdpOffset) +
                            word_sum(&frame[kUdpOffset], kFillOffset - kUdpOffset) +
                            pattern.sum(sequence, fill);
  store_be16(&frame[kUdpOffset + 6], static_cast<std::uint16_t>(~fold(sum)));
  EXPECT_EQ(checker.check(frame, kTimeZero), StreamChecker::Verdict::kDuplicate);
}

}  // namespace e1000tlm::traffic
