#include "e1000tlm/traffic/units.h"

#include <array>
#include <cctype>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>

namespace e1000tlm::traffic {
namespace {

struct Quantity {
  double value = 0;
  std::string unit;
};

std::invalid_argument bad(std::string_view what, std::string_view text, std::string_view expected) {
  return std::invalid_argument(std::string(what) + " '" + std::string(text) + "': expected " +
                               std::string(expected));
}

/// Digits with an optional fraction, then the unit. Unlike strtod alone: no sign, exponent, hex,
/// nan.
bool split(std::string_view text, Quantity& out) {
  std::size_t end = 0;
  std::size_t dots = 0;
  while (end < text.size() && (std::isdigit(static_cast<unsigned char>(text[end])) != 0 ||
                               (text[end] == '.' && dots == 0))) {
    if (text[end] == '.') ++dots;
    ++end;
  }
  if (end == dots) return false;
  out.value = std::strtod(std::string(text.substr(0, end)).c_str(), nullptr);
  while (end < text.size() && text[end] == ' ') ++end;
  out.unit = std::string(text.substr(end));
  return true;
}

struct Scale {
  std::string_view unit;
  double factor;
};

template <std::size_t N>
const Scale* find_scale(const std::array<Scale, N>& scales, const std::string& unit) {
  for (const Scale& scale : scales) {
    if (scale.unit == unit) return &scale;
  }
  return nullptr;
}

constexpr std::array<Scale, 6> kTimes{
    {{"ps", 1}, {"ns", 1e3}, {"us", 1e6}, {"ms", 1e9}, {"s", 1e12}, {"min", 60e12}}};
constexpr std::array<Scale, 11> kSizes{{{"", 1},
                                        {"B", 1},
                                        {"kB", 1e3},
                                        {"MB", 1e6},
                                        {"GB", 1e9},
                                        {"k", 1024},
                                        {"M", 1024.0 * 1024},
                                        {"G", 1024.0 * 1024 * 1024},
                                        {"KiB", 1024},
                                        {"MiB", 1024.0 * 1024},
                                        {"GiB", 1024.0 * 1024 * 1024}}};
constexpr std::size_t kWireOverheadBytes = 20;  // preamble, start of frame, inter-frame gap

std::string significant(double value) {
  std::array<char, 32> text{};
  const int decimals = value >= 100 || value == 0 ? 0 : value >= 10 ? 1 : 2;
  std::snprintf(text.data(), text.size(), "%.*f", decimals, value);
  return text.data();
}

}  // namespace

Time parse_time(std::string_view text) {
  constexpr std::string_view kExpected =
      "a time such as 10us, 1.5ms or 2s (ps, ns, us, ms, s, min)";
  Quantity quantity;
  if (!split(text, quantity)) throw bad("time", text, kExpected);
  if (quantity.unit.empty() && quantity.value == 0) return kTimeZero;
  const Scale* scale = find_scale(kTimes, quantity.unit);
  if (scale == nullptr) throw bad("time", text, kExpected);
  const double ps = quantity.value * scale->factor;
  if (ps > 8.64e18) throw bad("time", text, "no more than 100 days");
  return Time{std::llround(ps)};
}

std::uint64_t parse_size(std::string_view text) {
  Quantity quantity;
  const Scale* scale = split(text, quantity) ? find_scale(kSizes, quantity.unit) : nullptr;
  if (scale == nullptr) throw bad("size", text, "bytes such as 1500, 64k, 64MiB or 1GB");
  const double bytes = quantity.value * scale->factor;
  if (bytes > 1e15 || bytes != std::floor(bytes)) {
    throw bad("size", text, "a whole number of bytes below 1000 TB");
  }
  return static_cast<std::uint64_t>(bytes);
}

Rate parse_rate(std::string_view text) {
  constexpr std::string_view kExpected =
      "'line' or a rate such as 1Gbit/s, 100Mbps, 1.488Mfps or 10kfps";
  if (text == "line") return {};
  Quantity quantity;
  if (!split(text, quantity) || quantity.unit.empty()) throw bad("rate", text, kExpected);
  std::string unit = quantity.unit;
  double factor = 1;
  switch (unit.front()) {
    case 'k': factor = 1e3; break;
    case 'M': factor = 1e6; break;
    case 'G': factor = 1e9; break;
    default: break;
  }
  if (factor > 1) unit.erase(0, 1);
  Rate rate;
  if (unit == "bit/s" || unit == "bps") {
    rate.kind = Rate::Kind::kBits;
  } else if (unit == "fps" || unit == "frames/s" || unit == "pps") {
    rate.kind = Rate::Kind::kFrames;
  } else {
    throw bad("rate", text, kExpected);
  }
  const double per_second = std::round(quantity.value * factor);
  if (per_second < 1 || per_second > 1e12) throw bad("rate", text, "1 to 10^12 per second");
  rate.per_second = static_cast<std::uint64_t>(per_second);
  return rate;
}

void Pacer::sent(std::size_t wire_bytes) {
  if (rate_.kind == Rate::Kind::kLine || due_ == kTimeNever) return;
  constexpr std::uint64_t kPicosPerSecond = 1'000'000'000'000;
  const std::uint64_t units =
      rate_.kind == Rate::Kind::kFrames ? 1 : (wire_bytes + kWireOverheadBytes) * 8;
  const std::uint64_t span = units * kPicosPerSecond + remainder_;
  const Time step{static_cast<std::int64_t>(span / rate_.per_second)};
  due_ = step < kTimeNever - due_ ? due_ + step : kTimeNever;
  remainder_ = span % rate_.per_second;
}

std::string format_time(Time time) {
  const auto ps = static_cast<double>(time.count());
  for (auto scale = kTimes.rbegin() + 1; scale != kTimes.rend(); ++scale) {
    if (ps >= scale->factor)
      return significant(ps / scale->factor) + " " + std::string(scale->unit);
  }
  return "0 s";
}

std::string format_rate(double per_second, std::string_view unit) {
  constexpr std::array<Scale, 3> kPrefixes{{{"G", 1e9}, {"M", 1e6}, {"k", 1e3}}};
  for (const Scale& prefix : kPrefixes) {
    if (per_second >= prefix.factor) {
      return significant(per_second / prefix.factor) + " " + std::string(prefix.unit) +
             std::string(unit);
    }
  }
  return significant(per_second) + " " + std::string(unit);
}

std::string format_bit_rate(double bits_per_second) {
  return format_rate(bits_per_second, "bit/s");
}

std::string format_count(std::uint64_t count) {
  std::string text = std::to_string(count);
  for (std::size_t i = text.size(); i > 3;) {
    i -= 3;
    text.insert(i, ",");
  }
  return text;
}

}  // namespace e1000tlm::traffic
