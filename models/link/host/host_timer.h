#pragma once
/// Timers of the host for host back-ends. No SystemC.

#include <cerrno>
#include <chrono>
#include <cstdint>

#include <sys/timerfd.h>
#include <unistd.h>

#include "e1000tlm/link/host/host_watch.h"

namespace e1000tlm::link {

/// Makes a Watch ready once, later.
class Timer {
 public:
  explicit Timer(const Watch& watch)
      : fd_(::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC)) {
    if (!fd_) throw_host_error("cannot create a timer", errno);
    watch.add(fd_.get(), EPOLLIN);
  }
  void start(std::chrono::milliseconds span) const {
    itimerspec time{};
    time.it_value.tv_sec = static_cast<time_t>(span.count() / 1000);
    time.it_value.tv_nsec = static_cast<long>(span.count() % 1000 * 1'000'000);
    ::timerfd_settime(fd_.get(), 0, &time, nullptr);
  }
  /// True once after each start().
  bool expired() const {
    std::uint64_t expirations = 0;
    return ::read(fd_.get(), &expirations, sizeof expirations) > 0;
  }

 private:
  UniqueFd fd_;
};

}  // namespace e1000tlm::link
