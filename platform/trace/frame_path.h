#pragma once
/// Where the time of single frames goes: their way through an adapter, divided into parts that add
/// up exactly. No SystemC.

#include <array>
#include <cstdint>
#include <functional>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/circular_buffer.hpp>

#include "e1000tlm/tlm/time.h"
#include "e1000tlm/trace/event.h"

namespace e1000tlm::trace {

/// Parts of a frame's time. Received frames: from their first bit on the wire to the moment when
/// software looks (first access to a register of the adapter after the write-back). Sent frames:
/// from the doorbell (TDT) over their last bit on the wire to the moment when software looks after
/// the write-back that tells of them; where that comes before the last bit, to the last bit.
enum class Part : std::uint8_t {
  kWire,              ///< bits on the wire
  kFifoWait,          ///< in the packet buffer, or for room in it, behind other frames
  kDescriptorWait,    ///< until its descriptor is on chip and its data is asked for
  kArbitration,       ///< REQ# to the address phase
  kTransfer,          ///< address phase to the last idle clock
  kMemory,            ///< memory latency, and what else passes between accesses
  kWriteBackWait,     ///< until the descriptor's write-back is asked for
  kDelayTimer,        ///< write-back to the interrupt line: RDTR, RADV, the line's own latency
  kThrottling,        ///< the same where ITR held the interrupt back
  kInterruptLatency,  ///< interrupt line to software's first access
  kCount
};
/// Their names in reports, by Part.
inline constexpr std::array<std::string_view, static_cast<std::size_t>(Part::kCount)> kPartNames{
    "wire",         "FIFO wait",        "descriptor wait", "bus arbitration",
    "bus transfer", "memory latency",   "write-back wait", "delay timer",
    "ITR",          "software's answer"};

/// When a frame was where.
struct FrameTimes {
  /// Adapter, of all boards.
  std::uint16_t nic = 0;
  /// Board.
  std::uint16_t board = 0;
  /// To the NIC; else from it.
  bool inbound = true;
  /// On the wire with FCS.
  std::uint32_t bytes = 0;
  /// First bit, or doorbell.
  Time begin{};
  /// Software looked; outbound not before the last bit.
  Time end{};
  /// First access for its data: the address phase.
  Time data{};
  /// Inbound: last bit; outbound: first bit.
  Time wire{};
  /// Outbound: last bit.
  Time sent{};
  /// Address phase of the write-back.
  Time write_back{};
  /// The line was asserted after the write-back; zero: software looked by itself.
  Time interrupt{};
};

/// One frame's way.
struct FramePath : FrameTimes {
  /// By Part; their sum is end - begin.
  std::array<Time, static_cast<std::size_t>(Part::kCount)> parts{};

  /// Of all parts.
  Time sum() const {
    Time total{};
    for (const Time part : parts) total += part;
    return total;
  }
};

/// Follows frames by the events of a board, in the order in which they are announced. Memory is
/// bounded by what is under way: rings and packet buffers hold no more.
class PathFinder {
 public:
  /// Called for each frame that has gone all the way.
  using Sink = std::function<void(const FramePath&)>;
  /// See Sink.
  explicit PathFinder(Sink sink) : sink_(std::move(sink)) {}

  /// Every event, as it is announced.
  void operator()(const Event& event);
  /// TDT and the ring's length as they stand before software's next write to TDT: what the doorbell
  /// before said.
  void tail(std::uint16_t nic, std::uint32_t tdt, std::uint32_t entries);
  /// Frames that could not be followed: segments of large sends, those lost on the way, those that
  /// software never asked for.
  std::uint64_t lost_track() const { return lost_track_; }

 private:
  /// A frame under way, with the moment up to which its time is divided.
  struct Walk {
    FramePath path;
    Time now{};
    std::uint32_t length = 0;  // outbound: bytes of its descriptors
    bool segmented = false;    // into several frames
    Time described{};          // outbound: its last descriptor was begun
    Event told{};              // outbound: the write-back
    bool throttled = false;    // outbound: ITR held its interrupt back
    Time looked{};             // outbound: software did
    void spend(Part part, Time until) {
      if (until <= now) return;
      path.parts[static_cast<std::size_t>(part)] += until - now;
      now = until;
    }
    void access(const Event& bus, Part wait) {
      spend(wait, bus.asked);
      spend(Part::kArbitration, bus.at);
      spend(Part::kTransfer, bus.end);
    }
  };
  struct Doorbell {
    Time at{};
    std::uint32_t tail = 0;
    bool known = false;  // the tail is
  };
  /// Grows to what was under way at most and takes no memory from then on.
  template <class Item>
  struct Queue : boost::circular_buffer<Item> {
    /// A new one behind the others.
    Item& append() {
      if (this->full()) this->set_capacity(2 * this->capacity() + 16);
      this->push_back({});
      return this->back();
    }
  };
  struct Lane {
    // Frames received, oldest first: so many were written back and software has not looked, so
    // many are in memory, to be written back; the rest is in the packet buffer.
    Queue<Walk> received;
    std::size_t reported = 0, filled = 0;
    Time freed{};  // the engine was free for the next one

    // Packets that are being read, wait for the wire or for software, in the ring's order. So many
    // of the first have left, were written back, had an interrupt, were looked at.
    Queue<Walk> sending;
    std::size_t left = 0, told = 0, called = 0, seen = 0;
    bool open = false;  // the last of them has more descriptors
    Queue<Doorbell> doorbells;
    std::uint32_t first = 0;    // of the oldest doorbell: its first descriptor
    std::uint32_t entries = 0;  // of the ring
    Time wire_free{};           // end of the frame before
  };
  Lane& lane(const Event& event);
  void bus(const Event& event, Lane& lane);
  static void data_written(const Event& event, Lane& lane);
  static void written_back(const Event& event, Lane& lane);
  static void received(const Event& event, Lane& lane);
  void filled(const Event& event, Lane& lane);
  static void interrupt(const Event& event, Lane& lane);
  void software(const Event& event, Lane& lane);
  void transmit(const Event& event, Lane& lane);
  void sent(const Event& event, Lane& lane);
  static void told(const Event& event, Lane& lane);
  static void forget(Lane& lane, std::size_t first, std::size_t count);
  void complete(Lane& lane);
  void fetched(const Event& event, Lane& lane);
  void finish(Walk& walk, Time end);
  void trim(Lane& lane);
  static Time doorbell_of(const Event& descriptor, Lane& lane);

  Sink sink_;
  std::vector<Lane> lanes_;
  std::uint64_t lost_track_ = 0;
};

}  // namespace e1000tlm::trace
