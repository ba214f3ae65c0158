/// The bus's wires clock by clock, against drawings made by hand from doc/pci_timing.md: '_' low,
/// '-' high, one character a clock from the address phase to the idle clock.

#include "e1000tlm/pci/bus_signals.h"

#include <map>
#include <string>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>

#include "e1000tlm/pci/arbiter.h"
#include "e1000tlm/pci/host_timing.h"

namespace e1000tlm::pci {
namespace {

class Signals : public testing::Test {
 protected:
  Signals() {
    probe_.attach([this](const Transaction& t) { seen.push_back(t); });
    bus("32/33");
    setup.master.cache_line_bytes = 64;
    setup.requester = 1;
    setup.watch = &probe_;
  }
  void bus(const char* name, const char* host = "typical") {
    setup.bus = find_bus_speed(name).value();
    const HostTiming timing = find_host_timing(host, setup.bus).value();
    setup.arbiter = timing.arbiter;
    setup.target = timing.target;
  }
  void access(bool write, std::uint64_t address, std::uint32_t bytes) {
    setup.write = write;
    arbiter.alone(AccessTiming(setup), {address, bytes, 0}, kTimeZero);
  }
  /// A signal in a transaction, a character for each clock; what does not float or is high.
  std::string wave(std::size_t index, BusSignal signal) const {
    const Transaction& t = seen.at(index);
    std::string text;
    for (unsigned clock = 0; clock < t.tenure.clocks; ++clock) {
      const WireLevel level = at(index, signal, clock);
      text += level.drive != WireLevel::Drive::kKnown ? '?' : level.value == 0 ? '_' : '-';
    }
    return text;
  }
  WireLevel at(std::size_t index, BusSignal signal, unsigned clock) const {
    const Transaction& t = seen.at(index);
    const bool shared =
        signal == BusSignal::kAd || signal == BusSignal::kCbe || signal == BusSignal::kMaster;
    WireLevel level = shared ? WireLevel::floating() : WireLevel::known(1);
    Time latest{};
    draw_transaction(t, [&](BusSignal which, Time when, const WireLevel& value) {
      if (which != signal) return;
      EXPECT_GE(when, latest) << "in order";
      EXPECT_EQ((when - t.start) % t.clock, kTimeZero) << "at a clock edge";
      EXPECT_LT(when, t.end());
      latest = when;
      if ((when - t.start) / t.clock <= static_cast<std::int64_t>(clock)) level = value;
    });
    return level;
  }
  void expect(std::size_t index, const std::string& frame, const std::string& irdy,
              const std::string& trdy, const std::string& devsel, const std::string& stop) const {
    EXPECT_EQ(wave(index, BusSignal::kFrame), frame) << "FRAME#";
    EXPECT_EQ(wave(index, BusSignal::kIrdy), irdy) << "IRDY#";
    EXPECT_EQ(wave(index, BusSignal::kTrdy), trdy) << "TRDY#";
    EXPECT_EQ(wave(index, BusSignal::kDevsel), devsel) << "DEVSEL#";
    EXPECT_EQ(wave(index, BusSignal::kStop), stop) << "STOP#";
  }

  AccessTiming::Setup setup;
  Arbiter arbiter;
  std::vector<Transaction> seen;

