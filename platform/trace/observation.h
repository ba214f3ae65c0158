#pragma once
/// What the command line asks to see of a run, and the files it goes to.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "e1000tlm/board/board.h"
#include "e1000tlm/board/vcd_file.h"
#include "e1000tlm/report/summary.h"
#include "e1000tlm/tlm/output_file.h"
#include "e1000tlm/trace/history.h"
#include "e1000tlm/trace/recorder.h"
#include "e1000tlm/trace/settings.h"
#include "e1000tlm/trace/taps.h"

namespace e1000tlm::trace {

/// Nothing is attached where nothing is asked for.
class Observation {
 public:
  /// Opens the files, which keep their contents for now, and attaches to the board. Throws
  /// std::runtime_error naming a file that cannot be written or that another run uses.
  Observation(const Settings& settings, platform::Board& board);
  ~Observation();

  /// What earlier runs have written is out of date.
  void begin();
  /// After the run: what to know of what was recorded, a sentence each.
  std::vector<std::string> warnings() const;
  /// Writes the trace. Throws std::runtime_error.
  void write_trace();
  /// Writes the waves, and beside them a save file for GTKWave: FILE.gtkw for FILE.vcd. One that
  /// GTKWave has written is left alone. Throws std::runtime_error.
  void write_waves();
  /// Writes the report. Throws std::runtime_error.
  void write_report(const platform::RunSummary& summary);

 private:
  Settings settings_;
  std::optional<OutputFile> trace_, report_;
  std::optional<platform::VcdFile> waves_;
  std::unique_ptr<Recorder> recorder_;
  std::unique_ptr<History> history_;
  std::unique_ptr<Taps> taps_;
};

}  // namespace e1000tlm::trace
