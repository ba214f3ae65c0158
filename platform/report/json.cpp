#include <cmath>
#include <utility>

#include <nlohmann/json.hpp>

#include "e1000tlm/report/summary.h"

namespace e1000tlm::platform {
namespace {

using Json = nlohmann::ordered_json;

double nanoseconds(Time time) { return static_cast<double>(time.count()) / 1e3; }
double seconds(Time time) { return static_cast<double>(time.count()) / 1e12; }

Json latency(const LatencySummary& l) {
  return {{"samples", l.samples},
          {"min_ns", nanoseconds(l.min)},
          {"mean_ns", nanoseconds(l.mean)},
          {"p50_ns", nanoseconds(l.p50)},
          {"p90_ns", nanoseconds(l.p90)},
          {"p99_ns", nanoseconds(l.p99)},
          {"p99_9_ns", nanoseconds(l.p999)},
          {"max_ns", nanoseconds(l.max)}};
}

Json flow(const FlowCount& count) { return {{"frames", count.frames}, {"bytes", count.bytes}}; }

Json counts(const std::map<std::string, std::uint64_t>& frames) {
  Json json = Json::object();
  for (const auto& [reason, count] : frames) json[reason] = count;
  return json;
}

Json self_test(const driver::SelfTestResult& t) {
  return {{"register", t.registers},
          {"eeprom", t.eeprom},
          {"interrupt", t.interrupt},
          {"loopback", t.loopback},
          {"link", t.link}};
}

Json ping(const driver::PingResult& p) {
  return {{"address", p.address},
          {"server", p.server},
          {"gateway", p.gateway},
          {"target", p.target},
          {"sent", p.sent},
          {"received", p.received},
          {"min_ns", nanoseconds(p.fastest)},
          {"max_ns", nanoseconds(p.slowest)},
          {"failure", p.failure}};
}

Json virtio(const VirtioSummary& v) {
  Json json = {{"interface", v.interface},
               {"status", v.status},
               {"features", v.features},
               {"data_plane", v.data_plane},
               {"active_pairs", v.active_pairs},
               {"pairs", Json::array()},
               {"fault", v.fault}};
  for (const QueuePairSummary& pair : v.pairs) {
    json["pairs"].push_back({{"in", flow(pair.in)},
                             {"out", flow(pair.out)},
                             {"receive_interrupts", pair.receive_interrupts},
                             {"transmit_interrupts", pair.transmit_interrupts}});
  }
  return json;
}

Json nic(const NicSummary& n, double active_seconds) {
  Json json = {
      {"part", n.part},
      {"mac", n.mac},
      {"link", n.link},
      {"link_up", n.link_up},
      {"link_mbit_per_s", n.mbit_per_second},
      {"full_duplex", n.full_duplex},
      {"flow_control", n.flow_control},
      {"wire_in", flow(n.wire_in)},
      {"wire_out", flow(n.wire_out)},
      {"driver_in", flow(n.driver_in)},
      {"driver_out", flow(n.driver_out)},
      {"mac_control_in", n.mac_control_in},
      {"interrupts", n.interrupts},
      {"interrupts_per_s",
       active_seconds > 0 ? static_cast<double>(n.interrupts - n.before.interrupts) / active_seconds
                          : 0},
      {"leds", Json::array()},
      {"lost", counts(n.lost)},
      {"filtered", counts(n.filtered)}};
  for (const LedSummary& led : n.leds) {
    json["leds"].push_back({{"shows", led.shows}, {"light", led.light}});
  }
  json["under_way"] = n.under_way;
  json["transit"] = n.transit ? latency(*n.transit) : Json();
  json["self_test"] = n.self_test ? self_test(*n.self_test) : Json();
  json["ping"] = n.ping ? ping(*n.ping) : Json();
  if (n.virtio) json["virtio"] = virtio(*n.virtio);
  return json;
}

Json stream(const StreamSummary& s) {
  return {{"sent", s.sent},
          {"received", s.received},
          {"lost", s.lost},
          {"swallowed", s.swallowed},
          {"under_way", s.under_way},
          {"reordered", s.reordered},
          {"duplicates", s.duplicates},
          {"corrupt", s.corrupt},
          {"latency", latency(s.latency)}};
}

Json hub(const SwitchSummary& s) {
  Json json = {{"name", s.name},           {"kind", s.repeats ? "hub" : "switch"},
               {"forwarded", s.forwarded}, {"flooded", s.flooded},
               {"stations", s.stations},   {"learned", s.learned},
               {"moved", s.moved},         {"aged", s.aged},
               {"refused", s.refused},     {"ports", Json::array()}};
  for (const SwitchPortSummary& p : s.ports) {
    Json port = {{"to", p.to},
                 {"link_mbit_per_s", p.mbit_per_second},
                 {"in", flow(p.in)},
                 {"out", flow(p.out)},
                 {"lost", counts(p.lost)},
                 {"filtered", counts(p.filtered)},
                 {"under_way", p.under_way}};
    json["ports"].push_back(std::move(port));
  }
  return json;
}

Json guest(const GuestSummary& g) {
  Json json = {{"nic", g.nic}};
  for (const GuestCounter& counter : kGuestCounters) {
    json[counter.key] = g.counters.*counter.value;
  }
  return json;
}

}  // namespace

std::string to_json(const RunSummary& s) {
  Json json = {{"format", 2},
               {"version", s.version},
               {"app", s.app},
               {"seed", s.seed},
               {"quantum_ns", nanoseconds(s.quantum)},
               {"simulated_s", seconds(s.simulated)},
               {"simulated_ns", s.simulated.count() / 1000},
               {"active_s", seconds(s.active)},
               {"wall_s", s.wall_seconds},
               {"wall_ns", std::llround(s.wall_seconds * 1e9)},
               {"paced", s.paced},
               {"worst_lag_s", seconds(s.worst_lag)},
               {"lags_given_up", s.lags_given_up},
               {"pace", s.pace},
               {"boards", s.boards},
               {"nics", Json::array()},
               {"streams", Json::array()},
               {"switches", Json::array()},
               {"guests", Json::array()},
               {"pci",
                {{"bus", s.pci.name},
                 {"host", s.pci.host},
                 {"busy", s.pci.busy},
                 {"overcommitted", s.quantum > kTimeZero && s.pci.busiest > 1},
                 {"accesses", s.pci.accesses},
                 {"bytes", s.pci.bytes},
                 {"master_aborts", s.pci.master_aborts}}},
               {"ended_by", s.ended_by},
               {"signal", s.signal != 0 ? Json(signal_name(s.signal)) : Json()},
               {"warnings", s.warnings},
               {"ok", s.failures.empty()},
               {"failures", s.failures}};
  for (const NicSummary& n : s.nics) json["nics"].push_back(nic(n, seconds(s.active)));
  for (const StreamSummary& st : s.streams) json["streams"].push_back(stream(st));
  for (const SwitchSummary& sw : s.switches) json["switches"].push_back(hub(sw));
  for (const GuestSummary& g : s.guests) json["guests"].push_back(guest(g));
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace e1000tlm::platform
