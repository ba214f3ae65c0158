#include "e1000tlm/trace/chrome_trace.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <set>
#include <string>
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

/// Microseconds with all digits: "12.345678".
std::string micros(Time time) {
  constexpr std::int64_t kPerMicro = 1'000'000;
  std::array<char, 40> text{};
  const std::int64_t ps = std::max<std::int64_t>(time.count(), 0);
  std::snprintf(text.data(), text.size(), "%lld.%06lld", static_cast<long long>(ps / kPerMicro),
                static_cast<long long>(ps % kPerMicro));
  return text.data();
}

std::string hex(std::uint64_t value) {
  std::array<char, 24> text{};
  std::snprintf(text.data(), text.size(), "0x%llx", static_cast<unsigned long long>(value));
  return text.data();
}

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

  void line(const std::string& text) {
    file_.write(std::exchange(separator_, ",\n"));
    file_.write(text);
  }

  static unsigned track(unsigned nic, NicTrack which) {
    return static_cast<unsigned>(Track::kFirstNic) + nic * static_cast<unsigned>(NicTrack::kCount) +
           static_cast<unsigned>(which);
  }
  static std::string place(unsigned board, unsigned track) {
    return "\"pid\":" + std::to_string(board + 1) + ",\"tid\":" + std::to_string(track);
  }

  void name(unsigned board, unsigned track, const std::string& text) {
    line("{\"ph\":\"M\",\"name\":\"thread_name\"," + place(board, track) +
         ",\"args\":{\"name\":\"" + text + "\"}}");
    line("{\"ph\":\"M\",\"name\":\"thread_sort_index\"," + place(board, track) +
         ",\"args\":{\"sort_index\":" + std::to_string(track) + "}}");
  }

  void name_tracks(const Event& event) {
    if (boards_.insert(event.board).second) {
      line("{\"ph\":\"M\",\"name\":\"process_name\"," + place(event.board, 0) +
           ",\"args\":{\"name\":\"board " + std::to_string(event.board) + "\"}}");
      name(event.board, static_cast<unsigned>(Track::kBus), "PCI bus");
      name(event.board, static_cast<unsigned>(Track::kSoftware), "software: registers");
    }
    if (event.nic == kNoNic || !nics_.insert(event.nic).second) return;
    for (unsigned i = 0; i < kTrackNames.size(); ++i) {
      name(event.board, track(event.nic, static_cast<NicTrack>(i)),
           "NIC " + std::to_string(event.nic) + ": " + kTrackNames.at(i));
    }
  }

  void slice(unsigned board, unsigned track, const std::string& what, Time at, Time end,
             const std::string& arguments = {}) {
    line("{\"ph\":\"X\",\"name\":\"" + what + "\"," + place(board, track) +
         ",\"ts\":" + micros(at) + ",\"dur\":" + micros(end - at) +
         (arguments.empty() ? "" : ",\"args\":{" + arguments + "}") + "}");
  }
  void instant(const Event& event, NicTrack where, const std::string& what) {
    line("{\"ph\":\"i\",\"s\":\"t\",\"name\":\"" + what + "\"," +
         place(event.board, track(event.nic, where)) + ",\"ts\":" + micros(event.at) + "}");
  }
  void counter(const Event& event, const std::string& what) {
    line("{\"ph\":\"C\",\"name\":\"NIC " + std::to_string(event.nic) + ": " + what + "\"," +
         place(event.board, 0) + ",\"ts\":" + micros(event.at) +
         ",\"args\":{\"value\":" + std::to_string(event.bytes) + "}}");
  }

  void one(const Event& event) {
    switch (event.kind) {
      case Kind::kWireIn: frame(event, NicTrack::kWireIn); break;
      case Kind::kWireOut: frame(event, NicTrack::kWireOut); break;
      case Kind::kBus: bus(event); break;
      case Kind::kRegister: software(event); break;
      case Kind::kReceived: instant(event, NicTrack::kReceive, "stored"); break;
      case Kind::kDrop:
        instant(event, NicTrack::kReceive,
                "lost: " + std::string(e1000::kDropNames.at(event.code)));
        break;
      case Kind::kReceiveDescriptor:
        instant(event, NicTrack::kReceive, "descriptor " + std::to_string(event.value));
        break;
      case Kind::kTransmitDescriptor:
        instant(event, NicTrack::kTransmit, "descriptor " + std::to_string(event.value));
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
    slice(event.board, track(event.nic, where),
          event.code == 0 ? std::to_string(event.bytes) + " bytes" : "MAC control", event.at,
          event.end, "\"bytes\":" + std::to_string(event.bytes));
  }

  void bus(const Event& event) {
    const std::string arguments =
        "\"address\":\"" + hex(event.value) + "\",\"bytes\":" + std::to_string(event.bytes) +
        ",\"use\":\"" + std::string(kUseNames.at(static_cast<std::size_t>(event.use))) +
        "\",\"waited_ns\":" + std::to_string((event.at - event.asked).count() / 1000);
    const std::string master = event.nic == kNoNic ? "host" : "NIC " + std::to_string(event.nic);
    const std::string command(command_name(event.command));
    // Accesses of several tenures may enclose others', and loosely timed ones overlap: the bus
    // shows each from where the one before ends.
    Time& free = bus_free_[event.board];
    const Time shown = std::max(event.at, free);
    if (shown < event.end) {
      slice(event.board, static_cast<unsigned>(Track::kBus), master + ": " + command, shown,
            event.end, arguments);
      free = event.end;
    }
    if (event.nic == kNoNic) return;
    const bool transmit = event.use >= Use::kTransmitFetch;
    nic_slice(event, transmit ? NicTrack::kTransmit : NicTrack::kReceive,
              std::string(kUseNames.at(static_cast<std::size_t>(event.use))), arguments);
  }

  /// Slices of one track must not overlap.
  void nic_slice(const Event& event, NicTrack where, const std::string& what,
                 const std::string& arguments) {
    Time& free = free_[{event.board, track(event.nic, where)}];
    const Time shown = std::max(event.at, free);
    if (shown >= event.end) return;
    slice(event.board, track(event.nic, where), what, shown, event.end, arguments);
    free = event.end;
  }

  void software(const Event& event) {
    const auto offset = static_cast<std::uint32_t>(event.value);
    const bool write = pci::is_write(event.command);
    Time& free = free_[{event.board, static_cast<unsigned>(Track::kSoftware)}];
    const Time shown = std::max(event.at, free);
    if (shown < event.end) {
      slice(event.board, static_cast<unsigned>(Track::kSoftware),
            std::string(write ? "write " : "read ") + register_name(offset), shown, event.end,
            "\"nic\":" + std::to_string(event.nic));
      free = event.end;
    }
    // From the read of ICR to the write that opens the mask again.
    Handler& handler = handlers_[event.nic];
    if (offset == e1000::reg::kIcr && !write && !handler.runs) handler = {event.at, true};
    if (offset == e1000::reg::kIms && write && handler.runs) {
      handler.runs = false;
      slice(event.board, track(event.nic, NicTrack::kHandler), "interrupt handled", handler.since,
            event.end);
    }
  }

  void interrupt(const Event& event) {
    Line& state = lines_[{event.board, event.nic}];
    if (state.asserted) end_of_line(event.board, event.nic, state, event.at);
    state = {event.at, event.value, event.code != 0};
    last_ = std::max(last_, event.at);
  }
  void end_of_line(unsigned board, unsigned nic, const Line& state, Time at) {
    slice(board, track(nic, NicTrack::kInterrupt),
          cause_names(static_cast<std::uint32_t>(state.causes)), state.since, at);
  }
  void end_of_lines() {
    for (const auto& [where, state] : lines_) {
      if (state.asserted) end_of_line(where.first, where.second, state, last_);
    }
  }

  void arrow(const char* phase, const FramePath& path, unsigned track, Time at) {
    line(std::string("{\"ph\":\"") + phase + "\",\"cat\":\"frame\",\"name\":\"frame\",\"id\":" +
         std::to_string(flow_) + "," + place(path.board, track) + ",\"ts\":" + micros(at) +
         (*phase == 'f' ? ",\"bp\":\"e\"}" : "}"));
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
  std::set<unsigned> boards_, nics_;
  std::map<unsigned, Time> bus_free_;
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
