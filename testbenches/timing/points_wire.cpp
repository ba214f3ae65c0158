#include <string>

#include "e1000tlm/link/cable.h"
#include "testbenches/timing/arithmetic.h"
#include "testbenches/timing/points.h"

namespace e1000tlm::timing {
namespace {

/// A bus so fast that the wire never runs dry.
Experiment machine(unsigned mbit) {
  Experiment setup;
  setup.bus = "64/133x";
  setup.use_host("ideal");
  setup.far = "station:speed=" + std::to_string(mbit);
  setup.work.transmit = true;
  setup.warm_up = ms(2'000 / mbit + 1);
  setup.window = ms(1'000 / mbit + 1);
  return setup;
}

/// The one distance of all frames in a row; 0 if they differ.
Time distance(const std::vector<Time>& starts) {
  if (starts.size() < 3) return kTimeZero;
  const Time first = starts[1] - starts[0];
  for (std::size_t i = 1; i < starts.size(); ++i) {
    if (starts[i] - starts[i - 1] != first) return kTimeZero;
  }
  return first;
}

Point in_nanoseconds(std::string what, double expected, Time measured) {
  Point p;
  p.what = std::move(what);
  p.expected = expected;
  p.measured = static_cast<double>(measured.count()) / 1000;
  p.unit = "ns";
  return p;
}

}  // namespace

std::vector<Point> wire_points(Extent extent) {
  std::vector<Point> points;
  for (const unsigned mbit : {10U, 100U, 1000U}) {
    for (const unsigned ipgt : {10U, 8U}) {
      for (const unsigned size : {64U, 1518U}) {
        if (extent == Extent::kSmoke && (mbit != 1000 || size != 64)) continue;
        Experiment setup = machine(mbit);
        setup.work.size = size;
        setup.work.tipg_ipgt = ipgt;
        const Trace trace = observe(setup);
        const double byte = 8000.0 / mbit;  // ns
        const std::string what = std::to_string(mbit) + " Mbit/s, IPGT " + std::to_string(ipgt) +
                                 ", " + std::to_string(size) + " B: frame to frame";
        points.push_back(
            in_nanoseconds(what, (8 + size + ipgt + 4) * byte, distance(trace.ports[0].sent)));
        if (mbit != 1000 || size != 64) continue;
        const PortTrace& port = trace.ports[0];
        const Time way = port.heard.empty() || port.sent.empty()
                             ? kTimeZero
                             : port.heard.front() - port.sent.front();
        if (ipgt == 8) points.push_back(in_nanoseconds("propagation, 10 m at 5 ns/m", 50, way));
      }
    }
  }
  return points;
}

}  // namespace e1000tlm::timing
