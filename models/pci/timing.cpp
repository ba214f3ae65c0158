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

constexpr std::array<std::string_view, 6> kHosts{"ideal", "typical",  "slow",
                                                 "lines", "prefetch", "delayed"};

constexpr unsigned round_up(unsigned value, unsigned unit) {
  return (value + unit - 1) / unit * unit;
}

/// The smaller of two boundaries, where 0 is none.
constexpr unsigned nearer(unsigned a, unsigned b) {
  return a == 0 || b == 0 ? std::max(a, b) : std::min(a, b);
}

constexpr unsigned boundary_of(const TargetTiming& target, Command command) {
  switch (command) {
    case Command::kMemoryRead: return nearer(target.disconnect_bytes, target.memory_read_bytes);
    case Command::kMemoryReadLine: return nearer(target.disconnect_bytes, target.read_line_bytes);
    case Command::kMemoryReadMultiple:
      return nearer(target.disconnect_bytes, target.read_multiple_bytes);
    case Command::kMemoryWrite: return nearer(target.disconnect_bytes, target.memory_write_bytes);
    default: return target.disconnect_bytes;
  }
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

gsl::span<const std::string_view> host_timing_names() { return {kHosts.data(), kHosts.size()}; }

std::optional<HostTiming> find_host_timing(std::string_view name, const BusSpeed& bus) {
  HostTiming host;
  TargetTiming& target = host.target;
  if (name == "typical") return host;
  if (name == "ideal") {
    host.arbiter.request_to_grant = 0;
    target.read_initial = target.write_initial = 0;
    target.split_latency = kTimeZero;
    return host;
  }
  if (name == "slow") {
    target.read_initial = bus.clock < Time{30'000} ? 25 : 19;
    target.write_initial = 3;
    target.split_latency = bus.clock * static_cast<std::int64_t>(target.read_initial);
    return host;
  }
  if (name == "lines") {
    target.read_initial = 16;
    target.write_initial = 3;
    target.disconnect_bytes = 64;
    return host;
  }
  if (name == "prefetch" || name == "delayed") {
    target.memory_read_bytes = target.read_line_bytes = 64;
    target.read_multiple_bytes = 4096;
    target.disconnect_bytes = 4096;
    if (name == "delayed") target.delayed_read = ns(400);
    return host;
  }
  return std::nullopt;
}

std::optional<TargetTiming> find_target_timing(std::string_view name, const BusSpeed& bus) {
  const auto host = find_host_timing(name, bus);
  if (!host) return std::nullopt;
  return host->target;
}

TenurePrice::TenurePrice(const BusSpeed& bus, const TargetTiming& target, Command command)
    : beat_shift_(bus.width_bits == 64 && is_memory(command) ? 3 : 2), stop_(1u << beat_shift_) {
  const bool write = is_write(command);
  if (bus.pcix) {
    lead_ = kAddressPhase + kAttributePhase + target.decode +
            (write ? round_up(target.write_initial, 2) : target.read_initial) +
            (is_config(command) ? kIdselStepping : 0);
    stop_ = is_memory(command) ? kAdbBytes : kDword;
    promised_ = 0;
    boundary_ = is_memory(command) ? round_up(target.disconnect_bytes, kAdbBytes) : kDword;
    return;
  }
  clocks_per_beat_ = 1 + target.wait_per_data;
  lead_ = kAddressPhase + (write ? target.write_initial : kTurnaround + target.read_initial);
  boundary_ = round_up(boundary_of(target, command), stop_);
}

Tenure TenurePrice::tenure(std::uint64_t address, std::uint32_t bytes, unsigned stop_bytes) const {
  Tenure tenure;
  tenure.address = address;
  tenure.bytes = bytes;
  if (boundary_ != 0) {
    tenure.bytes =
        static_cast<std::uint32_t>(std::min<std::uint64_t>(bytes, boundary_ - address % boundary_));
  }
  tenure.stop_bytes = std::max(stop_bytes, stop_);
  tenure.lead = lead_ + ((address >> 32) != 0 ? kAddressPhase : 0);
  tenure.clocks = tenure.lead + beats(address, tenure.bytes) * clocks_per_beat_ + kIdle;
  tenure.last = tenure.bytes == bytes;
  return tenure;
}

Tenure TenurePrice::cut(const Tenure& tenure, std::uint64_t elapsed) const {
  if (elapsed >= tenure.clocks || tenure.bytes == 0) return tenure;
  const std::uint64_t in_data = elapsed > tenure.lead ? elapsed - tenure.lead : 0;
  const std::uint64_t begun = std::max<std::uint64_t>(
      1, clocks_per_beat_ == 1 ? in_data : (in_data + clocks_per_beat_ - 1) / clocks_per_beat_);
  const unsigned address_phases = kAddressPhase + tenure.lead - lead_;
  const std::uint64_t done = begun + (elapsed > address_phases ? promised_ : 0);
  const std::uint64_t reached = ((tenure.address >> beat_shift_) + done) << beat_shift_;
  const std::uint64_t stop =
      (reached + tenure.stop_bytes - 1) & ~(std::uint64_t{tenure.stop_bytes} - 1);
  const std::uint64_t moved = stop - tenure.address;
  if (moved >= tenure.bytes) return tenure;
  Tenure result = tenure;
  result.bytes = static_cast<std::uint32_t>(moved);
  result.clocks = tenure.lead + beats(tenure.address, result.bytes) * clocks_per_beat_ + kIdle;
  result.last = false;
  return result;
}

std::uint64_t access_clocks(const BusSpeed& bus, const TargetTiming& target,
                            const ArbiterTiming& arbiter, Command command, std::uint64_t address,
                            std::uint32_t bytes) {
  return TenurePrice(bus, target, command).clocks(address, bytes, arbiter.request_to_grant);
}

unsigned master_abort_clocks(bool pcix) {
  return kAddressPhase + (pcix ? kPcixDevselWindow : kDevselWindow) + kIdle;
}

}  // namespace e1000tlm::pci
