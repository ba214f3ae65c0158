#include "e1000tlm/pci/arbiter.h"

#include <algorithm>
#include <tuple>

namespace e1000tlm::pci {
namespace {

/// Places after the last owner in round robin.
constexpr unsigned places(unsigned requester, unsigned last) {
  return (requester - last - 1) % Arbiter::kMaxRequesters;
}

}  // namespace

Arbiter::Request& Arbiter::make_room() {
  for (Request& request : requests_) {
    if (!request.used) return request;
  }
  return requests_.emplace_back();
}

Arbiter::Ticket Arbiter::request(const AccessTiming& timing, const Transfer& transfer, Time at,
                                 Time now, Time& again) {
  if (waiting_ != 0) settle(now);
  Request& request = make_room();
  const auto ticket = static_cast<Ticket>(&request - requests_.data());
  request.timing = &timing;
  request.progress.address = transfer.address;
  request.progress.bytes = transfer.bytes;
  request.progress.completer = transfer.target;
  request.progress.stage = AccessTiming::Stage::kRequest;
  request.progress.asked = at;
  request.address = transfer.address;
  request.bytes = transfer.bytes;
  request.access = {at, kTimeNever, kTimeNever};
  request.order = next_order_++;
  request.waiting = request.used = true;
  request.single = timing.one_tenure();
  if (request.single) request.busy = timing.tenure_time(transfer.address, transfer.bytes);
  ++waiting_;
  ++usage_[timing.master()].accesses;
  again = is_alone(request) ? start_alone(request) + request.busy : earliest_end(ticket, now);
  return ticket;
}

bool Arbiter::ended(Ticket ticket, Time now, Access& access, Time& again) {
  Request& request = requests_[ticket];
  if (request.waiting && !(is_alone(request) && end_alone(request, now))) {
    settle(now);
    if (request.waiting) {
      again = earliest_end(ticket, now);
      return false;
    }
  }
  access = request.access;
  request.used = false;
  return true;
}

/// settle() for one who is alone; false: has not ended yet.
bool Arbiter::end_alone(Request& request, Time now) {
  const Time start = start_alone(request);
  if (start + request.busy > now) return false;
  const unsigned master = request.timing->master();
  usage_[master].add_tenure(request.progress.bytes, request.busy, start - request.progress.asked);
  request.access.start = start;
  request.access.end = free_ = start + request.busy;
  request.waiting = false;
  last_ = master;
  waiting_ = 0;
  return true;
}

void Arbiter::settle(Time now) {
  while (waiting_ != 0) {
    if (!(owner_ != kNobody ? end_tenure(now) : start_tenure(now))) return;
  }
}

/// Whatever others do from now on.
Time Arbiter::earliest_end(Ticket ticket, Time now) const {
  const Request& request = requests_[ticket];
  const AccessTiming& timing = *request.timing;
  if (is_alone(request)) return std::max(start_alone(request), now) + request.busy;
  AccessTiming::Progress progress = request.progress;
  if (owner_ == ticket) {
    timing.finish(progress, tenure_, start_);
    return timing.earliest_end(progress, last_);
  }
  const Time grant = timing.grant(progress, last_);
  Time start = std::max({progress.asked + grant, free_for(request, now), now});
  if (const Request* other = blocker(request)) start = std::max(start, other->progress.data_ready);
  progress.asked = start - grant;
  return timing.earliest_end(progress, last_);
}

/// When the bus is free for this request at the earliest.
Time Arbiter::free_for(const Request& request, Time now) const {
  Ownership owner{nullptr, tenure_, start_};
  if (owner_ != kNobody) {
    owner.request = &requests_[owner_];
  } else {
    // Newcomers may go first, but not change the order of those who are there.
    const Turn turn = next_turn();
    if (turn.request == nullptr || turn.request == &request) return free_;
    owner.request = turn.request;
    owner.start = turn.start;
    owner.tenure = turn.request->timing->next(turn.request->progress, turn.start);
  }
  // A newcomer who stops that tenure only helps those whose turn is before what is left of it.
  const bool before_rest = owner.request->timing->requester(owner.request->progress) ==
                               request.timing->requester(request.progress) &&
                           earlier(request, *owner.request);
  return end_of_tenure(owner, before_rest ? now : kTimeNever);
}

/// Which of one requester's accesses goes first. By what they are and not by who came first, which
/// at one and the same time depends on the order of the simulator's processes.
bool Arbiter::earlier(const Request& a, const Request& b) {
  const auto key = [](const Request& r) {
    return std::make_tuple(r.access.asked, r.timing->master(), !r.timing->is_write(), r.address,
                           r.bytes, r.order);
  };
  return key(a) < key(b);
}

/// Who gets the bus next, as far as is known.
Arbiter::Turn Arbiter::next_turn() const {
  Turn turn;
  unsigned place = 0;
  for (const Request& request : requests_) {
    if (!request.waiting || blocker(request) != nullptr) continue;
    const AccessTiming& timing = *request.timing;
    const Time start =
        std::max(request.progress.asked + timing.grant(request.progress, last_), free_);
    const unsigned its_place = places(timing.requester(request.progress), last_);
    if (start > turn.start) continue;
    if (start == turn.start && its_place > place) continue;
    if (start == turn.start && its_place == place && !earlier(request, *turn.request)) continue;
    turn = {&request, start};
    place = its_place;
  }
  return turn;
}

/// Gives the bus to somebody; false: not before the limit.
bool Arbiter::start_tenure(Time limit) {
  const Turn turn = next_turn();
  if (turn.request == nullptr || turn.start >= limit) return false;
  owner_ = static_cast<std::uint32_t>(turn.request - requests_.data());
  start_ = turn.start;
  Request& request = requests_[owner_];
  request.single = false;
  const AccessTiming& timing = *request.timing;
  tenure_ = timing.next(request.progress, start_);
  last_ = timing.requester(request.progress);
  if (request.access.start == kTimeNever) request.access.start = start_;
  usage_[timing.master()].waiting += start_ - request.progress.asked;
  return true;
}

/// Ends the tenure under way; false: not until the limit.
bool Arbiter::end_tenure(Time limit) {
  Request& request = requests_[owner_];
  const AccessTiming& timing = *request.timing;
  const Tenure tenure = stopped({&request, tenure_, start_}, kTimeNever);
  const Time end = start_ + timing.clocks(tenure.clocks);
  if (end > limit) return false;
  const bool preempted = tenure.bytes < tenure_.bytes;
  const TenureEnding ending = timing.conclude(request.progress, tenure, start_, preempted);
  usage_[timing.master()].add(tenure, timing.clock(), ending, preempted);
  owner_ = kNobody;
  free_ = end;
  if (ending == TenureEnding::kDone) {
    request.access.end = end;
    request.waiting = false;
    --waiting_;
  }
  return true;
}

/// A tenure as it ends with those who want the bus, and one who wants it from `wanted` on.
Tenure Arbiter::stopped(const Ownership& owner, Time wanted) const {
  if (waiting_ == 1) return owner.tenure;
  const AccessTiming& timing = *owner.request->timing;
  const Time end = owner.start + timing.clocks(owner.tenure.clocks);
  const unsigned requester = timing.requester(owner.request->progress);
  const Time expiry = owner.start + timing.clocks(latency_clocks_[requester]);
  if (expiry >= end) return owner.tenure;
  for (const Request& request : requests_) {
    if (!request.waiting || request.timing->requester(request.progress) == requester ||
        blocker(request) != nullptr) {
      continue;
    }
    wanted = std::min(wanted,
                      request.progress.asked + request.timing->grant(request.progress, requester));
  }
  if (wanted >= end) return owner.tenure;
  const Time stop = std::max(wanted, expiry) - owner.start;
  const auto elapsed =
      static_cast<std::uint64_t>((stop + timing.clock() - Time{1}) / timing.clock());
  return timing.cut(owner.request->progress, owner.tenure, elapsed);
}

/// The split read that this one's master has to wait for.
const Arbiter::Request* Arbiter::blocker(const Request& request) const {
  if (!request.timing->starts_split(request.progress)) return nullptr;
  for (const Request& other : requests_) {
    if (other.waiting && other.progress.stage == AccessTiming::Stage::kCompletion &&
        other.timing->master() == request.timing->master()) {
      return &other;
    }
  }
  return nullptr;
}

}  // namespace e1000tlm::pci
