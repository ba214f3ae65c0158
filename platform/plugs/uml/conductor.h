#pragma once
/// Simulated time for guests of User-Mode Linux: the controller of their time-travel=ext.

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <systemc>

#include <poll.h>

#include "e1000tlm/plugs/uml/door.h"
#include "e1000tlm/plugs/uml/shared_clock.h"
#include "e1000tlm/plugs/uml/time_travel.h"
#include "e1000tlm/tlm/time.h"

namespace e1000tlm::plugs::uml {

/// How time goes.
struct ConductorConfig {
  /// Nanoseconds from 1970 to simulated time 0, which is what guests' clocks begin with: always the
  /// same, so that runs are. Default: 2026-01-01 00:00:00 UTC.
  std::uint64_t calendar = 1'767'225'600'000'000'000;
  /// The end of the run; guests may not run beyond it by themselves. kTimeNever: none.
  Time end = kTimeNever;
  /// Not faster than the wall clock, for a person at the guest's console; see also set_live().
  bool paced = false;
  /// Simulated seconds in a second of the wall clock.
  double pace = 1;
};

/// So far.
struct ConductorStatistics {
  /// Times a guest was let go on.
  std::uint64_t runs = 0;
  /// Messages about time.
  std::uint64_t messages = 0;
  /// It has kept to the wall clock, at least for a while.
  bool paced = false;
  /// Simulated time behind the wall clock then.
  Time worst_lag{};
  /// Times the lag was given up.
  std::uint64_t restarts = 0;
};

/// Owns simulated time, with everything that happens in the simulation: while a guest runs time
/// stands still, but for what its register accesses take on the bus; when all guests wait, time
/// goes on to the earliest of what they wait for, or to the interrupt that a device raises before.
/// Guests run one after the other, the earliest first, and of several the one that was added first.
/// So what happens, and when, does not depend on how fast anything runs.
///
/// A guest that can has its clock in memory that is shared (SharedClock), which saves most of the
/// messages. Not paced: somebody who types wakes the guest, and only a message tells us so.
///
/// A guest runs by itself (FREE_UNTIL) up to the next event of the simulation or of another guest.
/// Its clock may be behind while register accesses take their time; it catches up when it waits.
/// What nobody can foresee, frames of a live link or a key at the guest's console, can come while
/// the guest is ahead; it has to wait until time has come as far as the guest can have come.
///
/// The run begins when the first guest has come, waits for each of the others to come, and ends
/// when all have gone.
class Conductor : public sc_core::sc_module {
 public:
  Conductor(const sc_core::sc_module_name& name, const ConductorConfig& config);
  ~Conductor() override;

  /// Before the run: the guest behind `door`, whose time-travel=ext:PATH is this path. Throws as
  /// Door. The door must outlive the run.
  void add(Door& door, const std::string& path);
  /// Asked again and again: frames may come from the live world, so that time keeps to the wall
  /// clock.
  void set_live(std::function<bool()> live) { live_ = std::move(live); }
  /// Ends the run as soon as possible. Safe in any thread and in signal handlers.
  void stop() noexcept { stop_.set(); }
  /// So far.
  const ConductorStatistics& statistics() const { return statistics_; }

 private:
  SC_HAS_PROCESS(Conductor);
  using Wall = std::chrono::steady_clock;

  struct Guest {
    Door* door = nullptr;
    std::string path;
    link::UniqueFd listener;
    Peer time;
    GuestClock clock;
    SharedClock shared;
    bool shares = false;  // its clock with us; otherwise there is a message for everything
    bool gone = false;
  };

  void run();
  bool step();
  Guest* earliest();
  void let_run(Guest& guest);
  void allow_until(Guest& guest, std::uint64_t time);
  bool deliver_interrupt();
  void go_on_to(std::uint64_t nanoseconds);
  void catch_up(const Guest& guest);
  std::uint64_t next_delivery() const;
  void hold_back();
  bool paced() const { return config_.paced || (live_ && live_()); }
  Time ahead_of_wall();
  void restart_clock();
  void on_kick(Guest& guest);
  void on_done(Guest& guest);
  void settle();
  /// Of the present time, rounded up.
  static std::uint64_t now_ns();
  std::uint64_t horizon(const Guest& guest) const;
  std::uint64_t next_event() const;

  void pump(Guest& guest, bool time_only);
  void await_answer(Guest& guest);
  bool await_input(std::vector<pollfd>& fds, int milliseconds);
  void accept(Guest& guest);
  void receive(Guest& guest);
  void take(Guest& guest, const TimeMessage& message);
  void begin(Guest& guest, const TimeMessage& start);
  void go_to(std::uint64_t nanoseconds);
  void take_shared(Guest& guest, TimeOp op, std::uint64_t time);
  void tell_time(Guest& guest);
  void take_request(Guest& guest);
  void send(Guest& guest, const TimeMessage& message);
  void ask(Guest& guest, const TimeMessage& message);
  void part(Guest& guest);
  void break_with(Guest& guest, const std::string& why);
  void notice_deaths();

  ConductorConfig config_;
  std::vector<std::unique_ptr<Guest>> guests_;
  link::WakeUp stop_;
  bool stopping_ = false;
  link::UniqueFd no_schedule_, no_log_;
  std::vector<pollfd> fds_;
  sc_core::sc_event_or_list raised_;
  std::function<bool()> live_;
  bool pacing_now_ = false;
  Wall::time_point wall_start_;
  Time origin_{};
  ConductorStatistics statistics_;
};

}  // namespace e1000tlm::plugs::uml
