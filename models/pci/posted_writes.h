#pragma once
/// The buffer in which a host bridge keeps writes until memory takes them. No SystemC.

#include <algorithm>
#include <cstdint>

#include "e1000tlm/pci/timing.h"
#include "e1000tlm/tlm/time.h"

namespace e1000tlm::pci {

/// How full a buffer of TargetTiming::posted_bytes is, as time that its drain takes. Memory takes
/// bytes while others come in, so only what comes faster than it goes fills the buffer.
class PostedWrites {
 public:
  PostedWrites() = default;
  explicit PostedWrites(const TargetTiming& target)
      : drain_(with_contention(target.posted_drain, target.memory_busy_percent)),
        room_(time_for(target.posted_bytes)) {}

  /// How long a write of `bytes` has to wait before its first data phase, at `first`, so that its
  /// last byte finds room; without waits its data phases take `data`.
  Time wait(Time first, Time data, std::uint32_t bytes) const {
    const Time filled = std::max(drained_ - first, kTimeZero) + time_for(bytes) - data;
    return std::max(filled - room_, kTimeZero);
  }
  /// A write has been whose first data phase was at `first`.
  void take(Time first, std::uint32_t bytes) {
    drained_ = std::max(drained_, first) + time_for(bytes);
  }

 private:
  static constexpr std::int64_t kUnit = 64;  // bytes, of the drain
  Time time_for(std::uint32_t bytes) const { return drain_ * bytes / kUnit; }

  Time drain_{};
  Time room_{};
  Time drained_{};  // when memory has taken everything
};

}  // namespace e1000tlm::pci
