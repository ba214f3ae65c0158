#include "e1000tlm/options/nic_option.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdint>
#include <sstream>
#include <stdexcept>
#include <string_view>
#include <utility>
#include <vector>

#include "e1000tlm/e1000/timing.h"
#include "e1000tlm/options/value_parsers.h"
#include "e1000tlm/traffic/units.h"
#include "e1000tlm/virtio/split_ring.h"

namespace e1000tlm::platform {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

/// "a, b, c" of what has names.
template <class Range, class Name>
std::string listed(const Range& range, Name name) {
  std::string all;
  for (const auto& item : range) all.append(all.empty() ? "" : ", ").append(name(item));
  return all;
}

/// A slot as in QEMU's addr=: "4", "0x4", "1f", "4.0". Device 0 is the host bridge, and 1 the ISA
/// bridge on machines of this kind.
void set_slot(NicConfig& nic, const std::string& given) {
  std::string text = given;
  if (text.size() > 2 && text.compare(text.size() - 2, 2, ".0") == 0) text.resize(text.size() - 2);
  if (text.compare(0, 2, "0x") == 0) text.erase(0, 2);
  const bool digits = !text.empty() && text.size() <= 2 &&
                      text.find_first_not_of("0123456789abcdefABCDEF") == std::string::npos;
  const unsigned long slot = digits ? std::stoul(text, nullptr, 16) : 0;
  if (slot < 2 || slot > 31) {
    throw std::invalid_argument("addr=" + given + ": expected a hexadecimal number from 2 to 1f");
  }
  nic.device = static_cast<unsigned>(slot);
}

void set_mac(NicConfig& nic, const std::string& text) { nic.mac = e1000::parse_mac(text); }

// --- e1000 --------------------------------------------------------------------------------------

void set_part(NicConfig& nic, const std::string& name) {
  const auto part = e1000::find_part(name);
  if (!part) {
    throw std::invalid_argument("unknown part '" + name + "'; known are " +
                                listed(e1000::kParts, [](const auto& info) { return info.name; }));
  }
  nic.part = *part;
}

template <auto Member>
void set_text(NicConfig& nic, const std::string& text) {
  nic.*Member = text;
}

void set_autonegotiation(NicConfig& nic, const std::string& text) {
  nic.autonegotiation = traffic::parse_time(text);
}

void set_timing(NicConfig& nic, const std::string& name) {
  const e1000::TimingSet* set = e1000::find_timing(name);
  if (set == nullptr) {
    throw std::invalid_argument(
        "unknown timing '" + name + "'; known are " +
        listed(e1000::timing_sets(), [](const auto& known) { return known.name; }));
  }
  nic.timing = set->timing;
}

// --- virtio-net ---------------------------------------------------------------------------------

constexpr Time kLongestDeviceTime = ms(10);
/// As the longest frame of --max-frame.
constexpr std::uint64_t kLeastMtu = 68, kMostMtu = 16'096;

std::uint64_t number(const char* key, const std::string& text, std::uint64_t least,
                     std::uint64_t most) {
  try {
    return in_range(text, traffic::parse_size(text), least, most);
  } catch (const std::invalid_argument&) {
    throw std::invalid_argument(std::string(key) + "=" + text + ": expected " +
                                std::to_string(least) + " to " + std::to_string(most));
  }
}

void set_queues(NicConfig& nic, const std::string& text) {
  nic.virtio.queue_pairs =
      static_cast<unsigned>(number("queues", text, 1, virtio::net::kMostPairs));
}

void set_queue_size(NicConfig& nic, const std::string& text) {
  constexpr std::uint64_t kLeast = 2, kMost = virtio::SplitLayout::kMostSize;
  const std::uint64_t size = number("queue-size", text, kLeast, kMost);
  if ((size & (size - 1)) != 0) {
    throw std::invalid_argument("queue-size=" + text + ": expected a power of two");
  }
  nic.virtio.queue_size = static_cast<std::uint16_t>(size);
}

void set_interface(NicConfig& nic, const std::string& text) {
  const auto& names = virtio::kNetInterfaceNames;
  const auto found = std::find(names.begin(), names.end(), text);
  if (found == names.end()) {
    throw std::invalid_argument("interface=" + text + ": expected one of " +
                                listed(names, [](std::string_view name) { return name; }));
  }
  nic.virtio.interface = static_cast<virtio::NetInterface>(found - names.begin());
}

void set_mtu(NicConfig& nic, const std::string& text) {
  nic.virtio.mtu = static_cast<std::uint16_t>(number("mtu", text, kLeastMtu, kMostMtu));
}

std::string upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return text;
}

