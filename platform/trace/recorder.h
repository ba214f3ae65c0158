#pragma once
/// Takes all events, keeps those that are wanted in bounded memory, and passes them on. No SystemC.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include <boost/circular_buffer.hpp>

#include "e1000tlm/pci/transaction.h"
#include "e1000tlm/trace/event.h"
#include "e1000tlm/trace/frame_path.h"
#include "e1000tlm/trace/large_memory.h"
#include "e1000tlm/trace/packed_event.h"

namespace e1000tlm::trace {

/// What is kept.
struct Keep {
  /// Kinds that a trace has.
  Filter filter{};
  /// Ways of frames as well.
  bool paths = true;
  /// And whatever waveforms show.
  bool waves = false;
  /// Only what begins before this.
  Time until = kTimeNever;
  /// Only what ends at or after this.
  Time from{};
  /// Only so much before the end; unset: everything from the beginning.
  std::optional<Time> last{};
  /// The end is the first frame that an adapter loses.
  bool until_drop = false;
  /// At most so many events; without `last` the first ones, else the latest.
  std::size_t most = 2'000'000;
};

/// A ring of what was recorded, in blocks of which it is known what begins first.
template <class Item>
struct Kept {
  /// Items of a block.
  static constexpr std::size_t kBlock = 2048;
  /// What is kept.
  boost::circular_buffer<Item, LargeMemory<Item>> items;
  /// Of items ever put in.
  std::uint64_t count = 0;
  /// The earliest beginning in each block from that of the oldest item on, or one before it.
  std::deque<Time> earliest;
};

/// The recorder.
class Recorder {
 public:
  /// Somebody who looks at every event at once, whatever is kept.
  using Listener = std::function<void(const Event&)>;
  /// Keeps what `keep` says; nothing: only listeners.
  explicit Recorder(std::optional<Keep> keep);

  /// Another listener; before the run.
  void listen(Listener listener) { listeners_.push_back(std::move(listener)); }
  /// The same for ways of frames.
  void listen_to_paths(std::function<void(const FramePath&)> listener) {
    path_listeners_.push_back(std::move(listener));
  }
  /// An event, in any order.
  void record(const Event& event) {
    for (const Listener& listener : listeners_) listener(event);
    if (keep_) store(event);
  }
  /// A frame has gone its way.
  void record(const FramePath& path);
  /// A transaction on a board's bus; only kept for waveforms.
  void record(const pci::Transaction& transaction, unsigned board);

  /// Shows what is kept, by time; Event::busy is only for listeners.
  void visit(const std::function<void(const Event&)>& visitor) const;
  /// What is kept, by time.
  std::vector<Event> events() const;
  /// Shows ways of frames, within the same limits, by their beginnings.
  void visit_paths(const std::function<void(const FrameTimes&)>& visitor) const;
  /// Ways of frames, within the same limits.
  std::vector<FrameTimes> paths() const;
  /// Transactions of a board's bus, within the same limits.
  std::vector<pci::Transaction> transactions(unsigned board) const;
  /// Events and frames that were wanted but found no room.
  std::uint64_t left_out() const { return left_out_; }
  /// A trace has this kind.
  bool traced(Kind kind) const { return keep_ && keep_->filter.passes(kind); }
  /// Ways of frames that are kept now.
  std::size_t path_count() const { return paths_.items.size(); }
  /// Kept now.
  std::size_t size() const { return events_.items.size(); }
  /// The latest that is kept, or was.
  Time latest() const { return latest_; }
  /// Frames lost are what the recording ended with, at this time; kTimeNever: it has not ended.
  Time ended() const { return ended_; }

 private:
  void store(const Event& event);
  bool wanted(Time at, Time end) const;
  template <class Item>
  void push(Kept<Item>& kept, const Item& item);
  /// Where the last stretch begins.
  Time begin() const;

  std::optional<Keep> keep_;
  std::vector<Listener> listeners_;
  std::vector<std::function<void(const FramePath&)>> path_listeners_;
  EventPacker packer_;
  Kept<PackedEvent> events_;
  Kept<FrameTimes> paths_;
  std::vector<Kept<pci::Transaction>> transactions_;  // by board
  std::uint64_t left_out_ = 0;
  Time latest_{};
  Time ended_ = kTimeNever;
};

}  // namespace e1000tlm::trace
