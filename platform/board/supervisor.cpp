#include "e1000tlm/board/supervisor.h"

#include <algorithm>
#include <cstdio>
#include <thread>
#include <utility>

#include "e1000tlm/tlm/kernel_sleep.h"
#include "e1000tlm/tlm/sc_time.h"
#include "e1000tlm/traffic/units.h"

namespace e1000tlm::platform {
namespace {

// Simulated time is behind by so much at most when something comes in.
constexpr std::chrono::microseconds kLongestSleep{500};
constexpr Time kLagToGiveUp = ms(100);
// Following the wall clock: a guest's timers are a few milliseconds, and what it does not wait for
// is lost. A slice is what a message may have to wait for.
constexpr Time kServedLagToGiveUp = ms(20);
constexpr Time kSlice = us(20);
// Shorter sleeps are not worth the switch.
constexpr Time kShortestSleep = us(30);
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
  wall_start_ = started_;
  origin_ = sc_now();
  start_pacing();
  if (!served_.empty()) follow();
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
    const Time wall = wall_time();
    if (wall >= simulated) {
      const Time lag = wall - simulated;
      if (lag > pacing_.worst_lag) pacing_.worst_lag = lag;
      // Hopelessly late: catching up would only make everything come at once.
      if (lag > kLagToGiveUp) {
        restart_clock();
      }
      return;
    }
    const auto ahead = std::chrono::microseconds(static_cast<std::int64_t>(
        static_cast<double>((simulated - wall).count()) / 1e6 / config_.pace));
    std::this_thread::sleep_for(std::min(ahead, kLongestSleep));
    if (stop_was_requested() != 0) return;
  }
}

/// Simulated time that should have passed since origin_.
Time Supervisor::wall_time() const {
  const auto wall = std::chrono::duration_cast<Time>(Clock::now() - wall_start_);
  if (config_.pace == 1) return wall;
  return Time{static_cast<std::int64_t>(static_cast<double>(wall.count()) * config_.pace)};
}

void Supervisor::restart_clock() {
  ++pacing_.restarts;
  wall_start_ = Clock::now();
  origin_ = sc_now();
}

void Supervisor::follow() {
  for (const plugs::Agent* agent : served_) impatient_ = impatient_ || agent->impatient();
  for (;;) {
    visit(patience(wall_time() - (sc_now() - origin_)));
    const Time target = wall_time();
    const Time left = target - (sc_now() - origin_);
    if (left > kTimeZero) {
      const Time next =
          sc_core::sc_pending_activity() ? from_sc(sc_core::sc_time_to_pending_activity()) : left;
      sc_core::wait(to_sc(std::min(left, std::max(kSlice, next))));
      const Time lag = target - (sc_now() - origin_);
      pacing_.worst_lag = std::max(pacing_.worst_lag, lag);
      if (lag > kServedLagToGiveUp) restart_clock();
    }
    const bool over = std::all_of(served_.begin(), served_.end(),
                                  [](const plugs::Agent* agent) { return agent->over(); });
    if (over || stop_was_requested() != 0) {
      sc_core::sc_stop();
      sc_core::wait();
    }
    if (config_.progress) show_progress();
  }
}

/// How long nothing is due; `behind`: so far simulated time is behind the wall clock.
Time Supervisor::patience(Time behind) const {
  constexpr Time kMost = std::chrono::duration_cast<Time>(kLongestSleep);
  constexpr Time kFar = ms(1'000'000);
  if (impatient_) return kTimeZero;
  const Time next = sc_core::sc_pending_activity()
                        ? std::min(from_sc(sc_core::sc_time_to_pending_activity()), kFar)
                        : kFar;
  const auto due = static_cast<double>((next - behind).count()) / config_.pace;
  if (due >= static_cast<double>(kMost.count())) return kMost;
  const Time wall{static_cast<std::int64_t>(due)};
  return wall < kShortestSleep ? kTimeZero : wall;
}

/// Waits until an agent has something to be served, then serves it. A gate with something from a
/// host thread ends the waiting, too: it is let in when this process waits in the kernel.
void Supervisor::visit(Time patience) {
  fds_.clear();
  firsts_.clear();
  for (const plugs::Agent* agent : served_) {
    firsts_.push_back(fds_.size());
    agent->watch(fds_);
    if (agent->eager()) patience = kTimeZero;
  }
  firsts_.push_back(fds_.size());
  KernelSleep::of_this_process().sleep(fds_, std::chrono::nanoseconds(patience.count() / 1000));
  for (std::size_t i = 0; i < served_.size(); ++i) {
    const auto first = fds_.begin() + static_cast<std::ptrdiff_t>(firsts_[i]);
    const auto end = fds_.begin() + static_cast<std::ptrdiff_t>(firsts_[i + 1]);
    const bool called = std::any_of(first, end, [](const pollfd& fd) { return fd.revents != 0; });
    if (called || served_[i]->eager()) served_[i]->serve();
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
