#pragma once
/// Perfetto's own format, protocol buffers, which ui.perfetto.dev and trace_processor open. No
/// SystemC.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "e1000tlm/tlm/output_file.h"
#include "e1000tlm/trace/trace_sink.h"

namespace e1000tlm::trace {

/// A Trace of TracePackets with track descriptors and track events (protos/perfetto/trace of
/// Perfetto's sources): a third of the size of JSON. Its times are whole nanoseconds: those of a
/// trace are rounded down. Names are sent once. Members throw as OutputFile does.
class PerfettoTrace : public TraceSink {
 public:
  /// The file must outlive it; it is not closed.
  explicit PerfettoTrace(OutputFile& file);

  void begin(std::uint64_t events_left_out) override;
  void board(unsigned number) override;
  void track(const TrackInfo& info) override;
  void name(std::string_view text) override;
  void slice(std::size_t track, Time at, Time end, std::size_t name,
             gsl::span<const Argument> arguments, gsl::span<const Waypoint> frames) override;
  /// Flows are between slices: nothing.
  void pass(gsl::span<const Waypoint>) override {}
  void instant(std::size_t track, Time at, std::size_t name) override;
  void value(std::size_t track, Time at, std::uint64_t value) override;
  void end() override;

 private:
  class Message;
  struct SmallMessage;
  struct Numbers {  // of interned texts
    std::uint64_t name = 0, text = 0;
  };
  /// Of a slice.
  static constexpr std::size_t kMostArguments = 8;

  void flush(std::size_t most);
  void packet(const Message& content);
  void intern(unsigned field, std::size_t number, std::string_view text);
  std::uint64_t number_of(std::vector<const char*>& known, unsigned field, std::string_view text);
  Message open(Time at);
  void event(const Message& track_event);
  static std::size_t flows(Message& into, gsl::span<const Waypoint> frames);
  static void argument(Message& into, const Argument& argument, const Numbers& numbers);

  OutputFile& file_;
  std::vector<char> buffer_;
  std::size_t size_ = 0;  // of what is in it
  std::size_t tracks_ = 0, names_ = 0;
  std::vector<const char*> argument_names_, argument_texts_;
};

}  // namespace e1000tlm::trace
