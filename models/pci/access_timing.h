#pragma once
/// Into which tenures a whole access falls: commands, boundaries, retries, splits. No SystemC.

#include <array>
#include <cstdint>

#include "e1000tlm/pci/commands.h"
#include "e1000tlm/pci/posted_writes.h"
#include "e1000tlm/pci/space.h"
#include "e1000tlm/pci/timing.h"
#include "e1000tlm/pci/transaction.h"
#include "e1000tlm/tlm/probe.h"
#include "e1000tlm/tlm/time.h"

namespace e1000tlm::pci {

/// What a master has had of the bus.
struct BusUsage {
  std::uint64_t accesses = 0;
  std::uint64_t tenures = 0;      ///< all, retries and split requests and completions included
  std::uint64_t retries = 0;      ///< tenures that ended with Retry: the data was not there yet
  std::uint64_t splits = 0;       ///< tenures that ended with Split Response
  std::uint64_t disconnects = 0;  ///< tenures that ended before their access, at a boundary
  std::uint64_t preemptions =
      0;  ///< tenures that ended early because the latency timer had run out
  std::uint64_t bytes = 0;
  Time busy{};     ///< address phases to idle clocks
  Time waiting{};  ///< REQ# to address phase, arbitration included

  /// A tenure of it has been; `preempted`: by the latency timer.
  void add(const Tenure& tenure, Time clock, TenureEnding ending, bool preempted = false);
  /// The only tenure of an access has been.
  void add_tenure(std::uint32_t its_bytes, Time length, Time waited) {
    ++tenures;
    bytes += its_bytes;
    busy += length;
    waiting += waited;
  }
  BusUsage& operator+=(const BusUsage& o);
  BusUsage operator-(const BusUsage& o) const;
};

/// Clocks from REQ# to the address phase for a requester on an idle bus that `last` had last.
constexpr unsigned grant_clocks(const ArbiterTiming& arbiter, unsigned requester, unsigned last) {
  const bool parked = (arbiter.parking == Parking::kHost && requester == 0) ||
                      (arbiter.parking == Parking::kLast && requester == last);
  return parked ? arbiter.parked_grant : arbiter.request_to_grant;
}

/// Everything fixed about the accesses of one master to one target in one direction.
///
/// A requester is who asserts REQ#: 0 the host bridge, n the n-th function. On PCI-X the target of
/// a split read is one, too.
class AccessTiming {
 public:
  struct Setup {
    BusSpeed bus{};
    ArbiterTiming arbiter{};
    TargetTiming target{};
    MasterSettings master{};
    /// Of the target's data path: 64 bits move at a time where both sides have as many (PCI 2.3
    /// 3.8).
    unsigned target_width_bits = 64;
    Space space = Space::kMemory;
    bool write = false;
    unsigned requester = 0;
    /// Where writes to memory go if target.posted_bytes is not 0; must outlive the timing.
    PostedWrites* posted = nullptr;
    /// Told of every tenure; must outlive the timing. Accesses are then worked out tenure by tenure
    /// even where one formula would do. nullptr: nobody looks.
    const Probe<Transaction>* watch = nullptr;
  };

  enum class Stage : std::uint8_t {
    kRequest,     ///< the next tenure is a new transaction
    kDelayed,     ///< repeats a delayed read
    kCompletion,  ///< the completer delivers split data
  };
  /// What is left of an access between two of its tenures.
  struct Progress {
    std::uint64_t address = 0;
    std::uint32_t bytes = 0;
    unsigned completer = 0;  ///< requester number of the target
    Stage stage = Stage::kRequest;
    std::uint32_t owed = 0;  ///< kCompletion: of the read request
    Time asked{};            ///< REQ# for the next tenure
    Time data_ready{};       ///< not kRequest
  };

  AccessTiming() = default;
  explicit AccessTiming(const Setup& setup);
  /// An access that nobody claims.
  static AccessTiming master_abort(const BusSpeed& bus, const ArbiterTiming& arbiter,
                                   unsigned requester, Space space = Space::kMemory,
                                   bool write = false, const Probe<Transaction>* watch = nullptr);

  /// The command of an access, for traces: that of its first tenure.
  Command command(std::uint64_t address, std::uint32_t bytes) const;

  // Tenure by tenure
  /// Whose access it is.
  unsigned master() const { return requester_; }
  bool is_write() const { return write_; }
  unsigned requester(const Progress& progress) const {
    return progress.stage == Stage::kCompletion ? progress.completer : requester_;
  }
  Time grant(const Progress& progress, unsigned last) const {
    if (arbiter_.parking == Parking::kNone) return grant_time_;
    return clocks(grant_clocks(arbiter_, requester(progress), last));
  }
  /// Whoever asks is granted the bus as fast.
  bool equal_grants() const { return arbiter_.parking == Parking::kNone; }
  /// The tenure whose address phase is at `start`.
  Tenure next(const Progress& progress, Time start) const {
    return plain_ ? price_[0].tenure(progress.address, progress.bytes) : choose(progress, start);
  }
  Tenure cut(const Progress& progress, const Tenure& tenure, std::uint64_t elapsed) const;
  /// The tenure has been.
  TenureEnding finish(Progress& progress, const Tenure& tenure, Time start) const {
    if (!plain_) return finish_in_general(progress, tenure, start);
    progress.asked = start + clocks(tenure.clocks);
    progress.address += tenure.bytes;
    progress.bytes -= tenure.bytes;
    return progress.bytes == 0 ? TenureEnding::kDone : TenureEnding::kDisconnect;
  }
  /// finish() of a tenure that has indeed been, and was not just imagined: the target keeps what
  /// was written, and who watches is told. `preempted`: by the latency timer.
  TenureEnding conclude(Progress& progress, const Tenure& tenure, Time start,
                        bool preempted = false) const {
    if (watch_ != nullptr) return conclude_watched(progress, tenure, start, preempted);
    const TenureEnding ending = finish(progress, tenure, start);
    written(tenure, start);
    return ending;
  }

