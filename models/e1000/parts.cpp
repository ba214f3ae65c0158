#include "e1000tlm/e1000/parts.h"

#include <algorithm>

namespace e1000tlm::e1000 {
namespace {

// Part names are plain ASCII; the C library's tolower would depend on the locale.
constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool same_name(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

}  // namespace

std::optional<Part> find_part(std::string_view name) {
  const auto* found = std::find_if(kParts.begin(), kParts.end(), [name](const PartInfo& info) {
    return same_name(info.name, name);
  });
  if (found == kParts.end()) return std::nullopt;
  return found->part;
}

}  // namespace e1000tlm::e1000
