#include "e1000tlm/options/network_options.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "e1000tlm/options/option_error.h"
#include "e1000tlm/options/value_parsers.h"

namespace e1000tlm::platform {
namespace {

constexpr std::size_t kMostNics = 30;  // PCI devices 2 to 31

/// What stands on the wire if the user says nothing about it.
std::string default_link(AppChoice app, std::size_t index) {
  if (app == AppChoice::kGenerate) return "loopback";
  if (app == AppChoice::kBlast || app == AppChoice::kSelfTest) return "null";
  if (app == AppChoice::kPing) return "user";
  return index == 0 ? "pcap" : "null";
}

}  // namespace

void fill_switches(const boost::program_options::variables_map& values, BoardConfig& board) {
  const auto each = [&](const char* name, const auto& use) {
    if (values.count(name) == 0) return;
    for (const std::string& text : values[name].as<std::vector<std::string>>()) {
      in_option(name, [&] {
        use(text);
        return 0;
      });
    }
  };
  const auto add = [&](const std::string& text, SwitchSettings settings) {
    for (const SwitchSettings& other : board.switches) {
      if (other.name == settings.name) throw std::invalid_argument(text + ": given twice");
    }
    board.switches.push_back(std::move(settings));
  };
  each("switch", [&](const std::string& text) { add(text, parse_switch(text)); });
  each("hub", [&](const std::string& text) { add(text, parse_hub(text)); });
  each("filter", [&](const std::string& text) { board.filters.push_back(parse_filter(text)); });
  each("on-switch", [&](const std::string& text) { board.outlets.push_back(parse_outlet(text)); });
}

void fill_adapters(BoardConfig& board, std::vector<NicConfig> nics,
                   std::vector<std::string> links) {
  const std::size_t least = board.app == AppChoice::kForward ? 2 : 1;
  if (nics.empty()) nics.resize(std::max({links.size(), least}));
  if (links.size() > nics.size()) {
    fail("link", std::to_string(links.size()) + " links for " + std::to_string(nics.size()) +
                     " adapters; add --nic");
  }
  if (nics.size() > kMostNics) {
    fail("nic", std::to_string(nics.size()) + " adapters; the bus has room for " +
                    std::to_string(kMostNics));
  }
  while (links.size() < nics.size()) links.push_back(default_link(board.app, links.size()));
  if (board.app == AppChoice::kForward && nics.size() % 2 != 0) {
    fail("app", "forward needs adapters in pairs, found " + std::to_string(nics.size()));
  }
  board.nics = std::move(nics);
  board.links = std::move(links);
}

}  // namespace e1000tlm::platform