/// "-CSUM+RSS": not offered, offered.
void set_features(NicConfig& nic, const std::string& text) {
  const auto& known = virtio::net::kFeatureNames;
  const auto refuse = [&](const std::string& why) {
    throw std::invalid_argument("features=" + text + ": " + why + "; features are " +
                                listed(known, [](const auto& f) { return f.name; }));
  };
  constexpr const char* kSigns = "+-";
  if (text.find_first_of(kSigns) != 0) refuse("expected -NAME or +NAME, once or more");
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find_first_of(kSigns, at + 1), text.size());
    const std::string name = upper(text.substr(at + 1, end - at - 1));
    const auto found =
        std::find_if(known.begin(), known.end(), [&](const auto& f) { return f.name == name; });
    if (found == known.end()) refuse("unknown feature '" + name + "'");
    std::uint64_t& masked = nic.virtio.masked_features;
    masked = text[at] == '-' ? masked | found->bit : masked & ~found->bit;
    at = end;
  }
}

template <auto Member>
void set_time(NicConfig& nic, const std::string& text) {
  const Time time = traffic::parse_time(text);
  if (time > kLongestDeviceTime) {
    throw std::invalid_argument(text + ": expected at most " +
                                traffic::format_time(kLongestDeviceTime));
  }
  nic.virtio.timing.*Member = time;
}

template <auto Member, std::uint32_t kLeast, std::uint32_t kMost>
void set_amount(NicConfig& nic, const std::string& text) {
  nic.virtio.timing.*Member =
      static_cast<std::uint32_t>(in_range(text, traffic::parse_size(text), kLeast, kMost));
}

// --- all keys -----------------------------------------------------------------------------------

constexpr unsigned bit(NicModel model) { return 1U << static_cast<unsigned>(model); }
constexpr unsigned kE1000 = bit(NicModel::kE1000), kVirtio = bit(NicModel::kVirtioNet),
                   kAll = kE1000 | kVirtio;

struct Key {
  std::string_view name;
  unsigned models;  ///< that have it
  /// What follows its name and "=" in help texts.
  std::string_view help;
  void (*set)(NicConfig&, const std::string&);
};

constexpr std::string_view kModelKey = "model";

