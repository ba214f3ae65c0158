#pragma once
/// What a run came to: plain data, as text, as JSON. No SystemC.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "e1000tlm/driver/ping_result.h"
#include "e1000tlm/driver/self_test_result.h"
#include "e1000tlm/report/guest_counters.h"
#include "e1000tlm/tlm/time.h"
#include "e1000tlm/traffic/histogram.h"

namespace e1000tlm::platform {

/// A distribution of times.
struct LatencySummary {
  /// How many.
  std::uint64_t samples = 0;
  /// Least.
  Time min{};
  /// Mean.
  Time mean{};
  /// Median; percentiles are at most 1/64 too high.
  Time p50{};
  /// 90 %.
  Time p90{};
  /// 99 %.
  Time p99{};
  /// 99.9 %.
  Time p999{};
  /// Most.
  Time max{};

  /// From a histogram of picoseconds.
  static LatencySummary of(const traffic::Histogram& histogram);
};

/// Frames one way.
struct FlowCount {
  /// How many.
  std::uint64_t frames = 0;
  std::uint64_t bytes = 0;  ///< without FCS
};

/// One LED of a card.
struct LedSummary {
  std::string shows;  ///< "link up", "activity" ...
  std::string light;  ///< "off", "on", "blinking"
};

/// One pair of queues of a virtio device.
struct QueuePairSummary {
  /// Stored in buffers of its receive queue.
  FlowCount in;
  /// Sent from its transmit queue.
  FlowCount out;
  /// Of its receive queue.
  std::uint64_t receive_interrupts = 0;
  /// Of its transmit queue.
  std::uint64_t transmit_interrupts = 0;
};

/// What only a virtio device has.
struct VirtioSummary {
  std::string interface;              ///< "modern", "transitional"
  std::vector<std::string> status;    ///< bits of the device status: "DRIVER_OK" ...
  std::vector<std::string> features;  ///< that driver and device have agreed on: "CSUM" ...
  std::string data_plane;             ///< who works on the queues: "device", "back-end"
  unsigned active_pairs = 0;          ///< pairs of queues that the driver uses, from 0 on
  /// All pairs that the device has.
  std::vector<QueuePairSummary> pairs;
  std::string fault;  ///< why it needs a reset; empty: it does not
};

/// What had happened before the driver was ready; rates refer to what came after.
struct NicBaseline {
  /// As NicSummary has it.
  FlowCount wire_in;
  /// The same.
  FlowCount wire_out;
  /// The same.
  std::uint64_t interrupts = 0;
};

/// One adapter.
struct NicSummary {
  /// Chip.
  std::string part;
  /// Station address.
  std::string mac;
  /// The --link text.
  std::string link;
  /// At the end of the run.
  bool link_up = false;
  /// At the end of the run; 0 without link.
  unsigned mbit_per_second = 0;
  /// At the end of the run.
  bool full_duplex = false;
  std::string flow_control;  ///< "none", "rx", "tx", "both"
  /// On the cable, towards the NIC.
  FlowCount wire_in;
  /// On the cable, from the NIC; with PAUSE.
  FlowCount wire_out;
  /// Received by the driver.
  FlowCount driver_in;
  /// Sent by the driver and reported done.
  FlowCount driver_out;
  std::uint64_t mac_control_in = 0;  ///< PAUSE and the like, consumed by the NIC
  /// Assertions of the interrupt line.
  std::uint64_t interrupts = 0;
  NicBaseline before;                             ///< of the whole run's figures
  std::vector<LedSummary> leds;                   ///< at the end of the run
  std::optional<VirtioSummary> virtio;            ///< of a virtio device, at the end of the run
  std::map<std::string, std::uint64_t> lost;      ///< reason -> frames; only reasons that occurred
  std::map<std::string, std::uint64_t> filtered;  ///< as lost, but not meant for the driver
  std::uint64_t under_way = 0;  ///< came in and were not yet with the driver when the run ended
  std::optional<LatencySummary> transit;  ///< last bit in to first bit out
  /// With the application selftest.
  std::optional<driver::SelfTestResult> self_test;
  /// With the application ping.
  std::optional<driver::PingResult> ping;

