#include "e1000tlm/link/checksum.h"

#include <array>
#include <cstddef>

namespace e1000tlm::link {

namespace {

std::uint16_t fold(std::uint64_t sum) {
  sum = (sum & 0xFFFFFFFF) + (sum >> 32);
  sum = (sum & 0xFFFFFFFF) + (sum >> 32);
  sum = (sum & 0xFFFF) + (sum >> 16);
  sum = (sum & 0xFFFF) + (sum >> 16);
  return static_cast<std::uint16_t>(sum);
}

}  // namespace

// The sum does not depend on byte order but for a swap of the result, nor on the width it is taken
// in (RFC 1071, 2 B and C): 32-bit little-endian words in 64-bit accumulators need no carries.
std::uint16_t ones_sum(ConstBytes bytes, std::uint32_t seed) {
  constexpr std::size_t kLong = 128;  // from here on it pays to add in four lanes, as vectors
  const std::uint8_t* p = bytes.data();
  std::size_t left = bytes.size();
  const auto halves = [](std::uint64_t words) { return (words & 0xFFFFFFFF) + (words >> 32); };
  std::uint64_t sum = 0;
  if (left >= kLong) {
    std::array<std::uint64_t, 4> lanes{};
    for (; left >= 32; left -= 32, p += 32) {
      for (unsigned i = 0; i < 4; ++i) lanes[i] += halves(load_le64(p + 8 * i));
    }
    sum = lanes[0] + lanes[1] + lanes[2] + lanes[3];
  }
  for (; left >= 8; left -= 8, p += 8) sum += halves(load_le64(p));
  if (left >= 4) {
    sum += load_le32(p);
    p += 4;
    left -= 4;
  }
  if (left >= 2) {
    sum += load_le16(p);
    p += 2;
    left -= 2;
  }
  if (left != 0) sum += *p;
  const std::uint16_t little = fold(sum);
  const auto big = static_cast<std::uint16_t>(little << 8 | little >> 8);
  return fold(std::uint64_t{big} + seed);
}

bool insert_checksum(Bytes packet, unsigned start, unsigned end, unsigned offset, bool udp,
                     std::uint32_t extra) {
  const std::size_t size = packet.size();
  if (offset + std::size_t{2} > size) return false;
  const std::size_t last = end == 0 || end >= size ? size - 1 : end;
  if (last < start) return false;  // a start beyond the packet, too
  auto sum = static_cast<std::uint16_t>(
      ~ones_sum(ConstBytes{packet.data() + start, last - start + 1}, extra));
  if (udp && sum == 0) sum = 0xFFFF;
  store_be16(packet.data() + offset, sum);
  return true;
}

}  // namespace e1000tlm::link
