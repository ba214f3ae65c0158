#include "e1000tlm/traffic/checker.h"

#include <cstring>

namespace e1000tlm::traffic {

std::optional<std::uint16_t> stream_of(ConstBytes frame) {
  if (frame.size() < kMinBytes) return std::nullopt;
  const std::uint8_t* f = frame.data();
  if (load_be16(f + 12) != 0x0800 || f[kIpOffset + 9] != 17 ||
      load_be16(f + kUdpOffset + 2) != kDiscardPort || load_be16(f + kStampOffset) != kMagic) {
    return std::nullopt;
  }
  return load_be16(f + kStampOffset + 2);
}

StreamChecker::StreamChecker(std::uint64_t seed, std::uint16_t stream)
    : pattern_(seed), stream_(stream), seen_(kWindow) {}

bool StreamChecker::intact(ConstBytes frame, std::uint32_t sequence) const {
  const std::uint8_t* f = frame.data();
  const std::size_t size = frame.size();
  if (size > kMaxBytes || load_be16(f + kIpOffset + 2) != size - kIpOffset ||
      load_be16(f + kUdpOffset + 4) != size - kUdpOffset ||
      fold(word_sum(f + kIpOffset, 20)) != 0xFFFF) {
    return false;
  }
  const std::size_t fill = size - kFillOffset;
  if (std::memcmp(f + kFillOffset, pattern_.filler(sequence), fill) != 0) return false;
  // The filler is as sent, so its known sum stands for it.
  const std::uint64_t sum = word_sum(f + kIpOffset + 12, 8) + 17 + (size - kUdpOffset) +
                            word_sum(f + kUdpOffset, kFillOffset - kUdpOffset) +
                            pattern_.sum(sequence, fill);
  return fold(sum) == 0xFFFF;
}

StreamChecker::Verdict StreamChecker::classify(std::uint32_t sequence) {
  const auto ahead = static_cast<std::int32_t>(sequence - next_);
  if (ahead >= 0) {
    // The window moves on; what it newly covers has not been seen yet.
    for (std::uint32_t s = next_; s != sequence && s - next_ < kWindow; ++s) {
      seen_[s % kWindow] = false;
    }
    seen_[sequence % kWindow] = true;
    next_ = sequence + 1;
    return Verdict::kGood;
  }
  if (next_ - sequence > kWindow || seen_[sequence % kWindow]) {
    return Verdict::kDuplicate;
  }
  seen_[sequence % kWindow] = true;
  return Verdict::kReordered;
}

StreamChecker::Verdict StreamChecker::check(ConstBytes frame, Time now) {
  const auto stream = stream_of(frame);
  if (!stream || *stream != stream_) {
    ++foreign_;
    return Verdict::kForeign;
  }
  const std::uint8_t* stamp = frame.data() + kStampOffset;
  const std::uint32_t sequence = load_be32(stamp + 4);
  if (!intact(frame, sequence)) {
    ++corrupt_;
    return Verdict::kCorrupt;
  }
  const Verdict verdict = classify(sequence);
  if (verdict == Verdict::kDuplicate) {
    ++duplicates_;
    return verdict;
  }
  ++(verdict == Verdict::kGood ? good_ : reordered_);
  bytes_ += static_cast<std::uint64_t>(frame.size());
  const Time sent{static_cast<std::int64_t>((std::uint64_t{load_be32(stamp + 8)} << 32) |
                                            load_be32(stamp + 12))};
  latency_.record(now > sent ? static_cast<std::uint64_t>((now - sent).count()) : 0);
  return verdict;
}

}  // namespace e1000tlm::traffic
