#include "e1000tlm/pci/timing.h"

#include <algorithm>
#include <array>
#include <utility>

namespace e1000tlm::pci {
namespace {

constexpr std::array<BusSpeed, 7> kSpeeds{{
    {32, Time{30'000}, false, "32/33"},
    {32, Time{15'000}, false, "32/66"},
    {64, Time{30'000}, false, "64/33"},
    {64, Time{15'000}, false, "64/66"},
    {64, Time{15'000}, true, "64/66x"},
    {64, Time{10'000}, true, "64/100x"},
    {64, Time{7'500}, true, "64/133x"},
}};

constexpr std::array<std::pair<std::string_view, std::string_view>, 3> kAliases{{
    {"pcix66", "64/66x"},
    {"pcix100", "64/100x"},
    {"pcix133", "64/133x"},
}};

constexpr unsigned kAddressPhase = 1;
constexpr unsigned kTurnaround = 1;
constexpr unsigned kIdle = 1;
constexpr unsigned kDevselWindow = 4;
constexpr unsigned kPcixDevselWindow = 6;
constexpr unsigned kAttributePhase = 1;
constexpr unsigned kIdselStepping = 4;
constexpr unsigned kDword = 4;

constexpr unsigned round_up(unsigned value, unsigned unit) {
  return (value + unit - 1) / unit * unit;
}

/// The smaller of two boundaries, where 0 is none.
constexpr unsigned nearer(unsigned a, unsigned b) {
  return a == 0 || b == 0 ? std::max(a, b) : std::min(a, b);
}

constexpr unsigned boundary_of(const TargetTiming& target, Command command) {
  const unsigned common =
      nearer(target.disconnect_bytes,
             is_write(command) ? target.write_disconnect_bytes : target.read_disconnect_bytes);
  switch (command) {
    case Command::kMemoryRead: return nearer(common, target.memory_read_bytes);
    case Command::kMemoryReadLine: return nearer(common, target.read_line_bytes);
    case Command::kMemoryReadMultiple: return nearer(common, target.read_multiple_bytes);
    case Command::kMemoryWrite: return nearer(common, target.memory_write_bytes);
    default: return common;
  }
}

constexpr unsigned log2(unsigned power) {
  unsigned shift = 0;
  while ((1u << shift) < power) ++shift;
  return shift;
}

constexpr bool is_config(Command command) {
  return command == Command::kConfigRead || command == Command::kConfigWrite;
}

}  // namespace

gsl::span<const BusSpeed> bus_speeds() { return {kSpeeds.data(), kSpeeds.size()}; }

std::optional<BusSpeed> find_bus_speed(std::string_view name) {
  for (const auto& [alias, proper] : kAliases) {
    if (name == alias) name = proper;
  }
  for (const BusSpeed& speed : kSpeeds) {
    if (name == speed.name) return speed;
  }
  return std::nullopt;
}

unsigned with_contention(unsigned clocks, unsigned busy_percent) {
  return (clocks * 100 + 99 - busy_percent) / (100 - busy_percent);
}
Time with_contention(Time time, unsigned busy_percent) { return time * 100 / (100 - busy_percent); }

TenurePrice::TenurePrice(const BusSpeed& bus, const TargetTiming& target, Command command)
    : beat_shift_(bus.width_bits == 64 && is_memory(command) ? 3 : 2), stop_(1u << beat_shift_) {
  const bool write = is_write(command);
  const unsigned busy = target.memory_busy_percent;
  const unsigned read_initial = with_contention(target.read_initial, busy);
  const unsigned write_initial = with_contention(target.write_initial, busy);
  if (bus.pcix) {
    lead_ = kAddressPhase + kAttributePhase + target.decode +
            (write ? round_up(write_initial, 2) : read_initial) +
            (is_config(command) ? kIdselStepping : 0);
    stop_ = is_memory(command) ? kAdbBytes : kDword;
    promised_ = 0;
    const unsigned boundary = nearer(target.disconnect_bytes, write ? target.write_disconnect_bytes
                                                                    : target.read_disconnect_bytes);
    boundary_ = is_memory(command) ? round_up(boundary, kAdbBytes) : kDword;
    return;
  }
  clocks_per_beat_ =
      1 + target.wait_per_data + (write ? target.write_wait_per_data : target.read_wait_per_data);
  lead_ = kAddressPhase + (write ? write_initial : kTurnaround + read_initial);
  boundary_ = round_up(boundary_of(target, command), stop_);
  if (!write && target.prefetch_bytes != 0 && target.prefetch_wait != 0) {
    block_shift_ = std::max(log2(target.prefetch_bytes), beat_shift_);
    block_wait_ = with_contention(target.prefetch_wait, busy);
  }
}

/// Data phases that have begun `in_data` clocks after the start of the first one.
std::uint64_t TenurePrice::begun(const Tenure& tenure, std::uint64_t in_data) const {
  if (block_shift_ == 0) {
    return clocks_per_beat_ == 1 ? in_data : (in_data + clocks_per_beat_ - 1) / clocks_per_beat_;
  }
  std::uint64_t done = 0;
  std::uint64_t beat = tenure.address >> beat_shift_;
  const unsigned shift = block_shift_ - beat_shift_;
  for (;;) {  // block by block; the wait belongs to the data phase behind it
    const std::uint64_t in_block = (((beat >> shift) + 1) << shift) - beat;
    const std::uint64_t wait = done == 0 ? 0 : block_wait_;
    if (in_data <= wait + in_block * clocks_per_beat_) {
      const std::uint64_t rest = in_data > wait ? in_data - wait : 0;
      return done + std::max<std::uint64_t>((rest + clocks_per_beat_ - 1) / clocks_per_beat_,
                                            in_data != 0 && done != 0 ? 1 : 0);
    }
    in_data -= wait + in_block * clocks_per_beat_;
    done += in_block;
    beat += in_block;
  }
}

Tenure TenurePrice::cut(const Tenure& tenure, std::uint64_t elapsed) const {
  if (elapsed >= tenure.clocks || tenure.bytes == 0) return tenure;
  const std::uint64_t in_data = elapsed > tenure.lead ? elapsed - tenure.lead : 0;
  const unsigned address_phases = kAddressPhase + ((tenure.address >> 32) != 0 ? 1 : 0);
  const std::uint64_t done = std::max<std::uint64_t>(1, begun(tenure, in_data)) +
                             (elapsed > address_phases ? promised_ : 0);
  const std::uint64_t reached = ((tenure.address >> beat_shift_) + done) << beat_shift_;
  const std::uint64_t stop =
      (reached + tenure.stop_bytes - 1) & ~(std::uint64_t{tenure.stop_bytes} - 1);
  const std::uint64_t moved = stop - tenure.address;
  if (moved >= tenure.bytes) return tenure;
  Tenure result = tenure;
  result.bytes = static_cast<std::uint32_t>(moved);
  result.clocks = tenure.lead + beats(tenure.address, result.bytes) * clocks_per_beat_ + kIdle;
  if (block_shift_ != 0) {
    result.clocks += static_cast<unsigned>(stalls(tenure.address, result.bytes));
  }
  result.last = false;
  return result;
}

std::uint64_t access_clocks(const BusSpeed& bus, const TargetTiming& target,
                            const ArbiterTiming& arbiter, Command command, std::uint64_t address,
                            std::uint32_t bytes) {
  const TenurePrice price(bus, target, command);
  std::uint64_t clocks = 0;
  while (bytes != 0) {
    const Tenure tenure = price.tenure(address, bytes);
    clocks += arbiter.request_to_grant + tenure.clocks;
    address += tenure.bytes;
    bytes -= tenure.bytes;
  }
  return clocks;
}

unsigned master_abort_clocks(bool pcix) {
  return kAddressPhase + (pcix ? kPcixDevselWindow : kDevselWindow) + kIdle;
}

}  // namespace e1000tlm::pci
