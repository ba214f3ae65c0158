#include "e1000tlm/pci/host_timing.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <stdexcept>
#include <variant>

namespace e1000tlm::pci {
namespace {

constexpr Time kClock33 = Time{30'000};

constexpr std::array<HostProfile, 11> kProfiles{{
    {"ideal", HostSource::kAssumed, "no arbitration, no waits, no splits",
     "the least there can be"},
    {"typical", HostSource::kAssumed, "2 clocks to the grant, 8 before reads, 1 before writes",
     "an upper bound for most hosts"},
    {"slow", HostSource::kFitted, "2 clocks; 19 (above 33 MHz 25) before reads, 3 before writes",
     "transmit rates of two 82543 boards in a ServerWorks LE machine (R. Morris)"},
    {"lines", HostSource::kAssumed, "2, 16 and 3 clocks, a disconnect every 64 bytes",
     "a bridge without prefetch"},
    {"prefetch", HostSource::kAssumed,
     "typical; reads of less than two lines end after 64 bytes, others after 4 KiB",
     "what bridges like the 21152 prefetch"},
    {"delayed", HostSource::kAssumed, "the same with delayed reads of 400 ns", "PCI 2.3 3.3.3.3"},
    {"p660", HostSource::kFitted, "IBM pSeries 660, 64/33: each line of 128 bytes costs 16 clocks",
     "a bus analyser's trace of a PRO/1000 (linux-kernel, 13 June 2003)"},
    {"vt8233", HostSource::kFitted, "VIA VT8233A, 32/33: bursts of 96 bytes",
     "burst length, and 72 MB/s of writes from IDE adapters (tecChannel, 2002); reads assumed "
     "alike"},
    {"amd8131", HostSource::kFitted, "AMD 8131 and Opterons, 64/133x",
     "936 MB/s of reads, 1032 of writes, 4 KiB each (Myricom, PCI-X motherboards)"},
    {"gc-sl", HostSource::kFitted, "ServerWorks GC and Xeons, 64/133x",
     "856 MB/s of reads, 1044 of writes, 4 KiB each (Myricom, PCI-X motherboards)"},
    {"rx2000", HostSource::kFitted, "HP rx2000 with Itanium 2, 64/133x",
     "784 MB/s of reads, 1044 of writes, 4 KiB each (Myricom, PCI-X motherboards)"},
}};

constexpr auto kNames = [] {
  std::array<std::string_view, kProfiles.size()> names{};
  for (std::size_t i = 0; i < names.size(); ++i) names[i] = kProfiles[i].name;
  return names;
}();

/// Those that nobody measured, and "slow".
bool set_assumed(HostTiming& host, std::string_view name, const BusSpeed& bus) {
  TargetTiming& target = host.target;
  if (name == "typical") return true;
  if (name == "ideal") {
    host.arbiter.request_to_grant = 0;
    target.read_initial = target.write_initial = 0;
    target.split_latency = kTimeZero;
  } else if (name == "slow") {
    target.read_initial = bus.clock < kClock33 ? 25 : 19;
    target.write_initial = 3;
    target.split_latency = bus.clock * static_cast<std::int64_t>(target.read_initial);
  } else if (name == "lines") {
    target.read_initial = 16;
    target.write_initial = 3;
    target.disconnect_bytes = 64;
  } else if (name == "prefetch" || name == "delayed") {
    target.memory_read_bytes = target.read_line_bytes = 64;
    target.read_multiple_bytes = 4096;
    target.disconnect_bytes = 4096;
    if (name == "delayed") target.delayed_read = ns(400);
  } else {
    return false;
  }
  return true;
}

/// Those that were measured as a whole.
bool set_measured(HostTiming& host, std::string_view name) {
  TargetTiming& target = host.target;
  if (name == "p660") {
    // Three equations of the trace, clocks of 30 ns: 5 commands and 13 lines for 280 beside the
    // data (transmit, unaligned), 3 and 12 for 233 (aligned); 3 writes for 26.5.
    target.read_initial = 25;
    target.prefetch_bytes = 128;
    target.prefetch_wait = 16;
    target.memory_read_bytes = target.read_line_bytes = 128;
    target.write_initial = 5;
    target.disconnect_bytes = 512;
  } else if (name == "vt8233") {
    target.disconnect_bytes = 96;
    target.read_initial = target.write_initial = 16;
  } else if (name == "amd8131") {
    target.split_latency = ns(476);
    target.write_initial = 12;
  } else if (name == "gc-sl") {
    target.split_latency = ns(885);
    target.write_initial = 6;
  } else if (name == "rx2000") {
    target.split_latency = ns(1325);
    target.write_initial = 6;
  } else {
    return false;
  }
  return true;
}

using Target = TargetTiming;
using Member = std::variant<unsigned Target::*, Time Target::*, unsigned ArbiterTiming::*>;
enum class Unit : std::uint8_t { kClocks, kBytes, kTime, kPercent };

struct Key {
  HostKey key;
  Unit unit;
  std::uint64_t most;  // of clocks, bytes, ns, percent
  Member member;
};

constexpr std::uint64_t kMostClocks = 1000, kMostBytes = 1 << 20, kMostNs = 983'000;

constexpr std::array<Key, 20> kKeys{{
    {{"arbitration", "clocks from request to grant"},
     Unit::kClocks,
     kMostClocks,
     &ArbiterTiming::request_to_grant},
    {{"read-initial", "clocks before a read's first data"},
     Unit::kClocks,
     kMostClocks,
     &Target::read_initial},
    {{"read-wait", "more clocks for each data phase of a read"},
     Unit::kClocks,
     kMostClocks,
     &Target::read_wait_per_data},
    {{"read-disconnect", "bytes at whose multiples reads are cut"},
     Unit::kBytes,
     kMostBytes,
     &Target::read_disconnect_bytes},
    {{"prefetch", "bytes of a block that reads fetch from memory, a power of two"},
     Unit::kBytes,
     kMostBytes,
     &Target::prefetch_bytes},
    {{"prefetch-wait", "clocks before each further block"},
     Unit::kClocks,
     kMostClocks,
     &Target::prefetch_wait},
    {{"memory-read", "bytes at which Memory Read is cut"},
     Unit::kBytes,
     kMostBytes,
     &Target::memory_read_bytes},
    {{"read-line", "bytes at which Memory Read Line is cut"},
     Unit::kBytes,
     kMostBytes,
     &Target::read_line_bytes},
    {{"read-multiple", "bytes at which Memory Read Multiple is cut"},
     Unit::kBytes,
     kMostBytes,
     &Target::read_multiple_bytes},
    {{"write-initial", "clocks before a write's first data"},
     Unit::kClocks,
     kMostClocks,
     &Target::write_initial},
    {{"write-wait", "more clocks for each data phase of a write"},
     Unit::kClocks,
     kMostClocks,
     &Target::write_wait_per_data},
    {{"write-disconnect", "bytes at whose multiples writes are cut"},
     Unit::kBytes,
     kMostBytes,
     &Target::write_disconnect_bytes},
    {{"posted", "bytes of writes that wait for memory, 0: any number"},
     Unit::kBytes,
     kMostBytes,
     &Target::posted_bytes},
    {{"drain", "time in which memory takes 64 of them"},
     Unit::kTime,
     kMostNs,
     &Target::posted_drain},
    {{"disconnect", "bytes at whose multiples any burst is cut"},
     Unit::kBytes,
     kMostBytes,
     &Target::disconnect_bytes},
    {{"delayed", "time until a delayed read has its data, 0: not delayed (not PCI-X)"},
     Unit::kTime,
     kMostNs,
     &Target::delayed_read},
    {{"retry-after", "clocks from address phase to Retry"},
     Unit::kClocks,
     kMostClocks,
     &Target::retry_after},
    {{"delayed-initial", "clocks before a delayed read's first data"},
     Unit::kClocks,
     kMostClocks,
     &Target::delayed_initial},
    {{"split", "time until a split read has its data, 0: not split (PCI-X only)"},
     Unit::kTime,
     kMostNs,
     &Target::split_latency},
    {{"memory-busy", "percent of its time in which memory serves others, at most 95"},
     Unit::kPercent,
     95,
     &Target::memory_busy_percent},
}};

constexpr auto kKeyTexts = [] {
  std::array<HostKey, kKeys.size()> texts{};
  for (std::size_t i = 0; i < texts.size(); ++i) texts[i] = kKeys[i].key;
  return texts;
}();

template <class List>
std::string list_of(const List& list) {
  std::string text;
  for (const auto& entry : list) text.append(text.empty() ? "" : ", ").append(entry.name);
  return text;
}

[[noreturn]] void refuse(const Key& key, std::string_view value) {
  static constexpr std::array<std::string_view, 4> kExpected{
      "clocks, a number of at most ", "bytes, a number of at most ",
      "a time such as 400ns or 1us, in ns at most ", "percent, a number of at most "};
  throw std::invalid_argument(std::string(key.key.name) + "=" + std::string(value) + ": expected " +
                              std::string(kExpected[static_cast<std::size_t>(key.unit)]) +
                              std::to_string(key.most));
}

bool take_end(std::string_view& text, std::string_view end) {
  if (text.size() <= end.size() || text.substr(text.size() - end.size()) != end) return false;
  text.remove_suffix(end.size());
  return true;
}

std::uint64_t number(const Key& key, std::string_view value) {
  std::string_view digits = value;
  std::uint64_t scale = 1;
  if (key.unit == Unit::kTime && value != "0") {
    if (take_end(digits, "us")) {
      scale = 1000;
    } else if (!take_end(digits, "ns")) {
      refuse(key, value);
    }
  }
  constexpr std::size_t kMostDigits = 9;
  if (digits.empty() || digits.size() > kMostDigits ||
      digits.find_first_not_of("0123456789") != std::string_view::npos) {
    refuse(key, value);
  }
  const std::uint64_t result = std::stoull(std::string(digits)) * scale;
  if (result > key.most) refuse(key, value);
  return result;
}

void set(HostTiming& host, std::string_view name, std::string_view value) {
  const auto key =
      std::find_if(kKeys.begin(), kKeys.end(), [&](const Key& k) { return k.key.name == name; });
  if (key == kKeys.end()) {
    throw std::invalid_argument("unknown key '" + std::string(name) + "'; known are " +
                                list_of(kKeyTexts));
  }
  const std::uint64_t n = number(*key, value);
  if (key->member.index() == 1) {
    host.target.*std::get<1>(key->member) = ns(static_cast<std::int64_t>(n));
  } else if (key->member.index() == 2) {
    host.arbiter.*std::get<2>(key->member) = static_cast<unsigned>(n);
  } else {
    host.target.*std::get<0>(key->member) = static_cast<unsigned>(n);
  }
}

}  // namespace

gsl::span<const HostProfile> host_profiles() { return {kProfiles.data(), kProfiles.size()}; }

gsl::span<const std::string_view> host_timing_names() { return {kNames.data(), kNames.size()}; }

gsl::span<const HostKey> host_keys() { return {kKeyTexts.data(), kKeyTexts.size()}; }

std::optional<HostTiming> find_host_timing(std::string_view name, const BusSpeed& bus) {
  HostTiming host;
  if (set_assumed(host, name, bus) || set_measured(host, name)) return host;
  return std::nullopt;
}

std::optional<TargetTiming> find_target_timing(std::string_view name, const BusSpeed& bus) {
  const auto host = find_host_timing(name, bus);
  if (!host) return std::nullopt;
  return host->target;
}

HostTiming parse_host(std::string_view text, const BusSpeed& bus) {
  HostTiming host;
  for (bool first = true; first || !text.empty(); first = false) {
    const std::size_t comma = std::min(text.find(','), text.size());
    const std::string_view part = text.substr(0, comma);
    text.remove_prefix(std::min(comma + 1, text.size()));
    const std::size_t equals = part.find('=');
    if (equals != std::string_view::npos) {
      set(host, part.substr(0, equals), part.substr(equals + 1));
      continue;
    }
    const auto named = first ? find_host_timing(part, bus) : std::nullopt;
    if (!named) {
      throw std::invalid_argument(
          "'" + std::string(part) + "' is " +
          (first ? "no host; known are " + list_of(kProfiles) : std::string("no key=value")));
    }
    host = *named;
  }
  const unsigned block = host.target.prefetch_bytes;
  if ((block & (block - 1)) != 0) {
    throw std::invalid_argument("prefetch=" + std::to_string(block) + ": no power of two");
  }
  if (host.target.posted_bytes != 0 && host.target.posted_drain == kTimeZero) {
    throw std::invalid_argument("posted=" + std::to_string(host.target.posted_bytes) +
                                ": needs drain=TIME, in which memory takes 64 bytes");
  }
  return host;
}

}  // namespace e1000tlm::pci
