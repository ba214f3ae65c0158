#pragma once
/// What to see of a run. No SystemC.

#include <string>

#include "e1000tlm/trace/recorder.h"

namespace e1000tlm::trace {

/// As options say it.
struct Settings {
  /// File of --trace; empty: none.
  std::string trace;
  /// What goes there, and into waves.
  Keep keep{};
  /// File of --waves; empty: none.
  std::string waves;
  /// File of --report; empty: none.
  std::string report;
  /// The command line, for the report.
  std::string command;
};

/// The suffix of FILE says that a trace is to be in Perfetto's own format: .pftrace,
/// .perfetto-trace.
bool is_perfetto(const std::string& file);
/// "FROM..TO", times, of which one may be missing. Throws std::invalid_argument.
void parse_window(const std::string& text, Keep& keep);
/// A command line as a shell takes it.
std::string shell_command(int argc, const char* const* argv);

}  // namespace e1000tlm::trace
