#pragma once
/// Configuration space as a client sees it, where that differs from the function's. No SystemC.

#include <array>
#include <cstdint>
#include <optional>

#include "e1000tlm/pci/config_space.h"
#include "e1000tlm/pci/space.h"

namespace e1000tlm::plugs::vfio_user {

/// Where a region is in the simulated machine.
struct Placement {
  /// Memory or I/O.
  pci::Space space = pci::Space::kMemory;
  /// First address.
  std::uint64_t base = 0;
  /// In bytes; 0: there is no such region.
  std::uint64_t size = 0;
};

/// Base address registers belong to the client: it places the device in its own machine, which the
/// simulated one has nothing to do with. They can be sized and remember what is written, and that
/// is all. Command bit 10 (Interrupt Disable), which these parts do not have, is stored: drivers
/// such as uio_pci_generic use a device only if it is. Everything else is the function's own.
class ConfigView {
 public:
  /// Of a function like this.
  explicit ConfigView(const pci::FunctionConfig& config);

  /// The four bytes at `offset` (a multiple of 4) as the client sees them, given the function's.
  std::uint32_t read(unsigned offset, std::uint32_t from_function) const;
  /// The client writes `bytes` bytes at `offset`, within four bytes that are aligned. True: the
  /// function is to be written, too.
  bool write(unsigned offset, unsigned bytes, std::uint32_t value);
  /// As after RST#.
  void reset();
  /// Command bit 10.
  bool intx_disabled() const { return intx_disabled_; }

  /// BARs 0 to 5, expansion ROM (6).
  Placement placement(unsigned region) const;
  /// A register that has to say where the region is.
  struct Register {
    /// Its offset.
    unsigned offset = 0;
    /// What it is to hold.
    std::uint32_t value = 0;
    /// Of it, what cannot be written.
    std::uint32_t fixed = 0;
  };
  /// The register (with 64 bits: the lower one) of a region that exists.
  std::optional<Register> placing(unsigned region) const;

 private:
  struct Kept {
    std::uint32_t value = 0;
    std::uint32_t writable = 0;
    std::uint32_t fixed = 0;
  };
  Kept* kept(unsigned offset);

  pci::FunctionConfig config_;
  std::array<Kept, 7> kept_{};  // BARs, ROM
  bool intx_disabled_ = false;
};

}  // namespace e1000tlm::plugs::vfio_user
