#include "e1000tlm/link/host/flow.h"

#include <algorithm>

namespace e1000tlm::link {
namespace {

constexpr std::size_t kAddresses = 12, kHeader = 14, kTag = 4, kPorts = 4;
constexpr std::uint16_t kTagType = 0x8100, kServiceTagType = 0x88A8, kIpv4 = 0x0800, kIpv6 = 0x86DD;
constexpr std::uint8_t kTcp = 6, kUdp = 17;

/// FNV-1a.
class Hash {
 public:
  void add(ConstBytes bytes) {
    for (const std::uint8_t byte : bytes) value_ = (value_ ^ byte) * 0x0100'0193U;
  }
  std::uint32_t value() const { return value_ ^ value_ >> 16; }

 private:
  std::uint32_t value_ = 0x811C'9DC5U;
};

bool has_ports(std::uint8_t protocol) { return protocol == kTcp || protocol == kUdp; }

void add_ip(Hash& hash, std::uint16_t type, ConstBytes packet) {
  const auto size = static_cast<std::size_t>(packet.size());
  std::size_t ports = 0;
  if (type == kIpv4 && size >= 20) {
    hash.add(packet.subspan(12, 8));
    const bool fragment = (load_be16(packet.data() + 6) & 0x3FFF) != 0;
    if (!fragment && has_ports(packet[9])) ports = std::size_t{packet[0] & 0x0FU} * 4;
  } else if (type == kIpv6 && size >= 40) {
    hash.add(packet.subspan(8, 32));
    if (has_ports(packet[6])) ports = 40;
  }
  if (ports != 0 && size >= ports + kPorts) hash.add(packet.subspan(ports, kPorts));
}

}  // namespace

std::uint32_t flow_hash(ConstBytes frame) {
  Hash hash;
  const auto size = static_cast<std::size_t>(frame.size());
  hash.add(frame.first(std::min(size, kAddresses)));
  std::size_t type_at = kAddresses;
  while (size >= type_at + 2) {
    const std::uint16_t type = load_be16(frame.data() + type_at);
    if (type != kTagType && type != kServiceTagType) {
      add_ip(hash, type, frame.subspan(type_at + 2));
      break;
    }
    type_at += kTag;
  }
  return hash.value();
}

std::size_t queue_for(std::uint16_t wanted, ConstBytes frame, std::size_t queues) {
  if (queues == 1) return 0;
  return wanted < queues ? wanted : flow_hash(frame) % queues;
}

ConstBytes without_padding(ConstBytes frame) {
  constexpr std::size_t kShortest = 60, kArpPacket = 28;
  constexpr std::uint16_t kArp = 0x0806;
  if (frame.size() != kShortest) return frame;
  const std::uint8_t* const packet = frame.data() + kHeader;
  std::size_t bytes = kShortest;
  switch (load_be16(frame.data() + kAddresses)) {
    case kIpv4: bytes = kHeader + load_be16(packet + 2); break;
    case kIpv6: bytes = kHeader + 40U + load_be16(packet + 4); break;
    case kArp: bytes = kHeader + kArpPacket; break;
    default: break;
  }
  return frame.first(std::clamp(bytes, kHeader + 20, kShortest));
}

}  // namespace e1000tlm::link
