#pragma once
/// Levels of an adapter's pins, for waveforms.

#include <functional>

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

 private:
  void end_of_elaboration() override;
  void link_changed();
  void pme_changed();

  platform::Card& card_;
  Sink sink_;
  sc_core::sc_signal<bool> pme_;
};

}  // namespace e1000tlm::trace
