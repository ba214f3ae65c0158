#include "e1000tlm/trace/trace_layout.h"

#include <algorithm>
#include <array>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include <boost/sort/spinsort/spinsort.hpp>

#include "e1000tlm/e1000/registers/registers.h"

namespace e1000tlm::trace {
namespace {

/// Tracks of a board that are no adapter's.
enum class BoardTrack : unsigned { kBus, kSoftware, kCount };
/// Tracks of an adapter, in the order of the picture.
enum class NicTrack : unsigned {
  kHandler,
  kTransmit,
  kReceive,
  kWireOut,
  kWireIn,
  kInterrupt,
  kTimers,
  kPause,
  kPhy,
  kEeprom,
  kReceiveFifo,
  kTransmitFifo,
  kReceiveRing,
  kTransmitRing,
  kCount
};
constexpr unsigned kBoardTracks = static_cast<unsigned>(BoardTrack::kCount);
constexpr unsigned kNicTracks = static_cast<unsigned>(NicTrack::kCount);
constexpr std::array<const char*, kNicTracks> kTrackNames{"interrupt handling",
                                                          "transmit engine",
                                                          "receive engine",
                                                          "wire out",
                                                          "wire in",
                                                          "interrupt line",
                                                          "timers",
                                                          "flow control",
                                                          "PHY",
                                                          "EEPROM",
                                                          "receive FIFO, bytes",
                                                          "transmit FIFO, bytes",
                                                          "receive descriptors",
                                                          "transmit descriptors"};
constexpr bool is_counter(NicTrack track) { return track >= NicTrack::kReceiveFifo; }

/// Where a name is kept: what kind, and which of that kind.
constexpr std::uint64_t name_key(Kind kind, std::uint64_t which) {
  return static_cast<std::uint64_t>(kind) << 56U | which;
}

class Layout {
 public:
  Layout(const Recorder& recorder, const Scene& scene, TraceSink& sink)
      : recorder_(recorder), scene_(scene), sink_(sink) {}

  void draw() {
    sink_.begin(recorder_.left_out());
    declare();
    collect_waypoints();
    recorder_.visit([this](const Event& event) {
      if (recorder_.traced(event.kind)) one(event);
    });
    end_of_lines();
    pass_the_rest();
    sink_.end();
  }

 private:
  struct Line {
    Time since{};
    std::uint32_t causes = 0;
    bool asserted = false;
  };
  struct Mark {  // a waypoint of a known track
    Time at{};
    std::uint32_t frame = 0;
    Waypoint::Place place = Waypoint::Place::kFirst;
  };
  struct Lane {  // of a track
    Time free{};
    std::vector<Mark, LargeMemory<Mark>> frames;  // by time
    std::size_t passed = 0;                       // of these
  };
  struct NamePlace {
    std::uint64_t key = ~std::uint64_t{0};
    std::size_t name = 0;
  };
  struct Running {
    Time since{};
    bool runs = false;
  };

  std::size_t board_track(unsigned board, BoardTrack which) const {
    return std::size_t{board} * kBoardTracks + static_cast<unsigned>(which);
  }
  std::size_t nic_track(unsigned nic, NicTrack which) const {
    return std::size_t{boards_} * kBoardTracks + std::size_t{nic} * kNicTracks +
           static_cast<unsigned>(which);
  }

  // --- declarations ---

  void declare() {
    for (const std::uint16_t board : scene_.board_of_nic) boards_ = std::max(boards_, board + 1U);
    std::vector<unsigned> numbers(boards_);
    for (unsigned board = 0; board < boards_; ++board) {
      sink_.board(board);
      sink_.track({board, ++numbers[board], "PCI bus", false});
      sink_.track({board, ++numbers[board], "software: registers", false});
    }
    const std::size_t nics = scene_.board_of_nic.size();
    for (unsigned nic = 0; nic < nics; ++nic) {
      const unsigned board = scene_.board_of_nic[nic];
      for (unsigned i = 0; i < kNicTracks; ++i) {
        sink_.track({board, ++numbers[board],
                     "NIC " + std::to_string(nic) + ": " + kTrackNames.at(i),
                     is_counter(static_cast<NicTrack>(i))});
      }
    }
    lanes_.resize(std::size_t{boards_} * kBoardTracks + nics * kNicTracks);
    lines_.resize(nics);
    handlers_.resize(nics);
    fifos_.resize(nics);
  }

