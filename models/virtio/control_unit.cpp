#include "e1000tlm/virtio/control_unit.h"

#include <algorithm>
#include <array>

namespace e1000tlm::virtio::net {
namespace {

constexpr std::size_t kHeaderBytes = 2, kAddressBytes = 6, kCountBytes = 4;
constexpr std::uint32_t kMostTableBytes = 0xFFFF'FFFF / kAddressBytes;

/// Takes a command apart from its first byte on. What is read beyond its end is 0, and ok() false
/// from then on.
class Reader {
 public:
  explicit Reader(ConstBytes bytes) : rest_(bytes) {}
  ConstBytes bytes(std::size_t count) {
    if (count > static_cast<std::size_t>(rest_.size())) {
      ok_ = false;
      return {};
    }
    const ConstBytes taken = rest_.first(count);
    rest_ = rest_.subspan(count);
    return taken;
  }
  std::uint8_t u8() {
    const ConstBytes taken = bytes(1);
    return taken.empty() ? std::uint8_t{0} : taken[0];
  }
  std::uint16_t u16() {
    const ConstBytes taken = bytes(2);
    return taken.empty() ? std::uint16_t{0} : load_le16(taken.data());
  }
  std::uint32_t u32() {
    const ConstBytes taken = bytes(4);
    return taken.empty() ? 0 : load_le32(taken.data());
  }
  bool ok() const { return ok_; }
  std::size_t left() const { return static_cast<std::size_t>(rest_.size()); }

