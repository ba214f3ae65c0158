#pragma once
/// What there is to be seen. No SystemC.

#include <cstdint>
#include <vector>

#include "e1000tlm/e1000/packet_buffer/packet_buffer.h"
#include "e1000tlm/pci/timing.h"

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

/// What a frame with its FCS takes in a transmit FIFO.
constexpr std::uint32_t bytes_in_fifo(std::uint32_t wire_bytes) {
  constexpr std::uint32_t kFcs = 4;
  return e1000::fifo_bytes(wire_bytes - kFcs);
}

}  // namespace e1000tlm::trace
