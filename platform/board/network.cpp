#include "e1000tlm/board/network.h"

#include <algorithm>
#include <iterator>
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
  if (malformed || registry.kinds().count(kind) != 0 || registry.missing().count(kind) != 0) {
    return;
  }
  std::set<std::string> names{kSwitchKind, kHubKind};
  for (const auto& entry : registry.kinds()) names.insert(entry.first);
  std::string known;
  for (const std::string& name : names) known += (known.empty() ? "" : ", ") + name;
  throw std::invalid_argument("unknown kind of link \"" + kind + "\"; known are: " + known);
}

std::unique_ptr<link::LinkPartner> make_partner(const link::PartnerRegistry& partners,
                                                link::PartnerSpec spec, const std::string& name,
                                                link::CableEndIf& end, std::uint64_t seed,
                                                virtio::DataPlaneSeat* seat) {
  link::PartnerContext context;
  context.seat = seat;
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
  const std::string kind = text.substr(0, text.find(':'));
  if (kind != kSwitchKind && kind != kHubKind) return std::nullopt;
  const std::string prefix = kind + ":";
  const std::string rest = text.substr(std::min(text.size(), prefix.size()));
  const std::size_t comma = std::min(rest.size(), rest.find(','));
  const std::string name = rest.substr(0, comma);
  if (!is_switch_name(name)) {
    throw std::invalid_argument("link to a " + kind + " \"" + text + "\": expected " + kind +
                                ":NAME, the name of letters, digits, - and _");
  }
  link::PartnerSpec spec =
      link::PartnerSpec::parse(prefix + rest.substr(std::min(rest.size(), comma + 1)));
  const std::vector<std::string>& accepted = link::PartnerRegistry::common_options();
  for (const auto& option : spec.options) {
    if (std::find(accepted.begin(), accepted.end(), option.first) != accepted.end()) continue;
    throw std::invalid_argument("link to " + kind + " " + name + ": unknown option \"" +
                                option.first + "\"; accepted are: speed, aneg, pause (the " + kind +
                                " itself is configured with --" + kind + ")");
  }
  spec.options[kName] = name;
  return spec;
}

Outlet::Outlet(const sc_core::sc_module_name& name, const OutletConfig& config,
               const std::string& place, Network& network, unsigned number)
    : sc_module(name),
      text_(config.link),
      place_(place),
      cable_(std::make_unique<link::Cable>("cable")) {
  port_ = network.plug_into(config.on, "port", cable_->end(0), config.link);
  filters_ = network.filter(place, cable_->end(1), number);
  link::CableEndIf& end = filters_ ? filters_->outer() : cable_->end(1);
  LinkEnd far = network.connect(config.link, "partner", end, "switch " + config.on, number);
  joins_switches_ = leads_to_switch(far.spec);
  partner_ = std::move(far.partner);
}

Outlet::~Outlet() = default;

Network::Network(BoardConfig config, link::PartnerRegistry partners)
    : config_(std::move(config)), partners_(std::move(partners)) {
  std::map<std::string, link::SwitchConfig> wanted;
  const auto named_by = [&](const std::string& text) {
    std::optional<link::PartnerSpec> spec;
    try {
      spec = parse_switch_link(text);
    } catch (const std::invalid_argument&) {  // reported when the link is made
    }
    if (!spec) return;
    const bool repeats = spec->kind == kHubKind;
    const auto made = wanted.try_emplace(spec->require(kName),
                                         repeats ? link::hub_defaults() : link::SwitchConfig{});
    if (made.first->second.repeats == repeats) return;
    throw std::invalid_argument("--link " + text + ": another link takes " + spec->require(kName) +
                                " for a " + (repeats ? "switch" : "hub") +
                                "; give the two different names");
  };
  for (const std::string& text : config_.links) named_by(text);
  for (const OutletConfig& outlet : config_.outlets) named_by(outlet.link);
  for (const SwitchSettings& s : config_.switches) {
    const auto found = wanted.find(s.name);
    if (found == wanted.end()) {
      const std::string kind = s.config.repeats ? kHubKind : kSwitchKind;
      throw std::invalid_argument("--" + kind + " " + s.name + ": no --link leads to it (" + kind +
                                  ":" + s.name + ")");
    }
    if (found->second.repeats != s.config.repeats) {
      throw std::invalid_argument(std::string("--") + (s.config.repeats ? kHubKind : kSwitchKind) +
                                  " " + s.name + ": links take it for a " +
                                  (s.config.repeats ? kSwitchKind : kHubKind));
    }
    found->second = s.config;
  }
  // A client with adapters that it never sets up must not be cut off from the rest.
  const auto readiness =
      config_.driven_from_outside() ? link::Switch::Readiness::kAny : link::Switch::Readiness::kAll;
  for (const auto& [name, settings] : wanted) {
    const std::string module = (settings.repeats ? "hub_" : "switch_") + name;
    hubs_[name].unit = std::make_unique<link::Switch>(module.c_str(), settings, readiness);
  }
}

