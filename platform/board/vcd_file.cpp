#include "e1000tlm/board/vcd_file.h"

#include <array>
#include <utility>

namespace e1000tlm::platform {
namespace {

/// Short names in the dump: printable characters, '!' to '~'.
std::string code_of(std::size_t number) {
  constexpr std::size_t kFirst = '!', kCodes = '~' - '!' + 1;
  std::string code;
  do {
    code += static_cast<char>(kFirst + number % kCodes);
    number /= kCodes;
  } while (number != 0);
  return code;
}

}  // namespace

void VcdFile::open_scope(std::string_view name) {
  if (!std::exchange(headed_, true)) file_.write("$timescale 1 ps $end\n");
  file_.write("$scope module " + std::string(name) + " $end\n");
}

void VcdFile::close_scope() { file_.write("$upscope $end\n"); }

VcdFile::Signal VcdFile::declare(std::string_view name, unsigned bits, bool floats, bool high) {
  wires_.push_back({code_of(wires_.size()), bits, floats ? 'z' : '\0', high ? 1U : 0U});
  std::string line = "$var wire " + std::to_string(bits) + " " + wires_.back().code + " ";
  line.append(name);
  if (bits > 1) line += " [" + std::to_string(bits - 1) + ":0]";
  file_.write(line + " $end\n");
  return wires_.size() - 1;
}

void VcdFile::start(Time at) {
  now_ = at;
  file_.write("$enddefinitions $end\n#" + std::to_string(at.count()) + "\n$dumpvars\n");
  for (const Wire& wire : wires_) write(wire);
  file_.write("$end\n");
}

void VcdFile::set(Signal signal, Time at, std::uint64_t value) {
  Wire& wire = wires_[signal];
  if (wire.bits < 64) value &= (std::uint64_t{1} << wire.bits) - 1;
  if (wire.filled == 0 && wire.value == value) return;
  wire.filled = 0;
  wire.value = value;
  stamp(at);
  write(wire);
}

void VcdFile::fill(Signal signal, Time at, char with) {
  Wire& wire = wires_[signal];
  if (wire.filled == with) return;
  wire.filled = with;
  stamp(at);
  write(wire);
}

void VcdFile::stamp(Time at) {
  if (at <= now_) return;
  now_ = at;
  file_.write("#" + std::to_string(at.count()) + "\n");
}

void VcdFile::write(const Wire& wire) {
  std::array<char, 72> line{};
  std::size_t length = 0;
  if (wire.bits > 1) line.at(length++) = 'b';
  if (wire.filled != 0) {
    line.at(length++) = wire.filled;
  } else {
    unsigned bit = wire.bits - 1;  // leading zeros go without saying
    while (bit > 0 && (wire.value >> bit) == 0) --bit;
    for (;; --bit) {
      line.at(length++) = (wire.value >> bit & 1) != 0 ? '1' : '0';
      if (bit == 0) break;
    }
  }
  if (wire.bits > 1) line.at(length++) = ' ';
  file_.write(line.data(), length);
  file_.write(wire.code + "\n");
}

void VcdFile::close(Time at) {
  stamp(at);
  file_.close();
}

}  // namespace e1000tlm::platform