 private:
  ConstBytes rest_;
  bool ok_ = true;
};

/// Key length and key, which end both commands with hashes.
bool read_key(Reader& reader, HashConfig& config) {
  const std::size_t bytes = reader.u8();
  if (bytes > ToeplitzHash::kKeyBytes) return false;
  const ConstBytes key = reader.bytes(bytes);
  config.key.assign(key.begin(), key.end());
  return reader.ok() && (bytes != 0 || config.types == 0);
}

}  // namespace

struct ControlUnit::Command {
  std::uint8_t kind, command;
  std::uint64_t feature;  // without it there is no such command
  bool (*run)(ControlUnit&, ConstBytes data);
};

ControlUnit::ControlUnit(unsigned pairs, const MacAddress& address)
    : most_pairs_(pairs), own_address_(address) {
  reset();
}

void ControlUnit::reset() {
  ++resets_;
  features_ = 0;
  filter_.reset();
  filter_.set_address(own_address_);
  hash_.reset();
  pairs_ = 1;
  announce_ = false;
}

void ControlUnit::set_features(std::uint64_t features) {
  features_ = features;
  filter_.filter_vlans(agreed(feature::kControlVlan));
}

const char* ControlUnit::problem(const DeviceQueue::Chain& chain) {
  if (chain.readable_bytes < kHeaderBytes) return "a control command is shorter than its header";
  if (chain.writable_bytes == 0) return "a control command has no room for its answer";
  return nullptr;
}

bool ControlUnit::serve(RingMemory& memory, const DeviceQueue::Chain& chain) {
  command_.resize(std::min<std::size_t>(chain.readable_bytes, kMostBytes));
  const std::uint64_t resets = resets_;  // time may pass with each access
  const auto read = read_chain(memory, chain, 0, command_);
  if (resets != resets_) return true;
  if (!read) return false;
  const std::array<std::uint8_t, 1> answer{execute(ConstBytes(command_.data(), *read))};
  return write_chain(memory, chain, 0, answer).has_value();
}

std::uint8_t ControlUnit::execute(ConstBytes command) {
  using F = ReceiveModes;
  static constexpr std::array<Command, 14> kCommands{{
      {control::kRx, control::kRxPromiscuous, feature::kControlRx,
       [](ControlUnit& u, ConstBytes d) { return u.set_mode(&F::promiscuous, d); }},
      {control::kRx, control::kRxAllMulticast, feature::kControlRx,
       [](ControlUnit& u, ConstBytes d) { return u.set_mode(&F::all_multicast, d); }},
      {control::kRx, control::kRxAllUnicast, feature::kControlRxExtra,
       [](ControlUnit& u, ConstBytes d) { return u.set_mode(&F::all_unicast, d); }},
      {control::kRx, control::kRxNoMulticast, feature::kControlRxExtra,
       [](ControlUnit& u, ConstBytes d) { return u.set_mode(&F::no_multicast, d); }},
      {control::kRx, control::kRxNoUnicast, feature::kControlRxExtra,
       [](ControlUnit& u, ConstBytes d) { return u.set_mode(&F::no_unicast, d); }},
      {control::kRx, control::kRxNoBroadcast, feature::kControlRxExtra,
       [](ControlUnit& u, ConstBytes d) { return u.set_mode(&F::no_broadcast, d); }},
      {control::kMac, control::kMacTables, feature::kControlRx,
       [](ControlUnit& u, ConstBytes d) { return u.set_tables(d); }},
      {control::kMac, control::kMacAddress, feature::kControlMac,
       [](ControlUnit& u, ConstBytes d) { return u.set_address(d); }},
      {control::kVlan, control::kVlanAdd, feature::kControlVlan,
       [](ControlUnit& u, ConstBytes d) { return u.set_vlan(d, true); }},
      {control::kVlan, control::kVlanRemove, feature::kControlVlan,
       [](ControlUnit& u, ConstBytes d) { return u.set_vlan(d, false); }},
      {control::kAnnounce, control::kAnnounceAck, feature::kGuestAnnounce,
       [](ControlUnit& u, ConstBytes) { return u.acknowledge_announcement(); }},
      {control::kMultiQueue, control::kPairs, feature::kMultiQueue,
       [](ControlUnit& u, ConstBytes d) { return u.set_pairs(d); }},
      {control::kMultiQueue, control::kRssConfig, feature::kRss,
       [](ControlUnit& u, ConstBytes d) { return u.configure_rss(d); }},
      {control::kMultiQueue, control::kHashConfig, feature::kHashReport,
       [](ControlUnit& u, ConstBytes d) { return u.configure_hash(d); }},
  }};
  ++commands_;
  if (command.size() >= kHeaderBytes) {
    for (const Command& known : kCommands) {
      if (known.kind != command[0] || known.command != command[1]) continue;
      if (agreed(known.feature) && known.run(*this, command.subspan(kHeaderBytes))) {
        return control::kOk;
      }
      break;
    }
  }
  ++errors_;
  return control::kError;
}

void ControlUnit::set_address_byte(unsigned index, std::uint8_t value) {
  MacAddress address = filter_.address();
  if (index >= address.size()) return;
  address[index] = value;
  filter_.set_address(address);
}

bool ControlUnit::ask_for_announcement() {
  announce_ = announce_ || agreed(feature::kGuestAnnounce);
  return announce_;
}

bool ControlUnit::set_mode(bool ReceiveModes::*mode, ConstBytes data) {
  if (data.empty()) return false;
  ReceiveModes modes = filter_.modes();
  modes.*mode = data[0] != 0;
  filter_.set_modes(modes);
  return true;
}

/// Two tables, each a number of entries and so many addresses.
bool ControlUnit::set_tables(ConstBytes data) {
  Reader reader(data);
  std::array<ConstBytes, 2> tables;
  for (ConstBytes& table : tables) {
    const std::uint32_t entries = reader.u32();
    if (!reader.ok() || entries > kMostTableBytes) return false;
    table = reader.bytes(entries * kAddressBytes);
    if (!reader.ok()) return false;
  }
  if (reader.left() != 0) return false;
  filter_.set_tables(tables[0], tables[1]);
  return true;
}

bool ControlUnit::set_address(ConstBytes data) {
  if (data.size() != kAddressBytes) return false;
  MacAddress address;
  std::copy(data.begin(), data.end(), address.begin());
  filter_.set_address(address);
  return true;
}

bool ControlUnit::set_vlan(ConstBytes data, bool pass) {
  Reader reader(data);
  const std::uint16_t vlan = reader.u16();
  if (!reader.ok() || vlan >= ReceiveFilter::kVlans) return false;
  filter_.set_vlan(vlan, pass);
  return true;
}

bool ControlUnit::acknowledge_announcement() {
  const bool asked = announce_;
  announce_ = false;
  return asked;
}

/// The device steers by itself again (virtio 1.2, 5.1.6.5.5).
bool ControlUnit::set_pairs(ConstBytes data) {
  Reader reader(data);
  const std::uint16_t pairs = reader.u16();
  if (!reader.ok() || pairs == 0 || pairs > most_pairs_) return false;
  pairs_ = pairs;
  hash_.reset();
  return true;
}

bool ControlUnit::configure_rss(ConstBytes data) {
  Reader reader(data);
  HashConfig config;
  config.steering = true;
  config.types = reader.u32();
  config.mask = reader.u16();
  config.unclassified = reader.u16();
  const std::size_t length = std::size_t{config.mask} + 1;
  if (length > HashConfig::kMostTable || (length & config.mask) != 0) return false;
  bool exist = config.unclassified < most_pairs_;
  for (std::size_t i = 0; i < length; ++i) {
    config.table[i] = reader.u16();
    exist = exist && config.table[i] < most_pairs_;
  }
  const std::uint16_t pairs = reader.u16();
  if (!read_key(reader, config) || !exist || pairs == 0 || pairs > most_pairs_) return false;
  if ((config.types & ~hash_type::kAll) != 0) return false;
  pairs_ = pairs;
  hash_.configure(config);
  return true;
}

bool ControlUnit::configure_hash(ConstBytes data) {
  Reader reader(data);
  HashConfig config;
  config.types = reader.u32();
  reader.bytes(8);  // what receive-side scaling has there
  if (!read_key(reader, config) || (config.types & ~hash_type::kAll) != 0) return false;
  hash_.configure(config);
  return true;
}

}  // namespace e1000tlm::virtio::net
