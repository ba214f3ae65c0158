#pragma once
/// What cutting a long TCP or UDP packet into segments changes in their headers. No SystemC.

#include <cstdint>

#include "e1000tlm/tlm/bytes.h"

namespace e1000tlm::link {

/// Where the headers of a packet to be segmented are, and what they are. Offsets count from the
/// packet's first byte.
struct SegmentLayout {
  bool ipv4 = true;                     ///< else IPv6
  bool tcp = true;                      ///< else UDP
  std::uint32_t ip_offset = 14;         ///< of the IP header
  std::uint32_t transport_offset = 34;  ///< of the TCP or UDP header
  std::uint32_t header_bytes = 54;      ///< that stand before the payload of each segment
};

/// Turns the copied headers of segment `index` (from 0) into its own, as the controller's TCP
/// segmentation does (manual 3.5.9.1 to 3.5.9.3): lengths, the IPv4 identification, which counts
/// up, the TCP sequence number, which counts the payload of the segments before, and FIN and PSH,
/// which only the last segment has. Checksums are not touched. `segment`: headers and payload;
/// fields that do not lie within header_bytes stay as they are.
void update_segment_header(Bytes segment, const SegmentLayout& layout, std::uint32_t index,
                           std::uint32_t payload_before, bool last);

}  // namespace e1000tlm::link
