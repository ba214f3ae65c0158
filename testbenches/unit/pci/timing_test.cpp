/// Bus arithmetic against hand-computed PCI timing.

#include "e1000tlm/pci/timing.h"

#include <cstdint>
#include <string>

#include <gtest/gtest.h>

#include "e1000tlm/pci/host_timing.h"

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
  EXPECT_EQ(clocks(k3233, kTypical, Command::kMemoryRead, 1, ~std::uint64_t{0}), 15u);
}

TEST(Timing, MasterAbortTakesTheDevselWindow) {
  EXPECT_EQ(master_abort_clocks(), 1u + 4 + 1);
  EXPECT_EQ(master_abort_clocks(true), 1u + 6 + 1);
}

TEST(Timing, DualAddressCycleAbove4GiB) {
  EXPECT_EQ(clocks(k3233, kTypical, Command::kMemoryRead, 64, 0x1'0000'0000), 30u);
  EXPECT_EQ(clocks(k3233, kTypical, Command::kMemoryRead, 64, 0xFFFF'FFC0), 29u);
  // In each of the tenures.
  const Setting setting{{2}, {16, 3, 0, 64}};
  EXPECT_EQ(clocks(k3233, setting, Command::kMemoryWrite, 128, 0x1'0000'0000), 2u * 8 + 32);
}

TEST(Timing, BoundariesByCommand) {
  const TargetTiming target = find_target_timing("prefetch").value();
  const auto of = [&](Command command, std::uint64_t address, std::uint32_t bytes) {
    return access_clocks(k3233, target, {2}, command, address, bytes);
  };
  // Overhead of a typical read: 2+1+1+8+1 = 13, write 2+1+1+1 = 5.
  EXPECT_EQ(of(Command::kMemoryRead, 0x1000, 256), 4u * 13 + 64);
  EXPECT_EQ(of(Command::kMemoryReadLine, 0x1020, 256), 5u * 13 + 64);
  EXPECT_EQ(of(Command::kMemoryReadMultiple, 0x1020, 256), 13u + 64);
  EXPECT_EQ(of(Command::kMemoryReadMultiple, 0x1F80, 256), 2u * 13 + 64) << "4 KiB";
  EXPECT_EQ(of(Command::kMemoryWrite, 0x1F80, 256), 2u * 5 + 64);
  TargetTiming writes{};
  writes.memory_write_bytes = 32;
  EXPECT_EQ(access_clocks(k3233, writes, {2}, Command::kMemoryWrite, 0, 64), 2u * 5 + 16);
  EXPECT_EQ(access_clocks(k3233, writes, {2}, Command::kMemoryWriteInvalidate, 0, 64), 5u + 16);
  writes.disconnect_bytes = 16;
  EXPECT_EQ(access_clocks(k3233, writes, {2}, Command::kMemoryWrite, 0, 64), 4u * 5 + 16);
}

TEST(Timing, PcixFormula) {
  const BusSpeed x133 = find_bus_speed("64/133x").value();
  const auto of = [&](const TargetTiming& target, Command command, std::uint64_t address,
                      std::uint32_t bytes) {
    return access_clocks(x133, target, {2}, command, address, bytes);
  };
  // 2 arbitration, 1 address, 1 attribute, 1 decode A, n data, 1 idle.
  const TargetTiming ideal{0, 0, 0, 0};
  EXPECT_EQ(of(ideal, Command::kMemoryWriteInvalidate, 0x1000, 1520), 2u + 1 + 1 + 1 + 190 + 1);
  EXPECT_EQ(of(ideal, Command::kMemoryReadLine, 0x1000, 64), 2u + 1 + 1 + 1 + 8 + 1);
  // Wait clocks of writes come in pairs; there are none between data phases.
  EXPECT_EQ(of({8, 1, 3, 0}, Command::kMemoryWriteInvalidate, 0x1000, 64), 2u + 3 + 2 + 8 + 1);
  EXPECT_EQ(of({7, 1, 3, 0}, Command::kMemoryReadLine, 0x1000, 64), 2u + 3 + 7 + 8 + 1);
  TargetTiming decode_c = ideal;
  decode_c.decode = 3;
  EXPECT_EQ(of(decode_c, Command::kMemoryReadLine, 0x1000, 8), 2u + 1 + 1 + 3 + 1 + 1);
  // Disconnects at ADBs only: 64 acts as 128.
  EXPECT_EQ(of({0, 0, 0, 64}, Command::kMemoryWriteInvalidate, 0x1000, 256), 2u * 6 + 32);
  EXPECT_EQ(of({0, 0, 0, 64}, Command::kMemoryWriteInvalidate, 0x1040, 256), 3u * 6 + 32);
  // One dword a tenure outside memory; configuration: 4 clocks for IDSEL.
  EXPECT_EQ(of(ideal, Command::kIoRead, 0x10, 4), 2u + 3 + 1 + 1);
  EXPECT_EQ(of(ideal, Command::kIoRead, 0x10, 8), 2u * 7);
  EXPECT_EQ(of(ideal, Command::kConfigWrite, 0x10, 4), 2u + 4 + 3 + 1 + 1);
  EXPECT_EQ(of(ideal, Command::kMemoryWriteInvalidate, 0x1'0000'0000, 8), 2u + 4 + 1 + 1);
}

TEST(Timing, TenureUpToTheBoundary) {
  const TenurePrice price(k3233, {8, 1, 0, 64}, Command::kMemoryRead);
  const Tenure first = price.tenure(0x1030, 100);
  EXPECT_EQ(first.bytes, 16u);
  EXPECT_EQ(first.lead, 10u);
  EXPECT_EQ(first.clocks, 10u + 4 + 1);
  EXPECT_FALSE(first.last);
  EXPECT_TRUE(price.tenure(0x1040, 64).last);
}

/// The data phase under way was begun with FRAME# asserted: one more follows (PCI 2.3 3.3.3.1).
TEST(Timing, StoppedTenuresEndWithTheDataPhaseAfterTheOneUnderWay) {
  const TenurePrice price(k3233, {8, 1, 1, 0}, Command::kMemoryRead);  // 10 + 2 a data phase + 1
  const Tenure whole = price.tenure(0x1002, 30);                       // 8 data phases
  ASSERT_EQ(whole.clocks, 10u + 16 + 1);
  const auto expect = [&](std::uint64_t elapsed, std::uint32_t bytes, unsigned clocks) {
    const Tenure left = price.cut(whole, elapsed);
    EXPECT_EQ(left.bytes, bytes) << elapsed;
    EXPECT_EQ(left.clocks, clocks) << elapsed;
    EXPECT_EQ(left.last, bytes == 30) << elapsed;
  };
  expect(0, 2, 13);  // known in the address phase: one data phase
  expect(1, 2, 13);
  expect(2, 6, 15);  // IRDY# was asserted for the first one, and FRAME# for the second
  expect(12, 6, 15);
  expect(13, 10, 17);  // the second one is under way
  expect(14, 10, 17);
  expect(22, 26, 25);
  expect(23, 30, 27);
  expect(1000, 30, 27);
}

TEST(Timing, StopsOnlyWhereTheCommandAllows) {
  const TenurePrice mwi(k3233, {8, 1, 0, 0}, Command::kMemoryWriteInvalidate);
  const Tenure lines = mwi.tenure(0x1000, 256, 64);
  EXPECT_EQ(mwi.cut(lines, 10).bytes, 64u);
  EXPECT_EQ(mwi.cut(lines, 10).clocks, 2u + 16 + 1);
  EXPECT_EQ(mwi.cut(lines, 17).bytes, 64u);
  EXPECT_EQ(mwi.cut(lines, 18).bytes, 128u) << "a data phase of the next line was promised";
  const TenurePrice pcix(find_bus_speed("64/133x").value(), {0, 0, 0, 0},
                         Command::kMemoryWriteInvalidate);
  const Tenure block = pcix.tenure(0x1040, 1000);
  EXPECT_EQ(pcix.cut(block, 0).bytes, 64u) << "up to the next 128 bytes";
  EXPECT_EQ(pcix.cut(block, 3 + 9).bytes, 192u);
  EXPECT_EQ(pcix.cut(block, 3 + 9).clocks, 3u + 24 + 1);
}

TEST(Timing, HostsByName) {
  EXPECT_EQ(host_timing_names().size(), 11u);
  for (const std::string_view name : host_timing_names()) {
    EXPECT_TRUE(find_host_timing(name)) << name;
    EXPECT_TRUE(find_target_timing(name)) << name;
  }
  EXPECT_FALSE(find_host_timing("fast"));
  EXPECT_FALSE(find_target_timing(""));
  for (const Row& row : kTable) {
    SCOPED_TRACE(row.what);
    unsigned column = 0;
    for (const char* name : {"ideal", "typical", "slow"}) {
      const HostTiming at33 = find_host_timing(name, k3233).value();
      const HostTiming at66 = find_host_timing(name, k6466).value();
      EXPECT_EQ(access_clocks(k3233, at33.target, at33.arbiter, row.command, 0x10000, row.bytes),
                row.at_32_33[column]);
      EXPECT_EQ(access_clocks(k6466, at66.target, at66.arbiter, row.command, 0x10000, row.bytes),
                row.at_64_66[column]);
      ++column;
    }
  }
  const HostTiming lines = find_host_timing("lines").value();
  EXPECT_EQ(access_clocks(k3233, lines.target, lines.arbiter, Command::kMemoryRead, 0, 1514), 883u);
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
