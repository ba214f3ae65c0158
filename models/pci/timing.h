#pragma once
/// PCI bus arithmetic: how many clocks a tenure takes. No SystemC.

#include <cstdint>
#include <gsl/span>
#include <optional>
#include <string_view>

#include "e1000tlm/tlm/time.h"

namespace e1000tlm::pci {

/// Electrical variant of the segment.
struct BusSpeed {
  unsigned width_bits = 32;    ///< 32 or 64
  Time clock = Time{30'000};   ///< 33 MHz: 30 ns; 66 MHz: 15 ns (PCI 2.3 4.2.3.1)
  bool pcix = false;           ///< PCI-X mode
  const char* name = "32/33";  ///< as find_bus_speed() takes it
};

/// The usual segments: "32/33", "32/66", "64/33", "64/66", and PCI-X "64/66x", "64/100x",
/// "64/133x".
gsl::span<const BusSpeed> bus_speeds();

/// The predefined speed of that name ("pcix66", "pcix100", "pcix133" name the PCI-X ones as well);
/// nullopt if there is none.
std::optional<BusSpeed> find_bus_speed(std::string_view name);

/// How a target answers (PCI 2.3 3.3; PCI-X 1.0b 2). The defaults are the "typical" host.
///
/// Boundaries are addresses at whose multiples the target disconnects a burst; 0: never. It can do
/// so only after a data phase (PCI-X: at an allowable disconnect boundary, every 128 bytes), so
/// they are rounded up to a multiple of that. Of those that concern a command the smallest counts.
struct TargetTiming {
  unsigned read_initial = 8;      ///< wait clocks before the first data phase of a read
  unsigned write_initial = 1;     ///< the same of a write; PCI-X: rounded up to pairs
  unsigned wait_per_data = 0;     ///< wait clocks in each data phase; PCI-X has none
  unsigned disconnect_bytes = 0;  ///< boundary for all commands

  unsigned read_wait_per_data = 0;      ///< more wait clocks in each data phase of reads
  unsigned write_wait_per_data = 0;     ///< the same of writes
  unsigned read_disconnect_bytes = 0;   ///< boundary for all reads
  unsigned write_disconnect_bytes = 0;  ///< boundary for all writes

  /// Conventional PCI: reads get their data in aligned blocks of `prefetch_bytes`, as a bridge
  /// fetches them from memory (a power of two, at least a data phase; 0: they do not). Before each
  /// block but the burst's first, for which `read_initial` is, come `prefetch_wait` wait clocks.
  unsigned prefetch_bytes = 0;
  /// Wait clocks before each further block.
  unsigned prefetch_wait = 0;

  /// Writes to memory go to a buffer of `posted_bytes` that memory takes them from, 64 bytes in
  /// `posted_drain`; a write for whose bytes there is no room waits for it before its first data
  /// phase. 0: there is always room.
  unsigned posted_bytes = 0;
  /// Time in which memory takes 64 of them.
  Time posted_drain{};

  /// Share of its time in which memory serves others (the processor), 0 to 95 %. In the mean all
  /// that waits for memory takes longer by 1 / (1 - share): initial and prefetch waits, delayed and
  /// split reads, the drain of posted writes.
  unsigned memory_busy_percent = 0;

  // Boundaries of single commands: what a host bridge prefetches for them. Not on PCI-X, where the
  // target is told the length beforehand.
  /// Boundary of Memory Read.
  unsigned memory_read_bytes = 0;
  /// Boundary of Memory Read Line.
  unsigned read_line_bytes = 0;
  /// Boundary of Memory Read Multiple.
  unsigned read_multiple_bytes = 0;
  unsigned memory_write_bytes = 0;  ///< not of Memory Write and Invalidate

  /// Conventional PCI, memory reads: above 0 they are delayed transactions (PCI 2.3 3.3.3.3). The
  /// target answers with Retry, `retry_after` clocks after the address phase, until the data is
  /// there, this long after the first attempt's address phase; then it waits `delayed_initial`
  /// clocks instead of `read_initial`. At most kLongestDelay.
  Time delayed_read{};
  /// See delayed_read.
  unsigned retry_after = 3;
  /// See delayed_read.
  unsigned delayed_initial = 1;

