#include "models/pci/timing.h"

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

AccessPrice::AccessPrice(const BusSpeed& bus, const TargetTiming& target,
                         const ArbiterTiming& arbiter, Command command)
    : beat_shift_(bus.width_bits == 64 && is_memory(command) ? 3 : 2),
      clocks_per_beat_(1 + target.wait_per_data),
      clock_ps_(bus.clock.count()) {
  overhead_ = arbiter.request_to_grant + kAddressPhase + kIdle;
  overhead_ += is_write(command) ? target.write_initial : kTurnaround + target.read_initial;
  const unsigned width = 1u << beat_shift_;
  disconnect_bytes_ = (target.disconnect_bytes + width - 1) & ~(width - 1);
}

std::uint64_t access_clocks(const BusSpeed& bus, const TargetTiming& target,
                            const ArbiterTiming& arbiter, Command command, std::uint64_t address,
                            std::uint32_t bytes) {
  return AccessPrice(bus, target, arbiter, command).clocks(address, bytes);
}

std::uint64_t master_abort_clocks(const ArbiterTiming& arbiter) {
  return arbiter.request_to_grant + kAddressPhase + kDevselWindow + kIdle;
}

}  // namespace e1000tlm::pci
