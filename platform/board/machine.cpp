#include "e1000tlm/board/machine.h"

#include <algorithm>
#include <optional>
#include <sstream>
#include <stdexcept>

#include "e1000tlm/driver/pci_host.h"
#include "e1000tlm/pci/host_timing.h"
#include "e1000tlm/traffic/payload.h"

namespace e1000tlm::platform {
namespace {

/// The kind of partner that works in memory: "vhost-user:path=...".
constexpr const char* kVhostUserKind = "vhost-user";

pci::BusSpeed bus_speed(const std::string& name) {
  const auto speed = pci::find_bus_speed(name);
  if (speed) return *speed;
  std::string known;
  for (const pci::BusSpeed& s : pci::bus_speeds()) {
    known += (known.empty() ? "" : ", ") + std::string(s.name);
  }
  throw std::invalid_argument("--pci " + name + ": unknown bus; known are " + known);
}

void set_host(pci::BusConfig& bus, const std::string& text) {
  try {
    const pci::HostTiming host = pci::parse_host(text, bus.speed);
    bus.host = host.target;
    bus.arbiter = host.arbiter;
  } catch (const std::invalid_argument& error) {
    throw std::invalid_argument("--host " + text + ": " + error.what());
  }
}

void check_cards_fit(const BoardConfig& config, const pci::BusSpeed& speed) {
  for (const NicConfig& nic : config.nics) {
    card_model(nic.model).check_bus(nic, config.pci, speed);
  }
}

}  // namespace

std::vector<MachinePlan> plan_machines(const BoardConfig& config) {
  std::vector<MachinePlan> plans;
  const auto nics = static_cast<unsigned>(config.nics.size());
  if (!config.has_guests()) {
    for (unsigned i = 0; i < config.boards; ++i) plans.push_back({config, i, i * nics, true});
    return plans;
  }
  // Each virtual machine has a memory of its own.
  for (unsigned i = 0; i < nics; ++i) {
    MachinePlan plan{config, i, i, false};
    plan.config.nics = {config.nics[i]};
    plan.config.links = {config.links[i]};
    plans.push_back(std::move(plan));
  }
  return plans;
}

Machine::Machine(const MachinePlan& plan, Network& network)
    : plan_(plan), config_(plan.config), pirq_(module_name("pirq").c_str(), driver::Cpu::kLines) {
  build();
  build_nics(network);
  before_.resize(nics_.size());
}

Machine::~Machine() = default;

/// The first one's modules have plain names.
std::string Machine::module_name(const std::string& what) const {
  return plan_.number == 0 ? what : "board" + std::to_string(plan_.number) + "_" + what;
}

void Machine::build() {
  if (plan_.host) build_host();
  pci::BusConfig bus;
  bus.speed = bus_speed(config_.pci);
  check_cards_fit(config_, bus.speed);
  set_host(bus, config_.host);
  bus_ = std::make_unique<pci::Bus>(module_name("bus").c_str(), bus);
  if (plan_.host) {
    bridge_->pci.bind(bus_->from_host);
    bus_->to_host.bind(bridge_->dma);
  }
  for (unsigned i = 0; i < driver::Cpu::kLines; ++i) bus_->pirq[i].bind(pirq_[i]);
}

/// A partner may work on the rings of a card's driver.
bool Machine::shares_memory() const {
  for (std::size_t i = 0; i < config_.nics.size(); ++i) {
    const std::string& link = config_.links[i];
    const bool may = link.substr(0, link.find(':')) == kVhostUserKind;
    if (may && card_model(config_.nics[i].model).shares_memory) return true;
  }
  return false;
}

void Machine::build_host() {
  memory::MemoryConfig memory;
  memory.size = config_.ram_bytes;
  if (shares_memory()) {
    memory_file_ = std::make_unique<MemoryFile>("e1000-sim-memory", config_.ram_bytes);
    memory.file = memory_file_->path();
  }
  memory_ = std::make_unique<memory::Memory>(module_name("memory").c_str(), memory);
  if (memory_file_) shared_ = {memory_->bytes(), memory_file_->descriptor()};
  pci::HostBridgeConfig bridge;
  bridge.ram_bytes = config_.ram_bytes;
  bridge_ = std::make_unique<pci::HostBridge>(module_name("bridge").c_str(), bridge);
  bridge_->memory.bind(memory_->socket);
}

void Machine::build_nics(Network& network) {
  // Equal boards share the options.
  const auto place_of = [this](unsigned i) {
    return NicPlace{plan_.config.boards > 1 ? i : plan_.first_nic + i, plan_.first_nic + i,
                    memory_file_ ? &shared_ : nullptr};
  };
  for (unsigned i = 0; i < config_.nics.size(); ++i) {
    const std::string name = module_name("nic" + std::to_string(i));
    nics_.push_back(std::make_unique<NicSlot>(name.c_str(), place_of(i), config_.nics[i],
                                              config_.links[i], bus_->config().speed, network));
    pci::ConfigSpace& space = nics_.back()->function().config();
    const unsigned device = attach(i);
    // What firmware would have left for a qtest client; the driver does it by itself.
    const unsigned pin = space.read(pci::cfg::kInterruptPin, 1);
    space.write(pci::cfg::kInterruptLine, 1, driver::kPirqRouting[driver::pirq_of(device, pin)]);
  }
}

/// The PCI device number of an adapter.
unsigned Machine::attach(std::size_t index) {
  const std::string option = "--nic " + std::to_string(index) + ": addr: ";
  const std::optional<unsigned> wanted = config_.nics[index].device;
  for (std::size_t other = 0; wanted && other < devices_.size(); ++other) {
    if (devices_[other] == *wanted) refuse_shared_slot(other, index);
  }
  unsigned device = 0;
  try {
    device = bus_->attach(nics_[index]->function(), wanted);
  } catch (const std::invalid_argument& error) {
    throw std::invalid_argument(option + error.what());
  }
  // The driver finds adapters in the order of their numbers.
  if (!config_.driven_from_outside() && !devices_.empty() && device < devices_.back()) {
    throw std::invalid_argument(option + "without --qtest the numbers must ascend");
  }
  devices_.push_back(device);
  return device;
}

void Machine::refuse_shared_slot(std::size_t first, std::size_t second) const {
  std::ostringstream text;
  text << "--nic " << first << " and --nic " << second << ": both are at addr=" << std::hex
       << *config_.nics[second].device
       << (config_.nics[first].device ? "" : " (the first by default)")
       << "; give each an addr= of its own, from 2 to 1f, or none at all";
  throw std::invalid_argument(text.str());
}

void Machine::load_driver(const driver::AppSettings& app) {
  driver::DriverSettings settings;
  settings.app = app;
  settings.ram_bytes = config_.ram_bytes;
  settings.nics = static_cast<unsigned>(nics_.size());
  settings.nic = config_.driver;
  if (config_.app == AppChoice::kForward && nics_.size() % 2 != 0) {
    throw std::invalid_argument("--app forward: needs NICs in pairs, found " +
                                std::to_string(nics_.size()));
  }
  settings.nic.max_frame_bytes = config_.max_frame_bytes - traffic::kFcsLength;
  if (config_.app == AppChoice::kGenerate || config_.app == AppChoice::kBlast) {
    settings.nic.max_frame_bytes =
        std::max(settings.nic.max_frame_bytes,
                 static_cast<std::uint32_t>(app.sizes.largest() - traffic::kFcsLength));
    // A switch floods at first, and what it brings for others is not to be checked.
    settings.nic.promiscuous = !std::all_of(nics_.begin(), nics_.end(), [](const auto& nic) {
      return leads_to_switch(nic->link_spec());
    });
  }
  // Whoever starts a run wants its link sooner than the default timeout of an impatient driver.
  for (const NicConfig& nic : config_.nics) {
    if (nic.autonegotiation) settings.link_timeout += 2 * *nic.autonegotiation;
  }
  cpu_ = std::make_unique<driver::Cpu>(module_name("cpu").c_str());
  cpu_->mem.socket.bind(bridge_->cpu);
  cpu_->io.socket.bind(bridge_->io);
  for (unsigned i = 0; i < driver::Cpu::kLines; ++i) cpu_->pirq[i](pirq_[i]);
  driver_ = std::make_unique<driver::Driver>(*cpu_, settings);
  driver_->on_ready([this] { note_ready(); });
  cpu_->load(*driver_);

  for (std::size_t i = 0; i < nics_.size(); ++i) {
    if (config_.app == AppChoice::kReflect || config_.app == AppChoice::kForward) {
      const std::size_t out = config_.app == AppChoice::kForward ? i ^ 1U : i;
      transit_.push_back(std::make_unique<TransitProbe>(nics_[i]->cable(), nics_[out]->cable()));
    }
  }
}

void Machine::note_ready() {
  bus_before_ = bus_->statistics();
  for (std::size_t i = 0; i < nics_.size(); ++i) {
    before_[i].wire_in = nics_[i]->carried(1);
    before_[i].wire_out = nics_[i]->carried(0);
    before_[i].interrupts = nics_[i]->card().interrupts();
  }
}

bool Machine::done() const {
  return driver_->idle() &&
         std::all_of(nics_.begin(), nics_.end(), [](const auto& nic) { return nic->quiet(); });
}

pci::BusStatistics Machine::bus_under_test() const {
  pci::BusStatistics since = bus_->statistics();
  since.busy -= bus_before_.busy;
  since.accesses -= bus_before_.accesses;
  since.tenures -= bus_before_.tenures;
  since.bytes -= bus_before_.bytes;
  since.master_aborts -= bus_before_.master_aborts;
  return since;
}

}  // namespace e1000tlm::platform
