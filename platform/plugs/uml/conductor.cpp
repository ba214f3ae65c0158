#include "e1000tlm/plugs/uml/conductor.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "e1000tlm/tlm/sc_time.h"

namespace e1000tlm::plugs::uml {
namespace {

// A model that never comes to rest at one time must not keep a guest waiting for ever.
constexpr unsigned kMaxDeltas = 100'000;
// The longest that is waited for at once, so that signals are heeded and guests' deaths noticed.
constexpr Time kSlice = ms(1'000);
constexpr Time kPacedSlice = ms(1);
constexpr Time kAheadAtMost = us(50);
// Hopelessly late: catching up would only make everything come at once.
constexpr Time kLagToGiveUp = ms(100);
// The longest that a guest goes by itself: so late can be what nobody has foreseen.
constexpr Time kAlone = ms(10);
constexpr Time kPacedAlone = us(100);

// Of a simulation's time, in nanoseconds: what lies beyond cannot be told.
constexpr auto kFarthest = static_cast<std::uint64_t>(kTimeNever.count() / 2000);

std::uint64_t round_up(Time t) { return (static_cast<std::uint64_t>(t.count()) + 999) / 1000; }
std::uint64_t round_down(Time t) { return static_cast<std::uint64_t>(t.count()) / 1000; }

}  // namespace

std::uint64_t Conductor::now_ns() { return round_up(sc_now()); }

// --- who runs ---

void Conductor::run() {
  settle();
  while (step()) {
  }
  sc_core::sc_stop();
}

/// False: the run is over.
bool Conductor::step() {
  for (const auto& guest : guests_) {
    while (!guest->gone && !guest->clock.waiting()) {
      pump(*guest, false);
      if (stopping_) return false;
    }
  }
  notice_deaths();
  Guest* next = earliest();
  if (next == nullptr || stopping_) return false;
  const std::uint64_t now = now_ns();
  // Who is behind catches up first: an interrupt would find it in the past.
  if (next->clock.wish() >= now && deliver_interrupt()) return true;
  if (next->clock.wish() > now) {
    go_on_to(std::min(next->clock.wish(), next_delivery()));
  } else {
    let_run(*next);
  }
  return true;
}

Conductor::Guest* Conductor::earliest() {
  Guest* found = nullptr;
  for (const auto& guest : guests_) {
    if (guest->gone) continue;
    if (found == nullptr || guest->clock.wish() < found->clock.wish()) found = guest.get();
  }
  return found;
}

void Conductor::let_run(Guest& guest) {
  const std::uint64_t limit = horizon(guest);
  if (limit > guest.clock.wish()) allow_until(guest, limit);
  if (guest.gone) return;
  ++statistics_.runs;
  ask(guest, guest.clock.run());
}

void Conductor::allow_until(Guest& guest, std::uint64_t time) {
  if (guest.shares) guest.shared.allow_until(time);
  ask(guest, guest.clock.allow_until(time));
}

/// To the first guest that is to have one. A guest that waits takes it at once, and then wants to
/// go on now.
bool Conductor::deliver_interrupt() {
  for (const auto& guest : guests_) {
    if (guest->gone || !guest->door->interrupt_due()) continue;
    if (guest->clock.latest() > now_ns()) continue;
    guest->shared.set_time(now_ns());
    if (!guest->door->interrupt(true)) continue;
    while (!guest->gone && !stopping_) {
      fds_ = {{guest->time.fd(), POLLIN, 0}, {guest->door->confirmation_fd(), POLLIN, 0}};
      if (!await_input(fds_, -1)) break;
      if (fds_[0].revents != 0) receive(*guest);
      // The guest asks for its time before it answers, so nothing is left to be read here.
      if (!guest->gone && fds_[1].revents != 0 && guest->door->confirmed()) break;
    }
    take_request(*guest);
    return true;
  }
  return false;
}

/// When an interrupt that is due can be delivered; it cannot now.
std::uint64_t Conductor::next_delivery() const {
  std::uint64_t first = kTimeForever;
  const std::uint64_t now = now_ns();
  for (const auto& guest : guests_) {
    if (guest->gone || !guest->door->interrupt_due() || guest->clock.latest() <= now) continue;
    first = std::min(first, guest->clock.latest());
  }
  return first;
}

/// Time comes as far as the guest can have come.
void Conductor::catch_up(const Guest& guest) {
  if (guest.clock.latest() <= now_ns()) return;
  sc_core::wait(to_sc(ns(static_cast<std::int64_t>(guest.clock.latest())) - sc_now()));
}

/// Until then, or until a device raises an interrupt.
void Conductor::go_on_to(std::uint64_t nanoseconds) {
  hold_back();
  const Time slice = pacing_now_ ? kPacedSlice : kSlice;
  const Time target = ns(static_cast<std::int64_t>(std::min(nanoseconds, kFarthest)));
  sc_core::wait(to_sc(std::min(target - sc_now(), slice)), raised_);
  settle();
  for (const auto& guest : guests_) tell_time(*guest);
}

/// Paced: the wall clock goes first.
void Conductor::hold_back() {
  const bool before = std::exchange(pacing_now_, paced());
  if (!pacing_now_) return;
  statistics_.paced = true;
  if (!before) restart_clock();
  for (;;) {
    const Time ahead = ahead_of_wall();
    if (ahead < kAheadAtMost) return;
    fds_.clear();
    for (const auto& guest : guests_) {
      if (!guest->gone) fds_.push_back({guest->time.fd(), POLLIN, 0});
    }
    const int milliseconds = std::clamp(static_cast<int>(ahead / ms(1)), 1, 100);
    if (!await_input(fds_, milliseconds)) return;
    // Somebody types: the guest wants to go on earlier.
    if (std::any_of(fds_.begin(), fds_.end(), [](const pollfd& fd) { return fd.revents != 0; })) {
      return;
    }
  }
}

/// How long the wall clock will take to come to simulated time.
Time Conductor::ahead_of_wall() {
  const auto wall = std::chrono::duration_cast<Time>(Wall::now() - wall_start_);
  const Time due{
      static_cast<std::int64_t>(static_cast<double>((sc_now() - origin_).count()) / config_.pace)};
  statistics_.worst_lag = std::max(statistics_.worst_lag, wall - due);
  if (wall - due > kLagToGiveUp) {
    ++statistics_.restarts;
    restart_clock();
    return kTimeZero;
  }
  return due - wall;
}

void Conductor::restart_clock() {
  wall_start_ = Wall::now();
  origin_ = sc_now();
}

/// What a guest that waits asks for by itself, or that it has died.
void Conductor::notice_deaths() {
  fds_.clear();
  for (const auto& guest : guests_) fds_.push_back({guest->time.fd(), POLLIN, 0});
  for (const auto& guest : guests_) take_request(*guest);
  if (::poll(fds_.data(), fds_.size(), 0) <= 0) return;
  for (std::size_t i = 0; i < guests_.size(); ++i) {
    if (!guests_[i]->gone && fds_[i].revents != 0) receive(*guests_[i]);
  }
}

// --- how far a guest may go by itself ---

/// Models have done what is to be done now.
void Conductor::settle() {
  for (unsigned i = 0; i < kMaxDeltas && sc_core::sc_pending_activity_at_current_time(); ++i) {
    sc_core::wait(sc_core::SC_ZERO_TIME);
  }
}

std::uint64_t Conductor::next_event() const {
  Time next = config_.end;
  if (sc_core::sc_pending_activity()) {
    const Time span = from_sc(sc_core::sc_time_to_pending_activity());
    if (span < kTimeNever - sc_now()) next = std::min(next, sc_now() + span);
  }
  return std::min(round_down(next), kFarthest);
}

std::uint64_t Conductor::horizon(const Guest& guest) const {
  const Time alone = pacing_now_ ? kPacedAlone : kAlone;
  std::uint64_t limit = std::min(next_event(), round_down(sc_now() + alone));
  for (const auto& other : guests_) {
    if (other->gone) continue;
    if (other->door->interrupt_due()) limit = std::min(limit, round_down(sc_now()));
    if (other.get() != &guest) limit = std::min(limit, other->clock.wish());
  }
  return limit;
}

/// A guest is about to have commands done. Others learn from a message what time it is.
void Conductor::on_kick(Guest& guest) {
  if (guest.shares && !guest.gone) take_shared(guest, TimeOp::kUpdate, guest.shared.time());
}

/// A guest's commands have been done, and it waits for the answer: what they have set going may be
/// earlier than what it was told.
void Conductor::on_done(Guest& guest) {
  settle();
  if (guest.gone || guest.clock.free_until() == 0) return;
  const std::uint64_t limit = horizon(guest);
  if (limit >= guest.clock.free_until() || stopping_) return;
  allow_until(guest, limit);
}

}  // namespace e1000tlm::plugs::uml
