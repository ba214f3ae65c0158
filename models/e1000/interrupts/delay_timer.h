#pragma once
/// The packet and absolute delay timers that moderate interrupts: RDTR with RADV, TIDV with TADV.

#include <cstdint>

#include <systemc>

#include "e1000tlm/e1000/probes.h"
#include "e1000tlm/tlm/time.h"

namespace e1000tlm::e1000 {

/// TIDV, TADV, RDTR and RADV count 1.024 us (manual 13.4.30, 13.4.41).
constexpr Time delay_units(std::uint32_t value) {
  return ns(1024) * static_cast<std::int64_t>(value & 0xFFFF);
}

/// One pair of timers. Each packet restarts the packet timer; the absolute timer runs from the
/// first packet. Whichever ends first expires both (manual 3.2.7.1, 3.3.3.1).
class DelayTimer : public sc_core::sc_module {
 public:
  explicit DelayTimer(const sc_core::sc_module_name& name);

  Probe<DelayEvent> probe;

  /// Notified when the pair expires.
  const sc_core::sc_event& expired_event() const { return expired_event_; }
  bool expired() const { return expired_; }
  void acknowledge() { expired_ = false; }

  /// A packet at local time `at`. `absolute` zero: no absolute timer. If the timers would have
  /// ended before `at` (the packet's process runs ahead of the kernel), they do so at their own
  /// time.
  void restart(Time at, Time packet, Time absolute);
  void cancel();
  bool running() const { return deadline_ != kTimeNever; }

 private:
  void tick();
  void announce(Time at, DelayEvent::What what) const {
    if (probe.armed()) probe.emit({at, what});
  }

  sc_core::sc_event tick_event_;
  sc_core::sc_event expired_event_;
  Time deadline_ = kTimeNever;   // of the pair
  Time absolute_ = kTimeNever;   // of the absolute timer
  Time scheduled_ = kTimeNever;  // when tick() runs next; never later than deadline_
  bool expired_ = false;
};

}  // namespace e1000tlm::e1000
