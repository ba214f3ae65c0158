#pragma once
/// The 16-byte descriptors of both rings (manual 3.2.3 and 3.3.3 to 3.3.7). No SystemC.

#include <cstddef>
#include <cstdint>

#include "e1000tlm/tlm/bytes.h"

namespace e1000tlm::e1000 {

/// Size of every kind of descriptor.
inline constexpr std::size_t kDescriptorBytes = 16;

namespace tx_cmd {  // byte 11
inline constexpr std::uint8_t kEop = 1 << 0, kIfcs = 1 << 1, kIc = 1 << 2 /* legacy */,
                              kTse = 1 << 2 /* context, data */, kRs = 1 << 3,
                              kRps = 1 << 4 /* 82544 */, kDext = 1 << 5, kVle = 1 << 6,
                              kIde = 1 << 7;
inline constexpr std::uint8_t kContextTcp = 1 << 0, kContextIpv4 = 1 << 1;
}  // namespace tx_cmd
namespace tx_status {  // byte 12, low nibble
inline constexpr std::uint8_t kDd = 1 << 0, kEc = 1 << 1, kLc = 1 << 2, kTu = 1 << 3;
}
namespace tx_popts {  // byte 13 of data descriptors
inline constexpr std::uint8_t kIxsm = 1 << 0, kTxsm = 1 << 1;
}
namespace rx_status {  // byte 12
inline constexpr std::uint8_t kDd = 1 << 0, kEop = 1 << 1, kIxsm = 1 << 2, kVp = 1 << 3,
                              kTcpcs = 1 << 5, kIpcs = 1 << 6, kPif = 1 << 7;
}
namespace rx_error {  // byte 13
inline constexpr std::uint8_t kCe = 1 << 0, kSe = 1 << 1, kSeq = 1 << 2, kCxe = 1 << 4,
                              kTcpe = 1 << 5, kIpe = 1 << 6, kRxe = 1 << 7;
}

/// Offload context (manual 3.3.6). `end` values are inclusive; 0 means the end of the packet.
struct TxContext {
  /// IP checksum: first byte of the sum.
  std::uint8_t ipcss = 0;
  /// Where it is stored.
  std::uint8_t ipcso = 0;
  /// Last byte of the sum.
  std::uint16_t ipcse = 0;
  /// TCP or UDP checksum: first byte of the sum.
  std::uint8_t tucss = 0;
  /// Where it is stored.
  std::uint8_t tucso = 0;
  /// Last byte of the sum.
  std::uint16_t tucse = 0;
  std::uint32_t paylen = 0;  ///< 20 bits
  /// Segmentation: bytes of header before the payload.
  std::uint8_t hdrlen = 0;
  /// Segmentation: payload bytes of a segment.
  std::uint16_t mss = 0;
  /// For segmentation.
  bool tse = false;
  /// IPv4, else IPv6.
  bool ipv4 = false;
  /// TCP, else UDP.
  bool tcp = false;
};

/// A transmit descriptor, decoded (manual 3.3.3, 3.3.6, 3.3.7).
struct TxDescriptor {
  /// By DEXT and DTYP.
  enum class Kind : std::uint8_t { kLegacy, kContext, kData, kReserved };
  /// Which of them.
  Kind kind = Kind::kLegacy;
  /// Of the buffer; 0: none.
  std::uint64_t address = 0;
  std::uint32_t length = 0;  ///< legacy: 16 bits, data: 20 bits (DTALEN), context: 0
  std::uint8_t command = 0;  ///< tx_cmd bits, as they stand in byte 11
  /// Legacy: where the checksum is stored.
  std::uint8_t cso = 0;
  /// Legacy: first byte of the sum.
  std::uint8_t css = 0;
  std::uint8_t popts = 0;     ///< data
  std::uint16_t special = 0;  ///< VLAN tag control information

  /// Is this tx_cmd bit set?
  bool has(std::uint8_t bit) const { return (command & bit) != 0; }
  /// Bytes to fetch: a null address or length moves no data (manual 3.3.3, notes to table 3-10).
  std::uint32_t data_length() const { return address == 0 ? 0 : length; }
  /// Ends a packet. Bit 0 of a context descriptor's command means TCP instead.
  bool ends_packet() const { return kind != Kind::kContext && has(tx_cmd::kEop); }
};

/// Reads 16 bytes. Kind kReserved: DEXT set with a DTYP other than 0 and 1; it moves no data.
TxDescriptor decode_tx(const std::uint8_t* bytes);
/// Precondition: decode_tx said kContext.
TxContext decode_tx_context(const std::uint8_t* bytes);

/// What the receiver writes back (legacy format).
struct RxWriteBack {
  /// Bytes in the buffer.
  std::uint16_t length = 0;
  /// Packet checksum.
  std::uint16_t checksum = 0;
  /// rx_status bits.
  std::uint8_t status = 0;
  /// rx_error bits.
  std::uint8_t errors = 0;
  /// VLAN tag control information, with rx_status::kVp.
  std::uint16_t special = 0;
};
/// Writes bytes 8..15 of the descriptor.
void encode_rx(const RxWriteBack& fields, std::uint8_t* bytes_8_to_15);

}  // namespace e1000tlm::e1000
