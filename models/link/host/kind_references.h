#pragma once
/// What there is to know of the kinds of link partners that come with the library.

#include <string>

#include "e1000tlm/link/partner.h"

namespace e1000tlm::link {

/// Of one of builtin_partners(), also if this build lacks it; empty for others.
KindReference kind_reference(const std::string& kind);

/// A kind's reference as text, for --link KIND:help.
std::string kind_help(const std::string& name, const PartnerRegistry::Kind& kind);

}  // namespace e1000tlm::link
