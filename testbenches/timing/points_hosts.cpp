/// Host bridges and the buses behind them: what others have measured.
#include <string>
#include <utility>
#include <vector>

#include "e1000tlm/pci/access_timing.h"
#include "e1000tlm/pci/host_timing.h"
#include "testbenches/timing/points.h"

namespace e1000tlm::timing {
namespace {

constexpr double kTenPercent = 0.1;
constexpr std::uint32_t kBlock = 4096;

/// A master that uses the bus as well as it can, with a cache line of 128 bytes.
struct Dma {
  const char* bus;
  const char* host;
  bool write;
  std::uint64_t address = 0x10000;
  std::uint32_t bytes = kBlock;
};

/// From request to idle clock, alone.
double microseconds(const Dma& dma) {
  pci::AccessTiming::Setup setup;
  setup.bus = pci::find_bus_speed(dma.bus).value();
  const pci::HostTiming host = pci::find_host_timing(dma.host, setup.bus).value();
  setup.arbiter = host.arbiter;
  setup.target = host.target;
  setup.master.cache_line_bytes = 128;
  setup.master.write_invalidate = true;
  setup.master.max_read_bytes = kBlock;
  setup.write = dma.write;
  setup.requester = 1;
  const pci::AccessTiming timing(setup);
  pci::BusUsage usage;
  unsigned last = ~0u;
  const Time end = timing.alone(dma.address, dma.bytes, 0, kTimeZero, last, usage);
  return static_cast<double>(end.count()) / 1e6;
}

double mb_per_s(const Dma& dma) { return dma.bytes / microseconds(dma); }

Point fitted(std::string what, double expected, double measured, const char* unit) {
  return {std::move(what), expected, measured, unit, Kind::kPublished, kTenPercent, "fitted"};
}

/// What Myricom measured with a card of its own: blocks of 4 KiB, one after the other.
struct Motherboard {
  const char* name;
  const char* bus;
  double reads, writes;  // MB/s
};
constexpr Motherboard kMotherboards[] = {
    {"AMD Quartet, four Opterons", "64/133x", 870, 989},
    {"Apple dual G5", "64/133x", 882, 1036},
    {"HP es47, Alpha EV7", "64/133x", 908, 1038},
    {"IBM BladeCenter HS20", "64/100x", 716, 784},
    {"Intel 870, four Itanium 2", "64/133x", 819, 947},
    {"Intel, two Itanium 2 Madison", "64/133x", 874, 946},
};

constexpr const char* kLateData = "the host has a read's data after some 60 clocks, not 16";
constexpr const char* kLateRoom = "the host takes more than 2 clocks to accept a write";

Point unfitted(std::string what, double expected, double measured, const char* unit,
               const char* why) {
  return {std::move(what), expected, measured, unit, Kind::kUnfitted, 0, why};
}

void add_motherboards(std::vector<Point>& points) {
  for (const Motherboard& board : kMotherboards) {
    const std::string name = std::string(board.name) + ", " + board.bus + ": ";
    points.push_back(unfitted(name + "reads of 4 KiB", board.reads,
                              mb_per_s({board.bus, "typical", false}), "MB/s", kLateData));
    points.push_back(unfitted(name + "writes of 4 KiB", board.writes,
                              mb_per_s({board.bus, "typical", true}), "MB/s", kLateRoom));
  }
}

void add_bridges(std::vector<Point>& points) {
  const auto add = [&](const char* what, double published, const Dma& dma, const char* why) {
    points.push_back(unfitted(what, published, mb_per_s(dma), "MB/s", why));
  };
  add("best of 32/33 bridges: one long burst", 128, {"32/33", "typical", false},
      "4 KiB as one burst here");
  add("best of 64/33 bridges: one long burst", 250, {"64/33", "typical", false}, "ditto");
  add("best of 64/66 bridges: one long burst", 512, {"64/66", "typical", false}, "ditto");
  add("good 32/33 bridges: bursts of 4 KiB", 119, {"32/33", "typical", false},
      "102 to 119: waits within bursts");
  add("VIA VT8235, patched, 32/33: IDE adapter's writes", 102, {"32/33", "typical", true},
      "the adapter's own pauses count as well");
  add("MSI KT400 with VT8235, 32/33: IDE adapter's writes", 95, {"32/33", "typical", true},
      "ditto");
  add("Intel 860 with ICH2, 32/33: Read Multiple", 90, {"32/33", "typical", false},
      "it ends reads early: erratum 5 of the 860");
}

/// Cards in slots of 32 bit 33 MHz.
void add_cards(std::vector<Point>& points) {
  Experiment small;
  small.bus = "32/33";
  small.use_host("typical");
  small.work.transmit = true;
  points.push_back(unfitted("PC of 2.2 GHz, 32/33: transmit, 64 B", 640'000,
                            rate(observe(small).ports[0].sent), "frames/s",
                            "bound by the processor, says who measured"));
  Experiment large = small;
  large.work.size = 1518;
  constexpr double kPayload = 1460 * 8 / 1e6;  // Mbit in a frame
  const double typical = rate(observe(large).ports[0].sent) * kPayload;
  points.push_back(unfitted("behind an Intel 82801, 32/33: TCP", 640, typical, "Mbit/s",
                            "a disk was behind it; another maker's card"));
  points.push_back(unfitted("desktops, 32/33: TCP, 500 to 700", 700, typical, "Mbit/s",
                            "their bridges cut bursts: see next"));
  large.use_host("vt8233");
  points.push_back(unfitted("ditto, with a bridge that cuts bursts at 96 bytes", 700,
                            rate(observe(large).ports[0].sent) * kPayload, "Mbit/s",
                            "one of the slow ones"));
}

}  // namespace

std::vector<Point> host_points() {
  std::vector<Point> points;
  const auto us = [&](const char* what, double expected, const Dma& dma) {
    points.push_back(fitted(what, expected, microseconds(dma), "us"));
  };
  us("p660: transmit, 1514 B at ..0A8h", 14.108, {"64/33", "p660", false, 0x100A8, 1514});
  us("p660: transmit, 1514 B, aligned", 12.69, {"64/33", "p660", false, 0x10000, 1514});
  us("p660: receive, 1514 B at ..012h", 6.496, {"64/33", "p660", true, 0x10012, 1518});
  const auto rate_of = [&](const char* host, const char* bus, bool write, double expected) {
    points.push_back(fitted(std::string(host) + ": " + (write ? "writes" : "reads") + " of 4 KiB",
                            expected, mb_per_s({bus, host, write}), "MB/s"));
  };
  rate_of("vt8233", "32/33", true, 72);
  rate_of("amd8131", "64/133x", false, 936);
  rate_of("amd8131", "64/133x", true, 1032);
  rate_of("gc-sl", "64/133x", false, 856);
  rate_of("gc-sl", "64/133x", true, 1044);
  rate_of("rx2000", "64/133x", false, 784);
  rate_of("rx2000", "64/133x", true, 1044);
  return points;
}

std::vector<Point> unfitted_points(Extent extent) {
  std::vector<Point> points;
  add_motherboards(points);
  add_bridges(points);
  if (extent == Extent::kAll) add_cards(points);
  return points;
}

Rows host_table() {
  Rows rows{{"`--host`", "what", "figures"}};
  for (const pci::HostProfile& host : pci::host_profiles()) {
    const bool fitted = host.known_from == pci::HostSource::kFitted;
    rows.push_back({"`" + std::string(host.name) + "`", std::string(host.what),
                    (fitted ? "fitted: " : "assumed: ") + std::string(host.source)});
  }
  return rows;
}

}  // namespace e1000tlm::timing
