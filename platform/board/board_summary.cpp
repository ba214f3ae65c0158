/// What a run came to, and whether that is all right.
#include <algorithm>
#include <array>
#include <utility>

#include "e1000tlm/board/board.h"
#include "e1000tlm/e1000/drops.h"
#include "e1000tlm/traffic/units.h"

#include "e1000tlm_version.h"

namespace e1000tlm::platform {
namespace {

/// Frames that came in and are accounted for.
std::uint64_t accounted(const NicSummary& n, const e1000::DropCounters& drops) {
  std::uint64_t frames = n.driver_in.frames;
  for (std::size_t i = 0; i < e1000::kDropNames.size(); ++i) {
    if (e1000::kDropNames[i].substr(0, 2) == "rx") frames += drops[static_cast<e1000::Drop>(i)];
  }
  return frames;
}

std::string flow_control(const driver::NicLink& link) {
  if (link.rx_pause) return link.tx_pause ? "both" : "rx";
  return link.tx_pause ? "tx" : "none";
}

FlowCount on_cable(const link::CableStatistics& s) {
  return {s.frames, s.bytes - s.frames * link::kFcsBytes};
}

/// Losses that follow from what was sent to the NIC or from overload, not from a fault inside.
bool is_expected(e1000::Drop reason) {
  using e1000::Drop;
  switch (reason) {
    case Drop::kRxDisabled:
    case Drop::kRxFiltered:
    case Drop::kRxFifoFull:
    case Drop::kRxBadFcs:
    case Drop::kRxUndersize:
    case Drop::kRxOversize:
    case Drop::kRxMacControl:
    case Drop::kRxAsleep: return true;
    default: return false;
  }
}

}  // namespace

void Board::add_losses(std::size_t index, std::map<std::string, std::uint64_t>& lost) const {
  NicSlot& slot = *nics_[index];
  const auto add = [&](const std::string& reason, std::uint64_t frames) {
    if (frames != 0) lost[reason] += frames;
  };
  for (std::size_t i = 0; i < e1000::kDropNames.size(); ++i) {
    const auto reason = static_cast<e1000::Drop>(i);
    if (reason == e1000::Drop::kRxMacControl) continue;  // consumed, not lost
    add(std::string(e1000::kDropNames[i]), slot.controller().drops()[reason]);
  }
  add("cable_no_link",
      slot.cable().statistics(0).lost_no_link + slot.cable().statistics(1).lost_no_link);
  for (const auto& [reason, frames] : slot.partner().statistics().drops) {
    add("partner_" + reason, frames);
  }
  if (const driver::Nic* nic = driven(index)) add("driver_errors", nic->counters().rx_errors);
}

NicSummary Board::nic_summary(std::size_t index) const {
  NicSlot& slot = *nics_[index];
  NicSummary n;
  n.part = std::string(e1000::part_info(config_.nics[index % config_.nics.size()].part).name);
  n.mac = e1000::to_string(slot.controller().eeprom().mac());
  n.link = slot.link_text();
  n.wire_in = on_cable(slot.cable().statistics(1));
  n.wire_out = on_cable(slot.cable().statistics(0));
  n.interrupts = slot.controller().interrupts();
  for (unsigned led = 0; led < e1000::kLeds; ++led) {
    n.leds.push_back({std::string(to_string(slot.controller().led_setting(led).mode)),
                      std::string(to_string(slot.controller().led_light(led)))});
  }
  const phy::LinkStatus& phy = slot.phy().link();
  n.link_up = phy.up;
  n.mbit_per_second =
      phy.up ? static_cast<unsigned>(link::bits_per_second(phy.mode.speed) / 1'000'000) : 0;
  n.full_duplex = phy.up && phy.mode.full_duplex;
  n.flow_control = "none";
  if (const driver::Nic* found = driven(index)) {
    const driver::Nic& nic = *found;
    n.flow_control = flow_control(nic.link());
    n.driver_in = {nic.counters().rx_frames, nic.counters().rx_bytes};
    n.driver_out = {nic.counters().tx_frames, nic.counters().tx_bytes};
    const std::uint64_t known = accounted(n, slot.controller().drops()) + nic.counters().rx_errors;
    n.under_way = n.wire_in.frames > known ? n.wire_in.frames - known : 0;
  }
  n.self_test = self_test(index);
  const auto& transit = machines_[index / config_.nics.size()]->transit();
  const std::size_t own = index % config_.nics.size();
  if (own < transit.size()) n.transit = LatencySummary::of(transit[own]->latency());
  n.mac_control_in = slot.controller().drops()[e1000::Drop::kRxMacControl];
  add_losses(index, n.lost);
  return n;
}

void Board::check_nic(const RunSummary& summary, std::size_t index,
                      std::vector<std::string>& failures) const {
  const NicSummary& n = summary.nics[index];
  const std::string who = "nic " + std::to_string(index) + ": ";
  const std::string fault = nics_[index]->partner().fault();
  if (!fault.empty()) failures.push_back(who + n.link + ": " + fault);
  if (config_.app == AppChoice::kSelfTest) {
    if (!n.self_test || !n.self_test->passed()) {
      failures.push_back(who + "self-test " + (n.self_test ? "failed" : "did not end"));
    }
    return;  // frames from outside are lost in resets and end in the rings of the tests
  }
  const e1000::DropCounters& drops = nics_[index]->controller().drops();
  for (std::size_t i = 0; i < e1000::kDropNames.size(); ++i) {
    const auto reason = static_cast<e1000::Drop>(i);
    const std::string name(e1000::kDropNames[i]);
    if (drops[reason] == 0 || is_expected(reason)) continue;
    std::string text = who;
    failures.push_back(
        text.append(traffic::format_count(drops[reason])).append(" frames lost: ").append(name));
  }
  if (!done()) return;  // frames are still on their way
  const std::uint64_t known = accounted(n, drops) + driven(index)->counters().rx_errors;
  if (n.wire_in.frames != known) {
    failures.push_back(who + traffic::format_count(n.wire_in.frames) + " frames came in, " +
                       traffic::format_count(n.driver_in.frames) + " reached the driver, " +
                       traffic::format_count(known - n.driver_in.frames) + " are counted as lost");
  }
  const bool lanes = config_.app == AppChoice::kReflect || config_.app == AppChoice::kForward;
  const std::size_t out = config_.app == AppChoice::kForward ? index ^ 1U : index;
  if (lanes && summary.nics[out].driver_out.frames != n.driver_in.frames) {
    failures.push_back(who + traffic::format_count(n.driver_in.frames) + " frames were taken but " +
                       traffic::format_count(summary.nics[out].driver_out.frames) + " sent on");
  }
}

void Board::check_streams(const RunSummary& summary, std::vector<std::string>& failures) const {
  std::uint64_t explained = 0;
  for (const NicSummary& n : summary.nics) {
    for (const auto& [reason, frames] : n.lost) explained += frames;
  }
  for (const SwitchSummary& s : summary.switches) {
    for (const SwitchPortSummary& port : s.ports) {
      for (const auto& [reason, frames] : port.lost) explained += frames;
    }
  }
  for (std::size_t i = 0; i < summary.streams.size(); ++i) {
    const StreamSummary& s = summary.streams[i];
    const std::string who = "stream " + std::to_string(i) + ": ";
    if (s.corrupt + s.duplicates + s.reordered > 0) {
      failures.push_back(who + "frames came back corrupt, twice or out of order");
    }
    const bool returns = s.received > 0 || nics_[i]->link_spec().kind == "loopback";
    if (returns && done() && s.lost > explained) {
      failures.push_back(who + traffic::format_count(s.lost) + " frames did not come back");
    }
  }
}

void Board::find_warnings(RunSummary& summary) const {
  constexpr std::uint32_t kMostFrameBytes = 16114;
  const auto add = [&](const std::string& who, const link::LinkPartner& partner) {
    for (const std::string& text : partner.warnings()) summary.warnings.push_back(who + text);
  };
  for (std::size_t i = 0; i < nics_.size(); ++i) {
    const std::string who = "nic " + std::to_string(i) + ": ";
    add(who, nics_[i]->partner());
    const std::uint64_t oversize = nics_[i]->controller().drops()[e1000::Drop::kRxOversize];
    if (oversize == 0 || !native() || config_.max_frame_bytes >= kMostFrameBytes) continue;
    summary.warnings.push_back(
        who + traffic::format_count(oversize) + " frames lost as rx_oversize were longer than " +
        std::to_string(config_.max_frame_bytes) + " bytes with FCS, the longest that the driver " +
        "receives; --max-frame (up to " + std::to_string(kMostFrameBytes) + ") lets it take more");
  }
  for (const auto& outlet : network_.outlets()) add(outlet->text() + ": ", outlet->partner());
}

void Board::find_failures(RunSummary& summary) const {
  std::vector<std::string>& failures = summary.failures;
  const std::string error = driver_error();
  if (!error.empty()) failures.push_back(error);
  if (!ready()) {
    if (error.empty()) failures.emplace_back("ended before the driver was ready");
    return;
  }
  if (supervisor_->stalled())
    failures.emplace_back("nothing happens any more, but traffic is left");
  for (std::size_t i = 0; i < summary.nics.size(); ++i) check_nic(summary, i, failures);
  for (const auto& outlet : network_.outlets()) {
    const std::string fault = outlet->partner().fault();
    if (!fault.empty()) failures.push_back(outlet->text() + ": " + fault);
  }
  check_streams(summary, failures);
}

bool Board::ready() const {
  return native() && std::all_of(machines_.begin(), machines_.end(),
                                 [](const auto& machine) { return machine->driver()->ready(); });
}

/// Why the first driver that gave up did; empty: none has.
std::string Board::driver_error() const {
  if (!native()) return {};
  for (std::size_t i = 0; i < machines_.size(); ++i) {
    const std::string& error = machines_[i]->driver()->error();
    if (error.empty()) continue;
    return machines_.size() == 1 ? error : "board " + std::to_string(i) + ": " + error;
  }
  return {};
}

/// The driver's view of an adapter; nullptr: there is none, or it has not found it.
const driver::Nic* Board::driven(std::size_t index) const {
  const driver::Driver* driver = machines_[index / config_.nics.size()]->driver();
  const std::size_t own = index % config_.nics.size();
  return driver != nullptr && own < driver->nics().size() ? driver->nics()[own].get() : nullptr;
}

std::optional<driver::SelfTestResult> Board::self_test(std::size_t index) const {
  const driver::Driver* driver = machines_[index / config_.nics.size()]->driver();
  if (driver == nullptr || driver->app() == nullptr) return std::nullopt;
  const auto results = driver->app()->self_tests();
  const std::size_t own = index % config_.nics.size();
  return own < results.size() ? std::make_optional(results[own]) : std::nullopt;
}

/// Simulated time since the last driver was ready.
Time Board::active() const {
  if (!ready()) return kTimeZero;
  Time since = kTimeZero;
  for (const auto& machine : machines_) since = std::max(since, machine->driver()->ready_time());
  return simulated_ > since ? simulated_ - since : kTimeZero;
}

PciSummary Board::pci_summary(Time under_test) const {
  PciSummary pci;
  pci.name = config_.pci;
  Time busy{};
  for (const auto& machine : machines_) {
    const pci::BusStatistics bus = machine->bus_under_test();
    busy += bus.busy;
    pci.accesses += bus.accesses;
    pci.bytes += bus.bytes;
    pci.master_aborts += bus.master_aborts;
  }
  if (under_test > kTimeZero) {
    pci.busy = static_cast<double>(busy.count()) / static_cast<double>(under_test.count()) /
               static_cast<double>(machines_.size());
  }
  return pci;
}

SwitchSummary Board::switch_summary(const std::string& name, const Network::Hub& hub) const {
  const link::Switch& unit = *hub.unit;
  SwitchSummary s;
  s.name = name;
  s.forwarded = unit.statistics().forwarded;
  s.flooded = unit.statistics().flooded;
  s.stations = unit.table().stations(simulated_);
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
      if (frames != 0) p.lost[reason] = frames;
    }
    p.under_way = port->under_way();
    s.ports.push_back(std::move(p));
  }
  return s;
}

