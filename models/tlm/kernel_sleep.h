#pragma once
/// How the thread of the simulation sleeps for the wall clock, and what wakes it. No SystemC.

#include <atomic>
#include <chrono>
#include <vector>

#include <poll.h>

namespace e1000tlm {

/// Whoever keeps simulated time to the wall clock sleeps in a process of the simulation, that is
/// in the kernel's only thread: what other threads hand over would wait for the end of the sleep.
/// So they wake it. One for the process, as the kernel is.
class KernelSleep {
 public:
  /// The only one.
  static KernelSleep& of_this_process();

  /// Ends the sleep, or keeps the next one from beginning. Any thread; a flag while nobody sleeps.
  void wake() noexcept;
  /// The kernel's thread: for at most so long, or until one of the descriptors has what it is asked
  /// for (see `revents`, as after poll(2)), or a signal comes.
  void sleep(std::vector<pollfd>& fds, std::chrono::nanoseconds longest);

 private:
  KernelSleep();
  ~KernelSleep();

  int event_;  // negative: there is none, and sleeps are as long as they are
  std::atomic<bool> sleeping_{false};
  std::atomic<bool> woken_{false};
};

}  // namespace e1000tlm
