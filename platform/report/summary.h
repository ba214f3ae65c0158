#pragma once
/// What a run came to: plain data, as text, as JSON. No SystemC.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "e1000tlm/driver/self_test_result.h"
#include "e1000tlm/tlm/time.h"
#include "e1000tlm/traffic/histogram.h"

namespace e1000tlm::platform {

struct LatencySummary {
  std::uint64_t samples = 0;
  Time min{}, mean{}, p50{}, p90{}, p99{}, p999{}, max{};

  /// From a histogram of picoseconds.
  static LatencySummary of(const traffic::Histogram& histogram);
};

struct FlowCount {
  std::uint64_t frames = 0;
  std::uint64_t bytes = 0;  ///< without FCS
};

struct LedSummary {
  std::string shows;  ///< "link up", "activity" ...
  std::string light;  ///< "off", "on", "blinking"
};

struct NicSummary {
  std::string part, mac, link;  ///< link: the --link text
  bool link_up = false;
  unsigned mbit_per_second = 0;
  bool full_duplex = false;
  std::string flow_control;     ///< "none", "rx", "tx", "both"
  FlowCount wire_in, wire_out;  ///< on the cable, towards the NIC and from it
  FlowCount driver_in, driver_out;
  std::uint64_t mac_control_in = 0;  ///< PAUSE and the like, consumed by the NIC
  std::uint64_t interrupts = 0;
  std::vector<LedSummary> leds;               ///< at the end of the run
  std::map<std::string, std::uint64_t> lost;  ///< reason -> frames; only reasons that occurred
  std::uint64_t under_way = 0;  ///< came in and were not yet with the driver when the run ended
  std::optional<LatencySummary> transit;  ///< last bit in to first bit out
  std::optional<driver::SelfTestResult> self_test;
};

struct StreamSummary {
  std::uint64_t sent = 0, received = 0, lost = 0, reordered = 0, duplicates = 0, corrupt = 0;
  LatencySummary latency;  ///< sending software to receiving software
};

struct SwitchPortSummary {
  std::string to;                             ///< "nic 0", or the text of what hangs there
  unsigned mbit_per_second = 0;               ///< 0: no link
  FlowCount in, out;                          ///< from and to what is connected
  std::map<std::string, std::uint64_t> lost;  ///< as NicSummary::lost
  std::uint64_t under_way = 0;                ///< coming in when the run ended
};

struct SwitchSummary {
  std::string name;
  std::uint64_t forwarded = 0, flooded = 0;  ///< frames that came in and went on to one, to all
  std::uint64_t stations = 0;                ///< known at the end
  std::uint64_t learned = 0, moved = 0, aged = 0, refused = 0;
  std::vector<SwitchPortSummary> ports;
};

struct PciSummary {  // since the driver was ready; of several boards: mean of busy, else sums
  std::string name;
  double busy = 0;  ///< share of the time; above 1 when loosely timed masters overlap
  std::uint64_t accesses = 0, bytes = 0, master_aborts = 0;
};

struct RunSummary {
  std::string version, app;
  std::uint64_t seed = 1;
  Time quantum{};
  Time simulated{};  ///< the whole run
  Time active{};     ///< from the moment the driver was ready
  double wall_seconds = 0;
  bool paced = false;
  Time worst_lag{};
  std::vector<NicSummary> nics;
  std::vector<StreamSummary> streams;
  std::vector<SwitchSummary> switches;
  unsigned boards = 1;
  PciSummary pci;
  std::string ended_by;               ///< see doc/json.md
  std::vector<std::string> warnings;  ///< what to know although it worked, a sentence each
  std::vector<std::string> failures;  ///< empty: fine
};

/// For people: about twenty lines, ends with a newline.
std::string to_text(const RunSummary& summary);
/// For programs: stable keys, see doc/json.md. Two spaces of indentation, ends with a newline.
std::string to_json(const RunSummary& summary);

}  // namespace e1000tlm::platform