  /// A name's number; it is made up when it is first needed.
  template <class Make>
  std::size_t name(std::uint64_t key, const Make& make) {
    // The few that are in use are found without asking the map.
    constexpr std::uint64_t kSpread = 0x9E37'79B9'7F4A'7C15;
    NamePlace& recent = recent_names_[key * kSpread >> (64U - kRecentBits)];
    if (recent.key == key) return recent.name;
    const auto [found, added] = names_.try_emplace(key, names_.size());
    if (added) sink_.name(make());
    recent = {key, found->second};
    return found->second;
  }
  std::size_t name(const char* text) {
    return name(name_key(Kind::kCount, reinterpret_cast<std::uintptr_t>(text)),
                [&] { return std::string(text); });
  }

  // --- frames ---

  void collect_waypoints() {
    std::uint32_t number = 0;
    recorder_.visit_paths([&](const FrameTimes& path) {
      if (path.nic >= lines_.size()) return;
      ++number;
      constexpr Time kInside{1};
      using Place = Waypoint::Place;
      const auto by = [&](std::size_t track, Time at, Place place) {
        auto& frames = lanes_[track].frames;
        if (frames.empty()) frames.reserve(recorder_.path_count());
        frames.push_back({at, number, place});
      };
      const std::size_t software = board_track(path.board, BoardTrack::kSoftware);
      if (path.inbound) {
        const std::size_t engine = nic_track(path.nic, NicTrack::kReceive);
        by(nic_track(path.nic, NicTrack::kWireIn), path.begin, Place::kFirst);
        by(engine, path.data, Place::kOn);
        by(engine, path.write_back, Place::kOn);
        by(software, path.end - kInside, Place::kLast);
      } else {
        by(software, path.begin - kInside, Place::kFirst);
        by(nic_track(path.nic, NicTrack::kTransmit), path.data, Place::kOn);
        by(nic_track(path.nic, NicTrack::kWireOut), path.wire, Place::kLast);
      }
    });
    const auto earlier = [](const Mark& a, const Mark& b) { return a.at < b.at; };
    for (Lane& lane : lanes_) {
      if (std::is_sorted(lane.frames.begin(), lane.frames.end(), earlier)) continue;
      boost::sort::spinsort(lane.frames.begin(), lane.frames.end(), earlier);
    }
  }

  /// A slice, unless an earlier one of that track covers it: it is shown from where that one ends.
  /// Accesses of several tenures may enclose others', and loosely timed ones overlap.
  void slice(std::size_t track, Time at, Time end, std::size_t name,
             gsl::span<const Argument> arguments = {}) {
    Lane& lane = lanes_[track];
    const Time from = std::max(at, lane.free);
    if (from >= end) return;
    lane.free = end;
    sink_.slice(track, from, end, name, arguments, come_by(track, end));
  }
  /// The next frames of a track before this time.
  gsl::span<const Waypoint> come_by(std::size_t track, Time end) {
    Lane& lane = lanes_[track];
    passing_.clear();
    for (; lane.passed < lane.frames.size() && lane.frames[lane.passed].at < end; ++lane.passed) {
      const Mark& mark = lane.frames[lane.passed];
      passing_.push_back({mark.frame, track, mark.at, mark.place});
    }
    return passing_;
  }
  /// Frames that come by where nothing is shown.
  void pass_the_rest() {
    for (std::size_t track = 0; track < lanes_.size(); ++track) {
      sink_.pass(come_by(track, kTimeNever));
    }
  }

  // --- events ---

