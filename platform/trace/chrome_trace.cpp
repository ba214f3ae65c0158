#include "e1000tlm/trace/chrome_trace.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "e1000tlm/e1000/drops.h"
#include "e1000tlm/e1000/registers/registers.h"

namespace e1000tlm::trace {
namespace {

/// Tracks of a board that are no adapter's, then those of each adapter.
enum class Track : unsigned { kBus = 1, kSoftware = 2, kFirstNic = 10 };
enum class NicTrack : unsigned {
  kHandler,
  kTransmit,
  kReceive,
  kWireOut,
  kWireIn,
  kInterrupt,
  kCount
};
constexpr std::array<const char*, static_cast<std::size_t>(NicTrack::kCount)> kTrackNames{
    "interrupt handling", "transmit engine", "receive engine",
    "wire out",           "wire in",         "interrupt line"};

/// Text under construction, without a heap allocation for each piece.
class Text {
 public:
  Text& operator<<(std::string_view text) {
    text_.append(text);
    return *this;
  }
  template <class Number, class = std::enable_if_t<std::is_integral_v<Number>>>
  Text& operator<<(Number number) {
    return digits(number, 10);
  }
  /// Microseconds with all digits: "12.345678".
  Text& operator<<(Time time) {
    constexpr std::int64_t kPerMicro = 1'000'000;
    const std::int64_t ps = std::max<std::int64_t>(time.count(), 0);
    digits(ps / kPerMicro, 10);
    std::array<char, 7> fraction{'.'};
    std::int64_t rest = ps % kPerMicro;
    for (std::size_t i = fraction.size() - 1; i > 0; --i, rest /= 10) {
      fraction.at(i) = static_cast<char>('0' + rest % 10);
    }
    return *this << std::string_view(fraction.data(), fraction.size());
  }
  Text& hex(std::uint64_t number) {
    text_ += "0x";
    return digits(number, 16);
  }
  std::string_view view() const { return text_; }
  void clear() { text_.clear(); }

 private:
  template <class Number>
  Text& digits(Number number, int base) {
    std::array<char, 24> text{};
    const auto end = std::to_chars(text.data(), text.data() + text.size(), number, base).ptr;
    text_.append(text.data(), end);
    return *this;
  }
  std::string text_;
};

class Writer {
 public:
  Writer(const Recorder& recorder, OutputFile& file) : recorder_(recorder), file_(file) {}

  void write() {
    file_.write(
        "{\"displayTimeUnit\":\"ns\",\n\"otherData\":{\"program\":\"e1000-sim\","
        "\"events_left_out\":\"" +
        std::to_string(recorder_.left_out()) + "\"},\n\"traceEvents\":[\n");
    const std::vector<Event> events = recorder_.events();
    for (const Event& event : events) name_tracks(event);
    for (const Event& event : events) one(event);
    end_of_lines();
    for (const FramePath& path : recorder_.paths()) arrows(path);
    file_.write("\n]}\n");
  }

 private:
  struct Line {
    Time since{};
    std::uint64_t causes = 0;
    bool asserted = false;
  };
  struct Handler {
    Time since{};
    bool runs = false;
  };

  /// Begins an event.
  Text& line() {
    text_.clear();
    return text_ << std::exchange(separator_, ",\n");
  }
  void write_line() { file_.write(text_.view()); }

  static unsigned track(unsigned nic, NicTrack which) {
    return static_cast<unsigned>(Track::kFirstNic) + nic * static_cast<unsigned>(NicTrack::kCount) +
           static_cast<unsigned>(which);
  }
  void place(unsigned board, unsigned track) {
    text_ << "\"pid\":" << board + 1 << ",\"tid\":" << track;
  }

  void name(unsigned board, unsigned track, const char* what, std::string_view text) {
    line() << R"({"ph":"M","name":")" << what << "\",";
    place(board, track);
    text_ << R"(,"args":{"name":")" << text << "\"}}";
    write_line();
  }
  void name(unsigned board, unsigned track, std::string_view text) {
    name(board, track, "thread_name", text);
    line() << R"({"ph":"M","name":"thread_sort_index",)";
    place(board, track);
    text_ << R"(,"args":{"sort_index":)" << track << "}}";
    write_line();
  }

