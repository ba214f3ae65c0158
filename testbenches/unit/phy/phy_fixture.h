#pragma once
/// A PHY on end 0 of a cable; the test plays the partner on end 1.

#include <cstdint>
#include <optional>
#include <vector>

#include <systemc>

#include "e1000tlm/link/cable.h"
#include "e1000tlm/phy/m88e1011.h"
#include "e1000tlm/tlm/sc_time.h"

namespace e1000tlm::phy::test {

inline constexpr link::LinkMode kGigabit{link::Speed::k1000, true};
inline constexpr link::LinkMode kFast{link::Speed::k100, true};

/// Notes when the link changed.
struct LinkWatch : sc_core::sc_module {
  LinkWatch(const sc_core::sc_module_name& name, M88E1011& watched)
      : sc_module(name), phy(watched) {
    SC_HAS_PROCESS(LinkWatch);
    SC_METHOD(note);
    sensitive << phy.link_event();
    dont_initialize();
  }
  void note() {
    times.push_back(sc_now());
    up.push_back(phy.link().up);
  }
  M88E1011& phy;
  std::vector<Time> times;
  std::vector<bool> up;
};

struct Bench {
  explicit Bench(const PhyConfig& config = {}) : phy("phy", config), watch("watch", phy) {
    phy.cable.bind(cable.end(0));
  }

  link::CableEndIf& partner() { return cable.end(1); }
  /// The partner signals, and has link in the mode that both resolve to.
  void partner_offers(const link::Abilities& abilities, std::optional<link::LinkMode> mode) {
    partner().advertise(abilities);
    partner().set_link(mode);
  }
  void gigabit_partner() { partner_offers(link::gigabit_abilities(), kGigabit); }
  void partner_silent() {
    partner().advertise(std::nullopt);
    partner().set_link(std::nullopt);
  }
  std::uint16_t read(unsigned number) { return phy.mdio_read(1, number).value(); }
  void write(unsigned number, unsigned value) {
    phy.mdio_write(1, number, static_cast<std::uint16_t>(value));
  }
  static void run(Time span) { sc_core::sc_start(to_sc(span)); }
  static void run_until(Time t) { run(t - sc_now()); }

  link::Cable cable{"cable"};
  M88E1011 phy;
  LinkWatch watch;
};

}  // namespace e1000tlm::phy::test
