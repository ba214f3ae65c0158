#include "e1000tlm/tlm/kernel_sleep.h"

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "e1000tlm/tlm/async_gate.h"

namespace e1000tlm {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::seconds;

constexpr seconds kLong{60};

/// How long it slept.
Clock::duration sleep(std::chrono::nanoseconds longest, std::vector<pollfd> fds = {}) {
  const auto start = Clock::now();
  KernelSleep::of_this_process().sleep(fds, longest);
  return Clock::now() - start;
}

TEST(KernelSleep, EndsByItself) {
  EXPECT_GE(sleep(std::chrono::milliseconds(20)), std::chrono::milliseconds(20));
}

TEST(KernelSleep, IsEndedByAnotherThread) {
  std::thread waker([] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    KernelSleep::of_this_process().wake();
  });
  EXPECT_LT(sleep(kLong), kLong / 2);
  waker.join();
  EXPECT_GE(sleep(std::chrono::milliseconds(20)), std::chrono::milliseconds(20)) << "only once";
}

TEST(KernelSleep, DoesNotBeginAfterAWake) {
  KernelSleep::of_this_process().wake();
  EXPECT_LT(sleep(kLong), kLong / 2);
}

TEST(KernelSleep, EveryWakeCountsWheneverItComes) {
  std::atomic<bool> over{false};
  std::atomic<int> slept{0};
  std::thread sleeper([&] {
    while (!over) {
      std::vector<pollfd> none;
      KernelSleep::of_this_process().sleep(none, kLong);
      ++slept;
    }
  });
  for (int i = 1; i <= 2000; ++i) {
    const int before = slept;
    KernelSleep::of_this_process().wake();
    const auto start = Clock::now();
    while (slept == before && Clock::now() - start < kLong / 2) std::this_thread::yield();
    ASSERT_NE(slept, before) << "a wake was lost";
  }
  over = true;
  KernelSleep::of_this_process().wake();
  sleeper.join();
}

TEST(KernelSleep, SaysWhichDescriptor) {
  const int event = ::eventfd(1, EFD_CLOEXEC);
  std::vector<pollfd> fds{{event, POLLIN, 0}};
  KernelSleep::of_this_process().sleep(fds, kLong);
  ASSERT_EQ(fds.size(), 1U);
  EXPECT_EQ(fds[0].revents, POLLIN);
  ::close(event);
}

TEST(KernelSleep, IsEndedByAGate) {
  AsyncGate gate("gate");
  std::thread poster([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    gate.post([] {});
  });
  EXPECT_LT(sleep(kLong), kLong / 2);
  poster.join();
}

}  // namespace
}  // namespace e1000tlm
