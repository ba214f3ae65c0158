#pragma once
/// Which station is behind which port of a switch. No SystemC.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "e1000tlm/tlm/bytes.h"
#include "e1000tlm/tlm/time.h"

namespace e1000tlm::link {

/// A MAC address as a number: the byte that is sent first is the most significant of 48 bits.
using StationAddress = std::uint64_t;

inline StationAddress load_station(const std::uint8_t* bytes) {
  return (std::uint64_t{load_be32(bytes)} << 16) | load_be16(bytes + 4);
}
/// Multicast or broadcast: the first bit on the wire is 1 (IEEE 802.3 3.2.3).
constexpr bool is_group(StationAddress address) { return (address >> 40 & 1) != 0; }

struct StationTableStatistics {
  std::uint64_t learned = 0;  ///< addresses entered, also after they had aged out
  std::uint64_t moved = 0;    ///< seen on another port than before
  std::uint64_t aged = 0;     ///< entries removed, or renewed, after their time
  std::uint64_t refused = 0;  ///< addresses not entered because the table was full
};

/// The filtering database of IEEE 802.1D 7.9 with dynamic entries only. No allocation after
/// construction but when a port is forgotten or a full table is cleared of aged entries.
///
/// Times given must not lie far behind earlier ones; entries refreshed out of order keep the later
/// time.
class StationTable {
 public:
  static constexpr unsigned kNowhere = ~0U;

  /// `capacity`: addresses, at least 1. An entry is gone when it has not been seen for longer than
  /// `aging`.
  StationTable(std::size_t capacity, Time aging);

  /// The port behind which the station was last seen; kNowhere.
  unsigned find(StationAddress address, Time now) const {
    const Entry& entry = entries_[slot_of(address)];
    if (entry.key == 0 || expired(entry, now)) return kNowhere;
    return port_of(entry);
  }
  /// The station has been seen behind this port (0..65534).
  void learn(StationAddress address, unsigned port, Time now) {
    Entry& entry = entries_[slot_of(address)];
    if (entry.key == key_of(address, port) && !expired(entry, now)) {
      if (entry.seen < now) entry.seen = now;
    } else {
      enter(address, port, now);
    }
  }
  /// Stations behind this port are no longer known.
  void forget(unsigned port);

  /// Stations known at this time.
  std::size_t stations(Time now) const;
  const StationTableStatistics& statistics() const { return statistics_; }

 private:
  struct Entry {
    std::uint64_t key = 0;  // address << 16 | port + 1; 0: free
    Time seen{};
  };
  static constexpr std::uint64_t key_of(StationAddress address, unsigned port) {
    return address << 16 | (port + 1);
  }
  static unsigned port_of(const Entry& entry) {
    return static_cast<unsigned>(entry.key & 0xFFFF) - 1;
  }
  bool expired(const Entry& entry, Time now) const { return now - entry.seen > aging_; }
  /// Where the address stands, or would stand. Half of the slots at least are free.
  std::size_t slot_of(StationAddress address) const {
    // Multiplicative hashing (Knuth, 6.4): consecutive addresses spread well.
    std::size_t slot = (address * 0x9E37'79B9'7F4A'7C15U) >> shift_;
    while (entries_[slot].key != 0 && entries_[slot].key >> 16 != address)
      slot = (slot + 1) & mask_;
    return slot;
  }
  void enter(StationAddress address, unsigned port, Time now);
  void remove_aged(Time now);
  template <class Keep>
  void rebuild(Keep keep);

  std::size_t capacity_;
  Time aging_;
  unsigned shift_ = 0;
  std::size_t mask_ = 0;
  std::size_t used_ = 0;
  Time next_removal_{};  // nothing ages before
  StationTableStatistics statistics_;
  std::vector<Entry> entries_;  // open addressing, linear probing
};

}  // namespace e1000tlm::link
