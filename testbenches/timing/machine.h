#pragma once
/// A board for timing measurements, its run in a child process, and what was seen.

#include <cstdint>
#include <string>
#include <vector>

#include "e1000tlm/e1000/parts.h"
#include "e1000tlm/e1000/timing.h"
#include "e1000tlm/pci/timing.h"
#include "e1000tlm/tlm/time.h"
#include "testbenches/timing/workload.h"

namespace e1000tlm::timing {

/// One measurement: machine, traffic, and the span of time that is looked at.
struct Experiment {
  std::string bus = "32/33";  ///< see pci::find_bus_speed
  pci::ArbiterTiming arbiter{};
  pci::TargetTiming host{};
  unsigned nics = 1;
  e1000::Part part = e1000::Part::k82545em;
  e1000::ControllerTiming silicon{};
  std::string far = "station";  ///< --link of each adapter
  WorkloadSettings work{};
  Time quantum{};             ///< 0: approximately timed
  Time warm_up = ms(2);       ///< after software is ready
  Time window = ms(2);        ///< what happens in it is noted
  bool want_tenures = false;  ///< note bus tenures, from readiness on

  /// Arbiter and bridge of that name, see pci::find_host_timing; set `bus` before.
  void use_host(const std::string& name);
};

struct Tenure {
  unsigned master;  ///< see pci::TenureEvent
  bool write;
  std::uint32_t bytes;
  std::uint64_t clocks;  ///< from request to idle clock
  Time end;              ///< counted from readiness
};

/// Of one adapter, within the window. Times are counted from readiness.
struct PortTrace {
  std::vector<Time> sent;        ///< first bit leaves the adapter
  std::vector<Time> heard;       ///< the same bits, at the far end
  std::vector<Time> arrived;     ///< last bit comes in
  std::vector<Time> stored;      ///< its last descriptor is filled
  std::vector<Time> delays;      ///< from arrived to software; empty if frames were lost
  std::vector<Time> interrupts;  ///< rising edges
  std::uint64_t lost = 0;        ///< dropped for lack of room, since power-up
};

struct Trace {
  std::vector<PortTrace> ports;
  std::vector<Tenure> tenures;
  double bus_busy = 0;  ///< share of the window
};

/// Runs it in a child process. Throws std::runtime_error.
Trace observe(const Experiment& setup);

/// Events a second: their number less one by the time from first to last; 0 for fewer than two.
double rate(const std::vector<Time>& times);

}  // namespace e1000tlm::timing
