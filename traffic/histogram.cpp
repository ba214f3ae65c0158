#include "e1000tlm/traffic/histogram.h"

#include <algorithm>
#include <cmath>

namespace e1000tlm::traffic {

std::uint64_t Histogram::top(std::size_t bucket) {
  if (bucket < (std::size_t{2} << kLinearBits)) return bucket;
  const auto shift = static_cast<unsigned>(bucket >> kLinearBits) - 1;
  const std::uint64_t mantissa = bucket - (static_cast<std::size_t>(shift) << kLinearBits);
  return ((mantissa + 1) << shift) - 1;
}

std::uint64_t Histogram::percentile(double percent) const {
  if (count_ == 0) return 0;
  const double share = std::clamp(percent, 0.0, 100.0) / 100;
  const auto wanted = std::max<std::uint64_t>(
      1, static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(count_))));
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < buckets_.size(); ++i) {
    seen += buckets_[i];
    if (seen >= wanted) return std::clamp(top(i), min_, max_);
  }
  return max_;
}

void Histogram::merge(const Histogram& other) {
  for (std::size_t i = 0; i < buckets_.size(); ++i) buckets_[i] += other.buckets_[i];
  count_ += other.count_;
  sum_ += other.sum_;
  min_ = std::min(min_, other.min_);
  max_ = std::max(max_, other.max_);
}

}  // namespace e1000tlm::traffic
