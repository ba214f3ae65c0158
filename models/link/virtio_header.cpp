#include "e1000tlm/link/virtio_header.h"

#include <algorithm>

#include "e1000tlm/link/checksum.h"

namespace e1000tlm::link {
namespace {

// virtio 1.2, 5.1.6: flags, gso_type, hdr_len, gso_size, csum_start, csum_offset.
constexpr std::size_t kFlags = 0, kGsoType = 1, kGsoSize = 4, kChecksumStart = 6,
                      kChecksumOffset = 8;
constexpr std::uint8_t kNeedsChecksum = 1, kEcn = 0x80;

constexpr std::size_t kEthernetBytes = 14, kTagBytes = 4, kIpv4Bytes = 20, kIpv6Bytes = 40,
                      kTcpBytes = 20, kUdpBytes = 8;
constexpr std::uint16_t kTypeIpv4 = 0x0800, kTypeIpv6 = 0x86DD, kTypeTag = 0x8100,
                        kTypeServiceTag = 0x88A8;
constexpr std::uint8_t kProtocolTcp = 6, kProtocolUdp = 17;
constexpr std::size_t kTcpChecksum = 16, kUdpChecksum = 6, kIpv4Checksum = 10;
constexpr std::uint8_t kCwr = 0x80;

}  // namespace

bool OffloadFinisher::begin(ConstBytes header, Bytes frame) {
  clear();
  const std::uint8_t* const h = header.data();
  const bool sums = (h[kFlags] & kNeedsChecksum) != 0;
  gso_ = static_cast<Gso>(h[kGsoType] & ~kEcn);
  ecn_ = (h[kGsoType] & kEcn) != 0;
  checksum_start_ = sums ? load_le16(h + kChecksumStart) : 0;
  checksum_at_ = sums ? checksum_start_ + load_le16(h + kChecksumOffset) : 0;
  if (sums && (checksum_start_ < kEthernetBytes || checksum_at_ + 2 > frame.size())) return false;
  sent_ = 0;
  index_ = 0;
  frame_ = frame;
  if (gso_ == Gso::kNone) return true;
  mss_ = load_le16(h + kGsoSize);
  if (sums && mss_ > 0 && find_layout()) return true;
  clear();
  return false;
}

/// Where the headers of a packet to be cut are; they must be what the kind of segmentation says.
bool OffloadFinisher::find_layout() {
  const bool tcp = gso_ == Gso::kTcp4 || gso_ == Gso::kTcp6;
  if (!tcp && gso_ != Gso::kUdpL4) return false;  // the kernel no longer makes UFO
  layout_.tcp = tcp;
  std::size_t type_at = 12;
  const auto type = [&] { return load_be16(frame_.data() + type_at); };
  while (frame_.size() >= type_at + 2 + kTagBytes &&
         (type() == kTypeTag || type() == kTypeServiceTag)) {
    type_at += kTagBytes;
    if (type_at > 12 + 2 * kTagBytes) return false;
  }
  if (frame_.size() < type_at + 2) return false;
  const bool ipv4 = type() == kTypeIpv4;
  if (!ipv4 && type() != kTypeIpv6) return false;
  if ((gso_ == Gso::kTcp4 && !ipv4) || (gso_ == Gso::kTcp6 && ipv4)) return false;
  return find_headers(type_at + 2, ipv4);
}

bool OffloadFinisher::find_headers(std::size_t ip, bool ipv4) {
  const std::size_t transport = checksum_start_;
  const auto size = static_cast<std::size_t>(frame_.size());
  std::size_t ip_bytes = kIpv6Bytes;
  if (size < ip + kIpv4Bytes) return false;
  if (ipv4) {
    ip_bytes = std::size_t{frame_[ip] & 0x0FU} * 4;
    const std::uint8_t protocol = frame_[ip + 9];
    if (ip_bytes < kIpv4Bytes || ip + ip_bytes != transport) return false;
    if (protocol != (layout_.tcp ? kProtocolTcp : kProtocolUdp)) return false;
  } else if (ip + ip_bytes > transport) {  // extension headers may stand between
    return false;
  }
  std::size_t transport_bytes = kUdpBytes;
  if (size < transport + (layout_.tcp ? kTcpBytes : kUdpBytes)) return false;
  if (layout_.tcp) transport_bytes = static_cast<std::size_t>(frame_[transport + 12] >> 4) * 4;
  const bool complete = !layout_.tcp || transport_bytes >= kTcpBytes;
  const std::size_t headers = transport + transport_bytes;
  if (!complete || headers >= size) return false;
  if (checksum_at_ != transport + (layout_.tcp ? kTcpChecksum : kUdpChecksum)) return false;
  layout_.ipv4 = ipv4;
  layout_.ip_offset = static_cast<std::uint32_t>(ip);
  layout_.transport_offset = static_cast<std::uint32_t>(transport);
  layout_.header_bytes = static_cast<std::uint32_t>(headers);
  return true;
}

ConstBytes OffloadFinisher::next() {
  if (frame_.empty()) return {};
  if (gso_ == Gso::kNone) {
    const Bytes whole = frame_;
    clear();
    // The field holds the sum of the pseudo-header already.
    const bool udp = checksum_at_ == checksum_start_ + kUdpChecksum;
    if (checksum_at_ != 0) {
      insert_checksum(whole, static_cast<unsigned>(checksum_start_), 0,
                      static_cast<unsigned>(checksum_at_), udp);
    }
    return whole;
  }
  const std::size_t headers = layout_.header_bytes;
  const std::size_t left = frame_.size() - headers - sent_;
  const std::size_t payload = std::min(mss_, left);
  segment_.resize(headers + payload);
  std::copy_n(frame_.begin(), headers, segment_.begin());
  std::copy_n(frame_.data() + headers + sent_, payload, segment_.data() + headers);
  const bool first = index_ == 0;
  update_segment_header(segment_, layout_, index_++, static_cast<std::uint32_t>(sent_),
                        payload == left);
  finish_checksums(segment_, first);
  sent_ += payload;
  if (payload == left) clear();
  return segment_;
}

void OffloadFinisher::finish_checksums(Bytes segment, bool first) const {
  const std::size_t ip = layout_.ip_offset;
  const std::size_t transport = layout_.transport_offset;
  // CWR announces one reduction, not one for each segment (RFC 3168, 6.1.2).
  if (layout_.tcp && ecn_ && !first) segment[transport + 13] &= static_cast<std::uint8_t>(~kCwr);
  std::uint32_t pseudo = 0;
  if (layout_.ipv4) {
    store_be16(segment.data() + ip + kIpv4Checksum, 0);
    insert_checksum(segment, layout_.ip_offset, layout_.transport_offset - 1,
                    layout_.ip_offset + kIpv4Checksum, false);
    pseudo = ones_sum(segment.subspan(ip + 12, 8));
  } else {
    pseudo = ones_sum(segment.subspan(ip + 8, 32));
  }
  pseudo += layout_.tcp ? kProtocolTcp : kProtocolUdp;
  pseudo += static_cast<std::uint32_t>(segment.size() - transport);
  store_be16(segment.data() + checksum_at_, 0);
  insert_checksum(segment, layout_.transport_offset, 0, static_cast<unsigned>(checksum_at_),
                  !layout_.tcp, pseudo);
}

}  // namespace e1000tlm::link
