#pragma once
/// Address spaces of PCI (2.3, 3.2.2).

#include <cstdint>

namespace e1000tlm::pci {

/// Which addresses an access means.
enum class Space : std::uint8_t { kMemory, kIo, kConfig };

}  // namespace e1000tlm::pci
