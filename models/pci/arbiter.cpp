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
                                 Time now, Time& again, Told told) {
  if (waiting_ != 0) decide(now);
  if (waiting_ == 0) turn_known_ = false;
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
  if (turn_known_) consider(turn_, ticket);
  ++usage_[timing.master()].accesses;
  again = is_alone(request) ? start_alone(request) + request.busy : earliest_end(ticket, now, told);
  return ticket;
}

bool Arbiter::ended(Ticket ticket, Time now, Access& access, Time& again, Told told) {
  Request& request = requests_[ticket];
  if (request.waiting && !(is_alone(request) && end_alone(request, now))) {
    decide(now);
    if (request.waiting) {
      again = earliest_end(ticket, now, told);
      return false;
    }
  }
  access = request.access;
  request.used = false;
  return true;
}

/// decide() for one who is alone; false: has not ended yet.
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
  turn_known_ = false;
  return true;
}

/// Whatever others do from now on.
Time Arbiter::earliest_end(Ticket ticket, Time now, Told told) {
  const Request& request = requests_[ticket];
  const AccessTiming& timing = *request.timing;
  if (is_alone(request)) return std::max(start_alone(request), now) + request.busy;
  if (owner_ == ticket) {
    if (tenure_.tenure.last) return tenure_.end;
    AccessTiming::Progress progress = request.progress;
    timing.finish(progress, tenure_.tenure, tenure_.start);
    return timing.earliest_end(progress, last_);
  }
  const Time grant = timing.grant(request.progress, last_);
  Time start = std::max({request.progress.asked + grant, free_for(request, now, told), now});
  if (timing.one_tenure()) {
    return start + timing.tenure_time(request.progress.address, request.progress.bytes);
  }
  if (const Request* other = blocker(request)) start = std::max(start, other->progress.data_ready);
  AccessTiming::Progress progress = request.progress;
  progress.asked = start - grant;
  return timing.earliest_end(progress, last_);
}

/// When the bus is free for this request at the earliest.
Time Arbiter::free_for(const Request& request, Time now, Told told) {
  const bool ahead = told == Told::kNo && request.progress.asked > now;
  const Ownership* owner = &tenure_;
  if (owner_ != kNobody) {
    tenure_.request = &requests_[owner_];
  } else {
    // Newcomers may go first, but not change the order of those who are there by then.
    if (ahead) return free_;
    const Turn& turn = next_turn();
    if (turn.request == kNobody || &requests_[turn.request] == &request) return free_;
    owner = &upcoming(turn);
  }
  // A newcomer who stops that tenure only helps those whose turn is before what is left of it, or
  // while that waits for data once more.
  const AccessTiming& its_timing = *owner->request->timing;
  const bool before_rest =
      ahead || (its_timing.requester(owner->request->progress) ==
                    request.timing->requester(request.progress) &&
                (its_timing.is_delayed() || earlier(request, *owner->request)));
  return end_of_tenure(*owner, before_rest ? now : kTimeNever);
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
const Arbiter::Turn& Arbiter::next_turn() {
  if (turn_known_) return turn_;
  turn_ = {};
  for (std::uint32_t ticket = 0; ticket < requests_.size(); ++ticket) {
    if (requests_[ticket].waiting) consider(turn_, ticket);
  }
  turn_known_ = true;
  return turn_;
}

/// Makes it this one's turn if it goes first.
void Arbiter::consider(Turn& turn, std::uint32_t ticket) const {
  const Request& request = requests_[ticket];
  if (blocker(request) != nullptr) return;
  const AccessTiming& timing = *request.timing;
  const Time start =
      std::max(request.progress.asked + timing.grant(request.progress, last_), free_);
  if (start > turn.start) return;
  const unsigned place = places(timing.requester(request.progress), last_);
  if (start == turn.start) {
    if (place > turn.place) return;
    if (place == turn.place && !earlier(request, requests_[turn.request])) return;
  }
  turn = {ticket, start, place};
}

/// The tenure that begins at `start`.
Arbiter::Ownership Arbiter::owned(const Request& request, Time start) const {
  const AccessTiming& timing = *request.timing;
  Ownership result;
  result.request = &request;
  result.tenure = timing.next(request.progress, start);
  result.start = start;
  result.end = start + timing.clocks(result.tenure.clocks);
  result.expiry = start + timing.clocks(latency_clocks_[timing.requester(request.progress)]);
  return result;
}

/// The tenure that follows if nobody comes between.
const Arbiter::Ownership& Arbiter::upcoming(const Turn& turn) {
  const Request& request = requests_[turn.request];
  if (upcoming_order_ != request.order || upcoming_.start != turn.start) {
    upcoming_ = owned(request, turn.start);
    upcoming_order_ = request.order;
  }
  upcoming_.request = &request;
  return upcoming_;
}

/// Gives the bus to somebody; false: not before the limit.
bool Arbiter::start_tenure(Time limit) {
  const Turn turn = next_turn();
  if (turn.request == kNobody || turn.start >= limit) return false;
  owner_ = turn.request;
  turn_known_ = false;
  Request& request = requests_[owner_];
  request.single = false;
  const AccessTiming& timing = *request.timing;
  tenure_ = upcoming(turn);
  last_ = timing.requester(request.progress);
  if (request.access.start == kTimeNever) request.access.start = turn.start;
  usage_[timing.master()].waiting += turn.start - request.progress.asked;
  return true;
}

/// Ends the tenure under way; false: not until the limit.
bool Arbiter::end_tenure(Time limit) {
  if (tenure_.end > limit && tenure_.expiry > limit) return false;
  Request& request = requests_[owner_];
  const AccessTiming& timing = *request.timing;
  tenure_.request = &request;
  const Tenure tenure = stopped(tenure_, kTimeNever);
  const Time end = tenure_.start + timing.clocks(tenure.clocks);
  if (end > limit) return false;
  const bool preempted = tenure.bytes < tenure_.tenure.bytes;
  const TenureEnding ending = timing.conclude(request.progress, tenure, tenure_.start, preempted);
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
Tenure Arbiter::preempted(const Ownership& owner, Time wanted) const {
  const AccessTiming& timing = *owner.request->timing;
  const unsigned requester = timing.requester(owner.request->progress);
  for (const Request& request : requests_) {
    if (!request.waiting || request.timing->requester(request.progress) == requester ||
        blocker(request) != nullptr) {
      continue;
    }
    wanted = std::min(wanted,
                      request.progress.asked + request.timing->grant(request.progress, requester));
  }
  if (wanted >= owner.end) return owner.tenure;
  const Time stop = std::max(wanted, owner.expiry);
  if (stop != owner.stop) {
    owner.stop = stop;
    const auto elapsed = static_cast<std::uint64_t>(
        (stop - owner.start + timing.clock() - Time{1}) / timing.clock());
    owner.cut = timing.cut(owner.request->progress, owner.tenure, elapsed);
  }
  return owner.cut;
}

/// The split read that this one's master has to wait for.
const Arbiter::Request* Arbiter::split_under_way(const Request& request) const {
  for (const Request& other : requests_) {
    if (other.waiting && other.progress.stage == AccessTiming::Stage::kCompletion &&
        other.timing->master() == request.timing->master()) {
      return &other;
    }
  }
  return nullptr;
}

}  // namespace e1000tlm::pci
