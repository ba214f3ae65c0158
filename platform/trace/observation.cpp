#include "e1000tlm/trace/observation.h"

#include "e1000tlm/trace/chrome_trace.h"
#include "e1000tlm/trace/page.h"
#include "e1000tlm/traffic/units.h"

namespace e1000tlm::trace {

Observation::Observation(const Settings& settings, platform::Board& board) : settings_(settings) {
  const bool traced = !settings.trace.empty();
  const bool reported = !settings.report.empty();
  if (!traced && !reported) return;
  if (traced) trace_.emplace("trace", settings.trace);
  if (reported) report_.emplace("report", settings.report);
  recorder_ = std::make_unique<Recorder>(traced ? std::make_optional(settings.keep) : std::nullopt);
  if (reported) {
    history_ = std::make_unique<History>();
    recorder_->listen([this](const Event& event) { (*history_)(event); });
    recorder_->listen_to_paths([this](const FramePath& path) { (*history_)(path); });
  }
  taps_ = std::make_unique<Taps>(board, *recorder_);
}

Observation::~Observation() = default;

void Observation::begin() {
  if (trace_) trace_->begin();
  if (report_) report_->begin();
}

std::vector<std::string> Observation::warnings() const {
  if (!trace_ || recorder_->left_out() == 0) return {};
  return {traffic::format_count(recorder_->left_out()) +
          " events found no room in the trace, which takes " +
          traffic::format_count(settings_.keep.most) +
          "; --trace-window, --trace-last or --trace-filter ask for less, --trace-limit for more"};
}

void Observation::write_trace() {
  if (!trace_) return;
  write_chrome_trace(*recorder_, *trace_);
  trace_->close();
}

void Observation::write_report(const platform::RunSummary& summary) {
  if (!report_) return;
  report_->write(report_page(summary, *history_, settings_.command));
  report_->close();
}

}  // namespace e1000tlm::trace
