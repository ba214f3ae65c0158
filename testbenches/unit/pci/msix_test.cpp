/// MSI-X without a bus: table, pending bits, masks, order.

#include "e1000tlm/pci/msix.h"

#include <cstdint>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace e1000tlm::pci {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr unsigned kVectors = 70, kBar = 1;
constexpr std::uint32_t kTable = 0x100, kPending = 0x800;

struct Bench {
  Bench() : msix({0x40, kVectors, {kBar, kTable}, {kBar, kPending}}) {}

  std::uint32_t read(std::uint64_t offset, unsigned bytes = 4, unsigned bar = kBar) const {
    std::uint32_t value = 0;
    for (unsigned i = 0; i < bytes; ++i) value |= msix.read(bar, offset + i) << (8 * i);
    return value;
  }
  void write(std::uint64_t offset, std::uint32_t value, unsigned bytes = 4, unsigned bar = kBar) {
    for (unsigned i = 0; i < bytes; ++i) {
      msix.write(bar, offset + i, static_cast<std::uint8_t>(value >> (8 * i)));
    }
  }
  static std::uint64_t entry(unsigned vector) { return kTable + 16 * vector; }
  void mask(unsigned vector, bool masked) { write(entry(vector) + 12, masked ? 1 : 0); }
  void enable(bool masked = false) { msix.set_control({true, masked}); }
  /// Vectors whose messages go now.
  std::vector<unsigned> taken() {
    std::vector<unsigned> vectors;
    while (const auto message = msix.take()) vectors.push_back(*message->vector);
    return vectors;
  }
  void unmask_all() {
    for (unsigned i = 0; i < kVectors; ++i) mask(i, false);
  }

  Msix msix;
};

TEST(Msix, AfterResetEverythingIsMasked) {
  Bench bench;
  for (const unsigned vector : {0U, 1U, kVectors - 1}) {
    EXPECT_EQ(bench.read(Bench::entry(vector)), 0u);
    EXPECT_EQ(bench.read(Bench::entry(vector) + 4), 0u);
    EXPECT_EQ(bench.read(Bench::entry(vector) + 8), 0u);
    EXPECT_EQ(bench.read(Bench::entry(vector) + 12), 1u);
  }
  EXPECT_FALSE(bench.msix.enabled());
}

TEST(Msix, EntriesTakeWhatIsWritable) {
  Bench bench;
  for (unsigned i = 0; i < 16; i += 4) bench.write(Bench::entry(2) + i, 0xFFFFFFFF);
  EXPECT_EQ(bench.read(Bench::entry(2)), 0xFFFFFFFCu);
  EXPECT_EQ(bench.read(Bench::entry(2) + 4), 0xFFFFFFFFu);
  EXPECT_EQ(bench.read(Bench::entry(2) + 8), 0xFFFFFFFFu);
  EXPECT_EQ(bench.read(Bench::entry(2) + 12), 1u) << "reserved bits";
  EXPECT_EQ(bench.read(Bench::entry(1)), 0u) << "its neighbour";
  bench.write(Bench::entry(2) + 5, 0x12, 1);
  EXPECT_EQ(bench.read(Bench::entry(2) + 4), 0xFFFF12FFu);
}

TEST(Msix, OutsideOfItsPartsThereIsNothing) {
  Bench bench;
  EXPECT_TRUE(bench.msix.has_bar(kBar));
  EXPECT_FALSE(bench.msix.has_bar(0));
  EXPECT_TRUE(bench.msix.touches(kBar, kTable - 4, 5));
  EXPECT_FALSE(bench.msix.touches(kBar, kTable - 4, 4));
  EXPECT_FALSE(bench.msix.touches(0, kTable, 4));
  EXPECT_FALSE(bench.msix.touches(kBar, Bench::entry(kVectors), 4));
  EXPECT_TRUE(bench.msix.touches(kBar, kPending + 15, 1));
  EXPECT_FALSE(bench.msix.touches(kBar, kPending + 16, 1)) << "70 vectors are 2 times 64 bits";
  bench.write(Bench::entry(kVectors), 0xFFFFFFFF);
  EXPECT_EQ(bench.read(Bench::entry(kVectors)), 0u);
  bench.write(Bench::entry(0), 0xFFFFFFFF, 4, 0);
  EXPECT_EQ(bench.read(Bench::entry(0)), 0u);
  EXPECT_EQ(bench.read(0), 0u);
}

TEST(Msix, AMessageIsItsEntrysAddressAndData) {
  Bench bench;
  bench.enable();
  bench.write(Bench::entry(5), 0xFEE01000);
  bench.write(Bench::entry(5) + 4, 0x7);
  bench.write(Bench::entry(5) + 8, 0x4041);
  bench.mask(5, false);
  bench.msix.raise(5);
  EXPECT_TRUE(bench.msix.ready());
  const auto message = bench.msix.take();
  ASSERT_TRUE(message);
  EXPECT_EQ(message->address, 0x7'FEE0'1000u);
  EXPECT_EQ(message->data, 0x4041u);
  EXPECT_FALSE(bench.msix.ready());
  EXPECT_FALSE(bench.msix.take());
}

