#pragma once
/// A run: boards with adapters, the network between them, and software (or a client) that drives
/// them.

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <systemc>

#include "e1000tlm/board/board_config.h"
#include "e1000tlm/board/machine.h"
#include "e1000tlm/board/network.h"
#include "e1000tlm/board/nic_slot.h"
#include "e1000tlm/board/supervisor.h"
#include "e1000tlm/link/host/builtin_partners.h"
#include "e1000tlm/plugs/agent.h"
#include "e1000tlm/report/summary.h"

namespace e1000tlm::platform {

class BoardControl;

/// Built from a configuration, run once, asked for a summary. Mostly there is one machine; several
/// equal ones (BoardConfig::boards) meet on switches.
///
/// Among modules of somebody else's: instead of run(), call sc_start() as it suits until
/// sc_get_status() is SC_STOPPED (which the board brings about when its traffic has been handled or
/// its duration is over), then finish(). Where sc_start() is given a time, BoardConfig::lookahead
/// has to be 0; see e1000::Controller::set_lookahead().
class Board : public sc_core::sc_module {
 public:
  /// Sets the global quantum. `partners`: the kinds of links that the configuration may name.
  /// Throws std::invalid_argument or std::runtime_error naming the option that is wrong and why.
  Board(const sc_core::sc_module_name& name, const BoardConfig& config,
        link::PartnerRegistry partners = link::builtin_partners());
  ~Board() override;

  /// Runs to the end. SystemC errors come out as sc_core::sc_report.
  void run();
  /// Completes the files that the run writes, after the run. What cannot be written is a failure of
  /// the run: see RunSummary::failures.
  void finish();
  /// What it came to; after finish().
  RunSummary summary() const;
  /// Ends the run soon, for this signal (SIGINT ...); safe in signal handlers. At most one board
  /// runs in a process.
  static void request_stop(int signal) noexcept;
  /// The run has no end of its own: somebody must stop it, and that is no interruption. Links to
  /// the live world and an application that just answers, and no duration; or somebody else's
  /// program drives.
  bool meant_to_be_stopped() const;

  /// The machines, as many as BoardConfig::boards; with doors one for each adapter.
  const std::vector<std::unique_ptr<Machine>>& machines() const { return machines_; }
  /// Switches, and what hangs on them.
  const Network& network() const { return network_; }
  /// Adapters of all machines.
  const std::vector<NicSlot*>& nics() const { return nics_; }
  /// Of the first machine; not with BoardConfig::vfio_user.
  memory::Memory& memory() { return machines_.front()->memory(); }
  /// Ditto.
  pci::Bus& bus() { return machines_.front()->bus(); }
  /// nullptr when somebody else's program drives.
  driver::Driver* driver() { return machines_.front()->driver(); }
  /// The same of the processor.
  driver::Cpu* cpu() { return machines_.front()->cpu(); }

 private:
  void build_drivers();
  void build_agents();
  void build_supervisor();
  std::size_t nics_of_each() const { return nics_.size() / machines_.size(); }
  void build_control();
  std::array<std::uint8_t, 6> destination_of(std::size_t index) const;
  void start_of_simulation() override;
  void conclude();
  bool done() const;
  std::string status() const;

  // When it is over (board_end.cpp).
  bool live() const;
  bool has_task() const;
  bool over();
  std::uint64_t missing() const;
  std::uint64_t swallowed(std::size_t index) const;
  std::string end_reason() const;

  // What the run came to (board_summary.cpp, board_failures.cpp).
  bool native() const { return agents_.front()->accountable(); }
  bool ready() const;
  std::string driver_error() const;
  const driver::Nic* driven(std::size_t index) const;
  std::optional<driver::SelfTestResult> self_test(std::size_t index) const;
  std::optional<driver::PingResult> ping(std::size_t index) const;
  Time simulated() const;
  Time active() const;
  NicSummary nic_summary(std::size_t index) const;
  SwitchSummary switch_summary(const std::string& name, const Network::Hub& hub) const;
  PciSummary pci_summary(Time under_test) const;
  void add_losses(std::size_t index, NicSummary& summary) const;
  void add_outlet_losses(const link::SwitchPort& port, SwitchPortSummary& summary) const;
  void add_streams(RunSummary& summary) const;
  void find_warnings(RunSummary& summary) const;
  void find_failures(RunSummary& summary) const;
  void check_links(const RunSummary& summary, std::vector<std::string>& failures) const;
  void check_driver(const RunSummary& summary, std::vector<std::string>& failures) const;
  void check_nic(const RunSummary& summary, std::size_t index,
                 std::vector<std::string>& failures) const;
  bool network_disturbed() const;
  void check_streams(const RunSummary& summary, std::vector<std::string>& failures) const;

  BoardConfig config_;
  Network network_;
  std::vector<MachinePlan> plans_;
  std::vector<std::unique_ptr<Machine>> machines_;
  std::vector<NicSlot*> nics_;
  std::vector<std::unique_ptr<plugs::Agent>> agents_;  // of the machines, in their order
  std::unique_ptr<Supervisor> supervisor_;
  std::unique_ptr<BoardControl> control_;
  bool paced_ = false;
  std::chrono::steady_clock::time_point started_;
  bool began_live_ = false;
  // Of the frames that are to come back from the live world: how many have not, and since when.
  std::uint64_t missing_ = 0;
  Time missing_since_{};
  std::vector<std::string> unwritten_;  // what finish() could not do
  double wall_seconds_ = 0;
  Time simulated_{};
  std::string ended_by_;
};

}  // namespace e1000tlm::platform
