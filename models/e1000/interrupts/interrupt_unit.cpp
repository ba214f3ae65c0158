#include "e1000tlm/e1000/interrupts/interrupt_unit.h"

#include <algorithm>

#include "e1000tlm/tlm/sc_time.h"

namespace e1000tlm::e1000 {

InterruptUnit::InterruptUnit(const sc_core::sc_module_name& name, RegisterBank& bank,
                             const PartInfo& part, const ControllerTiming& timing)
    : sc_module(name),
      line("line"),
      bank_(bank),
      part_(part),
      timing_(timing),
      known_(part.is_82544 ? cause::kAll82544 : cause::kAll) {
  bank_.on_read<&InterruptUnit::icr_read>(reg::kIcr, this);
  bank_.on_write<&InterruptUnit::icr_written>(reg::kIcr, this);
  bank_.on_write<&InterruptUnit::ics_written>(reg::kIcs, this);
  bank_.on_view<&InterruptUnit::ics_view>(reg::kIcs, this);
  bank_.on_write<&InterruptUnit::mask_written>(reg::kIms, this);
  bank_.on_write<&InterruptUnit::imc_written>(reg::kImc, this);
  bank_.on_write<&InterruptUnit::itr_written>(reg::kItr, this);
  SC_HAS_PROCESS(InterruptUnit);
  SC_METHOD(drive);
  dont_initialize();
  sensitive << drive_event_;
}

void InterruptUnit::set(std::uint32_t causes) {
  bank_[reg::kIcr] |= causes & known_;
  update();
}

void InterruptUnit::reset() {
  next_assertion_ = kTimeZero;
  update();
}

bool InterruptUnit::asserting() const {
  return assert_at_ != kTimeNever && assert_at_ - sc_now() <= timing_.interrupt_latency;
}

void InterruptUnit::icr_read(std::uint32_t) { update(); }
void InterruptUnit::icr_written(std::uint32_t, std::uint32_t) { update(); }
void InterruptUnit::ics_written(std::uint32_t, std::uint32_t value) { set(value); }
// The manual calls ICS write-only; real parts read back ICR without clearing it, and VxWorks relies
// on that.
std::uint32_t InterruptUnit::ics_view(std::uint32_t, std::uint32_t) const {
  return bank_[reg::kIcr];
}
void InterruptUnit::mask_written(std::uint32_t, std::uint32_t) { update(); }
void InterruptUnit::imc_written(std::uint32_t, std::uint32_t value) {
  bank_[reg::kIms] &= ~value;
  update();
}

/// Zero ends an interval that is running (manual 13.4.18); another value is that of the next one.
void InterruptUnit::itr_written(std::uint32_t, std::uint32_t value) {
  if ((value & 0xFFFF) != 0) return;
  next_assertion_ = kTimeZero;
  if (assert_at_ == kTimeNever) return;
  const Time now = sc_now();
  assert_at_ = std::min(assert_at_, now + timing_.interrupt_latency);
  drive_event_.notify(to_sc(assert_at_ - now));
}

void InterruptUnit::update() {
  if (!wanted()) {
    assert_at_ = kTimeNever;
    if (asserted_) {
      asserted_ = false;
      drive_event_.notify(sc_core::SC_ZERO_TIME);
    }
    return;
  }
  if (asserted_ || assert_at_ != kTimeNever) return;
  const Time now = sc_now();
  assert_at_ = std::max(now + timing_.interrupt_latency, next_assertion_);
  drive_event_.notify(to_sc(assert_at_ - now));
}

// The event may be early: it was meant for a fall, or for an assertion that was called off since.
void InterruptUnit::drive() {
  if (line_level_ && !asserted_) drive_line(false);
  if (assert_at_ == kTimeNever) return;
  const Time now = sc_now();
  if (now < assert_at_) {
    drive_event_.notify(to_sc(assert_at_ - now));
    return;
  }
  assert_at_ = kTimeNever;
  asserted_ = true;
  ++assertions_;
  // ITR counts 256 ns units from one assertion to the next (13.4.18); absent on the 82544.
  if (!part_.is_82544) {
    next_assertion_ = now + ns(256) * static_cast<std::int64_t>(bank_[reg::kItr] & 0xFFFF);
  }
  drive_line(true);
}

void InterruptUnit::drive_line(bool level) {
  line_level_ = level;
  line.write(level);
  if (probe.armed()) probe.emit({sc_now(), level, bank_[reg::kIcr]});
}

}  // namespace e1000tlm::e1000
