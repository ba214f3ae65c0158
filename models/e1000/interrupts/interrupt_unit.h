#pragma once
/// Interrupt causes, mask, throttling and the interrupt line (manual 3.2.7, 13.4.17 to 13.4.21).

#include <cstdint>

#include <systemc>

#include "e1000tlm/e1000/parts.h"
#include "e1000tlm/e1000/registers/registers.h"
#include "e1000tlm/e1000/timing.h"
#include "e1000tlm/tlm/probe.h"
#include "e1000tlm/tlm/register_bank.h"
#include "e1000tlm/tlm/time.h"

namespace e1000tlm::e1000 {

/// An edge of the interrupt line.
struct InterruptEvent {
  /// When.
  Time at;
  /// True: it was asserted; false: released.
  bool asserted;
  std::uint32_t causes;  ///< ICR at that moment
};

/// The one place that computes the line: ICR & IMS, held back by ITR.
class InterruptUnit : public sc_core::sc_module {
 public:
  InterruptUnit(const sc_core::sc_module_name& name, RegisterBank& bank, const PartInfo& part,
                const ControllerTiming& timing);

  sc_core::sc_out<bool> line;
  Probe<InterruptEvent> probe;

  /// Sets causes now.
  void set(std::uint32_t causes);
  /// Those of the causes that set() would change something about now.
  std::uint32_t unset(std::uint32_t causes) const { return causes & known_ & ~bank_[reg::kIcr]; }
  /// All causes and masks were reset.
  void reset();
  /// The line is about to follow, within the unit's own latency: not waiting for throttling.
  bool asserting() const;
  std::uint64_t assertions() const { return assertions_; }
  bool asserted() const { return line_level_; }
  /// An assertion is waiting for its latency or for the throttling interval to end.
  bool pending() const { return assert_at_ != kTimeNever || asserted_ != line_level_; }

 private:
  void icr_read(std::uint32_t index);
  void icr_written(std::uint32_t index, std::uint32_t value);
  void ics_written(std::uint32_t index, std::uint32_t value);
  std::uint32_t ics_view(std::uint32_t index, std::uint32_t stored) const;
  void mask_written(std::uint32_t index, std::uint32_t value);
  void imc_written(std::uint32_t index, std::uint32_t value);
  void itr_written(std::uint32_t index, std::uint32_t value);

  bool wanted() const { return (bank_[reg::kIcr] & bank_[reg::kIms]) != 0; }
  /// Causes or mask have changed: decides when the line is to follow.
  void update();
  /// SC_METHOD: makes the line follow; the only process that writes it.
  void drive();
  void drive_line(bool level);

  RegisterBank& bank_;
  const PartInfo& part_;
  const ControllerTiming& timing_;
  const std::uint32_t known_;  // causes that the part has
  sc_core::sc_event drive_event_;
  bool asserted_ = false;  // as decided; the line follows a delta cycle later
  bool line_level_ = false;
  Time assert_at_ = kTimeNever;      // an assertion waits for this time
  Time next_assertion_ = kTimeZero;  // earliest, by ITR
  std::uint64_t assertions_ = 0;
};

}  // namespace e1000tlm::e1000
