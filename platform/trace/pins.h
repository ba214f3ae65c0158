#pragma once
/// Levels of an adapter's pins, for waveforms.

#include <functional>
#include <utility>
#include <vector>

#include <systemc>

#include "e1000tlm/board/nic_slot.h"
#include "e1000tlm/trace/event.h"

namespace e1000tlm::trace {

/// Watches LEDs (if it has any), link and PME# of one adapter, which then has events for them.
class PinWatch : public sc_core::sc_module {
 public:
  /// Called with each change.
  using Sink = std::function<void(Pin, Time, bool)>;
  /// Before simulation starts.
  PinWatch(const sc_core::sc_module_name& name, platform::NicSlot& slot, Sink sink);
  /// Watches this level, too; before simulation starts.
  void watch(Pin pin, const sc_core::sc_signal<bool>& level);

 private:
  void end_of_elaboration() override;

  platform::Card& card_;
  Sink sink_;
  sc_core::sc_signal<bool> pme_;
  std::vector<std::pair<Pin, const sc_core::sc_signal<bool>*>> levels_;
};

}  // namespace e1000tlm::trace
