#pragma once
/// A run over time, in bounded memory however long it is: what reports draw. No SystemC.

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "e1000tlm/e1000/drops.h"
#include "e1000tlm/trace/event.h"
#include "e1000tlm/trace/frame_path.h"
#include "e1000tlm/traffic/histogram.h"

namespace e1000tlm::trace {

/// A quantity in equal intervals. When the run gets too long for them, two become one.
class Series {
 public:
  /// Intervals at most.
  static constexpr std::size_t kMost = 240;
  /// How two values in one interval become one.
  enum class Merge : std::uint8_t {
    kSum,   ///< they are added
    kMost,  ///< levels, which last until the next one: the highest counts
  };
  /// Empty.
  explicit Series(Merge merge = Merge::kSum) : merge_(merge) {}

  /// A value at a time since the origin; what lies before it is left out.
  void add(Time at, double value);
  /// A stretch of time, in ps, each interval its share.
  void add_span(Time at, Time end);
  /// The intervals' length.
  Time width() const { return width_; }
  /// Makes the intervals this long; a power-of-two multiple of what they are.
  void widen(Time width);
  /// Values from the origin on.
  const std::vector<double>& values() const { return values_; }

 private:
  void halve();
  double merged(double a, double b) const;
  Merge merge_;
  double level_ = 0;  // kMost: the latest
  Time width_ = us(1);
  std::vector<double> values_;
};

/// Accesses of one kind.
struct BusShare {
  /// How many.
  std::uint64_t accesses = 0;
  /// Bytes.
  std::uint64_t bytes = 0;
  /// First address phases to last idle clocks, with what others did in between.
  Time busy{};
};

/// Where frames of one direction spent their time.
struct Attribution {
  /// Whole ways, in ps.
  traffic::Histogram total;
  /// Frames whose way took up to 1 ns, 2 ns, 4 ns ... and longer than the step before.
  std::array<std::uint64_t, 40> doublings{};
  /// By Part.
  std::array<traffic::Histogram, static_cast<std::size_t>(Part::kCount)> parts;
  /// Sums, for shares.
  std::array<Time, static_cast<std::size_t>(Part::kCount)> sums{};
};

/// Classes of frame sizes with FCS, as RMON has them.
inline constexpr std::array<std::uint32_t, 6> kSizeClasses{64, 127, 255, 511, 1023, 1518};

/// Listens to a recorder from the first frame on a wire on: that is the origin of all times.
class History {
 public:
  /// Of every event.
  void operator()(const Event& event);
  /// A frame has gone its way.
  void operator()(const FramePath& path);

  /// The first bit of the frame that was announced first; kTimeNever: there was none.
  Time origin() const { return origin_; }
  /// Latest event of all that counted.
  Time latest() const { return latest_; }

  /// Bits on the wire with preamble and gap, to the NICs.
  Series wire_in, wire_out;
  /// Time the buses were busy, in ps.
  Series bus;
  /// Assertions of interrupt lines.
  Series interrupts;
  /// Most bytes in a receive FIFO.
  Series fifo{Series::Merge::kMost};
  /// Most bytes in a transmit FIFO.
  Series transmit_fifo{Series::Merge::kMost};
  /// Most descriptors that hardware owned when software rang: receive, transmit.
  std::array<Series, 2> rings{Series(Series::Merge::kMost), Series(Series::Merge::kMost)};
  /// Frames lost, by reason.
  std::map<std::string, Series> drops;
  /// By adapter (kNoNic: software's), command and use.
  std::map<std::tuple<std::uint16_t, pci::Command, Use>, BusShare> shares;
  /// Interrupts by causes that were set at their assertion.
  std::map<std::string, std::uint64_t> causes;
  /// Frames by size class, in and out; the last class is what is longer.
  std::array<std::array<std::uint64_t, kSizeClasses.size() + 1>, 2> sizes{};
  /// Changes of link status as software was told of them: time and adapter; the first ones.
  std::vector<std::pair<Time, unsigned>> link_changes;
  /// Inbound, outbound.
  std::array<Attribution, 2> latency;
  /// Adapters and boards that were heard of.
  unsigned nics = 0, boards = 0;
  /// Time frames took on the wire with preamble and gap, by adapter: in, out.
  std::map<unsigned, std::array<Time, 2>> wire_busy;
  /// Time the bus was busy, by board, from the origin on.
  std::map<unsigned, Time> bus_busy;

 private:
  void wire(const Event& event);
  void interrupt(const Event& event);
  void access(const Event& event);

  Time origin_ = kTimeNever;
  Time latest_{};
};

/// One sentence: what the traffic of this run was limited by, with the figure behind it.
std::string bottleneck(const History& history);

}  // namespace e1000tlm::trace
