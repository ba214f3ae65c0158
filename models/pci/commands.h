#pragma once
/// Which PCI command an 8254x uses for an access (manual 4.3). No SystemC.

#include <cstdint>

#include "e1000tlm/pci/timing.h"

namespace e1000tlm::pci {

/// What configuration software told a master about how to use the bus.
struct MasterSettings {
  unsigned width_bits = 64;       ///< of its data path; the bus may be narrower
  unsigned cache_line_bytes = 0;  ///< register 0Ch in bytes; usable are 16, 32, 64, 128
  bool write_invalidate = false;  ///< command register bit 4
  unsigned latency_timer = 0;     ///< register 0Dh: clocks
  /// PCI-X command register: bytes of one memory read request. 512, 1024, 2048, 4096.
  unsigned max_read_bytes = 512;

  bool operator==(const MasterSettings& o) const {
    return width_bits == o.width_bits && cache_line_bytes == o.cache_line_bytes &&
           write_invalidate == o.write_invalidate && latency_timer == o.latency_timer &&
           max_read_bytes == o.max_read_bytes;
  }
  bool operator!=(const MasterSettings& o) const { return !(*this == o); }
};

/// Is this a cache line size that the device works with (manual 4.2)?
constexpr bool usable_line(unsigned bytes) {
  return bytes == 16 || bytes == 32 || bytes == 64 || bytes == 128;
}

/// Manual table 4-8, by the cache line boundaries that `bytes` > 0 at `address` cross: two or more
/// Read Multiple; none and less than a line Read; else Read Line. Line sizes that are not usable
/// count as 32.
constexpr Command read_command(const MasterSettings& master, std::uint64_t address,
                               std::uint32_t bytes) {
  const std::uint64_t line = usable_line(master.cache_line_bytes) ? master.cache_line_bytes : 32;
  const std::uint64_t first = address & ~(line - 1), last = (address + bytes - 1) & ~(line - 1);
  if (last - first >= 2 * line) return Command::kMemoryReadMultiple;
  if (last == first && bytes < line) return Command::kMemoryRead;
  return Command::kMemoryReadLine;
}

/// Bytes that go with Memory Write and Invalidate: all whole lines if the access starts on a line
/// (manual 4.3.1). 0: Memory Write, to the end of the access or until the target disconnects; then
/// the command is chosen anew (4.3.1.2).
constexpr std::uint32_t write_invalidate_bytes(const MasterSettings& master, std::uint64_t address,
                                               std::uint32_t bytes) {
  const unsigned line = master.cache_line_bytes;
  if (!master.write_invalidate || !usable_line(line) || (address & (line - 1)) != 0) return 0;
  return bytes & ~(line - 1);
}

/// PCI-X knows commands for one dword, with byte enables, and for blocks of whole byte counts
/// (PCI-X 1.0b 2.4): Memory Read DWORD and Read Block (here Read Line, which has its code), Memory
/// Write Block (here Write and Invalidate).
constexpr Command pcix_command(bool write, std::uint64_t address, std::uint32_t bytes) {
  if (write) return Command::kMemoryWriteInvalidate;
  return address / 4 == (address + bytes - 1) / 4 ? Command::kMemoryRead : Command::kMemoryReadLine;
}

}  // namespace e1000tlm::pci
