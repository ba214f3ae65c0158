#include "e1000tlm/e1000/receive/receive_checksum.h"

#include "e1000tlm/e1000/dma/descriptors.h"
#include "e1000tlm/e1000/receive/link_header.h"
#include "e1000tlm/link/checksum.h"

namespace e1000tlm::e1000 {
namespace {

constexpr std::uint16_t kTypeIpv4 = 0x0800, kTypeIpv6 = 0x86DD;
constexpr std::uint8_t kHopByHop = 0, kIpv4InIp = 4, kTcp = 6, kUdp = 17, kIpv6InIp = 41,
                       kRouting = 43, kDestinationOptions = 60;
constexpr std::size_t kIpv4Bytes = 20, kIpv6Bytes = 40, kTcpBytes = 20, kUdpBytes = 8,
                      kExtensionUnit = 8;
constexpr std::size_t kMaxExtensionBytes = 64;  // manual 3.2.9.4: 16 dwords
constexpr int kMaxExtensionHeaders = 8;         // ours: the manual sets no bound
constexpr std::uint16_t kMoreFragmentsOrOffset = 0x3FFF;
constexpr std::uint16_t kIntact = 0xFFFF;  // sum over data that includes its own checksum

class Verifier {
 public:
  Verifier(std::uint32_t rxcsum, bool ipv6)
      : check_ip_((rxcsum & rxcsum::kIpofld) != 0),
        check_transport_((rxcsum & rxcsum::kTuofld) != 0),
        check_ipv6_(ipv6 && (rxcsum & rxcsum::kIpv6ofl) != 0) {}

  ReceiveChecksum ethernet(ConstBytes frame, std::uint16_t vet) {
    const LinkPayload payload = link_payload(frame, vet);
    network(payload.type, payload.bytes);
    if (result_.status == 0) result_.status = rx_status::kIxsm;
    return result_;
  }

 private:
  void network(std::uint16_t type, ConstBytes packet) {
    if (type == kTypeIpv4) ipv4(packet);
    if (type == kTypeIpv6) ipv6(packet);
  }

  void ipv4(ConstBytes packet) {
    if (packet.size() < kIpv4Bytes || packet[0] >> 4 != 4) return;
    const std::uint8_t* p = packet.data();
    const std::size_t header = (p[0] & 0x0F) * std::size_t{4};
    const std::size_t total = load_be16(p + 2);
    if (header < kIpv4Bytes || total < header || total > packet.size()) return;
    const std::uint8_t protocol = p[9];
    if (protocol == kIpv4InIp) return;
    if (check_ip_) {
      result_.status |= rx_status::kIpcs;
      if (link::ones_sum(packet.first(header)) != kIntact) result_.errors |= rx_error::kIpe;
    }
    if ((load_be16(p + 6) & kMoreFragmentsOrOffset) != 0) return;
    const ConstBytes payload = packet.subspan(header, total - header);
    if (protocol == kIpv6InIp) {
      ipv6(payload);
    } else {
      transport(protocol, payload, packet.subspan(12, 8));
    }
  }

  void ipv6(ConstBytes packet) {
    if (!check_ipv6_ || packet.size() < kIpv6Bytes || packet[0] >> 4 != 6) return;
    const std::size_t length = load_be16(packet.data() + 4);
    if (length > packet.size() - kIpv6Bytes) return;
    ConstBytes rest = packet.subspan(kIpv6Bytes, length);
    std::uint8_t next = packet[6];
    for (int i = 0; i < kMaxExtensionHeaders; ++i) {
      if (next != kHopByHop && next != kRouting && next != kDestinationOptions) break;
      if (rest.size() < kExtensionUnit) return;
      const std::size_t bytes = (1 + std::size_t{rest[1]}) * kExtensionUnit;
      if (bytes > kMaxExtensionBytes || bytes > rest.size()) return;
      const bool still_travelling = next == kRouting && rest[3] != 0;
      if (still_travelling) return;
      next = rest[0];
      rest = rest.subspan(bytes);
    }
    transport(next, rest, packet.subspan(8, 32));
  }

  void transport(std::uint8_t protocol, ConstBytes segment, ConstBytes addresses) {
    if (!check_transport_) return;
    if (!(protocol == kTcp && is_tcp(segment)) && !(protocol == kUdp && is_udp(segment))) return;
    const auto length = static_cast<std::uint32_t>(segment.size());
    const std::uint32_t pseudo_header = link::ones_sum(addresses) + length + protocol;
    result_.status |= rx_status::kTcpcs;
    if (link::ones_sum(segment, pseudo_header) != kIntact) result_.errors |= rx_error::kTcpe;
  }

  static bool is_tcp(ConstBytes segment) {
    if (segment.size() < kTcpBytes) return false;
    const std::size_t header = (segment[12] >> 4) * std::size_t{4};
    return header >= kTcpBytes && header <= segment.size();
  }

  static bool is_udp(ConstBytes segment) {
    if (segment.size() < kUdpBytes) return false;
    const bool has_checksum = load_be16(segment.data() + 6) != 0;
    return has_checksum && load_be16(segment.data() + 4) == segment.size();
  }

  bool check_ip_, check_transport_, check_ipv6_;
  ReceiveChecksum result_;
};

}  // namespace

ReceiveChecksum verify_checksums(ConstBytes frame, std::uint32_t rxcsum, std::uint16_t vet,
                                 bool ipv6) {
  if ((rxcsum & (rxcsum::kIpofld | rxcsum::kTuofld)) == 0) return {rx_status::kIxsm, 0};
  return Verifier(rxcsum, ipv6).ethernet(frame, vet);
}

std::uint16_t packet_checksum(ConstBytes stored, std::uint32_t rxcsum) {
  const std::size_t start = rxcsum & rxcsum::kPcssMask;
  return start < stored.size() ? link::ones_sum(stored.subspan(start)) : std::uint16_t{0};
}

}  // namespace e1000tlm::e1000
