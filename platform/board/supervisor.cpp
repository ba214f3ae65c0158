#include "e1000tlm/board/supervisor.h"

#include <algorithm>
#include <cstdio>
#include <thread>
#include <utility>

#include "e1000tlm/tlm/sc_time.h"
#include "e1000tlm/traffic/units.h"

namespace e1000tlm::platform {
namespace {

// Frames from the host wait for the end of a sleep, so sleeps are short against a ping.
constexpr std::chrono::microseconds kLongestSleep{500};
constexpr Time kLagToGiveUp = ms(100);
// Where nothing at all is planned.
constexpr Time kLongestLook = ms(3'600'000);
// How long nothing may be planned: what is on its way costs no event, such as the 64 KiB of a
// packet buffer that leave at 10 Mbit/s.
constexpr Time kStandstill = ms(100);
constexpr std::chrono::milliseconds kProgressAfter{1000}, kProgressEvery{250};

}  // namespace

std::atomic<int> Supervisor::stop_signal{0};

Supervisor::Supervisor(const sc_core::sc_module_name& name, const SupervisorConfig& config)
    : sc_module(name), config_(config) {
  SC_HAS_PROCESS(Supervisor);
  SC_THREAD(run);
  SC_METHOD(end);
  dont_initialize();
  sensitive << end_;
}

void Supervisor::stop_after(Time duration) { end_.notify(to_sc(duration)); }

void Supervisor::end() { sc_core::sc_stop(); }

void Supervisor::run() {
  started_ = Clock::now();
  next_progress_ = started_ + kProgressAfter;
  start_pacing();
  bool was_done = false;
  for (;;) {
    sc_core::wait(to_sc(next_look(was_done)));
    start_pacing();
    if (pacing_now_) pace();
    if (stop_was_requested() != 0) sc_core::sc_stop();
    const bool done = config_.end_when_done && done_ && done_();
    if (done && was_done) sc_core::sc_stop();
    was_done = done;
    if (config_.progress) show_progress();
  }
}

/// How long to wait until the next look: there is nothing to see while nothing happens, such as in
/// the pauses of a recording.
Time Supervisor::next_look(bool done) {
  if (pacing_now_ || done || sc_core::sc_pending_activity_at_current_time()) {
    return config_.check_period;
  }
  if (!sc_core::sc_pending_activity()) {
    if (!config_.end_when_done) return kLongestLook;
    still_ += config_.check_period;
    stalled_ = still_ > kStandstill + config_.run_ahead;
    if (stalled_) sc_core::sc_stop();
    return config_.check_period;
  }
  still_ = kTimeZero;
  const Time next = from_sc(sc_core::sc_time_to_pending_activity());
  return std::clamp(next, config_.check_period, kLongestLook);
}

/// Or stops: a connection to the host may come and go.
void Supervisor::start_pacing() {
  const bool before = std::exchange(pacing_now_, paced());
  if (!pacing_now_ || before) return;
  has_paced_ = true;
  wall_start_ = Clock::now();
  origin_ = sc_now();
}

void Supervisor::pace() {
  const Time simulated = sc_now() - origin_;
  for (;;) {
    const auto wall = std::chrono::duration_cast<Time>(Clock::now() - wall_start_);
    if (wall >= simulated) {
      const Time lag = wall - simulated;
      if (lag > pacing_.worst_lag) pacing_.worst_lag = lag;
      // Hopelessly late: catching up would only make everything come at once.
      if (lag > kLagToGiveUp) {
        ++pacing_.restarts;
        wall_start_ = Clock::now();
        origin_ = sc_now();
      }
      return;
    }
    const auto ahead = std::chrono::duration_cast<std::chrono::microseconds>(simulated - wall);
    std::this_thread::sleep_for(std::min(ahead, kLongestSleep));
    if (stop_was_requested() != 0) return;
  }
}

void Supervisor::show_progress() {
  const auto now = Clock::now();
  if (now < next_progress_) return;
  next_progress_ = now + kProgressEvery;
  const double wall = std::chrono::duration<double>(now - started_).count();
  const std::string status = status_ ? status_() : std::string();
  std::fprintf(stderr, "\r\033[K%s simulated in %.1f s%s%s", traffic::format_time(sc_now()).c_str(),
               wall, status.empty() ? "" : ", ", status.c_str());
  std::fflush(stderr);
  shown_ = true;
}

void Supervisor::clear_progress() {
  if (!shown_) return;
  std::fprintf(stderr, "\r\033[K");
  std::fflush(stderr);
  shown_ = false;
}

}  // namespace e1000tlm::platform
