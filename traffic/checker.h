#pragma once
/// Accounts for a generated stream at its far end. No SystemC.

#include <cstdint>
#include <optional>
#include <vector>

#include "e1000tlm/tlm/bytes.h"
#include "e1000tlm/tlm/time.h"
#include "e1000tlm/traffic/histogram.h"
#include "e1000tlm/traffic/payload.h"

namespace e1000tlm::traffic {

/// The stream number of a generated frame (by port and magic); nullopt for anything else.
std::optional<std::uint16_t> stream_of(ConstBytes frame);

/// Checks what arrives of one stream: every byte, order, duplicates, delay. Loss follows from the
/// number sent. A frame more than 65536 behind the newest cannot be told
/// from a duplicate and counts as one.
class StreamChecker {
 public:
  /// Seed and stream as given to the generator.
  StreamChecker(std::uint64_t seed, std::uint16_t stream);

  enum class Verdict : std::uint8_t { kGood, kReordered, kDuplicate, kCorrupt, kForeign };
  /// `frame` without FCS; `now` - its time stamp is the latency. O(size), no allocation.
  Verdict check(ConstBytes frame, Time now);

  std::uint64_t received() const { return good_ + reordered_; }  ///< distinct and intact
  std::uint64_t bytes() const { return bytes_; }                 ///< of those, without FCS
  std::uint64_t reordered() const { return reordered_; }
  std::uint64_t duplicates() const { return duplicates_; }
  std::uint64_t corrupt() const { return corrupt_; }
  std::uint64_t foreign() const { return foreign_; }
  /// Of `sent` frames, how many never arrived intact.
  std::uint64_t lost(std::uint64_t sent) const { return sent > received() ? sent - received() : 0; }
  /// In ps.
  const Histogram& latency() const { return latency_; }

 private:
  static constexpr std::uint32_t kWindow = 65536;

  bool intact(ConstBytes frame, std::uint32_t sequence) const;
  Verdict classify(std::uint32_t sequence);

  Pattern pattern_;
  std::uint16_t stream_;
  std::vector<bool> seen_;  // by sequence modulo kWindow, for the last kWindow before next_
  std::uint32_t next_ = 0;
  std::uint64_t good_ = 0, reordered_ = 0, duplicates_ = 0, corrupt_ = 0, foreign_ = 0, bytes_ = 0;
  Histogram latency_;
};

}  // namespace e1000tlm::traffic
