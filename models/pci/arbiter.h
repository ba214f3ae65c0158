#pragma once
/// Who has the bus when. No SystemC.

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <vector>

#include "e1000tlm/pci/access_timing.h"
#include "e1000tlm/tlm/time.h"

namespace e1000tlm::pci {

/// Arbitrates accesses tenure by tenure, as a PCI arbiter and the masters' latency timers do.
///
/// - A request asserted at t can have its address phase grant_clocks() later at the earliest, or
///   when the bus is free if that is later: arbitration hides behind the tenure before it.
/// - Of several that could start at the same time, the next after the bus's last owner gets it
///   (round robin by requester number). Accesses of one requester go in the order of their times,
///   but for those that have to wait for delayed or split data. What one requester asks for at the
///   same time goes by content: writes before reads, then the lower address, then the shorter one.
/// - A master whose latency timer has run out, counted from its address phase (PCI 2.3 3.5.4),
///   gives up the bus when another one could have it: after the data phase then under way, with
///   Memory Write and Invalidate after the cache line, on PCI-X at the next 128-byte boundary. What
///   is left asks again at once.
/// - A master has one split read outstanding at a time (8254x manual 4.3.2.1).
///
/// Time only moves with the calls: nothing is decided for a moment that is not over, so requests of
/// the same instant are treated alike whatever the order of calls. Requests may lie in the future.
/// Whoever waits is told the earliest time at which its access can end, and asks again then: once,
/// if nobody comes between.
class Arbiter {
 public:
  using Ticket = std::uint32_t;
  static constexpr unsigned kMaxRequesters = 64;

  struct Transfer {
    std::uint64_t address = 0;
    std::uint32_t bytes = 0;
    unsigned target = 0;  ///< its requester number
  };
  /// When an access was.
  struct Access {
    Time asked{};  ///< REQ#
    Time start{};  ///< first address phase
    Time end{};    ///< of the last idle clock
  };

  /// Latency timer of a requester, in clocks. To be set for each of them.
  void set_latency_timer(unsigned requester, unsigned clocks) {
    latency_clocks_[requester] = clocks;
    requesters_ = std::max(requesters_, requester + 1);
  }

  /// Is whoever waits told of every further request? One who asks for the bus before a request that
  /// lies in the future can change who goes first: `again` allows for that, or not.
  enum class Told : bool { kNo, kYes };

  /// Wants an access of more than 0 bytes from `at` on; `now` <= `at` is the present, which never
  /// goes back. The timing must outlive the access. `again`: when to call ended().
  Ticket request(const AccessTiming& timing, const Transfer& transfer, Time at, Time now,
                 Time& again, Told told = Told::kNo);
  /// True: the access has ended, `access` says when, and the ticket is no longer valid. False: call
  /// again at `again`, which is later than `now`.
  bool ended(Ticket ticket, Time now, Access& access, Time& again, Told told = Told::kNo);

  /// Told::kYes: further requests may make `again` earlier, so that ended() has to be asked anew.
  bool may_gain(Ticket ticket, Time now, Time again) const {
    const Request& request = requests_[ticket];
    if (request.progress.asked <= now) return false;
    const Time grant = request.timing->grant(request.progress, last_);
    if (request.single && again == request.progress.asked + grant + request.busy) return false;
    // Of two requesters it is the only one who can stop the other's tenure that has begun, or will
    // have before a newcomer is granted the bus.
    std::uint32_t other = owner_;
    if (other == kNobody && turn_known_ && turn_.start < now + grant &&
        request.timing->equal_grants()) {
      other = turn_.request;
    }
    return other == kNobody || requesters_ > 2 ||
           requests_[other].progress.stage == AccessTiming::Stage::kCompletion;
  }

  /// The short way for a requester who knows that nobody new can want the bus before `limit`: does
  /// the whole access if it ends before that, and before those who wait could have the bus. False:
  /// nothing was done.
  bool undisturbed(const AccessTiming& timing, const Transfer& transfer, Time at, Time limit,
                   Access& access) {
    if (!timing.one_tenure() || owner_ != kNobody) return false;
    const Time start = std::max(at + timing.grant({}, last_), free_);
    const Time length = timing.tenure_time(transfer.address, transfer.bytes);
    if (start + length >= limit) return false;
    if (waiting_ != 0) {
      if (!timing.equal_grants() || next_turn().start < start + length) return false;
      turn_known_ = false;
    }
    access = {at, start, start + length};
    free_ = access.end;
    last_ = timing.master();
    ++usage_[last_].accesses;
    usage_[last_].add_tenure(transfer.bytes, length, start - at);
    return true;
  }

