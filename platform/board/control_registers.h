#pragma once
/// Registers of an adapter by name, read as a debugger does.

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "e1000tlm/e1000/parts.h"
#include "e1000tlm/pci/function.h"

namespace e1000tlm::platform {

/// The names of the part's registers as the manual has them; of arrays "MTA[0..127]".
std::vector<std::string> register_names(e1000::Part part);

/// "CTRL", "ral[3]", or "MTA" for a whole array; upper or lower case. Through the function's debug
/// transport, so without side effects. Throws std::invalid_argument for a name that the part does
/// not have, or an index beyond the array.
std::vector<std::pair<std::string, std::uint32_t>> debug_read(pci::Function& function,
                                                              e1000::Part part,
                                                              const std::string& name);

}  // namespace e1000tlm::platform
