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
  void packet(const Message& content);
  static std::size_t flows(Message& into, gsl::span<const Waypoint> frames);
  void event(Time at, const Message& track_event);
  std::uint64_t argument_name(std::string_view name);

  OutputFile& file_;
  std::string buffer_;
  std::size_t tracks_ = 0, names_ = 0;
  std::vector<std::string_view> argument_names_;
};

}  // namespace e1000tlm::trace
