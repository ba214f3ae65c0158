#include "e1000tlm/link/filter/impairment.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>

namespace e1000tlm::link {
namespace {

/// What a draw is for; fixed, as the same seed is to mean the same frames for ever.
enum Purpose : unsigned {
  kForLoss,
  kForState,
  kForBurst,
  kForCorruption,
  kForBit,
  kForDuplicate,
  kForReorder,
  kForJitter,  // and those after it
};

constexpr unsigned kFractionBits = 53;  // of a double
constexpr Time kLongestDelay = ms(100'000);
constexpr std::uint64_t kPicoseconds = 1'000'000'000'000;

/// The mixing function of SplitMix64 (G. Steele, D. Lea, C. Flood 2014).
constexpr std::uint64_t mix(std::uint64_t z) {
  z += 0x9E37'79B9'7F4A'7C15U;
  z = (z ^ (z >> 30)) * 0xBF58'476D'1CE4'E5B9U;
  z = (z ^ (z >> 27)) * 0x94D0'49BB'1331'11EBU;
  return z ^ (z >> 31);
}

/// In [0, 1).
double fraction(std::uint64_t bits) {
  return std::ldexp(static_cast<double>(bits >> (64 - kFractionBits)),
                    -static_cast<int>(kFractionBits));
}

/// Whole nanoseconds, so that it does not matter how exactly a machine's library rounds.
Time scaled(Time unit, double factor) { return ns(std::llround(unit.count() * factor / 1e3)); }

void check_chance(const char* name, double value) {
  if (value >= 0 && value <= 1) return;
  throw std::invalid_argument(std::string(name) + ": expected a chance from 0 to 1");
}

void check_time(const char* name, Time value) {
  if (value >= kTimeZero && value <= kLongestDelay) return;
  throw std::invalid_argument(std::string(name) + ": expected 0 to 100s");
}

}  // namespace

void Impairment::check(const ImpairConfig& config) {
  check_chance("loss", config.loss);
  check_chance("corrupt", config.corrupt);
  check_chance("duplicate", config.duplicate);
  check_chance("reorder", config.reorder);
  if (config.burst) {
    for (const double value : {config.burst->fail, config.burst->recover, config.burst->loss_bad,
                               config.burst->loss_good}) {
      check_chance("burst", value);
    }
  }
  check_time("delay", config.delay);
  check_time("jitter", config.jitter);
  check_time("wait", config.wait);
  if (config.depth == 0) throw std::invalid_argument("depth: expected 1 or more");
  std::uint64_t last = 0;
  for (const FrameRange& range : config.lose) {
    if (range.first <= last || range.last < range.first) {
      throw std::invalid_argument("lose: expected ascending numbers of frames, from 1");
    }
    last = range.last;
  }
}

Impairment::Impairment(const ImpairConfig& config, unsigned stream)
    : config_(config), stream_(stream) {
  check(config_);
}

void Impairment::change(const ImpairConfig& config) {
  check(config);
  config_ = config;
  if (!config_.burst) bad_ = false;
}

std::uint64_t Impairment::draw(std::uint64_t frame, unsigned purpose) const {
  return mix(mix(mix(config_.seed) + (std::uint64_t{stream_} << 32 | purpose)) + frame);
}

bool Impairment::chance(double probability, std::uint64_t frame, unsigned purpose) const {
  if (probability <= 0) return false;
  return fraction(draw(frame, purpose)) < probability;
}

/// Every kind of loss is decided, so that one does not change the other; the first counts.
std::optional<ImpairLoss> Impairment::loss_of(std::uint64_t frame) {
  std::optional<ImpairLoss> lost;
  if (config_.burst) {
    const GilbertElliott& burst = *config_.burst;
    if (chance(bad_ ? burst.recover : burst.fail, frame, kForState)) bad_ = !bad_;
    if (chance(bad_ ? burst.loss_bad : burst.loss_good, frame, kForBurst)) {
      lost = ImpairLoss::kBurst;
    }
  }
  if (chance(config_.loss, frame, kForLoss)) lost = ImpairLoss::kLoss;
  const auto chosen = [&](const FrameRange& r) { return frame >= r.first && frame <= r.last; };
  if (std::any_of(config_.lose.begin(), config_.lose.end(), chosen)) lost = ImpairLoss::kChosen;
  return lost;
}

/// Passes the frame through a line of the configured rate. False: it finds no room.
bool Impairment::shape(Time& start, std::size_t wire_bytes, Speed speed) {
  if (config_.rate == 0) return true;
  const std::size_t bytes = kPreambleBytes + wire_bytes + kInterFrameGapBytes;
  if (free_ <= start) {
    free_ = start;
    carry_ = 0;
  }
  const double waiting =
      static_cast<double>((free_ - start).count()) / 8e12 * static_cast<double>(config_.rate);
  if (free_ > start &&
      waiting + static_cast<double>(wire_bytes) > static_cast<double>(config_.queue_bytes)) {
    return false;
  }
  const std::uint64_t work = bytes * 8 * kPicoseconds + carry_;
  free_ += Time{static_cast<std::int64_t>(work / config_.rate)};
  carry_ = work % config_.rate;
  // Its last bit leaves the slow line then; on the wire it is as fast as any other.
  start = std::max(start, free_ - byte_time(speed) * static_cast<std::int64_t>(bytes));
  return true;
}

/// How late a frame is.
Time Impairment::late(std::uint64_t frame) const {
  if (config_.jitter == kTimeZero) return config_.delay;
  double factor = 0;
  switch (config_.distribution) {
    case JitterKind::kUniform: factor = 2 * fraction(draw(frame, kForJitter)) - 1; break;
    case JitterKind::kNormal:
      factor = -6;
      for (unsigned i = 0; i < 12; ++i) factor += fraction(draw(frame, kForJitter + i));
      break;
    case JitterKind::kExponential: factor = -std::log(1 - fraction(draw(frame, kForJitter))); break;
    case JitterKind::kPareto: {
      // Lomax: mean 1/(shape-1) = 1/2, so twice that.
      factor = 2 * (1 / std::cbrt(1 - fraction(draw(frame, kForJitter))) - 1);
      break;
    }
  }
  return std::max(kTimeZero, config_.delay + scaled(config_.jitter, factor));
}

Impairment::Verdict Impairment::decide(Time start, std::size_t wire_bytes, Speed speed) {
  const std::uint64_t frame = ++statistics_.frames;
  Verdict verdict;
  verdict.start = start;
  if (start >= config_.from && start < config_.until) {
    verdict.lost = loss_of(frame);
    if (!verdict.lost && !shape(verdict.start, wire_bytes, speed)) {
      verdict.lost = ImpairLoss::kRate;
    }
    if (verdict.lost) {
      lose(*verdict.lost);
      return verdict;
    }
    if (chance(config_.corrupt, frame, kForCorruption)) {
      verdict.inverted_bit = draw(frame, kForBit) % (wire_bytes * 8);
      ++statistics_.corrupted;
    }
    verdict.twice = chance(config_.duplicate, frame, kForDuplicate);
    verdict.aside = chance(config_.reorder, frame, kForReorder);
    verdict.start += late(frame);
    statistics_.duplicated += verdict.twice ? 1 : 0;
    statistics_.set_aside += verdict.aside ? 1 : 0;
  }
  if (!config_.overtake) verdict.start = std::max(verdict.start, last_out_);
  last_out_ = verdict.start;
  statistics_.delayed += verdict.start > start ? 1 : 0;
  return verdict;
}

}  // namespace e1000tlm::link
