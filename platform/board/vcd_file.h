#pragma once
/// Waveforms for viewers such as GTKWave: value change dumps. No SystemC.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "e1000tlm/tlm/output_file.h"
#include "e1000tlm/tlm/time.h"

namespace e1000tlm::platform {

/// A value change dump (IEEE 1364 clause 18) in picoseconds: first the signals, then their changes
/// in the order of time. All members throw as OutputFile does.
class VcdFile {
 public:
  /// A signal, by the order of declaration.
  using Signal = std::size_t;
  /// `what` is said of the file in messages. It keeps its contents for now.
  VcdFile(const std::string& what, const std::string& path) : file_(what, path) {}

  /// Former contents are given up.
  void begin() { file_.begin(); }
  /// Signals that follow are inside; may be nested.
  void open_scope(std::string_view name);
  /// The scope opened last ends.
  void close_scope();
  /// Another signal, 1 to 64 bits. At first it is 0, or undriven ('z'), or with `high` 1.
  Signal declare(std::string_view name, unsigned bits, bool floats = false, bool high = false);
  /// All signals are known: what they are at first, at this time.
  void start(Time at);

  /// Changes a signal, unless it has that value already. Never earlier than the change before.
  void set(Signal signal, Time at, std::uint64_t value);
  /// It is driven with something that is not known ('x').
  void set_unknown(Signal signal, Time at) { fill(signal, at, 'x'); }
  /// Nobody drives it ('z').
  void set_floating(Signal signal, Time at) { fill(signal, at, 'z'); }
  /// The dump ends at this time.
  void close(Time at);

 private:
  struct Wire {
    std::string code;
    unsigned bits;
    char filled;          // 'x', 'z'; 0: it has a value
    std::uint64_t value;  // if it has
  };
  void fill(Signal signal, Time at, char with);
  void stamp(Time at);
  void write(const Wire& wire);

  OutputFile file_;
  std::vector<Wire> wires_;
  Time now_{};
  bool headed_ = false;
};

}  // namespace e1000tlm::platform
