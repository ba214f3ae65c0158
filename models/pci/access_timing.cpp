#include "e1000tlm/pci/access_timing.h"

#include <algorithm>

namespace e1000tlm::pci {
namespace {

constexpr unsigned kRead = 0, kReadLine = 1, kReadMultiple = 2;
constexpr unsigned kWrite = 0, kWriteInvalidate = 1;

/// Commands outside memory space; in it the plain ones.
constexpr Command plain_command(Space space, bool write) {
  switch (space) {
    case Space::kIo: return write ? Command::kIoWrite : Command::kIoRead;
    case Space::kConfig: return write ? Command::kConfigWrite : Command::kConfigRead;
    default: return write ? Command::kMemoryWrite : Command::kMemoryRead;
  }
}

constexpr unsigned dual_address(std::uint64_t address) { return (address >> 32) != 0 ? 1 : 0; }

}  // namespace

void BusUsage::add(const Tenure& tenure, Time clock, TenureEnding ending, bool preempted) {
  ++tenures;
  bytes += tenure.bytes;
  busy += clock * static_cast<std::int64_t>(tenure.clocks);
  switch (ending) {
    case TenureEnding::kDone: break;
    case TenureEnding::kDisconnect: ++(preempted ? preemptions : disconnects); break;
    case TenureEnding::kRetry: ++retries; break;
    case TenureEnding::kSplit: ++splits; break;
  }
}

BusUsage& BusUsage::operator+=(const BusUsage& o) {
  accesses += o.accesses;
  tenures += o.tenures;
  retries += o.retries;
  splits += o.splits;
  disconnects += o.disconnects;
  preemptions += o.preemptions;
  bytes += o.bytes;
  busy += o.busy;
  waiting += o.waiting;
  return *this;
}

BusUsage BusUsage::operator-(const BusUsage& o) const {
  BusUsage result = *this;
  result.accesses -= o.accesses;
  result.tenures -= o.tenures;
  result.retries -= o.retries;
  result.splits -= o.splits;
  result.disconnects -= o.disconnects;
  result.preemptions -= o.preemptions;
  result.bytes -= o.bytes;
  result.busy -= o.busy;
  result.waiting -= o.waiting;
  return result;
}

AccessTiming::AccessTiming(const Setup& setup)
    : clock_(setup.bus.clock),
      arbiter_(setup.arbiter),
      master_(setup.master),
      space_(setup.space),
      write_(setup.write),
      pcix_(setup.bus.pcix),
      requester_(setup.requester),
      watch_(setup.watch) {
  BusSpeed bus = setup.bus;
  bus.width_bits = std::min({bus.width_bits, setup.master.width_bits, setup.target_width_bits});
  TargetTiming target = setup.target;
  const bool memory = space_ == Space::kMemory;

  if (write_ && memory && target.posted_bytes != 0) posted_ = setup.posted;
  split_ = pcix_ && !write_ && space_ != Space::kConfig && target.split_latency > kTimeZero;
  decode_ = static_cast<std::uint16_t>(target.decode);
  delayed_ = !pcix_ && !write_ && memory && target.delayed_read > kTimeZero;
  if (split_) {
    latency_ = with_contention(target.split_latency, target.memory_busy_percent);
    no_data_ = 1 + 1 + target.decode + 1 + 1;  // address, attribute, DEVSEL#, response, idle
    TargetTiming delivery;
    delivery.read_initial = 0;
    delivery.disconnect_bytes = target.disconnect_bytes;
    delivery.read_disconnect_bytes = target.read_disconnect_bytes;
    completion_ = TenurePrice(bus, delivery, plain_command(space_, false));
  }
  if (delayed_) {
    latency_ = with_contention(target.delayed_read, target.memory_busy_percent);
    no_data_ = 1 + target.retry_after + 1;
    target.read_initial = target.delayed_initial;
  }

  if (!memory) {
    price_.fill(TenurePrice(bus, target, plain_command(space_, write_)));
  } else if (pcix_) {
    price_.fill(TenurePrice(bus, target, pcix_command(write_, 0, kAdbBytes)));
  } else if (write_) {
    price_[kWrite] = TenurePrice(bus, target, Command::kMemoryWrite);
    price_[kWriteInvalidate] = TenurePrice(bus, target, Command::kMemoryWriteInvalidate);
  } else {
    price_[kRead] = TenurePrice(bus, target, Command::kMemoryRead);
    price_[kReadLine] = TenurePrice(bus, target, Command::kMemoryReadLine);
    price_[kReadMultiple] = TenurePrice(bus, target, Command::kMemoryReadMultiple);
  }
  const bool invalidates = !pcix_ && memory && write_ && master_.write_invalidate &&
                           usable_line(master_.cache_line_bytes);
  const bool one_boundary =
      write_ || (price_[kRead].boundary() == price_[kReadLine].boundary() &&
                 price_[kRead].boundary() == price_[kReadMultiple].boundary());
  one_price_ = !invalidates && one_boundary;
  simple_ = !split_ && !delayed_ && one_price_ && posted_ == nullptr &&
            arbiter_.parking != Parking::kLast;
  grant_ = grant_clocks(arbiter_, requester_, ~0u);
  grant_time_ = clocks(grant_);
  one_tenure_ = simple_ && price_[0].boundary() == 0 && watch_ == nullptr;
  plain_ = !split_ && !delayed_ && one_price_ && posted_ == nullptr;
  simple_ = simple_ && price_[0].even();
}

AccessTiming AccessTiming::master_abort(const BusSpeed& bus, const ArbiterTiming& arbiter,
                                        unsigned requester, Space space, bool write,
                                        const Probe<Transaction>* watch) {
  AccessTiming timing;
  timing.space_ = space;
  timing.write_ = write;
  timing.watch_ = watch;
  timing.pcix_ = bus.pcix;
  timing.clock_ = bus.clock;
  timing.arbiter_ = arbiter;
  timing.requester_ = requester;
  timing.moves_data_ = false;
  timing.no_data_ = master_abort_clocks(bus.pcix);
  timing.grant_ = grant_clocks(arbiter, requester, ~0u);
  timing.grant_time_ = timing.clocks(timing.grant_);
  timing.simple_ = false;
  return timing;
}

Command AccessTiming::command(std::uint64_t address, std::uint32_t bytes) const {
  if (space_ != Space::kMemory) return plain_command(space_, write_);
  if (pcix_) return pcix_command(write_, address, bytes);
  if (!write_) return read_command(master_, address, bytes);
  return write_invalidate_bytes(master_, address, bytes) != 0 ? Command::kMemoryWriteInvalidate
                                                              : Command::kMemoryWrite;
}

const TenurePrice& AccessTiming::price(const Progress& progress) const {
  if (progress.stage == Stage::kCompletion) return completion_;
  if (one_price_) return price_[0];
  switch (command(progress.address, progress.bytes)) {
    case Command::kMemoryReadLine: return price_[kReadLine];
    case Command::kMemoryReadMultiple: return price_[kReadMultiple];
    case Command::kMemoryWriteInvalidate: return price_[kWriteInvalidate];
    default: return price_[0];
  }
}

/// next() where it depends.
Tenure AccessTiming::choose(const Progress& progress, Time start) const {
  if (!moves_data_ || !wants_data(progress, start)) {
    Tenure tenure;
    tenure.address = progress.address;
    tenure.clocks = no_data_ + dual_address(progress.address);
    tenure.last = !moves_data_;
    return tenure;
  }
  Tenure tenure;
  if (progress.stage == Stage::kCompletion) {
    // Its address phase names the requester, not the memory address: it never takes two clocks.
    tenure = completion_.tenure(progress.address & 0xFFFF'FFFF, progress.owed);
  } else {
    std::uint32_t bytes = progress.bytes;
    unsigned stop = 0;
    if (write_ && !one_price_) {
      const std::uint32_t lines = write_invalidate_bytes(master_, progress.address, bytes);
      if (lines != 0) {
        bytes = lines;
        stop = master_.cache_line_bytes;
      }
    }
    tenure = price(progress).tenure(progress.address, bytes, stop);
  }
  tenure.last = tenure.bytes == progress.bytes;
  if (posted_ != nullptr) wait_for_room(tenure, start);
  return tenure;
}

void AccessTiming::wait_for_room(Tenure& tenure, Time start) const {
  constexpr unsigned kIdle = 1;
  const Time data = clocks(tenure.clocks - tenure.lead - kIdle);
  const Time wait = posted_->wait(start + clocks(tenure.lead), data, tenure.bytes);
  auto waits = static_cast<unsigned>((wait + clock_ - Time{1}) / clock_);
  if (pcix_) waits = (waits + 1) / 2 * 2;
  tenure.lead += waits;
  tenure.clocks += waits;
}

Tenure AccessTiming::cut(const Progress& progress, const Tenure& tenure,
                         std::uint64_t elapsed) const {
  return price(progress).cut(tenure, elapsed);
}

/// finish() where it depends.
TenureEnding AccessTiming::finish_in_general(Progress& progress, const Tenure& tenure,
                                             Time start) const {
  const Time end = start + clocks(tenure.clocks);
  progress.asked = end;
  if (!moves_data_) {
    progress.bytes = 0;
    return TenureEnding::kDone;
  }
  if (tenure.bytes == 0) {
    if (progress.stage == Stage::kRequest) progress.data_ready = start + latency_;
    if (delayed_) {
      progress.stage = Stage::kDelayed;
      return TenureEnding::kRetry;
    }
    progress.stage = Stage::kCompletion;
    progress.owed = std::min(progress.bytes, master_.max_read_bytes);
    progress.asked = std::max(end, progress.data_ready);
    return TenureEnding::kSplit;
  }
  progress.address += tenure.bytes;
  progress.bytes -= tenure.bytes;
  if (progress.stage == Stage::kCompletion) progress.owed -= tenure.bytes;
  if (progress.stage != Stage::kCompletion || progress.owed == 0) {
    progress.stage = Stage::kRequest;
  }
  return progress.bytes == 0 ? TenureEnding::kDone : TenureEnding::kDisconnect;
}

TenureEnding AccessTiming::conclude_watched(Progress& progress, const Tenure& tenure, Time start,
                                            bool preempted) const {
  Transaction event;
  event.tenure = tenure;
  event.pace = price(progress).pace();
  event.asked = progress.asked;
  event.start = start;
  event.clock = clock_;
  event.requester = static_cast<std::uint16_t>(requester(progress));
  event.command = command(progress.address, progress.bytes);
  event.pcix = pcix_;
  event.claimed = moves_data_;
  event.split_completion = progress.stage == Stage::kCompletion;
  event.preempted = preempted;
  event.decode = decode_;
  const unsigned boundary = price(progress).boundary();
  event.ending = finish(progress, tenure, start);
  written(tenure, start);
  event.stopped = event.ending == TenureEnding::kDisconnect && !preempted && boundary != 0 &&
                  (tenure.address + tenure.bytes) % boundary == 0;
  watch_->emit(event);
  return event.ending;
}

Time AccessTiming::finish_alone(Progress& progress, unsigned& last, BusUsage& usage,
                                Truth truth) const {
  while (progress.bytes != 0) {
    const Time start = progress.asked + grant(progress, last);
    last = requester(progress);
    const Tenure tenure = next(progress, start);
    usage.waiting += start - progress.asked;
    usage.add(tenure, clock_,
              truth == Truth::kReal ? conclude(progress, tenure, start)
                                    : finish(progress, tenure, start));
  }
  return progress.asked;
}

Time AccessTiming::walk(std::uint64_t address, std::uint32_t bytes, unsigned completer, Time at,
                        unsigned& last, BusUsage& usage) const {
  if (bytes == 0) return at;
  Progress progress;
  progress.address = address;
  progress.bytes = bytes;
  progress.completer = completer;
  progress.asked = at;
  ++usage.accesses;
  return finish_alone(progress, last, usage, Truth::kReal);
}

Time AccessTiming::earliest_end(Progress progress, unsigned last) const {
  if (simple_ && progress.bytes != 0) {
    return progress.asked + time(progress.address, progress.bytes);
  }
  const Time start = progress.asked + grant(progress, last);
  Time data = kTimeNever;
  if (delayed_ && progress.stage == Stage::kRequest) data = start + latency_;
  if (progress.stage == Stage::kDelayed && progress.data_ready > start) data = progress.data_ready;
  BusUsage unused;
  const bool more = progress.bytes != 0;
  const Time end = finish_alone(progress, last, unused, Truth::kImagined);
  return more ? std::min(end, data) : end;
}

}  // namespace e1000tlm::pci
