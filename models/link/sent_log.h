#pragma once
/// What has been given to a sink and may not have arrived yet. No SystemC.

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "e1000tlm/tlm/time.h"

namespace e1000tlm::link {

/// Frames of one direction, oldest first. Those that have arrived leave when room is needed, so
/// that a frame costs next to nothing.
class SentLog {
 public:
  struct Entry {
    Time last_bit;  ///< at the receiving end
    std::size_t wire_bytes;
  };

  SentLog() : entries_(kFirstRoom) {}

  /// True: note() needs forget_until() first.
  bool full() const { return end_ - begin_ == entries_.size(); }
  /// Frames that have arrived by `now` are of no interest any more. Makes room in any case.
  void forget_until(Time now) {
    while (begin_ != end_ && entries_[begin_ & mask()].last_bit <= now) ++begin_;
    if (2 * (end_ - begin_) > entries_.size()) grow();
  }
  void note(Time last_bit, std::size_t wire_bytes) {
    entries_[end_++ & mask()] = {last_bit, wire_bytes};
  }

  bool empty() const { return begin_ == end_; }
  /// The newest.
  const Entry& back() const { return entries_[(end_ - 1) & mask()]; }
  void pop_back() { --end_; }
  /// How many arrive after `now`.
  std::size_t after(Time now) const {
    std::size_t frames = 0;
    while (frames != end_ - begin_ && entries_[(end_ - 1 - frames) & mask()].last_bit > now) {
      ++frames;
    }
    return frames;
  }

 private:
  static constexpr std::size_t kFirstRoom = 64;  // a power of two

  std::size_t mask() const { return entries_.size() - 1; }
  void grow() {
    std::vector<Entry> larger(2 * entries_.size());
    for (std::size_t i = begin_; i != end_; ++i)
      larger[i & (larger.size() - 1)] = entries_[i & mask()];
    entries_ = std::move(larger);
  }

  std::vector<Entry> entries_;
  std::size_t begin_ = 0, end_ = 0;  // count on for ever
};

}  // namespace e1000tlm::link
