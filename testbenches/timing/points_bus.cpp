#include <map>
#include <optional>
#include <string>

#include "testbenches/timing/arithmetic.h"
#include "testbenches/timing/points.h"

namespace e1000tlm::timing {
namespace {

constexpr unsigned kAdapter = 1;  // its number as a bus master

/// One kind of tenure.
struct Probe {
  const char* what;
  bool write;
  std::uint32_t bytes;
};
constexpr Probe kDescriptor{"fetch 16 B", false, 16}, kLine{"fetch 64 B", false, 64},
    kWriteBack{"write-back 16 B", true, 16}, kSmallRead{"transmit 60 B", false, 60},
    kLongRead{"transmit 1514 B", false, 1514}, kSmallWrite{"receive 64 B", true, 64},
    kLongWrite{"receive 1518 B", true, 1520};  // in whole 8-byte words, manual 4.2

// Counted by hand, so that the formula itself is checked.
static_assert(access_clocks(kBuses[0], kIdeal, false, 16) == 7);
static_assert(access_clocks(kBuses[0], kSlow33, false, 1514) == 403);
static_assert(access_clocks(kBuses[0], kTypical, true, 1520) == 385);
static_assert(access_clocks(kBuses[3], kTypical, false, 60) == 21);
static_assert(access_clocks(kBuses[3], slow(kBuses[3]), true, 64) == 15);
static_assert(access_clocks(kBuses[0], kLines, false, 1514) == 883);
static_assert(access_clocks(kBuses[6], kTypical, false, 16) == 2 + 16 + 2 + 3 + 2 + 1);

/// The clocks that all tenures of that kind took; nullopt if there were none or they differ.
std::optional<std::uint64_t> clocks_of(const Trace& trace, const Probe& probe) {
  std::optional<std::uint64_t> clocks;
  for (const Tenure& t : trace.tenures) {
    if (t.master != kAdapter || t.write != probe.write || t.bytes != probe.bytes) continue;
    if (clocks && *clocks != t.clocks) return std::nullopt;
    clocks = t.clocks;
  }
  return clocks;
}

Experiment machine(const BusNumbers& bus, const TargetNumbers& target) {
  Experiment setup;
  setup.bus = bus.name;
  setup.use_host(std::string(target.name));
  setup.warm_up = us(100);
  setup.window = us(500);
  setup.want_tenures = true;
  return setup;
}

/// One frame at a time, or four: fetches of one descriptor and of four.
Trace transmit(Experiment setup, unsigned size, unsigned frames_at_once) {
  setup.work.transmit = true;
  setup.work.size = size;
  setup.work.frames_at_once = frames_at_once;
  setup.work.poll = us(100);
  return observe(setup);
}

Trace receive(Experiment setup) {
  setup.work.receive = true;
  setup.work.poll = ms(10);  // software keeps off the bus
  setup.far = "station:size=64,size2=1518,gap=1200";
  return observe(setup);
}

void add(std::vector<Point>& points, const Trace& trace, const BusNumbers& bus,
         const TargetNumbers& target, const Probe& probe) {
  Point p;
  p.what = std::string(bus.name) + " " + std::string(target.name) + ": " + probe.what;
  p.expected = static_cast<double>(access_clocks(bus, target, probe.write, probe.bytes));
  p.measured = static_cast<double>(clocks_of(trace, probe).value_or(0));
  p.unit = "clocks";
  points.push_back(p);
}

void all_tenures(std::vector<Point>& points, const BusNumbers& bus, const TargetNumbers& target) {
  const Experiment setup = machine(bus, target);
  const Trace single = transmit(setup, 64, 1);
  add(points, single, bus, target, kDescriptor);
  add(points, transmit(setup, 64, 4), bus, target, kLine);
  add(points, single, bus, target, kWriteBack);
  add(points, single, bus, target, kSmallRead);
  add(points, transmit(setup, 1518, 1), bus, target, kLongRead);
  const Trace in = receive(setup);
  add(points, in, bus, target, kSmallWrite);
  add(points, in, bus, target, kLongWrite);
}

}  // namespace

std::vector<Point> bus_points(Extent extent) {
  std::vector<Point> points;
  for (const BusNumbers& bus : kBuses) {
    for (const TargetNumbers& target : {kIdeal, kTypical, slow(bus), kLines}) {
      if (target.disconnect != 0 && bus.pcix) continue;
      if (extent == Extent::kSmoke && (bus.clock == Time{15'000} || target.name != "typical")) {
        continue;
      }
      all_tenures(points, bus, target);
    }
  }
  return points;
}

}  // namespace e1000tlm::timing
