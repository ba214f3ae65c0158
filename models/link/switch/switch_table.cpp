#include "e1000tlm/link/switch/switch_table.h"

#include <algorithm>

namespace e1000tlm::link {

StationTable::StationTable(std::size_t capacity, Time aging) : capacity_(capacity), aging_(aging) {
  unsigned bits = 1;
  while ((std::size_t{1} << bits) < 2 * capacity) ++bits;
  shift_ = 64 - bits;
  mask_ = (std::size_t{1} << bits) - 1;
  entries_.resize(mask_ + 1);
}

void StationTable::enter(StationAddress address, unsigned port, Time now) {
  std::size_t slot = slot_of(address);
  if (entries_[slot].key == 0) {
    if (used_ == capacity_ && now > next_removal_) {
      remove_aged(now);
      slot = slot_of(address);
    }
    if (used_ == capacity_) {
      ++statistics_.refused;
      return;
    }
    ++used_;
    ++statistics_.learned;
  } else if (expired(entries_[slot], now)) {
    ++statistics_.aged;
    ++statistics_.learned;
  } else {
    ++statistics_.moved;
  }
  entries_[slot] = {key_of(address, port), std::max(now, entries_[slot].seen)};
}

/// Entries hold on to their slots while others probe past them, so taking some out means putting
/// the others in anew.
template <class Keep>
void StationTable::rebuild(Keep keep) {
  std::vector<Entry> kept;
  kept.reserve(used_);
  for (Entry& entry : entries_) {
    if (entry.key != 0 && keep(entry)) kept.push_back(entry);
    entry = Entry{};
  }
  used_ = kept.size();
  for (const Entry& entry : kept) entries_[slot_of(entry.key >> 16)] = entry;
}

void StationTable::forget(unsigned port) {
  rebuild([&](const Entry& entry) { return port_of(entry) != port; });
}

void StationTable::remove_aged(Time now) {
  const std::size_t before = used_;
  Time oldest = now;
  rebuild([&](const Entry& entry) {
    if (expired(entry, now)) return false;
    oldest = std::min(oldest, entry.seen);
    return true;
  });
  statistics_.aged += before - used_;
  next_removal_ = oldest + aging_;
}

std::size_t StationTable::stations(Time now) const {
  return static_cast<std::size_t>(
      std::count_if(entries_.begin(), entries_.end(),
                    [&](const Entry& entry) { return entry.key != 0 && !expired(entry, now); }));
}

}  // namespace e1000tlm::link
