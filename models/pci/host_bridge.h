#pragma once
/// Between CPU, memory and the PCI bus; configuration mechanism #1.

#include <cstdint>

#include <systemc>
#include <tlm>
#include <tlm_utils/simple_initiator_socket.h>
#include <tlm_utils/simple_target_socket.h>

#include "e1000tlm/pci/config_space.h"
#include "e1000tlm/pci/extension.h"
#include "e1000tlm/tlm/time.h"

namespace e1000tlm::pci {

/// Intel 82441FX: 8086:1237, revision 2.
FunctionConfig i440fx_identity();

/// What a host bridge is.
struct HostBridgeConfig {
  std::uint64_t ram_bytes = 64u << 20;  ///< RAM from address 0; all other addresses go to PCI
  Time cpu_latency = ns(20);            ///< CPU <-> bridge, each access of the CPU
  FunctionConfig identity = i440fx_identity();  ///< device 0 of the bus
};

/// `cpu` takes memory accesses, `io` takes port accesses: 0xCF8 (dword) selects, 0xCFC..0xCFF
/// accesses the configuration register (PCI 2.3 3.2.2.3.2); other ports go to PCI I/O space.
///
/// The CPU never sees a PCI error: what nobody claims reads as all ones and swallows writes with an
/// OK response, and the bridge's Received Master Abort (or Target Abort) bit is set, except for
/// configuration accesses. `dma` claims [0, ram_bytes) and answers anything else with an address
/// error. DMI: CPU to RAM, with cpu_latency added.
class HostBridge : public sc_core::sc_module {
 public:
  /// Throws std::invalid_argument as ConfigSpace does.
  HostBridge(const sc_core::sc_module_name& name, const HostBridgeConfig& config);

  /// From the processor: memory accesses.
  ::tlm_utils::simple_target_socket<HostBridge> cpu;
  /// From the processor: port accesses.
  ::tlm_utils::simple_target_socket_optional<HostBridge> io;
  ::tlm_utils::simple_initiator_socket<HostBridge> memory;     ///< to RAM
  ::tlm_utils::simple_initiator_socket<HostBridge> pci;        ///< to Bus::from_host
  ::tlm_utils::simple_target_socket_optional<HostBridge> dma;  ///< from Bus::to_host

  /// As given.
  const HostBridgeConfig& config() const { return config_; }
  /// Registers of device 0.
  ConfigSpace& config_space() { return config_space_; }
  /// Forgets the selected register and what software wrote to device 0.
  void reset();

 private:
  void cpu_transport(::tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  unsigned cpu_debug(::tlm::tlm_generic_payload& payload);
  bool cpu_get_dmi(::tlm::tlm_generic_payload& payload, ::tlm::tlm_dmi& dmi);
  void io_transport(::tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  unsigned io_debug(::tlm::tlm_generic_payload& payload);
  void dma_transport(::tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  unsigned dma_debug(::tlm::tlm_generic_payload& payload);
  bool dma_get_dmi(::tlm::tlm_generic_payload& payload, ::tlm::tlm_dmi& dmi);
  void memory_invalidate(sc_dt::uint64 start, sc_dt::uint64 end);

  unsigned ram_debug(::tlm::tlm_generic_payload& payload);
  bool ram_dmi(::tlm::tlm_generic_payload& payload, ::tlm::tlm_dmi& dmi);
  bool in_ram(std::uint64_t address, std::uint64_t bytes) const {
    return address < config_.ram_bytes && bytes <= config_.ram_bytes - address;
  }
  void latch_access(::tlm::tlm_generic_payload& payload);
  void config_access(::tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  bool select(PciExtension& target) const;
  void to_pci(::tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);

  HostBridgeConfig config_;
  ConfigSpace config_space_;
  sc_core::sc_time cpu_latency_;
  std::uint32_t config_address_ = 0;  // what was written to 0xCF8
};

}  // namespace e1000tlm::pci
