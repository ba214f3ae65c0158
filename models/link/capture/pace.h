#pragma once
/// How fast a replay sends. No SystemC.

#include <cstdint>
#include <string>

#include "e1000tlm/tlm/time.h"

namespace e1000tlm::link {

struct Pace {
  enum class Kind : std::uint8_t {
    kRecorded,  ///< at the recorded times
    kLine,      ///< back to back, with the smallest gap
    kBits,      ///< `rate` bits per second, counted from destination address to FCS
    kFrames,    ///< `rate` frames per second
  };
  Kind kind = Kind::kRecorded;
  std::uint64_t rate = 0;

  /// "recorded", "line", or a rate: a decimal number, a prefix (none, k, M, G: powers of 1000) and
  /// a unit: bit/s or bps, frames/s or fps. Throws std::invalid_argument with the reason.
  static Pace parse(const std::string& text);
};

/// Adds up spans of units at a rate without losing fractions of picoseconds.
class RateClock {
 public:
  /// Precondition: units_per_second > 0.
  explicit RateClock(std::uint64_t units_per_second = 1) : rate_(units_per_second) {}
  /// How long the next `units` (up to 10 million) take.
  Time advance(std::uint64_t units);

 private:
  std::uint64_t rate_;
  std::uint64_t remainder_ = 0;  // in picoseconds times rate
};

}  // namespace e1000tlm::link
