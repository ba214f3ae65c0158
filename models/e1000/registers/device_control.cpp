#include "e1000tlm/e1000/registers/device_control.h"

#include "e1000tlm/tlm/sc_time.h"

namespace e1000tlm::e1000 {

DeviceControl::DeviceControl(const sc_core::sc_module_name& name, Core& core, ResetTarget& target,
                             std::uint32_t strapped_status)
    : sc_module(name), core_(core), target_(target), strapped_status_(strapped_status) {
  RegisterBank& bank = core_.bank;
  bank.on_view<&DeviceControl::ctrl_view>(reg::kCtrl, this);
  bank.on_write<&DeviceControl::ctrl_written>(reg::kCtrl, this);
  bank.on_view<&DeviceControl::ctrl_dup_view>(reg::kCtrlDup, this);
  bank.on_write<&DeviceControl::ctrl_dup_written>(reg::kCtrlDup, this);
  bank.on_write<&DeviceControl::ctrl_ext_written>(reg::kCtrlExt, this);
  bank.on_view<&DeviceControl::status_view>(reg::kStatus, this);
  bank.on_view<&DeviceControl::pba_view>(reg::kPba, this);
}

void DeviceControl::end_of_elaboration() {
  sc_core::sc_spawn_options options;
  options.spawn_method();
  options.dont_initialize();
  options.set_sensitivity(&core_.gmii->link_event());
  sc_core::sc_spawn([this] { link_event(); }, "link", &options);
  const sc_core::sc_event* interrupt = core_.mdio->interrupt_event();
  if (interrupt == nullptr) return;
  sc_core::sc_spawn_options on_interrupt;
  on_interrupt.spawn_method();
  on_interrupt.dont_initialize();
  on_interrupt.set_sensitivity(interrupt);
  sc_core::sc_spawn([this] { phy_interrupt(); }, "phy_interrupt", &on_interrupt);
}

/// RST shows for the microsecond that a reset takes; software-definable pins that are inputs show
/// 0, as nothing drives them.
std::uint32_t DeviceControl::ctrl_view(std::uint32_t, std::uint32_t stored) const {
  const std::uint32_t outputs = stored >> ctrl::kSdpOutputShift;
  const std::uint32_t inputs = ctrl::kSdpData & ~outputs;
  return (stored & ~inputs) | (resetting() ? ctrl::kRst : 0);
}

std::uint32_t DeviceControl::ctrl_dup_view(std::uint32_t index, std::uint32_t) const {
  return ctrl_view(index, core_.bank[reg::kCtrl]);
}

/// TXA is what RXA leaves of the packet buffer's 64 KiB (manual 13.4.16).
std::uint32_t DeviceControl::pba_view(std::uint32_t, std::uint32_t stored) const {
  return split_packet_buffer(stored).transmit.bytes / 1024 << 16 | (stored & 0x7F);
}

void DeviceControl::ctrl_dup_written(std::uint32_t, std::uint32_t value) {
  core_.bank.write(reg::kCtrl, value);
}

void DeviceControl::ctrl_written(std::uint32_t, std::uint32_t value) {
  const bool phy_reset = (value & ctrl::kPhyRst) != 0;
  if (phy_reset != phy_in_reset_) {
    phy_in_reset_ = phy_reset;
    core_.gmii->hardware_reset(phy_reset);
  }
  // Both at once: the reset of the MAC, which clears PHY_RST, ends that of the PHY.
  if ((value & ctrl::kRst) != 0) {
    reset_done_ = core_.now() + core_.timing.software_reset;
    reset_event_.notify(to_sc(reset_done_ - sc_now()));
    target_.software_reset();
    return;
  }
  evaluate_link();
  target_.control_written();
}

std::optional<bool> DeviceControl::software_pin(unsigned pin) const {
  const std::uint32_t data = ctrl::kSdp0Data << pin;
  if (!core_.is_on(reg::kCtrl, data << ctrl::kSdpOutputShift)) return std::nullopt;
  return core_.is_on(reg::kCtrl, data);
}

void DeviceControl::ctrl_ext_written(std::uint32_t, std::uint32_t value) {
  phy_interrupt();
  if ((value & ctrl_ext::kEeRst) == 0) return;
  core_.bank[reg::kCtrlExt] &= ~ctrl_ext::kEeRst;
  target_.reload_eeprom();
  evaluate_link();
}

/// PHYINT is set when the PHY asserts its pin; it does again after software has read register 19
/// (manual 13.4.6, 13.4.17).
void DeviceControl::phy_interrupt() {
  const bool asserted = core_.mdio->interrupt() && core_.is_on(reg::kCtrlExt, ctrl_ext::kPhyintEn);
  if (asserted && !phy_interrupt_) core_.interrupts.set(cause::kPhyint);
  phy_interrupt_ = asserted;
}

void DeviceControl::reset() {
  phy_interrupt_ = false;
  if (phy_in_reset_) {
    phy_in_reset_ = false;
    core_.gmii->hardware_reset(false);
  }
  // The link as such has not changed: no LSC, which the reset would have cleared anyway.
  core_.link_up = core_.gmii->link().up && core_.is_on(reg::kCtrl, ctrl::kSlu);
}

void DeviceControl::manage_phy_power(bool asleep, bool link_required) {
  using phy::PhyPower;
  const phy::LinkStatus& link = core_.gmii->link();
  const bool fast = link.up && link.mode.speed == link::Speed::k1000;
  PhyPower power = PhyPower::kFull;
  if (asleep && !link_required) {
    power = PhyPower::kDown;
  } else if (asleep && core_.is_on(reg::kCtrl, ctrl::kEnPhyPwrMgmt) &&
             (fast || phy_power_ == PhyPower::kSlow)) {
    power = PhyPower::kSlow;
  }
  if (power == phy_power_) return;
  phy_power_ = power;
  core_.gmii->set_power(power);
}

void DeviceControl::link_event() {
  const phy::LinkStatus link = core_.gmii->link();
  const bool mode_changed = link.up && last_link_.up && !(link == last_link_);
  last_link_ = link;
  evaluate_link();
  if (mode_changed) target_.link_changed();
}

/// The PHY's link counts only while CTRL.SLU is set (rule LNK-3); every change sets LSC (LNK-5).
void DeviceControl::evaluate_link() {
  const bool up = core_.gmii->link().up && core_.is_on(reg::kCtrl, ctrl::kSlu);
  if (up == core_.link_up) return;
  core_.link_up = up;
  core_.interrupts.set(cause::kLsc);
  target_.link_changed();
}

std::uint32_t DeviceControl::status_view(std::uint32_t, std::uint32_t) const {
  const std::uint32_t ctrl = core_.bank[reg::kCtrl];
  const link::LinkMode& mode = core_.gmii->link().mode;
  std::uint32_t value = strapped_status_;
  const bool full = (ctrl & ctrl::kFrcdpx) != 0 ? (ctrl & ctrl::kFd) != 0 : mode.full_duplex;
  const auto sensed = static_cast<std::uint32_t>(mode.speed);
  const std::uint32_t speed =
      (ctrl & ctrl::kFrcspd) != 0 ? (ctrl & ctrl::kSpeedMask) >> ctrl::kSpeedShift : sensed;
  if (full) value |= status::kFd;
  value |= speed << status::kSpeedShift;
  if (core_.link_up) value |= status::kLu | (sensed << status::kAsdvShift);
  if (txoff_ && txoff_()) value |= status::kTxoff;
  return value;
}

}  // namespace e1000tlm::e1000
