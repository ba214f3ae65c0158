/// The command-line program.

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <systemc>

#include <fcntl.h>
#include <unistd.h>

#include "e1000tlm/board/board.h"
#include "e1000tlm/board/files.h"
#include "e1000tlm/link/host/builtin_partners.h"
#include "e1000tlm/link/host/kind_references.h"
#include "e1000tlm/options/options.h"
#include "e1000tlm/report/summary.h"
#include "e1000tlm/tlm/output_file.h"
#include "e1000tlm/trace/observation.h"
#include "e1000tlm/trace/page.h"

#include "e1000tlm_version.h"

namespace e1000tlm::platform {
namespace {

constexpr int kFine = 0, kFailed = 1, kUsage = 2;

int complain(const std::string& what, int status) {
  std::cerr << "e1000-sim: " << what << "\n";
  return status;
}

/// Throws std::runtime_error.
void print(const std::string& text) {
  OutputFile out = OutputFile::standard_output();
  out.write(text);
  out.close();
}

std::string version() {
  const std::string commit = kCommit[0] != 0 ? std::string(" (commit ") + kCommit + ")" : "";
  return std::string("e1000-sim ") + kVersion + commit + ", SystemC " + sc_core::sc_version_string +
         "\n";
}

std::map<std::string, std::string> link_kinds() {
  const link::PartnerRegistry partners = link::builtin_partners();
  std::map<std::string, std::string> kinds;
  for (const auto& [name, kind] : partners.kinds()) kinds[name] = kind.summary;
  return kinds;
}

/// --link help and --link KIND:help. Throws std::invalid_argument.
std::string link_help(const std::string& name) {
  const link::PartnerRegistry partners = link::builtin_partners();
  if (name.empty()) {
    std::string text = "Kinds of links (--link KIND:help tells all about one)\n";
    text += link_list(link_kinds());
    for (const auto& [kind, reason] : partners.missing())
      text += "  " + kind + ": " + reason + "\n";
    return text;
  }
  if (const auto found = partners.kinds().find(name); found != partners.kinds().end()) {
    return link::kind_help(name, found->second);
  }
  if (const auto found = partners.missing().find(name); found != partners.missing().end()) {
    throw std::invalid_argument("--link " + name + ": " + found->second);
  }
  throw std::invalid_argument("--link " + name + ":help: no such kind; see --link help");
}

int print_link_help(const std::string& kind) {
  std::string text;
  try {
    text = link_help(kind);
  } catch (const std::invalid_argument& error) {
    return complain(error.what(), kUsage);
  }
  print(text);
  return kFine;
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

void on_signal(int signal) { Board::request_stop(signal); }

void handle_signals() {
  std::signal(SIGINT, on_signal);
  std::signal(SIGTERM, on_signal);
  // nohup(1) ignores it.
  if (std::signal(SIGHUP, on_signal) == SIG_IGN) std::signal(SIGHUP, SIG_IGN);
  // Writing fails instead.
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
}

/// Where the summary goes as JSON. Opened before the run: better told then than after it.
class JsonOutput {
 public:
  /// Throws std::runtime_error.
  explicit JsonOutput(const std::string& path) {
    if (path == "-") file_.emplace(OutputFile::standard_output());
    if (!path.empty() && path != "-") file_.emplace("--json", path);
  }
  /// What an earlier run has written is out of date.
  void begin() {
    if (file_) file_->begin();
  }
  void write(const std::string& json) {
    if (!file_) return;
    file_->write(json);
    file_->close();
  }

 private:
  std::optional<OutputFile> file_;
};

/// The summary as text, if wanted. Throws std::runtime_error.
void report(const Options& options, const RunSummary& summary) {
  if (options.quiet || options.json == "-") return;
  if (results_on_standard_output(options.board)) {
    std::cerr << to_text(summary);
  } else {
    print(to_text(summary));
  }
}

int status_of(const Board& board, const RunSummary& summary) {
  constexpr int kSignalled = 128;  // as shells have it
  if (summary.signal != 0 && !board.meant_to_be_stopped()) return kSignalled + summary.signal;
  return summary.failures.empty() ? kFine : kFailed;
}

int simulate(Options& options) {
  options.board.progress = !options.quiet && isatty(STDERR_FILENO) != 0;
  std::unique_ptr<Board> board;
  std::unique_ptr<JsonOutput> json;
  std::unique_ptr<trace::Observation> observation;
  try {
    check_files(options.board, options.json,
                {{"--trace", options.observe.trace},
                 {"--report", options.observe.report},
                 {"--waves", options.observe.waves}});
    board = std::make_unique<Board>("board", options.board);
    handle_signals();  // at once: clients may have found its doors open
    json = std::make_unique<JsonOutput>(options.json);
    observation = std::make_unique<trace::Observation>(options.observe, *board);
  } catch (const std::exception& error) {
    return complain(error.what(), kUsage);
  }
  json->begin();
  observation->begin();
  board->run();
  board->finish();
  RunSummary summary = board->summary();
  for (const std::string& text : observation->warnings()) summary.warnings.push_back(text);
  const auto attempt = [&](const auto& action) {
    try {
      action();
    } catch (const std::runtime_error& error) {
      summary.failures.emplace_back(error.what());
    }
  };
  attempt([&] { report(options, summary); });
  attempt([&] { observation->write_trace(); });
  attempt([&] { observation->write_waves(); });
  attempt([&] { observation->write_report(summary); });
  attempt([&] { json->write(to_json(summary)); });
  for (const std::string& failure : summary.failures) complain(failure, kFailed);
  return status_of(*board, summary);
}

/// e1000-sim report A.json B.json ... -o FILE.html
int compare(int argc, char** argv) {
  std::vector<std::string> inputs;
  std::string output;
  for (int i = 2; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "-o" && i + 1 < argc) {
      output = argv[++i];
    } else if (!word.empty() && word[0] == '-') {
      return complain("report: " + word + ": expected report A.json B.json ... -o FILE.html",
                      kUsage);
    } else {
      inputs.push_back(word);
    }
  }
  if (inputs.empty() || output.empty()) {
    return complain("report: expected report A.json B.json ... -o FILE.html", kUsage);
  }
  std::string page;
  std::optional<OutputFile> file;
  try {
    std::vector<std::pair<std::string, std::string>> runs;
    for (const std::string& path : inputs) {
      std::error_code error;
      if (std::filesystem::equivalent(path, output, error)) {
        throw std::invalid_argument(path + " and -o " + output + " are the same file");
      }
      std::ifstream input(path);
      std::ostringstream text;
      text << input.rdbuf();
      if (!input || std::filesystem::is_directory(path, error)) {
        throw std::invalid_argument("cannot read " + path);
      }
      runs.emplace_back(path, text.str());
    }
    page = trace::comparison_page(runs);
    file.emplace("report", output);
  } catch (const std::exception& error) {
    return complain(std::string("report: ") + error.what(), kUsage);
  }
  file->write(page);
  file->close();
  return kFine;
}

int run(int argc, char** argv) {
  if (argc > 1 && std::string_view(argv[1]) == "report") {
    try {
      return compare(argc, argv);
    } catch (const std::exception& error) {
      return complain(error.what(), kFailed);
    }
  }
  Options options;
  try {
    options = parse_options(argc, argv);
  } catch (const std::exception& error) {
    return complain(error.what(), kUsage);
  }
  sc_core::sc_report_handler::set_handler(on_report);
  try {
    switch (options.action) {
      case Options::Action::kHelp: print(help_text(link_kinds())); return kFine;
      case Options::Action::kLinkHelp: return print_link_help(options.kind);
      case Options::Action::kVersion: print(version()); return kFine;
      case Options::Action::kRun: break;
    }
    return simulate(options);
  } catch (const sc_core::sc_report& report) {
    return complain(std::string("the simulation stopped: ") + report.get_msg(), kFailed);
  } catch (const std::exception& error) {
    return complain(error.what(), kFailed);
  }
}

/// A file must not be opened in the place of a standard stream that is closed: what is printed
/// would go there. Now it fails.
void hold_standard_streams() {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
    if (fcntl(fd, F_GETFD) >= 0) continue;
    if (open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd) std::abort();
  }
}

}  // namespace
}  // namespace e1000tlm::platform

int sc_main(int argc, char** argv) { return e1000tlm::platform::run(argc, argv); }

int main(int argc, char** argv) {
  e1000tlm::platform::hold_standard_streams();
  setenv("SC_COPYRIGHT_MESSAGE", "DISABLE", 1);
  return sc_core::sc_elab_and_sim(argc, argv);
}
