/// Time on the bus, computed by hand for 32 bit 33 MHz with the default (typical) settings:
/// read n data phases 2+1+1+8+n+1 clocks, write 2+1+1+n+1, nobody there 8, 30 ns each.

#include <string>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>

#include "e1000tlm/pci/host_timing.h"
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

/// PCI 2.3 3.8: 64 bits move where both sides have as many, whoever is the master.
TEST(LooselyTimed, A32BitFunctionIsReadAsSuchOnA64BitBus) {
  BenchConfig config;
  config.bus.speed = find_bus_speed("64/66").value();
  config.cards[1].width_bits = 32;
  Bench bench(config);
  bench.run([&] {
    const auto took = [&](std::size_t card) {
      std::array<std::uint8_t, 64> data{};
      ::tlm::tlm_generic_payload payload;
      payload.set_command(::tlm::TLM_READ_COMMAND);
      payload.set_address(bench.bar(card));
      payload.set_data_ptr(data.data());
      payload.set_data_length(64);
      payload.set_streaming_width(64);
      bench.cpu.transport(bench.cpu.memory, payload);
      return bench.cpu.took;
    };
    bench.set_up(0);
    bench.set_up(1);
    EXPECT_EQ(took(0), Time{21 * 15'000});
    EXPECT_EQ(took(1), Time{29 * 15'000});
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
  EXPECT_EQ(bench.bus.statistics().busy - before.busy, clocks(6 * 383)) << "without arbitration";
}

struct Outcome {
  std::vector<Time> ends;
  std::vector<std::uint8_t> read;
  BusStatistics statistics;
};

/// Card 0 writes 800 bytes three times, card 1 reads 16 bytes three times, both from the same time
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
    const std::vector<std::uint8_t> data(800, 0x5A);
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
  // After arbitration, writes take 203 clocks and 5 ns of memory, reads 15 clocks and 7 ns. The
  // writer asks again 5 ns after its tenure, while the reader holds the bus; the reader 7 ns after
  // its own, while the writer does: they alternate, with no gap and no arbitration between tenures.
  const Time a = clocks(2), w = clocks(203), r = clocks(15);
  const std::vector<Time> expected{a + w + ns(5),          // asked at 0
                                   a + w + r + ns(7),      // asked at 0, second
                                   a + 2 * w + r + ns(5),  // asked at a + w + 5
                                   a + 2 * w + 2 * r + ns(7),
                                   a + 3 * w + 2 * r + ns(5),
                                   a + 3 * w + 3 * r + ns(7)};
  EXPECT_EQ(outcome.ends, expected);
  EXPECT_EQ(outcome.read, (std::vector<std::uint8_t>{0x5A, 0x5A, 0x5A}));
  EXPECT_EQ(outcome.statistics.busy, 3 * w + 3 * r);
}

TEST(ApproximatelyTimed, TwoMastersAlternateByTransactions) {
  check_two_masters(two_masters(false));
}
TEST(ApproximatelyTimed, TwoMastersAlternateByTariff) { check_two_masters(two_masters(true)); }

TEST(ApproximatelyTimed, RegisterAccessesStopDmaWhoseLatencyTimerHasRunOut) {
  BenchConfig config = approximate();
  config.latency_timer = 64;
  Bench bench(config);
  bench.run([&] { bench.set_up(0); });
  const Time start = sc_now();
  Time read_end{};
  const auto dma = [&] {
    BusMaster bus(bench.device(0).dma);
    bus.time().start();
    std::vector<std::uint8_t> data(1514);
    bus.read(0x1000, data);
    EXPECT_EQ(sc_now() - start, clocks(415));
  };
  const auto cpu = [&] {
    sc_core::wait(to_sc(clocks(100)));
    bench.cpu.read(bench.bar(0));
    // Could start at 102: after 90 of 379 data phases, and the one that was promised, the bus is
    // free at 104.
    EXPECT_EQ(bench.cpu.took, clocks(4 + 12));
    EXPECT_EQ(bench.cpu.waited, bench.cpu.took) << "all of it waited, no delay left";
    EXPECT_EQ(bench.device(0).accesses.back().at, sc_now());
    read_end = sc_now();
  };
  bench.run({dma, cpu});
  EXPECT_EQ(read_end - start, clocks(116));
  EXPECT_EQ(bench.bus.usage(1).preemptions, 1u);
  EXPECT_EQ(bench.bus.usage(1).bytes, 1514u);
  EXPECT_EQ(bench.bus.usage(2).tenures, 0u);
}

TEST(ApproximatelyTimed, AccessesThatSetOutAheadOfTimeCompeteAtTheirTime) {
  BenchConfig config = approximate();
  config.latency_timer = 64;
  Bench bench(config);
  bench.run([&] { bench.set_up(0); });
  const auto dma = [&] {
    BusMaster bus(bench.device(0).dma);
    bus.time().start();
    std::vector<std::uint8_t> data(1514);
    bus.read(0x1000, data);
  };
  const auto cpu = [&] {
    bench.cpu.ahead = clocks(100);
    bench.cpu.read(bench.bar(0));
    EXPECT_EQ(bench.cpu.took, clocks(100 + 4 + 12)) << "as if it had been asked for at 100";
    EXPECT_EQ(bench.device(0).accesses.back().at, sc_now());
  };
  bench.run({dma, cpu});
  EXPECT_EQ(bench.bus.usage(1).preemptions, 1u);
}

/// An access that is known ahead of its time looks like the second: card 0, whose turn is before,
/// keeps the bus until 81. Card 1, which nobody knows of yet, goes first, as card 0 had the bus
/// last, and behind it comes the access, not card 0.
TEST(ApproximatelyTimed, AccessesAheadOfTimeMayGainByNewcomers) {
  Bench bench(approximate());
  bench.run([&] {
    bench.set_up(0);
    bench.set_up(1);
  });
  const Time start = sc_now();
  const auto wait_until = [&](int clock, int deltas) {
    sc_core::wait(to_sc(start + clocks(clock) - sc_now()));
    for (int i = 0; i < deltas; ++i) sc_core::wait(sc_core::SC_ZERO_TIME);
  };
  const std::vector<std::uint8_t> data(64);
  std::array<Time, 3> ends{};
  const auto card_0 = [&] {
    BusMaster bus(bench.device(0).dma);
    bus.time().start();
    bus.write(0x1000, {data.data(), 4});
    wait_until(50, 0);
    bus.time().resume();
    bus.write(0x1000, data);
    ends[0] = sc_now() - start;
  };
  const auto cpu = [&] {
    wait_until(50, 1);
    bench.cpu.ahead = clocks(3);
    bench.cpu.write(bench.bar(0), 1);
    ends[1] = sc_now() - start;
  };
  const auto card_1 = [&] {
    wait_until(50, 2);
    BusMaster bus(bench.device(1).dma);
    bus.time().start();
    bus.write(0x1000, {data.data(), 4});
    ends[2] = sc_now() - start;
  };
  bench.run({card_0, cpu, card_1});
  EXPECT_EQ(ends, (std::array<Time, 3>{clocks(79), clocks(60), clocks(56)}));
}

TEST(ApproximatelyTimed, RoundRobin) {
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
  // 2 is the first; then it is 3's turn, although 1 asked before.
  const unsigned order[] = {2, 3, 1};
  const Time asked[] = {ns(10), ns(30), ns(20)};
  for (unsigned i = 0; i < 3; ++i) {
    EXPECT_EQ(events[i].master, order[i]);
    EXPECT_EQ(events[i].command, Command::kMemoryWrite);
    EXPECT_EQ(events[i].address, 0x1000u * (order[i] - 1));
    EXPECT_EQ(events[i].bytes, 64u);
    EXPECT_EQ(events[i].requested - start, asked[i]);
    EXPECT_EQ(events[i].start - start, ns(10) + clocks(2 + 19 * i));
    EXPECT_EQ(events[i].end - start, ns(10) + clocks(2 + 19 * (i + 1)));
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

/// An access that is pushed back by less than the memory's latency ends that much later.
TEST(ApproximatelyTimed, PreemptionCountsBeforeTheMemorysLatency) {
  BenchConfig config = approximate();
  config.memory_write = clocks(100);
  config.latency_timer = 0;
  Bench bench(config);
  bench.run([&] {
    bench.set_up(0);
    bench.set_up(1);
    bench.device(0).dma.request_dmi(0, true);
  });
  const Time start = sc_now();
  const auto dma = [&] {
    BusMaster bus(bench.device(0).dma);
    bus.time().start();
    const std::vector<std::uint8_t> data(64);
    // 2..21 alone. The CPU could start at 12: data phases end at 5, 6 .. 12, another was promised,
    // free at 14; the CPU writes 14..18; the other 7 data phases 18..28; then the memory.
    EXPECT_EQ(bus.write(0x1000, data), BusStatus::kOk);
    EXPECT_EQ(sc_now() - start, clocks(28 + 100));
  };
  const auto cpu = [&] {
    sc_core::wait(to_sc(clocks(10)));
    bench.cpu.write(bench.bar(1), 0);
    EXPECT_EQ(sc_now() - start, clocks(18));
  };
  bench.run({dma, cpu});
  EXPECT_EQ(bench.bus.usage(1).preemptions, 1u);
}

TEST(ApproximatelyTimed, CommandsFollowConfigurationSpace) {
  BenchConfig config = approximate();
  config.bus.host.memory_read_bytes = 64;
  Bench bench(config);
  std::vector<TenureEvent> events;
  bench.bus.tenures().attach([&](const TenureEvent& event) { events.push_back(event); });
  bench.run([&] {
    bench.set_up(0);
    BusMaster bus(bench.device(0).dma);
    bus.time().start();
    std::vector<std::uint8_t> data(256);
    const auto took = [&](bool write) {
      bus.time().resume();  // the CPU has waited in this process
      const Time start = sc_now();
      events.clear();
      if (write) {
        bus.write(0x1000, data);
      } else {
        bus.read(0x1000, data);
      }
      return sc_now() - start;
    };
    // No cache line size: 32, so 256 bytes are Read Multiple. A line of 128 makes Read Line of it.
    EXPECT_EQ(took(false), clocks(13 + 64));
    EXPECT_EQ(events.at(0).command, Command::kMemoryReadMultiple);
    bench.cpu.config_write(2, cfg::kCacheLineSize, 32, 1);
    EXPECT_EQ(took(false), clocks(13 + 64));
    EXPECT_EQ(events.at(0).command, Command::kMemoryReadLine);
    data.resize(100);
    EXPECT_EQ(took(false), clocks(2 * 13 + 25));
    EXPECT_EQ(events.at(0).command, Command::kMemoryRead);
    data.resize(130);
    EXPECT_EQ(took(true), clocks(5 + 33));
    EXPECT_EQ(events.at(0).command, Command::kMemoryWrite);
    bench.cpu.config_write(2, cfg::kCommand, command::kMemory | command::kMaster | command::kMwi,
                           2);
    EXPECT_EQ(took(true), clocks(5 + 32 + 5 + 1)) << "one line, then 2 bytes";
    EXPECT_EQ(events.at(0).command, Command::kMemoryWriteInvalidate);
    bench.bus.reset();
    bench.set_up(0);
    EXPECT_EQ(took(true), clocks(5 + 33));
  });
}

TEST(ApproximatelyTimed, RegisterReadsOnPcixAreSplit) {
  BenchConfig config = approximate();
  config.bus.speed = find_bus_speed("64/133x").value();
  for (FunctionConfig& card : config.cards) card.pcix_offset = 0xE4;
  Bench bench(config);
  bench.run([&] {
    EXPECT_EQ(bench.cpu.config_read(2, cfg::kLatencyTimer, 1), 64u) << "PCI-X resets it to that";
    EXPECT_EQ(bench.cpu.took, Time{7'500 * 19});
    bench.set_up(0);
    bench.cpu.read(bench.bar(0));
    // Data 240 ns = 32 clocks after the address phase at 2; completion 2+3+1+1.
    EXPECT_EQ(bench.cpu.took, Time{7'500 * (34 + 7)});
    bench.cpu.write(bench.bar(0), 0);
    EXPECT_EQ(bench.cpu.took, Time{7'500 * (2 + 3 + 2 + 1 + 1)});
    bench.cpu.read(0xE0000000);
    EXPECT_EQ(bench.cpu.took, Time{7'500 * (2 + 8)});
  });
  EXPECT_EQ(bench.bus.usage(0).splits, 1u);
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

/// Without contention an access takes as long as arithmetic says, in both accuracies, by DMI and by
/// transactions.
class Uncontended
    : public ::testing::TestWithParam<std::tuple<std::string, std::string, bool, bool>> {};

TEST_P(Uncontended, TakesWhatArithmeticSays) {
  const auto [bus, host, loose, dmi] = GetParam();
  BenchConfig config;
  config.quantum = loose ? us(10) : kTimeZero;
  config.bus.speed = find_bus_speed(bus).value();
  const HostTiming timing = find_host_timing(host, config.bus.speed).value();
  config.bus.arbiter = timing.arbiter;
  config.bus.host = timing.target;
  config.memory_read = config.memory_write = ns(33);
  Bench bench(config);
  Arbiter arithmetic;
  bench.run([&] {
    bench.set_up(0);
    bench.cpu.config_write(2, cfg::kCacheLineSize, 16, 1);
    bench.device(0).dma.use_dmi(dmi);
    if (dmi) bench.device(0).dma.request_dmi(0, true);
    AccessTiming::Setup setup;
    setup.bus = config.bus.speed;
    setup.arbiter = config.bus.arbiter;
    setup.target = config.bus.host;
    setup.master = bench.function(0).config().master_settings();
    setup.requester = 1;
    const AccessTiming reads(setup);
    setup.write = true;
    const AccessTiming writes(setup);
    setup.target = config.bus.device;
    setup.master = {};
    setup.requester = 0;
    setup.write = false;
    const AccessTiming registers(setup);

    BusMaster master(bench.device(0).dma);
    master.time().start();
    const BusUsage before = bench.bus.usage(1);
    for (std::uint32_t bytes = 1; bytes < 1600; bytes += 77) {
      std::vector<std::uint8_t> data(bytes);
      Time now = master.time().now();
      now = arithmetic.alone(writes, {0x1000 + bytes, bytes, 0}, now) + ns(33);
      master.write(0x1000 + bytes, data);
      ASSERT_EQ(master.time().now(), now) << bytes;
      now = arithmetic.alone(reads, {0x4FC0 + bytes, bytes, 0}, now) + ns(33);
      master.read(0x4FC0 + bytes, data);
      ASSERT_EQ(master.time().now(), now) << bytes;
      master.time().sync();
      bench.cpu.read(bench.bar(0));
      now = arithmetic.alone(registers, {bench.bar(0), 4, 1}, now);
      ASSERT_EQ(sc_now(), now);
      master.time().resume();
    }
    const BusUsage usage = bench.bus.usage(1) - before, expected = arithmetic.usage(1);
    EXPECT_EQ(usage.accesses, expected.accesses);
    EXPECT_EQ(usage.tenures, expected.tenures);
    EXPECT_EQ(usage.retries, expected.retries);
    EXPECT_EQ(usage.splits, expected.splits);
    EXPECT_EQ(usage.disconnects, expected.disconnects);
    EXPECT_EQ(usage.preemptions, 0u);
    EXPECT_EQ(usage.bytes, expected.bytes);
    EXPECT_EQ(usage.busy, expected.busy);
    EXPECT_EQ(usage.waiting, expected.waiting);
  });
}

INSTANTIATE_TEST_SUITE_P(
    , Uncontended,
    ::testing::Combine(::testing::Values<std::string>("32/33", "64/66", "64/133x"),
                       ::testing::Values<std::string>("typical", "lines", "delayed"),
                       ::testing::Bool(), ::testing::Bool()));

}  // namespace
}  // namespace e1000tlm::pci::test