  void name_tracks(const Event& event) {
    if (boards_.insert(event.board).second) {
      name(event.board, 0, "process_name", "board " + std::to_string(event.board));
      name(event.board, static_cast<unsigned>(Track::kBus), "PCI bus");
      name(event.board, static_cast<unsigned>(Track::kSoftware), "software: registers");
    }
    if (event.nic == kNoNic || !nics_.insert(event.nic).second) return;
    for (unsigned i = 0; i < kTrackNames.size(); ++i) {
      name(event.board, track(event.nic, static_cast<NicTrack>(i)),
           "NIC " + std::to_string(event.nic) + ": " + kTrackNames.at(i));
    }
  }

  /// Begins a slice, which may go on with arguments (see bus()) and ends with end_slice().
  Text& slice(unsigned board, unsigned track, Time at, Time end) {
    line() << R"({"ph":"X",)";
    place(board, track);
    return text_ << ",\"ts\":" << at << ",\"dur\":" << end - at << ",\"name\":\"";
  }
  void end_slice() {
    text_ << "\"}";
    write_line();
  }
  Text& instant(const Event& event, NicTrack where) {
    line() << R"({"ph":"i","s":"t",)";
    place(event.board, track(event.nic, where));
    return text_ << ",\"ts\":" << event.at << ",\"name\":\"";
  }
  void counter(const Event& event, const char* what) {
    line() << R"({"ph":"C",)";
    place(event.board, 0);
    text_ << ",\"ts\":" << event.at << R"(,"name":"NIC )" << event.nic << ": " << what
          << R"(","args":{"value":)" << event.bytes << "}}";
    write_line();
  }

  void one(const Event& event) {
    switch (event.kind) {
      case Kind::kWireIn: frame(event, NicTrack::kWireIn); break;
      case Kind::kWireOut: frame(event, NicTrack::kWireOut); break;
      case Kind::kBus: bus(event); break;
      case Kind::kRegister: software(event); break;
      case Kind::kReceived:
        instant(event, NicTrack::kReceive) << "stored";
        end_slice();
        break;
      case Kind::kDrop:
        instant(event, NicTrack::kReceive) << "lost: " << e1000::kDropNames.at(event.code);
        end_slice();
        break;
      case Kind::kReceiveDescriptor:
        instant(event, NicTrack::kReceive) << "descriptor " << event.value;
        end_slice();
        break;
      case Kind::kTransmitDescriptor:
        instant(event, NicTrack::kTransmit) << "descriptor " << event.value;
        end_slice();
        break;
      case Kind::kInterrupt: interrupt(event); break;
      case Kind::kFifo: counter(event, "receive FIFO, bytes"); break;
      case Kind::kRing:
        counter(event, event.code == 0 ? "receive descriptors" : "transmit descriptors");
        break;
      case Kind::kCount: break;
    }
  }

  void frame(const Event& event, NicTrack where) {
    slice(event.board, track(event.nic, where), event.at, event.end);
    if (event.code != 0) text_ << "MAC control, ";
    text_ << event.bytes << " bytes";
    end_slice();
  }

  void end_access(const Event& event) {
    text_ << R"(","args":{"address":")";
    text_.hex(event.value) << R"(","bytes":)" << event.bytes << R"(,"use":")"
                           << kUseNames.at(static_cast<std::size_t>(event.use))
                           << R"(","waited_ns":)" << (event.at - event.asked).count() / 1000
                           << "}}";
    write_line();
  }

  /// From when on a slice is shown, as those of a track must not overlap; kTimeNever: not at all.
  static Time shown(const Event& event, Time& free) {
    const Time from = std::max(event.at, free);
    if (from >= event.end) return kTimeNever;
    free = event.end;
    return from;
  }

  // Accesses of several tenures may enclose others', and loosely timed ones overlap: a track shows
  // each from where the one before ends.
  void bus(const Event& event) {
    const auto track_of_bus = static_cast<unsigned>(Track::kBus);
    const Time from = shown(event, free_[{event.board, track_of_bus}]);
    if (from != kTimeNever) {
      slice(event.board, track_of_bus, from, event.end);
      if (event.nic == kNoNic) {
        text_ << "host";
      } else {
        text_ << "NIC " << event.nic;
      }
      text_ << ": " << command_name(event.command);
      end_access(event);
    }
    if (event.nic == kNoNic) return;
    const bool transmit = event.use >= Use::kTransmitFetch;
    const unsigned own = track(event.nic, transmit ? NicTrack::kTransmit : NicTrack::kReceive);
    const Time since = shown(event, free_[{event.board, own}]);
    if (since == kTimeNever) return;
    slice(event.board, own, since, event.end) << kUseNames.at(static_cast<std::size_t>(event.use));
    end_access(event);
  }

  void software(const Event& event) {
    const auto offset = static_cast<std::uint32_t>(event.value);
    const bool write = pci::is_write(event.command);
    const auto own = static_cast<unsigned>(Track::kSoftware);
    const Time from = shown(event, free_[{event.board, own}]);
    if (from != kTimeNever) {
      slice(event.board, own, from, event.end)
          << (write ? "write " : "read ") << register_name(offset) << R"(","args":{"nic":)"
          << event.nic << "}}";
      write_line();
    }
    // From the read of ICR to the write that opens the mask again.
    Handler& handler = handlers_[event.nic];
    if (offset == e1000::reg::kIcr && !write && !handler.runs) handler = {event.at, true};
    if (offset == e1000::reg::kIms && write && handler.runs) {
      handler.runs = false;
      slice(event.board, track(event.nic, NicTrack::kHandler), handler.since, event.end)
          << "interrupt handled";
      end_slice();
    }
  }

  void interrupt(const Event& event) {
    Line& state = lines_[{event.board, event.nic}];
    if (state.asserted) end_of_line(event.board, event.nic, state, event.at);
    state = {event.at, event.value, event.code != 0};
    last_ = std::max(last_, event.at);
  }
  void end_of_line(unsigned board, unsigned nic, const Line& state, Time at) {
    slice(board, track(nic, NicTrack::kInterrupt), state.since, at)
        << cause_names(static_cast<std::uint32_t>(state.causes));
    end_slice();
  }
  void end_of_lines() {
    for (const auto& [where, state] : lines_) {
      if (state.asserted) end_of_line(where.first, where.second, state, last_);
    }
  }

  void arrow(const char* phase, const FramePath& path, unsigned track, Time at) {
    line() << "{\"ph\":\"" << phase << R"(","cat":"frame","name":"frame","id":)" << flow_ << ",";
    place(path.board, track);
    text_ << ",\"ts\":" << at << (*phase == 'f' ? R"(,"bp":"e"})" : "}");
    write_line();
  }

  /// From slice to slice; a time just inside each.
  void arrows(const FramePath& path) {
    ++flow_;
    constexpr Time kInside{1};
    const unsigned software = static_cast<unsigned>(Track::kSoftware);
    if (path.inbound) {
      arrow("s", path, track(path.nic, NicTrack::kWireIn), path.begin);
      arrow("t", path, track(path.nic, NicTrack::kReceive), path.data);
      arrow("t", path, track(path.nic, NicTrack::kReceive), path.write_back);
      arrow("f", path, software, path.end - kInside);
    } else {
      arrow("s", path, software, path.begin - kInside);
      arrow("t", path, track(path.nic, NicTrack::kTransmit), path.data);
      arrow("f", path, track(path.nic, NicTrack::kWireOut), path.wire);
    }
  }

  const Recorder& recorder_;
  OutputFile& file_;
  const char* separator_ = "";
  Text text_;
  std::set<unsigned> boards_, nics_;
  std::map<std::pair<unsigned, unsigned>, Time> free_;
  std::map<std::pair<unsigned, unsigned>, Line> lines_;
  std::map<unsigned, Handler> handlers_;
  Time last_{};
  std::uint64_t flow_ = 0;
};

}  // namespace

void write_chrome_trace(const Recorder& recorder, OutputFile& file) {
  Writer(recorder, file).write();
}

}  // namespace e1000tlm::trace
