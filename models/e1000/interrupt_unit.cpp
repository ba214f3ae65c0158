#include "models/e1000/interrupt_unit.h"

#include <algorithm>

#include "models/e1000/registers.h"
#include "models/tlm/sc_time.h"

namespace e1000tlm::e1000 {

InterruptUnit::InterruptUnit(const sc_core::sc_module_name& name, RegisterBank& bank,
                             const PartInfo& part, const ControllerTiming& timing)
    : sc_module(name), line("line"), bank_(bank), part_(part), timing_(timing) {
  bank_.on_read<&InterruptUnit::icr_read>(reg::kIcr, this);
  bank_.on_write<&InterruptUnit::icr_written>(reg::kIcr, this);
  bank_.on_write<&InterruptUnit::ics_written>(reg::kIcs, this);
  bank_.on_view<&InterruptUnit::ics_view>(reg::kIcs, this);
  bank_.on_write<&InterruptUnit::mask_written>(reg::kIms, this);
  bank_.on_write<&InterruptUnit::imc_written>(reg::kImc, this);
  SC_HAS_PROCESS(InterruptUnit);
  SC_METHOD(drive);
  dont_initialize();
  sensitive << drive_event_;
}

void InterruptUnit::set(std::uint32_t causes) {
  bank_[reg::kIcr] |= causes & (part_.is_82544 ? cause::kAll82544 : cause::kAll);
  update();
}

void InterruptUnit::reset() {
  next_assertion_ = kTimeZero;
  update();
}

bool InterruptUnit::pending() const { return wanted() != asserted_; }

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

bool InterruptUnit::wanted() const { return (bank_[reg::kIcr] & bank_[reg::kIms]) != 0; }

void InterruptUnit::update() {
  if (wanted() == asserted_) {
    if (scheduled_) {
      drive_event_.cancel();
      scheduled_ = false;
    }
    return;
  }
  if (scheduled_) return;
  scheduled_ = true;
  if (asserted_) {
    drive_event_.notify(sc_core::SC_ZERO_TIME);
    return;
  }
  const Time now = sc_now();
  const Time at = std::max(now + timing_.interrupt_latency, next_assertion_);
  drive_event_.notify(to_sc(at - now));
}

void InterruptUnit::drive() {
  scheduled_ = false;
  if (wanted() == asserted_) return;
  asserted_ = !asserted_;
  line.write(asserted_);
  if (asserted_) {
    ++assertions_;
    // ITR counts 256 ns units from one assertion to the next (13.4.18); absent on the 82544.
    if (!part_.is_82544) {
      next_assertion_ = sc_now() + ns(256) * static_cast<std::int64_t>(bank_[reg::kItr] & 0xFFFF);
    }
  }
  if (probe.armed()) probe.emit({sc_now(), asserted_, bank_[reg::kIcr]});
}

}  // namespace e1000tlm::e1000