  void one(const Event& event) {
    switch (event.kind) {
      case Kind::kWireIn: frame(event, NicTrack::kWireIn); break;
      case Kind::kWireOut: frame(event, NicTrack::kWireOut); break;
      case Kind::kBus: bus(event); break;
      case Kind::kRegister: software(event); break;
      case Kind::kReceived: instant(event, NicTrack::kReceive, name("stored")); break;
      case Kind::kDrop: lost(event); break;
      case Kind::kReceiveDescriptor: descriptor(event, NicTrack::kReceive); break;
      case Kind::kTransmitDescriptor: descriptor(event, NicTrack::kTransmit); break;
      case Kind::kInterrupt: interrupt(event); break;
      case Kind::kFifo: counter(event, NicTrack::kReceiveFifo, event.bytes); break;
      case Kind::kRing:
        counter(event, event.code == 0 ? NicTrack::kReceiveRing : NicTrack::kTransmitRing,
                event.bytes);
        break;
      case Kind::kTransmitFifo:
        counter(event, NicTrack::kTransmitFifo, fifos_[event.nic](event));
        break;
      case Kind::kTimer: timer(event); break;
      case Kind::kPause: pause(event); break;
      case Kind::kPhy: management(event, NicTrack::kPhy); break;
      case Kind::kEeprom: management(event, NicTrack::kEeprom); break;
      case Kind::kPin:
      case Kind::kCount: break;
    }
  }

  void instant(const Event& event, NicTrack where, std::size_t name) {
    sink_.instant(nic_track(event.nic, where), event.at, name);
  }
  void counter(const Event& event, NicTrack where, std::uint64_t value) {
    sink_.value(nic_track(event.nic, where), event.at, value);
  }

  void lost(const Event& event) {
    instant(event, NicTrack::kReceive, name(name_key(Kind::kDrop, event.code), [&] {
              return "lost: " + std::string(drop_name(event.code));
            }));
  }

  void descriptor(const Event& event, NicTrack where) {
    instant(event, where, name(name_key(Kind::kReceiveDescriptor, event.value), [&] {
              return descriptor_name(event.value);
            }));
  }

  void frame(const Event& event, NicTrack where) {
    const std::uint64_t key =
        name_key(Kind::kWireIn, std::uint64_t{event.code} << 32U | event.bytes);
    slice(nic_track(event.nic, where), event.at, event.end, name(key, [&] {
            return (event.code != 0 ? "MAC control, " : "") + std::to_string(event.bytes) +
                   " bytes";
          }));
  }

  void bus(const Event& event) {
    const std::string_view use = kUseNames.at(static_cast<std::size_t>(event.use));
    const std::array<Argument, 4> arguments{
        {{"address", event.value, {}, true},
         {"bytes", event.bytes, {}, false},
         {"waited_ns",
          static_cast<std::uint64_t>((event.at - event.asked).count()) / 1000,
          {},
          false},
         {"use", 0, use, false}}};
    const std::uint64_t key =
        name_key(Kind::kBus, std::uint64_t{event.nic} << 8U | static_cast<unsigned>(event.command));
    slice(board_track(event.board, BoardTrack::kBus), event.at, event.end,
          name(key,
               [&] {
                 return (event.nic == kNoNic ? "host" : "NIC " + std::to_string(event.nic)) + ": " +
                        std::string(command_name(event.command));
               }),
          arguments);
    if (event.nic == kNoNic) return;
    const bool transmit = event.use >= Use::kTransmitFetch;
    slice(nic_track(event.nic, transmit ? NicTrack::kTransmit : NicTrack::kReceive), event.at,
          event.end,
          name(name_key(Kind::kTransmitDescriptor, static_cast<unsigned>(event.use)),
               [&] { return std::string(use); }));
  }

  void software(const Event& event) {
    const auto offset = static_cast<std::uint32_t>(event.value);
    const bool write = pci::is_write(event.command);
    const std::array<Argument, 1> arguments{{{"nic", event.nic, {}, false}}};
    slice(board_track(event.board, BoardTrack::kSoftware), event.at, event.end,
          name(name_key(Kind::kRegister, std::uint64_t{offset} << 1U | (write ? 1 : 0)),
               [&] { return (write ? "write " : "read ") + register_name(offset); }),
          arguments);
    // From the read of ICR to the write that opens the mask again.
    Running& handler = handlers_[event.nic];
    if (offset == e1000::reg::kIcr && !write && !handler.runs) handler = {event.at, true};
    if (offset == e1000::reg::kIms && write && std::exchange(handler.runs, false)) {
      slice(nic_track(event.nic, NicTrack::kHandler), handler.since, event.end,
            name("interrupt handled"));
    }
  }

