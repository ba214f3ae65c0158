#pragma once
/// What the tests of the pcap partner share: a capture, and a bench that replays it.

#include <string>
#include <vector>

#include <systemc>

#include "e1000tlm/link/capture/pcap_partner.h"
#include "e1000tlm/tlm/sc_time.h"
#include "testbenches/unit/link/capture/capture_fixture.h"
#include "testbenches/unit/link/link_fixture.h"

namespace e1000tlm::link::test {

/// hold_flush: the replay starts that long after readiness.
constexpr Time kFlush = us(10);

/// Three frames at 0, 5 and 20 us.
inline void save_three(const std::string& path) {
  Bytestream file = pcap_header();
  add_record(file, 1'000, 100, filled(60, 1));
  add_record(file, 1'000, 105, filled(1514, 2));
  add_record(file, 1'000, 120, filled(100, 3));
  file.save(path);
}

/// A replay, and the MAC that hears it.
class PcapBench {
 public:
  explicit PcapBench(const std::string& options)
      : cable("cable", {ns(0)}),
        partner("partner", cable.end(1), PartnerSpec::parse("pcap:" + options), kFlush),
        nic(cable.end(0)) {}

  /// Runs with the MAC ready from the start.
  void run_ready(Time span = ms(1'000)) {
    cable.end(0).set_ready(true);
    sc_core::sc_start(to_sc(span));
  }
  /// Times of the first bits after the start of the replay.
  std::vector<Time> times(Time start = kFlush) const {
    std::vector<Time> result;
    for (const Arrival& arrival : nic.received) result.push_back(arrival.first_bit - start);
    return result;
  }

  Cable cable;
  PcapPartner partner;
  TestNic nic;
};

}  // namespace e1000tlm::link::test
