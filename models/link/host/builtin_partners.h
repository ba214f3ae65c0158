#pragma once
/// All kinds of link partners that come with the library.

#include "e1000tlm/link/partner.h"

namespace e1000tlm::link {

/// See doc/links.md; those whose library was not found when this was built are missing(). To have
/// others as well, add() them to the copy.
PartnerRegistry builtin_partners();

}  // namespace e1000tlm::link
