#pragma once
/// What --filter LINK:impair and the command `impair` of the control socket say. No SystemC.

#include <map>
#include <string>

#include "e1000tlm/link/filter/impairment.h"
#include "e1000tlm/link/filter/ways.h"

namespace e1000tlm::platform {

/// `base` with these keys changed. Throws std::invalid_argument "key=value: what is wrong", naming
/// the known keys if it is none of them. `dir` is not among them, see parse_ways().
link::ImpairConfig parse_impair(const std::map<std::string, std::string>& keys,
                                link::ImpairConfig base);

/// "in" (to the adapter), "out" (from it) or "both". Throws std::invalid_argument.
link::Ways parse_ways(const std::string& text);
/// The opposite.
std::string ways_text(link::Ways ways);

/// The keys and what they mean, for help texts.
std::string impair_keys();

}  // namespace e1000tlm::platform
