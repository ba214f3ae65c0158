#include "e1000tlm/board/agents.h"

#include <stdexcept>
#include <utility>

#include "e1000tlm/board/network.h"
#include "e1000tlm/board/qtest_backend.h"
#include "e1000tlm/plugs/qtest_door.h"
#include "e1000tlm/plugs/uml/conductor.h"
#include "e1000tlm/plugs/uml/door.h"
#include "e1000tlm/plugs/vfio_user/door.h"
#include "e1000tlm/report/summary.h"

namespace e1000tlm::platform {
namespace {

/// The machine's own processor, with the driver that Machine::load_driver() gives it.
class NativeAgent : public plugs::Agent {
 public:
  NativeAgent(const BoardConfig& config, const Machine& machine)
      : app_(kAppNames[static_cast<std::size_t>(config.app)]),
        time_(config.paced ? plugs::TimeMaster::kPaced : plugs::TimeMaster::kFree),
        machine_(machine) {}

  std::string name() const override { return app_; }
  plugs::TimeMaster time() const override { return time_; }
  bool accountable() const override { return true; }
  bool ready() const override { return machine_.driver()->ready(); }
  std::string error() const override { return machine_.driver()->error(); }

 private:
  std::string app_;
  plugs::TimeMaster time_;
  const Machine& machine_;
};

class QTestAgent : public plugs::Agent {
 public:
  QTestAgent(const BoardConfig& config, Machine& machine, const Network& network)
      : backend_("qtest", config.ram_bytes, machine.nics(), network) {
    backend_.mem.socket.bind(machine.bridge().cpu);
    backend_.io.socket.bind(machine.bridge().io);
    for (unsigned i = 0; i < BoardQTestBackend::kLines; ++i) backend_.pirq[i](machine.pirq()[i]);
    plugs::QTestConfig door;
    door.address = config.qtest;
    try {
      door.keep = plugs::StreamAddress::parse(config.qtest).keep;
      door_ = std::make_unique<plugs::QTestDoor>("door", backend_, door);
    } catch (const std::exception& error) {
      throw std::invalid_argument("--qtest " + config.qtest + ": " + error.what());
    }
  }

  std::string name() const override { return "qtest"; }
  plugs::TimeMaster time() const override { return plugs::TimeMaster::kStepped; }
  void stop() noexcept override { door_->stop(); }

 private:
  BoardQTestBackend backend_;
  std::unique_ptr<plugs::QTestDoor> door_;
};

class VfioUserAgent : public plugs::Agent {
 public:
  VfioUserAgent(const VfioUserConfig& config, Machine& machine)
      : nic_(config.nic), busy_(config.busy) {
    plugs::vfio_user::DoorConfig door;
    door.path = config.path;
    door.keep = config.keep;
    door.device = machine.device(0);
    door.who = "nic " + std::to_string(config.nic);
    try {
      door_ = std::make_unique<plugs::vfio_user::Door>(
          ("vfio_user" + std::to_string(config.nic)).c_str(), door,
          machine.nics().front()->function());
    } catch (const std::exception& error) {
      throw std::invalid_argument("--vfio-user unix:" + config.path + ": " + error.what());
    }
    door_->port.to_bus.bind(machine.bus().from_host);
    machine.bus().to_host.bind(door_->memory.socket);
    for (unsigned i = 0; i < driver::Cpu::kLines; ++i) door_->pirq[i](machine.pirq()[i]);
  }

  std::string name() const override { return "vfio-user"; }
  plugs::TimeMaster time() const override { return plugs::TimeMaster::kPaced; }
  void add_to(RunSummary& summary) const override {
    summary.guests.push_back({nic_, door_->counters()});
    for (const std::string& text : door_->remarks()) {
      summary.warnings.push_back("nic " + std::to_string(nic_) + ": vfio-user: " + text);
    }
  }
  void watch(std::vector<pollfd>& fds) const override { door_->watch(fds); }
  bool eager() const override { return door_->eager(); }
  bool impatient() const override { return busy_; }
  void serve() override { door_->serve(); }
  bool over() const override { return door_->over(); }

