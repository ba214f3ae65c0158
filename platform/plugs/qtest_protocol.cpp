#include "e1000tlm/plugs/qtest_protocol.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <limits>

#include "e1000tlm/plugs/base64.h"

namespace e1000tlm::plugs {
namespace {

using Kind = QTestCommand::Kind;
using Words = std::vector<std::string_view>;

// Long garbage is not repeated in full.
constexpr std::size_t kMaxEcho = 256;
// No command has more words; the rest is ignored, as QEMU does.
constexpr std::size_t kMaxWords = 8;

struct Rejected {
  std::string answer;
};

[[noreturn]] void reject(std::string_view reason) { throw Rejected{qtest_fail(reason)}; }

std::string echo(std::string_view text) {
  return "'" + std::string(text.substr(0, kMaxEcho)) + "'";
}

Words split(std::string_view line) {
  Words words;
  while (words.size() < kMaxWords) {
    const std::size_t space = line.find(' ');
    words.push_back(line.substr(0, space));
    if (space == std::string_view::npos) break;
    line.remove_prefix(space + 1);
  }
  return words;
}

std::string_view argument(const Words& words, std::size_t index) {
  if (index >= words.size() || words[index].empty()) {
    reject("Missing argument of " + echo(words[0]));
  }
  return words[index];
}

int digit_of(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return 16;
}

struct Number {
  std::uint64_t magnitude = 0;
  bool negative = false;
};

/// As strtoull with base 0 and nothing left over: decimal, 0x hexadecimal, 0 octal, optional sign.
Number parse_number(std::string_view text) {
  std::string_view rest = text;
  Number number;
  if (!rest.empty() && (rest[0] == '-' || rest[0] == '+')) {
    number.negative = rest[0] == '-';
    rest.remove_prefix(1);
  }
  unsigned base = 10;
  if (rest.size() > 2 && rest[0] == '0' && (rest[1] == 'x' || rest[1] == 'X')) {
    base = 16;
    rest.remove_prefix(2);
  } else if (rest.size() > 1 && rest[0] == '0') {
    base = 8;
    rest.remove_prefix(1);
  }
  bool valid = !rest.empty();
  for (const char c : rest) {
    const auto digit = static_cast<unsigned>(digit_of(c));
    constexpr std::uint64_t kMax = std::numeric_limits<std::uint64_t>::max();
    valid = valid && digit < base && number.magnitude <= (kMax - digit) / base;
    if (!valid) break;
    number.magnitude = number.magnitude * base + digit;
  }
  if (!valid) reject("Invalid number " + echo(text));
  return number;
}

/// Negative numbers wrap, as they do in QEMU.
std::uint64_t unsigned_argument(const Words& words, std::size_t index) {
  const Number number = parse_number(argument(words, index));
  return number.negative ? 0 - number.magnitude : number.magnitude;
}

std::int64_t signed_argument(const Words& words, std::size_t index) {
  const std::string_view text = argument(words, index);
  const Number number = parse_number(text);
  constexpr auto kMax = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (number.magnitude > kMax) reject("Invalid number " + echo(text));
  const auto value = static_cast<std::int64_t>(number.magnitude);
  return number.negative ? -value : value;
}

void check_range(std::uint64_t address, std::uint64_t size) {
  if (size > kQTestMaxBlock) {
    reject("Size " + std::to_string(size) + " is more than the limit of " +
           std::to_string(kQTestMaxBlock) + " bytes");
  }
  if (size > 0 && address + (size - 1) < address) reject("Range leaves the address space");
}

QTestCommand block(Kind kind, const Words& words) {
  QTestCommand command;
  command.kind = kind;
  command.address = unsigned_argument(words, 1);
  command.size = unsigned_argument(words, 2);
  return command;
}

QTestCommand read_block(Kind kind, const Words& words) {
  QTestCommand command = block(kind, words);
  check_range(command.address, command.size);
  if (kind == Kind::kReadHex && command.size == 0) reject("Cannot read 0 bytes");
  return command;
}

/// The data word of write and b64write: QEMU wants three characters at least.
std::string_view data_argument(const Words& words) {
  const std::string_view text = argument(words, 3);
  if (text.size() < 3) throw Rejected{"ERR invalid argument size\n"};
  return text;
}

/// "0x" and two digits a byte; bytes that are not given are zero, those too many are ignored.
QTestCommand write_hex(const Words& words) {
  QTestCommand command = block(Kind::kWriteBlock, words);
  const std::string_view digits = data_argument(words).substr(2);
  check_range(command.address, command.size);
  command.data.resize(command.size);
  const std::size_t given = std::min<std::size_t>(command.size, digits.size() / 2);
  for (std::size_t i = 0; i < given; ++i) {
    const int high = digit_of(digits[2 * i]);
    const int low = digit_of(digits[2 * i + 1]);
    if (high > 15 || low > 15) reject("Invalid hexadecimal data");
    command.data[i] = static_cast<std::uint8_t>(high << 4 | low);
  }
  return command;
}

/// If the sizes do not match, the shorter one counts.
QTestCommand write_base64(const Words& words) {
  QTestCommand command = block(Kind::kWriteBlock, words);
  const std::string_view text = data_argument(words);
  check_range(command.address, command.size);
  command.data = base64_decode(text);
  if (command.data.size() > command.size) command.data.resize(command.size);
  return command;
}

QTestCommand fill(const Words& words) {
  QTestCommand command = block(Kind::kWriteBlock, words);
  const auto value = static_cast<std::uint8_t>(unsigned_argument(words, 3));
  check_range(command.address, command.size);
  command.data.assign(command.size, value);
  return command;
}

QTestCommand access(Kind kind, unsigned width, const Words& words) {
  QTestCommand command;
  command.kind = kind;
  command.width = width;
  command.address = unsigned_argument(words, 1);
  if (kind == Kind::kWrite || kind == Kind::kOut) {
    const std::uint64_t mask = width == 8 ? ~0ULL : (1ULL << (8 * width)) - 1;
    command.value = unsigned_argument(words, 2) & mask;
  }
  if (kind == Kind::kIn || kind == Kind::kOut) {
    if (command.address > 0xffff) reject("Port address is more than 0xffff");
  } else {
    check_range(command.address, width);
  }
  return command;
}

QTestCommand clock(Kind kind, const Words& words) {
  QTestCommand command;
  command.kind = kind;
  if (kind == Kind::kClockSet || words.size() > 1) command.nanoseconds = signed_argument(words, 1);
  return command;
}

QTestCommand intercept(Kind kind, const Words& words) {
  QTestCommand command;
  command.kind = kind;
  command.device = argument(words, 1);
  if (words.size() > 2) command.pins = words[2];
  return command;
}

int int_argument(const Words& words, std::size_t index) {
  const std::int64_t value = signed_argument(words, index);
  if (value < std::numeric_limits<int>::min() || value > std::numeric_limits<int>::max()) {
    reject("Invalid number " + echo(words[index]));
  }
  return static_cast<int>(value);
}

QTestCommand set_irq(const Words& words) {
  QTestCommand command;
  command.kind = Kind::kSetIrq;
  command.device = argument(words, 1);
  command.pins = argument(words, 2);
  if (*command.pins == "unnamed-gpio-in") command.pins.reset();
  command.pin = int_argument(words, 3);
  command.level = int_argument(words, 4);
  return command;
}

/// QEMU has modules; there are none here, so that none can be loaded.
[[noreturn]] void load_module(const Words& words) {
  argument(words, 1);
  argument(words, 2);
  throw Rejected{"FAIL\n"};
}

/// A name like "readl": stem and letter of the width.
std::optional<unsigned> width_after(std::string_view word, std::string_view stem, bool quad) {
  if (word.size() != stem.size() + 1 || word.substr(0, stem.size()) != stem) return std::nullopt;
  switch (word.back()) {
    case 'b': return 1;
    case 'w': return 2;
    case 'l': return 4;
    case 'q': return quad ? std::optional<unsigned>(8) : std::nullopt;
    default: return std::nullopt;
  }
}

QTestCommand parse(const Words& words) {
  const std::string_view name = words[0];
  if (const auto width = width_after(name, "read", true)) return access(Kind::kRead, *width, words);
  if (const auto width = width_after(name, "write", true)) {
    return access(Kind::kWrite, *width, words);
  }
  if (const auto width = width_after(name, "in", false)) return access(Kind::kIn, *width, words);
  if (const auto width = width_after(name, "out", false)) return access(Kind::kOut, *width, words);
  if (name == "read") return read_block(Kind::kReadHex, words);
  if (name == "b64read") return read_block(Kind::kReadBase64, words);
  if (name == "write") return write_hex(words);
  if (name == "b64write") return write_base64(words);
  if (name == "memset") return fill(words);
  if (name == "endianness") return QTestCommand{};
  if (name == "clock_step") return clock(Kind::kClockStep, words);
  if (name == "clock_set") return clock(Kind::kClockSet, words);
  if (name == "irq_intercept_in") return intercept(Kind::kInterceptIn, words);
  if (name == "irq_intercept_out") return intercept(Kind::kInterceptOut, words);
  if (name == "set_irq_in") return set_irq(words);
  if (name == "module_load") load_module(words);
  reject("Unknown command " + echo(name));
}

template <class Value>
std::string formatted(const char* format, Value value) {
  std::array<char, 64> text{};
  const int size = std::snprintf(text.data(), text.size(), format, value);
  return {text.data(), static_cast<std::size_t>(size)};
}

}  // namespace

bool names_device(std::string_view name, std::string_view path) {
  if (name.empty() || name.size() > path.size()) return false;
  if (name.front() == '/') return name == path;
  const std::size_t start = path.size() - name.size();
  return path.substr(start) == name && start > 0 && path[start - 1] == '/';
}

QTestParsed parse_qtest(std::string_view line) {
  try {
    return parse(split(line));
  } catch (Rejected& rejected) {
    return std::move(rejected.answer);
  }
}

std::string qtest_ok() { return "OK\n"; }

std::string qtest_value(std::uint64_t value) {
  return formatted("OK 0x%016llx\n", static_cast<unsigned long long>(value));
}

std::string qtest_port(std::uint32_t value) { return formatted("OK 0x%04x\n", value); }

std::string qtest_hex(ConstBytes data) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string answer = "OK 0x";
  answer.reserve(answer.size() + 2 * data.size() + 1);
  for (const std::uint8_t byte : data) {
    answer += kDigits[byte >> 4];
    answer += kDigits[byte & 0xf];
  }
  return answer += '\n';
}

