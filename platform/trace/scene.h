#pragma once
/// What there is to be seen. No SystemC.

#include <algorithm>
#include <cstdint>
#include <vector>

#include "e1000tlm/pci/timing.h"
#include "e1000tlm/trace/event.h"

namespace e1000tlm::trace {

/// The boards of a run and their adapters.
struct Scene {
  /// By adapter, of all boards: its board.
  std::vector<std::uint16_t> board_of_nic;
  /// All buses.
  pci::BusSpeed bus{};
  /// Their arbiters.
  pci::ArbiterTiming arbiter{};
  /// Masters contend: accesses follow each other on the bus.
  bool approximately_timed = true;
};

/// The level of a transmit FIFO, by its events in the order of their times.
class TransmitLevel {
 public:
  /// What is in it from this event on.
  std::uint32_t operator()(const Event& event) {
    bytes_ = event.code == 0 ? event.bytes : bytes_ - std::min(bytes_, event.bytes);
    return bytes_;
  }

 private:
  std::uint32_t bytes_ = 0;
};

}  // namespace e1000tlm::trace
