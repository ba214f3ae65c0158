#include "e1000tlm/trace/observation.h"

#include <filesystem>
#include <fstream>

#include "e1000tlm/trace/chrome_trace.h"
#include "e1000tlm/trace/page.h"
#include "e1000tlm/trace/perfetto_trace.h"
#include "e1000tlm/trace/trace_layout.h"
#include "e1000tlm/trace/waves.h"
#include "e1000tlm/traffic/units.h"

namespace e1000tlm::trace {
namespace {

/// There is no such file, or a run has written it: not a GTKWave that somebody worked with. What
/// the waves themselves do not go to as a regular file has no save file beside it.
bool is_ours(const std::filesystem::path& save) {
  std::error_code error;
  if (!std::filesystem::exists(save, error)) return !error;
  std::string line;
  std::ifstream file(save);
  std::getline(file, line);
  return line.rfind(kGtkwaveHeading, 0) == 0;
}

}  // namespace

Observation::Observation(const Settings& settings, platform::Board& board) : settings_(settings) {
  const bool traced = !settings.trace.empty();
  const bool reported = !settings.report.empty();
  const bool waved = !settings.waves.empty();
  if (!traced && !reported && !waved) return;
  if (traced) trace_.emplace("trace", settings.trace);
  if (reported) report_.emplace("report", settings.report);
  if (waved) waves_.emplace("waves", settings.waves);
  Keep keep = settings.keep;
  keep.waves = waved;
  keep.paths = traced;
  if (!traced) keep.filter = Filter::nothing();
  recorder_ = std::make_unique<Recorder>(traced || waved ? std::make_optional(keep) : std::nullopt);
  if (reported) {
    history_ = std::make_unique<History>();
    recorder_->listen([this](const Event& event) { (*history_)(event); });
    recorder_->listen_to_paths([this](const FramePath& path) { (*history_)(path); });
  }
  taps_ = std::make_unique<Taps>(board, *recorder_, waved);
}

Observation::~Observation() = default;

void Observation::begin() {
  if (trace_) trace_->begin();
  if (report_) report_->begin();
  if (waves_) waves_->begin();
}

std::vector<std::string> Observation::warnings() const {
  std::vector<std::string> texts;
  if (waves_ && !taps_->scene().approximately_timed) {
    texts.emplace_back(
        "--waves leaves out the PCI bus: loosely timed (--quantum above 0) masters do not contend "
        "for it");
  }
  if ((trace_ || waves_) && recorder_->left_out() != 0) {
    texts.push_back(
        traffic::format_count(recorder_->left_out()) + " events found no room in the " +
        (trace_ ? "trace" : "waves") + ", which takes " +
        traffic::format_count(settings_.keep.most) +
        "; --trace-window, --trace-last or --trace-filter ask for less, --trace-limit for more");
  }
  return texts;
}

void Observation::write_trace() {
  if (!trace_) return;
  if (is_perfetto(settings_.trace)) {
    PerfettoTrace sink(*trace_);
    lay_out(*recorder_, taps_->scene(), sink);
  } else {
    ChromeTrace sink(*trace_);
    lay_out(*recorder_, taps_->scene(), sink);
  }
  trace_->close();
}

void Observation::write_waves() {
  if (!waves_) return;
  const Time from = trace::write_waves(*recorder_, taps_->scene(), *waves_);
  const std::filesystem::path dump(settings_.waves);
  std::filesystem::path save = dump;
  save.replace_extension(".gtkw");
  if (save == dump || !is_ours(save)) return;
  OutputFile file("GTKWave save file", save.string());
  file.write(gtkwave_save(taps_->scene(), dump.filename().string(), from));
  file.close();
}

void Observation::write_report(const platform::RunSummary& summary) {
  if (!report_) return;
  report_->write(report_page(summary, *history_, settings_.command));
  report_->close();
}

}  // namespace e1000tlm::trace
