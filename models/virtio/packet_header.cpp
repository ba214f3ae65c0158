#include "e1000tlm/virtio/packet_header.h"

#include <algorithm>
#include <array>

#include "e1000tlm/link/checksum.h"
#include "e1000tlm/virtio/flow_fields.h"

namespace e1000tlm::virtio::net {
namespace {

constexpr std::uint16_t kRight = 0xFFFF;  // sum with the checksum included (RFC 1071, 1)
constexpr std::uint8_t kTcp = 6, kUdp = 17;
constexpr std::uint32_t kUdpChecksum = 6, kUdpLength = 4;

/// Kinds of segmentation, and the features that allow them.
struct GsoKind {
  std::uint8_t type;
  std::uint64_t feature;
};
constexpr std::array<GsoKind, 2> kGsoKinds{{
    {header::kGsoTcp4, feature::kHostTso4},
    {header::kGsoTcp6, feature::kHostTso6},
}};

}  // namespace

PacketHeader PacketHeader::decode(ConstBytes bytes) {
  std::array<std::uint8_t, header::kHashBytes> all{};
  std::copy_n(bytes.begin(), std::min<std::size_t>(bytes.size(), all.size()), all.begin());
  PacketHeader result;
  result.flags = all[header::kFlags];
  result.gso_type = all[header::kGsoType];
  result.header_length = load_le16(&all[header::kHeaderLength]);
  result.gso_size = load_le16(&all[header::kGsoSize]);
  result.checksum_start = load_le16(&all[header::kCsumStart]);
  result.checksum_offset = load_le16(&all[header::kCsumOffset]);
  result.buffers = load_le16(&all[header::kBuffers]);
  result.hash.value = load_le32(&all[header::kHashValue]);
  result.hash.report = static_cast<HashReport>(load_le16(&all[header::kHashReport]));
  return result;
}

void PacketHeader::encode(Bytes bytes) const {
  std::array<std::uint8_t, header::kHashBytes> all{};
  all[header::kFlags] = flags;
  all[header::kGsoType] = gso_type;
  store_le16(&all[header::kHeaderLength], header_length);
  store_le16(&all[header::kGsoSize], gso_size);
  store_le16(&all[header::kCsumStart], checksum_start);
  store_le16(&all[header::kCsumOffset], checksum_offset);
  store_le16(&all[header::kBuffers], buffers);
  store_le32(&all[header::kHashValue], hash.value);
  store_le16(&all[header::kHashReport], static_cast<std::uint16_t>(hash.report));
  std::copy_n(all.begin(), std::min<std::size_t>(bytes.size(), all.size()), bytes.begin());
}

const char* transmit_problem(const PacketHeader& header, std::uint64_t features) {
  const auto agreed = [&](std::uint64_t feature) { return (features & feature) != 0; };
  const bool sums = (header.flags & header::kNeedsCsum) != 0;
  if (sums && !agreed(feature::kCsum)) return "a checksum without VIRTIO_NET_F_CSUM";
  const auto type = static_cast<std::uint8_t>(header.gso_type & ~header::kGsoEcn);
  if (type == header::kGsoNone) {
    return header.gso_type == 0 ? nullptr : "ECN without segmentation";
  }
  const auto kind = std::find_if(kGsoKinds.begin(), kGsoKinds.end(),
                                 [&](const GsoKind& known) { return known.type == type; });
  if (kind == kGsoKinds.end()) return "an unknown kind of segmentation";
  if (!agreed(kind->feature)) return "segmentation that was not agreed on";
  if (type != header.gso_type && !agreed(feature::kHostEcn)) return "ECN that was not agreed on";
  if (!sums) return "segmentation without checksum";
  return header.gso_size == 0 ? "segments without payload" : nullptr;
}

bool checksums_right(ConstBytes frame) {
  const FlowFields fields = flow_fields(frame);
  if (fields.transport == FlowFields::Transport::kOther) return false;
  const bool ipv4 = fields.network == FlowFields::Network::kIpv4;
  const bool tcp = fields.transport == FlowFields::Transport::kTcp;
  if (ipv4) {
    const std::uint32_t header = (frame[fields.ip] & 0x0FU) * 4;
    if (link::ones_sum(frame.subspan(fields.ip, header)) != kRight) return false;
  }
  const std::uint32_t bytes = fields.end - fields.ports;
  if (!tcp) {
    const std::uint8_t* const udp = frame.data() + fields.ports;
    if (load_be16(udp + kUdpChecksum) == 0 || load_be16(udp + kUdpLength) != bytes) return false;
  }
  // The destination of a packet that is still under way stands in its routing header.
  const std::uint32_t address_bytes = ipv4 ? 4 : 16;
  if (fields.routing_address != 0) return false;
  const std::uint32_t pseudo =
      link::ones_sum(frame.subspan(fields.source, std::size_t{2} * address_bytes)) +
      (tcp ? kTcp : kUdp) + (bytes & 0xFFFF) + (bytes >> 16);
  return link::ones_sum(frame.subspan(fields.ports, bytes), pseudo) == kRight;
}

PacketHeader receive_header(ConstBytes frame, std::uint64_t features) {
  PacketHeader result;
  if ((features & feature::kGuestCsum) != 0 && checksums_right(frame)) {
    result.flags = header::kDataValid;
  }
  return result;
}

}  // namespace e1000tlm::virtio::net
