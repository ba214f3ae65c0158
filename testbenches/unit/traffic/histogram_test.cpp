#include "e1000tlm/traffic/histogram.h"

#include <gtest/gtest.h>

namespace e1000tlm::traffic {
namespace {

TEST(Histogram, EmptyIsAllZero) {
  const Histogram h;
  EXPECT_EQ(h.percentile(50), 0U);
  EXPECT_EQ(h.min(), 0U);
  EXPECT_EQ(h.max(), 0U);
  EXPECT_EQ(h.mean(), 0);
}

TEST(Histogram, SmallValuesAreExact) {
  Histogram h;
  for (std::uint64_t v = 1; v <= 100; ++v) h.record(v);
  EXPECT_EQ(h.percentile(50), 50U);
  EXPECT_EQ(h.percentile(99), 99U);
  EXPECT_EQ(h.percentile(0), 1U);
  EXPECT_EQ(h.percentile(100), 100U);
  EXPECT_DOUBLE_EQ(h.mean(), 50.5);
}

TEST(Histogram, LargeValuesAreWithinOneSixtyFourth) {
  for (const std::uint64_t value : {std::uint64_t{129}, std::uint64_t{1'000'003},
                                    std::uint64_t{987'654'321'012}, ~std::uint64_t{0} - 5}) {
    Histogram h;
    h.record(value);
    h.record(~std::uint64_t{0});
    EXPECT_GE(h.percentile(50), value);
    EXPECT_LE(h.percentile(50) - value, value / 64);
  }
}

TEST(Histogram, TopOfTheRangeNeitherOverflowsNorEscapes) {
  Histogram h;
  h.record(~std::uint64_t{0});
  h.record(0);
  EXPECT_EQ(h.max(), ~std::uint64_t{0});
  EXPECT_EQ(h.percentile(100), ~std::uint64_t{0});
  EXPECT_EQ(h.percentile(50), 0U);
}

TEST(Histogram, PercentilesAboveHundredAndBelowZeroAreClamped) {
  Histogram h;
  h.record(7);
  EXPECT_EQ(h.percentile(1000), 7U);
  EXPECT_EQ(h.percentile(-3), 7U);
}

TEST(Histogram, MergeAddsUp) {
  Histogram a;
  Histogram b;
  for (int i = 0; i < 99; ++i) a.record(10);
  b.record(5000);
  a.merge(b);
  EXPECT_EQ(a.count(), 100U);
  EXPECT_EQ(a.percentile(99), 10U);
  EXPECT_EQ(a.max(), 5000U);
  EXPECT_EQ(a.min(), 10U);
}

}  // namespace
}  // namespace e1000tlm::traffic
