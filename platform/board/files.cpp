#include "e1000tlm/board/files.h"

#include <algorithm>
#include <filesystem>
#include <stdexcept>
#include <vector>

#include <unistd.h>

#include "e1000tlm/link/partner.h"

namespace e1000tlm::platform {
namespace {

namespace fs = std::filesystem;

/// As a file of --json and pcap links: standard output, or standard input.
constexpr const char* kStandardStream = "-";

struct Use {
  std::string option;
  std::string path;
  bool writes;
};

/// What software writes goes back to an image, unless that is write-protected.
bool may_write(const std::string& path) {
  return ::access(path.c_str(), F_OK) != 0 || ::access(path.c_str(), W_OK) == 0;
}

void add_uses(const std::string& option, const std::string& text, std::vector<Use>& uses) {
  link::PartnerSpec spec;
  try {
    spec = link::PartnerSpec::parse(text);
  } catch (const std::invalid_argument&) {
    return;  // reported when the link is made
  }
  if (spec.kind == "dump") {
    if (const auto file = spec.find("file")) uses.push_back({option + "dump:file=", *file, true});
  }
  if (const auto to = spec.find("to")) add_uses(option + spec.kind + ":to=", *to, uses);
  if (spec.kind != "pcap") return;
  if (const auto in = spec.find("in")) uses.push_back({option + "in=", *in, false});
  if (const auto out = spec.find("out")) uses.push_back({option + "out=", *out, true});
}

std::vector<Use> uses_of(const BoardConfig& config, const std::string& json,
                         const std::vector<NamedOutput>& others = {}) {
  std::vector<Use> uses;
  for (const NicConfig& nic : config.nics) {
    if (!nic.eeprom_file.empty())
      uses.push_back({"--nic eeprom=", nic.eeprom_file, may_write(nic.eeprom_file)});
    if (!nic.led_file.empty()) uses.push_back({"--nic leds=", nic.led_file, true});
    if (!nic.flash_file.empty())
      uses.push_back({"--nic flash=", nic.flash_file, may_write(nic.flash_file)});
  }
  for (unsigned i = 0; i < config.boards; ++i) {
    for (const std::string& text : config.links) add_uses("--link pcap:", text, uses);
  }
  for (const FilterConfig& filter : config.filters) {
    const bool everywhere = filter.link.find('/') == std::string::npos;
    for (unsigned i = 0; i < (everywhere ? config.boards : 1); ++i) {
      add_uses("--filter " + filter.link + ":", filter.text, uses);
    }
  }
  for (const OutletConfig& outlet : config.outlets) {
    add_uses("--on-switch " + outlet.on + "=pcap:", outlet.link, uses);
  }
  if (!json.empty()) uses.push_back({"--json ", json, true});
  for (const NamedOutput& output : others) {
    if (!output.path.empty()) uses.push_back({output.option + " ", output.path, true});
  }
  if (config.qtest == "stdio") {
    for (const bool writes : {false, true}) uses.push_back({"--qtest stdio ", "-", writes});
  }
  return uses;
}

void check_regular(const std::string& option, const std::string& path) {
  std::error_code error;
  if (path.empty() || !fs::exists(path, error) || fs::is_regular_file(path, error)) return;
  throw std::invalid_argument(option + path + ": is no regular file");
}

/// Devices, pipes and the like can be used twice.
bool same_file(const std::string& a, const std::string& b) {
  std::error_code error;
  if (fs::exists(a, error)) {
    return fs::is_regular_file(a, error) && fs::equivalent(a, b, error) && !error;
  }
  const auto resolved = [&](const std::string& path) {
    return fs::weakly_canonical(fs::absolute(path, error), error);
  };
  return !a.empty() && resolved(a) == resolved(b) && !error;
}

bool clash(const Use& a, const Use& b) {
  if (a.path == kStandardStream || b.path == kStandardStream) {
    return a.path == b.path && a.writes == b.writes;
  }
  return (a.writes || b.writes) && same_file(a.path, b.path);
}

[[noreturn]] void refuse(const Use& a, const Use& b) {
  const bool stream = a.path == kStandardStream;
  throw std::invalid_argument(a.option + a.path + " and " + b.option + b.path +
                              (!stream     ? " are the same file"
                               : !a.writes ? " both read standard input"
                                           : " both write to standard output"));
}

}  // namespace

void check_files(const BoardConfig& config, const std::string& json,
                 const std::vector<NamedOutput>& others) {
  for (const NicConfig& nic : config.nics) {
    check_regular("--nic eeprom=", nic.eeprom_file);
    check_regular("--nic flash=", nic.flash_file);
  }
  const std::vector<Use> uses = uses_of(config, json, others);
  for (std::size_t i = 0; i < uses.size(); ++i) {
    for (std::size_t j = i + 1; j < uses.size(); ++j) {
      if (clash(uses[i], uses[j])) refuse(uses[i], uses[j]);
    }
  }
}

bool results_on_standard_output(const BoardConfig& config) {
  const std::vector<Use> uses = uses_of(config, {});
  return std::any_of(uses.begin(), uses.end(),
                     [](const Use& use) { return use.writes && use.path == kStandardStream; });
}

}  // namespace e1000tlm::platform
