#include "e1000tlm/e1000/interrupts/delay_timer.h"

#include <algorithm>

#include "e1000tlm/tlm/sc_time.h"

namespace e1000tlm::e1000 {
namespace {

[[gnu::noinline, gnu::cold]] void tell_cancelled(const Probe<DelayEvent>& probe) {
  probe.emit({sc_now(), DelayEvent::What::kCancelled});
}

}  // namespace

DelayTimer::DelayTimer(const sc_core::sc_module_name& name) : sc_module(name) {
  SC_HAS_PROCESS(DelayTimer);
  SC_METHOD(tick);
  dont_initialize();
  sensitive << tick_event_;
}

// A restart usually moves the deadline back. It then costs no event: tick() finds the deadline
// moved and schedules itself again.
void DelayTimer::restart(Time at, Time packet, Time absolute) {
  if (running() && deadline_ < at) {
    expired_ = true;
    expired_event_.notify(to_sc(std::max(kTimeZero, deadline_ - sc_now())));
    announce(deadline_, DelayEvent::What::kExpired);
    deadline_ = absolute_ = kTimeNever;
  }
  if (!running()) {
    if (absolute > kTimeZero) absolute_ = at + absolute;
    announce(at, DelayEvent::What::kStarted);
  }
  deadline_ = std::min(at + packet, absolute_);
  if (scheduled_ == kTimeNever || deadline_ < scheduled_) {
    scheduled_ = deadline_;
    tick_event_.cancel();
    tick_event_.notify(to_sc(std::max(kTimeZero, deadline_ - sc_now())));
  }
}

// Called for each frame: the rare case stays out of it.
void DelayTimer::cancel() {
  const bool told = running() && probe.armed();
  deadline_ = absolute_ = kTimeNever;
  expired_ = false;
  if (told) tell_cancelled(probe);
}

void DelayTimer::tick() {
  scheduled_ = kTimeNever;
  if (!running()) return;
  const Time now = sc_now();
  if (deadline_ > now) {
    scheduled_ = deadline_;
    tick_event_.notify(to_sc(deadline_ - now));
    return;
  }
  deadline_ = absolute_ = kTimeNever;
  expired_ = true;
  announce(now, DelayEvent::What::kExpired);
  expired_event_.notify(sc_core::SC_ZERO_TIME);
}

}  // namespace e1000tlm::e1000
