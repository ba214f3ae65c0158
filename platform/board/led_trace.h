#pragma once
/// An adapter's LEDs as waveforms for a viewer such as GTKWave.

#include <fstream>
#include <string>

#include <systemc>

#include "e1000tlm/e1000/controller.h"

namespace e1000tlm::platform {

/// Writes a value change dump (IEEE 1364 clause 18) of the four outputs, led0 to led3, in
/// picoseconds. It wires them, so that the adapter has events for them: an LED that software makes
/// blink does so until the run is ended from outside.
class LedTrace : public sc_core::sc_module {
 public:
  /// Binds controller.led. Throws std::runtime_error naming a file that cannot be written.
  LedTrace(const sc_core::sc_module_name& name, e1000::Controller& controller,
           const std::string& path);

  /// Writes down when the run ended. Throws std::runtime_error naming the file if it is not
  /// complete.
  void finish();

 private:
  void header();
  void stamp();
  void changed();

  std::string path_;
  std::ofstream file_;
  sc_core::sc_vector<sc_core::sc_signal<bool>> levels_;
  Time stamped_ = kTimeZero;
};

}  // namespace e1000tlm::platform
