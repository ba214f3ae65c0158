#include "models/pci/arbiter.h"

#include <algorithm>

namespace e1000tlm::pci {
namespace {

/// Places after the last owner in round robin.
constexpr unsigned places(unsigned requester, unsigned last) {
  return (requester - last - 1) % Arbiter::kMaxRequesters;
}

}  // namespace

Arbiter::Ticket Arbiter::request(const AccessTiming& timing, const Transfer& transfer, Time at,
                                 Time now, Time& again) {
  settle(now);
  const auto place = std::find_if(requests_.begin(), requests_.end(),
                                  [](const Request& request) { return !request.used; });
  const auto ticket = static_cast<Ticket>(place - requests_.begin());
  Request& request = place != requests_.end() ? *place : requests_.emplace_back();
  request.timing = &timing;
  request.progress = {};
  request.progress.address = transfer.address;
  request.progress.bytes = transfer.bytes;
  request.progress.completer = transfer.target;
  request.progress.asked = at;
  request.access = {at, kTimeNever, kTimeNever};
  request.order = next_order_++;
  request.waiting = request.used = true;
  ++waiting_;
  ++usage_[timing.master()].accesses;
  again = earliest_end(ticket, now);
  return ticket;
}

bool Arbiter::ended(Ticket ticket, Time now, Access& access, Time& again) {
  settle(now);
  Request& request = requests_[ticket];
  if (request.waiting) {
    again = earliest_end(ticket, now);
    return false;
  }
  access = request.access;
  request.used = false;
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
  AccessTiming::Progress progress = request.progress;
  if (owner_ == ticket) {
    timing.finish(progress, tenure_, start_);
    return timing.earliest_end(progress, last_);
  }
  const Time grant = timing.grant(progress, last_);
  Time start = std::max({progress.asked + grant, free_, now});
  if (owner_ != kNobody) {
    // A newcomer who stops the tenure under way only helps those whose turn is before what is left
    // of it.
    const Request& owner = requests_[owner_];
    const bool same = owner.timing->requester(owner.progress) == timing.requester(request.progress);
    start = std::max(start, end_of_tenure(same && earlier(request, owner) ? now : kTimeNever));
  }
  if (const Request* other = blocker(request)) start = std::max(start, other->progress.data_ready);
  progress.asked = start - grant;
  return timing.earliest_end(progress, last_);
}

/// Which of one requester's accesses goes first.
bool Arbiter::earlier(const Request& a, const Request& b) {
  if (a.access.asked != b.access.asked) return a.access.asked < b.access.asked;
  if (a.timing->master() != b.timing->master()) return a.timing->master() < b.timing->master();
  return a.order < b.order;
}

/// Gives the bus to somebody; false: not before the limit.
bool Arbiter::start_tenure(Time limit) {
  Request* chosen = nullptr;
  Time when = kTimeNever;
  unsigned place = 0;
  for (Request& request : requests_) {
    if (!request.waiting || blocker(request) != nullptr) continue;
    const AccessTiming& timing = *request.timing;
    const Time start =
        std::max(request.progress.asked + timing.grant(request.progress, last_), free_);
    const unsigned its_place = places(timing.requester(request.progress), last_);
    if (start > when) continue;
    if (start == when && its_place > place) continue;
    if (start == when && its_place == place && !earlier(request, *chosen)) continue;
    chosen = &request;
    when = start;
    place = its_place;
  }
  if (chosen == nullptr || when >= limit) return false;
  const AccessTiming& timing = *chosen->timing;
  owner_ = static_cast<std::uint32_t>(chosen - requests_.data());
  start_ = when;
  tenure_ = timing.next(chosen->progress, when);
  last_ = timing.requester(chosen->progress);
  if (chosen->access.start == kTimeNever) chosen->access.start = when;
  usage_[timing.master()].waiting += when - chosen->progress.asked;
  return true;
}

/// Ends the tenure under way; false: not until the limit.
bool Arbiter::end_tenure(Time limit) {
  Request& request = requests_[owner_];
  const AccessTiming& timing = *request.timing;
  const Tenure tenure = stopped(kTimeNever);
  const Time end = start_ + timing.clocks(tenure.clocks);
  if (end > limit) return false;
  const TenureEnding ending = timing.finish(request.progress, tenure, start_);
  usage_[timing.master()].add(tenure, timing.clock(), ending, tenure.bytes < tenure_.bytes);
  owner_ = kNobody;
  free_ = end;
  if (ending == TenureEnding::kDone) {
    request.access.end = end;
    request.waiting = false;
    --waiting_;
  }
  return true;
}

/// The tenure under way as it ends with those who want the bus, and one who wants it from `wanted`
/// on.
Tenure Arbiter::stopped(Time wanted) const {
  if (waiting_ == 1) return tenure_;
  const Request& owner = requests_[owner_];
  const AccessTiming& timing = *owner.timing;
  const unsigned requester = timing.requester(owner.progress);
  for (const Request& request : requests_) {
    if (!request.waiting || request.timing->requester(request.progress) == requester ||
        blocker(request) != nullptr) {
      continue;
    }
    wanted =
        std::min(wanted, request.progress.asked + request.timing->grant(request.progress, last_));
  }
  if (wanted >= start_ + timing.clocks(tenure_.clocks)) return tenure_;
  const Time stop = std::max(wanted, start_ + timing.clocks(latency_clocks_[requester]));
  const auto elapsed =
      static_cast<std::uint64_t>((stop - start_ + timing.clock() - Time{1}) / timing.clock());
  return timing.cut(owner.progress, tenure_, elapsed);
}

/// The same as a time.
Time Arbiter::end_of_tenure(Time wanted) const {
  return start_ + requests_[owner_].timing->clocks(stopped(wanted).clocks);
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
