#pragma once
/// Makes a stream of valid UDP/IPv4 frames that a StreamChecker can account for. No SystemC.

#include <array>
#include <cstdint>
#include <random>
#include <string_view>

#include "e1000tlm/tlm/bytes.h"
#include "e1000tlm/tlm/time.h"
#include "e1000tlm/traffic/payload.h"
#include "e1000tlm/traffic/units.h"

namespace e1000tlm::traffic {

/// Which sizes frames have, in bytes from destination address to FCS (64..16114), as RFC 2544
/// counts.
class SizeMix {
 public:
  /// Throws std::invalid_argument when out of range.
  static SizeMix fixed(std::size_t wire_bytes);
  /// Simple IMIX: 7 frames of 64, 4 of 594, 1 of 1518 in a shuffled order; 353.8 bytes on average.
  static SizeMix imix();
  /// Evenly distributed, both ends included. Throws std::invalid_argument.
  static SizeMix uniform(std::size_t min_wire_bytes, std::size_t max_wire_bytes);
  /// "imix", "1518", "64-1518". Throws std::invalid_argument naming the text.
  static SizeMix parse(std::string_view text);

  /// Size of frame number `sequence`, without FCS; `random` is the stream's own generator.
  std::size_t draw(std::uint64_t sequence, std::mt19937_64& random) const;
  std::size_t largest() const { return max_; }  ///< with FCS

 private:
  enum class Kind : std::uint8_t { kFixed, kImix, kUniform };
  SizeMix(Kind kind, std::size_t min, std::size_t max) : kind_(kind), min_(min), max_(max) {}

  Kind kind_;
  std::size_t min_, max_;
};

struct GeneratorConfig {
  SizeMix sizes = SizeMix::imix();
  Rate rate{};
  std::uint64_t frames = 0;  ///< 0: endless
  std::uint64_t seed = 1;
  std::uint16_t stream = 0;
  std::array<std::uint8_t, 6> source{}, destination{};
};

/// One stream. Frame sizes, contents and due times follow from the configuration alone.
class FrameGenerator {
 public:
  explicit FrameGenerator(const GeneratorConfig& config);

  bool done() const { return config_.frames != 0 && sequence_ == config_.frames; }
  std::uint64_t sent() const { return sequence_; }
  std::uint64_t bytes_sent() const { return bytes_; }  ///< without FCS
  /// When the next frame is due, counted from the first; zero always for Rate::Kind::kLine.
  Time due() const { return pacer_.due(); }
  /// Size of the next frame without FCS.
  std::size_t size() const { return size_; }
  /// Writes the next frame (`out` holds at least size() bytes) with this time stamp and moves on.
  void write(std::uint8_t* out, Time stamp);

 private:
  GeneratorConfig config_;
  Pattern pattern_;
  Pacer pacer_;
  std::mt19937_64 random_;
  std::array<std::uint8_t, kStampOffset> header_{};
  std::uint64_t ip_sum_ = 0, udp_sum_ = 0;  // of what stays the same
  std::uint64_t sequence_ = 0;
  std::uint64_t bytes_ = 0;
  std::size_t size_ = 0;
};

}  // namespace e1000tlm::traffic