  /// Frames that came in and of which is known what became of them.
  std::uint64_t accounted() const;
};

/// What one generator sent and its checkers found.
struct StreamSummary {
  /// Frames sent.
  std::uint64_t sent = 0;
  /// Of these, received intact, each counted once.
  std::uint64_t received = 0;
  /// Not received, for whatever reason.
  std::uint64_t lost = 0;
  /// Received out of order.
  std::uint64_t reordered = 0;
  /// Received again.
  std::uint64_t duplicates = 0;
  /// Received damaged.
  std::uint64_t corrupt = 0;
  /// Taken by a link that gives nothing back, such as null: not lost.
  std::uint64_t swallowed = 0;
  /// Not received, and not known to be lost, when the run ended.
  std::uint64_t under_way = 0;
  LatencySummary latency;  ///< sending software to receiving software
};

/// One port of a switch.
struct SwitchPortSummary {
  std::string to;                ///< "nic 0", or the text of what hangs there
  unsigned mbit_per_second = 0;  ///< 0: no link
  /// From what is connected.
  FlowCount in;
  /// To what is connected.
  FlowCount out;
  std::map<std::string, std::uint64_t> lost;      ///< as NicSummary::lost
  std::map<std::string, std::uint64_t> filtered;  ///< not to be passed on; not lost
  std::uint64_t under_way = 0;                    ///< coming in when the run ended
};

/// One switch.
struct SwitchSummary {
  /// As links name it.
  std::string name;
  /// It is a hub, which has no stations.
  bool repeats = false;
  /// Frames that went on to one port.
  std::uint64_t forwarded = 0;
  /// Frames that went on to all other ports.
  std::uint64_t flooded = 0;
  std::uint64_t stations = 0;  ///< known at the end
  /// Addresses entered.
  std::uint64_t learned = 0;
  /// Addresses found on another port.
  std::uint64_t moved = 0;
  /// Addresses removed for their age.
  std::uint64_t aged = 0;
  /// Addresses not entered for lack of room.
  std::uint64_t refused = 0;
  /// In the order in which they were plugged.
  std::vector<SwitchPortSummary> ports;
};

/// The bus, since the driver was ready; of several boards the mean of `busy`, else sums.
struct PciSummary {  // since the driver was ready; of several boards: mean of busy, else sums
  /// As given with --pci.
  std::string name;
  double busy = 0;  ///< share of the time; above 1 when loosely timed masters overlap
  /// Accesses.
  std::uint64_t accesses = 0;
  /// Bytes moved.
  std::uint64_t bytes = 0;
  /// Accesses that nobody claimed.
  std::uint64_t master_aborts = 0;
  double busiest = 0;  ///< busy, of the board where it is highest
  std::string host;    ///< as given with --host
};

/// What a virtual machine outside did with its adapter (--vfio-user, --uml).
struct GuestSummary {
  /// Which adapter.
  unsigned nic = 0;
  /// Its door's.
  GuestCounters counters;
};

/// What a run came to.
struct RunSummary {
  /// Of e1000-tlm.
  std::string version;
  /// The application, "qtest", "vfio-user" or "uml".
  std::string app;
  /// As given.
  std::uint64_t seed = 1;
  /// 0: approximately timed.
  Time quantum{};
  Time simulated{};  ///< the whole run
  Time active{};     ///< from the moment the driver was ready
  /// The simulation took so long.
  double wall_seconds = 0;
  /// It kept to the wall clock.
  bool paced = false;
  /// How far it was behind it at most.
  Time worst_lag{};
  /// How often it was so far behind that it gave catching up up.
  std::uint64_t lags_given_up = 0;
  /// Simulated seconds in a second of the wall clock, as asked for.
  double pace = 1;
  /// Board after board.
  std::vector<NicSummary> nics;
  /// One for each adapter that generates.
  std::vector<StreamSummary> streams;
  /// By name.
  std::vector<SwitchSummary> switches;
  /// By adapter; empty without --vfio-user and --uml.
  std::vector<GuestSummary> guests;
  /// Equal machines.
  unsigned boards = 1;
  /// Their buses.
  PciSummary pci;
  std::string ended_by;               ///< see doc/json.md
  int signal = 0;                     ///< that ended it; 0: none did
  std::vector<std::string> warnings;  ///< what to know although it worked, a sentence each
  std::vector<std::string> failures;  ///< empty: fine

  /// Frames of adapters and switches that did not go where they should have, or were not meant to.
  std::uint64_t losses() const;
};

/// "SIGINT" and the like.
std::string signal_name(int signal);

/// For people: about twenty lines, ends with a newline.
std::string to_text(const RunSummary& summary);
/// For programs: stable keys, see doc/json.md. Two spaces of indentation, ends with a newline.
std::string to_json(const RunSummary& summary);

}  // namespace e1000tlm::platform
