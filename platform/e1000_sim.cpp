/// The command-line program.

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <iostream>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include <systemc>

#include <unistd.h>

#include "e1000tlm/board/board.h"
#include "e1000tlm/board/files.h"
#include "e1000tlm/link/host/builtin_partners.h"
#include "e1000tlm/options/options.h"
#include "e1000tlm/report/summary.h"

#include "e1000tlm_version.h"

namespace e1000tlm::platform {
namespace {

constexpr int kFine = 0, kFailed = 1, kUsage = 2;

int complain(const std::string& what, int status) {
  std::cerr << "e1000-sim: " << what << "\n";
  return status;
}

void print_help() {
  const link::PartnerRegistry partners = link::builtin_partners();
  std::map<std::string, std::string> kinds;
  for (const auto& [name, kind] : partners.kinds()) {
    kinds[name] = kind.summary;
  }
  std::cout << help_text(kinds);
}

/// Warnings as one line each; errors as exceptions, which main turns into a message.
void on_report(const sc_core::sc_report& report, const sc_core::sc_actions& actions) {
  if (report.get_severity() == sc_core::SC_INFO) return;
  if (report.get_severity() == sc_core::SC_WARNING) {
    std::cerr << "e1000-sim: warning: " << report.get_msg() << "\n";
    return;
  }
  sc_core::sc_report_handler::default_handler(report, actions & ~sc_core::SC_DISPLAY);
}

void on_signal(int) { Board::request_stop(); }

/// Where the summary goes as JSON. Opened before the run: better told then than after it.
class JsonOutput {
 public:
  /// Throws std::runtime_error.
  explicit JsonOutput(std::string path) : path_(std::move(path)) {
    if (!path_.empty() && path_ != "-") file_.open(path_);
    check();
  }
  void write(const std::string& json) {
    if (path_ == "-") std::cout << json << std::flush;
    if (!file_.is_open()) return;
    file_ << json;
    file_.close();
    check();
  }

 private:
  void check() const {
    if (!file_) throw std::runtime_error("--json: cannot write " + path_);
  }
  std::string path_;
  std::ofstream file_;
};

int simulate(Options& options) {
  options.board.progress = !options.quiet && isatty(STDERR_FILENO) != 0;
  std::unique_ptr<Board> board;
  std::unique_ptr<JsonOutput> json;
  try {
    check_files(options.board, options.json);
    board = std::make_unique<Board>("board", options.board);
    json = std::make_unique<JsonOutput>(options.json);
  } catch (const std::exception& error) {
    return complain(error.what(), kUsage);
  }
  std::signal(SIGINT, on_signal);
  std::signal(SIGTERM, on_signal);
  std::signal(SIGPIPE, SIG_IGN);
  board->run();
  board->finish();
  const RunSummary summary = board->summary();
  std::ostream& text = results_on_standard_output(options.board) ? std::cerr : std::cout;
  if (!options.quiet && options.json != "-") text << to_text(summary);
  json->write(to_json(summary));
  for (const std::string& failure : summary.failures) complain(failure, kFailed);
  return summary.failures.empty() ? kFine : kFailed;
}

int run(int argc, char** argv) {
  Options options;
  try {
    options = parse_options(argc, argv);
  } catch (const std::exception& error) {
    return complain(error.what(), kUsage);
  }
  if (options.action == Options::Action::kHelp) {
    print_help();
    return kFine;
  }
  if (options.action == Options::Action::kVersion) {
    std::cout << "e1000-sim " << kVersion << (kCommit[0] != 0 ? " (commit " : "") << kCommit
              << (kCommit[0] != 0 ? ")" : "") << ", SystemC " << sc_core::sc_version_string << "\n";
    return kFine;
  }
  sc_core::sc_report_handler::set_handler(on_report);
  try {
    return simulate(options);
  } catch (const sc_core::sc_report& report) {
    return complain(std::string("the simulation stopped: ") + report.get_msg(), kFailed);
  } catch (const std::exception& error) {
    return complain(error.what(), kFailed);
  }
}

}  // namespace
}  // namespace e1000tlm::platform

int sc_main(int argc, char** argv) { return e1000tlm::platform::run(argc, argv); }

int main(int argc, char** argv) {
  setenv("SC_COPYRIGHT_MESSAGE", "DISABLE", 1);
  return sc_core::sc_elab_and_sim(argc, argv);
}
