#pragma once
/// Options that say what is connected to what. No SystemC.

#include <string>
#include <vector>

#include <boost/program_options.hpp>

#include "e1000tlm/board/board_config.h"

namespace e1000tlm::platform {

/// --switch, --hub, --on-switch and --filter. Throws std::invalid_argument naming the option.
void fill_switches(const boost::program_options::variables_map& values, BoardConfig& board);

/// Adapters and their links, as many of both; what was not given follows from the application.
/// Throws as above.
void fill_adapters(BoardConfig& board, std::vector<NicConfig> nics, std::vector<std::string> links);

}  // namespace e1000tlm::platform
