#pragma once
/// One measured run of a board, in a child process: a SystemC kernel elaborates once a process.

#include <cstdint>
#include <string>

namespace e1000tlm::bench {

struct Case {
  /// The last three are what e1000-sim does by default, with --app generate, blast and reflect (the
  /// built-in capture, again and again); but for size and accuracy.
  enum class Kind {
    kTransmit,
    kReceive,
    kForward,
    kRegisterRead,
    kSwitch,
    kDefaultGenerate,
    kDefaultBlast,
    kDefaultReflect
  };
  Kind kind = Kind::kTransmit;
  unsigned size = 64;  ///< bytes on the wire, with FCS
  bool loosely_timed = false;
  std::uint64_t count = 100'000;  ///< frames of all adapters (or register reads)
  /// Switch: adapters, each on a board of its own, in a ring in which each sends to the next. One
  /// alone sends to a partner that sends everything back.
  unsigned nics = 1;

  bool is_default() const { return kind >= Kind::kDefaultGenerate; }
};

struct Measured {
  double seconds = 0;  ///< of one core, bringing up the adapters not counted
  double simulated_seconds = 0;
  long peak_kib = 0;        ///< memory of the whole process
  std::uint64_t count = 0;  ///< frames that came through
};

/// Runs in this process, which can do so once.
Measured run(const Case& c);
/// Forks, runs, waits. Throws std::runtime_error if the child fails.
Measured measure(const Case& c);

}  // namespace e1000tlm::bench
