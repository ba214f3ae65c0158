/// Masters that want the bus at the same time, against hand-computed clocks of 30 ns: an access of
/// n data phases takes 2 clocks of arbitration, then 10+n+1 (read) or 2+n+1 (write).

#include "e1000tlm/pci/arbiter.h"

#include <algorithm>
#include <deque>
#include <functional>
#include <random>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "e1000tlm/pci/host_timing.h"

namespace e1000tlm::pci {
namespace {

using ::testing::ElementsAre;

/// Plays processes that request, wait and ask again, as SystemC would.
class Machine {
 public:
  struct Ask {
    unsigned master;
    bool write;
    std::uint64_t address;
    std::uint32_t bytes;
    Time at;                   // REQ#
    Time called = kTimeNever;  // when the request is made known; by default at `at`
  };
  struct Result {
    std::int64_t start, end;  // clocks
    unsigned questions;       // of ended()
    bool operator==(const Result& o) const { return start == o.start && end == o.end; }
    friend std::ostream& operator<<(std::ostream& out, const Result& r) {
      return out << r.start << ".." << r.end;
    }
  };

  /// All latency timers are long enough for everything here.
  explicit Machine(const char* bus = "32/33", const TargetTiming& target = {},
                   const ArbiterTiming& arbiter = {}) {
    set_latency_timers(10'000);
    setup_.bus = find_bus_speed(bus).value();
    setup_.target = target;
    setup_.arbiter = arbiter;
    setup_.master.cache_line_bytes = 64;
  }

  void set_latency_timers(unsigned clocks) {
    for (unsigned m = 0; m < 5; ++m) arbiter_.set_latency_timer(m, clocks);
  }
  AccessTiming::Setup& setup() { return setup_; }
  Arbiter& arbiter() { return arbiter_; }
  Time clock(std::int64_t n) const { return setup_.bus.clock * n; }

  /// In the order of the list where times are equal.
  std::vector<Result> run(const std::vector<Ask>& asks) {
    struct Event {
      Time at;
      std::size_t order;
      std::size_t index;
    };
    std::vector<Result> results(asks.size());
    std::vector<Arbiter::Ticket> tickets(asks.size());
    std::vector<bool> asked(asks.size());
    std::vector<Event> events;
    std::size_t order = 0;
    for (std::size_t i = 0; i < asks.size(); ++i) {
      events.push_back({std::min(asks[i].called, asks[i].at), order++, i});
    }
    while (!events.empty()) {
      const auto first =
          std::min_element(events.begin(), events.end(), [](const Event& a, const Event& b) {
            return a.at < b.at || (a.at == b.at && a.order < b.order);
          });
      const Event event = *first;
      events.erase(first);
      const Ask& ask = asks[event.index];
      Time again{};
      if (!asked[event.index]) {
        asked[event.index] = true;
        timings_.emplace_back(timing(ask));
        tickets[event.index] =
            arbiter_.request(timings_.back(), {ask.address, ask.bytes, 0}, ask.at, event.at, again);
      } else {
        ++results[event.index].questions;
        Arbiter::Access access;
        if (arbiter_.ended(tickets[event.index], event.at, access, again)) {
          EXPECT_EQ(access.end, event.at) << "found out in time";
          EXPECT_EQ(access.asked, ask.at);
          results[event.index].start = access.start / setup_.bus.clock;
          results[event.index].end = access.end / setup_.bus.clock;
          continue;
        }
      }
      EXPECT_GT(again, event.at);
      events.push_back({again, order++, event.index});
    }
    return results;
  }
  AccessTiming timing(const Ask& ask) const {
    AccessTiming::Setup setup = setup_;
    setup.write = ask.write;
    setup.requester = ask.master;
    return AccessTiming(setup);
  }

 private:
  AccessTiming::Setup setup_;
  Arbiter arbiter_;
  std::deque<AccessTiming> timings_;
};

using Results = std::vector<Machine::Result>;
constexpr bool kRead = false, kWrite = true;
constexpr Time clk(std::int64_t n) { return Time{30'000 * n}; }

TEST(Arbiter, AnIdleBusCostsRequestToGrant) {
  Machine machine;
  EXPECT_EQ(machine.run({{1, kRead, 0x1000, 64, clk(10)}}), (Results{{12, 39, 0}}));
  EXPECT_EQ(machine.run({{1, kRead, 0x1000, 64, clk(39)}}), (Results{{41, 68, 0}}))
      << "the same master again: it has to ask, too";
}

TEST(Arbiter, ArbitrationHidesBehindTheRunningTenure) {
  Machine machine;
  // 2..21; who asks at 10 starts at 21, who asks one clock before the end pays the rest.
  EXPECT_EQ(machine.run({{1, kWrite, 0x1000, 64, clk(0)}, {2, kWrite, 0x1000, 64, clk(10)}}),
            (Results{{2, 21, 0}, {21, 40, 0}}));
  EXPECT_EQ(machine.run({{1, kWrite, 0x1000, 64, clk(100)}, {2, kWrite, 0x1000, 64, clk(120)}}),
            (Results{{102, 121, 0}, {122, 141, 0}}));
  // Two engines of one device: REQ# stays asserted.
  EXPECT_EQ(machine.run({{1, kWrite, 0x1000, 64, clk(200)}, {1, kWrite, 0x1000, 64, clk(201)}}),
            (Results{{202, 221, 0}, {221, 240, 0}}));
  const BusUsage& two = machine.arbiter().usage(2);
  EXPECT_EQ(two.waiting, clk(11 + 2));
  EXPECT_EQ(two.busy, clk(2 * 19));
}

TEST(Arbiter, RoundRobinWhateverTheOrderOfCalls) {
  std::vector<unsigned> masters{0, 1, 2, 3};
  do {
    Machine machine;
    std::vector<Machine::Ask> asks;
    machine.run({{1, kWrite, 0, 4, clk(0)}});  // 1 had the bus last
    for (const unsigned m : masters) asks.push_back({m, kWrite, 0x1000, 16, clk(100)});
    const Results results = machine.run(asks);
    // After 1: 2, 3, 0, 1, 7 clocks each.
    for (std::size_t i = 0; i < asks.size(); ++i) {
      EXPECT_EQ(results[i].start, 102 + 7 * ((asks[i].master + 2) % 4));
    }
  } while (std::next_permutation(masters.begin(), masters.end()));
}

TEST(Arbiter, NobodyStarves) {
  Machine machine;
  std::vector<Machine::Ask> asks;
  for (int i = 0; i < 4; ++i) asks.push_back({1, kWrite, 0, 64, clk(0)});
  asks.push_back({2, kWrite, 0, 64, clk(5)});
  asks.push_back({3, kWrite, 0, 64, clk(5)});
  EXPECT_EQ(
      machine.run(asks),
      (Results{{2, 21, 0}, {59, 78, 0}, {78, 97, 0}, {97, 116, 0}, {21, 40, 0}, {40, 59, 0}}));
}

TEST(Arbiter, OneQuestionAnAccessUnlessOthersComeBetween) {
  Machine machine;
  const Results results = machine.run(
      {{1, kWrite, 0, 64, clk(0)}, {2, kWrite, 0, 64, clk(5)}, {3, kWrite, 0, 64, clk(7)}});
  EXPECT_EQ(results[0].questions, 1u);
  EXPECT_EQ(results[1].questions, 1u);
  EXPECT_EQ(results[2].questions, 2u) << "it could have been next";
}

TEST(Arbiter, RequestsOfTheFutureLeaveTheBusToOthers) {
  Machine machine;
  // Known at 0, asked at 50 (a CPU's access on its way): 1 fits in before.
  EXPECT_EQ(machine.run({{0, kWrite, 0, 64, clk(50), clk(0)}, {1, kWrite, 0, 64, clk(10)}}),
            (Results{{52, 71, 0}, {12, 31, 0}}));
  // It takes GNT# away from 1 at 152: 8 of 16 data phases have been, one more was promised, and the
  // bus is free at 154.
  machine.set_latency_timers(0);
  EXPECT_EQ(machine.run({{0, kWrite, 0, 4, clk(150), clk(100)}, {1, kWrite, 0, 64, clk(140)}}),
            (Results{{154, 158, 0}, {142, 168, 0}}));
}

TEST(Arbiter, Parking) {
  ArbiterTiming last;
  last.parking = Parking::kLast;
  Machine machine("32/33", {}, last);
  EXPECT_EQ(machine.run({{1, kWrite, 0, 16, clk(0)}}), (Results{{2, 9, 0}}));
  EXPECT_EQ(machine.run({{1, kWrite, 0, 16, clk(20)}}), (Results{{20, 27, 0}}));
  EXPECT_EQ(machine.run({{2, kWrite, 0, 16, clk(30)}}), (Results{{32, 39, 0}}));
  EXPECT_EQ(machine.run({{1, kWrite, 0, 16, clk(50)}, {2, kWrite, 0, 16, clk(50)}}),
            (Results{{57, 64, 0}, {50, 57, 0}}))
      << "the parked master is off at once";
  ArbiterTiming host;
  host.parking = Parking::kHost;
  host.parked_grant = 1;
  Machine other("32/33", {}, host);
  EXPECT_EQ(other.run({{1, kWrite, 0, 16, clk(0)}, {0, kWrite, 0, 16, clk(20)}}),
            (Results{{2, 9, 0}, {21, 28, 0}}));
}

TEST(Arbiter, LatencyTimerEndsATenureThatOthersWantToFollow) {
  Machine machine;
  machine.arbiter().set_latency_timer(1, 64);
  // 1 reads 1514 bytes from clock 2 on; GNT# moves at 12, the timer runs out at 2+64. The data
  // phase that ends there was not the last, as FRAME# was still asserted: 55 of 379 have been when
  // the bus is free at 68. 2 takes 68..81; 1 reads the remaining 324: 81 + 10+324+1.
  EXPECT_EQ(machine.run({{1, kRead, 0x1000, 1514, clk(0)}, {2, kRead, 0, 8, clk(10)}}),
            (Results{{2, 416, 0}, {68, 81, 0}}));
  const BusUsage& usage = machine.arbiter().usage(1);
  EXPECT_EQ(usage.preemptions, 1u);
  EXPECT_EQ(usage.disconnects, 0u);
  EXPECT_EQ(usage.tenures, 2u);
  EXPECT_EQ(usage.bytes, 1514u);
  EXPECT_EQ(usage.accesses, 1u);
  EXPECT_EQ(usage.busy, clk(66 + 335));
  EXPECT_EQ(usage.waiting, clk(2 + 13));
}

/// PCI 2.3 3.3.3.1, 3.5.4: with the timer at 16 the owner finds out at clock 2+16 and has promised
/// the data phase that follows; then the idle clock.
TEST(Arbiter, ThePromisedDataPhaseComesAfterTheTimer) {
  Machine machine;
  machine.arbiter().set_latency_timer(1, 16);
  EXPECT_EQ(machine.run({{1, kWrite, 0x1000, 256, clk(0)}, {2, kWrite, 0, 4, clk(5)}}),
            (Results{{2, 24 + 2 + 49 + 1, 0}, {20, 24, 0}}))
      << "15 of 64 data phases, then the other 49";
}

TEST(Arbiter, LatencyTimerOnlyCountsWhenSomebodyWaits) {
  Machine machine;
  EXPECT_EQ(machine.run({{1, kRead, 0x1000, 1514, clk(0)}}), (Results{{2, 392, 0}}));
  // Too late to matter: the other one could start at 391 at the earliest.
  EXPECT_EQ(machine.run({{1, kRead, 0x1000, 1514, clk(1000)}, {2, kRead, 0, 8, clk(1390)}}),
            (Results{{1002, 1392, 0}, {1392, 1405, 0}}));
  EXPECT_EQ(machine.arbiter().usage(1).preemptions, 0u);
  // Another engine of the same device does not take GNT# away.
  EXPECT_EQ(machine.run({{1, kRead, 0x1000, 1514, clk(2000)}, {1, kRead, 0, 8, clk(2010)}}),
            (Results{{2002, 2392, 0}, {2392, 2405, 0}}));
}

TEST(Arbiter, WithoutLatencyTimerTheyTakeTheBusFromEachOther) {
  Machine machine;
  machine.set_latency_timers(0);
  // 1 writes 16 bytes from 2 on; 2 could start at 5, when the first data phase has been and the
  // second was promised. 1: 2..7 (8 bytes); 2 from 7 on, wanted by 1 at once: two data phases,
  // 7..12; 1: 12..17; 2: 17..22.
  EXPECT_EQ(machine.run({{1, kWrite, 0, 16, clk(0)}, {2, kWrite, 0, 16, clk(3)}}),
            (Results{{2, 17, 0}, {7, 22, 0}}));
  EXPECT_EQ(machine.arbiter().usage(1).preemptions, 1u);
  EXPECT_EQ(machine.arbiter().usage(2).preemptions, 1u);
}

TEST(Arbiter, WriteInvalidateFinishesItsLine) {
  Machine machine;
  machine.set_latency_timers(0);
  machine.setup().master.write_invalidate = true;
  // 2 could start at 7; the line of 16 data phases ends at 2+2+16, bus free at 21.
  EXPECT_EQ(machine.run({{1, kWrite, 0x1000, 256, clk(0)}, {2, kRead, 0, 4, clk(5)}}),
            (Results{{2, 84, 0}, {21, 33, 0}}));
  EXPECT_EQ(machine.arbiter().usage(1).preemptions, 1u);
}

TEST(Arbiter, PcixStopsAtDisconnectBoundaries) {
  TargetTiming target;
  target.write_initial = 0;
  Machine machine("64/133x", target);
  machine.set_latency_timers(0);
  const auto at = [&](std::int64_t n) { return machine.clock(n); };
  // 2 could start at 12; 1's data from clock 5 on reaches 0x1080 after 16 data phases: free at 22.
  EXPECT_EQ(machine.run({{1, kWrite, 0x1000, 512, at(0)}, {2, kWrite, 0, 8, at(10)}}),
            (Results{{2, 22 + 5 + 3 + 48 + 1, 0}, {22, 27, 0}}));
}

TEST(Arbiter, DisconnectsLetOthersIn) {
  TargetTiming target;
  target.disconnect_bytes = 64;
  Machine machine("32/33", target);
  // 1: 2..21, then 2, then 1 again, which asked at 21.
  EXPECT_EQ(machine.run({{1, kWrite, 0x1000, 128, clk(0)}, {2, kWrite, 0, 16, clk(5)}}),
            (Results{{2, 47, 0}, {21, 28, 0}}));
  EXPECT_EQ(machine.arbiter().usage(1).disconnects, 1u);
}

TEST(Arbiter, DelayedReadsLeaveTheBusToOthersBetweenAttempts) {
  TargetTiming target;
  target.delayed_read = clk(20);
  Machine machine("32/33", target);
  // 1: attempts at 2..7 and 9..14, ready from 22 on. 2 asks at 8 and writes 14..33. Then 1 gets its
  // 16 data phases at once: 33 + 3+16+1.
  const Results results =
      machine.run({{1, kRead, 0x1000, 64, clk(0)}, {2, kWrite, 0x1000, 64, clk(8)}});
  EXPECT_EQ(results, (Results{{2, 53, 0}, {14, 33, 0}}));
  EXPECT_EQ(machine.arbiter().usage(1).retries, 2u);
  EXPECT_EQ(machine.arbiter().usage(1).busy, clk(5 + 5 + 20));
}

TEST(Arbiter, ADelayedReadMayGainFromBeingHeldUp) {
  TargetTiming target;
  target.delayed_read = clk(20);
  Machine machine("32/33", target);
  // Alone: attempts at 2, 9, 16, 23: end 23+20. One that 2 holds up a little comes too early all
  // the same; with 2 on the bus from 14 to 22, the third is late enough.
  EXPECT_EQ(machine.run({{1, kRead, 0x1000, 64, clk(0)}}), (Results{{2, 43, 0}}));
  EXPECT_EQ(machine.run({{1, kRead, 0x1000, 64, clk(100)}, {2, kWrite, 0, 8, clk(110)}}),
            (Results{{102, 146, 0}, {114, 119, 0}}));
  EXPECT_EQ(machine.run({{1, kRead, 0x1000, 64, clk(200)}, {2, kWrite, 0, 20, clk(210)}}),
            (Results{{202, 242, 0}, {214, 222, 0}}));
}

TEST(Arbiter, SplitReadsLeaveTheBusToOthers) {
  TargetTiming target;
  target.write_initial = 0;
  target.split_latency = Time{7'500 * 40};
  Machine machine("64/133x", target);
  const auto at = [&](std::int64_t n) { return machine.clock(n); };
  // Request 2..7, data at 42, completion 44 + 3+8+1. Meanwhile 2 writes 7..19.
  EXPECT_EQ(machine.run({{1, kRead, 0x1000, 64, at(0)}, {2, kWrite, 0, 64, at(4)}}),
            (Results{{2, 56, 0}, {7, 19, 0}}));
  EXPECT_EQ(machine.arbiter().usage(1).busy, at(5 + 12));
  EXPECT_EQ(machine.arbiter().usage(1).splits, 1u);
  EXPECT_EQ(machine.arbiter().usage(0).tenures, 0u) << "the access is 1's";
}

TEST(Arbiter, OneSplitReadOutstandingButWritesPass) {
  TargetTiming target;
  target.write_initial = 0;
  target.split_latency = Time{7'500 * 40};
  Machine machine("64/133x", target);
  const auto at = [&](std::int64_t n) { return machine.clock(n); };
  // The second read of device 1 begins after the completion of the first (44..56), its write at
  // once. The read of device 2 does not wait: request 7..12, data at 47; but then it is 1's turn
  // with its second request (56..61), before the host may deliver again.
  EXPECT_EQ(machine.run({{1, kRead, 0x1000, 64, at(0)},
                         {1, kRead, 0x2000, 64, at(1)},
                         {1, kWrite, 0x3000, 64, at(20)},
                         {2, kRead, 0x4000, 64, at(2)}}),
            (Results{{2, 56, 0}, {56, 56 + 42 + 12, 0}, {22, 34, 0}, {7, 73, 0}}));
}

TEST(Arbiter, AloneTakesAsLongAsAloneOnAnArbitratedBus) {
  std::mt19937 random(1);
  for (const char* bus : {"32/33", "64/66", "64/66x", "64/133x"}) {
    for (const std::string_view host : host_timing_names()) {
      for (const Parking parking : {Parking::kNone, Parking::kLast, Parking::kHost}) {
        HostTiming timing = find_host_timing(host, find_bus_speed(bus).value()).value();
        timing.arbiter.parking = parking;
        Machine machine(bus, timing.target, timing.arbiter);
        machine.setup().master.write_invalidate = true;
        Arbiter alone;
        Time now{};
        for (int i = 0; i < 50; ++i) {
          const Machine::Ask ask{static_cast<unsigned>(random() % 3), random() % 2 == 0,
                                 0x10000 + random() % 5000,
                                 static_cast<std::uint32_t>(1 + random() % 2000), now};
          const AccessTiming its_timing = machine.timing(ask);
          const Time end = alone.alone(its_timing, {ask.address, ask.bytes, 0}, now);
          const Results results = machine.run({ask});
          ASSERT_EQ(results[0].end, end / machine.clock(1)) << bus << ' ' << host << ' ' << i;
          now = end + Time{static_cast<std::int64_t>(random() % 3) * 10'000};
        }
        for (unsigned m = 0; m < 3; ++m) {
          EXPECT_EQ(machine.arbiter().usage(m).busy, alone.usage(m).busy);
          EXPECT_EQ(machine.arbiter().usage(m).waiting, alone.usage(m).waiting);
          EXPECT_EQ(machine.arbiter().usage(m).bytes, alone.usage(m).bytes);
          EXPECT_EQ(machine.arbiter().usage(m).tenures, alone.usage(m).tenures);
        }
      }
    }
  }
}

TEST(Arbiter, TheShortWayIsTheLongWayWhenNobodyElseCanCome) {
  Machine machine;
  Arbiter& arbiter = machine.arbiter();
  const AccessTiming write = machine.timing({1, kWrite, 0, 64, {}});
  Arbiter::Access access;
  EXPECT_FALSE(arbiter.undisturbed(write, {0x1000, 64, 0}, clk(0), clk(21), access));
  ASSERT_TRUE(arbiter.undisturbed(write, {0x1000, 64, 0}, clk(0), clk(22), access));
  EXPECT_EQ(access.start, clk(2));
  EXPECT_EQ(access.end, clk(21));
  EXPECT_EQ(arbiter.usage(1).accesses, 1u) << "only the one that was done";
  EXPECT_EQ(arbiter.usage(1).busy, clk(19));
  // Whoever comes next finds the bus as it was left.
  EXPECT_EQ(machine.run({{2, kWrite, 0, 64, clk(20)}}), (Results{{22, 41, 0}}));
  Time again{};
  arbiter.request(write, {0x1000, 64, 0}, clk(50), clk(50), again);
  EXPECT_FALSE(arbiter.undisturbed(write, {0x1000, 64, 0}, clk(50), kTimeNever, access));
}

/// It is open as long as whoever waits could not have had the bus meanwhile.
TEST(Arbiter, TheShortWayIsOpenBeforeRequestsOfTheFuture) {
  Machine machine;
  Arbiter& arbiter = machine.arbiter();
  const AccessTiming host = machine.timing({0, kWrite, 0, 4, {}});
  const AccessTiming card = machine.timing({1, kWrite, 0, 64, {}});
  Time again{};
  const auto ticket =
      arbiter.request(host, {0, 4, 1}, clk(100), clk(0), again, Arbiter::Told::kYes);
  EXPECT_EQ(again, clk(106));
  Arbiter::Access access;
  ASSERT_TRUE(arbiter.undisturbed(card, {0x1000, 64, 0}, clk(10), kTimeNever, access));
  EXPECT_EQ(access.end, clk(31));
  EXPECT_FALSE(arbiter.undisturbed(card, {0x1000, 64, 0}, clk(82), kTimeNever, access))
      << "it could be stopped in its last clock";
  ASSERT_TRUE(arbiter.undisturbed(card, {0x1000, 64, 0}, clk(81), kTimeNever, access));
  EXPECT_EQ(access.end, clk(102));
  ASSERT_TRUE(arbiter.ended(ticket, clk(106), access, again, Arbiter::Told::kYes));
  EXPECT_EQ(access.start, clk(102));
  EXPECT_EQ(access.end, clk(106));
}

/// Two engines of one adapter: writes before reads, then by address, then by length, whoever of
/// them called first.
TEST(Arbiter, AccessesOfOneRequesterAtTheSameTimeGoByContent) {
  std::vector<Machine::Ask> asks{{1, kWrite, 0x1000, 64, clk(0)},
                                 {1, kWrite, 0x2000, 16, clk(0)},
                                 {1, kRead, 0x100, 16, clk(0)},
                                 {1, kRead, 0x800, 16, clk(0)},
                                 {1, kRead, 0x800, 64, clk(0)}};
  const Results expected{{2, 21, 0}, {21, 28, 0}, {28, 43, 0}, {43, 58, 0}, {58, 85, 0}};
  std::vector<std::size_t> order{0, 1, 2, 3, 4};
  do {
    Machine machine;
    std::vector<Machine::Ask> list;
    for (const std::size_t i : order) list.push_back(asks[i]);
    const Results results = machine.run(list);
    for (std::size_t i = 0; i < order.size(); ++i) EXPECT_EQ(results[i], expected[order[i]]);
  } while (std::next_permutation(order.begin(), order.end()));
}

/// Six hundred accesses of five masters in one heap: everybody is found out in time (Machine checks
/// that), nothing overlaps, nothing is lost, and the order of calls does not matter.
TEST(Arbiter, CrowdsAreServedAlikeInAnyOrderOfCalls) {
  for (const char* bus : {"32/33", "64/133x"}) {
    for (const char* host : {"typical", "lines", "prefetch", "delayed"}) {
      std::mt19937 random(2);
      std::vector<Machine::Ask> asks;
      std::uint64_t bytes = 0;
      for (int i = 0; i < 600; ++i) {
        const Time at = clk(400 * (i / 3));
        asks.push_back({static_cast<unsigned>(random() % 5), random() % 2 == 0, random() % 10000,
                        static_cast<std::uint32_t>(1 + random() % 500), at});
        bytes += asks.back().bytes;
      }
      std::vector<Machine::Ask> other = asks;
      std::shuffle(other.begin(), other.end(), random);
      const auto play = [&](const std::vector<Machine::Ask>& list) {
        Machine machine(bus, find_target_timing(host).value());
        for (unsigned m = 0; m < 5; ++m) machine.arbiter().set_latency_timer(m, 16 * m + 8);
        const Results results = machine.run(list);
        BusUsage all;
        for (unsigned m = 0; m < 5; ++m) all += machine.arbiter().usage(m);
        EXPECT_EQ(all.bytes, bytes);
        EXPECT_EQ(all.accesses, 600u);
        std::int64_t last = 0;
        for (const auto& result : results) last = std::max(last, result.end);
        EXPECT_LE(all.busy, machine.clock(last));
        std::vector<std::pair<std::int64_t, unsigned>> ends;
        for (std::size_t i = 0; i < list.size(); ++i) {
          ends.emplace_back(results[i].end, list[i].master);
        }
        std::sort(ends.begin(), ends.end());
        return ends;
      };
      EXPECT_EQ(play(asks), play(other)) << bus << ' ' << host;
    }
  }
}

/// Everybody asks ahead of time, and with delayed and split reads what is left of a burst may let
/// others of the same master pass: still nobody finds out late (Machine checks that).
TEST(Arbiter, CrowdsThatAskAheadOfTimeFindOutInTime) {
  struct Host {
    const char* bus;
    const char* name;
  };
  for (const Host& host : {Host{"32/33", "typical"}, Host{"32/33", "delayed"},
                           Host{"64/66", "lines"}, Host{"64/133x", "rx2000"}}) {
    std::mt19937 random(3);
    std::vector<Machine::Ask> asks;
    for (int i = 0; i < 2000; ++i) {
      const Time at = clk(400 * (i / 3) + 300 + static_cast<int>(random() % 400));
      asks.push_back({static_cast<unsigned>(random() % 3), random() % 2 == 0, random() % 10000,
                      static_cast<std::uint32_t>(1 + random() % 500), at,
                      at - clk(static_cast<int>(random() % 300))});
    }
    Machine machine(host.bus,
                    find_target_timing(host.name, find_bus_speed(host.bus).value()).value());
    machine.set_latency_timers(16);
    machine.run(asks);
    EXPECT_FALSE(::testing::Test::HasFailure()) << host.bus << ' ' << host.name;
  }
}

/// What a newcomer leaves of a delayed read waits for data anew, and lets a later write of the same
/// master pass: that one must not have been told to sleep until the whole read's end.
TEST(Arbiter, AWritePassesADelayedReadThatIsStopped) {
  Machine machine("32/33", find_target_timing("delayed").value());
  machine.set_latency_timers(16);
  const Results results = machine.run({{1, kRead, 0x1000, 512, clk(0)},
                                       {1, kWrite, 0x4000, 64, clk(30)},
                                       {0, kWrite, 0, 4, clk(60)}});
  EXPECT_LT(results[1].end, 100) << "the read alone would take until 150";
  EXPECT_GT(results[0].end, results[1].end);
}

/// Known at 99, card 1 is to have the bus at 102 and the host, who asks at 103, after it. Card 2,
/// who comes at 100, goes first, as card 1 had the bus last, and then it is the host's turn.
TEST(Arbiter, ANewcomerMayHelpWhoAsksLater) {
  Machine machine;
  machine.run({{1, kWrite, 0, 4, clk(0)}});
  EXPECT_EQ(machine.run({{1, kWrite, 0x1000, 64, clk(100), clk(99)},
                         {0, kWrite, 0, 4, clk(103), clk(99)},
                         {2, kWrite, 0, 4, clk(100)}}),
            (Results{{110, 129, 0}, {106, 110, 0}, {102, 106, 0}}));
}

/// Who is told of newcomers gets the likely end, and knows whether that may turn out too late.
TEST(Arbiter, EstimatesAheadOfTimeAllowForNewcomersOrNot) {
  using Told = Arbiter::Told;
  Machine machine;
  Arbiter& arbiter = machine.arbiter();
  const AccessTiming host = machine.timing({0, kWrite, 0, 4, {}});
  const AccessTiming card = machine.timing({1, kWrite, 0, 64, {}});
  Time again{};
  arbiter.request(card, {0x1000, 64, 0}, clk(0), clk(0), again);
  EXPECT_EQ(again, clk(21));
  const auto cautious = arbiter.request(host, {0, 4, 1}, clk(3), clk(0), again);
  EXPECT_EQ(again, clk(3 + 2 + 4)) << "someone may get in before the card";
  const auto told = arbiter.request(host, {8, 4, 1}, clk(3), clk(0), again, Told::kYes);
  EXPECT_EQ(again, clk(21 + 4)) << "behind the card";
  EXPECT_TRUE(arbiter.may_gain(told, clk(0), again));
  EXPECT_FALSE(arbiter.may_gain(told, clk(0), clk(3 + 2 + 4))) << "it cannot be sooner";
  EXPECT_FALSE(arbiter.may_gain(cautious, clk(3), again)) << "its time has come";
}

/// With nobody else on the bus the other's tenure that is about to begin is certain.
TEST(Arbiter, NothingIsGainedWhereThereAreTwoRequesters) {
  Arbiter arbiter;
  arbiter.set_latency_timer(0, 64);
  arbiter.set_latency_timer(1, 64);
  Machine machine;
  const AccessTiming host = machine.timing({0, kWrite, 0, 4, {}});
  const AccessTiming card = machine.timing({1, kWrite, 0, 64, {}});
  Time again{};
  arbiter.request(card, {0x1000, 64, 0}, clk(0), clk(0), again);
  const auto ticket =
      arbiter.request(host, {0, 4, 1}, clk(12), clk(10), again, Arbiter::Told::kYes);
  EXPECT_EQ(again, clk(21 + 4));
  EXPECT_FALSE(arbiter.may_gain(ticket, clk(10), again));
}

}  // namespace
}  // namespace e1000tlm::pci
