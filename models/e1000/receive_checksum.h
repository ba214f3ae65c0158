#pragma once
/// Receive checksum offload (manual 3.2.9, RXCSUM). No SystemC.

#include <cstdint>

#include "models/tlm/bytes.h"

namespace e1000tlm::e1000 {

namespace rxcsum {
inline constexpr std::uint32_t kPcssMask = 0xFF, kIpofld = 1 << 8, kTuofld = 1 << 9,
                               kIpv6ofl = 1 << 10;
}

struct ReceiveChecksum {
  std::uint8_t status = 0;  ///< rx_status bits kIxsm, kIpcs, kTcpcs
  std::uint8_t errors = 0;  ///< rx_error bits kIpe, kTcpe
};
/// Parses and verifies (rules RX-25, RX-26). `frame`: as received, without FCS, VLAN tag still in
/// it. `vet`: VLAN EtherType. `ipv6`: the part has IPV6OFL.
ReceiveChecksum verify_checksums(ConstBytes frame, std::uint32_t rxcsum, std::uint16_t vet,
                                 bool ipv6);
/// Packet checksum: sum over the stored bytes from PCSS (RX-27).
std::uint16_t packet_checksum(ConstBytes stored, std::uint32_t rxcsum);

}  // namespace e1000tlm::e1000
