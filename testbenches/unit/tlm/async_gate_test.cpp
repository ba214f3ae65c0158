#include "e1000tlm/tlm/async_gate.h"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <future>
#include <thread>
#include <vector>

#include <systemc>

#include <gtest/gtest.h>

namespace e1000tlm {
namespace {

using std::chrono::milliseconds;

/// Waits for a long time that no activity fills, to see at which simulated time calls run.
class Ticker : public sc_core::sc_module {
 public:
  explicit Ticker(const sc_core::sc_module_name& name) : sc_module(name) {
    SC_HAS_PROCESS(Ticker);
    SC_THREAD(run);
  }
  std::uint64_t ticks = 0;
  std::atomic<bool> running{false};
  bool stop = false;

 private:
  void run() {
    while (!stop) {
      wait(1, sc_core::SC_US);
      ++ticks;
      running = true;
    }
  }
};

TEST(AsyncGate, RunsEveryPostOfAThreadInTheOrderOfPosting) {
  constexpr int kPosts = 2000;
  AsyncGate gate("gate");
  gate.attach();
  std::vector<int> seen;
  std::thread poster([&] {
    for (int i = 0; i < kPosts; ++i) gate.post([&seen, i] { seen.push_back(i); });
    gate.post([&gate] { gate.detach(); });
  });
  sc_core::sc_start();
  poster.join();
  ASSERT_EQ(seen.size(), static_cast<std::size_t>(kPosts));
  for (int i = 0; i < kPosts; ++i) EXPECT_EQ(seen[static_cast<std::size_t>(i)], i);
}

TEST(AsyncGate, LosesNothingWhenSeveralThreadsPostAtOnce) {
  constexpr int kThreads = 4;
  constexpr int kPosts = 5000;
  AsyncGate gate("gate");
  gate.attach();
  int last[kThreads];
  for (int& value : last) value = -1;
  int count = 0;
  bool ordered = true;
  std::vector<std::thread> posters;
  posters.reserve(kThreads);
  for (int thread = 0; thread < kThreads; ++thread) {
    posters.emplace_back([&, thread] {
      for (int i = 0; i < kPosts; ++i) {
        gate.post([&, thread, i] {
          ordered = ordered && last[thread] == i - 1;
          last[thread] = i;
          if (++count == kThreads * kPosts) gate.detach();
        });
      }
    });
  }
  sc_core::sc_start();
  for (std::thread& poster : posters) poster.join();
  EXPECT_EQ(count, kThreads * kPosts);
  EXPECT_TRUE(ordered);
}

TEST(AsyncGate, RunsCallsOnTheSimulationsThreadInAProcessOfItsOwn) {
  AsyncGate gate("gate");
  gate.attach();
  std::thread::id ran_on;
  std::string process;
  std::thread poster([&] {
    gate.post([&] {
      ran_on = std::this_thread::get_id();
      process = sc_core::sc_get_current_process_handle().name();
      gate.detach();
    });
  });
  sc_core::sc_start();
  poster.join();
  EXPECT_EQ(ran_on, std::this_thread::get_id());
  EXPECT_EQ(process, "gate.run_calls");
}

TEST(AsyncGate, AttachedItKeepsAnIdleSimulationAlive) {
  AsyncGate gate("gate");
  gate.attach();
  EXPECT_TRUE(gate.attached());
  const auto begin = std::chrono::steady_clock::now();
  std::thread poster([&] {
    std::this_thread::sleep_for(milliseconds(60));
    gate.post([&] { gate.detach(); });
  });
  sc_core::sc_start();
  poster.join();
  EXPECT_GE(std::chrono::steady_clock::now() - begin, milliseconds(50));
  EXPECT_EQ(sc_core::sc_time_stamp(), sc_core::SC_ZERO_TIME);
  EXPECT_FALSE(gate.attached());
}

TEST(AsyncGate, DetachedItLetsAnIdleSimulationEnd) {
  AsyncGate gate("gate");
  gate.attach();
  gate.attach();  // once is enough to undo
  gate.detach();
  sc_core::sc_start();  // returns
  EXPECT_FALSE(gate.attached());
}

TEST(AsyncGate, OneAttachedGateOfSeveralIsEnough) {
  AsyncGate idle("idle");
  AsyncGate gate("gate");
  gate.attach();
  idle.attach();
  idle.detach();
  bool ran = false;
  std::thread poster([&] {
    std::this_thread::sleep_for(milliseconds(20));
    idle.post([&] { ran = true; });
    gate.post([&] { gate.detach(); });
  });
  sc_core::sc_start();
  poster.join();
  EXPECT_TRUE(ran);
}

TEST(AsyncGate, CallsFindTheTimeTheKernelHasThen) {
  AsyncGate gate("gate");
  Ticker ticker("ticker");
  sc_core::sc_time at;
  std::uint64_t ticks_at = 0;
  std::thread poster([&] {
    while (!ticker.running) std::this_thread::sleep_for(milliseconds(1));
    gate.post([&] {
      at = sc_core::sc_time_stamp();
      ticks_at = ticker.ticks;
      ticker.stop = true;
    });
  });
  sc_core::sc_start();
  poster.join();
  EXPECT_GT(ticks_at, 0U);
  // The call and the tick of the same microsecond may run in either order.
  const sc_core::sc_time tick(1, sc_core::SC_US);
  EXPECT_GE(at, tick * static_cast<double>(ticks_at));
  EXPECT_LE(at, tick * static_cast<double>(ticks_at + 1));
}

TEST(AsyncGate, ACallMayPostAnother) {
  AsyncGate gate("gate");
  gate.attach();
  int depth = 0;
  AsyncGate::Call again = [&] {
    if (++depth == 5) {
      gate.detach();
    } else {
      gate.post(again);
    }
  };
  gate.post(again);
  sc_core::sc_start();
  EXPECT_EQ(depth, 5);
}

TEST(AsyncGate, PostsBeforeTheStartRunAtTheStart) {
  AsyncGate gate("gate");
  int calls = 0;
  std::thread poster([&] { gate.post([&] { ++calls; }); });
  poster.join();
  EXPECT_EQ(calls, 0);
  sc_core::sc_start();
  EXPECT_EQ(calls, 1);
}

TEST(AsyncGate, PostsAfterTheEndAreDiscarded) {
  auto held = std::make_shared<int>(1);
  AsyncGate gate("gate");
  gate.attach();
  std::thread poster([&] { gate.post([] { sc_core::sc_stop(); }); });
  sc_core::sc_start();
  poster.join();
  gate.post([held] { FAIL() << "ran after the end"; });
  EXPECT_EQ(held.use_count(), 1);
}

/// The kernel's lists are common to all gates (a data race before, which the thread sanitizer
/// sees).
TEST(AsyncGate, GatesComeAndGoWhileOthersArePostedTo) {
  AsyncGate busy("busy");
  AsyncGate other("other");
  busy.attach();
  constexpr int kPosts = 5000;
  int calls = 0;
  std::thread poster([&] {
    for (int i = 0; i < kPosts; ++i) {
      busy.post([&] {
        other.attach();
        other.detach();
        if (++calls == kPosts) busy.detach();
      });
    }
  });
  sc_core::sc_start();
  poster.join();
  EXPECT_EQ(calls, kPosts);
}

}  // namespace
}  // namespace e1000tlm
