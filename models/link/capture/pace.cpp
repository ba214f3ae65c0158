#include "e1000tlm/link/capture/pace.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <stdexcept>
#include <string_view>

namespace e1000tlm::link {
namespace {

constexpr double kHighestRate = 1e12;

struct Unit {
  std::string_view name;
  Pace::Kind kind;
};
constexpr std::array<Unit, 5> kUnits{{{"bit/s", Pace::Kind::kBits},
                                      {"bps", Pace::Kind::kBits},
                                      {"frames/s", Pace::Kind::kFrames},
                                      {"fps", Pace::Kind::kFrames},
                                      {"pps", Pace::Kind::kFrames}}};

double prefix_factor(std::string_view prefix) {
  if (prefix.empty()) return 1;
  if (prefix == "k") return 1e3;
  if (prefix == "M") return 1e6;
  if (prefix == "G") return 1e9;
  return 0;
}

bool ends_with(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

}  // namespace

Pace Pace::parse(const std::string& text) {
  if (text == "recorded") return {Kind::kRecorded, 0};
  if (text == "line") return {Kind::kLine, 0};
  const std::size_t digits = text.find_first_not_of("0123456789.");
  if (digits == 0 || digits == std::string::npos) {
    throw std::invalid_argument(
        "is neither recorded, line nor a rate with unit such as 100Mbit/s or 10kfps");
  }
  std::string_view suffix = std::string_view(text).substr(digits);
  suffix.remove_prefix(std::min(suffix.find_first_not_of(' '), suffix.size()));
  for (const Unit& unit : kUnits) {
    if (!ends_with(suffix, unit.name)) continue;
    const double factor = prefix_factor(suffix.substr(0, suffix.size() - unit.name.size()));
    if (factor == 0) break;
    std::size_t used = 0;
    double value = 0;
    try {
      value = std::stod(text.substr(0, digits), &used) * factor;
    } catch (const std::logic_error&) {  // "." or out of range: the check below reports it
    }
    if (used != digits || !(value >= 1) || value > kHighestRate) {
      throw std::invalid_argument("is not a rate from 1 to 1e12 per second");
    }
    return {unit.kind, static_cast<std::uint64_t>(std::llround(value))};
  }
  throw std::invalid_argument("has an unknown unit \"" + std::string(suffix) +
                              "\" (bit/s, bps, frames/s or fps after k, M, G or nothing)");
}

Time RateClock::advance(std::uint64_t units) {
  constexpr std::uint64_t kPicosecondsPerSecond = 1'000'000'000'000;
  const std::uint64_t total = units * kPicosecondsPerSecond + remainder_;
  remainder_ = total % rate_;
  return Time{static_cast<std::int64_t>(total / rate_)};
}

}  // namespace e1000tlm::link