  /// Decides what lies before `now`. Call before a timing or a latency timer changes.
  void settle(Time now) {
    decide(now);
    turn_known_ = false;
    upcoming_order_ = std::numeric_limits<std::uint64_t>::max();
  }

  /// An access that nobody disturbs (loosely timed); the bus is not taken. Returns its end.
  Time alone(const AccessTiming& timing, const Transfer& transfer, Time at) {
    return timing.alone(transfer.address, transfer.bytes, transfer.target, at, last_alone_,
                        usage_[timing.master()]);
  }
  /// The address phase that alone() would begin with.
  Time alone_start(const AccessTiming& timing, Time at) const {
    return at + timing.grant({}, last_alone_);
  }

  const BusUsage& usage(unsigned requester) const { return usage_[requester]; }

 private:
  static constexpr std::uint32_t kNobody = std::numeric_limits<std::uint32_t>::max();

  struct Request {
    const AccessTiming* timing = nullptr;
    AccessTiming::Progress progress;
    Access access;
    std::uint64_t address = 0;  // of the whole access, as is bytes
    std::uint32_t bytes = 0;
    std::uint64_t order = 0;  // of the calls
    Time busy{};              // of the whole access, where that is one tenure
    bool single = false;      // it is, and has not begun
    bool waiting = false;     // more tenures to come or under way
    bool used = false;
  };

  static bool earlier(const Request& a, const Request& b);
  Request& make_room();
  /// The most frequent case: nobody but this request, one tenure.
  bool is_alone(const Request& request) const {
    return waiting_ == 1 && owner_ == kNobody && request.single;
  }
  Time start_alone(const Request& request) const {
    return std::max(request.progress.asked + request.timing->grant(request.progress, last_), free_);
  }
  bool end_alone(Request& request, Time now);
  void decide(Time now) {
    while (waiting_ != 0) {
      if (!(owner_ != kNobody ? end_tenure(now) : start_tenure(now))) return;
    }
  }
  bool end_tenure(Time limit);
  bool start_tenure(Time limit);
  struct Turn {
    std::uint32_t request = kNobody;
    Time start = kTimeNever;
    unsigned place = 0;
  };
  const Turn& next_turn();
  void consider(Turn& turn, std::uint32_t ticket) const;
  struct Ownership {
    const Request* request = nullptr;
    Tenure tenure{};  // as the owner wants it
    Time start{};
    Time end{};     // if nobody stops it
    Time expiry{};  // of the latency timer: nobody can stop it before
    // As it is when it has to stop from a time on, for the last such time that was asked for.
    mutable Time stop = kTimeNever;
    mutable Tenure cut{};
  };
  Ownership owned(const Request& request, Time start) const;
  const Ownership& upcoming(const Turn& turn);
  Tenure stopped(const Ownership& owner, Time wanted) const {
    return waiting_ == 1 || owner.expiry >= owner.end ? owner.tenure : preempted(owner, wanted);
  }
  Tenure preempted(const Ownership& owner, Time wanted) const;
  Time end_of_tenure(const Ownership& owner, Time wanted) const {
    return owner.start + owner.request->timing->clocks(stopped(owner, wanted).clocks);
  }
  Time free_for(const Request& request, Time now, Told told);
  const Request* blocker(const Request& request) const {
    return request.timing->starts_split(request.progress) ? split_under_way(request) : nullptr;
  }
  const Request* split_under_way(const Request& request) const;
  Time earliest_end(Ticket ticket, Time now, Told told);

  std::vector<Request> requests_;  // a ticket is a place here
  std::uint32_t waiting_ = 0;      // of the requests
  std::uint32_t owner_ = kNobody;  // request whose tenure is under way
  Ownership tenure_;               // that tenure, but for the request
  Turn turn_;                      // while there is no owner
  bool turn_known_ = false;        // turn_ is as next_turn() would find it
  Ownership upcoming_;             // the tenure that was to come when it was last asked for
  std::uint64_t upcoming_order_ = std::numeric_limits<std::uint64_t>::max();  // its request's
  Time free_{};          // when the bus was free last
  unsigned last_ = ~0u;  // who had it last
  std::uint64_t next_order_ = 0;
  unsigned last_alone_ = ~0u;
  std::array<unsigned, kMaxRequesters> latency_clocks_{};
  unsigned requesters_ = 0;
  std::array<BusUsage, kMaxRequesters> usage_{};
};

}  // namespace e1000tlm::pci
