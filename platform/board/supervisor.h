#pragma once
/// Watches over a run: when it is over, whether it keeps to the wall clock, how far it is.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <systemc>

#include <poll.h>

#include "e1000tlm/plugs/agent.h"
#include "e1000tlm/tlm/time.h"

namespace e1000tlm::platform {

struct SupervisorConfig {
  bool paced = false;
  double pace = 1;  ///< simulated seconds in a second of the wall clock
  bool end_when_done = true;
  bool progress = false;
  Time check_period = us(100);  ///< simulated time between looks
  Time run_ahead{};             ///< that processes may be ahead of the kernel's time: the quantum
};

struct PacingStatistics {
  Time worst_lag{};            ///< simulated time behind the wall clock
  std::uint64_t restarts = 0;  ///< times the lag was given up
};

/// Paced, simulated time runs ahead of the wall clock for check_period and then waits for it. With
/// agents to serve it follows instead: it is never ahead but for what their accesses take, and
/// between slices, or while nothing is due, they are served. So a message waits for one slice at
/// most, also when the simulation is behind; and what a host thread brings ends a sleep at once.
class Supervisor : public sc_core::sc_module {
 public:
  Supervisor(const sc_core::sc_module_name& name, const SupervisorConfig& config);

  /// Asked at each look; true twice in a row ends the run.
  void set_done(std::function<bool()> done) { done_ = std::move(done); }
  /// Asked at each look: the run keeps to the wall clock while it is true, even if not configured.
  void set_live(std::function<bool()> live) { live_ = std::move(live); }
  /// Text for the progress line.
  void set_status(std::function<std::string()> status) { status_ = std::move(status); }

  /// Before the run: looks after this agent all the time; needs SupervisorConfig::paced. The run
  /// ends when all such agents are over.
  void serve(plugs::Agent& agent) { served_.push_back(&agent); }
  /// Before the run: ends it when it has taken this simulated time.
  void stop_after(Time duration);
  /// Ends the run at the next look, for this signal. Safe in signal handlers.
  static void request_stop(int signal) noexcept {
    int none = 0;
    stop_signal.compare_exchange_strong(none, signal);
  }
  /// The first signal that it was to end for; 0: none.
  static int stop_was_requested() noexcept { return stop_signal; }

  const PacingStatistics& pacing() const { return pacing_; }
  /// It has kept to the wall clock, at least for a while.
  bool has_paced() const { return has_paced_; }
  /// Ended because nothing was going to happen any more although it was not done.
  bool stalled() const { return stalled_; }
  /// Takes the progress line away; call before printing anything else.
  void clear_progress();

 private:
  using Clock = std::chrono::steady_clock;

  void run();
  void end();
  Time next_look(bool done);
  bool paced() const { return config_.paced || (live_ && live_()); }
  void start_pacing();
  void pace();
  void follow();
  void visit(Time patience);
  Time patience(Time behind) const;
  Time wall_time() const;
  void restart_clock();
  void show_progress();

  static std::atomic<int> stop_signal;

  SupervisorConfig config_;
  std::vector<plugs::Agent*> served_;
  std::vector<pollfd> fds_;
  std::vector<std::size_t> firsts_;  // in fds_, of each agent; then the end
  bool impatient_ = false;
  sc_core::sc_event end_;
  std::function<bool()> done_;
  std::function<bool()> live_;
  std::function<std::string()> status_;
  PacingStatistics pacing_;
  Clock::time_point wall_start_;  // wall time that simulated time origin_ belongs to
  Time origin_{};
  Clock::time_point started_, next_progress_;
  Time still_{};  // so long nothing has been planned
  bool shown_ = false;
  bool stalled_ = false;
  bool pacing_now_ = false;
  bool has_paced_ = false;
};

}  // namespace e1000tlm::platform
