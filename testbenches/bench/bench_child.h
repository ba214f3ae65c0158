#pragma once
/// One measured run of a board, in a child process: a SystemC kernel elaborates once a process.

#include <cstdint>
#include <string>

namespace e1000tlm::bench {

struct Case {
  enum class Kind { kTransmit, kReceive, kForward, kRegisterRead };
  Kind kind = Kind::kTransmit;
  unsigned size = 64;  ///< bytes on the wire, with FCS
  bool loosely_timed = false;
  std::uint64_t count = 100'000;  ///< frames (or register reads)
};

struct Measured {
  double wall_seconds = 0;
  double simulated_seconds = 0;
  std::uint64_t count = 0;  ///< frames that came through
};

/// Forks, runs, waits. Throws std::runtime_error if the child fails.
Measured measure(const Case& c);

}  // namespace e1000tlm::bench
