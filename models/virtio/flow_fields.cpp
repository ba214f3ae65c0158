#include "e1000tlm/virtio/flow_fields.h"

#include <utility>

namespace e1000tlm::virtio::net {
namespace {

using Network = FlowFields::Network;
using Transport = FlowFields::Transport;

constexpr std::uint32_t kTypeAt = 12, kTagBytes = 4, kIpv4Bytes = 20, kIpv6Bytes = 40;
constexpr unsigned kMostTags = 2;
constexpr std::uint16_t kTypeIpv4 = 0x0800, kTypeIpv6 = 0x86DD, kTypeTag = 0x8100,
                        kTypeServiceTag = 0x88A8;
constexpr std::uint8_t kHopByHop = 0, kTcp = 6, kUdp = 17, kRouting = 43, kFragment = 44,
                       kAuthentication = 51, kDestinationOptions = 60, kMobility = 135;
constexpr std::uint8_t kPad1 = 0, kHomeAddress = 201, kRoutingType2 = 2;
constexpr std::uint32_t kAddressBytes = 16;  // of IPv6
constexpr unsigned kMostExtensions = 8;

/// One frame, being looked at.
class Parser {
 public:
  explicit Parser(ConstBytes frame)
      : data_(frame.data()), size_(static_cast<std::uint32_t>(frame.size())) {}

  FlowFields parse() {
    std::uint32_t at = kTypeAt;
    for (unsigned tags = 0; has(at, 2 + kTagBytes) && tags < kMostTags && is_tag(at); ++tags) {
      at += kTagBytes;
    }
    if (!has(at, 2)) return fields_;
    const std::uint16_t type = load_be16(data_ + at);
    if (type == kTypeIpv4) parse_ipv4(at + 2);
    if (type == kTypeIpv6) parse_ipv6(at + 2);
    return fields_;
  }

 private:
  bool has(std::uint32_t at, std::uint32_t bytes) const {
    return at <= size_ && bytes <= size_ - at;
  }
  bool is_tag(std::uint32_t at) const {
    const std::uint16_t type = load_be16(data_ + at);
    return type == kTypeTag || type == kTypeServiceTag;
  }

  void parse_ipv4(std::uint32_t ip) {
    if (!has(ip, kIpv4Bytes)) return;
    const std::uint32_t header = (data_[ip] & 0x0FU) * 4;
    const std::uint32_t length = load_be16(data_ + ip + 2);
    if (data_[ip] >> 4 != 4 || header < kIpv4Bytes || length < header || !has(ip, length)) return;
    fields_.network = Network::kIpv4;
    fields_.ip = ip;
    fields_.source = ip + 12;
    fields_.destination = ip + 16;
    fields_.end = size_ = ip + length;
    const bool fragment = (load_be16(data_ + ip + 6) & 0x3FFF) != 0;
    if (!fragment) parse_transport(data_[ip + 9], ip + header);
  }

  void parse_ipv6(std::uint32_t ip) {
    if (!has(ip, kIpv6Bytes) || data_[ip] >> 4 != 6) return;
    const std::uint32_t length = kIpv6Bytes + load_be16(data_ + ip + 4);
    if (!has(ip, length)) return;
    fields_.network = Network::kIpv6;
    fields_.ip = ip;
    fields_.source = ip + 8;
    fields_.destination = ip + 24;
    fields_.end = size_ = ip + length;
    std::uint32_t at = ip + kIpv6Bytes;
    std::uint8_t next = data_[ip + 6];
    for (unsigned i = 0; i < kMostExtensions && is_extension(next); ++i) {
      fields_.extended = true;
      if (!has(at, 8)) return;
      if (next == kFragment && (load_be16(data_ + at + 2) & 0xFFF9) != 0) return;
      const std::uint32_t bytes = extension_bytes(next, at);
      if (!has(at, bytes)) return;
      if (next == kDestinationOptions) find_home_address(at + 2, at + bytes);
      if (next == kRouting && data_[at + 2] == kRoutingType2 && bytes >= 8 + kAddressBytes) {
        fields_.routing_address = at + 8;
      }
      next = data_[at];
      at += bytes;
    }
    parse_transport(next, at);
  }