RunSummary Board::summary() const {
  RunSummary s;
  s.version = kVersion;
  s.app = native() ? std::string(kAppNames[static_cast<std::size_t>(config_.app)]) : "qtest";
  s.seed = config_.seed;
  s.quantum = config_.quantum;
  s.simulated = simulated_;
  s.active = active();
  s.wall_seconds = wall_seconds_;
  s.paced = paced_;
  s.boards = config_.boards;
  if (supervisor_) s.worst_lag = supervisor_->pacing().worst_lag;
  for (std::size_t i = 0; i < nics_.size(); ++i) s.nics.push_back(nic_summary(i));
  for (const auto& [name, hub] : network_.hubs()) s.switches.push_back(switch_summary(name, hub));
  for (const auto& machine : machines_) {
    if (machine->driver() == nullptr || machine->driver()->app() == nullptr) continue;
    for (const auto& result : machine->driver()->app()->streams()) {
      const traffic::StreamChecker& c = *result.checker;
      s.streams.push_back({result.sent, c.received(), c.lost(result.sent), c.reordered(),
                           c.duplicates(), c.corrupt(), LatencySummary::of(c.latency())});
    }
  }
  s.pci = pci_summary(ready() ? s.active : s.simulated);
  s.ended_by = ended_by_;
  find_warnings(s);
  if (native()) find_failures(s);
  return s;
}

}  // namespace e1000tlm::platform
