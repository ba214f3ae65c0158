#include <cstdio>

#include "e1000tlm/report/summary.h"
#include "e1000tlm/traffic/units.h"

namespace e1000tlm::platform {
namespace {

using traffic::format_bit_rate;
using traffic::format_count;
using traffic::format_rate;
using traffic::format_time;

constexpr double kWireOverheadBytes = 24;  // preamble, FCS, gap

double seconds(Time time) { return static_cast<double>(time.count()) / 1e12; }

void line(std::string& out, const char* label, const std::string& text) {
  std::string padded = label;
  padded.resize(14, ' ');
  out += "  " + padded + text + "\n";
}

std::string plural(std::uint64_t count, const char* what) {
  return format_count(count) + " " + what + (count == 1 ? "" : "s");
}

/// `before`: of it, before the time under test.
std::string flow(const FlowCount& count, double active, const FlowCount& before = {}) {
  std::string text = plural(count.frames, "frame") + ", " + format_count(count.bytes) + " bytes";
  if (active > 0 && count.frames > before.frames) {
    const auto frames = static_cast<double>(count.frames - before.frames);
    const auto bytes = static_cast<double>(count.bytes - before.bytes);
    const double bits = (bytes + kWireOverheadBytes * frames) * 8;
    text += "  (" + format_rate(frames / active, "frames/s") + ", " +
            format_bit_rate(bits / active) + " of wire)";
  }
  return text;
}

std::string latency(const LatencySummary& l) {
  if (l.samples == 0) return "no samples";
  return "p50 " + format_time(l.p50) + "  p90 " + format_time(l.p90) + "  p99 " +
         format_time(l.p99) + "  p99.9 " + format_time(l.p999) + "  max " + format_time(l.max);
}

std::string losses(const std::map<std::string, std::uint64_t>& lost) {
  if (lost.empty()) return "nothing";
  std::string text;
  for (const auto& [reason, frames] : lost) {
    if (!text.empty()) text += ", ";
    text += format_count(frames) + " " + reason;
  }
  return text;
}

std::uint64_t sum(const std::map<std::string, std::uint64_t>& counts) {
  std::uint64_t frames = 0;
  for (const auto& entry : counts) frames += entry.second;
  return frames;
}

std::string filtered(const NicSummary& n) {
  return plural(sum(n.filtered), "frame") + " not addressed to it" +
         (n.self_test ? " (the loopback test sends such)" : "");
}

/// Values as ethtool shows them: 0 passed.
std::string self_test(const driver::SelfTestResult& t) {
  char text[120];
  std::snprintf(
      text, sizeof text, "%s  (register %04xh, eeprom %u, interrupt %u, loopback %u, link %u)",
      t.passed() ? "passed" : "FAILED", t.registers, t.eeprom, t.interrupt, t.loopback, t.link);
  return text;
}

std::string ping(const driver::PingResult& p) {
  std::string text = p.address.empty() ? "no address" : p.address + " from " + p.server;
  if (!p.target.empty()) {
    text += "; " + format_count(p.received) + " of " + plural(p.sent, "echo request") +
            " answered by " + p.target;
  }
  if (p.received > 0) {
    text += ", round trip " + format_time(p.fastest) + " to " + format_time(p.slowest);
  }
  if (!p.failure.empty()) text += "; " + p.failure;
  return text;
}

std::string leds(const std::vector<LedSummary>& leds) {
  std::string text;
  for (const LedSummary& led : leds) {
    text += (text.empty() ? "" : ", ") + led.shows + ": " + led.light;
  }
  return text;
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return text.empty() ? "none" : text;
}

void add_virtio(std::string& out, const VirtioSummary& v) {
  line(out, "status", joined(v.status) + (v.fault.empty() ? "" : ": " + v.fault));
  line(out, "features", joined(v.features));
  const bool back_end = v.data_plane == "back-end";
  line(out, "queue pairs",
       format_count(v.active_pairs) + " of " + format_count(v.pairs.size()) + " in use" +
           (back_end ? ", worked on by the back-end" : ""));
  for (std::size_t i = 0; i < v.pairs.size(); ++i) {
    const QueuePairSummary& pair = v.pairs[i];
    const bool idle = pair.in.frames + pair.out.frames == 0;
    if (idle && i >= v.active_pairs) continue;
    line(out, ("  pair " + std::to_string(i)).c_str(),
         plural(pair.in.frames, "frame") + " in, " + format_count(pair.out.frames) +
             " out, interrupts " + format_count(pair.receive_interrupts) + " and " +
             format_count(pair.transmit_interrupts));
  }
}

std::string mode(const NicSummary& n) {
  if (!n.link_up) return "no link";
  return std::to_string(n.mbit_per_second) + " Mbit/s " + (n.full_duplex ? "full" : "half") +
         " duplex, PAUSE " + n.flow_control;
}

void add_nic(std::string& out, std::size_t index, const NicSummary& n, double active) {
  out += "nic " + std::to_string(index) + "  " + n.part + "  " + n.mac + "  " + mode(n) + "  <-> " +
         n.link + "\n";
  line(out, "in", flow(n.wire_in, active, n.before.wire_in));
  line(out, "out", flow(n.wire_out, active, n.before.wire_out));
  if (n.mac_control_in > 0) line(out, "mac control", plural(n.mac_control_in, "frame") + " in");
  line(out, "lost", losses(n.lost));
  if (!n.filtered.empty()) line(out, "filtered", filtered(n));
  if (n.under_way > 0) line(out, "under way", plural(n.under_way, "frame") + " in at the end");
  std::string interrupts = format_count(n.interrupts);
  if (active > 0) {
    const auto under_test = static_cast<double>(n.interrupts - n.before.interrupts);
    interrupts += "  (" + format_rate(under_test / active, "/s") + ")";
  }
  line(out, "interrupts", interrupts);
  if (!n.leds.empty()) line(out, "leds", leds(n.leds));
  if (n.virtio) add_virtio(out, *n.virtio);
  if (n.transit) line(out, "transit", latency(*n.transit));
  if (n.self_test) line(out, "self-test", self_test(*n.self_test));
  if (n.ping) line(out, "ping", ping(*n.ping));
}

void add_stream(std::string& out, std::size_t index, const StreamSummary& s,
                const std::string& link) {
  out += "stream " + std::to_string(index) + "\n";
  line(out, "sent", plural(s.sent, "frame"));
  line(out, "received",
       format_count(s.received) + " intact, " + format_count(s.lost) + " lost, " +
           format_count(s.reordered) + " reordered, " + format_count(s.duplicates) +
           " duplicates, " + format_count(s.corrupt) + " corrupt");
  if (s.swallowed > 0) {
    line(out, "swallowed", plural(s.swallowed, "frame") + " by " + link + ", as it should");
  }
  if (s.under_way > 0) line(out, "under way", plural(s.under_way, "frame") + " at the end");
  line(out, "latency", latency(s.latency));
}

void add_switch(std::string& out, const SwitchSummary& s, double active) {
  if (s.repeats) {
    out += "hub " + s.name + "\n";
    line(out, "repeated", plural(s.flooded, "frame"));
  } else {
    out += "switch " + s.name + "  " + plural(s.stations, "station") + " known\n";
    line(out, "passed on",
         format_count(s.forwarded) + " to one port, " + format_count(s.flooded) + " to all");
  }
  if (s.moved + s.aged + s.refused > 0) {
    line(out, "addresses",
         format_count(s.learned) + " learned, " + format_count(s.moved) + " moved, " +
             format_count(s.aged) + " aged, " + format_count(s.refused) + " refused");
  }
  for (std::size_t i = 0; i < s.ports.size(); ++i) {
    const SwitchPortSummary& p = s.ports[i];
    out += "  port " + std::to_string(i) + "  " +
           (p.mbit_per_second == 0 ? "no link" : std::to_string(p.mbit_per_second) + " Mbit/s") +
           "  <-> " + p.to + "\n";
    line(out, "  in", flow(p.in, active));
    line(out, "  out", flow(p.out, active));
    if (!p.lost.empty()) line(out, "  lost", losses(p.lost));
    if (!p.filtered.empty()) line(out, "  kept", losses(p.filtered));
    if (p.under_way > 0) line(out, "  under way", plural(p.under_way, "frame"));
  }
}

void add_guest(std::string& out, const GuestSummary& guest) {
  const GuestCounters& g = guest.counters;
  out += "guest of nic " + std::to_string(guest.nic) + "\n";
  line(out, "clients",
       format_count(g.clients) +
           (g.dropped > 0 ? ", " + format_count(g.dropped) + " dropped" : "") + ", " +
           plural(g.resets, "reset"));
  line(out, "accesses",
       plural(g.reads, "read") + ", " + plural(g.writes, "write") +
           (g.refused > 0 ? ", " + plural(g.refused, "request") + " refused" : ""));
  if (g.dma_messages > 0) {
    line(out, "DMA",
         format_count(g.dma_messages) + " by messages" +
             (g.dma_unanswered > 0 ? ", " + format_count(g.dma_unanswered) + " unanswered" : ""));
  }
  line(out, "signals",
       format_count(g.intx_signals) + " INTx, " + format_count(g.msi_signals) + " MSI, " +
           format_count(g.msix_signals) + " MSI-X");
}

std::string percent(double share) {
  char text[16];
  std::snprintf(text, sizeof text, "%.1f %%", share * 100);
  return text;
}

}  // namespace

std::string to_text(const RunSummary& s) {
  std::string out;
  const double active = seconds(s.active);
  for (std::size_t i = 0; i < s.nics.size(); ++i) add_nic(out, i, s.nics[i], active);
  for (std::size_t i = 0; i < s.streams.size(); ++i) {
    add_stream(out, i, s.streams[i], i < s.nics.size() ? s.nics[i].link : "its link");
  }
  for (const SwitchSummary& sw : s.switches) add_switch(out, sw, active);
  for (const GuestSummary& guest : s.guests) add_guest(out, guest);
  out += "pci " + s.pci.name + (s.pci.host.empty() ? "" : ", host " + s.pci.host) + "\n";
  line(out, "busy",
       percent(s.pci.busy) + " of the time, " + format_count(s.pci.accesses) + " accesses, " +
           format_count(s.pci.bytes) + " bytes");
  if (s.quantum > kTimeZero && s.pci.busiest > 1) {
    line(out, "overcommitted",
         "together the masters asked for " + percent(s.pci.busiest) +
             " of what the bus has; loosely timed they do not wait for each other,");
    line(out, "", "so that throughput, losses and latencies are too good: see --quantum 0");
  }
  if (s.pci.master_aborts > 0) line(out, "aborts", format_count(s.pci.master_aborts));
  out += "run  " + s.app + ", " +
         (s.quantum == kTimeZero ? "approximately timed"
                                 : "loosely timed, quantum " + format_time(s.quantum)) +
         ", ended by " + s.ended_by + (s.signal != 0 ? " (" + signal_name(s.signal) + ")" : "") +
         "\n";
  const double wall = s.wall_seconds;
  char ratio[64];
  std::snprintf(ratio, sizeof ratio, "%.3g", wall > 0 ? seconds(s.simulated) / wall : 0);
  line(out, "time",
       format_time(s.simulated) + " simulated" +
           (active > 0 ? " (" + format_time(s.active) + " under test)" : "") + " in " +
           format_time(Time{static_cast<std::int64_t>(wall * 1e12)}) + ": " + ratio +
           " x real time");
  if (s.paced) {
    char pace[32];
    std::snprintf(pace, sizeof pace, ", pace %g", s.pace);
    line(out, "paced",
         "at most " + format_time(s.worst_lag) + " behind the wall clock" +
             (s.lags_given_up > 0 ? ", given up " + plural(s.lags_given_up, "time") : "") +
             (s.pace == 1 ? "" : pace));
  }
  for (const std::string& warning : s.warnings) line(out, "warning", warning);
  for (const std::string& failure : s.failures) line(out, "FAILED", failure);
  return out;
}

}  // namespace e1000tlm::platform
