#pragma once
/// Makes one long TCP packet of received segments that belong together, as drivers take them with
/// VIRTIO_NET_F_GUEST_TSO4 and _TSO6. No SystemC.

#include <cstdint>
#include <vector>

#include "e1000tlm/tlm/bytes.h"
#include "e1000tlm/virtio/packet_header.h"

namespace e1000tlm::virtio::net {

/// Holds one packet, to which segments are added.
///
/// Cut into segments again, the long packet gives those that it was made of; so all their headers
/// must be the same but for lengths, checksums, sequence numbers, IPv4 identifications that count
/// up, and PSH of the last. Their payload follows without a gap and has the same size, but for the
/// last one, which may be shorter.
class Coalescer {
 public:
  /// Longest packet, from the IP header on, and without a limit of its own the most segments.
  static constexpr std::size_t kMostIpBytes = 65535;

  /// What the driver takes: VIRTIO_NET_F_GUEST_TSO4, _TSO6. What is held is forgotten.
  void configure(std::uint64_t features);

  /// What became of a frame.
  enum class Result : std::uint8_t {
    kHeld,      ///< it is the first of a packet, or has been added to it
    kComplete,  ///< ditto, and nothing can be added any more: take()
    kOther,     ///< it does not belong to what is held: take() that, then offer() again
    kAlone,     ///< nothing is held, and nothing can be added to it: hand it over as it is
  };
  /// A frame without FCS. Checksums of what is held have been found right.
  Result offer(ConstBytes frame);

  /// Something is held.
  bool holds() const { return segments_ != 0; }
  /// Segments of it.
  unsigned segments() const { return segments_; }
  /// What was held.
  struct Packet {
    ConstBytes frame;       ///< valid until the next offer()
    PacketHeader header;    ///< kGsoNone and kDataValid if it is a single frame, as it came
    unsigned segments = 0;  ///< that it is made of
  };
  /// Hands over what is held; something must be. Nothing is, afterwards.
  Packet take();
  /// Forgets what is held.
  void clear() { segments_ = 0; }

 private:
  struct Segment;  // where a frame has its headers

  bool look_at(ConstBytes frame, Segment& segment) const;
  bool continues(ConstBytes frame, const Segment& segment) const;
  bool last(ConstBytes frame, const Segment& segment) const;
  void finish(PacketHeader& header);

  bool ipv4_ = false, ipv6_ = false;  // taken
  std::vector<std::uint8_t> packet_;
  unsigned segments_ = 0;
  std::uint32_t ip_ = 0, tcp_ = 0, headers_ = 0, end_ = 0;  // of packet_
  std::uint32_t gso_size_ = 0;
  bool is_ipv4_ = false;
};

}  // namespace e1000tlm::virtio::net
