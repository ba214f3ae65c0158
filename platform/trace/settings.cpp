#include "e1000tlm/trace/settings.h"

#include <stdexcept>

#include "e1000tlm/traffic/units.h"

namespace e1000tlm::trace {

bool is_perfetto(const std::string& file) {
  for (const std::string& suffix : {std::string(".pftrace"), std::string(".perfetto-trace")}) {
    if (file.size() > suffix.size() &&
        file.compare(file.size() - suffix.size(), suffix.size(), suffix) == 0) {
      return true;
    }
  }
  return false;
}

void parse_window(const std::string& text, Keep& keep) {
  constexpr const char* kTo = "..";
  const std::size_t to = text.find(kTo);
  if (to == std::string::npos || text.size() == 2) {
    throw std::invalid_argument(text + ": expected FROM..TO, such as 10ms..12ms, 10ms.. or ..12ms");
  }
  const std::string first = text.substr(0, to);
  const std::string last = text.substr(to + 2);
  if (!first.empty()) keep.from = traffic::parse_time(first);
  if (!last.empty()) keep.until = traffic::parse_time(last);
  if (keep.from >= keep.until) throw std::invalid_argument(text + ": ends before it begins");
}

std::string shell_command(int argc, const char* const* argv) {
  constexpr const char* kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_=./:,+@%";
  std::string text;
  for (int i = 0; i < argc; ++i) {
    const std::string word = argv[i];
    text += i == 0 ? "" : " ";
    if (!word.empty() && word.find_first_not_of(kPlain) == std::string::npos) {
      text += word;
      continue;
    }
    text += '\'';
    for (const char c : word) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
    text += '\'';
  }
  return text;
}

}  // namespace e1000tlm::trace
