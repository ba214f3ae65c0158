#pragma once
/// A small PC: memory, host bridge, PCI bus, adapters with their cables, and software (or a client)
/// that drives them.

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include <systemc>

#include "models/memory/memory.h"
#include "models/pci/bus.h"
#include "models/pci/host_bridge.h"
#include "platform/board/board_config.h"
#include "platform/board/nic_slot.h"
#include "platform/board/supervisor.h"
#include "platform/board/transit_probe.h"
#include "platform/driver/cpu.h"
#include "platform/driver/driver.h"
#include "platform/report/summary.h"

namespace e1000tlm::plugs {
class QTestDoor;
}

namespace e1000tlm::platform {

class BoardQTestBackend;

/// Built from a configuration, run once, asked for a summary. Adapters are PCI devices 2, 3 ... (or
/// as configured) on bus 0; the host bridge is device 0; PIRQ A..D go to interrupts 10, 10, 11, 11.
class Board : public sc_core::sc_module {
 public:
  /// Sets the global quantum. Throws std::invalid_argument or std::runtime_error naming the option
  /// that is wrong and why.
  Board(const sc_core::sc_module_name& name, const BoardConfig& config);
  ~Board() override;

  /// Runs to the end. SystemC errors come out as sc_core::sc_report.
  void run();
  /// Flushes the partners' files. Throws std::runtime_error.
  void finish();
  /// What it came to; after run().
  RunSummary summary() const;
  /// Ends the run soon; safe in signal handlers. At most one board runs in a process.
  static void request_stop() noexcept;

  memory::Memory& memory() { return *memory_; }
  pci::Bus& bus() { return *bus_; }
  const std::vector<std::unique_ptr<NicSlot>>& nics() const { return nics_; }
  /// nullptr when a qtest client drives.
  driver::Driver* driver() { return driver_.get(); }
  driver::Cpu* cpu() { return cpu_.get(); }

 private:
  void build_machine();
  void build_nics();
  unsigned attach(std::size_t index);
  void build_driver();
  void build_qtest();
  void build_supervisor();
  bool done() const;
  std::string status() const;
  NicSummary nic_summary(std::size_t index) const;
  void add_losses(std::size_t index, std::map<std::string, std::uint64_t>& lost) const;
  void find_failures(RunSummary& summary) const;
  void check_nic(const RunSummary& summary, std::size_t index,
                 std::vector<std::string>& failures) const;

  BoardConfig config_;
  sc_core::sc_vector<sc_core::sc_signal<bool>> pirq_;
  std::unique_ptr<memory::Memory> memory_;
  std::unique_ptr<pci::HostBridge> bridge_;
  std::unique_ptr<pci::Bus> bus_;
  std::vector<std::unique_ptr<NicSlot>> nics_;
  std::vector<std::unique_ptr<TransitProbe>> transit_;
  std::unique_ptr<driver::Cpu> cpu_;
  std::unique_ptr<driver::Driver> driver_;
  std::unique_ptr<BoardQTestBackend> qtest_;
  std::unique_ptr<plugs::QTestDoor> door_;
  std::unique_ptr<Supervisor> supervisor_;
  unsigned last_device_ = 0;
  bool paced_ = false;
  double wall_seconds_ = 0;
  Time simulated_{};
  pci::BusStatistics bus_before_;  // when the driver became ready
  std::string ended_by_;
};

}  // namespace e1000tlm::platform
