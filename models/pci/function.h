#pragma once
/// A PCI function around a device that knows registers, DMA and one interrupt level.

#include <cstdint>
#include <memory>

#include <systemc>
#include <tlm>

#include "models/pci/config_space.h"
#include "models/pci/extension.h"

namespace e1000tlm::pci {

enum class ResetKind : std::uint8_t {
  kBusReset,    ///< RST#
  kPowerState,  ///< D3hot -> D0
};

/// What a device behind a Function is told besides transactions. Optional.
class DeviceEventsIf : public virtual sc_core::sc_interface {
 public:
  virtual void pci_reset(ResetKind kind) = 0;
  /// The function may (not) master the bus now: command bit 2 and power state.
  virtual void pci_bus_master(bool enabled) = 0;
  virtual void pci_power_state(PowerState state) = 0;
  /// PMCSR's PME_En or PME_Status changed by configuration software.
  virtual void pci_pme(bool enabled, bool status) = 0;
};

/// Towards the device: `bar[i]` (BAR-relative addresses), `rom`, `dma`, `irq`, `events`.
/// Towards the bus: `target`, `initiator`, `intx`.
///
/// Command gating, BAR decode, INTx or MSI, power states, status bits. DMA is refused (generic error)
/// while bus mastering is off, and DMI on that path withdrawn.
class Function : public sc_core::sc_module {
 public:
  Function(const sc_core::sc_module_name& name, const FunctionConfig& config);
  ~Function() override;

  // bus side
  ::tlm::tlm_target_socket<32>& target();        ///< from Bus; PciExtension tells the space
  ::tlm::tlm_initiator_socket<32>& initiator();  ///< to Bus
  sc_core::sc_out<bool> intx;                    ///< level, true = asserted
  // device side
  ::tlm::tlm_initiator_socket<32>& bar(unsigned index);
  ::tlm::tlm_initiator_socket<32>& rom();
  ::tlm::tlm_target_socket<32>& dma();
  sc_core::sc_in<bool> irq;
  sc_core::sc_port<DeviceEventsIf, 1, sc_core::SC_ZERO_OR_MORE_BOUND> events;

  ConfigSpace& config();
  const ConfigSpace& config() const;
  /// Does this function claim the address now? Used by the bus's decoder.
  bool claims(Space space, std::uint64_t address, std::uint64_t bytes) const;
  /// Counts every change of what it claims, so that the bus can cache its decoding.
  std::uint64_t decode_generation() const;
  /// RST# from the bus.
  void bus_reset();
  /// The device's PME request (sets PME_Status, drives PME# if enabled).
  void request_pme();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace e1000tlm::pci