std::string qtest_base64(ConstBytes data) { return "OK " + base64_encode(data) + '\n'; }

std::string qtest_clock(std::int64_t nanoseconds) {
  return "OK " + std::to_string(nanoseconds) + '\n';
}

std::string qtest_fail(std::string_view reason) { return "FAIL " + std::string(reason) + '\n'; }

std::string qtest_irq(unsigned line, bool level) {
  return (level ? "IRQ raise " : "IRQ lower ") + std::to_string(line) + '\n';
}

void QTestLines::append(std::string_view bytes) {
  if (begin_ > 0) {
    pending_.erase(0, begin_);
    scanned_ -= begin_;
    begin_ = 0;
  }
  pending_ += bytes;
}

std::optional<QTestLines::Line> QTestLines::next() {
  const std::size_t end = pending_.find('\n', scanned_);
  const std::size_t size = (end == std::string::npos ? pending_.size() : end) - begin_;
  if (size > max_line_) skipping_ = true;
  if (end == std::string::npos) {
    if (skipping_) pending_.erase(begin_);
    scanned_ = pending_.size();
    return std::nullopt;
  }
  Line line;
  line.too_long = std::exchange(skipping_, false);
  if (!line.too_long) line.text = pending_.substr(begin_, size);
  if (!line.text.empty() && line.text.back() == '\r') line.text.pop_back();
  begin_ = scanned_ = end + 1;
  return line;
}

}  // namespace e1000tlm::plugs
