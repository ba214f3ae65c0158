#pragma once
/// Register accesses of a client's processor, as transactions on the modelled bus.

#include <cstddef>
#include <cstdint>

#include <tlm>

#include "e1000tlm/pci/extension.h"
#include "e1000tlm/tlm/bytes.h"

namespace e1000tlm::plugs {

/// Bytes of the next transaction when so many are left: as a processor splits them, aligned and 4
/// at most.
constexpr std::size_t aligned_piece(std::uint64_t address, std::size_t left) {
  if (address % 4 == 0 && left >= 4) return 4;
  if (address % 2 == 0 && left >= 2) return 2;
  return 1;
}

/// One transaction; returns when it has ended. What nobody claims reads as all ones. `payload` has
/// `extension`, whose device is set.
void access_bus(::tlm::tlm_fw_transport_if<>& bus, ::tlm::tlm_generic_payload& payload,
                pci::PciExtension& extension, bool write, pci::Space space, std::uint64_t address,
                Bytes data);

}  // namespace e1000tlm::plugs
