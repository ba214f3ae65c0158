#pragma once
/// What a device does in vendor-specific capabilities of its function.

#include <cstddef>

#include <systemc>

#include "e1000tlm/tlm/bytes.h"

namespace e1000tlm::pci {

/// A device that acts on accesses to vendor-specific capabilities (FunctionConfig::vendor), as
/// virtio's window to its registers does (virtio 1.2, 4.1.4.9). Called in the process that accesses
/// configuration space, with all bytes of one access at once; calls must not wait.
///
/// `capability` counts as FunctionConfig::vendor does; `first` and `count` say which of its bytes
/// are accessed, counted from its start (0: the ID, 3: the first of VendorCapability::bytes).
/// `registers` are all of them as they are now.
class VendorCapabilityIf : public virtual sc_core::sc_interface {
 public:
  /// Software reads: what the device puts into `registers`, writable or not, is read now and later.
  virtual void vendor_read(std::size_t capability, std::size_t first, std::size_t count,
                           Bytes registers) = 0;
  /// Software has written.
  virtual void vendor_written(std::size_t capability, std::size_t first, std::size_t count,
                              ConstBytes registers) = 0;
  /// A debugger reads: as vendor_read() without side effects, on a copy of the registers.
  virtual void vendor_peek(std::size_t /*capability*/, std::size_t /*first*/, std::size_t /*count*/,
                           Bytes /*registers*/) const {}
};

}  // namespace e1000tlm::pci
