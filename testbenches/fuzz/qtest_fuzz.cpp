/// Whatever a client of the qtest socket sends, in pieces of whatever size: each line is a command
/// within limits, or gets an answer of one line.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <variant>

#include "e1000tlm/plugs/qtest_protocol.h"

namespace {

using namespace e1000tlm;
using namespace e1000tlm::plugs;

constexpr std::size_t kLongestLine = 4096;

void require(bool holds) {
  if (!holds) std::abort();
}

void check_answer(const std::string& answer) {
  require(!answer.empty() && answer.back() == '\n');
  require(std::count(answer.begin(), answer.end(), '\n') == 1);
}

void check_command(const QTestCommand& command) {
  using Kind = QTestCommand::Kind;
  switch (command.kind) {
    case Kind::kRead:
    case Kind::kWrite:
    case Kind::kIn:
    case Kind::kOut:
      require(command.width == 1 || command.width == 2 || command.width == 4 || command.width == 8);
      require(command.width == 8 || command.value >> (8 * command.width) == 0);
      break;
    case Kind::kReadHex:
    case Kind::kReadBase64: require(command.size <= kQTestMaxBlock); break;
    case Kind::kWriteBlock:
      require(command.data.size() <= kQTestMaxBlock);
      check_answer(qtest_hex({command.data.data(), command.data.size()}));
      check_answer(qtest_base64({command.data.data(), command.data.size()}));
      break;
    case Kind::kInterceptIn:
    case Kind::kInterceptOut:
    case Kind::kSetIrq: names_device(command.device, "/machine/i440fx/ioapic"); break;
    case Kind::kEndianness:
    case Kind::kClockStep:
    case Kind::kClockSet: break;
  }
}

}  // namespace

/// The first byte is the size of a piece, the rest what the client sends.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::size_t piece = std::size_t{data[0]} + 1;
  std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  QTestLines lines(kLongestLine);
  while (!rest.empty()) {
    lines.append(rest.substr(0, piece));
    rest.remove_prefix(std::min(piece, rest.size()));
    while (const auto line = lines.next()) {
      require(line->text.size() <= kLongestLine && (!line->too_long || line->text.empty()));
      const QTestParsed parsed = parse_qtest(line->text);
      if (const auto* answer = std::get_if<std::string>(&parsed)) {
        check_answer(*answer);
      } else {
        check_command(std::get<QTestCommand>(parsed));
      }
    }
  }
  return 0;
}