  /// Whatever is left after a tenure has to wait for its data again (delayed reads).
  bool is_delayed() const { return delayed_; }
  /// The next tenure has to wait while the same master waits for another split read.
  bool starts_split(const Progress& progress) const {
    return split_ && progress.stage == Stage::kRequest;
  }

  /// The same where nothing is kept: for estimates.
  AccessTiming unposted() const {
    AccessTiming timing = *this;
    timing.posted_ = nullptr;
    timing.watch_ = nullptr;
    return timing;
  }

  // As if nobody else used the bus
  /// One closed formula tells the price.
  bool simple() const { return simple_; }
  /// Only if simple(): from REQ# on an idle bus to the end.
  Time time(std::uint64_t address, std::uint32_t bytes) const {
    return clocks(price_[0].clocks(address, bytes, grant_));
  }
  /// Always a single tenure, of tenure_time(); bytes > 0.
  bool one_tenure() const { return one_tenure_; }
  /// From address phase to idle clock.
  Time tenure_time(std::uint64_t address, std::uint32_t bytes) const {
    return clocks(price_[0].single(address, bytes));
  }
  /// From REQ# at `at` to the end, added to `usage`. `last`: who had the bus before, and after.
  Time alone(std::uint64_t address, std::uint32_t bytes, unsigned completer, Time at,
             unsigned& last, BusUsage& usage) const {
    if (!one_tenure_ || bytes == 0) {
      return walk(address, bytes, completer, at, last, usage);
    }
    const Time length = tenure_time(address, bytes);
    last = requester_;
    ++usage.accesses;
    usage.add_tenure(bytes, length, grant_time_);
    return at + grant_time_ + length;
  }

  /// When the access ends if nobody else wants the bus from now on, or earlier if somebody could
  /// help: a delayed read may gain from being held up until its data is there.
  Time earliest_end(Progress progress, unsigned last) const;

  Time clock() const { return clock_; }
  Time clocks(std::uint64_t n) const { return clock_ * static_cast<std::int64_t>(n); }

 private:
  void written(const Tenure& tenure, Time start) const {
    if (posted_ != nullptr) posted_->take(start + clocks(tenure.lead), tenure.bytes);
  }
  TenureEnding conclude_watched(Progress& progress, const Tenure& tenure, Time start,
                                bool preempted) const;
  Time walk(std::uint64_t address, std::uint32_t bytes, unsigned completer, Time at, unsigned& last,
            BusUsage& usage) const;
  enum class Truth : std::uint8_t { kImagined, kReal };
  Time finish_alone(Progress& progress, unsigned& last, BusUsage& usage, Truth truth) const;
  Tenure choose(const Progress& progress, Time start) const;
  TenureEnding finish_in_general(Progress& progress, const Tenure& tenure, Time start) const;
  void wait_for_room(Tenure& tenure, Time start) const;
  bool wants_data(const Progress& progress, Time start) const {
    return !(delayed_ && (progress.stage == Stage::kRequest || start < progress.data_ready)) &&
           !starts_split(progress);
  }
  const TenurePrice& price(const Progress& progress) const;

  Time clock_{};
  ArbiterTiming arbiter_{};
  MasterSettings master_{};
  Space space_ = Space::kMemory;
  bool write_ = false;
  bool pcix_ = false;
  unsigned requester_ = 0;
  PostedWrites* posted_ = nullptr;
  const Probe<Transaction>* watch_ = nullptr;

  // By command: reads Read, Read Line, Read Multiple; writes Write, Write and Invalidate. PCI-X has
  // one price.
  std::array<TenurePrice, 3> price_{};
  TenurePrice completion_{};  // split reads
  bool simple_ = true;
  bool one_price_ = true;  // whichever the command
  bool one_tenure_ = false;
  bool plain_ = false;  // every tenure moves data, at price_[0], whenever it is
  bool delayed_ = false;
  bool split_ = false;
  bool moves_data_ = true;
  unsigned grant_ = 0;        // clocks of arbitration, where that does not change
  Time grant_time_{};         // the same
  std::uint16_t decode_ = 1;  // clocks to DEVSEL#, PCI-X
  unsigned no_data_ = 0;      // clocks of Retry, Split Response or master abort
  Time latency_{};            // of delayed and split reads
};

}  // namespace e1000tlm::pci
