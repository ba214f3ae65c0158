#include "e1000tlm/link/segment_header.h"

namespace e1000tlm::link {
namespace {

constexpr std::uint32_t kIpv6HeaderBytes = 40;
constexpr std::uint8_t kNotFinPsh = 0xF6;

}  // namespace

void update_segment_header(Bytes segment, const SegmentLayout& layout, std::uint32_t index,
                           std::uint32_t payload_before, bool last) {
  const auto size = static_cast<std::uint32_t>(segment.size());
  const auto in_header = [&](std::uint32_t end) { return end <= layout.header_bytes; };
  if (in_header(layout.ip_offset + 6U)) {
    std::uint8_t* const ip = segment.data() + layout.ip_offset;
    const std::uint32_t length = size - layout.ip_offset;
    if (layout.ipv4) {
      store_be16(ip + 2, static_cast<std::uint16_t>(length));
      store_be16(ip + 4, static_cast<std::uint16_t>(load_be16(ip + 4) + index));
    } else {
      // The printed formula counts the fixed header as well; that of a later controller (82583V
      // data sheet 7.3.6.2) and RFC 8200, 3 do not.
      store_be16(ip + 4, static_cast<std::uint16_t>(length - kIpv6HeaderBytes));
    }
  }
  const std::uint32_t transport = layout.transport_offset;
  if (layout.tcp) {
    if (in_header(transport + 8U)) {
      std::uint8_t* const sequence = segment.data() + transport + 4;
      store_be32(sequence, load_be32(sequence) + payload_before);
    }
    // The manual names no other flag: CWR for one is copied into every segment.
    if (!last && in_header(transport + 14U)) segment[transport + 13U] &= kNotFinPsh;
  } else if (in_header(transport + 6U)) {
    store_be16(segment.data() + transport + 4, static_cast<std::uint16_t>(size - transport));
  }
}

}  // namespace e1000tlm::link
