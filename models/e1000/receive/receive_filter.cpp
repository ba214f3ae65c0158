#include "e1000tlm/e1000/receive/receive_filter.h"

#include "e1000tlm/e1000/receive/link_header.h"
#include "e1000tlm/e1000/registers/registers.h"

namespace e1000tlm::e1000 {
namespace {

constexpr std::size_t kHeaderBytes = kLinkHeaderBytes;
constexpr std::size_t kTaggedHeaderBytes = kHeaderBytes + kVlanTagBytes;
constexpr unsigned kReceiveAddresses = 16;

constexpr std::uint32_t kRahSelectSource = 1U << 16;
constexpr std::uint32_t kRahCompared = rah::kAv | 3U << 16 | 0xFFFF;  // AV, AS, address

constexpr std::uint16_t kTciCfi = 1 << 12, kTciVid = 0x0FFF;
constexpr std::uint16_t kOpcodePause = 0x0001;

/// An address as RAL and RAH 15:0 hold it.
struct Address {
  std::uint32_t low, high;
};
inline Address load_address(const std::uint8_t* p) { return {load_le32(p), load_le16(p + 4)}; }

inline bool matches(const std::uint32_t* pair, Address address, std::uint32_t select) {
  return pair[0] == address.low && (pair[1] & kRahCompared) == (rah::kAv | select | address.high);
}

bool matches_any(const FilterView& view, Address destination, Address source) {
  for (unsigned i = 0; i < kReceiveAddresses; ++i) {
    const std::uint32_t* pair = view.ra + 2 * i;
    if (matches(pair, destination, 0) || matches(pair, source, kRahSelectSource)) return true;
  }
  return false;
}

bool hash_hit(const FilterView& view, const std::uint8_t* destination) {
  const unsigned hash = multicast_hash(destination, view.rctl >> rctl::kMoShift & 3);
  return (view.mta[hash >> 5] >> (hash & 31) & 1) != 0;
}

/// Everything beyond a match of receive address 0.
FilterVerdict filter_address(const FilterView& view, const std::uint8_t* frame,
                             Address destination) {
  const bool broadcast = destination.low == 0xFFFFFFFF && destination.high == 0xFFFF;
  if (broadcast && (view.rctl & rctl::kBam) != 0) return FilterVerdict::kAcceptExact;
  if (matches_any(view, destination, load_address(frame + 6))) return FilterVerdict::kAcceptExact;
  const bool multicast = (destination.low & 1) != 0;
  if (!multicast) {
    return (view.rctl & rctl::kUpe) != 0 ? FilterVerdict::kAcceptInexact
                                         : FilterVerdict::kRejectAddress;
  }
  // PIF stays 0 for what MPE lets in, hash hit or not: so the 82575's manual (5.3.1, table 28),
  // whose receive filter is the same.
  if ((view.rctl & rctl::kMpe) != 0) return FilterVerdict::kAcceptExact;
  return hash_hit(view, frame) ? FilterVerdict::kAcceptInexact : FilterVerdict::kRejectAddress;
}

bool vlan_passes(const FilterView& view, ConstBytes frame) {
  if (!is_tagged(frame, view.vet)) return true;
  if (frame.size() < kTaggedHeaderBytes) return false;
  const std::uint16_t tci = tag_control(frame);
  const unsigned vid = tci & kTciVid;
  if ((view.vfta[vid >> 5] >> (vid & 31) & 1) == 0) return false;
  return (view.rctl & rctl::kCfien) == 0 ||
         ((tci & kTciCfi) != 0) == ((view.rctl & rctl::kCfi) != 0);
}

}  // namespace

FilterVerdict filter(const FilterView& view, ConstBytes frame) {
  if (frame.size() < kHeaderBytes) return FilterVerdict::kRejectAddress;
  const Address destination = load_address(frame.data());
  FilterVerdict verdict = FilterVerdict::kAcceptExact;
  if (!matches(view.ra, destination, 0)) {
    verdict = filter_address(view, frame.data(), destination);
    if (verdict == FilterVerdict::kRejectAddress) return verdict;
  }
  if ((view.rctl & rctl::kVfe) != 0 && !vlan_passes(view, frame)) return FilterVerdict::kRejectVlan;
  return verdict;
}

std::uint16_t multicast_hash(const std::uint8_t* destination, unsigned offset_select) {
  // MO 0..3 drop the 4, 3, 2 or 0 lowest bits of the last two address bytes.
  constexpr std::array<unsigned, 4> kDropped{4, 3, 2, 0};
  const unsigned last_two = load_le16(destination + 4);
  return static_cast<std::uint16_t>(last_two >> kDropped[offset_select & 3] & 0xFFF);
}

MacControlResult classify_mac_control(const PauseView& view, ConstBytes frame) {
  if (!has_mac_control_type(view, frame)) return {};
  const std::uint8_t* p = frame.data();
  const Address destination = load_address(p);
  MacControlResult result;
  result.station_address = destination.low == view.ral0 && (view.rah0 & rah::kAv) != 0 &&
                           destination.high == (view.rah0 & 0xFFFF);
  const bool group = destination.low == view.fcal && destination.high == (view.fcah & 0xFFFF);
  if (!group && !result.station_address) return {};
  if (load_be16(p + 14) != kOpcodePause) {
    result.kind = MacControl::kUnsupportedOpcode;
    return result;
  }
  result.kind = MacControl::kPause;
  result.quanta = load_be16(p + 16);
  return result;
}

std::array<std::uint8_t, 60> make_pause(const PauseView& view, std::uint16_t quanta) {
  std::array<std::uint8_t, 60> frame{};
  store_le32(&frame[0], view.fcal);
  store_le16(&frame[4], static_cast<std::uint16_t>(view.fcah));
  store_le32(&frame[6], view.ral0);
  store_le16(&frame[10], static_cast<std::uint16_t>(view.rah0));
  store_be16(&frame[12], static_cast<std::uint16_t>(view.fct));
  store_be16(&frame[14], kOpcodePause);
  store_be16(&frame[16], quanta);
  return frame;
}

}  // namespace e1000tlm::e1000
