/// Whatever a client of the control socket sends, each line is a request or gets an error that is
/// one line of JSON.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "e1000tlm/plugs/control_protocol.h"

namespace {

void check_answer(const std::string& line) {
  if (line.empty() || line.back() != '\n') std::abort();
  if (std::count(line.begin(), line.end(), '\n') != 1) std::abort();
  const auto json = nlohmann::json::parse(line, nullptr, false);
  if (json.is_discarded() || json.value("jsonrpc", "") != "2.0") std::abort();
  if (json.contains("error") == json.contains("result")) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace e1000tlm::plugs;
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const ControlLine line = parse_control_line(rest.substr(0, end));
    rest.remove_prefix(std::min(rest.size(), end + 1));
    if (!line.request) {
      check_answer(line.error);
      continue;
    }
    if (line.request->id.empty()) continue;
    check_answer(control_result(line.request->id, "{}"));
    check_answer(control_error(line.request->id, ControlError(ControlCode::kFailed, "\xff\n\"")));
  }
  return 0;
}
