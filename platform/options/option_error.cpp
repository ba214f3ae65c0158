#include "e1000tlm/options/option_error.h"

#include <algorithm>

namespace e1000tlm::platform {

void fail(const std::string& option, const std::string& why) {
  throw std::invalid_argument("--" + option + ": " + why);
}

std::uint64_t parse_number(const std::string& option, const std::string& text) {
  const bool digits = !text.empty() && std::all_of(text.begin(), text.end(),
                                                   [](char c) { return c >= '0' && c <= '9'; });
  if (!digits) fail(option, "number '" + text + "': expected digits only");
  try {
    return std::stoull(text);
  } catch (const std::out_of_range&) {
    fail(option, "number '" + text + "': more than 64 bits");
  }
}

}  // namespace e1000tlm::platform
