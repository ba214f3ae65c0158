#pragma once
/// What of a frame makes it belong to a flow. No SystemC.

#include <cstdint>

#include "e1000tlm/tlm/bytes.h"

namespace e1000tlm::virtio::net {

/// Where a frame has what. Offsets count from its first byte; 0: it has no such thing. All that is
/// named lies within the frame.
struct FlowFields {
  enum class Network : std::uint8_t { kNone, kIpv4, kIpv6 };
  enum class Transport : std::uint8_t { kOther, kTcp, kUdp };

  Network network = Network::kNone;         ///< up to two VLAN tags are passed over
  Transport transport = Transport::kOther;  ///< kOther of fragments, and of headers cut short
  std::uint32_t ip = 0;                     ///< the IP header
  std::uint32_t source = 0;                 ///< the IP header's source address
  std::uint32_t destination = 0;            ///< ditto, destination; stands behind the source
  std::uint32_t ports = 0;                  ///< source and destination port: the transport header
  std::uint32_t end = 0;                    ///< of the IP packet, padding excluded
  bool extended = false;                    ///< IPv6 with extension headers
  std::uint32_t home_address = 0;           ///< of a destination option 201 (RFC 6275, 6.3)
  std::uint32_t routing_address = 0;        ///< of a routing header of type 2 (RFC 6275, 6.4)
};

/// Looks at a frame; whatever stands there, it ends.
FlowFields flow_fields(ConstBytes frame);

/// The same number for all frames of a flow, in either direction (addresses and ports may be
/// swapped), as Linux' tun device has it. Frames other than IP: of their Ethernet addresses.
std::uint32_t symmetric_flow_hash(ConstBytes frame);

}  // namespace e1000tlm::virtio::net
