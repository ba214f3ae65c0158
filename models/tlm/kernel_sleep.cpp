#include "e1000tlm/tlm/kernel_sleep.h"

#include <cstdint>
#include <ctime>

#include <sys/eventfd.h>
#include <unistd.h>

namespace e1000tlm {

KernelSleep& KernelSleep::of_this_process() {
  static KernelSleep sleep;
  return sleep;
}

KernelSleep::KernelSleep() : event_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

KernelSleep::~KernelSleep() {
  if (event_ >= 0) ::close(event_);
}

// Either the sleeper sees woken_, or the waker sees sleeping_.
void KernelSleep::wake() noexcept {
  woken_ = true;
  if (!sleeping_.exchange(false)) return;
  const std::uint64_t one = 1;
  // It can only be full, and then it wakes as well.
  [[maybe_unused]] const auto written = ::write(event_, &one, sizeof one);
}

void KernelSleep::sleep(std::vector<pollfd>& fds, std::chrono::nanoseconds longest) {
  const bool sleeps = longest.count() > 0;
  if (sleeps) {
    fds.push_back({event_, POLLIN, 0});
    sleeping_ = true;
    if (woken_) longest = std::chrono::nanoseconds(0);
  }
  constexpr std::int64_t kSecond = 1'000'000'000;
  const timespec timeout{longest.count() / kSecond, longest.count() % kSecond};
  // An error (a signal, no memory) is a sleep that has ended; it leaves revents as they were.
  if (::ppoll(fds.data(), fds.size(), &timeout, nullptr) < 0) {
    for (pollfd& fd : fds) fd.revents = 0;
  }
  // Whoever has woken it until now is heard, as the kernel goes on.
  woken_ = false;
  if (!sleeps) return;
  sleeping_ = false;
  if (fds.back().revents != 0) {
    std::uint64_t count = 0;
    [[maybe_unused]] const auto bytes = ::read(event_, &count, sizeof count);
  }
  fds.pop_back();
}

}  // namespace e1000tlm
