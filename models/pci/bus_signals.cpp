#include "e1000tlm/pci/bus_signals.h"

#include <algorithm>
#include <utility>

namespace e1000tlm::pci {
namespace {

constexpr std::uint8_t kDualAddressCycle = 0b1101, kSplitCompletion = 0b1100;
constexpr std::uint64_t kUpperLanesIdle = 0xF0;
constexpr unsigned kIdselStepping = 4;

bool is_config(Command command) {
  return command == Command::kConfigRead || command == Command::kConfigWrite;
}

/// A transaction's clocks, counted from its start.
class Drawing {
 public:
  Drawing(const Transaction& t, const WireSink& sink)
      : t_(t),
        sink_(sink),
        dual_((t.tenure.address >> 32) != 0 && !t.split_completion),
        frame_(t.pcix && t.claimed && is_config(t.command) ? kIdselStepping : 0),
        turn_(frame_ + (dual_ ? 2 : 1)),
        idle_(t.tenure.clocks - 1),
        last_(idle_ - 1) {}

  void draw() {
    low(BusSignal::kIrdy, turn_ + (t_.pcix ? 2 : 0), idle_);
    set(BusSignal::kMaster, 0, WireLevel::known(t_.requester));
    address();
    if (!t_.claimed) {
      low(BusSignal::kFrame, frame_, std::max(turn_, last_));
    } else if (t_.tenure.bytes == 0) {
      refused();
    } else {
      data();
    }
    for (const BusSignal signal : {BusSignal::kMaster, BusSignal::kCbe, BusSignal::kAd}) {
      set(signal, idle_, WireLevel::floating());
    }
  }

 private:
  void set(BusSignal signal, unsigned clock, const WireLevel& level) const {
    sink_(signal, t_.start + t_.clock * static_cast<std::int64_t>(clock), level);
  }
  /// From one clock on until another begins.
  void low(BusSignal signal, unsigned from, unsigned to) const {
    if (from >= to) return;
    set(signal, from, WireLevel::known(0));
    set(signal, to, WireLevel::known(1));
  }

  void address() const {
    const std::uint64_t code = command_code(t_) | kUpperLanesIdle;
    const std::uint64_t low_half = t_.tenure.address & 0xFFFF'FFFF;
    set(BusSignal::kAd, 0, WireLevel::known(low_half));
    set(BusSignal::kCbe, 0, WireLevel::known(dual_ ? kDualAddressCycle | kUpperLanesIdle : code));
    if (dual_) {
      set(BusSignal::kAd, frame_ + 1, WireLevel::known(t_.tenure.address >> 32));
      set(BusSignal::kCbe, frame_ + 1, WireLevel::known(code));
    }
    if (turn_ >= idle_) return;
    // Attributes, or a write's data; else AD turns around.
    const bool driven = t_.pcix || is_write(t_.command);
    set(BusSignal::kAd, turn_, driven ? WireLevel::unknown() : WireLevel::floating());
    if (t_.pcix) set(BusSignal::kCbe, turn_, WireLevel::unknown());
  }

  /// Retry or Split Response.
  void refused() const {
    low(BusSignal::kFrame, frame_, std::max(turn_, last_));
    if (t_.ending == TenureEnding::kSplit) {
      low(BusSignal::kDevsel, turn_ + t_.decode, last_);
      low(BusSignal::kTrdy, last_, idle_);
      return;
    }
    low(BusSignal::kDevsel, turn_, idle_);
    low(BusSignal::kStop, std::max(turn_, last_ - 1), idle_);
  }

  unsigned beats() const {
    const std::uint64_t end = t_.tenure.address + t_.tenure.bytes - 1;
    return static_cast<unsigned>((end >> t_.pace.beat_shift) -
                                 (t_.tenure.address >> t_.pace.beat_shift) + 1);
  }
  /// A prefetched block begins with this data phase.
  bool waits_for_block(unsigned beat) const {
    if (t_.pace.block_shift == 0 || beat == 0) return false;
    const std::uint64_t number = (t_.tenure.address >> t_.pace.beat_shift) + beat;
    const unsigned shift = t_.pace.block_shift - t_.pace.beat_shift;
    return (number & ((std::uint64_t{1} << shift) - 1)) == 0;
  }
  /// Active low, of the bytes that move.
  std::uint64_t byte_enables(unsigned beat) const {
    const std::uint64_t width = std::uint64_t{1} << t_.pace.beat_shift;
    const std::uint64_t base = ((t_.tenure.address >> t_.pace.beat_shift) + beat)
                               << t_.pace.beat_shift;
    const std::uint64_t from = std::max(base, t_.tenure.address) - base;
    const std::uint64_t to = std::min(base + width, t_.tenure.address + t_.tenure.bytes) - base;
    return ~((1ULL << to) - (1ULL << from)) & 0xFF;
  }