  void interrupt(const Event& event) {
    if (event.code == kQueueInterrupt) {
      constexpr std::uint64_t kQueue = std::uint64_t{1} << 48U;
      instant(event, NicTrack::kInterrupt,
              name(name_key(Kind::kInterrupt, kQueue | event.value),
                   [&] { return interrupt_name(event); }));
      return;
    }
    Line& state = lines_[event.nic];
    if (state.asserted) end_of_line(event.nic, state, event.at);
    state = {event.at, static_cast<std::uint32_t>(event.value), event.code != 0};
    last_ = std::max(last_, event.at);
  }
  void end_of_line(unsigned nic, const Line& state, Time at) {
    slice(
        nic_track(nic, NicTrack::kInterrupt), state.since, at,
        name(name_key(Kind::kInterrupt, state.causes), [&] { return cause_names(state.causes); }));
  }
  void end_of_lines() {
    for (unsigned nic = 0; nic < lines_.size(); ++nic) {
      if (lines_[nic].asserted) end_of_line(nic, lines_[nic], last_);
    }
  }

  void timer(const Event& event) {
    const std::string_view which = kTimerNames.at(event.code);
    const std::size_t track = nic_track(event.nic, NicTrack::kTimers);
    if (static_cast<Timer>(event.code) == Timer::kThrottling) {
      slice(track, event.at, event.end, name("ITR interval"));
      return;
    }
    constexpr std::array<const char*, 3> kSteps{" started", " expired", " cancelled"};
    sink_.instant(track, event.at,
                  name(name_key(Kind::kTimer, std::uint64_t{event.code} << 8U | event.value),
                       [&] { return std::string(which) + kSteps.at(event.value); }));
  }

  void pause(const Event& event) {
    const std::size_t track = nic_track(event.nic, NicTrack::kPause);
    const bool sent = event.code != 0;
    if (event.end > event.at) slice(track, event.at, event.end, name("silent: PAUSE obeyed"));
    sink_.instant(track, event.at,
                  name(name_key(Kind::kPause, event.value << 1U | (sent ? 1 : 0)), [&] {
                    return std::string("PAUSE ") + (sent ? "sent, " : "received, ") +
                           std::to_string(event.value) + " quanta";
                  }));
  }

  void management(const Event& event, NicTrack where) {
    const std::array<Argument, 1> arguments{{{"data", event.bytes, {}, true}}};
    const bool phy = where == NicTrack::kPhy;
    const std::size_t number = name(name_key(event.kind, event.value << 8U | event.code), [&] {
      return std::string((event.code & kWritten) != 0 ? "write " : "read ") +
             (phy ? "register " : "word ") + std::to_string(event.value) +
             ((event.code & kNoAnswer) != 0 ? ": no answer" : "");
    });
    slice(nic_track(event.nic, where), event.at, std::max(event.end, event.at + Time{1}), number,
          arguments);
  }

  const Recorder& recorder_;
  const Scene& scene_;
  TraceSink& sink_;
  unsigned boards_ = 0;
  std::vector<Lane> lanes_;
  std::vector<Line> lines_;
  std::vector<Running> handlers_;
  std::vector<TransmitLevel> fifos_;
  std::vector<Waypoint> passing_;
  std::unordered_map<std::uint64_t, std::size_t> names_;
  static constexpr unsigned kRecentBits = 10;
  std::array<NamePlace, std::size_t{1} << kRecentBits> recent_names_{};
  Time last_{};
};

}  // namespace

void lay_out(const Recorder& recorder, const Scene& scene, TraceSink& sink) {
  Layout(recorder, scene, sink).draw();
}

}  // namespace e1000tlm::trace
