#pragma once
/// One computer of a run: memory, host bridge, PCI bus and adapters; and its processor if native
/// software drives it.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <systemc>

#include "e1000tlm/board/board_config.h"
#include "e1000tlm/board/memory_file.h"
#include "e1000tlm/board/network.h"
#include "e1000tlm/board/nic_slot.h"
#include "e1000tlm/board/transit_probe.h"
#include "e1000tlm/driver/cpu.h"
#include "e1000tlm/driver/driver.h"
#include "e1000tlm/memory/memory.h"
#include "e1000tlm/pci/bus.h"
#include "e1000tlm/pci/host_bridge.h"
#include "e1000tlm/report/summary.h"

namespace e1000tlm::platform {

/// Which machine of a run.
struct MachinePlan {
  /// What is in it: its own adapters and links.
  BoardConfig config;
  /// Of all machines, from 0.
  unsigned number = 0;
  /// Of all adapters: its first one, from 0.
  unsigned first_nic = 0;
  /// It has memory and a host bridge. Otherwise whoever drives it takes their place on the bus.
  bool host = true;
};
/// One for each machine that the configuration asks for.
std::vector<MachinePlan> plan_machines(const BoardConfig& config);

/// Adapters are PCI devices 2, 3 ... (or as configured) on bus 0; the host bridge is device 0; PIRQ
/// A..D go to interrupts 10, 10, 11, 11.
class Machine {
 public:
  /// Its modules are made where the caller stands in the hierarchy. The plan must outlive it.
  /// Throws as Board does.
  Machine(const MachinePlan& plan, Network& network);
  ~Machine();

  /// Gives it a processor and the driver. `app` says what to run; see build_app().
  void load_driver(const driver::AppSettings& app);

  /// The application is done and nothing is on its way; needs a driver.
  bool done() const;

  /// RAM, from address 0; needs MachinePlan::host.
  memory::Memory& memory() { return *memory_; }
  /// Between processor, RAM and bus; ditto.
  pci::HostBridge& bridge() { return *bridge_; }
  /// The bus that the adapters are on.
  pci::Bus& bus() { return *bus_; }
  /// Ditto.
  const pci::Bus& bus() const { return *bus_; }
  /// PCI device number of an adapter.
  unsigned device(std::size_t nic) const { return devices_[nic]; }
  /// The four interrupt lines PIRQ A..D, true = asserted.
  sc_core::sc_vector<sc_core::sc_signal<bool>>& pirq() { return pirq_; }
  /// The adapters, in the order of BoardConfig::nics.
  const std::vector<std::unique_ptr<NicSlot>>& nics() const { return nics_; }
  /// nullptr before load_driver().
  driver::Driver* driver() const { return driver_.get(); }
  /// Ditto.
  driver::Cpu* cpu() const { return cpu_.get(); }
  /// Of each adapter with the applications that pass frames on; else empty.
  const std::vector<std::unique_ptr<TransitProbe>>& transit() const { return transit_; }
  /// Bus statistics since the driver was ready.
  pci::BusStatistics bus_under_test() const;
  /// Of an adapter, when the driver was ready; zeros before.
  const NicBaseline& before(std::size_t nic) const { return before_[nic]; }

 private:
  std::string module_name(const std::string& what) const;
  void build();
  void build_host();
  bool shares_memory() const;
  void build_nics(Network& network);
  unsigned attach(std::size_t index);
  [[noreturn]] void refuse_shared_slot(std::size_t first, std::size_t second) const;
  void note_ready();

  const MachinePlan& plan_;
  const BoardConfig& config_;
  sc_core::sc_vector<sc_core::sc_signal<bool>> pirq_;
  std::unique_ptr<MemoryFile> memory_file_;  // if others may map it
  std::unique_ptr<memory::Memory> memory_;
  SharedMemory shared_;  // ditto
  std::unique_ptr<pci::HostBridge> bridge_;
  std::unique_ptr<pci::Bus> bus_;
  std::vector<std::unique_ptr<NicSlot>> nics_;
  std::vector<unsigned> devices_;  // of the adapters
  std::vector<std::unique_ptr<TransitProbe>> transit_;
  std::unique_ptr<driver::Cpu> cpu_;
  std::unique_ptr<driver::Driver> driver_;
  pci::BusStatistics bus_before_;  // when the driver became ready
  std::vector<NicBaseline> before_;
};

}  // namespace e1000tlm::platform
