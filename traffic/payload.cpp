#include "e1000tlm/traffic/payload.h"

namespace e1000tlm::traffic {

std::uint64_t word_sum(const std::uint8_t* data, std::size_t bytes) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i + 1 < bytes; i += 2) sum += load_be16(data + i);
  return sum;
}

Pattern::Pattern(std::uint64_t seed) : bytes_(kMaxBytes + 2 * kOffsets + 8) {
  // splitmix64 (Steele, Lea, Flood 2014): any seed, also 0, gives a well-mixed stream.
  std::uint64_t state = seed;
  for (std::size_t i = 0; i + 8 <= bytes_.size(); i += 8) {
    std::uint64_t z = (state += 0x9E3779B97F4A7C15U);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
    store_le64(bytes_.data() + i, z ^ (z >> 31));
  }
  sums_.resize(bytes_.size() / 2 + 1);
  for (std::size_t i = 0; i + 1 < sums_.size(); ++i) {
    sums_[i + 1] = sums_[i] + load_be16(bytes_.data() + 2 * i);
  }
}

std::uint64_t Pattern::sum(std::uint32_t sequence, std::size_t bytes) const {
  const std::size_t first = offset(sequence) / 2;
  std::uint64_t sum = sums_[first + bytes / 2] - sums_[first];
  if (bytes % 2 != 0) sum += std::uint64_t{filler(sequence)[bytes - 1]} << 8;
  return sum;
}

}  // namespace e1000tlm::traffic
