#include "e1000tlm/report/summary.h"

#include <cmath>
#include <csignal>

namespace e1000tlm::platform {

LatencySummary LatencySummary::of(const traffic::Histogram& histogram) {
  const auto at = [&](double percent) {
    return Time{static_cast<std::int64_t>(histogram.percentile(percent))};
  };
  LatencySummary result;
  result.samples = histogram.count();
  result.min = Time{static_cast<std::int64_t>(histogram.min())};
  result.mean = Time{std::llround(histogram.mean())};
  result.p50 = at(50);
  result.p90 = at(90);
  result.p99 = at(99);
  result.p999 = at(99.9);
  result.max = Time{static_cast<std::int64_t>(histogram.max())};
  return result;
}

std::uint64_t NicSummary::accounted() const {
  std::uint64_t frames = driver_in.frames + mac_control_in;
  for (const auto& [reason, count] : lost) {
    if (reason.compare(0, 3, "rx_") == 0 || reason == "driver_errors") frames += count;
  }
  for (const auto& entry : filtered) frames += entry.second;
  return frames;
}

std::uint64_t RunSummary::losses() const {
  std::uint64_t sum = 0;
  const auto add = [&](const std::map<std::string, std::uint64_t>& counts) {
    for (const auto& entry : counts) sum += entry.second;
  };
  const auto add_both = [&](const auto& part) {
    add(part.lost);
    add(part.filtered);
  };
  for (const NicSummary& nic : nics) add_both(nic);
  for (const SwitchSummary& hub : switches) {
    for (const SwitchPortSummary& port : hub.ports) add_both(port);
  }
  return sum;
}

std::string signal_name(int signal) {
  switch (signal) {
    case SIGHUP: return "SIGHUP";
    case SIGINT: return "SIGINT";
    case SIGTERM: return "SIGTERM";
    default: return "signal " + std::to_string(signal);
  }
}

}  // namespace e1000tlm::platform