TEST(Msix, MessagesGoInTheOrderInWhichTheyWereRaised) {
  Bench bench;
  bench.enable();
  bench.unmask_all();
  for (const unsigned vector : {9U, 3U, 9U, 69U, 0U, 3U}) bench.msix.raise(vector);
  EXPECT_THAT(bench.taken(), ElementsAre(9, 3, 69, 0)) << "each once";
  bench.msix.raise(3);
  EXPECT_THAT(bench.taken(), ElementsAre(3)) << "and again";
}

TEST(Msix, WhatIsMaskedIsPendingOnceUntilItIsUnmasked) {
  Bench bench;
  bench.enable();
  bench.mask(0, false);
  bench.msix.raise(66);
  bench.msix.raise(66);
  bench.msix.raise(0);
  EXPECT_THAT(bench.taken(), ElementsAre(0));
  EXPECT_EQ(bench.read(kPending), 0u);
  EXPECT_EQ(bench.read(kPending + 8), 1u << 2);
  bench.write(kPending + 8, 0);
  EXPECT_EQ(bench.read(kPending + 8), 1u << 2) << "read only";
  bench.mask(66, false);
  EXPECT_THAT(bench.taken(), ElementsAre(66));
  EXPECT_EQ(bench.read(kPending + 8), 0u);
}

TEST(Msix, TheFunctionMaskMasksAll) {
  Bench bench;
  bench.enable(true);
  bench.unmask_all();
  for (const unsigned vector : {65U, 8U, 31U}) bench.msix.raise(vector);
  EXPECT_THAT(bench.taken(), IsEmpty());
  EXPECT_EQ(bench.read(kPending), 1u << 8 | 1u << 31);
  EXPECT_EQ(bench.read(Bench::entry(8) + 12), 0u) << "the vector's own bit stays";
  bench.mask(31, true);
  bench.enable();
  EXPECT_THAT(bench.taken(), ElementsAre(8, 65)) << "the lowest first";
  EXPECT_EQ(bench.read(kPending), 1u << 31);
}

TEST(Msix, WhatIsMaskedBeforeItWasTakenStays) {
  Bench bench;
  bench.enable();
  bench.unmask_all();
  bench.msix.raise(1);
  bench.msix.raise(2);
  bench.mask(1, true);
  EXPECT_THAT(bench.taken(), ElementsAre(2));
  EXPECT_TRUE(bench.msix.pending(1));
  bench.mask(1, false);
  EXPECT_THAT(bench.taken(), ElementsAre(1));
}

TEST(Msix, MaskingAndUnmaskingDoesNotSendTwice) {
  Bench bench;
  bench.enable();
  bench.unmask_all();
  bench.msix.raise(1);
  for (const bool masked : {true, false, true, false}) bench.mask(1, masked);
  EXPECT_THAT(bench.taken(), ElementsAre(1));
}

TEST(Msix, WhileOffNothingIsRaisedAndWhatIsPendingStays) {
  Bench bench;
  bench.unmask_all();
  bench.msix.raise(1);
  EXPECT_FALSE(bench.msix.pending(1));
  bench.enable();
  EXPECT_THAT(bench.taken(), IsEmpty());
  bench.msix.raise(2);
  bench.msix.set_control({false, false});
  EXPECT_THAT(bench.taken(), IsEmpty());
  bench.msix.raise(3);
  EXPECT_TRUE(bench.msix.pending(2));
  bench.enable();
  EXPECT_THAT(bench.taken(), ElementsAre(2));
}

TEST(Msix, VectorsThatDoNotExistAreIgnored) {
  Bench bench;
  bench.enable();
  bench.unmask_all();
  bench.msix.raise(kVectors);
  bench.msix.raise(0xFFFF);
  EXPECT_THAT(bench.taken(), IsEmpty());
  EXPECT_EQ(bench.read(kPending + 8), 0u);
  EXPECT_FALSE(bench.msix.pending(kVectors));
}

TEST(Msix, ResetForgetsEverything) {
  Bench bench;
  bench.enable();
  bench.unmask_all();
  bench.write(Bench::entry(1), 0x1000);
  bench.msix.raise(1);
  bench.msix.reset();
  EXPECT_FALSE(bench.msix.enabled());
  EXPECT_FALSE(bench.msix.ready());
  EXPECT_EQ(bench.read(kPending), 0u);
  EXPECT_EQ(bench.read(Bench::entry(1)), 0u);
  EXPECT_EQ(bench.read(Bench::entry(1) + 12), 1u);
  bench.enable();
  bench.unmask_all();
  EXPECT_THAT(bench.taken(), IsEmpty());
}

/// Many rounds in which each takes some and raises others: nothing is lost, doubled or forgotten.
TEST(Msix, LongQueuesKeepTheirOrder) {
  Bench bench;
  bench.enable();
  bench.unmask_all();
  std::vector<unsigned> expected, got;
  const auto raise = [&](unsigned vector) {
    if (!bench.msix.pending(vector)) expected.push_back(vector);
    bench.msix.raise(vector);
  };
  for (unsigned vector = 0; vector < kVectors; ++vector) raise(vector);
  for (unsigned round = 0; round < 1000; ++round) {
    for (unsigned i = 0; i < 1 + round % 5; ++i) {
      const auto message = bench.msix.take();
      if (message) got.push_back(*message->vector);
    }
    for (unsigned i = 0; i < 3; ++i) raise((round * 7 + i * 11) % kVectors);
  }
  for (const unsigned vector : bench.taken()) got.push_back(vector);
  EXPECT_EQ(got, expected);
}

}  // namespace
}  // namespace e1000tlm::pci
