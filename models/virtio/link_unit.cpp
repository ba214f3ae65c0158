#include "e1000tlm/virtio/link_unit.h"

#include <optional>

namespace e1000tlm::virtio {
namespace {

/// Nobody reads PAUSE frames here, so nobody is asked for them.
link::Abilities abilities() {
  link::Abilities all = link::gigabit_abilities();
  all.pause = false;
  return all;
}

}  // namespace

LinkUnit::LinkUnit(const sc_core::sc_module_name& name, NetCore& core)
    : sc_module(name), core_(core) {}

void LinkUnit::connect() {
  cable_up_ = false;
  sc_core::sc_spawn_options options;
  options.spawn_method();
  options.set_sensitivity(&core_.wire->change_event());
  sc_core::sc_spawn([this] { negotiate(); }, sc_core::sc_gen_unique_name("negotiate"), &options);
}

void LinkUnit::negotiate() {
  link::CableEndIf& wire = *core_.wire;
  wire.advertise(abilities());
  const std::optional<link::Abilities> other = wire.partner();
  const std::optional<link::LinkMode> mode =
      other ? link::resolve(abilities(), *other) : std::nullopt;
  wire.set_link(mode);
  if (mode) mode_ = *mode;
  cable_up_ = wire.link_up();
  if (cable_listener_) cable_listener_();
  update();
}

void LinkUnit::set_carried(bool there) {
  carried_ = there;
  update();
}

void LinkUnit::update() {
  const bool up = cable_up_ && carried_;
  if (up == up_) return;
  up_ = up;
  changed_.notify(sc_core::SC_ZERO_TIME);
  const bool back = up && was_up_;
  was_up_ = true;
  if (back && core_.transport->running()) core_.control.ask_for_announcement();
  if (listener_) listener_(up);
  core_.transport->config_changed();
}

std::uint32_t LinkUnit::speed() const {
  return static_cast<std::uint32_t>(link::bits_per_second(mode_.speed) / 1'000'000);
}

std::uint16_t LinkUnit::status() const {
  std::uint16_t status = 0;
  if (up_) status |= net::kLinkUp;
  if (core_.control.announcement_asked()) status |= net::kAnnounce;
  return status;
}

}  // namespace e1000tlm::virtio
