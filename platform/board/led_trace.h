#pragma once
/// An adapter's LEDs, watched, and as waveforms for a viewer such as GTKWave.

#include <string>

#include <systemc>

#include "e1000tlm/board/vcd_file.h"
#include "e1000tlm/e1000/controller.h"
#include "e1000tlm/tlm/probe.h"

namespace e1000tlm::platform {

/// An LED has come on or gone out.
struct LedEvent {
  Time at;       ///< when
  unsigned led;  ///< 0 to 3
  bool lit;      ///< it has come on
};

/// Wires an adapter's four LED outputs, so that it has events for them: an LED that software makes
/// blink does so until the run is ended from outside.
class LedWatch : public sc_core::sc_module {
 public:
  /// Binds controller.led.
  LedWatch(const sc_core::sc_module_name& name, e1000::Controller& controller);
  /// Each change.
  Probe<LedEvent>& changes() { return changes_; }

 private:
  void changed();

  sc_core::sc_vector<sc_core::sc_signal<bool>> levels_;
  Probe<LedEvent> changes_;
};

/// Writes a value change dump of the four outputs, led0 to led3.
class LedTrace : public sc_core::sc_module {
 public:
  /// Throws std::runtime_error naming a file that cannot be written, or that another run uses. Its
  /// content stays until the simulation begins. Must outlive the run.
  LedTrace(const sc_core::sc_module_name& name, LedWatch& leds, const std::string& path);

  /// Writes down when the run ended. Throws std::runtime_error naming the file if it is not
  /// complete.
  void finish();

 private:
  void start_of_simulation() override;
  /// Errors in the midst of the run become a warning; finish() fails.
  template <class Action>
  void attempt(Action action);

  VcdFile file_;
  bool failed_ = false;
};

}  // namespace e1000tlm::platform
