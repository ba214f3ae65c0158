#include "e1000tlm/e1000/registers/statistics.h"

namespace e1000tlm::e1000 {
namespace {

/// What a register of the block is, and which counter it shows.
struct Register {
  enum class Kind : std::uint8_t { kNothing, kCounter, kLow, kHigh };
  Kind kind = Kind::kNothing;
  std::uint8_t index = 0;
};
using Kind = Register::Kind;

constexpr std::size_t place_of(std::uint32_t offset) { return (offset - reg::kStatistics) / 4; }

constexpr std::array<Register, 64> make_registers() {
  std::array<Register, 64> registers{};
  for (const CounterName& entry : kCounterNames) {
    const auto index = static_cast<std::uint8_t>(entry.counter);
    registers[index] = {Kind::kCounter, index};
  }
  for (const OctetCounterName& entry : kOctetCounterNames) {
    const auto index = static_cast<std::uint8_t>(entry.counter);
    const std::size_t low = place_of(offset_of(entry.counter));
    registers[low] = {Kind::kLow, index};
    registers[low + 1] = {Kind::kHigh, index};
  }
  return registers;
}
constexpr std::array<Register, 64> kRegisters = make_registers();

constexpr Register register_at(std::uint32_t offset) {
  const bool inside = offset >= reg::kStatistics && offset < reg::kStatisticsEnd && offset % 4 == 0;
  return inside ? kRegisters[place_of(offset)] : Register{};
}

}  // namespace

void Statistics::on_receive_fault(FrameFault fault) {
  switch (fault) {
    case FrameFault::kNone: return;
    case FrameFault::kCrc: add(Counter::kCrcerrs); return;
    case FrameFault::kUndersize: add(Counter::kRuc); break;
    case FrameFault::kFragment: add(Counter::kRfc); break;
    case FrameFault::kOversize: add(Counter::kRoc); break;
    case FrameFault::kJabber:
      // CRCERRS takes every frame of 64 bytes and more (manual 13.7.1), jabber included.
      add(Counter::kRjc);
      add(Counter::kCrcerrs);
      break;
  }
  add(Counter::kRlec);
}

std::uint32_t Statistics::peek(std::uint32_t offset) const {
  const Register target = register_at(offset);
  switch (target.kind) {
    case Kind::kNothing: return 0;
    case Kind::kCounter: return saturated(state_.counters[target.index]);
    case Kind::kLow: return static_cast<std::uint32_t>(state_.octets[target.index]);
    case Kind::kHigh: return static_cast<std::uint32_t>(state_.octets[target.index] >> 32);
  }
  return 0;
}

std::uint32_t Statistics::read(std::uint32_t offset) {
  const std::uint32_t value = peek(offset);
  const Register target = register_at(offset);
  if (target.kind == Kind::kCounter) state_.counters[target.index] = 0;
  if (target.kind == Kind::kHigh) state_.octets[target.index] = 0;
  return value;
}

}  // namespace e1000tlm::e1000
