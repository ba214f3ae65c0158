#pragma once
/// A learning Ethernet switch (IEEE 802.1D without spanning tree).

#include <cstdint>
#include <memory>
#include <vector>

#include <systemc>

#include "e1000tlm/link/cable.h"
#include "e1000tlm/link/partner.h"
#include "e1000tlm/link/switch/switch_config.h"
#include "e1000tlm/link/switch/switch_port.h"
#include "e1000tlm/link/switch/switch_table.h"
#include "e1000tlm/tlm/time.h"

namespace e1000tlm::link {

/// What a switch has counted; its ports count what they lose.
struct SwitchStatistics {
  std::uint64_t forwarded = 0;  ///< frames sent on to the one port that leads to their destination
  std::uint64_t flooded = 0;    ///< frames sent on to all other ports
};

/// Store and forward. A frame is looked at when its last bit has arrived: damaged frames and those
/// of impossible length are dropped, the source address is learned, and the frame goes to the port
/// of its destination, or to all other ports if that is not known or a group. It starts there
/// `latency` later, or when that port's wire is free. What finds the port's queue full is dropped.
/// Addresses 01-80-C2-00-00-00 to -0F (PAUSE, spanning tree and so on) are not forwarded (802.1D
/// table 7-10). Not modelled: VLANs, spanning tree (so there must be no loop), PAUSE towards
/// stations, collisions of half duplex. PAUSE of stations is obeyed where it was agreed on.
///
/// Frames are shared and not copied, also by all ports that a flooded one goes to. That is allowed
/// as no receiver changes a frame's content.
///
/// Frames carry their times, and the switch needs no event for each. It looks at them in the order
/// of their last bits, up to where no earlier one can turn up any more:
/// - quantum 0: a frame that is not known now cannot end sooner than the shortest frame takes on
///   the wire. So the order is exact, and one activation serves all frames that end within that
///   time and `latency`.
/// - quantum > 0: it looks a quantum ahead. A frame that turns up later than one that ends after it
///   goes out after it: at most a quantum late.
/// Frames that end at the same time come in the order of their ports.
///
/// With SwitchConfig::repeats it is a hub: see there. All frames go to all other ports, each
/// starting `latency` after it started to come in (or so much later that a faster port does not run
/// ahead of a slower one). It looks at them when they start, so that their order is exact also with
/// a quantum. Its ports are full duplex and have queues: nothing collides.
class Switch : public sc_core::sc_module {
 public:
  /// Ports that plug() makes at most.
  static constexpr unsigned kMostPorts = 4096;

  /// When a port tells its partner that frames will be stored (see CableEndIf::set_ready): as soon
  /// as any station on another port stores frames, or when all do.
  enum class Readiness : std::uint8_t { kAny, kAll };

  /// Ports are added by plug().
  explicit Switch(const sc_core::sc_module_name& name, const SwitchConfig& config = {},
                  Readiness readiness = Readiness::kAll);
  ~Switch() override;

  /// Makes a port of one end of a cable; `spec` holds the options common to all partners. The
  /// switch must outlive its ports. Before simulation starts. Throws std::invalid_argument for an
  /// option, std::length_error when there are kMostPorts.
  std::unique_ptr<SwitchPort> plug(const sc_core::sc_module_name& name, CableEndIf& end,
                                   const PartnerSpec& spec = {});

  /// As given.
  const SwitchConfig& config() const { return config_; }
  /// In the order of plug().
  const std::vector<SwitchPort*>& ports() const { return ports_; }
  /// So far.
  const SwitchStatistics& statistics() const { return statistics_; }
  /// The addresses that it knows.
  const StationTable& table() const { return table_; }
  /// No frame waits to be looked at.
  bool idle() const { return order_.empty(); }
  /// When the next one is in; kTimeNever.
  Time next_due() const { return order_.empty() ? kTimeNever : order_.front().at; }

 private:
  friend class SwitchPort;

  /// A port with frames to look at; the first of them ends at `at`.
  struct Head {
    Time at;
    unsigned port;
    bool before(const Head& other) const {
      return at != other.at ? at < other.at : port < other.port;
    }
  };

  void start_of_simulation() override;
  // From the ports.
  void frame_waits(unsigned port, Time at);
  void frames_lost();
  void link_lost(unsigned port) { table_.forget(port); }
  bool stations_ready(const SwitchPort& except) const;
  void tell_readiness();

  void forward();
  void relay(SwitchPort& from, Pending frame);
  void flood(SwitchPort& from, const Pending& frame);
  void repeat(SwitchPort& from, const Pending& frame);
  /// When it starts on a free wire.
  Time start_of(const Pending& frame) const { return frame.last_bit + config_.latency; }
  void plan(Time at);
  void sift_down();

  SwitchConfig config_;
  Readiness readiness_;
  StationTable table_;
  SwitchStatistics statistics_;
  std::vector<SwitchPort*> ports_;
  std::vector<Head> order_;  // binary heap, the earliest first
  Time lookahead_{};
  sc_core::sc_event due_;
  Time planned_ = kTimeNever;  // when due_ comes
};

}  // namespace e1000tlm::link
