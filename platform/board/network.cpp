#include "e1000tlm/board/network.h"

#include <algorithm>
#include <optional>
#include <set>
#include <stdexcept>
#include <utility>

#include "e1000tlm/board/memory_file.h"
#include "e1000tlm/board/supervisor.h"
#include "e1000tlm/tlm/sc_time.h"
#include "e1000tlm/traffic/default_capture.h"

namespace e1000tlm::platform {
namespace {

constexpr const char* kName = "name";
/// A frame that is due this soon counts as being on its way, as in e1000::Controller::busy().
constexpr Time kImminent = us(200);

template <class Call>
auto with_context(const std::string& option, Call call) {
  try {
    return call();
  } catch (const std::exception& error) {
    throw std::invalid_argument(option + ": " + error.what());
  }
}

/// Said before anything else about the text of a link. The registry knows nothing of switches,
/// which are the network's own.
void check_kind(const std::string& text, const link::PartnerRegistry& registry) {
  const std::string kind = text.substr(0, text.find(':'));
  const bool malformed = kind.empty() || kind.find_first_of("=,") != std::string::npos;
  if (malformed || registry.kinds().count(kind) != 0) return;
  std::set<std::string> names{kSwitchKind};
  for (const auto& entry : registry.kinds()) names.insert(entry.first);
  std::string known;
  for (const std::string& name : names) known += (known.empty() ? "" : ", ") + name;
  throw std::invalid_argument("unknown kind of link \"" + kind + "\"; known are: " + known);
}

std::unique_ptr<link::LinkPartner> make_partner(const link::PartnerRegistry& partners,
                                                link::PartnerSpec spec, const std::string& name,
                                                link::CableEndIf& end, std::uint64_t seed) {
  link::PartnerContext context;
  context.name = name;
  context.seed = seed;
  context.stop = Supervisor::stop_was_requested;
  std::optional<MemoryFile> built_in;  // opened while the partner is made, which keeps it
  const bool bare = !spec.find("in") && !spec.find("out");
  if (spec.kind == "pcap" && (bare || spec.find("in") == "built-in")) {
    built_in.emplace("default.pcap", traffic::default_capture());
    spec.options["in"] = built_in->path();
  }
  return partners.make(context, end, spec);
}

}  // namespace

std::optional<link::PartnerSpec> parse_switch_link(const std::string& text) {
  const std::string prefix = std::string(kSwitchKind) + ":";
  if (text != kSwitchKind && text.compare(0, prefix.size(), prefix) != 0) return std::nullopt;
  const std::string rest = text.substr(std::min(text.size(), prefix.size()));
  const std::size_t comma = std::min(rest.size(), rest.find(','));
  const std::string name = rest.substr(0, comma);
  if (!is_switch_name(name)) {
    throw std::invalid_argument("link to a switch \"" + text +
                                "\": expected switch:NAME, the name of letters, digits, - and _");
  }
  link::PartnerSpec spec =
      link::PartnerSpec::parse(prefix + rest.substr(std::min(rest.size(), comma + 1)));
  const std::vector<std::string>& accepted = link::PartnerRegistry::common_options();
  for (const auto& option : spec.options) {
    if (std::find(accepted.begin(), accepted.end(), option.first) != accepted.end()) continue;
    throw std::invalid_argument("link to switch " + name + ": unknown option \"" + option.first +
                                "\"; accepted are: speed, aneg, pause (the switch itself is "
                                "configured with --switch)");
  }
  spec.options[kName] = name;
  return spec;
}

Outlet::Outlet(const sc_core::sc_module_name& name, const OutletConfig& config, Network& network,
               unsigned number)
    : sc_module(name), text_(config.link), cable_(std::make_unique<link::Cable>("cable")) {
  const std::string port = std::string(kSwitchKind) + ":" + config.on;
  port_ = network.connect(port, "port", cable_->end(0), config.link, number).partner;
  LinkEnd far =
      network.connect(config.link, "partner", cable_->end(1), "switch " + config.on, number);
  joins_switches_ = far.spec.kind == kSwitchKind;
  partner_ = std::move(far.partner);
}

Outlet::~Outlet() = default;

Network::Network(BoardConfig config, link::PartnerRegistry partners)
    : config_(std::move(config)), partners_(std::move(partners)) {
  std::map<std::string, link::SwitchConfig> wanted;
  const auto named_by = [&](const std::string& text) {
    try {
      if (const auto spec = parse_switch_link(text)) wanted.try_emplace(spec->require(kName));
    } catch (const std::invalid_argument&) {  // reported when the link is made
    }
  };
  for (const std::string& text : config_.links) named_by(text);
  for (const OutletConfig& outlet : config_.outlets) named_by(outlet.link);
  for (const SwitchSettings& s : config_.switches) {
    const auto found = wanted.find(s.name);
    if (found == wanted.end()) {
      throw std::invalid_argument("--switch " + s.name +
                                  ": no --link leads to it (switch:" + s.name + ")");
    }
    found->second = s.config;
  }
  // A client with adapters that it never sets up must not be cut off from the rest.
  const auto readiness =
      config_.driven_from_outside() ? link::Switch::Readiness::kAny : link::Switch::Readiness::kAll;
  for (const auto& [name, settings] : wanted) {
    hubs_[name].unit =
        std::make_unique<link::Switch>(("switch_" + name).c_str(), settings, readiness);
  }
}

Network::~Network() = default;

LinkEnd Network::connect(const std::string& text, const std::string& name, link::CableEndIf& end,
                         const std::string& who, unsigned number) {
  if (auto spec = parse_switch_link(text)) {
    Hub& hub = hubs_.at(spec->require(kName));
    auto port = hub.unit->plug(name.c_str(), end, *spec);
    hub.names.push_back(who);
    return {std::move(*spec), std::move(port)};
  }
  check_kind(text, partners_);
  link::PartnerSpec spec = link::PartnerSpec::parse(text);
  auto partner = make_partner(partners_, spec, name, end, config_.seed + number);
  return {std::move(spec), std::move(partner)};
}

void Network::hang_outlets() {
  auto number = config_.boards * static_cast<unsigned>(config_.nics.size());
  for (const OutletConfig& config : config_.outlets) {
    const std::string option = "--on-switch " + config.on + "=" + config.link;
    if (hubs_.count(config.on) == 0) {
      throw std::invalid_argument(
          option + ": no --link leads to a switch of this name (switch:" + config.on + ")");
    }
    with_context(option, [&] {
      if (const auto spec = parse_switch_link(config.link)) {
        check_for_ring(config.on, spec->require(kName));
      }
      const std::string name = "outlet" + std::to_string(outlets_.size());
      outlets_.push_back(std::make_unique<Outlet>(name.c_str(), config, *this, number++));
    });
  }
}

/// Without spanning tree a frame would go round for ever.
void Network::check_for_ring(const std::string& a, const std::string& b) {
  const auto root = [&](std::string name) {
    for (auto next = joined_.find(name); next != joined_.end(); next = joined_.find(name)) {
      name = next->second;
    }
    return name;
  };
  const std::string ra = root(a);
  const std::string rb = root(b);
  if (ra == rb) throw std::invalid_argument("switches " + a + " and " + b + " make a ring");
  joined_[ra] = rb;
}

bool Network::quiet() const {
  return std::all_of(hubs_.begin(), hubs_.end(),
                     [](const auto& hub) { return hub.second.unit->idle(); }) &&
         std::all_of(outlets_.begin(), outlets_.end(), [](const auto& outlet) {
           return outlet->partner().exhausted() && outlet->cable().end(0).in_flight() == 0 &&
                  outlet->cable().end(1).in_flight() == 0;
         });
}

bool Network::busy() const {
  return std::any_of(hubs_.begin(), hubs_.end(), [](const auto& hub) {
    return hub.second.unit->next_due() <= sc_now() + kImminent;
  });
}

bool Network::live() const {
  return std::any_of(outlets_.begin(), outlets_.end(),
                     [](const auto& outlet) { return outlet->partner().live(); });
}

}  // namespace e1000tlm::platform
