#include "e1000tlm/virtio/interrupt_unit.h"

#include <algorithm>

namespace e1000tlm::virtio {

InterruptUnit::InterruptUnit(const sc_core::sc_module_name& name, NetCore& core)
    : sc_module(name), line("line"), core_(core) {
  SC_HAS_PROCESS(InterruptUnit);
  SC_METHOD(release);
  dont_initialize();
  sensitive << release_event_;
  SC_METHOD(drive);
  dont_initialize();
  sensitive << drive_event_;
}

void InterruptUnit::queue_used(unsigned queue) {
  const Time now = sc_now();
  if (earliest_[queue] <= now) {
    tell(queue, now);
    return;
  }
  held_ |= std::uint64_t{1} << queue;
  release_event_.notify(to_sc(earliest_[queue] - now));
}

void InterruptUnit::tell(unsigned queue, Time now) {
  earliest_[queue] = now + core_.config.timing.moderation;
  if (!core_.transport->running()) return;
  if (queue != core_.control_queue()) {
    NetPairCounters& pair = core_.pairs[queue / 2];
    ++(queue % 2 == 0 ? pair.rx_interrupts : pair.tx_interrupts);
  }
  if (core_.probes.interrupts.armed()) core_.probes.interrupts.emit({now, queue});
  core_.transport->queue_used(queue);
}

void InterruptUnit::release() {
  const Time now = sc_now();
  Time next = kTimeNever;
  for (std::uint64_t left = held_; left != 0; left &= left - 1) {
    const auto queue = static_cast<unsigned>(__builtin_ctzll(left));
    if (earliest_[queue] <= now) {
      forget(queue);
      tell(queue, now);
    } else {
      next = std::min(next, earliest_[queue]);
    }
  }
  if (next != kTimeNever) release_event_.notify(to_sc(next - now));
}

void InterruptUnit::reset() {
  held_ = 0;
  earliest_.fill(kTimeZero);
  release_event_.cancel();
}

void InterruptUnit::send_message(unsigned vector) {
  if (messages_ != nullptr) messages_->send_message(vector);
}

void InterruptUnit::set_level(bool asserted) {
  level_ = asserted;
  if (level_ != line_level_) drive_event_.notify(sc_core::SC_ZERO_TIME);
}

void InterruptUnit::drive() {
  if (level_ == line_level_) return;
  line_level_ = level_;
  line.write(level_);
}

}  // namespace e1000tlm::virtio
