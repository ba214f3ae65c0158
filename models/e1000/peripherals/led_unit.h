#pragma once
/// The LED outputs (manual 10.1, 13.4.7).

#include <cstdint>
#include <functional>

#include <systemc>

#include "e1000tlm/e1000/core.h"
#include "e1000tlm/e1000/peripherals/leds.h"

namespace e1000tlm::e1000 {

/// Works out what the LEDs show when somebody asks; that costs nothing in between. Where outputs
/// are bound it drives them as well and then has events of its own: at each edge of an LED that
/// blinks, and when activity ends. An LED that software makes blink does so for ever.
///
/// A sender that runs ahead of the kernel (loosely timed) shows as activity at most a quantum
/// early.
///
/// The 82544 has no LEDCTL; its four outputs are taken to show what LEDCTL's defaults say.
class LedUnit : public sc_core::sc_module {
 public:
  /// One LED: true = lit; may stay unbound.
  using Output =
      sc_core::sc_port<sc_core::sc_signal_inout_if<bool>, 1, sc_core::SC_ZERO_OR_MORE_BOUND>;
  /// All of them.
  using Outputs = sc_core::sc_vector<Output>;

  /// Made by the Controller.
  LedUnit(const sc_core::sc_module_name& name, Core& core);

  /// Where to drive the levels, if anywhere; the facade's ports. Before simulation starts.
  void connect(Outputs& outputs);
  /// When a PAUSE frame's time is over; the transmitter's.
  void set_pause_source(const std::function<Time()>& paused_until) { paused_until_ = paused_until; }
  /// Something that LEDs may show has changed.
  void update() {
    if (outputs_ != nullptr) update_event_.notify(sc_core::SC_ZERO_TIME);
  }

  /// What this LED, 0 to 3, is set to show.
  LedSetting setting(unsigned led) const { return led_setting(ledctl(), led); }
  /// Off, on or blinking.
  LedLight light(unsigned led) const;
  /// Lit at this moment.
  bool lit(unsigned led) const;

 private:
  std::uint32_t ledctl() const;
  void ledctl_written(std::uint32_t, std::uint32_t) { update(); }
  bool active(const LedSetting& setting) const;
  void drive();
  Time next_change(unsigned led) const;

  Core& core_;
  Outputs* outputs_ = nullptr;  // null while nobody looks
  std::function<Time()> paused_until_;
  sc_core::sc_event update_event_;
};

}  // namespace e1000tlm::e1000
