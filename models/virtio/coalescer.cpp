#include "e1000tlm/virtio/coalescer.h"

#include "e1000tlm/link/checksum.h"
#include "e1000tlm/virtio/flow_fields.h"

namespace e1000tlm::virtio::net {
namespace {

constexpr std::uint32_t kIpv4Bytes = 20, kIpv6Bytes = 40, kTcpBytes = 20;
constexpr std::uint32_t kIpv4Length = 2, kIpv4Id = 4, kIpv4Checksum = 10, kIpv6Length = 4;
constexpr std::uint32_t kSequence = 4, kOffset = 12, kFlags = 13, kTcpChecksum = 16;
constexpr std::uint8_t kPsh = 0x08, kAck = 0x10, kTcp = 6;

/// Is a field of the headers' own to each segment?
bool differs(std::uint32_t at, std::uint32_t field, std::uint32_t bytes) {
  return at >= field && at < field + bytes;
}

}  // namespace

struct Coalescer::Segment {
  std::uint32_t ip = 0, tcp = 0;  // offsets
  std::uint32_t headers = 0;      // bytes, payload follows
  std::uint32_t end = 0;          // of the payload
  bool ipv4 = false;

  std::uint32_t payload() const { return end - headers; }
};

void Coalescer::configure(std::uint64_t features) {
  ipv4_ = (features & feature::kGuestTso4) != 0;
  ipv6_ = (features & feature::kGuestTso6) != 0;
  clear();
}

/// False: it can be no part of a long packet.
bool Coalescer::look_at(ConstBytes frame, Segment& segment) const {
  const FlowFields fields = flow_fields(frame);
  segment.ipv4 = fields.network == FlowFields::Network::kIpv4;
  if (fields.transport != FlowFields::Transport::kTcp || !(segment.ipv4 ? ipv4_ : ipv6_)) {
    return false;
  }
  segment.ip = fields.ip;
  segment.tcp = fields.ports;
  segment.end = fields.end;
  // Options of IP are not for all segments alike.
  if (segment.tcp - segment.ip != (segment.ipv4 ? kIpv4Bytes : kIpv6Bytes)) return false;
  const std::uint32_t tcp_bytes = (frame[segment.tcp + kOffset] >> 4) * 4U;
  segment.headers = segment.tcp + tcp_bytes;
  if (tcp_bytes < kTcpBytes || segment.headers >= segment.end) return false;
  if ((frame[segment.tcp + kFlags] & ~kPsh) != kAck) return false;
  return checksums_right(frame);
}

/// Is it the next segment of what is held?
bool Coalescer::continues(ConstBytes frame, const Segment& segment) const {
  if (segment.ipv4 != is_ipv4_ || segment.ip != ip_ || segment.headers != headers_) return false;
  const std::uint32_t payload = end_ - headers_;
  if (segment.payload() > gso_size_ || end_ - ip_ + segment.payload() > kMostIpBytes) return false;
  for (std::uint32_t i = 0; i < headers_; ++i) {
    if (frame[i] == packet_[i] || differs(i, tcp_ + kSequence, 4)) continue;
    if (differs(i, tcp_ + kTcpChecksum, 2)) continue;
    if (i == tcp_ + kFlags) continue;  // ACK, with or without PSH
    if (is_ipv4_ && (differs(i, ip_ + kIpv4Length, 4) || differs(i, ip_ + kIpv4Checksum, 2))) {
      continue;
    }
    if (!is_ipv4_ && differs(i, ip_ + kIpv6Length, 2)) continue;
    return false;
  }
  const auto id = [&](ConstBytes bytes) { return load_be16(bytes.data() + ip_ + kIpv4Id); };
  if (is_ipv4_ && id(frame) != static_cast<std::uint16_t>(id(packet_) + segments_)) return false;
  return load_be32(frame.data() + tcp_ + kSequence) ==
         load_be32(packet_.data() + tcp_ + kSequence) + payload;
}

/// Can nothing follow this segment?
bool Coalescer::last(ConstBytes frame, const Segment& segment) const {
  return segment.payload() < gso_size_ || (frame[segment.tcp + kFlags] & kPsh) != 0 ||
         end_ - ip_ + gso_size_ > kMostIpBytes;
}

Coalescer::Result Coalescer::offer(ConstBytes frame) {
  Segment segment;
  const bool fits = look_at(frame, segment);
  if (!holds()) {
    if (!fits || segment.payload() > 0xFFFF) return Result::kAlone;
    packet_.assign(frame.begin(), frame.end());
    ip_ = segment.ip;
    tcp_ = segment.tcp;
    headers_ = segment.headers;
    end_ = segment.end;
    is_ipv4_ = segment.ipv4;
    gso_size_ = segment.payload();
    if (last(frame, segment)) return Result::kAlone;
    segments_ = 1;
    return Result::kHeld;
  }
  if (!fits || !continues(frame, segment)) return Result::kOther;
  packet_.resize(end_);  // without padding
  const ConstBytes payload = frame.subspan(segment.headers, segment.payload());
  packet_.insert(packet_.end(), payload.begin(), payload.end());
  packet_[tcp_ + kFlags] |= frame[tcp_ + kFlags];
  end_ += segment.payload();
  ++segments_;
  return last(frame, segment) ? Result::kComplete : Result::kHeld;
}

Coalescer::Packet Coalescer::take() {
  Packet packet;
  packet.segments = segments_;
  packet.header.flags = header::kDataValid;
  if (segments_ > 1) finish(packet.header);
  packet.frame = packet_;
  clear();
  return packet;
}

/// Lengths and IP checksum of the whole; the TCP checksum is that of the pseudo-header, as virtio
/// 1.2, 5.1.6.4.1 has it for long packets.
void Coalescer::finish(PacketHeader& header) {
  const Bytes packet(packet_);
  std::uint8_t* const ip = packet.data() + ip_;
  if (is_ipv4_) {
    store_be16(ip + kIpv4Length, static_cast<std::uint16_t>(end_ - ip_));
    store_be16(ip + kIpv4Checksum, 0);
    link::insert_checksum(packet, ip_, tcp_ - 1, ip_ + kIpv4Checksum, false);
  } else {
    store_be16(ip + kIpv6Length, static_cast<std::uint16_t>(end_ - ip_ - kIpv6Bytes));
  }
  const ConstBytes addresses = is_ipv4_ ? packet.subspan(ip_ + 12, 8) : packet.subspan(ip_ + 8, 32);
  const std::uint32_t pseudo = kTcp + (end_ - tcp_);
  store_be16(packet.data() + tcp_ + kTcpChecksum, link::ones_sum(addresses, pseudo));
  header.flags = header::kNeedsCsum;
  header.gso_type = is_ipv4_ ? header::kGsoTcp4 : header::kGsoTcp6;
  header.header_length = static_cast<std::uint16_t>(headers_);
  header.gso_size = static_cast<std::uint16_t>(gso_size_);
  header.checksum_start = static_cast<std::uint16_t>(tcp_);
  header.checksum_offset = kTcpChecksum;
}

}  // namespace e1000tlm::virtio::net
