#pragma once
/// The MSI-X table as a client sees it. No SystemC.

#include <cstdint>
#include <optional>
#include <vector>

#include "e1000tlm/pci/config_space.h"

namespace e1000tlm::plugs::vfio_user {

/// Messages of a client's machine are its own business: the door has the device send all of them to
/// itself, and tells the client by eventfds. So the table in the device is the door's. Clients keep
/// their guest's table themselves (QEMU, cloud-hypervisor) and never ask for this one; for those
/// that do it remembers what is written, and its mask bits count.
class MsixView {
 public:
  /// Of a function like this.
  explicit MsixView(const pci::MsixConfig& config);

  /// The offset in the table of a place in a region; nullopt: it is none of the table's.
  std::optional<std::uint32_t> inside(unsigned region, std::uint64_t offset) const;
  /// A byte of the table.
  std::uint8_t read(std::uint32_t at) const { return table_[at]; }
  /// Writes it. A vector: its mask bit was written, see masked().
  std::optional<unsigned> write(std::uint32_t at, std::uint8_t value);
  /// As last written.
  bool masked(unsigned vector) const;
  /// As after RST#.
  void reset();

 private:
  pci::MsixConfig config_;
  std::vector<std::uint8_t> table_;
};

}  // namespace e1000tlm::plugs::vfio_user
