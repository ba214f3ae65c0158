#pragma once
/// Arithmetic of a descriptor ring, safe against any register content. No SystemC.

#include <algorithm>
#include <cstdint>

#include "e1000tlm/e1000/dma/descriptors.h"

namespace e1000tlm::e1000 {

/// What the base, length, head and tail registers say at one moment.
struct DescriptorRing {
  std::uint64_t base = 0;
  std::uint32_t entries = 0;  ///< length register / 16
  std::uint32_t head = 0;
  std::uint32_t tail = 0;

  /// A head outside the ring is undefined in the manual; the ring then owns nothing.
  bool valid() const { return entries != 0 && head < entries; }
  /// Descriptors that belong to hardware: [head, tail). A tail beyond the ring's end is never
  /// reached, so that all others belong to hardware.
  std::uint32_t owned() const {
    if (!valid()) return 0;
    if (tail >= entries) return entries;
    return tail >= head ? tail - head : entries - head + tail;
  }
  std::uint64_t address(std::uint32_t index) const { return base + index * kDescriptorBytes; }
  std::uint32_t next(std::uint32_t index) const { return index + 1 >= entries ? 0 : index + 1; }
  /// Entry `distance` (< entries) after `index`.
  std::uint32_t ahead(std::uint32_t index, std::uint32_t distance) const {
    const std::uint32_t sum = index + distance;
    return sum >= entries ? sum - entries : sum;
  }
  /// How many of `count` entries from `index` lie before the ring's end.
  std::uint32_t contiguous(std::uint32_t index, std::uint32_t count) const {
    return std::min(count, entries - index);
  }
};

}  // namespace e1000tlm::e1000
