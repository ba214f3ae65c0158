#pragma once
/// An adapter's LEDs as waveforms for a viewer such as GTKWave.

#include <string>

#include <systemc>

#include "e1000tlm/e1000/controller.h"
#include "e1000tlm/tlm/output_file.h"

namespace e1000tlm::platform {

/// Writes a value change dump (IEEE 1364 clause 18) of the four outputs, led0 to led3, in
/// picoseconds. It wires them, so that the adapter has events for them: an LED that software makes
/// blink does so until the run is ended from outside.
class LedTrace : public sc_core::sc_module {
 public:
  /// Binds controller.led. Throws std::runtime_error naming a file that cannot be written, or that
  /// another run uses. Its content stays until the simulation begins.
  LedTrace(const sc_core::sc_module_name& name, e1000::Controller& controller,
           const std::string& path);

  /// Writes down when the run ended. Throws std::runtime_error naming the file if it is not
  /// complete.
  void finish();

 private:
  void start_of_simulation() override;
  void header();
  void stamp();
  void write_level(char level, std::size_t led);
  /// Errors in the midst of the run become a warning; finish() fails.
  template <class Action>
  void attempt(Action action);
  void changed();

  OutputFile file_;
  bool failed_ = false;
  sc_core::sc_vector<sc_core::sc_signal<bool>> levels_;
  Time stamped_ = kTimeZero;
};

}  // namespace e1000tlm::platform
