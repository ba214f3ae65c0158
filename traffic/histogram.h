#pragma once
/// Distribution of a quantity over many orders of magnitude, in fixed memory.

#include <array>
#include <cstddef>
#include <cstdint>

namespace e1000tlm::traffic {

/// Log-linear buckets: exact below 128, then 64 buckets per power of two, so that every percentile
/// is at most 1/64 above the true value. record() is O(1) and never allocates.
class Histogram {
 public:
  void record(std::uint64_t value) {
    ++buckets_[bucket(value)];
    ++count_;
    sum_ += static_cast<double>(value);
    if (value < min_) min_ = value;
    if (value > max_) max_ = value;
  }

  std::uint64_t count() const { return count_; }
  std::uint64_t min() const { return count_ == 0 ? 0 : min_; }
  std::uint64_t max() const { return max_; }
  double mean() const { return count_ == 0 ? 0 : sum_ / static_cast<double>(count_); }
  /// Smallest recorded magnitude that `percent` (0..100) of all values do not exceed, rounded up to
  /// its bucket's top but never beyond max(). 0 when nothing was recorded.
  std::uint64_t percentile(double percent) const;
  void merge(const Histogram& other);

 private:
  static constexpr unsigned kLinearBits = 6;  // 64 buckets per power of two
  static constexpr std::size_t kBuckets = std::size_t{64 - kLinearBits + 1} << kLinearBits;

  static std::size_t bucket(std::uint64_t value) {
    if (value < (std::uint64_t{2} << kLinearBits)) return static_cast<std::size_t>(value);
    const unsigned msb = 63U - static_cast<unsigned>(__builtin_clzll(value));
    const unsigned shift = msb - kLinearBits;
    return (static_cast<std::size_t>(shift) << kLinearBits) +
           static_cast<std::size_t>(value >> shift);
  }
  static std::uint64_t top(std::size_t bucket);

  std::array<std::uint64_t, kBuckets> buckets_{};
  std::uint64_t count_ = 0;
  double sum_ = 0;
  std::uint64_t min_ = ~std::uint64_t{0};
  std::uint64_t max_ = 0;
};

}  // namespace e1000tlm::traffic
