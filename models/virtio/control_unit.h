#pragma once
/// What the driver tells a network device through the control queue (virtio 1.2, 5.1.6.5). No
/// SystemC.

#include <cstdint>
#include <vector>

#include "e1000tlm/tlm/bytes.h"
#include "e1000tlm/virtio/net.h"
#include "e1000tlm/virtio/receive_filter.h"
#include "e1000tlm/virtio/split_ring.h"
#include "e1000tlm/virtio/steering.h"

namespace e1000tlm::virtio::net {

/// Carries out control commands, and holds what they set.
///
/// A command that is too short, has impossible values, or belongs to a feature that was not agreed
/// on, is answered with control::kError and changes nothing. Bytes behind a command do not count,
/// as in QEMU, but behind MAC tables, whose length must be right.
class ControlUnit {
 public:
  /// Longest command that is carried out: MAC tables of some 174,000 addresses.
  static constexpr std::size_t kMostBytes = 1U << 20;

  /// A device with so many pairs, 1 to kMostPairs, and this address.
  ControlUnit(unsigned pairs, const MacAddress& address);

  /// The driver has reset the device: its own address and one pair.
  void reset();
  /// The driver has agreed on these.
  void set_features(std::uint64_t features);

  /// What is wrong with a buffer for a command, so that it cannot even be answered; null: nothing.
  /// A device needs a reset then, as QEMU has it.
  static const char* problem(const DeviceQueue::Chain& chain);
  /// Carries out what the device may read of a buffer (the first kMostBytes will do). The answer,
  /// which is to be the first byte that the device writes.
  std::uint8_t execute(ConstBytes command);
  /// Ditto, in memory: reads the command, writes the answer. False: some of the buffer is not in
  /// memory. A command during whose reading the device was reset is not carried out.
  bool serve(RingMemory& memory, const DeviceQueue::Chain& chain);

  /// Frames that are for the driver, and the device's address.
  const ReceiveFilter& filter() const { return filter_; }
  /// The driver writes its address to the configuration space (legacy, virtio 1.2, 5.1.4.3).
  void set_address_byte(unsigned index, std::uint8_t value);
  /// Pairs in use.
  unsigned pairs() const { return pairs_; }
  /// Hashes and receive-side scaling.
  const ReceiveHash& hash() const { return hash_; }

  /// The driver is to announce itself (config::kStatus has kAnnounce) until it says that it has
  /// heard. Nothing without VIRTIO_NET_F_GUEST_ANNOUNCE: false.
  bool ask_for_announcement();
  /// It was asked, and has not yet said so.
  bool announcement_asked() const { return announce_; }

  /// Commands so far, and those of them that were answered with an error.
  std::uint64_t commands() const { return commands_; }
  /// Ditto.
  std::uint64_t errors() const { return errors_; }

 private:
  struct Command;  // class, command, feature, handler

  bool agreed(std::uint64_t feature) const { return (features_ & feature) != 0; }
  bool set_mode(bool ReceiveModes::*mode, ConstBytes data);
  bool set_tables(ConstBytes data);
  bool set_address(ConstBytes data);
  bool set_vlan(ConstBytes data, bool pass);
  bool acknowledge_announcement();
  bool set_pairs(ConstBytes data);
  bool configure_rss(ConstBytes data);
  bool configure_hash(ConstBytes data);

  const unsigned most_pairs_;
  const MacAddress own_address_;
  std::uint64_t features_ = 0;
  ReceiveFilter filter_;
  ReceiveHash hash_;
  unsigned pairs_ = 1;
  bool announce_ = false;
  std::uint64_t commands_ = 0, errors_ = 0, resets_ = 0;
  std::vector<std::uint8_t> command_;  // kept, so that commands allocate nothing
};

}  // namespace e1000tlm::virtio::net
