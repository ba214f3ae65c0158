#pragma once
/// PCI bus arithmetic: how many clocks a tenure takes. No SystemC.

#include <cstdint>

#include "models/tlm/time.h"

namespace e1000tlm::pci {

/// Electrical variant of the segment.
struct BusSpeed {
  unsigned width_bits = 32;      ///< 32 or 64
  Time clock = Time{30'000};     ///< 33 MHz: 30 ns; 66 MHz: 15 ns (PCI 2.3 4.2.3.1)
  bool pcix = false;
  const char* name = "32/33";
};

/// How a target answers (PCI 2.3 3.3): clocks.
struct TargetTiming {
  unsigned read_initial = 8;      ///< wait clocks before the first data phase of a read
  unsigned write_initial = 1;
  unsigned wait_per_data = 0;     ///< wait clocks before each further data phase
  unsigned disconnect_bytes = 0;  ///< target disconnects at multiples of this address; 0: never
};

struct ArbiterTiming {
  unsigned request_to_grant = 2;  ///< clocks from REQ# to the address phase on an idle bus
};

enum class Command : std::uint8_t {
  kIoRead, kIoWrite, kMemoryRead, kMemoryWrite, kConfigRead, kConfigWrite,
  kMemoryReadMultiple, kMemoryReadLine, kMemoryWriteInvalidate,
};

/// Clocks of one access of `bytes` at `address`, disconnects included, each resulting tenure as
/// arbitration + address phase + turnaround (reads) + initial wait + data phases + idle.
std::uint64_t access_clocks(const BusSpeed& bus, const TargetTiming& target,
                            const ArbiterTiming& arbiter, Command command, std::uint64_t address,
                            std::uint32_t bytes);

}  // namespace e1000tlm::pci
