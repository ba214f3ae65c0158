/// What a run came to, and whether that is all right.
#include <algorithm>
#include <array>
#include <utility>

#include "e1000tlm/board/board.h"
#include "e1000tlm/tlm/sc_time.h"
#include "e1000tlm/traffic/units.h"

#include "e1000tlm_version.h"

namespace e1000tlm::platform {
namespace {

std::string flow_control(const driver::NicLink& link) {
  if (link.rx_pause) return link.tx_pause ? "both" : "rx";
  return link.tx_pause ? "tx" : "none";
}

/// Reasons for which a switch keeps a frame to itself, as it should.
bool is_filtering(const std::string& reason) {
  return reason == "filtered" || reason == "reserved";
}

}  // namespace

void Board::add_losses(std::size_t index, NicSummary& summary) const {
  NicSlot& slot = *nics_[index];
  const auto add = [&](const std::string& reason, std::uint64_t frames) {
    if (frames != 0) summary.lost[reason] += frames;
  };
  for (const CardDrop& drop : slot.card().drops()) {
    if (drop.frames == 0) continue;
    const std::string reason(drop.reason);
    switch (drop.kind) {
      case DropKind::kConsumed: summary.mac_control_in += drop.frames; break;
      case DropKind::kFiltered: summary.filtered[reason] = drop.frames; break;
      default: add(reason, drop.frames);
    }
  }
  add("cable_no_link",
      slot.cable().statistics(0).lost_no_link + slot.cable().statistics(1).lost_no_link);
  for (const auto& [reason, frames] : slot.partner().statistics().drops) {
    add("partner_" + reason, frames);
  }
  if (slot.filters() != nullptr) {
    for (const auto& [reason, frames] : slot.filters()->losses()) add(reason, frames);
  }
  if (const driver::Nic* nic = driven(index)) {
    add("driver_errors", nic->counters().rx_errors);
    add("driver_mtu", nic->counters().tx_too_long);
  }
}

NicSummary Board::nic_summary(std::size_t index) const {
  NicSlot& slot = *nics_[index];
  NicSummary n;
  n.part = slot.card().model();
  n.mac = e1000::to_string(slot.card().mac());
  n.link = slot.link_text();
  n.wire_in = slot.carried(1);
  n.wire_out = slot.carried(0);
  n.before = machines_[index / nics_of_each()]->before(index % nics_of_each());
  n.interrupts = slot.card().interrupts();
  slot.card().add_to(n);
  const CardLink link = slot.card().link();
  n.link_up = link.up;
  n.mbit_per_second = link.mbit_per_second;
  n.full_duplex = link.full_duplex;
  n.flow_control = "none";
  if (const driver::Nic* found = driven(index)) {
    const driver::Nic& nic = *found;
    n.flow_control = flow_control(nic.link());
    n.driver_in = {nic.counters().rx_frames, nic.counters().rx_bytes};
    n.driver_out = {nic.counters().tx_frames, nic.counters().tx_bytes};
  }
  n.self_test = self_test(index);
  n.ping = ping(index);
  const auto& transit = machines_[index / nics_of_each()]->transit();
  const std::size_t own = index % nics_of_each();
  if (own < transit.size()) n.transit = LatencySummary::of(transit[own]->latency());
  add_losses(index, n);
  const std::uint64_t known = n.accounted();
  if (driven(index) != nullptr && n.wire_in.frames > known) {
    n.under_way = n.wire_in.frames - known;
  }
  return n;
}

bool Board::ready() const {
  return std::all_of(agents_.begin(), agents_.end(),
                     [](const auto& agent) { return agent->ready(); });
}

/// Why the first agent that gave up did; empty: none has.
std::string Board::driver_error() const {
  for (std::size_t i = 0; i < agents_.size(); ++i) {
    const std::string error = agents_[i]->error();
    if (error.empty()) continue;
    return agents_.size() == 1 ? error : "board " + std::to_string(i) + ": " + error;
  }
  return {};
}

/// The driver's view of an adapter; nullptr: there is none, or it has not found it.
const driver::Nic* Board::driven(std::size_t index) const {
  const driver::Driver* driver = machines_[index / nics_of_each()]->driver();
  const std::size_t own = index % nics_of_each();
  return driver != nullptr && own < driver->nics().size() ? driver->nics()[own].get() : nullptr;
}

std::optional<driver::SelfTestResult> Board::self_test(std::size_t index) const {
  const driver::Driver* driver = machines_[index / nics_of_each()]->driver();
  if (driver == nullptr || driver->app() == nullptr) return std::nullopt;
  const auto results = driver->app()->self_tests();
  const std::size_t own = index % nics_of_each();
  return own < results.size() ? std::make_optional(results[own]) : std::nullopt;
}

std::optional<driver::PingResult> Board::ping(std::size_t index) const {
  const driver::Driver* driver = machines_[index / nics_of_each()]->driver();
  if (driver == nullptr || driver->app() == nullptr) return std::nullopt;
  const auto results = driver->app()->pings();
  const std::size_t own = index % nics_of_each();
  return own < results.size() ? std::make_optional(results[own]) : std::nullopt;
}

/// The whole run, or so far.
Time Board::simulated() const { return ended_by_.empty() ? sc_now() : simulated_; }

/// Simulated time since the last driver was ready.
Time Board::active() const {
  if (!ready()) return kTimeZero;
  Time since = kTimeZero;
  for (const auto& machine : machines_) since = std::max(since, machine->driver()->ready_time());
  const Time now = simulated();
  return now > since ? now - since : kTimeZero;
}

PciSummary Board::pci_summary(Time under_test) const {
  PciSummary pci;
  pci.name = config_.pci;
  pci.host = config_.host;
  Time busy{};
  Time busiest{};
  for (const auto& machine : machines_) {
    const pci::BusStatistics bus = machine->bus_under_test();
    busy += bus.busy;
    busiest = std::max(busiest, bus.busy);
    pci.accesses += bus.accesses;
    pci.bytes += bus.bytes;
    pci.master_aborts += bus.master_aborts;
  }
  if (under_test > kTimeZero) {
    const auto whole = static_cast<double>(under_test.count());
    pci.busy = static_cast<double>(busy.count()) / whole / static_cast<double>(machines_.size());
    pci.busiest = static_cast<double>(busiest.count()) / whole;
  }
  return pci;
}

/// What hangs on a port of a switch has no place of its own in the report.
void Board::add_outlet_losses(const link::SwitchPort& port, SwitchPortSummary& summary) const {
  for (const auto& outlet : network_.outlets()) {
    if (&outlet->port() != &port) continue;
    const std::uint64_t no_link =
        outlet->cable().statistics(0).lost_no_link + outlet->cable().statistics(1).lost_no_link;
    if (no_link != 0) summary.lost["cable_no_link"] += no_link;
    if (outlet->filters() != nullptr) {
      for (const auto& [reason, frames] : outlet->filters()->losses()) {
        summary.lost[reason] += frames;
      }
    }
    if (outlet->joins_switches()) continue;  // the other one's report has them
    for (const auto& [reason, frames] : outlet->partner().statistics().drops) {
      if (frames != 0) summary.lost["partner_" + reason] += frames;
    }
  }
}

SwitchSummary Board::switch_summary(const std::string& name, const Network::Hub& hub) const {
  const link::Switch& unit = *hub.unit;
  SwitchSummary s;
  s.name = name;
  s.repeats = unit.config().repeats;
  s.forwarded = unit.statistics().forwarded;
  s.flooded = unit.statistics().flooded;
  s.stations = unit.table().stations(simulated());
  const link::StationTableStatistics& table = unit.table().statistics();
  s.learned = table.learned;
  s.moved = table.moved;
  s.aged = table.aged;
  s.refused = table.refused;
  for (const link::SwitchPort* port : unit.ports()) {
    SwitchPortSummary p;
    p.to = hub.names[port->number()];
    const link::CableEndIf& end = port->end();
    p.mbit_per_second =
        end.link_up() ? static_cast<unsigned>(link::bits_per_second(end.speed()) / 1'000'000) : 0;
    const link::PartnerStatistics& counts = port->statistics();
    p.in = {counts.frames_from_nic, counts.bytes_from_nic};
    p.out = {counts.frames_to_nic, counts.bytes_to_nic};
    for (const auto& [reason, frames] : counts.drops) {
      if (frames != 0) (is_filtering(reason) ? p.filtered : p.lost)[reason] = frames;
    }
    add_outlet_losses(*port, p);
    p.under_way = port->under_way();
    s.ports.push_back(std::move(p));
  }
  return s;
}

void Board::add_streams(RunSummary& summary) const {
  // Frames that nothing is known of are still on their way, if the run did not last until the end.
  std::uint64_t explained = ready() && !done() ? summary.losses() : ~std::uint64_t{0};
  for (const auto& machine : machines_) {
    if (machine->driver() == nullptr || machine->driver()->app() == nullptr) continue;
    for (const auto& result : machine->driver()->app()->streams()) {
      const traffic::StreamChecker& c = *result.checker;
      StreamSummary s;
      const std::uint64_t missing = c.lost(result.sent);
      s.swallowed = std::min(missing, swallowed(summary.streams.size()));
      s.lost = std::min(missing - s.swallowed, explained);
      s.under_way = missing - s.swallowed - s.lost;
      explained -= s.lost;
      s.sent = result.sent;
      s.received = c.received();
      s.reordered = c.reordered();
      s.duplicates = c.duplicates();
      s.corrupt = c.corrupt();
      s.latency = LatencySummary::of(c.latency());
      summary.streams.push_back(s);
    }
  }
}

RunSummary Board::summary() const {
  RunSummary s;
  s.version = kVersion;
  s.app = agents_.front()->name();
  s.seed = config_.seed;
  s.quantum = config_.quantum;
  s.simulated = simulated();
  s.active = active();
  s.wall_seconds = wall_seconds_;
  s.paced = paced_ || (supervisor_ && supervisor_->has_paced());
  s.boards = config_.boards;
  s.pace = config_.pace;
  if (supervisor_) {
    s.worst_lag = supervisor_->pacing().worst_lag;
    s.lags_given_up = supervisor_->pacing().restarts;
  }
  for (std::size_t i = 0; i < nics_.size(); ++i) s.nics.push_back(nic_summary(i));
  for (const auto& [name, hub] : network_.hubs()) s.switches.push_back(switch_summary(name, hub));
  for (const auto& agent : agents_) agent->add_to(s);
  add_streams(s);
  s.pci = pci_summary(ready() ? s.active : s.simulated);
  s.ended_by = ended_by_;
  find_warnings(s);
  if (ended_by_ == "signal") s.signal = Supervisor::stop_was_requested();
  find_failures(s);
  return s;
}

}  // namespace e1000tlm::platform
