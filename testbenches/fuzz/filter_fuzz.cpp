/// Whatever --filter, or a client's command impair, is given: a configuration within limits, or an
/// error.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>

#include "e1000tlm/board/impair_keys.h"
#include "e1000tlm/link/filter/impairment.h"

namespace {

/// "key=value,key=value".
std::map<std::string, std::string> keys_of(const std::string& text) {
  std::map<std::string, std::string> keys;
  std::istringstream parts(text);
  for (std::string part; std::getline(parts, part, ',');) {
    const std::size_t equals = part.find('=');
    keys[part.substr(0, equals)] = equals == std::string::npos ? "" : part.substr(equals + 1);
  }
  return keys;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace e1000tlm;
  const std::string text(reinterpret_cast<const char*>(data), size);
  try {
    link::Impairment line(platform::parse_impair(keys_of(text), {}));
    Time before{};
    for (int i = 0; i < 50; ++i) {
      const auto verdict =
          line.decide(us(i), 64 + static_cast<std::size_t>(i) * 30, link::Speed::k1000);
      if (verdict.lost) continue;
      if (verdict.start < us(i)) std::abort();
      if (!line.config().overtake && verdict.start < before) std::abort();
      before = verdict.start;
    }
  } catch (const std::invalid_argument&) {  // it says what is wrong
  }
  return 0;
}