  static bool is_extension(std::uint8_t next) {
    return next == kHopByHop || next == kRouting || next == kFragment || next == kAuthentication ||
           next == kDestinationOptions || next == kMobility;
  }
  std::uint32_t extension_bytes(std::uint8_t kind, std::uint32_t at) const {
    if (kind == kFragment) return 8;
    return kind == kAuthentication ? (data_[at + 1] + 2U) * 4 : (data_[at + 1] + 1U) * 8;
  }

  void find_home_address(std::uint32_t at, std::uint32_t end) {
    while (at + 2 <= end) {
      if (data_[at] == kPad1) {
        ++at;
        continue;
      }
      const std::uint32_t bytes = data_[at + 1];
      if (data_[at] == kHomeAddress && bytes == kAddressBytes && at + 2 + bytes <= end) {
        fields_.home_address = at + 2;
        return;
      }
      at += 2 + bytes;
    }
  }

  void parse_transport(std::uint8_t protocol, std::uint32_t at) {
    if (protocol == kTcp && has(at, 20)) fields_.transport = Transport::kTcp;
    if (protocol == kUdp && has(at, 8)) fields_.transport = Transport::kUdp;
    if (fields_.transport != Transport::kOther) fields_.ports = at;
  }

  const std::uint8_t* data_;
  std::uint32_t size_;
  FlowFields fields_;
};

/// Of MurmurHash3: each bit changes all others.
constexpr std::uint64_t mixed(std::uint64_t x) {
  x = (x ^ x >> 33) * 0xFF51'AFD7'ED55'8CCDULL;
  x = (x ^ x >> 33) * 0xC4CE'B9FE'1A85'EC53ULL;
  return x ^ x >> 33;
}

/// One end of a flow, comparable.
struct FlowEnd {
  std::uint64_t high, low, port;
  bool operator<(const FlowEnd& other) const {
    return std::make_pair(high, std::make_pair(low, port)) <
           std::make_pair(other.high, std::make_pair(other.low, other.port));
  }
};

std::uint32_t hash_of(FlowEnd a, FlowEnd b, std::uint64_t kind) {
  if (b < a) std::swap(a, b);
  std::uint64_t hash = mixed(kind);
  for (const std::uint64_t word : {a.high, a.low, b.high, b.low, a.port << 16 | b.port}) {
    hash = mixed(hash ^ word);
  }
  return static_cast<std::uint32_t>(hash);
}

FlowEnd ethernet_end(const std::uint8_t* address) {
  return {load_be16(address), load_be32(address + 2), 0};
}

}  // namespace

FlowFields flow_fields(ConstBytes frame) { return Parser(frame).parse(); }

std::uint32_t symmetric_flow_hash(ConstBytes frame) {
  const FlowFields fields = flow_fields(frame);
  const std::uint8_t* const data = frame.data();
  if (fields.network == Network::kNone) {
    if (frame.size() < 12) return 0;
    return hash_of(ethernet_end(data), ethernet_end(data + 6), 0);
  }
  const auto end = [&](std::uint32_t address, std::uint32_t port) {
    FlowEnd result{0, 0, fields.ports != 0 ? load_be16(data + port) : std::uint64_t{0}};
    if (fields.network == Network::kIpv4) {
      result.low = load_be32(data + address);
    } else {
      result.high = load_le64(data + address);
      result.low = load_le64(data + address + 8);
    }
    return result;
  };
  const auto kind = static_cast<std::uint64_t>(fields.network) << 8 |
                    static_cast<std::uint64_t>(fields.transport);
  return hash_of(end(fields.source, fields.ports), end(fields.destination, fields.ports + 2), kind);
}

}  // namespace e1000tlm::virtio::net