  void data() const {
    const unsigned count = beats();
    unsigned begins = t_.tenure.lead;               // of this data phase
    unsigned since = begins;                        // TRDY# has been low
    unsigned ready = begins;                        // it is low until then
    std::uint64_t enables = kUpperLanesIdle << 8U;  // none yet
    for (unsigned beat = 0; beat < count; ++beat) {
      const unsigned moves =
          begins + (waits_for_block(beat) ? t_.pace.block_wait : 0) + t_.pace.clocks - 1;
      if (!t_.pcix && byte_enables(beat) != enables) {
        enables = byte_enables(beat);
        set(BusSignal::kCbe, beat == 0 ? turn_ : begins, WireLevel::known(enables));
      }
      if (beat + 1 == count) {
        low(BusSignal::kFrame, frame_, beat == 0 ? turn_ : begins);
        if (t_.stopped) low(BusSignal::kStop, moves, moves + 1);
      }
      if (beat == 0) {
        since = moves;
      } else if (moves != ready) {
        low(BusSignal::kTrdy, since, ready);
        since = moves;
      }
      ready = begins = moves + 1;
    }
    low(BusSignal::kTrdy, since, ready);
    low(BusSignal::kDevsel, t_.pcix ? turn_ + t_.decode : turn_, ready);
    if (!is_write(t_.command) && !t_.pcix) {
      set(BusSignal::kAd, std::min(turn_ + 1, t_.tenure.lead), WireLevel::unknown());
    }
  }

  const Transaction& t_;
  const WireSink& sink_;
  bool dual_;
  unsigned frame_;  // clock of FRAME#
  unsigned turn_;   // behind the address phases: turnaround, attributes, data
  unsigned idle_;
  unsigned last_;  // before that
};

}  // namespace

std::uint8_t command_code(const Transaction& transaction) {
  if (transaction.split_completion) return kSplitCompletion;
  switch (transaction.command) {
    case Command::kIoRead: return 0b0010;
    case Command::kIoWrite: return 0b0011;
    case Command::kMemoryRead: return 0b0110;
    case Command::kMemoryWrite: return 0b0111;
    case Command::kConfigRead: return 0b1010;
    case Command::kConfigWrite: return 0b1011;
    case Command::kMemoryReadMultiple: return 0b1100;
    case Command::kMemoryReadLine: return 0b1110;
    case Command::kMemoryWriteInvalidate: return 0b1111;
  }
  return 0;
}

void draw_transaction(const Transaction& transaction, const WireSink& sink) {
  Drawing(transaction, sink).draw();
}

GrantSignals::GrantSignals(const ArbiterTiming& arbiter, Sink sink)
    : arbiter_(arbiter), sink_(std::move(sink)) {
  park(kTimeZero);
}

void GrantSignals::move(unsigned to, Time at) {
  if (holder_ == to) return;
  if (holder_) sink_(*holder_, at, false);
  holder_ = to;
  sink_(to, at, true);
}

/// Nobody asks for the bus.
void GrantSignals::park(Time at) {
  if (arbiter_.parking == Parking::kHost) move(0, at);
  if (arbiter_.parking != Parking::kNone || !holder_) return;
  sink_(*holder_, at, false);
  holder_.reset();
}

void GrantSignals::operator()(const Transaction& t) {
  const std::int64_t wait = std::max<std::int64_t>(arbiter_.request_to_grant, 1) - 1;
  Time grant = std::min(t.asked + t.clock * wait, t.start);
  if (before_) {
    grant = std::max(grant, before_->start + t.clock);
    if (grant > before_->end()) park(before_->end());
  }
  move(t.requester, grant);
  before_ = t;
}

void GrantSignals::finish() {
  if (before_) park(before_->end());
}

}  // namespace e1000tlm::pci
