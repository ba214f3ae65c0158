#pragma once
/// The header of virtio before frames that leave work to their reader: a tap device's, or a virtio
/// driver's. No SystemC.

#include <cstdint>
#include <vector>

#include "e1000tlm/link/segment_header.h"
#include "e1000tlm/tlm/bytes.h"

namespace e1000tlm::link {

/// struct virtio_net_hdr (virtio 1.2, 5.1.6), little endian. Readers may have longer ones, whose
/// rest means nothing to us.
inline constexpr std::size_t kVirtioHeaderBytes = 10;

/// Does what a sender has left to the hardware: cuts a long packet into segments and fills in
/// checksums. A wire carries neither long packets nor half-made checksums.
class OffloadFinisher {
 public:
  /// The longest packet that any offload has, with an Ethernet header and two VLAN tags.
  static constexpr std::size_t kMostBytes = 65536 + 14 + 8;

  /// Takes a frame with its header, which must be kVirtioHeaderBytes long at least. The frame must
  /// stay where it is until next() has returned its last part. False: the header asks for something
  /// that cannot be done (an unknown kind of segmentation, offsets outside the frame, headers of
  /// other protocols than it says); next() then has nothing.
  bool begin(ConstBytes header, Bytes frame);
  /// The next frame for the wire, valid until the next call; empty: none is left.
  ConstBytes next();
  /// next() has something.
  bool more() const { return !frame_.empty(); }
  /// Forgets the frame.
  void clear() { frame_ = {}; }

 private:
  enum class Gso : std::uint8_t { kNone = 0, kTcp4 = 1, kUdp = 3, kTcp6 = 4, kUdpL4 = 5 };

  bool find_layout();
  bool find_headers(std::size_t ip, bool ipv4);
  void finish_checksums(Bytes segment, bool first) const;

  Bytes frame_;
  Gso gso_ = Gso::kNone;
  bool ecn_ = false;
  std::size_t mss_ = 0;
  std::size_t checksum_start_ = 0, checksum_at_ = 0;
  SegmentLayout layout_;
  std::size_t sent_ = 0;  // bytes of payload
  std::uint32_t index_ = 0;
  std::vector<std::uint8_t> segment_;
};

}  // namespace e1000tlm::link
