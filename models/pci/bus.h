#pragma once
/// One PCI bus segment: routing, arbitration, timing, INTx wiring.

#include <cstdint>
#include <memory>

#include <systemc>
#include <tlm>

#include "models/pci/function.h"
#include "models/pci/timing.h"
#include "models/tlm/probe.h"
#include "models/tlm/time.h"

namespace e1000tlm::pci {

struct BusConfig {
  BusSpeed speed{};
  ArbiterTiming arbiter{};
  TargetTiming host{};    ///< host bridge as target of DMA
  TargetTiming device{};  ///< functions as targets of register accesses
  unsigned first_device = 2;  ///< device number of the first function attached; the bridge is 0
};

/// One tenure (or the tenures of one access that the target disconnected), for traces.
struct TenureEvent {
  unsigned master;  ///< 0 host bridge, n = n-th function attached, counted from 1
  Command command;
  std::uint64_t address;
  std::uint32_t bytes;
  Time requested, start, end;
  bool master_abort;
};

struct BusStatistics {
  Time busy{};
  std::uint64_t tenures = 0, bytes = 0, master_aborts = 0;
};

/// Functions are attached in device order. Targets of DMA: other functions' BARs, then whatever the
/// host bridge claims; a master never reaches itself. Unclaimed: master abort, reads give all ones,
/// configuration accesses to absent devices likewise (with OK status towards the CPU).
class Bus : public sc_core::sc_module {
 public:
  Bus(const sc_core::sc_module_name& name, const BusConfig& config);
  ~Bus() override;

  /// Returns its device number. Call before simulation starts.
  unsigned attach(Function& function);
  /// The host bridge's two sockets: CPU accesses come in, DMA goes out (addresses < `memory_end` or
  /// whatever HostBridge::claims says).
  ::tlm::tlm_target_socket<32>& from_host();
  ::tlm::tlm_initiator_socket<32>& to_host();
  /// PIRQ lines A..D after the device swizzle (device + pin) mod 4, wired-OR over all functions.
  sc_core::sc_out<bool>& pirq(unsigned line);

  const BusConfig& config() const;
  const BusStatistics& statistics() const;
  Probe<TenureEvent>& tenures();
  /// RST# to all functions.
  void reset();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace e1000tlm::pci