 private:
  Probe<Transaction> probe_;
};

TEST_F(Signals, ReadOfOneRegister) {
  setup.requester = 0;
  access(false, 0xE0000008, 4);
  ASSERT_EQ(seen.size(), 1U);
  EXPECT_EQ(seen[0].asked, kTimeZero);
  EXPECT_EQ(seen[0].start, ns(60));
  expect(0, "_-----------", "-__________-", "----------_-", "-__________-", "------------");
  EXPECT_EQ(at(0, BusSignal::kAd, 0), WireLevel::known(0xE0000008));
  EXPECT_EQ(at(0, BusSignal::kAd, 1), WireLevel::floating()) << "turnaround";
  EXPECT_EQ(at(0, BusSignal::kAd, 10), WireLevel::unknown());
  EXPECT_EQ(at(0, BusSignal::kAd, 11), WireLevel::floating());
  EXPECT_EQ(at(0, BusSignal::kCbe, 0), WireLevel::known(0xF6)) << "Memory Read";
  EXPECT_EQ(at(0, BusSignal::kCbe, 1), WireLevel::known(0xF0)) << "all four bytes";
  EXPECT_EQ(at(0, BusSignal::kMaster, 10), WireLevel::known(0));
}

TEST_F(Signals, WriteOfOneRegister) {
  access(true, 0xE0003818, 4);
  expect(0, "_---", "-__-", "--_-", "-__-", "----");
  EXPECT_EQ(at(0, BusSignal::kCbe, 0), WireLevel::known(0xF7)) << "Memory Write";
  EXPECT_EQ(at(0, BusSignal::kAd, 1), WireLevel::unknown());
}

TEST_F(Signals, BurstReadHasItsDataAfterTheInitialLatency) {
  access(false, 0x10000, 16);
  expect(0, "_____________--", "-_____________-", "----------____-", "-_____________-",
         "---------------");
}

TEST_F(Signals, WaitsInEachDataPhase) {
  setup.target.write_wait_per_data = 1;
  access(true, 0x10002, 6);
  expect(0, "____---", "-_____-", "---_-_-", "-_____-", "-------");
  EXPECT_EQ(at(0, BusSignal::kCbe, 1), WireLevel::known(0xF3)) << "the upper two bytes";
  EXPECT_EQ(at(0, BusSignal::kCbe, 4), WireLevel::known(0xF0));
}

TEST_F(Signals, BlocksOfMemoryWaitBeforeTheirFirstData) {
  setup.target.read_initial = 0;
  setup.target.prefetch_bytes = 8;
  setup.target.prefetch_wait = 2;
  access(false, 0x10000, 16);
  expect(0, "_______--", "-_______-", "--__--__-", "-_______-", "---------");
}

TEST_F(Signals, TargetDisconnectsAtItsBoundary) {
  setup.target.disconnect_bytes = 16;
  access(true, 0x10008, 16);
  ASSERT_EQ(seen.size(), 2U);
  expect(0, "___--", "-___-", "--__-", "-___-", "---_-");
  expect(1, "___--", "-___-", "--__-", "-___-", "-----");
  EXPECT_EQ(seen[1].asked, seen[0].end());
}

TEST_F(Signals, RetryUntilADelayedReadHasItsData) {
  bus("32/33", "delayed");
  access(false, 0x10000, 4);
  ASSERT_EQ(seen.size(), 3U);
  for (const std::size_t attempt : {0U, 1U}) {
    expect(attempt, "___--", "-___-", "-----", "-___-", "--__-");
  }
  expect(2, "_----", "-___-", "---_-", "-___-", "-----");
}

TEST_F(Signals, NobodyAnswers) {
  const Probe<Transaction>* const watch = setup.watch;
  arbiter.alone(
      AccessTiming::master_abort(setup.bus, setup.arbiter, 0, Space::kConfig, false, watch),
      {0, 4, 0}, kTimeZero);
  expect(0, "____--", "-____-", "------", "------", "------");
  EXPECT_EQ(at(0, BusSignal::kCbe, 0), WireLevel::known(0xFA)) << "Configuration Read";
}

TEST_F(Signals, TwoAddressPhasesAboveFourGiB) {
  access(true, 0x1'0000'0040, 8);
  expect(0, "____--", "--___-", "---__-", "--___-", "------");
  EXPECT_EQ(at(0, BusSignal::kCbe, 0), WireLevel::known(0xFD)) << "Dual Address Cycle";
  EXPECT_EQ(at(0, BusSignal::kCbe, 1), WireLevel::known(0xF7));
  EXPECT_EQ(at(0, BusSignal::kAd, 0), WireLevel::known(0x40));
  EXPECT_EQ(at(0, BusSignal::kAd, 1), WireLevel::known(1));
}

TEST_F(Signals, LatencyTimerPreempts) {
  // Two masters that ask together, timers of 4 clocks: 1 address + 1 wait, then 16 data phases. In
  // clock 4 the first has used its time up; the data phase under way and one more follow.
  for (const unsigned master : {1U, 2U}) arbiter.set_latency_timer(master, 4);
  setup.write = true;
  const AccessTiming first(setup);
  setup.requester = 2;
  const AccessTiming second(setup);
  Time again{};
  const auto a = arbiter.request(first, {0x10000, 64, 0}, kTimeZero, kTimeZero, again);
  const auto b = arbiter.request(second, {0x20000, 8, 0}, kTimeZero, kTimeZero, again);
  Arbiter::Access access;
  EXPECT_TRUE(arbiter.ended(b, us(2), access, again));
  EXPECT_TRUE(arbiter.ended(a, us(2), access, again));
  ASSERT_EQ(seen.size(), 3U);
  EXPECT_TRUE(seen[0].preempted);
  expect(0, "____--", "-____-", "--___-", "-____-", "------");
  EXPECT_EQ(seen[1].requester, 2);
  EXPECT_EQ(seen[1].start, seen[0].end());
  EXPECT_EQ(seen[2].requester, 1);
}

TEST_F(Signals, PcixSplitRead) {
  bus("64/66x");
  access(false, 0x10000, 16);
  ASSERT_EQ(seen.size(), 2U);
  // Address, attributes, DEVSEL#, Split Response, idle.
  expect(0, "___--", "---_-", "---_-", "--_--", "-----");
  EXPECT_EQ(seen[1].requester, 0) << "the completer delivers";
  EXPECT_EQ(at(1, BusSignal::kCbe, 0), WireLevel::known(0xFC)) << "Split Completion";
  // Address, attributes, DEVSEL#, two times 8 bytes, idle.
  expect(1, "____--", "---__-", "---__-", "--___-", "------");
}

/// A grant, or its end: requester, clock, low.
using Grant = std::tuple<unsigned, std::int64_t, bool>;

std::vector<Grant> grants(const ArbiterTiming& arbiter, const std::vector<Transaction>& all) {
  std::vector<Grant> result;
  GrantSignals signals(arbiter, [&](unsigned requester, Time at, bool low) {
    result.emplace_back(requester, at / ns(30), low);
  });
  for (const Transaction& t : all) signals(t);
  signals.finish();
  return result;
}

Transaction transaction(unsigned requester, std::int64_t asked, std::int64_t start,
                        unsigned clocks) {
  Transaction t;
  t.requester = static_cast<std::uint16_t>(requester);
  t.clock = ns(30);
  t.asked = ns(30) * asked;
  t.start = ns(30) * start;
  t.tenure.clocks = clocks;
  return t;
}

TEST(Grants, ComeOneClockBeforeTheAddressPhaseOfAnIdleBus) {
  EXPECT_EQ(grants({}, {transaction(1, 10, 12, 5), transaction(1, 30, 32, 5)}),
            (std::vector<Grant>{{1, 11, true}, {1, 17, false}, {1, 31, true}, {1, 37, false}}));
}

TEST(Grants, HideBehindTheTransactionUnderWay) {
  EXPECT_EQ(grants({}, {transaction(1, 0, 2, 20), transaction(2, 1, 22, 5)}),
            (std::vector<Grant>{{1, 1, true}, {1, 3, false}, {2, 3, true}, {2, 27, false}}));
}

TEST(Grants, ParkedBusNeedsNone) {
  ArbiterTiming host;
  host.parking = Parking::kHost;
  EXPECT_EQ(grants(host, {transaction(0, 10, 10, 4), transaction(1, 20, 22, 5)}),
            (std::vector<Grant>{
                {0, 0, true}, {0, 21, false}, {1, 21, true}, {1, 27, false}, {0, 27, true}}));
  ArbiterTiming last;
  last.parking = Parking::kLast;
  EXPECT_EQ(grants(last, {transaction(1, 10, 12, 4), transaction(1, 20, 20, 5)}),
            (std::vector<Grant>{{1, 11, true}}));
}

}  // namespace
}  // namespace e1000tlm::pci