Network::~Network() = default;

LinkEnd Network::connect(const std::string& text, const std::string& name, link::CableEndIf& end,
                         const std::string& who, unsigned number, virtio::DataPlaneSeat* seat) {
  if (auto spec = parse_switch_link(text)) {
    auto port = plug_into(spec->require(kName), name, end, who, *spec);
    return {std::move(*spec), std::move(port)};
  }
  check_kind(text, partners_);
  link::PartnerSpec spec = link::PartnerSpec::parse(text);
  auto partner = make_partner(partners_, spec, name, end, config_.seed + number, seat);
  return {std::move(spec), std::move(partner)};
}

std::unique_ptr<LinkFilters> Network::filter(const std::string& link, link::CableEndIf& end,
                                             unsigned number) const {
  std::vector<FilterConfig> own;
  std::copy_if(config_.filters.begin(), config_.filters.end(), std::back_inserter(own),
               [&](const FilterConfig& filter) { return filter.link == link; });
  if (own.empty()) return nullptr;
  return std::make_unique<LinkFilters>("filters", end, own, partners_, config_.seed + number);
}

/// All of them stand on links that exist.
void Network::check_filters() const {
  std::set<std::string> links;
  for (std::size_t i = 0; i < config_.nics.size(); ++i) links.insert(std::to_string(i));
  for (const auto& outlet : outlets_) links.insert(outlet->place());
  std::string known;
  for (const std::string& link : links) known += (known.empty() ? "" : ", ") + link;
  for (const FilterConfig& filter : config_.filters) {
    if (links.count(filter.link) != 0) continue;
    throw std::invalid_argument("--filter " + filter.link + ":" + filter.text +
                                ": there is no such link; there are " + known);
  }
}

std::unique_ptr<link::LinkPartner> Network::plug_into(const std::string& hub_name,
                                                      const std::string& name,
                                                      link::CableEndIf& end, const std::string& who,
                                                      const link::PartnerSpec& spec) {
  Hub& hub = hubs_.at(hub_name);
  auto port = hub.unit->plug(name.c_str(), end, spec);
  hub.names.push_back(who);
  return port;
}

void Network::hang_outlets() {
  auto number = config_.boards * static_cast<unsigned>(config_.nics.size());
  for (const OutletConfig& config : config_.outlets) {
    const std::string option = "--on-switch " + config.on + "=" + config.link;
    if (hubs_.count(config.on) == 0) {
      throw std::invalid_argument(
          option + ": no --link leads to a switch or hub of this name (switch:" + config.on +
          " or hub:" + config.on + ")");
    }
    with_context(option, [&] {
      if (const auto spec = parse_switch_link(config.link)) {
        check_for_ring(config.on, spec->require(kName));
      }
      const std::string name = "outlet" + std::to_string(outlets_.size());
      const auto same = std::count_if(outlets_.begin(), outlets_.end(), [&](const auto& outlet) {
        return outlet->place().compare(0, config.on.size() + 1, config.on + "/") == 0;
      });
      const std::string place = config.on + "/" + std::to_string(same);
      outlets_.push_back(std::make_unique<Outlet>(name.c_str(), config, place, *this, number++));
    });
  }
  check_filters();
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
           return outlet->partner().exhausted() &&
                  (outlet->filters() == nullptr || outlet->filters()->idle()) &&
                  outlet->cable().end(0).in_flight() == 0 &&
                  outlet->cable().end(1).in_flight() == 0;
         });
}

bool Network::busy() const {
  return std::any_of(hubs_.begin(), hubs_.end(), [](const auto& hub) {
    return hub.second.unit->next_due() <= sc_now() + kImminent;
  });
}

bool Network::live() const {
  return std::any_of(outlets_.begin(), outlets_.end(), [](const auto& outlet) {
    return outlet->partner().live() || (outlet->filters() != nullptr && outlet->filters()->live());
  });
}

}  // namespace e1000tlm::platform