  /// PCI-X, memory reads (of functions: I/O reads, too): above 0 they are split. The request ends
  /// with Split Response; this long after its address phase the target asks for the bus to deliver
  /// the data. 0: immediate, with `read_initial`. At most kLongestDelay.
  Time split_latency = ns(120);  // as long as read_initial at 66 MHz
  /// PCI-X: clocks from the attribute phase to DEVSEL#: 1, 2, 3 for decode A, B, C.
  unsigned decode = 1;
};
/// A target that takes longer loses the transaction: 2^15 clocks of 33 MHz (PCI 2.3 3.3.3.3.3).
inline constexpr Time kLongestDelay = us(983);

/// What takes so long while memory is free, with that share of its time taken by others.
unsigned with_contention(unsigned clocks, unsigned busy_percent);
/// The same of a time.
Time with_contention(Time time, unsigned busy_percent);

/// Where GNT# rests while nobody asks for the bus (PCI 2.3 3.4.3).
enum class Parking : std::uint8_t {
  kNone,  ///< nowhere: every access to an idle bus pays request_to_grant
  kLast,  ///< at the master that had the bus last
  kHost,  ///< at the host bridge
};

/// How an arbiter grants the bus.
struct ArbiterTiming {
  /// Clocks from REQ# to the address phase on an idle bus. On a busy one they pass unnoticed.
  unsigned request_to_grant = 2;
  /// Where the idle bus is parked.
  Parking parking = Parking::kNone;
  unsigned parked_grant = 0;  ///< the same for a master at which the bus is parked
};

/// A host: how its arbiter and its bridge behave.
struct HostTiming {
  /// Its arbiter.
  ArbiterTiming arbiter{};
  /// Its bridge as a target of DMA.
  TargetTiming target{};
};

/// Commands on the bus (PCI 2.3 3.1.1).
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

/// Data goes from the master to the target.
constexpr bool is_write(Command command) {
  return command == Command::kIoWrite || command == Command::kMemoryWrite ||
         command == Command::kConfigWrite || command == Command::kMemoryWriteInvalidate;
}
/// 64-bit transfers exist for memory commands only (PCI 2.3 3.8).
constexpr bool is_memory(Command command) {
  return command != Command::kIoRead && command != Command::kIoWrite &&
         command != Command::kConfigRead && command != Command::kConfigWrite;
}

/// PCI-X bursts may only be disconnected at multiples of this (PCI-X 1.0b 2.3).
inline constexpr unsigned kAdbBytes = 128;

/// One tenure as its owner and the target would like it.
struct Tenure {
  /// Of its first byte.
  std::uint64_t address = 0;
  std::uint32_t bytes = 0;  ///< moved; 0: Retry, Split Response, master abort
  unsigned clocks = 0;      ///< from the address phase to the idle clock, both included
  unsigned lead = 0;        ///< of these, up to the first data phase
  unsigned stop_bytes = 4;  ///< it can be stopped at multiples of this only; a power of two
  bool last = false;        ///< of its access, if nothing stops it
};

/// When the data phases of a tenure are: each aligned 2^beat_shift bytes take `clocks` of which the
/// last one moves data; with blocks, further waits come before each aligned 2^block_shift bytes but
/// the first.
struct TenurePace {
  unsigned beat_shift = 2;   ///< log2 of the bytes of a data phase
  unsigned clocks = 1;       ///< of a data phase
  unsigned block_shift = 0;  ///< log2 of a prefetched block; 0: there are none
  unsigned block_wait = 0;   ///< clocks before each further block
};

/// What the tenures of one command cost, with everything that does not depend on address and length
/// worked out beforehand:
/// - PCI: 1 address phase (2 above 4 GiB) + 1 turnaround (reads) + initial wait + data phases, each
///   with its wait clocks, + 1 idle.
/// - PCI-X: 1 address phase (2 above 4 GiB) + 1 attribute phase + decode + initial wait + data
///   phases + 1 idle. Configuration: 4 more for IDSEL (PCI-X 1.0b 2.7.2.1). I/O and configuration
///   move 4 bytes a tenure.
/// A data phase carries what falls into one aligned bus width.
class TenurePrice {
 public:
  TenurePrice() = default;
  /// Of one command on this bus with this target.
  TenurePrice(const BusSpeed& bus, const TargetTiming& target, Command command);

