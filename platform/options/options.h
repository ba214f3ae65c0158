#pragma once
/// The command line and configuration file of e1000-sim. No SystemC.

#include <map>
#include <string>
#include <vector>

#include "e1000tlm/board/board_config.h"
#include "e1000tlm/trace/settings.h"

namespace e1000tlm::platform {

struct Options {
  enum class Action : std::uint8_t { kRun, kHelp, kVersion, kLinkHelp };
  Action action = Action::kRun;
  BoardConfig board;
  std::string kind;  ///< kLinkHelp: of this kind of link; empty: of all
  std::string json;  ///< file for the summary; "-" is standard output; empty: none
  bool quiet = false;
  trace::Settings observe;  ///< --trace and --report
};

/// Reads argv (argv[0] is skipped) and the INI file that --config names; the command line wins, and
/// repeatable options given there replace those of the file. Throws std::invalid_argument naming
/// the option and what is wrong with it. What needs the outside world (files, sockets, link kinds)
/// is checked later, when the board is built.
Options parse_options(int argc, const char* const* argv);

/// The kinds of links, a line each.
std::string link_list(const std::map<std::string, std::string>& link_kinds);

/// The whole of --help. `link_kinds`: one line for each kind of link and its options.
std::string help_text(const std::map<std::string, std::string>& link_kinds);

}  // namespace e1000tlm::platform
