#pragma once
/// A guest's accesses to one PCI function, as transactions on the simulated bus.

#include <systemc>
#include <tlm>
#include <tlm_utils/simple_initiator_socket.h>

#include "e1000tlm/pci/extension.h"
#include "e1000tlm/pci/function.h"
#include "e1000tlm/plugs/vfio_user/config_view.h"
#include "e1000tlm/tlm/bytes.h"

namespace e1000tlm::plugs {

/// Base address registers belong to the guest, which places the function in a machine of its own;
/// in the simulated one it is always at the same place (see vfio_user::ConfigView). Each access
/// waits until its transaction has ended.
class FunctionPort : public sc_core::sc_module {
 public:
  /// `device`: the function's number on its bus.
  FunctionPort(const sc_core::sc_module_name& name, pci::Function& function, unsigned device);
  ~FunctionPort() override;

  /// Bytes of the next transaction when so many are left: as a processor splits them, aligned and 4
  /// at most.
  static constexpr std::size_t aligned_piece(std::uint64_t address, std::size_t left) {
    if (address % 4 == 0 && left >= 4) return 4;
    if (address % 2 == 0 && left >= 2) return 2;
    return 1;
  }

  /// To Bus::from_host.
  ::tlm_utils::simple_initiator_socket<FunctionPort> to_bus;

  /// `data` of configuration space, aligned, 1, 2, 4 or 8 bytes.
  void read_config(unsigned offset, Bytes data);
  /// Ditto. True: the function has left D3 by it, and forgotten what it was told.
  bool write_config(unsigned offset, ConstBytes data);
  /// Of region 0 to 6, piece by piece as a processor does. What nobody claims reads as ones.
  void read(unsigned region, std::uint64_t offset, Bytes data);
  /// Ditto; what nobody claims goes nowhere.
  void write(unsigned region, std::uint64_t offset, ConstBytes data);
  /// As after RST#, and in its place.
  void reset();
  /// As after RST#; needs place() before it is used again. Needs no thread.
  void forget();
  /// Puts the function where it always is in the simulated machine.
  void place();
  /// Bytes of region 0 to 5, or of the expansion ROM (6); 0: there is no such region.
  std::uint64_t size(unsigned region) const { return view_.placement(region).size; }
  /// The guest does not want the interrupt line (command bit 10).
  bool intx_disabled() const { return view_.intx_disabled(); }
  /// The interrupt pin: 1 to 4.
  unsigned pin() const;

 private:
  void access(bool write, pci::Space space, std::uint64_t address, Bytes data);
  bool write_config_piece(unsigned offset, ConstBytes data);
  bool placed(const vfio_user::ConfigView::Register& wanted) const;
  bool all_placed() const;

  pci::Function& function_;
  vfio_user::ConfigView view_;
  ::tlm::tlm_generic_payload payload_;
  pci::PciExtension extension_;
};

}  // namespace e1000tlm::plugs
