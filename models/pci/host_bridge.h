#pragma once
/// Between CPU, memory and the PCI bus; configuration mechanism #1.

#include <cstdint>
#include <memory>

#include <systemc>
#include <tlm>

#include "models/pci/config_space.h"

namespace e1000tlm::pci {

struct HostBridgeConfig {
  std::uint64_t ram_bytes = 64u << 20;  ///< RAM from address 0; all other addresses go to PCI
  Time cpu_latency = ns(20);            ///< CPU <-> bridge, each memory access of the CPU
  FunctionConfig identity{};            ///< device 0; defaults to an 82441FX (8086:1237)
};

/// `cpu` takes memory accesses, `io` takes port accesses: 0xCF8 (dword) selects, 0xCFC..0xCFF
/// accesses the configuration register; other ports go to PCI I/O space.
class HostBridge : public sc_core::sc_module {
 public:
  HostBridge(const sc_core::sc_module_name& name, const HostBridgeConfig& config);
  ~HostBridge() override;

  ::tlm::tlm_target_socket<32>& cpu();
  ::tlm::tlm_target_socket<32>& io();
  ::tlm::tlm_initiator_socket<32>& memory();    ///< to RAM
  ::tlm::tlm_initiator_socket<32>& pci();       ///< to Bus::from_host
  ::tlm::tlm_target_socket<32>& dma();          ///< from Bus::to_host

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace e1000tlm::pci
