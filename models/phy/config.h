#pragma once
/// What an integrator may choose about a PHY. No SystemC.

#include <cstdint>

#include "e1000tlm/tlm/time.h"

namespace e1000tlm::phy {

/// PHYID2 of the M88E1011 in 82540, 82545 and 82546: model 2, revision 4. Drivers compare bits 15:4
/// and treat revisions below 4 as early silicon with work-arounds. 82544: 0C3xh, 82543: 0C5xh.
inline constexpr std::uint16_t kM88E1011Id2 = 0x0C24;

/// The PHY's delays; each 0 to 1000 s.
struct PhyTiming {
  /// From the start of autonegotiation (or the appearance of a partner) to link. Silicon needs 2 to
  /// 3 s, IEEE 802.3 clauses 28 and 40 at least about 1.5 s (break_link_timer 1.2 s and the page
  /// exchange). The default is what guests of virtual platforms are used to; below 0.4 s the link
  /// change falls into the window in which Linux's interrupt self-test wants silence.
  Time autonegotiation = ms(500);
  /// From forcing a speed to link. Assumed; silicon takes tens to hundreds of milliseconds.
  Time forced_link = ms(10);
  /// From the partner's silence to link loss: deassertion of signal detect in 100BASE-TX takes at
  /// most 350 us (ANSI X3.263 TP-PMD 10.1.2). Assumed for the other speeds too, where IEEE 802.3
  /// has 50 to 150 ms (10BASE-T, 14.2.1.7) and at most 750 ms (1000BASE-T maxwait_timer, 40.4.5.2).
  Time link_loss_detect = us(350);
  /// GMII to medium and medium to GMII. Assumed 0: the MAC's own latencies are given from GMII to
  /// host. IEEE 802.3 40.11 allows 1000BASE-T at most 84 ns and 244 ns.
  Time tx_latency{};
  /// The same for receiving.
  Time rx_latency{};
  /// Extra turn-around of a frame in PHY loopback, on top of both latencies. Assumed.
  Time loopback_latency = ns(100);
};

/// What a PHY is.
struct PhyConfig {
  unsigned address = 1;  ///< on the management bus, 0 to 31; 1 in every 8254x with built-in PHY
  /// Register 3.
  std::uint16_t id2 = kM88E1011Id2;
  /// Its delays.
  PhyTiming timing;
};

/// Throws std::invalid_argument naming the value out of range.
void validate(const PhyConfig& config);

}  // namespace e1000tlm::phy
