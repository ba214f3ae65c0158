#include "platform/board/board.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <stdexcept>

#include "models/link/partner.h"
#include "models/tlm/sc_time.h"
#include "platform/board/qtest_backend.h"
#include "platform/driver/pci_host.h"
#include "platform/plugs/qtest_door.h"
#include "traffic/units.h"

namespace e1000tlm::platform {
namespace {

std::atomic<plugs::QTestDoor*> running_door{nullptr};

pci::BusSpeed bus_speed(const std::string& name) {
  const auto speed = pci::find_bus_speed(name);
  if (speed) return *speed;
  std::string known;
  for (const pci::BusSpeed& s : pci::bus_speeds()) {
    known += (known.empty() ? "" : ", ") + std::string(s.name);
  }
  throw std::invalid_argument("--pci " + name + ": unknown bus; known are " + known);
}

void check_part_fits(const BoardConfig& config, const pci::BusSpeed& speed) {
  for (const NicConfig& nic : config.nics) {
    const e1000::PartInfo& info = e1000::part_info(nic.part);
    if (!speed.pcix || info.pcix) continue;
    throw std::invalid_argument("--pci " + config.pci + ": the " + std::string(info.name) +
                                " has no PCI-X; 82544gc, 82545em and 82545gm do");
  }
}

driver::AppKind app_kind(AppChoice choice) {
  switch (choice) {
    case AppChoice::kSink: return driver::AppKind::kSink;
    case AppChoice::kGenerate: return driver::AppKind::kGenerate;
    case AppChoice::kForward: return driver::AppKind::kForward;
    case AppChoice::kBlast: return driver::AppKind::kBlast;
    case AppChoice::kReflect: break;
  }
  return driver::AppKind::kReflect;
}

}  // namespace

Board::Board(const sc_core::sc_module_name& name, const BoardConfig& config)
    : sc_module(name), config_(config), pirq_("pirq", driver::Cpu::kLines) {
  check_time_resolution();
  if (config_.nics.empty() || config_.nics.size() != config_.links.size()) {
    throw std::invalid_argument("a board needs one link for each NIC");
  }
  ::tlm::tlm_global_quantum::instance().set(to_sc(config_.quantum));
  link::register_builtin_partners();
  build_machine();
  build_nics();
  if (config_.qtest.empty()) {
    build_driver();
    build_supervisor();
  } else {
    build_qtest();
  }
}

Board::~Board() { running_door = nullptr; }

void Board::build_machine() {
  memory::MemoryConfig memory;
  memory.size = config_.ram_bytes;
  memory_ = std::make_unique<memory::Memory>("memory", memory);
  pci::HostBridgeConfig bridge;
  bridge.ram_bytes = config_.ram_bytes;
  bridge_ = std::make_unique<pci::HostBridge>("bridge", bridge);
  pci::BusConfig bus;
  bus.speed = bus_speed(config_.pci);
  check_part_fits(config_, bus.speed);
  bus_ = std::make_unique<pci::Bus>("bus", bus);
  bridge_->memory.bind(memory_->socket);
  bridge_->pci.bind(bus_->from_host);
  bus_->to_host.bind(bridge_->dma);
  for (unsigned i = 0; i < driver::Cpu::kLines; ++i) bus_->pirq[i].bind(pirq_[i]);
}

void Board::build_nics() {
  for (unsigned i = 0; i < config_.nics.size(); ++i) {
    const std::string name = "nic" + std::to_string(i);
    nics_.push_back(std::make_unique<NicSlot>(name.c_str(), i, config_.nics[i], config_.links[i],
                                              bus_->config().speed, config_.seed));
    pci::ConfigSpace& space = nics_.back()->function().config();
    const unsigned device = attach(i);
    // What firmware would have left for a qtest client; the driver does it by itself.
    const unsigned pin = space.read(pci::cfg::kInterruptPin, 1);
    space.write(pci::cfg::kInterruptLine, 1, driver::kPirqRouting[driver::pirq_of(device, pin)]);
  }
}

/// The PCI device number of an adapter.
unsigned Board::attach(std::size_t index) {
  const std::string option = "--nic " + std::to_string(index) + ": addr: ";
  unsigned device = 0;
  try {
    device = bus_->attach(nics_[index]->function(), config_.nics[index].device);
  } catch (const std::invalid_argument& error) {
    throw std::invalid_argument(option + error.what());
  }
  // The driver finds adapters in the order of their numbers.
  if (config_.qtest.empty() && device < last_device_) {
    throw std::invalid_argument(option + "without --qtest the numbers must ascend");
  }
  return last_device_ = device;
}

void Board::build_driver() {
  driver::DriverSettings settings;
  settings.app.kind = app_kind(config_.app);
  settings.app.sizes = traffic::SizeMix::parse(config_.sizes);
  settings.app.rate = traffic::parse_rate(config_.rate);
  settings.app.frames = config_.frames;
  settings.app.seed = config_.seed;
  settings.nic = config_.driver;
  settings.ram_bytes = config_.ram_bytes;
  settings.nics = static_cast<unsigned>(nics_.size());
  if (config_.app == AppChoice::kForward && nics_.size() % 2 != 0) {
    throw std::invalid_argument("--app forward: needs NICs in pairs, found " +
                                std::to_string(nics_.size()));
  }
  settings.nic.max_frame_bytes = config_.max_frame_bytes - traffic::kFcsLength;
  if (config_.app == AppChoice::kGenerate || config_.app == AppChoice::kBlast) {
    settings.nic.max_frame_bytes =
        std::max(settings.nic.max_frame_bytes,
                 static_cast<std::uint32_t>(settings.app.sizes.largest() - traffic::kFcsLength));
  }
  // Whoever starts a run wants its link sooner than the default timeout of an impatient driver.
  for (const NicConfig& nic : config_.nics) {
    if (nic.autonegotiation) settings.link_timeout += 2 * *nic.autonegotiation;
  }
  cpu_ = std::make_unique<driver::Cpu>("cpu");
  cpu_->mem.socket.bind(bridge_->cpu);
  cpu_->io.socket.bind(bridge_->io);
  for (unsigned i = 0; i < driver::Cpu::kLines; ++i) cpu_->pirq[i](pirq_[i]);
  driver_ = std::make_unique<driver::Driver>(*cpu_, settings);
  driver_->on_ready([this] { bus_before_ = bus_->statistics(); });
  cpu_->load(*driver_);

  for (std::size_t i = 0; i < nics_.size(); ++i) {
    if (config_.app == AppChoice::kReflect || config_.app == AppChoice::kForward) {
      const std::size_t out = config_.app == AppChoice::kForward ? i ^ 1U : i;
      transit_.push_back(std::make_unique<TransitProbe>(nics_[i]->cable(), nics_[out]->cable()));
    }
  }
}

void Board::build_qtest() {
  qtest_ = std::make_unique<BoardQTestBackend>("qtest", config_.ram_bytes, nics_);
  qtest_->mem.socket.bind(bridge_->cpu);
  qtest_->io.socket.bind(bridge_->io);
  for (unsigned i = 0; i < BoardQTestBackend::kLines; ++i) qtest_->pirq[i](pirq_[i]);
  plugs::QTestConfig door;
  door.address = config_.qtest;
  try {
    door.keep = plugs::StreamAddress::parse(config_.qtest).keep;
    door_ = std::make_unique<plugs::QTestDoor>("door", *qtest_, door);
  } catch (const std::exception& error) {
    throw std::invalid_argument("--qtest " + config_.qtest + ": " + error.what());
  }
  running_door = door_.get();
}

void Board::build_supervisor() {
  const bool live =
      std::any_of(nics_.begin(), nics_.end(), [](const auto& n) { return n->partner().live(); });
  paced_ = config_.paced || live;
  if (!paced_) Lookahead::set_limit(config_.lookahead);
  SupervisorConfig supervisor;
  supervisor.paced = paced_;
  supervisor.end_when_done = !live && !config_.duration;
  supervisor.progress = config_.progress;
  supervisor_ = std::make_unique<Supervisor>("supervisor", supervisor);
  supervisor_->set_done([this] { return done(); });
  supervisor_->set_status([this] { return status(); });
}

bool Board::done() const {
  return driver_->idle() &&
         std::all_of(nics_.begin(), nics_.end(), [](const auto& nic) { return nic->quiet(); });
}

std::string Board::status() const {
  std::uint64_t in = 0;
  std::uint64_t out = 0;
  for (const auto& nic : nics_) {
    in += nic->cable().statistics(1).frames;
    out += nic->cable().statistics(0).frames;
  }
  return traffic::format_count(in) + " frames in, " + traffic::format_count(out) + " out";
}

void Board::run() {
  const auto start = std::chrono::steady_clock::now();
  // The end of a limited run is an event, as Lookahead needs it.
  if (config_.duration && supervisor_) {
    supervisor_->stop_after(*config_.duration);
    sc_core::sc_start();
  } else if (config_.duration) {
    sc_core::sc_start(to_sc(*config_.duration));
  } else {
    sc_core::sc_start();
  }
  wall_seconds_ = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  simulated_ = sc_now();
  if (supervisor_) supervisor_->clear_progress();
  if (driver_ && !driver_->error().empty()) {
    ended_by_ = "failure";
  } else if (Supervisor::stop_was_requested()) {
    ended_by_ = "signal";
  } else if (door_) {
    ended_by_ = "client";
  } else {
    const bool stalled = supervisor_ && supervisor_->stalled();
    ended_by_ = config_.duration ? "duration" : stalled ? "standstill" : "traffic handled";
  }
  if (sc_core::sc_get_status() != sc_core::SC_STOPPED) sc_core::sc_stop();
}

void Board::finish() {
  std::exception_ptr first;
  for (auto& nic : nics_) {
    try {
      nic->finish();
    } catch (const std::exception&) {
      // One file that cannot be written is no reason to leave the others unfinished.
      if (!first) first = std::current_exception();
    }
  }
  if (first) std::rethrow_exception(first);
}

void Board::request_stop() noexcept {
  Supervisor::request_stop();
  if (plugs::QTestDoor* door = running_door) door->stop();
}

}  // namespace e1000tlm::platform
