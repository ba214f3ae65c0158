/// Whole accesses that nobody disturbs, against hand-computed clocks.

#include "e1000tlm/pci/access_timing.h"

#include <string>

#include <gtest/gtest.h>

namespace e1000tlm::pci {
namespace {

using Way = AccessTiming::Setup;

Way setup(const char* bus, bool write, const TargetTiming& target = {}) {
  Way s;
  s.bus = find_bus_speed(bus).value();
  s.target = target;
  s.write = write;
  s.requester = 1;
  s.master.cache_line_bytes = 64;
  return s;
}

struct Result {
  std::int64_t clocks;
  BusUsage usage;
};

Result run(const Way& s, std::uint64_t address, std::uint32_t bytes, unsigned last = 9) {
  const AccessTiming timing(s);
  Result result{};
  const Time end = timing.alone(address, bytes, 0, us(1), last, result.usage);
  EXPECT_EQ((end - us(1)) % s.bus.clock, kTimeZero);
  result.clocks = (end - us(1)) / s.bus.clock;
  EXPECT_EQ(result.usage.busy + result.usage.waiting, end - us(1))
      << "except while data is awaited";
  return result;
}

std::int64_t clocks(const Way& s, std::uint64_t address, std::uint32_t bytes) {
  const AccessTiming timing(s);
  BusUsage usage;
  unsigned last = 9;
  return (timing.alone(address, bytes, 0, us(1), last, usage) - us(1)) / s.bus.clock;
}

TEST(AccessTiming, DefaultsGiveTheTypicalFigures) {
  EXPECT_EQ(run(setup("32/33", false), 0x10000, 1514).clocks, 392);
  EXPECT_EQ(run(setup("64/66", true), 0x10000, 1520).clocks, 195);
  const BusUsage usage = run(setup("64/66", false), 0x10000, 64).usage;
  EXPECT_EQ(usage.accesses, 1u);
  EXPECT_EQ(usage.tenures, 1u);
  EXPECT_EQ(usage.bytes, 64u);
  EXPECT_EQ(usage.waiting, Time{2 * 15'000});
  EXPECT_EQ(usage.busy, Time{19 * 15'000});
}

TEST(AccessTiming, ANarrowMasterStaysNarrowOnAWideBus) {
  Way s = setup("64/66", false);
  s.master.width_bits = 32;
  EXPECT_EQ(run(s, 0x10000, 64).clocks, 29);
}

TEST(AccessTiming, ANarrowTargetIsReadAsSuchOnAWideBus) {
  Way s = setup("64/66", false);
  s.target_width_bits = 32;
  EXPECT_EQ(run(s, 0x10000, 64).clocks, 29);
}

/// Tenures of a traced PRO/1000 behind a bridge that disconnects at 512 bytes, cache line 128:
/// frames of 1514 bytes, which end with a whole 8-byte word.
TEST(AccessTiming, WritesFallIntoTheTracedTenures) {
  Way s = setup("64/33", true);
  s.master.write_invalidate = true;
  s.master.cache_line_bytes = 128;
  s.target.disconnect_bytes = 512;
  const Result unaligned = run(s, 0x1012, 1518);  // 494, 512, 512 of which 508 are the frame's
  EXPECT_EQ(unaligned.usage.tenures, 3u);
  EXPECT_EQ(unaligned.clocks, 3 * 5 + 62 + 64 + 64);
  const Result aligned = run(s, 0x1000, 1520);  // 512, 512, 384, 112 of which 106 are
  EXPECT_EQ(aligned.usage.tenures, 4u);
}

TEST(AccessTiming, MemoryWriteInvalidateThenMemoryWrite) {
  Way s = setup("32/33", true);
  s.master.write_invalidate = true;
  // 23 lines of 64: 2+1+1+368+1, then 48 bytes: 2+1+1+12+1.
  Result r = run(s, 0x1000, 1520);
  EXPECT_EQ(r.clocks, 373 + 17);
  EXPECT_EQ(r.usage.tenures, 2u);
  EXPECT_EQ(r.usage.disconnects, 1u);
  // Not aligned: one Memory Write to the end.
  EXPECT_EQ(run(s, 0x1010, 1520).clocks, 385);
  // A target that ends Memory Writes at lines gets the rest as MWI: 48, 1472.
  s.target.memory_write_bytes = 64;
  r = run(s, 0x1010, 1520);
  EXPECT_EQ(r.clocks, (5 + 12) + (5 + 368));
  EXPECT_EQ(r.usage.tenures, 2u);
}

TEST(AccessTiming, TheCommandIsChosenAnewAfterADisconnect) {
  TargetTiming target;
  target.memory_read_bytes = target.read_line_bytes = 64;
  target.read_multiple_bytes = 256;
  const Way s = setup("32/33", false, target);
  // 300 bytes from 0x1000 on: Read Multiple moves 256, then 44 with Read.
  EXPECT_EQ(run(s, 0x1000, 300).clocks, (13 + 64) + (13 + 11));
  // From 0x10C0 on: Read Multiple 64 up to 0x1100, then 200 with Read Multiple.
  EXPECT_EQ(run(s, 0x10C0, 264).clocks, (13 + 16) + (13 + 50));
  // 100 from 0x1000 on: Read Line 64, then 36 with Read.
  EXPECT_EQ(run(s, 0x1000, 100).clocks, (13 + 16) + (13 + 9));
}

TEST(AccessTiming, DelayedReadsAreRetriedUntilTheDataIsThere) {
  TargetTiming target;
  target.delayed_read = ns(400);
  Way s = setup("32/33", false, target);
  // Attempts every 2+1+3+1 = 7 clocks (210 ns). Address phases at 60, 270 and 480 ns: two retries,
  // and from 460 ns on there is data: 2+1+1+1+16+1.
  const Result r = run(s, 0x1000, 64);
  EXPECT_EQ(r.clocks, 7 + 7 + 22);
  EXPECT_EQ(r.usage.retries, 2u);
  EXPECT_EQ(r.usage.tenures, 3u);
  EXPECT_EQ(r.usage.bytes, 64u);
  // Just in time for the second attempt.
  s.target.delayed_read = ns(210);
  EXPECT_EQ(run(s, 0x1000, 64).clocks, 7 + 22);
  s.target.delayed_read = ns(211);
  EXPECT_EQ(run(s, 0x1000, 64).clocks, 7 + 7 + 22);
  // What is prefetched ends at a line; then it begins anew.
  s.target.delayed_read = ns(400);
  s.target.disconnect_bytes = 64;
  EXPECT_EQ(run(s, 0x1000, 128).clocks, 2 * (7 + 7 + 22));
  // Dual address cycles in all attempts.
  EXPECT_EQ(run(s, 0x1'0000'1000, 64).clocks, 8 + 8 + 23);
  // Writes and accesses outside memory are not delayed.
  s.write = true;
  s.target.disconnect_bytes = 0;
  EXPECT_EQ(run(s, 0x1000, 64).clocks, 21);
  s.write = false;
  s.space = Space::kIo;
  EXPECT_EQ(run(s, 0x1000, 4).clocks, 14);
}

TEST(AccessTiming, SplitReads) {
  TargetTiming target;
  target.split_latency = ns(120);
  Way s = setup("64/66x", false, target);
  // Request 2+1+1+1+1+1 = 7 clocks; the data is there 120 ns = 8 clocks after the address phase, at
  // clock 10; completion 2+1+1+1+8+1 = 14.
  EXPECT_EQ(clocks(s, 0x1000, 64), 10 + 14);
  // 2 KiB with requests of 512: four times 10 + 2+3+64+1.
  EXPECT_EQ(clocks(s, 0x1000, 2048), 4 * (10 + 70));
  s.master.max_read_bytes = 4096;
  EXPECT_EQ(clocks(s, 0x1000, 2048), 10 + 2 + 3 + 256 + 1);
  // A completer that delivers 128 bytes at a time.
  s.target.disconnect_bytes = 128;
  EXPECT_EQ(clocks(s, 0x1000, 512), 10 + 4 * (2 + 3 + 16 + 1));
  EXPECT_EQ(clocks(s, 0x1040, 512), 10 + 5 * 6 + 64);
  // Data earlier than the end of the request waits for it; dual address only in the request.
  s.target.disconnect_bytes = 0;
  s.target.split_latency = ns(1);
  EXPECT_EQ(clocks(s, 0x1000, 64), 7 + 14);
  EXPECT_EQ(clocks(s, 0x1'0000'1000, 64), 8 + 14);
  // The faster clock: 120 ns = 16 clocks of 133 MHz.
  s.target.split_latency = ns(120);
  s.bus = find_bus_speed("64/133x").value();
  EXPECT_EQ(clocks(s, 0x1000, 64), 18 + 14);
  const AccessTiming timing(s);
  BusUsage usage;
  unsigned last = 9;
  timing.alone(0x1000, 64, 0, kTimeZero, last, usage);
  EXPECT_EQ(last, 0u) << "the completer had the bus";
  EXPECT_EQ(usage.splits, 1u);
  EXPECT_EQ(usage.tenures, 2u);
  EXPECT_EQ(usage.busy, Time{7'500} * (5 + 12));
  EXPECT_EQ(usage.waiting, Time{7'500} * (2 + 2));
}

TEST(AccessTiming, ImmediateReadsAndWritesOnPcix) {
  TargetTiming target;
  target.split_latency = kTimeZero;
  EXPECT_EQ(run(setup("64/133x", false, target), 0x1000, 64).clocks, 2 + 3 + 8 + 8 + 1);
  EXPECT_EQ(run(setup("64/133x", true), 0x1000, 64).clocks, 2 + 3 + 2 + 8 + 1);
  Way config = setup("64/133x", false);
  config.space = Space::kConfig;
  EXPECT_EQ(run(config, 0x10, 4).clocks, 2 + 4 + 3 + 8 + 1 + 1) << "never split";
  Way io = setup("64/133x", false);
  io.space = Space::kIo;
  EXPECT_EQ(clocks(io, 0x10, 4), 18 + 2 + 3 + 1 + 1);
}

TEST(AccessTiming, Parking) {
  Way s = setup("32/33", false);
  s.arbiter.parking = Parking::kLast;
  EXPECT_EQ(run(s, 0x1000, 64, 1).clocks, 27);
  EXPECT_EQ(run(s, 0x1000, 64, 2).clocks, 29);
  s.arbiter.parked_grant = 1;
  EXPECT_EQ(run(s, 0x1000, 64, 1).clocks, 28);
  s.target.disconnect_bytes = 32;
  EXPECT_EQ(run(s, 0x1000, 64, 2).clocks, (13 + 8) + (12 + 8));
  s.arbiter.parking = Parking::kHost;
  EXPECT_EQ(run(s, 0x1000, 32, 1).clocks, 21);
  s.requester = 0;
  EXPECT_EQ(run(s, 0x1000, 32, 1).clocks, 20);
}

TEST(AccessTiming, MasterAbort) {
  const BusSpeed pci = find_bus_speed("32/33").value(), pcix = find_bus_speed("64/133x").value();
  BusUsage usage;
  unsigned last = 9;
  const auto of = [&](const BusSpeed& bus, std::uint64_t address) {
    return AccessTiming::master_abort(bus, {}, 1).alone(address, 64, 0, kTimeZero, last, usage) /
           bus.clock;
  };
  EXPECT_EQ(of(pci, 0x1000), 8);
  EXPECT_EQ(of(pci, 0x1'0000'0000), 9);
  EXPECT_EQ(of(pcix, 0x1000), 10);
  EXPECT_EQ(usage.bytes, 0u);
  EXPECT_EQ(usage.tenures, 3u);
}

TEST(AccessTiming, NothingTakesNoTime) {
  BusUsage usage;
  unsigned last = 9;
  const AccessTiming timing(setup("32/33", false));
  EXPECT_EQ(timing.alone(0x1000, 0, 0, us(1), last, usage), us(1));
  EXPECT_EQ(usage.accesses, 0u);
}

TEST(AccessTiming, TenureByTenureIsTheClosedFormula) {
  for (const char* bus : {"32/33", "64/66", "64/133x"}) {
    for (const bool write : {false, true}) {
      for (const unsigned boundary : {0u, 32u, 64u, 4096u}) {
        TargetTiming target;
        target.disconnect_bytes = boundary;
        target.split_latency = kTimeZero;
        const Way s = setup(bus, write, target);
        const AccessTiming timing(s);
        ASSERT_TRUE(timing.simple());
        for (std::uint32_t bytes = 1; bytes < 700; bytes += 13) {
          const std::uint64_t address = 0x2F00 + 7 * bytes;
          BusUsage usage;
          Time at{};
          AccessTiming::Progress progress;
          progress.address = address;
          progress.bytes = bytes;
          while (progress.bytes != 0) {
            const Time start = progress.asked + timing.grant(progress, 9);
            timing.finish(progress, timing.next(progress, start), start);
          }
          EXPECT_EQ(progress.asked, timing.time(address, bytes)) << bus << ' ' << bytes;
          unsigned last = 9;
          EXPECT_EQ(timing.alone(address, bytes, 0, at, last, usage), timing.time(address, bytes));
          EXPECT_EQ(usage.bytes, bytes);
        }
      }
    }
  }
}

}  // namespace
}  // namespace e1000tlm::pci
