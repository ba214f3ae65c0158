#pragma once
/// A process's own time, which may run ahead of the kernel's (temporal decoupling, IEEE 1666 12.1).

#include <algorithm>
#include <cstdint>

#include <systemc>

#include "e1000tlm/tlm/sc_time.h"
#include "e1000tlm/tlm/time.h"

namespace e1000tlm {

/// Told whenever a process lets the kernel run: it is not there to act itself then.
class Absence {
 public:
  virtual ~Absence() = default;
  /// The process waits until `until` at the latest; kTimeNever: nobody knows how long.
  virtual void begins(Time until) = 0;
  /// It runs again.
  virtual void ends() = 0;
};

/// Local time of one SC_THREAD. With quantum 0 (approximately timed) every sync_if_due() waits, so
/// the process never runs ahead (but see look_ahead()); with a quantum (loosely timed) it waits
/// once a quantum.
///
/// The quantum is that of ::tlm::tlm_global_quantum, read by start().
class LocalTime {
 public:
  /// Reads the global quantum; call first thing in the process.
  void start();

  /// Who wants to know of waits; must outlive this. nullptr: nobody.
  void set_absence(Absence* absence) { absence_ = absence; }
  /// Around a wait that is not made through this class: whatever may wait in `action`.
  template <class Action>
  void away(Action action) {
    if (absence_ != nullptr) absence_->begins(kTimeNever);
    action();
    resume();
    if (absence_ != nullptr) absence_->ends();
  }

  Time now() const { return now_; }
  Time quantum() const { return quantum_; }
  bool loosely_timed() const { return quantum_ > kTimeZero; }
  /// How far this process is ahead of the kernel.
  Time ahead() const { return now_ - kernel_; }
  /// The same as sc_time, for the delay argument of b_transport.
  sc_core::sc_time delay() const { return to_sc(ahead()); }

  void advance(Time span) { now_ += span; }
  void advance_to(Time t) {
    if (t > now_) now_ = t;
  }
  /// Takes over a delay that came back from b_transport.
  void set_delay(const sc_core::sc_time& delay) { now_ = kernel_ + from_sc(delay); }

  /// Has this process to wait for the kernel before it goes on?
  bool due() const {
    if (now_ == kernel_) return false;
    return loosely_timed() ? now_ - kernel_ >= quantum_ : !alone_until(now_);
  }
  /// Conservative lookahead, approximately timed: from now on this process goes on, up to `limit`
  /// ahead of the kernel, while nothing else at all is planned before its local time, since waiting
  /// for that time would change nothing. Exact (the order of things at one and the same picosecond
  /// apart), and saves most thread switches where one device is busy. What the process does to
  /// others while ahead() has to carry its time stamp or to wait for sync(). kTimeZero (the
  /// default) switches it off.
  ///
  /// Only while the kernel runs to the next event that is planned: it tells processes what is
  /// planned, but not where sc_start(time) is going to stop.
  void look_ahead(Time limit) { lookahead_ = loosely_timed() ? kTimeZero : limit; }
  /// Looking ahead, when others may do something next; the kernel's time if this process does not.
  Time horizon() const {
    if (lookahead_ == kTimeZero) return kernel_;
    return kernel_ + std::min(lookahead_, from_sc(sc_core::sc_time_to_pending_activity()));
  }
  /// Looking ahead, nothing but this process can do anything until after `t`.
  bool alone_until(Time t) const { return t - kernel_ < lookahead_ && horizon() > t; }
  /// Waits until the kernel has caught up. Returns true if it had to wait.
  bool sync();
  bool sync_if_due() { return due() && sync(); }

  /// Synchronises, then waits for the event (at most `timeout` when that is not kTimeNever).
  void wait(const sc_core::sc_event& event, Time timeout = kTimeNever);
  /// Waits for the event (or one of a list) or until `t`, whichever is first, without synchronising
  /// before: the local time afterwards is the kernel's, or stays where it was if that is later.
  template <class Events>
  void wait_until(const Events& events, Time t) {
    if (t <= kernel_) return;
    if (absence_ != nullptr) absence_->begins(t);
    if (t == kTimeNever) {
      sc_core::wait(events);
    } else {
      sc_core::wait(to_sc(t - kernel_), events);
    }
    resume();
    if (absence_ != nullptr) absence_->ends();
  }

  /// After any other wait: the kernel's time is later now.
  void resume() {
    kernel_ = sc_now();
    advance_to(kernel_);
    ++waits_;
  }
  /// Changes whenever others may have run.
  std::uint64_t waits() const { return waits_; }

 private:
  Time now_ = kTimeZero;     // local
  Time kernel_ = kTimeZero;  // sc_time_stamp() as of this process's last wait
  Time quantum_ = kTimeZero;
  Time lookahead_ = kTimeZero;
  std::uint64_t waits_ = 0;
  Absence* absence_ = nullptr;
};

}  // namespace e1000tlm
