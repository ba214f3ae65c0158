#include "testbenches/timing/sweeps.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "testbenches/timing/arithmetic.h"

namespace e1000tlm::timing {
namespace {

constexpr unsigned kSizes[] = {64, 128, 256, 512, 768, 1024, 1280, 1518};

/// What the arithmetic leaves out are the driver's register accesses and the window's edges.
constexpr double kNear = 0.03;
constexpr double kNearDelay = 0.1;

void predict(Report& report, const std::string& what, double expected, double measured,
             const char* unit = "frames/s", double tolerance = kNear) {
  report.predict({what, expected, measured, unit, Kind::kPredicted, tolerance, "arithmetic"});
}

std::string kilo(double frames) { return number(frames / 1000, 1); }
std::string mbit(double frames, unsigned size) { return number(frames * size * 8 / 1e6, 0); }

enum class Direction : unsigned char { kTransmit, kReceive, kBoth };
constexpr const char* kDirections[] = {"transmit", "receive", "both"};

Experiment traffic(const BusNumbers& bus, Direction direction, unsigned size) {
  Experiment setup;
  setup.bus = bus.name;
  setup.work.transmit = direction != Direction::kReceive;
  setup.work.receive = direction != Direction::kTransmit;
  setup.work.size = size;
  if (setup.work.receive) setup.far = "station:gap=12,size=" + std::to_string(size);
  // The packet buffers must be full (or empty) before the window begins.
  setup.warm_up = ms(4);
  setup.window = ms(3);
  return setup;
}

/// Latency timer that the driver programs, as PC firmware does.
constexpr unsigned kLatencyTimer = 64;

double bus_limit(const BusNumbers& bus, Direction direction, unsigned size) {
  // In one direction accesses follow each other; of two directions one's hide the other's
  // arbitration.
  const auto alone = [&](bool write, std::uint32_t bytes) {
    return access_clocks(bus, kTypical, write, bytes);
  };
  const auto contended = [&](bool write, std::uint32_t bytes) {
    return busy_clocks(bus, kTypical, write, bytes, 0);
  };
  switch (direction) {
    case Direction::kTransmit: return per_second(transmit_clocks(alone, size), bus);
    case Direction::kReceive: return per_second(receive_clocks(alone, size), bus);
    case Direction::kBoth: break;
  }
  return per_second(transmit_clocks(contended, size) + receive_clocks(contended, size), bus);
}

/// Bus or line, whichever is slower.
double limit(const BusNumbers& bus, Direction direction, unsigned size) {
  return std::min(bus_limit(bus, direction, size), line_rate(size));
}

struct Moderated {
  double wait = 0;        ///< us, mean
  double interrupts = 0;  ///< a second
};

/// What a timer of `interval` does to frames `spacing` apart, when a frame without timers is with
/// software after `base` (all us).
Moderated moderated(const std::string& timer, double interval, double spacing, double base) {
  // Shorter than the frames' distance ITR never holds one back; else they come at any phase, and
  // some of those that come while software is at work do not wait.
  if (timer == "ITR") {
    if (interval < spacing) return {0, 1e6 / spacing};
    const double waiting = interval - base / 2;
    return {waiting * waiting / (2 * interval), 1e6 / interval};
  }
  if (timer == "RDTR") return {interval, 1e6 / spacing};
  // RADV runs from the first frame of a batch; all that come until it ends are served together.
  const double more = std::floor(interval / spacing);
  return {interval - spacing * more / 2, 1e6 / ((more + 1) * spacing)};
}

struct Delay {
  double mean = 0, most = 0;  // us
};

Delay delay(const PortTrace& port) {
  Delay d;
  for (const Time t : port.delays) {
    const double us = static_cast<double>(t.count()) / 1e6;
    d.mean += us / static_cast<double>(port.delays.size());
    d.most = std::max(d.most, us);
  }
  return d;
}

}  // namespace

void throughput(Report& report, Extent extent) {
  Rows all{{"bus", "direction", "size", "frames_per_s", "expected_frames_per_s",
            "line_frames_per_s", "transmit_mbit", "receive_mbit", "bus_busy"}};
  Rows shown{{"k frames/s (expected)"}};
  for (const unsigned size : kSizes) shown[0].push_back(std::to_string(size) + " B");
  for (const BusNumbers& bus : kBuses) {
    if (extent == Extent::kSmoke && bus.name != "64/66") continue;
    for (const Direction direction :
         {Direction::kTransmit, Direction::kReceive, Direction::kBoth}) {
      shown.push_back({std::string(bus.name) + " " + kDirections[static_cast<int>(direction)]});
      for (const unsigned size : kSizes) {
        if (extent == Extent::kSmoke && size != 64) continue;
        const Trace trace = observe(traffic(bus, direction, size));
        const double out = rate(trace.ports[0].sent), in = rate(trace.ports[0].stored);
        const double frames = direction == Direction::kTransmit  ? out
                              : direction == Direction::kReceive ? in
                                                                 : (out + in) / 2;
        const double expected = limit(bus, direction, size);
        predict(report, shown.back()[0] + ", " + std::to_string(size) + " B", expected, frames);
        shown.back().push_back(kilo(frames) + " (" + kilo(expected) + ")");
        all.push_back({std::string(bus.name), kDirections[static_cast<int>(direction)],
                       std::to_string(size), number(frames), number(expected),
                       number(line_rate(size)), mbit(out, size), mbit(in, size),
                       number(trace.bus_busy, 4)});
      }
    }
  }
  report.sweep("throughput", "Throughput by frame size (both: the mean of the two directions)",
               shown, all);
}

void moderation(Report& report, Extent extent) {
  Rows rows{{"timer", "setting", "timer us", "frames/s", "mean us", "expected", "worst us",
             "interrupts/s", "expected"}};
  double base = 0;  // us: without any timer; the first run finds it
  const auto run = [&](const std::string& timer, unsigned setting, double interval, unsigned gap,
                       const driver::NicSettings& nic) {
    Experiment setup;
    setup.bus = "64/66";
    setup.far = "station:size=512,gap=" + std::to_string(gap);
    setup.work.receive = true;
    setup.work.polling = false;
    setup.work.nic = nic;
    setup.window = ms(20);
    const Trace trace = observe(setup);
    const Delay d = delay(trace.ports[0]);
    if (base == 0) base = d.mean;
    const double frames = line_rate(512, gap);
    const Moderated expected = moderated(timer, interval, 1e6 / frames, base);
    const double interrupts = rate(trace.ports[0].interrupts);
    rows.push_back({timer, std::to_string(setting), number(interval, 1), number(frames),
                    number(d.mean, 1), number(expected.wait + base, 1), number(d.most, 1),
                    number(interrupts), number(expected.interrupts)});
    const std::string what =
        timer + " " + std::to_string(setting) + ", " + number(frames) + " frames/s";
    predict(report, what + ": mean delay", expected.wait + base, d.mean, "us", kNearDelay);
    predict(report, what, expected.interrupts, interrupts, "interrupts/s");
  };
  driver::NicSettings none;
  none.interrupt_rate = none.radv = 0;
  constexpr unsigned kBusy = 2000, kSparse = 20'000;  // 49,600 and 6,100 frames a second
  const bool smoke = extent == Extent::kSmoke;
  for (const unsigned per_second : {0U, 2000U, 4000U, 8000U, 16'000U, 32'000U, 64'000U}) {
    if (smoke && per_second != 8000) continue;
    for (const unsigned gap : {kSparse, kBusy, 12U}) {
      driver::NicSettings nic = none;
      nic.interrupt_rate = per_second;
      const unsigned units = per_second == 0 ? 0 : 1'000'000'000 / (per_second * 256);
      run("ITR", units, units * 0.256, gap, nic);
    }
  }
  if (smoke) return report.sweep("moderation", "Interrupt moderation", rows);
  for (const unsigned rdtr : {0U, 4U, 8U, 16U, 32U, 64U, 128U}) {
    driver::NicSettings nic = none;
    nic.rdtr = static_cast<std::uint16_t>(rdtr);
    run("RDTR", rdtr, rdtr * 1.024, kSparse, nic);
  }
  for (const unsigned radv : {8U, 16U, 32U, 64U, 128U, 256U}) {
    driver::NicSettings nic = none;
    nic.rdtr = 64;
    nic.radv = static_cast<std::uint16_t>(radv);
    run("RADV", radv, radv * 1.024, kBusy, nic);
  }
  report.sweep("moderation", "Interrupt moderation: last bit on the wire to software (512 B)",
               rows);
}

void ring_sizes(Report& report, Extent extent) {
  constexpr unsigned kSize = 64;
  const Time poll = ms(1);
  Rows rows{{"descriptors", "k frames/s", "expected", "lost %"}};
  for (const unsigned ring : {16U, 32U, 64U, 128U, 256U, 512U, 1024U, 2048U, 4096U}) {
    if (extent == Extent::kSmoke && ring != 256) continue;
    Experiment setup = traffic(kBuses[3], Direction::kReceive, kSize);
    setup.work.nic.rx_descriptors = ring;
    setup.work.poll = poll;
    setup.warm_up = ms(5);
    setup.window = ms(10);
    const Trace trace = observe(setup);
    const double seconds = 0.01;
    const double in = static_cast<double>(trace.ports[0].stored.size()) / seconds;
    const double offered = static_cast<double>(trace.ports[0].arrived.size()) / seconds;
    const double expected = std::min((ring - 1) * 1000.0, line_rate(kSize));
    rows.push_back({std::to_string(ring), kilo(in), kilo(expected),
                    number(std::max(0.0, 1 - in / offered) * 100, 1)});
    predict(report, "ring of " + std::to_string(ring), expected, in);
  }
  report.sweep("rings",
               "Receive ring and a poller that looks each millisecond (64 B at line rate, 64/66)",
               rows);
}

void shared_bus(Report& report, Extent extent) {
  Rows rows{{"bus", "size", "one, k frames/s", "two, each", "two, together", "expected together"}};
  for (const std::size_t index : {0U, 1U, 3U}) {
    const BusNumbers& bus = kBuses[index];
    for (const unsigned size : kSizes) {
      if (extent == Extent::kSmoke && (index != 0 || size != 1518)) continue;
      Experiment setup = traffic(bus, Direction::kTransmit, size);
      const double one = rate(observe(setup).ports[0].sent);
      setup.nics = 2;
      const Trace trace = observe(setup);
      const double a = rate(trace.ports[0].sent), b = rate(trace.ports[1].sent);
      const auto contended = [&](bool write, std::uint32_t bytes) {
        return busy_clocks(bus, kTypical, write, bytes, kLatencyTimer);
      };
      const double expected =
          std::min(per_second(transmit_clocks(contended, size), bus), 2 * line_rate(size));
      predict(
          report,
          "two adapters on " + std::string(bus.name) + ", " + std::to_string(size) + " B, together",
          expected, a + b);
      rows.push_back({std::string(bus.name), std::to_string(size), kilo(one),
                      kilo(a) + " / " + kilo(b), kilo(a + b), kilo(expected)});
    }
  }
  report.sweep("shared", "Two adapters transmit on one bus", rows);
}

void four_ports(Report& report, Extent extent) {
  // HP, "Performance and Recommended Use of AB545A 4-Port Gigabit Ethernet Cards": figure 6.
  constexpr double kPublished[] = {1890, 3203, 3767, 4012};
  constexpr double kPayload = 1460 * 8 / 1e6;  // Mbit of TCP in a frame
  Rows rows{{"ports", "wire allows, Mbit/s", "HP", "model, typical", "model, slow"}};
  for (unsigned ports = 1; ports <= 4; ++ports) {
    if (extent == Extent::kSmoke && ports != 1) continue;
    std::vector<std::string> row{std::to_string(ports),
                                 number(ports * 2 * line_rate(1518) * kPayload),
                                 number(kPublished[ports - 1])};
    for (const char* host : {"typical", "slow"}) {
      Experiment setup = traffic(kBuses[6], Direction::kBoth, 1518);
      setup.use_host(host);
      setup.nics = ports;
      double frames = 0;
      for (const PortTrace& port : observe(setup).ports) {
        frames += rate(port.sent) + rate(port.stored);
      }
      row.push_back(number(frames * kPayload));
    }
    rows.push_back(row);
  }
  report.sweep("four_ports",
               "Ports on PCI-X 64/133, both directions, 1518 B, in Mbit/s of TCP payload", rows);
}

void disconnects(Report& report, Extent extent) {
  Rows rows{{"bus", "bytes", "k frames/s", "expected", "Mbit/s"}};
  constexpr unsigned kSize = 1518;
  for (const std::size_t index : {0U, 3U}) {
    const BusNumbers& bus = kBuses[index];
    for (const unsigned bytes : {16U, 32U, 64U, 128U, 256U, 512U, 1024U, 4096U, 0U}) {
      if (extent == Extent::kSmoke && (index != 0 || bytes != 64)) continue;
      Experiment setup = traffic(bus, Direction::kTransmit, kSize);
      setup.host.disconnect_bytes = bytes;
      const double out = rate(observe(setup).ports[0].sent);
      TargetNumbers target = kTypical;
      target.disconnect = bytes;
      const auto alone = [&](bool write, std::uint32_t burst) {
        return access_clocks(bus, target, write, burst);
      };
      const double expected =
          std::min(per_second(transmit_clocks(alone, kSize), bus), line_rate(kSize));
      predict(report, std::string(bus.name) + ", disconnect each " + std::to_string(bytes) + " B",
              expected, out);
      rows.push_back({std::string(bus.name), bytes == 0 ? "never" : std::to_string(bytes),
                      kilo(out), kilo(expected), mbit(out, kSize)});
    }
  }
  report.sweep("disconnects", "Target disconnects (1518 B transmitted)", rows);
}

}  // namespace e1000tlm::timing
