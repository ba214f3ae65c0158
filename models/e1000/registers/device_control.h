#pragma once
/// CTRL, CTRL_EXT and STATUS: resets, and the link as the MAC sees it (manual 13.4.1, 13.4.2, 14).

#include <cstdint>
#include <functional>
#include <optional>

#include <systemc>

#include "e1000tlm/e1000/core.h"

namespace e1000tlm::e1000 {

/// Who resets the blocks; the facade.
class ResetTarget {
 public:
  virtual ~ResetTarget() = default;
  /// CTRL.RST.
  virtual void software_reset() = 0;
  /// CTRL_EXT.EE_RST: only loads the EEPROM.
  virtual void reload_eeprom() = 0;
  /// CTRL was written: what STATUS shows may have changed.
  virtual void control_written() = 0;
  /// The MAC's view of the link has changed.
  virtual void link_changed() = 0;
};

class DeviceControl : public sc_core::sc_module {
 public:
  DeviceControl(const sc_core::sc_module_name& name, Core& core, ResetTarget& target,
                std::uint32_t strapped_status);

  /// After CTRL was changed by a reset.
  void reset();
  /// Manual 11.4: asleep, the PHY is off unless somebody needs the link, and slow if CTRL says so.
  void manage_phy_power(bool asleep, bool link_required);
  /// STATUS.TXOFF as the transmitter has it.
  void set_txoff_source(const std::function<bool()>& txoff) { txoff_ = txoff; }
  /// The level that CTRL drives software-definable pin 0 or 1 to (SDPn_DATA, SDPn_IODIR); nullopt:
  /// the pin is an input.
  std::optional<bool> software_pin(unsigned pin) const;
  bool resetting() const { return core_.now() < reset_done_; }

 private:
  std::uint32_t ctrl_view(std::uint32_t index, std::uint32_t stored) const;
  std::uint32_t ctrl_dup_view(std::uint32_t index, std::uint32_t stored) const;
  void ctrl_written(std::uint32_t index, std::uint32_t value);
  void ctrl_dup_written(std::uint32_t index, std::uint32_t value);
  void ctrl_ext_written(std::uint32_t index, std::uint32_t value);
  std::uint32_t status_view(std::uint32_t index, std::uint32_t stored) const;
  std::uint32_t pba_view(std::uint32_t index, std::uint32_t stored) const;

  /// SC_METHOD: the PHY has news.
  void link_event();
  /// SC_METHOD: the PHY's interrupt pin has changed.
  void phy_interrupt();
  void evaluate_link();
  void end_of_elaboration() override;

  Core& core_;
  ResetTarget& target_;
  std::uint32_t strapped_status_;
  std::function<bool()> txoff_;
  bool phy_in_reset_ = false;
  bool phy_interrupt_ = false;  // asserted, and let through
  phy::PhyPower phy_power_ = phy::PhyPower::kFull;
  phy::LinkStatus last_link_{};
  Time reset_done_ = kTimeZero;
  /// Nobody waits for it; it says that something is going to happen to whoever steps time.
  sc_core::sc_event reset_event_;
};

}  // namespace e1000tlm::e1000
