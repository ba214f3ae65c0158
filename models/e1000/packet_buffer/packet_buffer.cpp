#include "e1000tlm/e1000/packet_buffer/packet_buffer.h"

#include <algorithm>
#include <array>

namespace e1000tlm::e1000 {
namespace {

/// The dword at byte `at` of a frame; zeros behind its end.
std::uint32_t dword_at(ConstBytes bytes, std::uint32_t at) {
  if (at + 4 <= bytes.size()) return load_le32(bytes.data() + at);
  std::array<std::uint8_t, 4> last{};
  if (at < bytes.size()) std::copy(bytes.begin() + at, bytes.end(), last.begin());
  return load_le32(last.data());
}

}  // namespace

void PacketFifo::reset(FifoRegion region) {
  region_ = region;
  occupied_ = 0;
  entered_ = 0;
  recording_ = false;
  attended_ = watched_;
}

void PacketFifo::move_to(std::uint32_t word) {
  const std::uint32_t offset = word * kFifoWordBytes;
  const bool inside = offset >= region_.base && offset - region_.base < region_.bytes;
  entered_ = inside ? offset - region_.base : 0;
}

std::uint32_t PacketFifo::word_at(std::uint64_t position) const {
  return (region_.base + place_of(position)) / kFifoWordBytes;
}

void PacketFifo::store(const FifoContent& content) {
  const std::uint32_t end = std::min(fifo_bytes(content.bytes.size()), region_.bytes);
  std::uint32_t place = place_of(content.position);
  for (std::uint32_t at = 0; at < end; at += 4) {
    memory_[(region_.base + place) / 4] = dword_at(content.bytes, at);
    place += 4;
    if (place == region_.bytes) place = 0;
  }
}

void PacketFifo::store_next(ConstBytes bytes) { store({entered_, bytes}); }

std::optional<std::uint32_t> PacketFifo::dword_of(const FifoContent& content,
                                                  std::uint32_t offset) const {
  if (offset < region_.base || offset - region_.base >= region_.bytes) return std::nullopt;
  const std::uint32_t start = place_of(content.position);
  const std::uint32_t at = (offset - region_.base + region_.bytes - start) % region_.bytes;
  if (at >= fifo_bytes(content.bytes.size())) return std::nullopt;
  return dword_at(content.bytes, at);
}

}  // namespace e1000tlm::e1000
