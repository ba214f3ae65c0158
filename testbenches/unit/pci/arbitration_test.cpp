/// Time on the bus, computed by hand for 32 bit 33 MHz with the default (typical) settings:
/// read n data phases 2+1+1+8+n+1 clocks, write 2+1+1+n+1, nobody there 8, 30 ns each.

#include <vector>

#include <gtest/gtest.h>

#include "testbenches/unit/pci/pci_bench.h"

namespace e1000tlm::pci::test {
namespace {

constexpr Time clocks(std::int64_t n) { return Time{n * 30'000}; }

BenchConfig approximate() {
  BenchConfig config;
  config.quantum = kTimeZero;
  return config;
}

TEST(LooselyTimed, AnnotatesAccessClocksAndNeverWaits) {
  Bench bench;
  bench.run([&] {
    bench.set_up(0);
    bench.cpu.read(bench.bar(0));
    EXPECT_EQ(bench.cpu.took, clocks(14));
    EXPECT_EQ(bench.cpu.waited, kTimeZero);
    EXPECT_EQ(bench.device(0).accesses.back().at, sc_now()) << "the device sees the end of it";
    bench.cpu.write(bench.bar(0), 0);
    EXPECT_EQ(bench.cpu.took, clocks(6));
    bench.cpu.in(bench.port(0), 1);
    EXPECT_EQ(bench.cpu.took, clocks(14));
    bench.cpu.config_read(2, 0);
    EXPECT_EQ(bench.cpu.took, clocks(14));
    bench.cpu.config_read(0, 0);
    EXPECT_EQ(bench.cpu.took, kTimeZero) << "the bridge's own registers are not on the bus";
    bench.cpu.read(0xE0000000);
    EXPECT_EQ(bench.cpu.took, clocks(8));
    EXPECT_EQ(bench.cpu.waited, kTimeZero);
  });
}

TEST(LooselyTimed, CpuLatencyComesBeforeTheBus) {
  BenchConfig config;
  config.cpu_latency = ns(20);
  Bench bench(config);
  bench.run([&] {
    bench.set_up(0);
    bench.cpu.read(bench.bar(0));
    EXPECT_EQ(bench.cpu.took, ns(20) + clocks(14));
    bench.cpu.in(0xCF8);
    EXPECT_EQ(bench.cpu.took, ns(20));
  });
}

TEST(LooselyTimed, MastersDoNotContendButAreCounted) {
  Bench bench;
  Time ends[2];
  const auto master = [&](std::size_t card) {
    return [&bench, &ends, card] {
      BusMaster bus(bench.device(card).dma);
      bus.time().start();
      std::vector<std::uint8_t> data(1520);
      for (int i = 0; i < 3; ++i) bus.write(0x1000, data);
      ends[card] = bus.time().now();
    };
  };
  bench.run([&] {
    bench.set_up(0);
    bench.set_up(1);
  });
  const Time start = sc_now();
  const BusStatistics before = bench.bus.statistics();
  bench.run({master(0), master(1)});
  EXPECT_EQ(ends[0] - start, clocks(3 * 385));
  EXPECT_EQ(ends[1] - start, clocks(3 * 385));
  EXPECT_EQ(bench.bus.statistics().tenures - before.tenures, 6u);
  EXPECT_EQ(bench.bus.statistics().bytes - before.bytes, 6u * 1520);
  EXPECT_EQ(bench.bus.statistics().busy - before.busy, clocks(6 * 385));
}

struct Outcome {
  std::vector<Time> ends;
  std::vector<std::uint8_t> read;
  BusStatistics statistics;
};

/// Card 0 writes 1520 bytes three times, card 1 reads 16 bytes three times, both from the same time
/// on; all ends are relative to it.
Outcome two_masters(bool dmi) {
  BenchConfig config = approximate();
  config.memory_read = ns(7);
  config.memory_write = ns(5);
  Bench bench(config);
  Outcome outcome;
  bench.run([&] {
    bench.set_up(0);
    bench.set_up(1);
    bench.device(0).dma.use_dmi(dmi);
    bench.device(1).dma.use_dmi(dmi);
    bench.device(0).dma.request_dmi(0, true);
    bench.device(1).dma.request_dmi(0, false);
  });
  const BusStatistics before = bench.bus.statistics();
  const Time start = sc_now();
  const auto writer = [&] {
    BusMaster bus(bench.device(0).dma);
    bus.time().start();
    const std::vector<std::uint8_t> data(1520, 0x5A);
    for (int i = 0; i < 3; ++i) {
      EXPECT_EQ(bus.write(0x1000, data), BusStatus::kOk);
      EXPECT_EQ(sc_now(), bus.time().now());
      outcome.ends.push_back(sc_now() - start);
    }
  };
  const auto reader = [&] {
    BusMaster bus(bench.device(1).dma);
    bus.time().start();
    std::vector<std::uint8_t> data(16);
    for (int i = 0; i < 3; ++i) {
      EXPECT_EQ(bus.read(0x1000, data), BusStatus::kOk);
      outcome.ends.push_back(sc_now() - start);
      outcome.read.push_back(data[0]);
    }
  };
  bench.run({writer, reader});
  outcome.statistics = bench.bus.statistics();
  outcome.statistics.busy -= before.busy;
  return outcome;
}

void check_two_masters(const Outcome& outcome) {
  // Writes take 385 clocks and 5 ns of memory, reads 17 clocks and 7 ns. The writer asks again 5 ns
  // after its tenure, while the reader holds the bus; the reader 7 ns after its own, while the
  // writer does: they alternate, with no gap between tenures.
  const Time w = clocks(385), r = clocks(17);
  const std::vector<Time> expected{w + ns(5),          // asked at 0
                                   w + r + ns(7),      // asked at 0, second
                                   2 * w + r + ns(5),  // asked at w + 5
                                   2 * w + 2 * r + ns(7),
                                   3 * w + 2 * r + ns(5),
                                   3 * w + 3 * r + ns(7)};
  EXPECT_EQ(outcome.ends, expected);
  EXPECT_EQ(outcome.read, (std::vector<std::uint8_t>{0x5A, 0x5A, 0x5A}));
  EXPECT_EQ(outcome.statistics.busy, 3 * w + 3 * r);
}

TEST(ApproximatelyTimed, TwoMastersAlternateByTransactions) {
  check_two_masters(two_masters(false));
}
TEST(ApproximatelyTimed, TwoMastersAlternateByTariff) { check_two_masters(two_masters(true)); }

TEST(ApproximatelyTimed, RegisterAccessesWaitForDma) {
  Bench bench(approximate());
  bench.run([&] { bench.set_up(0); });
  const Time start = sc_now();
  Time read_end{};
  const auto dma = [&] {
    BusMaster bus(bench.device(0).dma);
    bus.time().start();
    std::vector<std::uint8_t> data(1514);
    bus.read(0x1000, data);
    EXPECT_EQ(sc_now() - start, clocks(392));
  };
  const auto cpu = [&] {
    sc_core::wait(to_sc(clocks(100)));
    bench.cpu.read(bench.bar(0));
    EXPECT_EQ(bench.cpu.took, clocks(392 + 14 - 100));
    EXPECT_EQ(bench.cpu.waited, bench.cpu.took) << "all of it waited, no delay left";
    EXPECT_EQ(bench.device(0).accesses.back().at, sc_now());
    read_end = sc_now();
  };
  bench.run({dma, cpu});
  EXPECT_EQ(read_end - start, clocks(392 + 14));
}

TEST(ApproximatelyTimed, FirstComeFirstServed) {
  BenchConfig config = approximate();
  config.cards = {nic(), nic(), nic()};
  Bench bench(config);
  std::vector<TenureEvent> events;
  bench.run([&] {
    for (std::size_t i = 0; i < 3; ++i) bench.set_up(i);
  });
  bench.bus.tenures().attach([&](const TenureEvent& event) { events.push_back(event); });
  const Time start = sc_now();
  const auto master = [&](std::size_t card, Time at) {
    return [&bench, card, at] {
      sc_core::wait(to_sc(at));
      BusMaster bus(bench.device(card).dma);
      bus.time().start();
      std::vector<std::uint8_t> data(64);
      bus.write(0x1000 * card, data);
    };
  };
  bench.run({master(0, ns(20)), master(1, ns(10)), master(2, ns(30))});
  ASSERT_EQ(events.size(), 3u);
  const unsigned order[] = {2, 1, 3};
  const Time asked[] = {ns(10), ns(20), ns(30)};
  for (unsigned i = 0; i < 3; ++i) {
    EXPECT_EQ(events[i].master, order[i]);
    EXPECT_EQ(events[i].command, Command::kMemoryWrite);
    EXPECT_EQ(events[i].address, 0x1000u * (order[i] - 1));
    EXPECT_EQ(events[i].bytes, 64u);
    EXPECT_EQ(events[i].requested - start, asked[i]);
    EXPECT_EQ(events[i].start - start, ns(10) + clocks(21 * i));
    EXPECT_EQ(events[i].end - start, ns(10) + clocks(21 * (i + 1)));
    EXPECT_FALSE(events[i].master_abort);
  }
}

TEST(ApproximatelyTimed, MasterAbortsOccupyTheBus) {
  Bench bench(approximate());
  bench.run([&] {
    std::vector<TenureEvent> events;
    bench.bus.tenures().attach([&](const TenureEvent& event) { events.push_back(event); });
    bench.cpu.read(0xE0000000);
    EXPECT_EQ(bench.cpu.took, clocks(8));
    bench.cpu.config_read(7, 0x10);
    EXPECT_EQ(bench.cpu.took, clocks(8));
    ASSERT_EQ(events.size(), 2u);
    EXPECT_TRUE(events[0].master_abort);
    EXPECT_EQ(events[0].master, 0u);
    EXPECT_EQ(events[1].command, Command::kConfigRead);
    EXPECT_EQ(events[1].address, 7u << 11 | 0x10);
  });
}

void mastering_is_switched_off_while_an_access_waits(bool dmi) {
  Bench bench(approximate());
  bench.device(0).dma.use_dmi(dmi);
  bench.run([&] {
    bench.set_up(0);
    bench.device(0).dma.request_dmi(0, true);
  });
  const auto dma = [&] {
    BusMaster bus(bench.device(0).dma);
    bus.time().start();
    const std::vector<std::uint8_t> data(1520, 0xAA);
    EXPECT_EQ(bus.write(0x1000, data), BusStatus::kError);
  };
  const auto reset = [&] {
    sc_core::wait(to_sc(clocks(10)));
    bench.function(0).bus_reset();
  };
  bench.run({dma, reset});
  EXPECT_EQ(bench.memory.bytes()[0x1000], 0);
}

TEST(ApproximatelyTimed, MasteringSwitchedOffStopsAWaitingTransaction) {
  mastering_is_switched_off_while_an_access_waits(false);
}
TEST(ApproximatelyTimed, MasteringSwitchedOffStopsAWaitingDmiAccess) {
  mastering_is_switched_off_while_an_access_waits(true);
}

TEST(ApproximatelyTimed, BarMovedWhileWaitingIsAMasterAbort) {
  Bench bench(approximate());
  bench.run([&] { bench.set_up(0); });
  const auto cpu = [&] {
    EXPECT_EQ(bench.cpu.read(bench.bar(0)), 0xFFFFFFFFu);
    EXPECT_TRUE(bench.device(0).accesses.empty());
    EXPECT_EQ(bench.bus.statistics().master_aborts, 1u);
  };
  const auto software = [&] {
    sc_core::wait(to_sc(clocks(5)));
    bench.function(0).bus_reset();
  };
  bench.run({cpu, software});
}

TEST(ApproximatelyTimed, WiderAndFasterBus) {
  BenchConfig config = approximate();
  config.bus.speed = find_bus_speed("64/66").value();
  config.bus.host = {25, 3, 0, 0};
  Bench bench(config);
  bench.run([&] {
    bench.set_up(0);
    BusMaster bus(bench.device(0).dma);
    bus.time().start();
    const Time start = sc_now();
    std::vector<std::uint8_t> data(1514);
    bus.read(0x1000, data);
    EXPECT_EQ(sc_now() - start, Time{220 * 15'000});
    bench.cpu.read(bench.bar(0));
    EXPECT_EQ(bench.cpu.took, Time{14 * 15'000}) << "functions keep their own timing";
  });
}

}  // namespace
}  // namespace e1000tlm::pci::test
