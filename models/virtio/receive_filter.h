#pragma once
/// Which frames a network device takes from the wire. No SystemC.

#include <array>
#include <bitset>
#include <cstdint>
#include <vector>

#include "e1000tlm/tlm/bytes.h"

namespace e1000tlm::virtio::net {

/// An Ethernet address.
using MacAddress = std::array<std::uint8_t, 6>;

/// How frames are judged beside their address (virtio 1.2, 5.1.6.5.1).
struct ReceiveModes {
  bool promiscuous = true;     ///< all frames, whatever else is said; so until a driver says no
  bool all_multicast = false;  ///< all multicast
  bool all_unicast = false;    ///< all unicast
  bool no_multicast = false;   ///< none, but broadcast
  bool no_unicast = false;     ///< none
  bool no_broadcast = false;   ///< none
};

/// A receive filter as QEMU has it; virtio leaves its size open.
///
/// Two tables, of unicast and multicast addresses, have room for kEntries addresses together. A
/// table that is too long is not stored: all frames of its kind pass then (virtio 1.2, 5.1.6.5.2).
class ReceiveFilter {
 public:
  /// Addresses in both tables together.
  static constexpr std::size_t kEntries = 64;
  /// VLANs of a tag.
  static constexpr unsigned kVlans = 4096;

  /// As after a reset: promiscuous, no addresses, no VLANs.
  void reset();
  /// Frames with a tag pass only if their VLAN has been added. Off after a reset.
  void filter_vlans(bool on) { vlan_filter_ = on; }

  /// The device's own address, which reset() leaves.
  const MacAddress& address() const { return address_; }
  /// Ditto.
  void set_address(const MacAddress& address);
  /// See ReceiveModes.
  const ReceiveModes& modes() const { return modes_; }
  /// Ditto.
  void set_modes(const ReceiveModes& modes) { modes_ = modes; }
  /// Both tables, one address after the other.
  void set_tables(ConstBytes unicast, ConstBytes multicast);
  /// Adds a VLAN below kVlans, or takes it away.
  void set_vlan(unsigned vlan, bool pass) { vlans_.set(vlan, pass); }

  /// Is the frame for the driver? Shorter than an Ethernet header: no.
  bool accepts(ConstBytes frame) const;

  /// Addresses that are stored.
  std::size_t unicast_entries() const { return unicast_.size(); }
  /// Ditto.
  std::size_t multicast_entries() const { return multicast_.size(); }
  /// A table was too long.
  bool unicast_overflow() const { return unicast_overflow_; }
  /// Ditto.
  bool multicast_overflow() const { return multicast_overflow_; }

 private:
  // Addresses as numbers, whose comparison is one operation.
  using Key = std::uint64_t;
  static Key key_of(const std::uint8_t* address);
  static void copy_table(std::vector<Key>& table, ConstBytes from);
  bool accepts_address(Key destination) const;

  MacAddress address_{};
  Key own_ = 0;  // address_
  ReceiveModes modes_;
  std::vector<Key> unicast_, multicast_;
  bool unicast_overflow_ = false, multicast_overflow_ = false;
  bool vlan_filter_ = false;
  std::bitset<kVlans> vlans_;
};

}  // namespace e1000tlm::virtio::net
