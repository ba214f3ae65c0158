#pragma once
/// The header before each packet of a network device, in both directions (virtio 1.2, 5.1.6). No
/// SystemC.
///
/// What a driver leaves to the device when it sends is done by link::OffloadFinisher, which takes
/// the header's bytes as they are; here is what must be asked before.

#include <cstdint>

#include "e1000tlm/tlm/bytes.h"
#include "e1000tlm/virtio/net.h"
#include "e1000tlm/virtio/steering.h"

namespace e1000tlm::virtio::net {

/// Its fields.
struct PacketHeader {
  std::uint8_t flags = 0;             ///< header::kNeedsCsum, header::kDataValid
  std::uint8_t gso_type = 0;          ///< header::kGsoNone and so on
  std::uint16_t header_length = 0;    ///< Ethernet, IP and TCP headers of a long packet
  std::uint16_t gso_size = 0;         ///< payload of each segment of a long packet
  std::uint16_t checksum_start = 0;   ///< with kNeedsCsum: first byte that counts
  std::uint16_t checksum_offset = 0;  ///< with kNeedsCsum: from there to the checksum
  std::uint16_t buffers = 1;          ///< that a received packet takes
  PacketHash hash;                    ///< of a received packet

  /// From 10 bytes on; what is not there is 0.
  static PacketHeader decode(ConstBytes bytes);
  /// To header::kLegacyBytes, kBytes or kHashBytes bytes: as many as there are.
  void encode(Bytes bytes) const;
};

/// Bytes of the header with these features.
constexpr std::size_t header_bytes(std::uint64_t features) {
  if ((features & feature::kHashReport) != 0) return header::kHashBytes;
  return (features & (feature::kVersion1 | feature::kMergeableBuffers)) != 0 ? header::kBytes
                                                                             : header::kLegacyBytes;
}

/// Why a driver that has agreed on these features must not send a packet with this header (virtio
/// 1.2, 5.1.6.2.1); null: it may.
const char* transmit_problem(const PacketHeader& header, std::uint64_t features);

/// A TCP or UDP packet, whole and not a fragment, whose checksums are there and right.
bool checksums_right(ConstBytes frame);

/// The header of a received frame that is handed over as it came: kDataValid if the driver has
/// agreed on VIRTIO_NET_F_GUEST_CSUM and checksums_right().
PacketHeader receive_header(ConstBytes frame, std::uint64_t features);

}  // namespace e1000tlm::virtio::net
