#pragma once
/// What a PCI transaction carries beyond a generic payload.

#include <cstdint>

#include <tlm>

#include "e1000tlm/pci/space.h"

namespace e1000tlm::pci {

/// Payloads without this extension are memory accesses by an unnamed master. Configuration accesses
/// carry the target in device/function and the register number as the payload's address.
struct PciExtension : public ::tlm::tlm_extension<PciExtension> {
  /// Which address space.
  Space space = Space::kMemory;
  /// Configuration: the target's device number.
  std::uint8_t device = 0;
  /// Configuration: its function number.
  std::uint8_t function = 0;

  /// For the payload's owner.
  ::tlm::tlm_extension_base* clone() const override { return new PciExtension(*this); }
  /// Ditto.
  void copy_from(const ::tlm::tlm_extension_base& other) override {
    *this = static_cast<const PciExtension&>(other);
  }
};

}  // namespace e1000tlm::pci