  /// The first tenure of `bytes` > 0 at `address`, up to the target's boundary. `stop_bytes`: 0 for
  /// what the bus prescribes.
  Tenure tenure(std::uint64_t address, std::uint32_t bytes, unsigned stop_bytes = 0) const {
    Tenure tenure;
    tenure.address = address;
    tenure.bytes = boundary_ == 0 ? bytes : up_to_boundary(address, bytes);
    tenure.stop_bytes = stop_bytes > stop_ ? stop_bytes : stop_;
    tenure.lead = lead_ + ((address >> 32) != 0 ? 1 : 0);
    tenure.clocks = tenure.lead + beats(address, tenure.bytes) * clocks_per_beat_ + 1;
    if (block_shift_ != 0) tenure.clocks += static_cast<unsigned>(stalls(address, tenure.bytes));
    tenure.last = tenure.bytes == bytes;
    return tenure;
  }
  /// What is left of a tenure whose owner finds out `elapsed` clocks after its start that it has to
  /// stop. On PCI the data phase then under way was begun with FRAME# asserted, which says that
  /// another one follows and cannot be taken back (PCI 2.3 3.3.3.1, 3.5.4): that other one is the
  /// last, or the one that ends a line. Only who finds out in the address phase can make do with
  /// one.
  Tenure cut(const Tenure& tenure, std::uint64_t elapsed) const;

  /// All tenures of `bytes` at `address`, `extra` more clocks each.
  std::uint64_t clocks(std::uint64_t address, std::uint32_t bytes, unsigned extra) const {
    if (bytes == 0) return 0;
    const std::uint64_t last = address + bytes - 1;
    // Disconnect boundaries are multiples of the bus width, so splitting adds no data phases.
    const std::uint64_t beats = (last >> beat_shift_) - (address >> beat_shift_) + 1;
    const std::uint64_t tenures = boundary_ == 0 ? 1 : last / boundary_ - address / boundary_ + 1;
    const unsigned overhead = extra + lead_ + 1 + ((address >> 32) != 0 ? 1 : 0);
    return tenures * overhead + beats * clocks_per_beat_;
  }
  /// The same for bytes > 0 where the target has no boundary.
  std::uint64_t single(std::uint64_t address, std::uint32_t bytes) const {
    return lead_ + 1 + ((address >> 32) != 0 ? 1 : 0) + beats(address, bytes) * clocks_per_beat_ +
           (block_shift_ == 0 ? 0 : stalls(address, bytes));
  }
  /// Where the target disconnects; 0: nowhere.
  unsigned boundary() const { return boundary_; }
  /// When the data phases are.
  TenurePace pace() const { return {beat_shift_, clocks_per_beat_, block_shift_, block_wait_}; }
  /// clocks() is right: no waits but the first and equal ones.
  bool even() const { return block_shift_ == 0; }

 private:
  std::uint32_t up_to_boundary(std::uint64_t address, std::uint32_t bytes) const {
    const std::uint64_t room = boundary_ - address % boundary_;
    return bytes < room ? bytes : static_cast<std::uint32_t>(room);
  }
  /// Wait clocks for further blocks.
  std::uint64_t stalls(std::uint64_t address, std::uint32_t bytes) const {
    return (((address + bytes - 1) >> block_shift_) - (address >> block_shift_)) * block_wait_;
  }
  std::uint64_t begun(const Tenure& tenure, std::uint64_t in_data) const;
  unsigned beats(std::uint64_t address, std::uint32_t bytes) const {
    return static_cast<unsigned>(((address + bytes - 1) >> beat_shift_) - (address >> beat_shift_) +
                                 1);
  }

  unsigned beat_shift_ = 2;
  unsigned clocks_per_beat_ = 1;
  unsigned lead_ = 0;         // clocks before the first data phase
  unsigned boundary_ = 0;     // of the target, a multiple of the stop
  unsigned stop_ = 4;         // where a burst can end
  unsigned block_shift_ = 0;  // of prefetched blocks; 0: there are none
  unsigned block_wait_ = 0;
  unsigned promised_ = 1;  // data phases that follow the one under way when it has to end
};

/// Clocks of one access of `bytes` at `address` with this command: all its tenures, each with
/// arbitration, not parked. Nobody else wants the bus; reads are neither delayed nor split. 0
/// bytes: 0.
std::uint64_t access_clocks(const BusSpeed& bus, const TargetTiming& target,
                            const ArbiterTiming& arbiter, Command command, std::uint64_t address,
                            std::uint32_t bytes);

/// Clocks of a tenure that nobody claims: address phase, the clocks in which DEVSEL# could have
/// come (PCI: four, fast, medium, slow, subtractive, PCI 2.3 3.3.3.1; PCI-X: six), idle.
unsigned master_abort_clocks(bool pcix = false);

}  // namespace e1000tlm::pci
