#include "e1000tlm/virtio/receive_filter.h"

#include <algorithm>

namespace e1000tlm::virtio::net {
namespace {

constexpr std::size_t kAddressBytes = 6, kTypeAt = 12, kTagAt = 14, kHeaderBytes = 14;
constexpr std::uint16_t kTagType = 0x8100, kVlanMask = 0x0FFF;
constexpr MacAddress kBroadcast{0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};

bool contains(const std::vector<MacAddress>& table, const MacAddress& address) {
  return std::find(table.begin(), table.end(), address) != table.end();
}

void copy_table(std::vector<MacAddress>& table, ConstBytes from) {
  table.resize(static_cast<std::size_t>(from.size()) / kAddressBytes);
  for (std::size_t i = 0; i < table.size(); ++i) {
    std::copy_n(from.data() + i * kAddressBytes, kAddressBytes, table[i].begin());
  }
}

}  // namespace

void ReceiveFilter::reset() {
  modes_ = {};
  set_tables({}, {});
  vlan_filter_ = false;
  vlans_.reset();
}

void ReceiveFilter::set_tables(ConstBytes unicast, ConstBytes multicast) {
  const auto entries = [](ConstBytes table) {
    return static_cast<std::size_t>(table.size()) / kAddressBytes;
  };
  unicast_overflow_ = entries(unicast) > kEntries;
  copy_table(unicast_, unicast_overflow_ ? ConstBytes{} : unicast);
  multicast_overflow_ = unicast_.size() + entries(multicast) > kEntries;
  copy_table(multicast_, multicast_overflow_ ? ConstBytes{} : multicast);
}

bool ReceiveFilter::accepts(ConstBytes frame) const {
  const auto size = static_cast<std::size_t>(frame.size());
  if (size < kHeaderBytes) return false;
  if (modes_.promiscuous) return true;
  if (vlan_filter_ && load_be16(frame.data() + kTypeAt) == kTagType) {
    if (size < kTagAt + 2) return false;
    if (!vlans_.test(load_be16(frame.data() + kTagAt) & kVlanMask)) return false;
  }
  MacAddress destination;
  std::copy_n(frame.data(), kAddressBytes, destination.begin());
  return accepts_address(destination);
}

bool ReceiveFilter::accepts_address(const MacAddress& destination) const {
  if ((destination[0] & 1) == 0) {
    if (modes_.no_unicast) return false;
    return modes_.all_unicast || unicast_overflow_ || destination == address_ ||
           contains(unicast_, destination);
  }
  if (destination == kBroadcast) return !modes_.no_broadcast;
  if (modes_.no_multicast) return false;
  return modes_.all_multicast || multicast_overflow_ || contains(multicast_, destination);
}

}  // namespace e1000tlm::virtio::net
