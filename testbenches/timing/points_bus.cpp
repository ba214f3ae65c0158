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
static_assert(access_clocks(kBuses[3], kSlow66, true, 64) == 15);
static_assert(access_clocks(kBuses[0], {"", 2, 16, 1}, false, 1514, 64) == 883);

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

Experiment machine(const BusNumbers& bus, const TargetNumbers& target, std::uint32_t disconnect) {
  Experiment setup;
  setup.bus = bus.name;
  setup.arbiter.request_to_grant = target.arbitration;
  setup.host.read_initial = target.read_wait;
  setup.host.write_initial = target.write_wait;
  setup.host.disconnect_bytes = disconnect;
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
  setup.far = "station:size=64,size2=1518,gap=1200";
  return observe(setup);
}

void add(std::vector<Point>& points, const Trace& trace, const BusNumbers& bus,
         const TargetNumbers& target, const Probe& probe, std::uint32_t disconnect = 0) {
  Point p;
  p.what = std::string(bus.name) + " " + std::string(target.name);
  if (disconnect != 0) p.what += ", disconnect each " + std::to_string(disconnect) + " B";
  p.what += std::string(": ") + probe.what;
  p.expected =
      static_cast<double>(access_clocks(bus, target, probe.write, probe.bytes, disconnect));
  p.measured = static_cast<double>(clocks_of(trace, probe).value_or(0));
  p.unit = "clocks";
  points.push_back(p);
}

void all_tenures(std::vector<Point>& points, const BusNumbers& bus, const TargetNumbers& target) {
  const Experiment setup = machine(bus, target, 0);
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
    const bool fast = bus.clock < Time{30'000};
    for (const TargetNumbers& target : {kIdeal, kTypical, fast ? kSlow66 : kSlow33}) {
      if (extent == Extent::kSmoke && (bus.name != "32/33" || target.name != "typical")) continue;
      all_tenures(points, bus, target);
    }
  }
  return points;
}

std::vector<Point> disconnect_points() {
  std::vector<Point> points;
  for (const unsigned wait : {16U, 3U}) {
    const TargetNumbers target{wait == 16 ? "W=16" : "W=3", 2, wait, 1};
    add(points, transmit(machine(kBuses[0], target, 64), 1518, 1), kBuses[0], target, kLongRead,
        64);
  }
  return points;
}

}  // namespace e1000tlm::timing
