/// Bus arithmetic against hand-computed PCI timing.

#include "models/pci/timing.h"

#include <cstdint>
#include <string>

#include <gtest/gtest.h>

namespace e1000tlm::pci {
namespace {

const BusSpeed k3233 = find_bus_speed("32/33").value();
const BusSpeed k6466 = find_bus_speed("64/66").value();

struct Setting {
  ArbiterTiming arbiter;
  TargetTiming target;
};
const Setting kIdeal{{0}, {0, 0, 0, 0}};
const Setting kTypical{{2}, {8, 1, 0, 0}};
const Setting kSlow33{{2}, {19, 3, 0, 0}};
const Setting kSlow66{{2}, {25, 3, 0, 0}};

std::uint64_t clocks(const BusSpeed& bus, const Setting& setting, Command command,
                     std::uint32_t bytes, std::uint64_t address = 0x10000) {
  return access_clocks(bus, setting.target, setting.arbiter, command, address, bytes);
}

struct Row {
  const char* what;
  Command command;
  std::uint32_t bytes;
  std::uint64_t at_32_33[3];  // ideal, typical, slow
  std::uint64_t at_64_66[3];
};

constexpr Row kTable[] = {
    {"descriptor fetch", Command::kMemoryRead, 16, {7, 17, 28}, {5, 15, 32}},
    {"fetch of 4 descriptors", Command::kMemoryRead, 64, {19, 29, 40}, {11, 21, 38}},
    {"write-back", Command::kMemoryWrite, 16, {6, 9, 11}, {4, 7, 9}},
    {"transmit read 60", Command::kMemoryRead, 60, {18, 28, 39}, {11, 21, 38}},
    {"receive write 64", Command::kMemoryWrite, 64, {18, 21, 23}, {10, 13, 15}},
    {"transmit read 1514", Command::kMemoryRead, 1514, {382, 392, 403}, {193, 203, 220}},
    {"receive write 1520", Command::kMemoryWrite, 1520, {382, 385, 387}, {192, 195, 197}},
};

TEST(Timing, EveryCellOfTheTable) {
  for (const Row& row : kTable) {
    SCOPED_TRACE(row.what);
    EXPECT_EQ(clocks(k3233, kIdeal, row.command, row.bytes), row.at_32_33[0]);
    EXPECT_EQ(clocks(k3233, kTypical, row.command, row.bytes), row.at_32_33[1]);
    EXPECT_EQ(clocks(k3233, kSlow33, row.command, row.bytes), row.at_32_33[2]);
    EXPECT_EQ(clocks(k6466, kIdeal, row.command, row.bytes), row.at_64_66[0]);
    EXPECT_EQ(clocks(k6466, kTypical, row.command, row.bytes), row.at_64_66[1]);
    EXPECT_EQ(clocks(k6466, kSlow66, row.command, row.bytes), row.at_64_66[2]);
  }
}

TEST(Timing, DisconnectsSplitTheAccess) {
  // 1514 bytes in 24 lines of 64: 24 x (2+1+1+16+1) + 379 data phases; writes of 1520: 24 x 7 +
  // 380.
  const Setting setting{{2}, {16, 3, 0, 64}};
  EXPECT_EQ(clocks(k3233, setting, Command::kMemoryRead, 1514), 883u);
  EXPECT_EQ(clocks(k3233, setting, Command::kMemoryWrite, 1520), 548u);
  // 64 bytes across a boundary are two tenures, 64 on one line are one.
  EXPECT_EQ(clocks(k3233, setting, Command::kMemoryWrite, 64, 0x1000), 7u + 16);
  EXPECT_EQ(clocks(k3233, setting, Command::kMemoryWrite, 64, 0x1004), 14u + 16);
}

TEST(Timing, DisconnectsComeAfterWholeDataPhases) {
  // Boundaries of 4 bytes cannot be met on a 64-bit bus: they act as 8.
  const Setting setting{{0}, {0, 0, 0, 4}};
  EXPECT_EQ(clocks(k6466, setting, Command::kMemoryWrite, 16), 2u * 2 + 2);
}

TEST(Timing, UnalignedAccessesNeedTheDataPhasesTheyTouch) {
  EXPECT_EQ(clocks(k3233, kIdeal, Command::kMemoryWrite, 4, 0x1000), 3u);
  EXPECT_EQ(clocks(k3233, kIdeal, Command::kMemoryWrite, 4, 0x1001), 4u);
  EXPECT_EQ(clocks(k3233, kIdeal, Command::kMemoryWrite, 2, 0x1003), 4u);
  EXPECT_EQ(clocks(k6466, kIdeal, Command::kMemoryWrite, 8, 0x1004), 4u);
  EXPECT_EQ(clocks(k6466, kIdeal, Command::kMemoryWrite, 1, 0x1007), 3u);
}

TEST(Timing, WaitStatesCountInEveryDataPhase) {
  const Setting setting{{2}, {8, 1, 3, 0}};
  EXPECT_EQ(clocks(k3233, setting, Command::kMemoryRead, 16), 2u + 1 + 1 + 8 + 4 * 4 + 1);
}

TEST(Timing, OnlyMemoryCommandsUse64Bits) {
  EXPECT_EQ(clocks(k6466, kIdeal, Command::kMemoryReadMultiple, 8), 4u);
  EXPECT_EQ(clocks(k6466, kIdeal, Command::kMemoryWriteInvalidate, 8), 3u);
  EXPECT_EQ(clocks(k6466, kIdeal, Command::kIoRead, 8), 5u);
  EXPECT_EQ(clocks(k6466, kIdeal, Command::kConfigWrite, 8), 4u);
}

TEST(Timing, NothingCostsNothing) {
  EXPECT_EQ(clocks(k3233, kTypical, Command::kMemoryRead, 0), 0u);
  EXPECT_EQ(clocks(k3233, kTypical, Command::kMemoryRead, 1, ~std::uint64_t{0}), 14u);
}

TEST(Timing, MasterAbortTakesTheDevselWindow) {
  EXPECT_EQ(master_abort_clocks({0}), 6u);
  EXPECT_EQ(master_abort_clocks({2}), 8u);
}

TEST(Timing, PriceInTimeIsClocksTimesPeriod) {
  const AccessPrice price(k6466, kTypical.target, kTypical.arbiter, Command::kMemoryRead);
  EXPECT_EQ(price.time(0, 64), Time{21 * 15'000});
}

TEST(Timing, SpeedsByName) {
  const auto expect = [](const char* name, unsigned width, std::int64_t clock_ps, bool pcix) {
    const auto speed = find_bus_speed(name);
    ASSERT_TRUE(speed) << name;
    EXPECT_EQ(speed->width_bits, width) << name;
    EXPECT_EQ(speed->clock.count(), clock_ps) << name;
    EXPECT_EQ(speed->pcix, pcix) << name;
  };
  expect("32/33", 32, 30'000, false);
  expect("32/66", 32, 15'000, false);
  expect("64/33", 64, 30'000, false);
  expect("64/66", 64, 15'000, false);
  expect("64/66x", 64, 15'000, true);
  expect("pcix66", 64, 15'000, true);
  expect("64/100x", 64, 10'000, true);
  expect("pcix133", 64, 7'500, true);
  EXPECT_EQ(bus_speeds().size(), 7u);
  for (const BusSpeed& speed : bus_speeds())
    expect(speed.name, speed.width_bits, speed.clock.count(), speed.pcix);
  EXPECT_FALSE(find_bus_speed("32/34"));
  EXPECT_FALSE(find_bus_speed(""));
}

}  // namespace
}  // namespace e1000tlm::pci
