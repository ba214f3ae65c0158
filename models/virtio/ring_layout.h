#pragma once
/// Offsets in the rings of a split virtqueue (virtio 1.2, 2.7.6 and 2.7.8). No SystemC.

#include <cstdint>

namespace e1000tlm::virtio::ring_layout {

/// Both rings begin with flags and an index; the other side's event index stands at the end.
inline constexpr std::uint64_t kIndex = 2;
/// Of the first entry.
inline constexpr std::uint64_t kRing = 4;
/// Bytes of an entry of the used ring.
inline constexpr std::uint64_t kUsedElement = 8;

}  // namespace e1000tlm::virtio::ring_layout
