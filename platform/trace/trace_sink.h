#pragma once
/// A file format of traces, as those see it who know what happened. No SystemC.

#include <cstddef>
#include <cstdint>
#include <gsl/span>
#include <string>
#include <string_view>

#include "e1000tlm/tlm/time.h"

namespace e1000tlm::trace {

/// A line of the picture.
struct TrackInfo {
  /// Its process.
  unsigned board = 0;
  /// Its place among those of the board, from 1.
  unsigned number = 0;
  /// Its heading.
  std::string name;
  /// It shows a number over time.
  bool counter = false;
};

/// More about a slice.
struct Argument {
  /// What.
  std::string_view name;
  /// Its value, unless there is a text.
  std::uint64_t number = 0;
  /// Its value; must outlive the sink.
  std::string_view text{};
  /// The number is an address.
  bool hex = false;
};

/// Where a frame comes by.
struct Waypoint {
  /// Which frame.
  std::uint64_t frame = 0;
  /// By the order of declaration.
  std::size_t track = 0;
  /// Within a slice of that track.
  Time at{};
  /// Its first, one on the way, its last.
  enum class Place : std::uint8_t { kFirst, kOn, kLast } place = Place::kFirst;
};

/// Writes one trace. Everything comes in the order of time; slices of a track do not overlap.
/// Tracks and names are declared before their first use and numbered from 0.
class TraceSink {
 public:
  virtual ~TraceSink() = default;
  /// First of all.
  virtual void begin(std::uint64_t events_left_out) = 0;
  /// A process.
  virtual void board(unsigned number) = 0;
  /// The next track.
  virtual void track(const TrackInfo& info) = 0;
  /// The next name of slices and instants.
  virtual void name(std::string_view text) = 0;
  /// Something that takes time, and the frames that come by meanwhile.
  virtual void slice(std::size_t track, Time at, Time end, std::size_t name,
                     gsl::span<const Argument> arguments, gsl::span<const Waypoint> frames) = 0;
  /// Frames that come by where nothing is shown.
  virtual void pass(gsl::span<const Waypoint> frames) = 0;
  /// Something that takes none.
  virtual void instant(std::size_t track, Time at, std::size_t name) = 0;
  /// A counter's value from now on.
  virtual void value(std::size_t track, Time at, std::uint64_t value) = 0;
  /// There is no more.
  virtual void end() = 0;
};

}  // namespace e1000tlm::trace
