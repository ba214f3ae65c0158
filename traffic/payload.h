#pragma once
/// What generated frames look like inside, shared by generator and checker.
///
///   0  Ethernet II header, EtherType 0800h
///  14  IPv4, no options, TTL 64, 192.0.2.x -> 198.51.100.x (RFC 5737)
///  34  UDP, ports 49152 + stream -> 9 (discard), checksum always there
///  42  magic 'E1', stream, sequence number, time stamp in ps: 16 bytes, big endian
///  58  filler: the pattern below, starting at an offset that depends on the sequence number
///
/// A frame whose filler belongs to another sequence number, or is shifted, does not check.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "e1000tlm/tlm/bytes.h"

namespace e1000tlm::traffic {

inline constexpr std::size_t kIpOffset = 14, kUdpOffset = 34, kStampOffset = 42, kFillOffset = 58;
inline constexpr std::size_t kMinBytes = 60;     ///< without FCS
inline constexpr std::size_t kMaxBytes = 16110;  ///< the 8254x's longest transmit packet, roughly
inline constexpr std::uint16_t kMagic = 0x4531;
inline constexpr std::uint16_t kFirstPort = 49152, kDiscardPort = 9;
inline constexpr std::size_t kFcsLength = 4;

/// Pseudo-random bytes with running checksums, so that any stretch is summed in constant time.
class Pattern {
 public:
  explicit Pattern(std::uint64_t seed);

  /// `bytes` <= kMaxBytes of filler for this sequence number.
  const std::uint8_t* filler(std::uint32_t sequence) const {
    return bytes_.data() + offset(sequence);
  }
  /// Ones-complement sum (unfolded) of that filler as big-endian words, an odd byte padded with 0.
  std::uint64_t sum(std::uint32_t sequence, std::size_t bytes) const;

 private:
  static constexpr std::size_t kOffsets = 256;
  static std::size_t offset(std::uint32_t sequence) { return (sequence % kOffsets) * 2; }

  std::vector<std::uint8_t> bytes_;
  std::vector<std::uint64_t> sums_;  // sums_[n]: first n words
};

/// Folds an unfolded ones-complement sum to 16 bits.
constexpr std::uint16_t fold(std::uint64_t sum) {
  while ((sum >> 16) != 0) sum = (sum & 0xFFFF) + (sum >> 16);
  return static_cast<std::uint16_t>(sum);
}
/// Sum of big-endian words; `bytes` even.
std::uint64_t word_sum(const std::uint8_t* data, std::size_t bytes);

}  // namespace e1000tlm::traffic
