#include "e1000tlm/board/impair_keys.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <vector>

#include "e1000tlm/traffic/units.h"

namespace e1000tlm::platform {
namespace {

using link::ImpairConfig;

constexpr std::uint64_t kMostDepth = 1000;

/// "0.01", "1%", "1e-6".
double parse_chance(std::string text) {
  const std::string given = text;
  const bool percent = !text.empty() && text.back() == '%';
  if (percent) text.pop_back();
  std::size_t used = 0;
  double value = -1;
  try {
    value = std::stod(text, &used);
  } catch (const std::logic_error&) {  // no number: see below
  }
  if (percent) value /= 100;
  const bool plain = !text.empty() && text.find_first_not_of("0123456789.eE-+") == text.npos;
  if (plain && used == text.size() && value >= 0 && value <= 1) return value;
  throw std::invalid_argument("expected a chance such as 0.01 or 1%, from 0 to 1");
}

std::uint64_t parse_whole(const std::string& text, std::uint64_t least, std::uint64_t most) {
  constexpr std::size_t kDigits = 19;
  const bool digits = !text.empty() && text.size() <= kDigits &&
                      text.find_first_not_of("0123456789") == std::string::npos;
  const std::uint64_t value = digits ? std::stoull(text) : 0;
  if (digits && value >= least && value <= most) return value;
  throw std::invalid_argument("expected a whole number from " + std::to_string(least) + " to " +
                              std::to_string(most));
}

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> parts(1);
  for (const char c : text) {
    if (c == '/') {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

std::optional<link::GilbertElliott> parse_burst(const std::string& text) {
  const std::vector<std::string> parts = split(text);
  if (text == "off") return std::nullopt;
  if (parts.size() < 2 || parts.size() > 4) {
    throw std::invalid_argument(
        "expected FAIL/RECOVER[/LOSS-BAD[/LOSS-GOOD]], chances such as 1%/25%, or off");
  }
  link::GilbertElliott burst;
  burst.fail = parse_chance(parts[0]);
  burst.recover = parse_chance(parts[1]);
  if (parts.size() > 2) burst.loss_bad = parse_chance(parts[2]);
  if (parts.size() > 3) burst.loss_good = parse_chance(parts[3]);
  return burst;
}

std::vector<link::FrameRange> parse_frames(const std::string& text) {
  constexpr std::uint64_t kLast = 1'000'000'000'000'000'000;
  std::vector<link::FrameRange> ranges;
  if (text == "off") return ranges;
  for (const std::string& part : split(text)) {
    const std::size_t dash = part.find('-');
    const std::uint64_t first = parse_whole(part.substr(0, dash), 1, kLast);
    const std::uint64_t last =
        dash == std::string::npos ? first : parse_whole(part.substr(dash + 1), first, kLast);
    if (!ranges.empty() && first <= ranges.back().last) {
      throw std::invalid_argument("expected ascending numbers of frames such as 3/7/100-120");
    }
    ranges.push_back({first, last});
  }
  return ranges;
}

link::JitterKind parse_jitter_kind(const std::string& text) {
  const auto found = std::find(link::kJitterNames.begin(), link::kJitterNames.end(), text);
  if (found != link::kJitterNames.end()) {
    return static_cast<link::JitterKind>(found - link::kJitterNames.begin());
  }
  throw std::invalid_argument("expected uniform, normal, exponential or pareto");
}

bool parse_switch(const std::string& text) {
  if (text == "on" || text == "off") return text == "on";
  throw std::invalid_argument("expected on or off");
}

std::uint64_t parse_bit_rate(const std::string& text) {
  const traffic::Rate rate = traffic::parse_rate(text);
  if (rate.kind == traffic::Rate::Kind::kFrames) {
    throw std::invalid_argument("expected bits per second such as 10Mbit/s, or line");
  }
  return rate.per_second;
}

struct Key {
  std::string_view name;
  std::string_view help;
  void (*set)(ImpairConfig&, const std::string&);
};

constexpr std::array<Key, 18> kKeys{{
    {"loss", "chance that a frame is lost",
     [](ImpairConfig& c, const std::string& t) { c.loss = parse_chance(t); }},
    {"burst", "FAIL/RECOVER[/LOSS-BAD[/LOSS-GOOD]]: loss in bursts (Gilbert-Elliott)",
     [](ImpairConfig& c, const std::string& t) { c.burst = parse_burst(t); }},
    {"lose", "exactly these frames of each way, from 1, such as 3/7/100-120",
     [](ImpairConfig& c, const std::string& t) { c.lose = parse_frames(t); }},
    {"corrupt", "chance that a bit is inverted",
     [](ImpairConfig& c, const std::string& t) { c.corrupt = parse_chance(t); }},
    {"fcs", "wrong (default) or right after corruption",
     [](ImpairConfig& c, const std::string& t) {
       if (t != "wrong" && t != "right") throw std::invalid_argument("expected wrong or right");
       c.mend_fcs = t == "right";
     }},
    {"duplicate", "chance that a frame comes twice",
     [](ImpairConfig& c, const std::string& t) { c.duplicate = parse_chance(t); }},
    {"reorder", "chance that a frame is overtaken",
     [](ImpairConfig& c, const std::string& t) { c.reorder = parse_chance(t); }},
    {"depth", "by so many frames (1)",
     [](ImpairConfig& c, const std::string& t) {
       c.depth = static_cast<unsigned>(parse_whole(t, 1, kMostDepth));
     }},
    {"wait", "or for so long at most (10ms)",
     [](ImpairConfig& c, const std::string& t) { c.wait = traffic::parse_time(t); }},
    {"delay", "of each frame",
     [](ImpairConfig& c, const std::string& t) { c.delay = traffic::parse_time(t); }},
    {"jitter", "of the delay",
     [](ImpairConfig& c, const std::string& t) { c.jitter = traffic::parse_time(t); }},
    {"dist", "of jitter: uniform (default), normal, exponential, pareto",
     [](ImpairConfig& c, const std::string& t) { c.distribution = parse_jitter_kind(t); }},
    {"overtake", "on: jitter may change the order (off)",
     [](ImpairConfig& c, const std::string& t) { c.overtake = parse_switch(t); }},
    {"rate", "bit/s, or line",
     [](ImpairConfig& c, const std::string& t) { c.rate = parse_bit_rate(t); }},
    {"queue", "bytes that wait for rate (256KiB)",
     [](ImpairConfig& c, const std::string& t) { c.queue_bytes = traffic::parse_size(t); }},
    {"from", "simulated time at which all this begins",
     [](ImpairConfig& c, const std::string& t) { c.from = traffic::parse_time(t); }},
    {"until", "and ends",
     [](ImpairConfig& c, const std::string& t) {
       c.until = t == "never" ? kTimeNever : traffic::parse_time(t);
     }},
    {"seed", "of chance (that of the run, and of the link)",
     [](ImpairConfig& c, const std::string& t) { c.seed = parse_whole(t, 0, ~0ULL >> 1); }},
}};

}  // namespace

ImpairConfig parse_impair(const std::map<std::string, std::string>& keys, ImpairConfig base) {
  for (const auto& [key, value] : keys) {
    const auto found = std::find_if(kKeys.begin(), kKeys.end(),
                                    [&name = key](const Key& k) { return k.name == name; });
    if (found == kKeys.end()) {
      std::string known;
      for (const Key& k : kKeys) known.append(known.empty() ? "" : ", ").append(k.name);
      throw std::invalid_argument("unknown key '" + key + "'; known are " + known);
    }
    try {
      found->set(base, value);
    } catch (const std::exception& error) {
      throw std::invalid_argument(key + "=" + value + ": " + error.what());
    }
  }
  link::Impairment::check(base);
  return base;
}

link::Ways parse_ways(const std::string& text) {
  if (text == "both") return {true, true};
  if (text == "in") return {true, false};
  if (text == "out") return {false, true};
  throw std::invalid_argument("dir=" + text +
                              ": expected in (to the adapter), out (from it) or both");
}

std::string ways_text(link::Ways ways) {
  if (ways.in && ways.out) return "both";
  return ways.in ? "in" : "out";
}

std::string impair_keys() {
  std::string text;
  for (const Key& key : kKeys) {
    text.append(text.empty() ? "" : "; ").append(key.name).append("=").append(key.help);
  }
  return text;
}

}  // namespace e1000tlm::platform
