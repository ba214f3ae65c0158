#include <algorithm>
#include <string>

#include "testbenches/timing/arithmetic.h"
#include "testbenches/timing/points.h"

namespace e1000tlm::timing {
namespace {

constexpr double kTenPercent = 0.1;

/// The machine of R. Morris' measurements: 82542 and 82543 boards in a ServerWorks LE board. The
/// memory's wait clocks belong to the fit: doc/timing.md, "Device constants".
Experiment serverworks(const std::string& bus) {
  Experiment setup;
  setup.bus = bus;
  setup.host.read_initial = 19;
  setup.host.write_initial = 2;
  setup.silicon = e1000::find_timing("82543")->timing;
  setup.warm_up = ms(4);
  setup.window = ms(4);
  return setup;
}

Point published(std::string what, double expected, double measured, std::string unit,
                std::string source) {
  return {std::move(what),  expected,    measured,         std::move(unit),
          Kind::kPublished, kTenPercent, std::move(source)};
}

Point transmit(const std::string& bus, double expected) {
  Experiment setup = serverworks(bus);
  setup.work.transmit = true;
  return published("82543 in " + bus + ": transmit, 60 B without FCS", expected,
                   rate(observe(setup).ports[0].sent), "frames/s", "Morris; fitted");
}

Point receive(const std::string& bus, double expected, const char* source) {
  Experiment setup = serverworks(bus);
  setup.work.receive = true;
  setup.far = "station:size=64,gap=12";
  return published("82543 in " + bus + ": receive, 60 B without FCS", expected,
                   rate(observe(setup).ports[0].stored), "frames/s", source);
}

Point olsson() {
  Experiment setup;
  setup.bus = "64/133x";
  setup.work.transmit = true;
  return published("8254x in 64/133x: transmit, 60 B without FCS", 1.48e6,
                   rate(observe(setup).ports[0].sent), "frames/s", "Olsson, pktgen; predicted");
}

/// Both directions, 1500-byte packets, as TCP payload: one port of HP's AB545A.
Point hp() {
  Experiment setup;
  setup.bus = "64/133x";
  setup.work.transmit = setup.work.receive = true;
  setup.work.size = 1518;
  setup.far = "station:size=1518,gap=12";
  const PortTrace port = observe(setup).ports[0];
  constexpr double kPayload = 1460 * 8 / 1e6;  // Mbit in a frame
  return published("8254x in 64/133x: both directions, 1518 B, TCP payload", 1890,
                   (rate(port.sent) + rate(port.stored)) * kPayload, "Mbit/s",
                   "HP, AB545A with one port at work; predicted");
}

Experiment interrupt_driven(const std::string& far) {
  Experiment setup;
  setup.bus = "64/66";
  setup.far = far;
  setup.work.receive = true;
  setup.work.polling = false;
  setup.warm_up = ms(2);
  setup.window = ms(20);
  return setup;
}

}  // namespace

std::vector<Point> interrupt_points(Extent) {
  std::vector<Point> points;
  Experiment setup = interrupt_driven("station:size=512,gap=68");  // 210,000 frames/s
  setup.work.nic.interrupt_rate = 7812;  // the driver makes 500 units of it
  const std::vector<Time> edges = observe(setup).ports[0].interrupts;
  Time least = kTimeNever;
  for (std::size_t i = 1; i < edges.size(); ++i) least = std::min(least, edges[i] - edges[i - 1]);
  points.push_back({"ITR = 500: least distance of interrupts under load", 128'000,
                    static_cast<double>(least.count()) / 1000, "ns", Kind::kExact, 0,
                    "manual 13.4.18"});
  return points;
}

std::vector<Point> published_points(Extent extent) {
  std::vector<Point> points;
  points.push_back(transmit("64/33", 500'000));
  points.push_back(transmit("64/66", 840'000));
  if (extent == Extent::kSmoke) return points;
  points.push_back(receive("64/33", 680'000, "Morris; fitted"));
  points.push_back(receive("64/66", 680'000, "Morris; predicted from the other bus"));
  points.push_back(olsson());
  points.push_back(hp());

  Experiment itr = interrupt_driven("station:size=512,gap=68");
  itr.work.nic.interrupt_rate = 7812;
  points.push_back(published("ITR = 500 under load", 7813, rate(observe(itr).ports[0].interrupts),
                             "interrupts/s", "manual 13.4.18: at most"));
  Experiment radv = interrupt_driven("station:size=512,gap=68");
  radv.work.nic.interrupt_rate = 0;
  radv.work.nic.rdtr = 64;
  radv.work.nic.radv = 128;
  points.push_back(published("RADV = 128 under load", 8000, rate(observe(radv).ports[0].interrupts),
                             "interrupts/s", "Emulab's notes: about"));
  return points;
}

}  // namespace e1000tlm::timing
