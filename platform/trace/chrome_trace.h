#pragma once
/// The Trace Event Format, which ui.perfetto.dev and chrome://tracing open. No SystemC.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "e1000tlm/tlm/output_file.h"
#include "e1000tlm/trace/trace_sink.h"

namespace e1000tlm::trace {

/// One JSON object with "traceEvents", a line each. Members throw as OutputFile does.
class ChromeTrace : public TraceSink {
 public:
  /// The file must outlive it; it is not closed.
  explicit ChromeTrace(OutputFile& file);

  void begin(std::uint64_t events_left_out) override;
  void board(unsigned number) override;
  void track(const TrackInfo& info) override;
  void name(std::string_view text) override { names_.emplace_back(text); }
  void slice(std::size_t track, Time at, Time end, std::size_t name,
             gsl::span<const Argument> arguments, gsl::span<const Waypoint> frames) override;
  void pass(gsl::span<const Waypoint> frames) override;
  void instant(std::size_t track, Time at, std::size_t name) override;
  void value(std::size_t track, Time at, std::uint64_t value) override;
  void end() override;

 private:
  char* room(std::size_t bytes);
  void flush();
  void line(std::string_view begin);
  void text(std::string_view text);
  void number(std::uint64_t number);
  void hex(std::uint64_t number);
  void time(Time time);
  void place(std::size_t track);
  void metadata(std::size_t track, std::string_view what, std::string_view key);
  void arrow(const Waypoint& frame);

  OutputFile& file_;
  std::vector<char> buffer_;
  std::size_t size_ = 0;  // of what is in it
  bool first_ = true;
  std::vector<TrackInfo> tracks_;
  std::vector<std::string> places_;  // of the tracks: "pid":1,"tid":2,"ts":
  std::vector<std::string> names_;
};

}  // namespace e1000tlm::trace
