#pragma once
/// PCI bus arithmetic: how many clocks a tenure takes. No SystemC.

#include <cstdint>
#include <gsl/span>
#include <optional>
#include <string_view>

#include "models/tlm/time.h"

namespace e1000tlm::pci {

/// Electrical variant of the segment.
struct BusSpeed {
  unsigned width_bits = 32;   ///< 32 or 64
  Time clock = Time{30'000};  ///< 33 MHz: 30 ns; 66 MHz: 15 ns (PCI 2.3 4.2.3.1)
  bool pcix = false;
  const char* name = "32/33";
};

/// The usual segments: "32/33", "32/66", "64/33", "64/66", and PCI-X "64/66x", "64/100x",
/// "64/133x". Accesses on a PCI-X segment are priced with the conventional PCI formula at the
/// segment's clock: no attribute phase, no split transactions.
gsl::span<const BusSpeed> bus_speeds();

/// The predefined speed of that name ("pcix66", "pcix100", "pcix133" name the PCI-X ones as well);
/// nullopt if there is none.
std::optional<BusSpeed> find_bus_speed(std::string_view name);

/// How a target answers (PCI 2.3 3.3): clocks.
struct TargetTiming {
  unsigned read_initial = 8;  ///< wait clocks before the first data phase of a read
  unsigned write_initial = 1;
  unsigned wait_per_data = 0;  ///< wait clocks in each data phase
  /// Target disconnects at multiples of this address; 0: never. It can do so only after a data
  /// phase, so the boundary is rounded up to a multiple of the bus width.
  unsigned disconnect_bytes = 0;
};

struct ArbiterTiming {
  unsigned request_to_grant = 2;  ///< clocks from REQ# to the address phase on an idle bus
};

enum class Command : std::uint8_t {
  kIoRead,
  kIoWrite,
  kMemoryRead,
  kMemoryWrite,
  kConfigRead,
  kConfigWrite,
  kMemoryReadMultiple,
  kMemoryReadLine,
  kMemoryWriteInvalidate,
};

constexpr bool is_write(Command command) {
  return command == Command::kIoWrite || command == Command::kMemoryWrite ||
         command == Command::kConfigWrite || command == Command::kMemoryWriteInvalidate;
}
/// 64-bit transfers exist for memory commands only (PCI 2.3 3.8).
constexpr bool is_memory(Command command) {
  return command != Command::kIoRead && command != Command::kIoWrite &&
         command != Command::kConfigRead && command != Command::kConfigWrite;
}

/// The price of one kind of access, with everything that does not depend on address and length
/// worked out beforehand.
class AccessPrice {
 public:
  AccessPrice() = default;
  AccessPrice(const BusSpeed& bus, const TargetTiming& target, const ArbiterTiming& arbiter,
              Command command);

  std::uint64_t clocks(std::uint64_t address, std::uint32_t bytes) const {
    if (bytes == 0) return 0;
    const std::uint64_t last = address + bytes - 1;
    // Disconnect boundaries are multiples of the bus width, so splitting adds no data phases.
    const std::uint64_t beats = (last >> beat_shift_) - (address >> beat_shift_) + 1;
    const std::uint64_t tenures =
        disconnect_bytes_ == 0 ? 1 : last / disconnect_bytes_ - address / disconnect_bytes_ + 1;
    return tenures * overhead_ + beats * clocks_per_beat_;
  }
  Time time(std::uint64_t address, std::uint32_t bytes) const {
    return Time{static_cast<std::int64_t>(clocks(address, bytes)) * clock_ps_};
  }

 private:
  unsigned beat_shift_ = 2;
  unsigned clocks_per_beat_ = 1;
  unsigned overhead_ = 0;  // clocks of a tenure besides its data phases
  unsigned disconnect_bytes_ = 0;
  std::int64_t clock_ps_ = 0;
};

/// Clocks of one access of `bytes` at `address`, disconnects included, each resulting tenure as
/// arbitration + 1 address phase + 1 turnaround (reads) + initial wait + data phases, each with its
/// wait clocks, + 1 idle. A data phase carries what falls into one aligned bus width. 0 bytes: 0.
std::uint64_t access_clocks(const BusSpeed& bus, const TargetTiming& target,
                            const ArbiterTiming& arbiter, Command command, std::uint64_t address,
                            std::uint32_t bytes);

/// Clocks of a tenure that nobody claims: arbitration, address phase, four clocks in which DEVSEL#
/// could have come (fast, medium, slow, subtractive), idle (PCI 2.3 3.3.3.1).
std::uint64_t master_abort_clocks(const ArbiterTiming& arbiter);

}  // namespace e1000tlm::pci
