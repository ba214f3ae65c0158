#include "e1000tlm/virtio/receive_filter.h"

#include <algorithm>

namespace e1000tlm::virtio::net {
namespace {

constexpr std::size_t kAddressBytes = 6, kTypeAt = 12, kTagAt = 14, kHeaderBytes = 14;
constexpr std::uint16_t kTagType = 0x8100, kVlanMask = 0x0FFF;
constexpr std::uint64_t kBroadcast = 0xFFFF'FFFF'FFFF, kGroup = 1ULL << 40;

}  // namespace

ReceiveFilter::Key ReceiveFilter::key_of(const std::uint8_t* address) {
  return Key{load_be16(address)} << 32 | load_be32(address + 2);
}

void ReceiveFilter::copy_table(std::vector<Key>& table, ConstBytes from) {
  table.resize(static_cast<std::size_t>(from.size()) / kAddressBytes);
  for (std::size_t i = 0; i < table.size(); ++i) table[i] = key_of(&from[i * kAddressBytes]);
}

void ReceiveFilter::set_address(const MacAddress& address) {
  address_ = address;
  own_ = key_of(address.data());
}

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
  return accepts_address(key_of(frame.data()));
}

bool ReceiveFilter::accepts_address(Key destination) const {
  const auto in = [&](const std::vector<Key>& table) {
    return std::find(table.begin(), table.end(), destination) != table.end();
  };
  if ((destination & kGroup) == 0) {
    if (modes_.no_unicast) return false;
    return modes_.all_unicast || unicast_overflow_ || destination == own_ || in(unicast_);
  }
  if (destination == kBroadcast) return !modes_.no_broadcast;
  if (modes_.no_multicast) return false;
  return modes_.all_multicast || multicast_overflow_ || in(multicast_);
}

}  // namespace e1000tlm::virtio::net