 private:
  unsigned nic_;
  bool busy_;
  std::unique_ptr<plugs::vfio_user::Door> door_;
};

class UmlAgent : public plugs::Agent {
 public:
  /// `conductor` owns time; none: the wall clock does.
  UmlAgent(const UmlConfig& config, Machine& machine,
           std::shared_ptr<plugs::uml::Conductor> conductor)
      : nic_(config.nic), conductor_(std::move(conductor)) {
    plugs::uml::DoorConfig door;
    door.path = config.path;
    door.device = machine.device(0);
    door.who = "nic " + std::to_string(config.nic);
    door.prompt = conductor_ == nullptr;
    try {
      door_ = std::make_unique<plugs::uml::Door>(("uml" + std::to_string(config.nic)).c_str(), door,
                                                 machine.nics().front()->function());
      if (conductor_) conductor_->add(*door_, config.path + ".time");
    } catch (const std::exception& error) {
      throw std::invalid_argument("--uml unix:" + config.path + ": " + error.what());
    }
    door_->port.to_bus.bind(machine.bus().from_host);
    machine.bus().to_host.bind(door_->memory.socket);
    for (unsigned i = 0; i < driver::Cpu::kLines; ++i) door_->pirq[i](machine.pirq()[i]);
  }

  std::string name() const override { return "uml"; }
  plugs::TimeMaster time() const override {
    return conductor_ ? plugs::TimeMaster::kStepped : plugs::TimeMaster::kPaced;
  }
  void stop() noexcept override {
    if (conductor_) conductor_->stop();
  }
  void add_to(RunSummary& summary) const override {
    const plugs::uml::DoorStatistics& s = door_->statistics();
    GuestCounters counters;
    counters.clients = s.guests;
    counters.dropped = s.dropped;
    counters.messages = s.messages;
    counters.reads = s.reads;
    counters.writes = s.writes;
    counters.refused = s.refused;
    counters.intx_signals = s.interrupts;
    counters.msi_signals = s.msi_messages;
    counters.msix_signals = s.msix_messages;
    summary.guests.push_back({nic_, counters});
    for (const std::string& text : s.remarks) {
      summary.warnings.push_back("nic " + std::to_string(nic_) + ": uml: " + text);
    }
    if (conductor_ && conductor_->statistics().paced) {
      summary.paced = true;
      summary.worst_lag = conductor_->statistics().worst_lag;
      summary.lags_given_up = conductor_->statistics().restarts;
    }
  }
  void watch(std::vector<pollfd>& fds) const override { door_->watch(fds); }
  void serve() override { door_->serve(); }
  bool over() const override { return door_->over(); }

 private:
  unsigned nic_;
  std::shared_ptr<plugs::uml::Conductor> conductor_;
  std::unique_ptr<plugs::uml::Door> door_;
};

std::shared_ptr<plugs::uml::Conductor> make_conductor(const BoardConfig& config,
                                                      std::function<bool()> live) {
  if (config.uml.empty() || !config.uml.front().travels) return nullptr;
  plugs::uml::ConductorConfig time;
  time.paced = config.paced;
  time.pace = config.pace;
  if (config.duration) time.end = *config.duration;
  auto conductor = std::make_shared<plugs::uml::Conductor>("conductor", time);
  conductor->set_live(std::move(live));
  return conductor;
}

}  // namespace

std::vector<std::unique_ptr<plugs::Agent>> make_agents(
    const BoardConfig& config, const std::vector<std::unique_ptr<Machine>>& machines,
    const Network& network, std::function<bool()> live) {
  std::vector<std::unique_ptr<plugs::Agent>> agents;
  if (!config.qtest.empty()) {
    agents.push_back(std::make_unique<QTestAgent>(config, *machines.front(), network));
    return agents;
  }
  for (const VfioUserConfig& door : config.vfio_user) {
    agents.push_back(std::make_unique<VfioUserAgent>(door, *machines.at(door.nic)));
  }
  const auto conductor = make_conductor(config, std::move(live));
  for (const UmlConfig& door : config.uml) {
    agents.push_back(std::make_unique<UmlAgent>(door, *machines.at(door.nic), conductor));
  }
  if (!agents.empty()) return agents;
  for (const auto& machine : machines) {
    agents.push_back(std::make_unique<NativeAgent>(config, *machine));
  }
  return agents;
}

}  // namespace e1000tlm::platform
