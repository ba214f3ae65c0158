#include "e1000tlm/link/partner.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace e1000tlm::link {
LinkPartner::LinkPartner(const sc_core::sc_module_name& name, CableEndIf& end,
                         const PartnerSpec& spec)
    : sc_module(name), end_(end), pause_("pause", end), abilities_(abilities_from(spec)) {
  SC_HAS_PROCESS(LinkPartner);
  SC_METHOD(negotiate);
  sensitive << end.change_event();
}

LinkPartner::~LinkPartner() = default;

void LinkPartner::negotiate() {
  end_.advertise(abilities_);
  end_.set_ready(ready());
  const std::optional<Abilities> other = end_.partner();
  const std::optional<LinkMode> mode = other ? resolve(abilities_, *other) : std::nullopt;
  end_.set_link(mode);
  pause_.set_obeying(mode && mode->full_duplex && obeys_pause(abilities_, *other));
  link_changed();
}

void PartnerRegistry::add(const std::string& name, Kind kind) {
  kinds_.insert_or_assign(name, std::move(kind));
}

const std::vector<std::string>& PartnerRegistry::common_options() {
  static const std::vector<std::string> kOptions{"speed", "aneg", "pause"};
  return kOptions;
}

std::unique_ptr<LinkPartner> PartnerRegistry::make(const PartnerContext& context, CableEndIf& end,
                                                   const PartnerSpec& spec) const {
  const auto it = kinds_.find(spec.kind);
  if (const auto absent = missing_.find(spec.kind);
      it == kinds_.end() && absent != missing_.end()) {
    throw std::invalid_argument("link partner " + spec.kind + ": " + absent->second);
  }
  if (it == kinds_.end()) {
    std::vector<std::string> names;
    for (const auto& entry : kinds_) names.push_back(entry.first);
    throw std::invalid_argument("unknown kind of link partner \"" + spec.kind +
                                "\"; known are: " + joined(names));
  }
  std::vector<std::string> accepted = it->second.options;
  accepted.insert(accepted.end(), common_options().begin(), common_options().end());
  for (const auto& option : spec.options) {
    if (std::find(accepted.begin(), accepted.end(), option.first) == accepted.end()) {
      throw std::invalid_argument("link partner " + spec.kind + ": unknown option \"" +
                                  option.first + "\"; accepted are: " + joined(accepted));
    }
  }
  return it->second.make(context, end, spec);
}

}  // namespace e1000tlm::link
