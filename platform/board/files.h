#pragma once
/// Files that a run reads and writes.

#include <string>
#include <vector>

#include "e1000tlm/board/board_config.h"

namespace e1000tlm::platform {

/// A file that an option of the program's names; empty: none.
struct NamedOutput {
  /// "--trace".
  std::string option;
  /// The file.
  std::string path;
};

/// None may be written that is also read, or written twice. (That other runs do so meanwhile is
/// found when a file is opened: see FileLock.) Images of EEPROM and flash are regular files: a pipe
/// would keep the run waiting for a writer, and could not take back what software writes. `json`:
/// file of the summary, "-" or empty for none. Throws std::invalid_argument naming options and
/// files.
void check_files(const BoardConfig& config, const std::string& json,
                 const std::vector<NamedOutput>& others = {});

/// Standard output belongs to a capture file (out=-) or to a client (--qtest stdio): what is said
/// to people goes to standard error.
bool results_on_standard_output(const BoardConfig& config);

}  // namespace e1000tlm::platform
