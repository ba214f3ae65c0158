#pragma once
/// The contents of the PHY's registers and what reading and writing them does. No SystemC.

#include <array>
#include <cstdint>

#include "e1000tlm/link/wire.h"
#include "e1000tlm/phy/registers.h"

namespace e1000tlm::phy {

/// What the PHY has to do after a register write.
enum class Reaction : std::uint8_t {
  kNone,
  kRestartLink,  ///< soft reset, restart, end of power-down or of loopback
  kPowerDown,    ///< entered
  kLoopback,     ///< entered, or its mode may have changed
  kReconsider,   ///< isolation or forcing of link changed
};

/// Some bits are *staged*: they read back at once, but the PHY goes by their *acting* value, which
/// follows at the next link start (manual 11.1.3): soft reset, restart of autonegotiation, end of
/// power-down, link loss.
class RegisterFile {
 public:
  explicit RegisterFile(std::uint16_t id2 = kM88E1011Id2);

  void hardware_reset();
  /// Register 0 to 31 as a read would return it, without side effects.
  std::uint16_t peek(unsigned number) const;
  std::uint16_t read(unsigned number);
  Reaction write(unsigned number, std::uint16_t value);

  // --- configuration in force ---
  bool autonegotiation() const { return (acting_control() & control::kAutonegotiation) != 0; }
  bool loopback() const { return (value(reg::kControl) & control::kLoopback) != 0; }
  bool powered_down() const { return (value(reg::kControl) & control::kPowerDown) != 0; }
  bool isolated() const { return (value(reg::kControl) & control::kIsolate) != 0; }
  /// A cause in PINTS that PINTE lets through.
  bool interrupt() const {
    return (value(reg::kInterruptEnable) & value(reg::kInterruptStatus)) != 0;
  }
  /// PSCON.10: 10 and 100 Mb/s forced modes take the link for good without a partner.
  bool link_forced() const { return (value(reg::kSpecificControl) & specific::kForceLink) != 0; }
  /// Speed and duplex in PCTRL; the reserved speed code 11 counts as 1000 Mb/s.
  link::LinkMode forced_mode() const;
  /// What the PHY puts on the wire: the advertisement, or one forced mode.
  link::Abilities abilities() const;
  std::uint16_t acting_control() const { return state_.acting[0]; }
  std::uint16_t acting_specific_control() const { return state_.acting[1]; }

  // --- what happens on the wire ---
  /// The link starts afresh: staged bits act, status as without link and partner.
  void restart_link();
  void page_received(const link::Abilities& partner);
  void parallel_detection_fault();
  /// `partner`: none in forced modes and in loopback.
  void link_established(link::LinkMode mode, const link::Abilities* partner);
  /// PREC counts and sticks at FFFFh, GSTATUS' idle errors stick at FFh.
  void count_receive_error();
  void count_idle_errors(unsigned count);

 private:
  static constexpr unsigned kPages = 32;
  struct State {
    std::array<std::uint16_t, kRegisterCount> value{};
    std::array<std::uint16_t, kPages> window{};
    std::array<std::uint16_t, 2> acting{};  ///< PCTRL, PSCON
    bool link = false;                      ///< as of now, without PSTATUS' latch
    bool link_fell = false;                 ///< since PSTATUS was last read
    link::LinkMode last_mode{link::Speed::k10, false};
  };

  std::uint16_t value(unsigned number) const { return state_.value[number]; }
  void set(unsigned number, std::uint16_t bits) { state_.value[number] |= bits; }
  void clear(unsigned number, std::uint16_t bits) {
    state_.value[number] = static_cast<std::uint16_t>(state_.value[number] & ~bits);
  }
  std::size_t page() const { return value(reg::kPageSelect) % kPages; }
  std::uint16_t& cell(unsigned number);
  void soft_reset();
  void act();
  void link_lost();
  Reaction control_written(std::uint16_t before, std::uint16_t written);

  std::uint16_t id2_;
  State state_;
};

}  // namespace e1000tlm::phy
