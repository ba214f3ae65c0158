#pragma once
/// The pages that --report and the command report write. No SystemC.

#include <string>
#include <utility>
#include <vector>

#include "e1000tlm/report/summary.h"
#include "e1000tlm/trace/history.h"

namespace e1000tlm::trace {

/// An HTML page of its own: no script, nothing from a network; light and dark as the reader has it.
/// `body`: its content.
std::string page(const std::string& title, const std::string& body);

/// A run. `command`: how to repeat it.
std::string report_page(const platform::RunSummary& summary, const History& history,
                        const std::string& command);

/// Runs side by side, from what --json wrote: name of the file and its text. Throws
/// std::invalid_argument naming the file and what is wrong with it.
std::string comparison_page(const std::vector<std::pair<std::string, std::string>>& runs);

/// A table; the cells of the first row are headings, and those that are numbers stand right.
std::string table(const std::vector<std::vector<std::string>>& rows);

}  // namespace e1000tlm::trace
