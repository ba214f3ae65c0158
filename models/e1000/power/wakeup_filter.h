#pragma once
/// Which wake-up filters a frame matches. Pure functions over a view of the registers; frames come
/// without preamble and without FCS. No SystemC.
///
/// Source: manual 6.4.3 (wake-up packets), 13.6.2 (WUFC) to 13.6.12 (FFVT).

#include <cstdint>

#include "e1000tlm/e1000/receive/receive_filter.h"
#include "e1000tlm/tlm/bytes.h"

namespace e1000tlm::e1000 {

/// Bits of WUFC and WUS.
namespace wake {
inline constexpr std::uint32_t kLnkc = 1 << 0, kMag = 1 << 1, kEx = 1 << 2, kMc = 1 << 3,
                               kBc = 1 << 4, kArp = 1 << 5, kIpv4 = 1 << 6, kIpv6 = 1 << 7,
                               kFlex0 = 1 << 16, kFlexible = 0xF << 16,
                               kPackets = kFlexible | 0xFE;  ///< all but the link change
}

inline constexpr unsigned kFlexibleFilters = 4, kFlexibleBytes = 128, kWakeupIpv4Addresses = 4;

/// Registers the filters look at; pointers into the register bank, which must outlive the view and
/// may not be null. Registers eight bytes apart have a gap dword after each.
struct WakeupView {
  FilterView address{};                  ///< the receiver's own address and VLAN filter
  std::uint32_t enabled = 0;             ///< WUFC
  std::uint32_t ipav = 0;                ///< 3:0 IP4AT entries, 16 IP6AT
  const std::uint32_t* ip4at = nullptr;  ///< 4, with gaps; first byte on the wire is bits 7:0
  const std::uint32_t* ip6at = nullptr;  ///< 4, without gaps; in the same order
  const std::uint32_t* fflt = nullptr;   ///< 4, with gaps
  const std::uint32_t* ffmt = nullptr;   ///< 128, with gaps
  const std::uint32_t* ffvt = nullptr;   ///< 128, with gaps
  /// Magic packets to the broadcast address need no RCTL.BAM; the 82544 wants it.
  bool broadcast_magic = true;
};

/// The wake bits of all enabled filters that an intact frame matches. It has to pass the
/// receiver's address and VLAN filter first, but for broadcast magic packets.
///   - EX: the destination is a valid receive address; MC: a multicast that MTA or MPE takes; BC,
///   - MAG: six or more FFh, then 16 times receive address 0, anywhere after the header,
///   - ARP: a broadcast request for a valid IP4AT address; IPv4, IPv6: sent to a receive address
///     and a valid IP4AT or IP6AT address. A tag of type VET and an LLC/SNAP header are skipped,
///   - flexible filters: at least FFLT bytes long, and equal to FFVT up to there and within the
///     first 128 bytes where FFMT says so.
/// Frames shorter than an Ethernet header match nothing.
std::uint32_t wakeup_matches(const WakeupView& view, ConstBytes frame);

}  // namespace e1000tlm::e1000
