#pragma once
/// The link header of a received frame: EtherType or length, VLAN tag, LLC/SNAP. No SystemC.

#include <cstddef>
#include <cstdint>

#include "e1000tlm/tlm/bytes.h"

namespace e1000tlm::e1000 {

/// Addresses and EtherType.
inline constexpr std::size_t kLinkHeaderBytes = 14;
/// Tag control information and the EtherType that VET takes the place of.
inline constexpr std::size_t kVlanTagBytes = 4;
/// A type field up to here is a length (IEEE 802.3 3.2.6).
inline constexpr std::uint16_t kLongestLength = 1500;

/// The type field of a frame of at least kLinkHeaderBytes says that a tag follows; the frame may be
/// too short for it.
inline bool is_tagged(ConstBytes frame, std::uint16_t vet) {
  return load_be16(frame.data() + 12) == vet;
}
/// Of a tagged frame that is long enough.
inline std::uint16_t tag_control(ConstBytes frame) { return load_be16(frame.data() + 14); }

/// What a frame carries, behind tag and LLC/SNAP header.
struct LinkPayload {
  std::uint16_t type = 0;  ///< EtherType; 0: nothing that is understood
  ConstBytes bytes{};
};

/// Of an LLC/SNAP header of OUI 0 (RFC 1042) and what follows it, `length` bytes in all.
LinkPayload snap_payload(ConstBytes body, std::uint16_t length);

/// Of a frame without FCS, of any size.
inline LinkPayload link_payload(ConstBytes frame, std::uint16_t vet) {
  std::size_t header = kLinkHeaderBytes;
  if (frame.size() < header) return {};
  if (is_tagged(frame, vet)) header += kVlanTagBytes;
  if (frame.size() < header) return {};
  const std::uint16_t type = load_be16(frame.data() + header - 2);
  const ConstBytes body = frame.subspan(header);
  return type <= kLongestLength ? snap_payload(body, type) : LinkPayload{type, body};
}

}  // namespace e1000tlm::e1000
