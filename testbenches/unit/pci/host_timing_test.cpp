/// Hosts by name and by figures, and what their bridges do to bursts.

#include "e1000tlm/pci/host_timing.h"

#include <stdexcept>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "e1000tlm/pci/arbiter.h"

namespace e1000tlm::pci {
namespace {

using ::testing::HasSubstr;

AccessTiming timing(const HostTiming& host, const BusSpeed& bus, bool write,
                    PostedWrites* posted = nullptr) {
  AccessTiming::Setup setup;
  setup.bus = bus;
  setup.arbiter = host.arbiter;
  setup.target = host.target;
  setup.master.cache_line_bytes = 128;
  setup.master.write_invalidate = true;
  setup.master.max_read_bytes = 4096;
  setup.write = write;
  setup.requester = 1;
  setup.posted = posted;
  return AccessTiming(setup);
}

double microseconds(const HostTiming& host, const char* bus, bool write, std::uint64_t address,
                    std::uint32_t bytes) {
  const AccessTiming its = timing(host, find_bus_speed(bus).value(), write);
  BusUsage usage;
  unsigned last = ~0u;
  return static_cast<double>(its.alone(address, bytes, 0, kTimeZero, last, usage).count()) / 1e6;
}

double mb_per_s(const HostTiming& host, const char* bus, bool write) {
  return 4096 / microseconds(host, bus, write, 0x10000, 4096);
}

/// The trace: transmit 1514 bytes at ..0A8h 14.108 us, aligned about 12.69; receive 1514 at ..012h,
/// with the rest of its last word, 6.496 us.
TEST(HostTiming, P660TakesTheTracedTimes) {
  const HostTiming host = find_host_timing("p660").value();
  const AccessTiming read = timing(host, find_bus_speed("64/33").value(), false);
  BusUsage usage;
  unsigned last = ~0u;
  read.alone(0x100A8, 1514, 0, kTimeZero, last, usage);
  EXPECT_EQ(usage.tenures, 5u) << "344, 512, 512, 128, 18";
  EXPECT_NEAR(microseconds(host, "64/33", false, 0x100A8, 1514), 14.108, 0.08);
  EXPECT_NEAR(microseconds(host, "64/33", false, 0x10000, 1514), 12.69, 0.08);
  EXPECT_NEAR(microseconds(host, "64/33", true, 0x10012, 1518), 6.496, 0.03);
}

TEST(HostTiming, FittedHostsMoveWhatWasMeasured) {
  EXPECT_NEAR(mb_per_s(*find_host_timing("vt8233"), "32/33", true), 72, 1);
  EXPECT_NEAR(mb_per_s(*find_host_timing("amd8131"), "64/133x", false), 936, 5);
  EXPECT_NEAR(mb_per_s(*find_host_timing("amd8131"), "64/133x", true), 1032, 5);
  EXPECT_NEAR(mb_per_s(*find_host_timing("gc-sl"), "64/133x", false), 856, 5);
  EXPECT_NEAR(mb_per_s(*find_host_timing("gc-sl"), "64/133x", true), 1044, 5);
  EXPECT_NEAR(mb_per_s(*find_host_timing("rx2000"), "64/133x", false), 784, 5);
  EXPECT_NEAR(mb_per_s(*find_host_timing("rx2000"), "64/133x", true), 1044, 5);
}

TEST(HostTiming, ReadsWaitForEachBlockButTheFirst) {
  HostTiming host;
  host.target.prefetch_bytes = 64;
  host.target.prefetch_wait = 5;
  // 32/33 typical: 2+1+1+8+n+1. 0x20..0x100 are 4 blocks.
  EXPECT_DOUBLE_EQ(microseconds(host, "32/33", false, 0x20, 0xE0), 0.03 * (13 + 56 + 3 * 5));
  EXPECT_DOUBLE_EQ(microseconds(host, "32/33", false, 0x20, 0x20), 0.03 * (13 + 8));
  EXPECT_DOUBLE_EQ(microseconds(host, "32/33", true, 0x20, 0xE0), 0.03 * (5 + 56)) << "not writes";
  // A cut at a block's border makes a new read of it.
  host.target.read_disconnect_bytes = 128;
  EXPECT_DOUBLE_EQ(microseconds(host, "32/33", false, 0x20, 0xE0),
                   0.03 * (13 + 24 + 5 + 13 + 32 + 5));
}

TEST(HostTiming, StoppedBurstsHaveWaitedForTheBlocksTheyGot) {
  TargetTiming target;
  target.prefetch_bytes = 16;
  target.prefetch_wait = 5;
  const TenurePrice price({}, target, Command::kMemoryRead);  // lead 10; 4 data, 5 waits, 4 data ..
  const Tenure whole = price.tenure(0x1000, 64);
  EXPECT_EQ(whole.clocks, 10u + 16 + 15 + 1);
  const auto bytes = [&](std::uint64_t elapsed) { return price.cut(whole, elapsed).bytes; };
  EXPECT_EQ(bytes(10 + 3), 16u);
  EXPECT_EQ(bytes(10 + 4), 20u) << "one of the next block was promised";
  EXPECT_EQ(bytes(10 + 5), 24u) << "and waits; another follows";
  EXPECT_EQ(bytes(10 + 10), 24u);
  EXPECT_EQ(bytes(10 + 11), 28u);
  EXPECT_EQ(price.cut(whole, 10 + 11).clocks, 10u + 7 + 5 + 1);
  for (std::uint64_t elapsed = 0; elapsed < 50; ++elapsed) {
    const Tenure left = price.cut(whole, elapsed);
    EXPECT_TRUE(left.clocks > elapsed || left.bytes == whole.bytes) << elapsed;
  }
}

TEST(HostTiming, ReadsAndWritesHaveTheirOwnWaits) {
  HostTiming host;
  host.target.read_wait_per_data = 2;
  host.target.write_wait_per_data = 1;
  EXPECT_DOUBLE_EQ(microseconds(host, "32/33", false, 0, 64), 0.03 * (13 + 48));
  EXPECT_DOUBLE_EQ(microseconds(host, "32/33", true, 0, 64), 0.03 * (5 + 32));
  host.target.wait_per_data = 1;
  EXPECT_DOUBLE_EQ(microseconds(host, "32/33", true, 0, 64), 0.03 * (5 + 48));
}

TEST(HostTiming, WritesWaitWhileTheBufferIsFull) {
  HostTiming host;
  host.target.posted_bytes = 256;
  host.target.posted_drain = ns(960);  // twice as long as the bus takes for 64 bytes
  PostedWrites posted(host.target);
  const AccessTiming write = timing(host, {}, true, &posted);
  ASSERT_FALSE(write.one_tenure());
  BusUsage usage;
  unsigned last = ~0u;
  Time now{};
  const auto next = [&] {
    const Time start = now;
    now = write.alone(0x1000, 128, 0, now, last, usage);
    return now - start;
  };
  const Time alone = Time{30'000} * (5 + 32);
  EXPECT_EQ(next(), alone);
  EXPECT_EQ(next(), alone);
  Time total{};
  for (int i = 0; i < 100; ++i) total += next();
  EXPECT_NEAR(static_cast<double>((total / 100).count()), static_cast<double>(ns(2 * 960).count()),
              30'000)
      << "as memory takes them";
  now += us(100);
  EXPECT_EQ(next(), alone) << "drained";
  // Estimates leave no trace.
  Arbiter arbiter;
  Time again{};
  const auto ticket = arbiter.request(write, {0x1000, 128, 0}, us(500), us(500), again);
  Arbiter::Access access;
  EXPECT_EQ(again, us(500) + alone);
  EXPECT_TRUE(arbiter.ended(ticket, again, access, again));
  EXPECT_EQ(access.end, us(500) + alone);
}

TEST(HostTiming, BusyMemoryStretchesWhatWaitsForIt) {
  HostTiming host = find_host_timing("p660").value();
  host.target.memory_busy_percent = 50;
  // Reads: lead 2+1+1+50+1, and 32 for each of 3 further lines.
  EXPECT_DOUBLE_EQ(microseconds(host, "64/33", false, 0x10000, 512), 0.03 * (55 + 64 + 3 * 32));
  EXPECT_DOUBLE_EQ(microseconds(host, "64/33", true, 0x10000, 512), 0.03 * (2 + 1 + 10 + 64 + 1));
}

TEST(HostTiming, TextNamesAHostAndWhatIsDifferent) {
  const BusSpeed bus{};
  EXPECT_EQ(parse_host("typical", bus).target.read_initial, 8u);
  EXPECT_EQ(parse_host("slow", bus).target.read_initial, 19u);
  const HostTiming host =
      parse_host("p660,read-initial=30,drain=1us,posted=512,arbitration=3,memory-busy=25", bus);
  EXPECT_EQ(host.target.prefetch_bytes, 128u) << "as the host of that name";
  EXPECT_EQ(host.target.read_initial, 30u);
  EXPECT_EQ(host.target.posted_drain, us(1));
  EXPECT_EQ(host.target.posted_bytes, 512u);
  EXPECT_EQ(host.target.memory_busy_percent, 25u);
  EXPECT_EQ(host.arbiter.request_to_grant, 3u);
  EXPECT_EQ(parse_host("write-initial=4", bus).target.read_initial, 8u) << "on top of typical";
  EXPECT_EQ(parse_host("delayed=0", bus).target.delayed_read, kTimeZero);
  for (const HostKey& key : host_keys()) EXPECT_FALSE(key.what.empty()) << key.name;
  for (const HostProfile& profile : host_profiles()) EXPECT_FALSE(profile.source.empty());
}

TEST(HostTiming, BadTextIsRefusedByName) {
  const auto refusal = [](const char* text) {
    try {
      parse_host(text, {});
    } catch (const std::invalid_argument& error) {
      return std::string(error.what());
    }
    return std::string("nothing thrown");
  };
  EXPECT_THAT(refusal("pentium"), HasSubstr("'pentium' is no host; known are ideal, typical"));
  EXPECT_THAT(refusal(""), HasSubstr("'' is no host"));
  EXPECT_THAT(refusal("p660,fast"), HasSubstr("'fast' is no key=value"));
  EXPECT_THAT(refusal("colour=red"), HasSubstr("unknown key 'colour'; known are arbitration"));
  EXPECT_THAT(refusal("read-initial=fast"), HasSubstr("read-initial=fast: expected clocks"));
  EXPECT_THAT(refusal("read-initial=1001"), HasSubstr("at most 1000"));
  EXPECT_THAT(refusal("read-initial="), HasSubstr("expected clocks"));
  EXPECT_THAT(refusal("delayed=400"), HasSubstr("delayed=400: expected a time such as 400ns"));
  EXPECT_THAT(refusal("delayed=1s"), HasSubstr("expected a time"));
  EXPECT_THAT(refusal("memory-busy=96"), HasSubstr("at most 95"));
  EXPECT_THAT(refusal("prefetch=100"), HasSubstr("prefetch=100: no power of two"));
  EXPECT_THAT(refusal("posted=256"), HasSubstr("needs drain=TIME"));
}

}  // namespace
}  // namespace e1000tlm::pci
