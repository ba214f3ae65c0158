#include "models/e1000/checksum.h"

#include <cstddef>

namespace e1000tlm::e1000 {

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
  const std::uint8_t* p = bytes.data();
  std::size_t left = bytes.size();
  std::uint64_t even = 0;
  std::uint64_t odd = 0;
  for (; left >= 32; left -= 32, p += 32) {
    for (unsigned i = 0; i < 32; i += 8) {
      const std::uint64_t words = load_le64(p + i);
      even += words & 0xFFFFFFFF;
      odd += words >> 32;
    }
  }
  for (; left >= 4; left -= 4, p += 4) even += load_le32(p);
  if (left >= 2) {
    odd += load_le16(p);
    p += 2;
    left -= 2;
  }
  if (left != 0) odd += *p;
  const std::uint16_t little = fold(even + odd);
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

}  // namespace e1000tlm::e1000
