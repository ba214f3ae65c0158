/// What a run came to, and whether that is all right.
#include <array>

#include "models/e1000/drops.h"
#include "platform/board/board.h"
#include "traffic/units.h"

namespace e1000tlm::platform {
namespace {

constexpr std::array<const char*, 5> kAppNames{"sink", "reflect", "generate", "forward", "blast"};

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
    case Drop::kRxMacControl: return true;
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
  if (driver_ && index < driver_->nics().size()) {
    add("driver_errors", driver_->nics()[index]->counters().rx_errors);
  }
}

NicSummary Board::nic_summary(std::size_t index) const {
  NicSlot& slot = *nics_[index];
  NicSummary n;
  n.part = std::string(e1000::part_info(config_.nics[index].part).name);
  n.mac = e1000::to_string(slot.controller().eeprom().mac());
  n.link = slot.link_text();
  n.wire_in = on_cable(slot.cable().statistics(1));
  n.wire_out = on_cable(slot.cable().statistics(0));
  n.interrupts = slot.controller().interrupts();
  const phy::LinkStatus& phy = slot.phy().link();
  n.link_up = phy.up;
  n.mbit_per_second =
      phy.up ? static_cast<unsigned>(link::bits_per_second(phy.mode.speed) / 1'000'000) : 0;
  n.full_duplex = phy.up && phy.mode.full_duplex;
  n.flow_control = "none";
  if (driver_ && index < driver_->nics().size()) {
    const driver::Nic& nic = *driver_->nics()[index];
    n.flow_control = flow_control(nic.link());
    n.driver_in = {nic.counters().rx_frames, nic.counters().rx_bytes};
    n.driver_out = {nic.counters().tx_frames, nic.counters().tx_bytes};
    const std::uint64_t known = accounted(n, slot.controller().drops()) + nic.counters().rx_errors;
    n.under_way = n.wire_in.frames > known ? n.wire_in.frames - known : 0;
  }
  if (index < transit_.size()) n.transit = LatencySummary::of(transit_[index]->latency());
  n.mac_control_in = slot.controller().drops()[e1000::Drop::kRxMacControl];
  add_losses(index, n.lost);
  return n;
}

void Board::check_nic(const RunSummary& summary, std::size_t index,
                      std::vector<std::string>& failures) const {
  const NicSummary& n = summary.nics[index];
  const std::string who = "nic " + std::to_string(index) + ": ";
  const e1000::DropCounters& drops = nics_[index]->controller().drops();
  for (std::size_t i = 0; i < e1000::kDropNames.size(); ++i) {
    const auto reason = static_cast<e1000::Drop>(i);
    const std::string name(e1000::kDropNames[i]);
    if (drops[reason] == 0 || is_expected(reason)) continue;
    std::string text = who;
    failures.push_back(
        text.append(traffic::format_count(drops[reason])).append(" frames lost: ").append(name));
  }
  const std::string fault = nics_[index]->partner().fault();
  if (!fault.empty()) failures.push_back(who + n.link + ": " + fault);
  if (!done()) return;  // frames are still on their way
  const std::uint64_t known = accounted(n, drops) + driver_->nics()[index]->counters().rx_errors;
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

void Board::find_failures(RunSummary& summary) const {
  std::vector<std::string>& failures = summary.failures;
  if (!driver_->error().empty()) failures.push_back(driver_->error());
  if (!driver_->ready()) {
    if (driver_->error().empty()) failures.emplace_back("ended before the driver was ready");
    return;
  }
  if (supervisor_->stalled())
    failures.emplace_back("nothing happens any more, but traffic is left");
  for (std::size_t i = 0; i < summary.nics.size(); ++i) check_nic(summary, i, failures);
  std::uint64_t explained = 0;
  for (const NicSummary& n : summary.nics) {
    for (const auto& [reason, frames] : n.lost) explained += frames;
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

RunSummary Board::summary() const {
  RunSummary s;
  s.version = E1000TLM_VERSION;
  s.app = driver_ ? kAppNames[static_cast<std::size_t>(config_.app)] : "qtest";
  s.seed = config_.seed;
  s.quantum = config_.quantum;
  s.simulated = simulated_;
  const bool ready = driver_ && driver_->ready();
  s.active =
      ready && simulated_ > driver_->ready_time() ? simulated_ - driver_->ready_time() : kTimeZero;
  s.wall_seconds = wall_seconds_;
  s.paced = paced_;
  if (supervisor_) s.worst_lag = supervisor_->pacing().worst_lag;
  for (std::size_t i = 0; i < nics_.size(); ++i) s.nics.push_back(nic_summary(i));
  if (driver_ && driver_->app() != nullptr) {
    for (const auto& result : driver_->app()->streams()) {
      const traffic::StreamChecker& c = *result.checker;
      s.streams.push_back({result.sent, c.received(), c.lost(result.sent), c.reordered(),
                           c.duplicates(), c.corrupt(), LatencySummary::of(c.latency())});
    }
  }
  const pci::BusStatistics& bus = bus_->statistics();
  s.pci.name = config_.pci;
  const Time under_test = ready ? s.active : s.simulated;
  if (under_test > kTimeZero) {
    s.pci.busy = static_cast<double>((bus.busy - bus_before_.busy).count()) /
                 static_cast<double>(under_test.count());
  }
  s.pci.accesses = bus.accesses - bus_before_.accesses;
  s.pci.bytes = bus.bytes - bus_before_.bytes;
  s.pci.master_aborts = bus.master_aborts - bus_before_.master_aborts;
  s.ended_by = ended_by_;
  if (driver_) find_failures(s);
  return s;
}

}  // namespace e1000tlm::platform
