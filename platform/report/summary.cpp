#include "e1000tlm/report/summary.h"

#include <cmath>

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

}  // namespace e1000tlm::platform
