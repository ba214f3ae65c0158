#pragma once
/// Receive checksum offload (manual 3.2.9, RXCSUM 13.4.36). No SystemC.

#include <cstdint>

#include "e1000tlm/tlm/bytes.h"

namespace e1000tlm::e1000 {

namespace rxcsum {
inline constexpr std::uint32_t kPcssMask = 0xFF, kIpofld = 1 << 8, kTuofld = 1 << 9,
                               kIpv6ofl = 1 << 10;
}

struct ReceiveChecksum {
  std::uint8_t status = 0;  ///< rx_status bits kIxsm, kIpcs, kTcpcs
  std::uint8_t errors = 0;  ///< rx_error bits kIpe, kTcpe
};
/// Parses and verifies (rules RX-25, RX-26; manual tables 3-5 and 3-6). `frame`: as received,
/// without FCS, VLAN tag still in it. `vet`: VLAN EtherType. `ipv6`: the part has IPV6OFL.
///
/// Understood: Ethernet II and SNAP, one VLAN tag, IPv4 with options, IPv6 with up to 8
/// hop-by-hop, routing and destination headers of up to 64 bytes each, IPv6 in IPv4.
///   - IPCS/IPE with IPOFLD, for IPv4 headers, fragments included,
///   - TCPCS/TCPE with TUOFLD, for whole TCP and UDP packets; IPv6 needs IPV6OFL as well.
/// Nothing checked gives IXSM, and what cannot be trusted is not checked: lengths that contradict
/// each other or exceed the frame, UDP without a checksum, a route not yet travelled to its end
/// (the pseudo header's destination is elsewhere), jumbograms, IPv4 in IPv4. Never reads outside
/// the frame.
ReceiveChecksum verify_checksums(ConstBytes frame, std::uint32_t rxcsum, std::uint16_t vet,
                                 bool ipv6);
/// Packet checksum: folded ones-complement sum, not complemented, of big-endian words over the
/// stored bytes (as they go to memory: tag and CRC stripped or not) from byte RXCSUM.PCSS; 0 when
/// that is beyond the end (RX-27).
std::uint16_t packet_checksum(ConstBytes stored, std::uint32_t rxcsum);

}  // namespace e1000tlm::e1000
