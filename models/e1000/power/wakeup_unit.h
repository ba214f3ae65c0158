#pragma once
/// Wake-up: tests frames against the wake-up filters, and asks for power with PME# (manual 6.4).

#include <array>
#include <cstdint>
#include <functional>
#include <utility>

#include <systemc>

#include "e1000tlm/e1000/core.h"
#include "e1000tlm/e1000/power/wakeup_filter.h"
#include "e1000tlm/link/cable.h"
#include "e1000tlm/pci/function.h"

namespace e1000tlm::e1000 {

/// ACPI wake-up needs PME_En, the filters of WUFC and a receiver that is on; APM wake-up (WUC.APME)
/// finds magic packets with no driver at all. Both work in every power state; in D3 frames go no
/// further. Owns WUC's PME bits, which are PMCSR's, WUS, WUPL and WUPM.
class WakeupUnit : public sc_core::sc_module {
 public:
  /// `power_management`: off, there is no PME, only WUS tells (manual 5.6.7).
  WakeupUnit(const sc_core::sc_module_name& name, Core& core, bool power_management);

  /// The PCI function's PMCSR; null without PCI. Before the simulation starts.
  void connect(pci::PmeIf* pme) { pme_ = pme; }
  /// Called when software has written WUC. Before the simulation starts.
  void set_listener(std::function<void()> listener) { listener_ = std::move(listener); }

  /// In D3 nothing is received; see inspect().
  void set_asleep(bool asleep) { asleep_ = asleep; }
  bool asleep() const { return asleep_; }
  /// Some wake-up by frames is enabled.
  bool enabled() const { return core_.is_on(reg::kWuc, wuc::kApme | wuc::kPmeEn); }
  /// Frames have to be shown to inspect().
  bool active() const { return asleep_ || enabled(); }
  /// Frames are waited for: asleep, or with PME_En and the receiver on, as a driver leaves the card
  /// that suspends, before the system puts it into D3.
  bool watching() const;
  /// A match has been found whose frame has not completely arrived yet.
  bool pending() const { return pending_; }

  /// Tests a frame from the wire. A match shows at the frame's arrival.
  void inspect(const link::Arrival& arrival);
  void link_changed();
  /// Configuration software has written PMCSR.
  void pmcsr_changed(bool enabled, bool status);
  /// Forgets a match whose frame is still arriving.
  void reset();
  bool has_pmcsr() const { return pme_ != nullptr; }

 private:
  struct Match {
    std::uint32_t status = 0;  // WUS
    std::uint32_t length = 0;  // WUPL
    bool acpi = false;         // PME_En says whether PME# is asserted; else WUC.APMPME
    std::uint32_t stored = 0;  // bytes
    std::array<std::uint8_t, 128> bytes{};
  };

  void wuc_written(std::uint32_t index, std::uint32_t value);
  std::uint32_t acpi_filters() const;
  WakeupView view(std::uint32_t filters) const;
  void report();
  void request(bool acpi);

  Core& core_;
  const bool power_management_;
  pci::PmeIf* pme_ = nullptr;
  std::function<void()> listener_;
  bool asleep_ = false;
  bool pending_ = false;
  Match match_;  // the first one, while pending
  sc_core::sc_event arrived_;
};

}  // namespace e1000tlm::e1000
