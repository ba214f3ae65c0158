#pragma once
/// The M88E1011 copper PHY: management registers, autonegotiation, loopback, between MAC and cable.

#include <cstdint>
#include <optional>

#include <systemc>

#include <boost/circular_buffer.hpp>

#include "e1000tlm/phy/config.h"
#include "e1000tlm/phy/interfaces.h"
#include "e1000tlm/phy/register_file.h"

namespace e1000tlm::phy {

/// Frames that the PHY itself handled or lost; those on the wire are counted by the Cable.
struct PhyStatistics {
  std::uint64_t looped = 0;        ///< taken into PHY loopback
  std::uint64_t lost_no_link = 0;  ///< transmitted by the MAC without link
  std::uint64_t lost_loopback_full =
      0;                        ///< looped, but the MAC does not take them (see kLoopLimit)
  std::uint64_t discarded = 0;  ///< received and not taken when the receive path was cut
};

/// A PHY. Implements both interfaces itself: bind a MAC's ports to the module.
///
/// Link: autonegotiation, parallel detection or a forced mode; started by power-up, hardware and
/// soft reset, restart, link loss, change of power, end of power-down and of loopback, and a
/// partner's appearance (manual 11.1.1). All delays are those of PhyTiming. Not modelled:
/// collisions of a duplex mismatch (frames flow), the bursts of energy detection (the PHY
/// negotiates whenever a partner signals), software next pages, and what the pages behind registers
/// 29/30 do (they store).
class M88E1011 : public sc_core::sc_module, public MdioIf, public GmiiIf {
 public:
  /// Frames that wait in the loop at most; more are lost and counted.
  static constexpr std::size_t kLoopLimit = 16'384;

  /// Throws std::invalid_argument for an address or a delay out of range.
  explicit M88E1011(const sc_core::sc_module_name& name, PhyConfig config = {});

  /// Unbound: no cable.
  sc_core::sc_port<link::CableEndIf, 1, sc_core::SC_ZERO_OR_MORE_BOUND> cable;

  // --- MdioIf ---
  std::optional<std::uint16_t> mdio_read(unsigned phy_address, unsigned reg) override;
  bool mdio_write(unsigned phy_address, unsigned reg, std::uint16_t value) override;
  std::optional<std::uint16_t> mdio_peek(unsigned phy_address, unsigned reg) const override;
  bool interrupt() const override { return interrupt_; }
  const sc_core::sc_event* interrupt_event() const override { return &interrupt_event_; }

  // --- GmiiIf ---
  const LinkStatus& link() const override { return status_; }
  const sc_core::sc_event& link_event() const override { return link_event_; }
  Time transmit(link::FramePtr frame, Time earliest, std::size_t gap_bytes) override;
  Time busy_until() const override;
  const link::Arrival* next(Time now) override;
  link::Arrival take() override;
  const sc_core::sc_event& arrival_event() const override { return *arrival_event_; }
  void set_ready(bool ready) override;
  void hardware_reset(bool asserted) override;
  void set_power(PhyPower power) override;

  /// As at power-up: registers, link and loop start afresh; a reset pin that is held stays held.
  void power_on_reset();
  /// As given.
  const PhyConfig& config() const { return config_; }
  /// So far.
  const PhyStatistics& statistics() const { return statistics_; }
  /// For error injection: what GSTATUS' idle error count shows.
  void count_idle_errors(unsigned count) { registers_.count_idle_errors(count); }

 private:
  enum class State : std::uint8_t {
    kReset,
    kPowerDown,
    kLoopback,
    kSearching,     ///< nobody at the other end
    kEstablishing,  ///< autonegotiation or forced link under way
    kNothingCommon,
    kLinkUp,
  };

  SC_HAS_PROCESS(M88E1011);
  void end_of_elaboration() override;
  void start_of_simulation() override;
  void on_timer();
  void on_cable();

  bool answers(unsigned phy_address, unsigned reg) const;
  void start_link();
  void look_for_partner();
  void finish_link();
  bool impaired() const;
  void fall_silent(State state);
  void loop_back();
  void publish();
  /// Makes the interrupt pin follow the registers.
  void update_interrupt();
  void signal(std::optional<link::Abilities> abilities);
  void discard_received();
  void start_timer(Time delay);
  void stop_timer() {
    deadline_ = kTimeNever;
    timer_.cancel();
  }

  Time transmit_off_wire(link::FramePtr frame, Time earliest, std::size_t gap_bytes);
  link::Arrival take_looped();
  void loop_frame(link::FramePtr frame, Time first_bit, Time last_bit);

  const PhyConfig config_;
  RegisterFile registers_;
  PhyStatistics statistics_;
  State state_ = State::kReset;
  bool running_ = false;
  bool pin_reset_ = false;
  PhyPower power_ = PhyPower::kFull;

  // Link.
  link::CableEndIf* cable_ = nullptr;
  link::Abilities own_;                     // as signalled when the link was started
  std::optional<link::Abilities> partner_;  // with whom link is being or was established
  link::LinkMode mode_;
  std::optional<link::LinkMode> carrier_;  // as told to the cable
  bool joined_ = false;                    // the cable has been up since this end took link
  LinkStatus status_;
  sc_core::sc_event link_event_;
  bool interrupt_ = false;
  sc_core::sc_event interrupt_event_;
  sc_core::sc_event timer_;
  Time deadline_ = kTimeNever;

  // Data path: where frames go to and come from now; nullptr: not the wire.
  link::CableEndIf* sink_ = nullptr;
  link::CableEndIf* source_ = nullptr;
  link::Arrival delayed_;  // head of the cable's queue with this PHY's latency
  boost::circular_buffer<link::Arrival> loop_;
  Time off_wire_busy_ = -ms(1'000);  // no gap to keep before the first frame
  sc_core::sc_event own_arrival_event_;
  sc_core::sc_event* arrival_event_ = &own_arrival_event_;
};

}  // namespace e1000tlm::phy
