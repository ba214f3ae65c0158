#include "e1000tlm/virtio/queue_engine.h"

#include <algorithm>
#include <cstring>
#include <string>

namespace e1000tlm::virtio {
namespace {

BusBursts bursts(const NetTiming& timing) {
  return {timing.available_burst, timing.descriptor_burst, timing.data_burst};
}

}  // namespace

QueueEngine::QueueEngine(const sc_core::sc_module_name& name, NetCore& core,
                         InterruptUnit& interrupts)
    : sc_module(name),
      core_(core),
      interrupts_(interrupts),
      master_(core.dma),
      time_(master_.time()) {
  time_.set_absence(this);
}

QueueEngine::Work& QueueEngine::add_queue(unsigned index) {
  BusAccess& bus = *this;
  return queues_.emplace_back(bus, bursts(core_.config.timing), index);
}

QueueEngine::Work* QueueEngine::find(unsigned index) {
  for (Work& work : queues_) {
    if (work.index == index) return &work;
  }
  return nullptr;
}

// --- what register handlers say -----------------------------------------------------------------

void QueueEngine::start_queue(unsigned index, const SplitLayout& layout, std::uint16_t base) {
  Work* const work = find(index);
  if (work == nullptr) return;
  work->layout = layout;
  work->base = base;
  work->wanted = work->changed = changed_ = true;
  wake();
}

std::uint16_t QueueEngine::stop_queue(unsigned index) {
  Work* const work = find(index);
  if (work == nullptr) return 0;
  if (current_ == work) abandon();
  raised_ &= ~(std::uint64_t{1} << index);
  interrupts_.forget(index);
  work->wanted = work->running = false;
  work->changed = changed_ = true;
  wake();
  return work->queue.next();
}

void QueueEngine::stop() {
  abandon();
  for (Work& work : queues_) stop_queue(work.index);
}

void QueueEngine::notified(unsigned index) {
  Work* const work = find(index);
  if (work == nullptr || !work->wanted) return;
  if (!work->kicked) work->look_at = core_.now() + core_.config.timing.doorbell;
  work->kicked = true;
  wake();
}

void QueueEngine::wake() {
  if (resting_) wake_event_.notify(sc_core::SC_ZERO_TIME);
}

void QueueEngine::abandon() {
  ++epoch_;
  master_.cancel();
  abandoned_event_.notify(sc_core::SC_ZERO_TIME);
}

// --- what the engine's process does -------------------------------------------------------------

bool QueueEngine::apply_changes() {
  if (!changed_) return false;
  changed_ = false;
  for (Work& work : queues_) {
    if (work.changed) apply_change(work);
  }
  return true;
}

void QueueEngine::apply_change(Work& work) {
  work.changed = false;
  work.queue.stop();
  work.running = work.kicked = work.silent = false;
  work.unseen = 0;
  work.look_at = kTimeZero;
  queue_changed(work);
  if (!work.wanted) return;
  const Passage passage(*this);
  const Busy busy(*this, work);
  work.memory.attach(work.layout);
  RingOptions options;
  options.event_index = core_.agreed(net::feature::kEventIndex);
  options.indirect = core_.agreed(net::feature::kIndirect);
  const bool started = work.queue.start(work.layout, options, work.base);
  if (passage.is_void()) return;
  if (!started) {
    fail(work, to_string(work.queue.fault()));
    return;
  }
  work.running = work.kicked = true;
  queue_changed(work);
}

QueueEngine::Work* QueueEngine::next_due(Time& next) {
  next = kTimeNever;
  if (!core_.gate.enabled || !core_.transport->running()) return nullptr;
  for (std::size_t i = 0; i < queues_.size(); ++i) {
    const std::size_t at = (turn_ + i) % queues_.size();
    Work& work = queues_[at];
    if (!work.running || !work.kicked) continue;
    if (work.look_at <= time_.now()) {
      turn_ = at + 1;
      return &work;
    }
    next = std::min(next, work.look_at);
  }
  return nullptr;
}

bool QueueEngine::due() const {
  return core_.gate.enabled && core_.transport->running() &&
         std::any_of(queues_.begin(), queues_.end(), [](const Work& work) {
           return work.changed || (work.running && work.kicked);
         });
}

void QueueEngine::wait_till(Time at) {
  const bool near = time_.loosely_timed() ? at - (time_.now() - time_.ahead()) < time_.quantum()
                                          : time_.alone_until(at);
  if (near) {
    time_.advance_to(at);
  } else {
    time_.wait_until(abandoned_event_, at);
    if (time_.ahead() == kTimeZero) tell();
  }
}

DeviceQueue::Pop QueueEngine::pop(Work& work, DeviceQueue::Chain& chain) {
  const Passage passage(*this);
  for (;;) {
    const DeviceQueue::Pop result = work.queue.pop(chain);
    if (passage.is_void()) return DeviceQueue::Pop::kBroken;
    if (result == DeviceQueue::Pop::kBroken) {
      fail(work, to_string(work.queue.fault()));
      return result;
    }
    if (result == DeviceQueue::Pop::kChain) {
      if (core_.probes.buffers.armed()) {
        core_.probes.buffers.emit({time_.now(), work.index, chain.head, false,
                                   chain.readable_bytes + chain.writable_bytes});
      }
      if (!work.silent) {
        work.silent = true;
        work.queue.disable_kicks();
      }
      return passage.is_void() ? DeviceQueue::Pop::kBroken : result;
    }
    publish(work);
    if (passage.is_void()) return DeviceQueue::Pop::kBroken;
    work.kicked = false;
    const bool more = work.silent && work.queue.enable_kicks();
    if (passage.is_void()) return DeviceQueue::Pop::kBroken;
    work.silent = false;
    if (!more) {
      if (work.queue.fault() != RingFault::kNone) {
        fail(work, to_string(work.queue.fault()));
        return DeviceQueue::Pop::kBroken;
      }
      return result;
    }
    work.kicked = true;
  }
}

void QueueEngine::push(Work& work, std::uint16_t head, std::uint32_t written) {
  const Passage passage(*this);
  const bool pushed = work.queue.push(head, written);
  if (passage.is_void()) return;
  if (!pushed) {
    fail(work, to_string(work.queue.fault()));
    return;
  }
  ++work.unseen;
  if (core_.probes.buffers.armed()) {
    core_.probes.buffers.emit({time_.now(), work.index, head, true, written});
  }
}

void QueueEngine::publish(Work& work) {
  if (work.unseen == 0) return;
  work.unseen = 0;
  const Passage passage(*this);
  const bool tell_driver = work.queue.publish();
  if (passage.is_void()) return;
  if (work.queue.fault() != RingFault::kNone) {
    fail(work, to_string(work.queue.fault()));
    return;
  }
  if (tell_driver) raise(work.index);
}

/// Nothing more is done until the device is reset, which the driver hears of at this time.
void QueueEngine::fail(const Work& work, const char* what) {
  const Passage passage(*this);
  sync();
  if (passage.is_void()) return;
  core_.transport->needs_reset("queue " + std::to_string(work.index) + ": " + what);
  for (Work& other : queues_) other.running = false;
}

void QueueEngine::tell() {
  while (raised_ != 0) {
    const auto queue = static_cast<unsigned>(__builtin_ctzll(raised_));
    raised_ &= raised_ - 1;
    interrupts_.queue_used(queue);
  }
}

// --- bus accesses -------------------------------------------------------------------------------

bool QueueEngine::bus_read(std::uint64_t address, Bytes to) {
  return dma_read(address, to) == Outcome::kDone;
}

bool QueueEngine::bus_write(std::uint64_t address, ConstBytes from) {
  return dma_write(address, from) == Outcome::kDone;
}

QueueEngine::Outcome QueueEngine::settle_in_passage() {
  const Passage passage(*this);
  return settle() && passage.is_void() ? Outcome::kAborted : Outcome::kDone;
}

QueueEngine::Outcome QueueEngine::catch_up() {
  const Passage passage(*this);
  sync();
  return passage.is_void() ? Outcome::kAborted : Outcome::kDone;
}

/// One bus access: waits while bus mastering is off, repeats what was refused because it was
/// switched off meanwhile, and notices when the engine was reset under it.
template <class Access>
QueueEngine::Outcome QueueEngine::guarded(Access access) {
  const Passage passage(*this);
  for (;;) {
    while (!core_.gate.enabled) {
      if (!sync() && !core_.gate.enabled) wait_for_gate();
      if (passage.is_void()) return Outcome::kAborted;
    }
    const std::uint64_t closures = core_.gate.closures;
    const BusStatus status = access();
    if (passage.is_void()) return Outcome::kAborted;
    if (time_.ahead() == kTimeZero) tell();
    if (status == BusStatus::kOk) return Outcome::kDone;
    if (closures == core_.gate.closures) {
      ++bus_errors_;
      return Outcome::kFailed;
    }
  }
}

QueueEngine::Outcome QueueEngine::dma_read(std::uint64_t address, Bytes data) {
  if (settle_in_passage() == Outcome::kAborted) return Outcome::kAborted;
  const auto bytes = static_cast<std::uint32_t>(data.size());
  const std::uint8_t* memory =
      core_.gate.enabled ? master_.access_ahead(::tlm::TLM_READ_COMMAND, address, bytes) : nullptr;
  if (memory != nullptr) {
    std::memcpy(data.data(), memory, bytes);
    return time_.loosely_timed() && time_.due() ? catch_up() : Outcome::kDone;
  }
  return guarded([&] { return master_.read(address, data); });
}

QueueEngine::Outcome QueueEngine::dma_write(std::uint64_t address, ConstBytes data) {
  if (settle_in_passage() == Outcome::kAborted) return Outcome::kAborted;
  const auto bytes = static_cast<std::uint32_t>(data.size());
  std::uint8_t* memory =
      core_.gate.enabled ? master_.access_ahead(::tlm::TLM_WRITE_COMMAND, address, bytes) : nullptr;
  if (memory != nullptr) {
    std::memcpy(memory, data.data(), bytes);
    return time_.loosely_timed() && time_.due() ? catch_up() : Outcome::kDone;
  }
  return guarded([&] { return master_.write(address, data); });
}

}  // namespace e1000tlm::virtio
