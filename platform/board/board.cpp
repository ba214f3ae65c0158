#include "e1000tlm/board/board.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <stdexcept>
#include <utility>

#include <arpa/inet.h>

#include "e1000tlm/board/agents.h"
#include "e1000tlm/board/board_control.h"
#include "e1000tlm/tlm/sc_time.h"
#include "e1000tlm/traffic/units.h"

namespace e1000tlm::platform {
namespace {

/// For signal handlers.
std::atomic<const std::vector<std::unique_ptr<plugs::Agent>>*> running_agents{nullptr};

driver::AppKind app_kind(AppChoice choice) {
  switch (choice) {
    case AppChoice::kSink: return driver::AppKind::kSink;
    case AppChoice::kGenerate: return driver::AppKind::kGenerate;
    case AppChoice::kForward: return driver::AppKind::kForward;
    case AppChoice::kBlast: return driver::AppKind::kBlast;
    case AppChoice::kSelfTest: return driver::AppKind::kSelfTest;
    case AppChoice::kPing: return driver::AppKind::kPing;
    case AppChoice::kReflect: break;
  }
  return driver::AppKind::kReflect;
}

/// "10.0.2.2" as a number; throws std::invalid_argument.
std::uint32_t parse_ping_target(const std::string& text) {
  in_addr address{};
  if (inet_pton(AF_INET, text.c_str(), &address) != 1) {
    throw std::invalid_argument("--to " + text + ": expected an IPv4 address such as 10.0.2.2");
  }
  return ntohl(address.s_addr);
}

/// Each adapter has its own client.
template <class Door>
void check_doors(const std::vector<Door>& given, std::size_t nics, const std::string& option) {
  if (given.empty()) return;
  std::vector<unsigned> doors(nics);
  for (const Door& door : given) {
    if (door.nic >= doors.size() || ++doors[door.nic] > 1) {
      throw std::invalid_argument(
          option + " unix:" + door.path + ": nic=" + std::to_string(door.nic) +
          (door.nic < doors.size() ? " has a socket already" : ": there is no such adapter"));
    }
  }
  const auto without = std::find(doors.begin(), doors.end(), 0U);
  if (without == doors.end()) return;
  const std::string nic = std::to_string(without - doors.begin());
  throw std::invalid_argument(option + ": none leads to adapter " + nic +
                              "; give it one with nic=" + nic);
}

/// Before anything that may make a link partner.
const BoardConfig& prepared(const BoardConfig& config) {
  check_time_resolution();
  if (config.nics.empty() || config.nics.size() != config.links.size()) {
    throw std::invalid_argument("a board needs one link for each NIC");
  }
  if (config.boards == 0 || (config.boards > 1 && config.driven_from_outside())) {
    throw std::invalid_argument(
        "--boards " + std::to_string(config.boards) +
        ": expected at least one, and just one with --qtest, --vfio-user, --uml");
  }
  check_doors(config.vfio_user, config.nics.size(), "--vfio-user");
  check_doors(config.uml, config.nics.size(), "--uml");
  ::tlm::tlm_global_quantum::instance().set(to_sc(config.quantum));
  return config;
}

}  // namespace

Board::Board(const sc_core::sc_module_name& name, const BoardConfig& config,
             link::PartnerRegistry partners)
    : sc_module(name), config_(prepared(config)), network_(config_, std::move(partners)) {
  plans_ = plan_machines(config_);
  for (const MachinePlan& plan : plans_) {
    machines_.push_back(std::make_unique<Machine>(plan, network_));
    for (const auto& nic : machines_.back()->nics()) nics_.push_back(nic.get());
  }
  network_.hang_outlets();
  if (!config_.driven_from_outside()) build_drivers();
  build_agents();
  build_supervisor();
  build_control();
}

Board::~Board() { running_agents = nullptr; }

/// Whom an adapter sends to with generate.
std::array<std::uint8_t, 6> Board::destination_of(std::size_t index) const {
  std::size_t to = (index + 1) % nics_.size();
  if (config_.to == "pair") {
    to = std::min(index ^ 1U, nics_.size() - 1);
  } else if (config_.to == "first") {
    if (index != 0) to = 0;
  } else if (config_.to != "next") {
    return e1000::parse_mac(config_.to);
  }
  return nics_[to]->card().mac();
}

void Board::build_drivers() {
  driver::AppSettings app;
  app.kind = app_kind(config_.app);
  app.sizes = traffic::SizeMix::parse(config_.sizes);
  app.rate = traffic::parse_rate(config_.rate);
  app.frames = config_.frames;
  app.seed = config_.seed;
  const bool pings = app.kind == driver::AppKind::kPing;
  if (pings && config_.to != "next") app.target = parse_ping_target(config_.to);
  if (app.kind == driver::AppKind::kGenerate) {
    app.checkers = driver::make_checkers(config_.seed, nics_.size());
  }
  std::size_t next = 0;
  for (const auto& machine : machines_) {
    app.first_stream = static_cast<std::uint16_t>(next);
    app.destinations.clear();
    for (std::size_t i = 0; i < machine->nics().size(); ++i) {
      if (!pings) app.destinations.push_back(destination_of(next));
      ++next;
    }
    machine->load_driver(app);
  }
}

void Board::build_agents() {
  agents_ = make_agents(config_, machines_, network_, [this] { return live(); });
  running_agents = &agents_;
}

void Board::build_supervisor() {
  const plugs::TimeMaster master = agents_.front()->time();
  if (master == plugs::TimeMaster::kStepped) return;
  began_live_ = live();
  paced_ = master == plugs::TimeMaster::kPaced || began_live_;
  if (!paced_) {
    for (NicSlot* nic : nics_) nic->card().set_lookahead(config_.lookahead);
  }
  SupervisorConfig supervisor;
  supervisor.paced = paced_;
  supervisor.pace = config_.pace;
  supervisor.end_when_done = native() && !config_.duration;
  supervisor.progress = config_.progress;
  supervisor.run_ahead = config_.quantum;
  supervisor_ = std::make_unique<Supervisor>("supervisor", supervisor);
  supervisor_->set_done([this] { return over(); });
  supervisor_->set_live([this] { return live(); });
  supervisor_->set_status([this] { return status(); });
  if (!native()) {
    for (const auto& agent : agents_) supervisor_->serve(*agent);
  }
}

void Board::build_control() {
  if (config_.control.empty()) return;
  try {
    control_ = std::make_unique<BoardControl>("control", config_.control, nics_, network_,
                                              [this] { return summary(); });
  } catch (const std::exception& error) {
    throw std::invalid_argument("--control " + config_.control + ": " + error.what());
  }
}

bool Board::done() const {
  return network_.quiet() && std::all_of(machines_.begin(), machines_.end(),
                                         [](const auto& machine) { return machine->done(); });
}

std::string Board::status() const {
  std::uint64_t in = 0;
  std::uint64_t out = 0;
  for (NicSlot* nic : nics_) {
    in += nic->cable().statistics(1).frames;
    out += nic->cable().statistics(0).frames;
  }
  return traffic::format_count(in) + " frames in, " + traffic::format_count(out) + " out";
}

void Board::start_of_simulation() {
  started_ = std::chrono::steady_clock::now();
  // The end of a limited run is an event, as looking ahead needs it.
  if (config_.duration && supervisor_) supervisor_->stop_after(*config_.duration);
}

void Board::run() {
  if (config_.duration && !supervisor_) {
    sc_core::sc_start(to_sc(*config_.duration));
  } else {
    sc_core::sc_start();
  }
  conclude();
}

/// Once, when the kernel has stopped: what the run was and why it ended.
void Board::conclude() {
  if (!ended_by_.empty()) return;
  wall_seconds_ =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - started_).count();
  simulated_ = sc_now();
  if (supervisor_) supervisor_->clear_progress();
  ended_by_ = end_reason();
  if (sc_core::sc_get_status() != sc_core::SC_STOPPED) sc_core::sc_stop();
}

void Board::finish() {
  conclude();
  for (std::size_t i = 0; i < nics_.size(); ++i) {
    std::vector<std::string> failures;
    nics_[i]->finish(failures);
    for (const std::string& text : failures) {
      unwritten_.push_back("nic " + std::to_string(i) + ": " + text);
    }
  }
  if (control_) control_->finish(unwritten_);
  for (const auto& outlet : network_.outlets()) {
    try {
      outlet->partner().finish();
    } catch (const std::exception& error) {
      unwritten_.push_back(outlet->text() + ": " + error.what());
    }
    std::vector<std::string> failures;
    if (outlet->filters() != nullptr) outlet->filters()->finish(failures);
    for (const std::string& text : failures) unwritten_.push_back(outlet->text() + ": " + text);
  }
}

void Board::request_stop(int signal) noexcept {
  Supervisor::request_stop(signal);
  const std::vector<std::unique_ptr<plugs::Agent>>* agents = running_agents;
  if (agents == nullptr) return;
  for (const auto& agent : *agents) agent->stop();
}

}  // namespace e1000tlm::platform
