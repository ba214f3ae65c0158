#pragma once
/// Arithmetic of the Ethernet wire, and what link partners tell each other. No SystemC.

#include <cstdint>
#include <optional>

#include "e1000tlm/tlm/time.h"

namespace e1000tlm::link {

/// 10, 100 or 1000 Mbit/s.
enum class Speed : std::uint8_t { k10 = 0, k100 = 1, k1000 = 2 };

/// Time of eight bits on the wire.
constexpr Time byte_time(Speed speed) {
  return speed == Speed::k1000 ? ns(8) : speed == Speed::k100 ? ns(80) : ns(800);
}
/// As a number.
constexpr std::uint64_t bits_per_second(Speed speed) {
  return speed == Speed::k1000 ? 1'000'000'000 : speed == Speed::k100 ? 100'000'000 : 10'000'000;
}
inline constexpr std::size_t kPreambleBytes = 8;  ///< with start-of-frame delimiter
/// Shortest gap between two frames.
inline constexpr std::size_t kInterFrameGapBytes = 12;

/// Preamble to end of FCS; `wire_bytes` counts destination address to FCS.
constexpr Time serialisation(std::size_t wire_bytes, Speed speed) {
  return byte_time(speed) * static_cast<std::int64_t>(kPreambleBytes + wire_bytes);
}

/// What one end of a cable can do (IEEE 802.3 clause 28 and 40 base and next pages).
struct Abilities {
  /// 10 Mbit/s, half duplex.
  bool half_10 = false;
  /// 10 Mbit/s, full duplex.
  bool full_10 = false;
  /// 100 Mbit/s, half duplex.
  bool half_100 = false;
  /// 100 Mbit/s, full duplex.
  bool full_100 = false;
  /// 1000 Mbit/s, half duplex.
  bool half_1000 = false;
  /// 1000 Mbit/s, full duplex.
  bool full_1000 = false;
  bool pause = false;             ///< symmetric PAUSE (bit A5)
  bool asymmetric_pause = false;  ///< ASM_DIR (bit A6)
  /// False: the end does not negotiate but sends idle at exactly one speed (parallel detection).
  bool negotiates = true;

  /// All of them are equal.
  bool operator==(const Abilities& o) const;
  /// One of them differs.
  bool operator!=(const Abilities& o) const { return !(*this == o); }
};
/// Everything a gigabit end can do, with symmetric PAUSE.
Abilities gigabit_abilities();

/// What both ends agreed on.
struct LinkMode {
  /// Of both directions.
  Speed speed = Speed::k1000;
  /// Both ends may send at the same time.
  bool full_duplex = true;
  /// The same mode.
  bool operator==(const LinkMode& o) const {
    return speed == o.speed && full_duplex == o.full_duplex;
  }
};
/// Highest common denominator (802.3 annex 28B.3); an end that does not negotiate is met by
/// parallel detection at its speed, half duplex. nullopt: nothing in common.
std::optional<LinkMode> resolve(const Abilities& a, const Abilities& b);
/// The end that advertises `own` has to obey PAUSE frames of the other (IEEE 802.3 table 28B-3), on
/// a full-duplex link.
bool obeys_pause(const Abilities& own, const Abilities& other);

}  // namespace e1000tlm::link