constexpr std::array<Key, 22> kKeys{{
    {"mac", kAll, "ADDRESS", set_mac},
    {"addr", kAll, "SLOT (PCI device number in hexadecimal, 2 to 1f)", set_slot},
    {"part", kE1000, "82540em (default), 82544gc, 82545em, 82545gm", set_part},
    {"eeprom", kE1000, "FILE (raw image, keeps what software writes)",
     set_text<&NicConfig::eeprom_file>},
    {"flash", kE1000, "FILE (ditto, 64, 128, 256 or 512 KiB, also the expansion ROM; not 82540em)",
     set_text<&NicConfig::flash_file>},
    {"leds", kE1000, "FILE (record its LEDs as waveforms, VCD)", set_text<&NicConfig::led_file>},
    {"aneg", kE1000, "TIME (autonegotiation)", set_autonegotiation},
    {"timing", kE1000, "8254x (default) or 82543, the silicon's own times", set_timing},
    {"queues", kVirtio, "1 to 16 pairs of queues (default 1)", set_queues},
    {"queue-size", kVirtio, "N (most descriptors of a queue, a power of two, default 256)",
     set_queue_size},
    {"interface", kVirtio,
     "modern (default: non-transitional, 1AF4:1041) or transitional (1AF4:1000, with legacy "
     "registers)",
     set_interface},
    {"mtu", kVirtio, "N (largest MTU that it tells of; default: it tells of none)", set_mtu},
    {"features", kVirtio,
     "-NAME... (does not offer these, such as -MRG_RXBUF-CSUM; +NAME: offers RSS, HASH_REPORT, "
     "IN_ORDER)",
     set_features},
    {"doorbell", kVirtio,
     "TIME (from a notification to the first look at the queue, default 100ns)",
     set_time<&virtio::NetTiming::doorbell>},
    {"packet", kVirtio, "TIME (work on each packet, default 20ns)",
     set_time<&virtio::NetTiming::packet>},
    {"moderation", kVirtio, "TIME (at least between two interrupts of a queue, default 0)",
     set_time<&virtio::NetTiming::moderation>},
    {"available-burst", kVirtio, "1 to 64 (entries of an available ring read at once, default 16)",
     set_amount<&virtio::NetTiming::available_burst, 1, 64>},
    {"descriptor-burst", kVirtio, "1 to 64 (descriptors read at once, default 16)",
     set_amount<&virtio::NetTiming::descriptor_burst, 1, 64>},
    {"used-batch", kVirtio, "1 to 64 (used buffers written back at once, default 16)",
     set_amount<&virtio::NetTiming::used_batch, 1, 64>},
    {"data-burst", kVirtio, "SIZE (bytes of a packet moved at once, default 4KiB)",
     set_amount<&virtio::NetTiming::data_burst, 64, 65'536>},
    {"transmit-fifo", kVirtio, "SIZE (packets on their way to the wire, default 32KiB)",
     set_amount<&virtio::NetTiming::transmit_fifo, virtio::kLeastFifo, 1U << 20>},
    {"receive-fifo", kVirtio, "SIZE (packets that wait for a buffer, of each pair, default 32KiB)",
     set_amount<&virtio::NetTiming::receive_fifo, virtio::kLeastFifo, 1U << 20>},
}};

std::string_view name_of(NicModel model) { return kNicModelNames[static_cast<std::size_t>(model)]; }

NicModel parse_model(const std::string& text) {
  const auto found = std::find(kNicModelNames.begin(), kNicModelNames.end(), text);
  if (found != kNicModelNames.end()) return static_cast<NicModel>(found - kNicModelNames.begin());
  throw std::invalid_argument("unknown model '" + text + "'; known are " +
                              listed(kNicModelNames, [](std::string_view name) { return name; }));
}

const Key& find_key(const std::string& name, NicModel model) {
  const auto found =
      std::find_if(kKeys.begin(), kKeys.end(), [&](const Key& key) { return key.name == name; });
  const auto fits = [&](const Key& key) { return (key.models & bit(model)) != 0; };
  if (found != kKeys.end() && fits(*found)) return *found;
  std::vector<std::string_view> known{kModelKey};
  for (const Key& key : kKeys) {
    if (fits(key)) known.push_back(key.name);
  }
  std::string text = found == kKeys.end() ? "unknown key '" : "the key '";
  text.append(name).append("'");
  if (found != kKeys.end()) {
    const NicModel other = model == NicModel::kE1000 ? NicModel::kVirtioNet : NicModel::kE1000;
    text.append(" goes with model=").append(name_of(other)).append(", not with model=");
    text.append(name_of(model));
  }
  throw std::invalid_argument(text + "; known are " +
                              listed(known, [](std::string_view key) { return key; }));
}

void check(const NicConfig& nic) {
  const bool modern = nic.virtio.interface == virtio::NetInterface::kModern;
  if (modern && (nic.virtio.masked_features & virtio::net::feature::kVersion1) != 0) {
    throw std::invalid_argument(
        "features=-VERSION_1 goes with interface=transitional: a modern device cannot do without "
        "it");
  }
  const bool pairs = nic.virtio.queue_pairs > 1;
  constexpr std::uint64_t kNeeded =
      virtio::net::feature::kMultiQueue | virtio::net::feature::kControlQueue;
  if (pairs && (nic.virtio.masked_features & kNeeded) != 0) {
    throw std::invalid_argument("queues=" + std::to_string(nic.virtio.queue_pairs) +
                                " needs the features MQ and CTRL_VQ");
  }
}

std::string keys_help(unsigned models) {
  std::string text;
  for (const Key& key : kKeys) {
    if (key.models != models) continue;
    text.append(text.empty() ? "" : "; ").append(key.name).append("=").append(key.help);
  }
  return text;
}

/// For Markdown: words in capitals are set as code.
std::string marked(std::string_view help) {
  std::ostringstream out;
  std::istringstream words{std::string(help)};
  const char* separator = "";
  for (std::string word; words >> word; separator = " ") {
    const auto is_capital = [](unsigned char c) { return std::isupper(c) != 0; };
    const bool code = std::count_if(word.begin(), word.end(), is_capital) > 1;
    const std::size_t begin = code ? std::min(word.find_first_not_of('('), word.size()) : 0;
    const std::size_t end = code ? word.find_last_not_of(",;:)") + 1 : word.size();
    out << separator << word.substr(0, begin) << (code ? "`" : "")
        << word.substr(begin, end - begin) << (code ? "`" : "") << word.substr(end);
  }
  return out.str();
}

}  // namespace

NicConfig parse_nic(const std::string& text) {
  Pairs pairs;
  NicConfig nic;
  for_each_pair(text, [&](const std::string& key, const std::string& value) {
    if (key == kModelKey) {
      nic.model = parse_model(value);
    } else {
      pairs.emplace_back(key, value);
    }
  });
  for (const auto& [key, value] : pairs) find_key(key, nic.model).set(nic, value);
  check(nic);
  return nic;
}

std::string nic_table(NicModel model) {
  std::string text = "| key | value |\n|---|---|\n";
  for (const Key& key : kKeys) {
    if ((key.models & bit(model)) == 0) continue;
    text.append("| `").append(key.name).append("` | ").append(marked(key.help)).append(" |\n");
  }
  return text;
}

std::string nic_help() {
  return "an adapter; may be given several times. " + std::string(kModelKey) +
         "=e1000 (default: a controller of the 8254x family) or virtio-net. Both: " +
         keys_help(kAll) + ". With e1000: " + keys_help(kE1000) +
         ". With virtio-net: " + keys_help(kVirtio);
}

}  // namespace e1000tlm::platform
