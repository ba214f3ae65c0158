#include "e1000tlm/e1000/peripherals/led_unit.h"

#include <algorithm>

#include "e1000tlm/tlm/sc_time.h"

namespace e1000tlm::e1000 {

LedUnit::LedUnit(const sc_core::sc_module_name& name, Core& core) : sc_module(name), core_(core) {
  SC_HAS_PROCESS(LedUnit);
  SC_METHOD(drive);
  dont_initialize();
  sensitive << update_event_;
  core_.bank.on_write<&LedUnit::ledctl_written>(reg::kLedctl, this);
}

void LedUnit::connect(Outputs& outputs) {
  const bool bound = std::any_of(outputs.begin(), outputs.end(),
                                 [](const Output& output) { return output.size() > 0; });
  if (!bound) return;
  outputs_ = &outputs;
  core_.activity.watcher = &update_event_;
}

std::uint32_t LedUnit::ledctl() const {
  return core_.part.is_82544 ? kLedctlDefault : core_.bank[reg::kLedctl];
}

bool LedUnit::active(const LedSetting& setting) const {
  return sc_now() < activity_until(setting, ledctl(), core_.activity.until);
}

LedLight LedUnit::light(unsigned led) const {
  const LedSetting now = setting(led);
  return led_light(now, core_.bank.peek(reg::kStatus), active(now));
}

bool LedUnit::lit(unsigned led) const {
  const LedLight now = light(led);
  return now == LedLight::kOn || (now == LedLight::kBlinking && blink_phase(ledctl(), sc_now()));
}

void LedUnit::drive() {
  Time next = kTimeNever;
  for (unsigned led = 0; led < kLeds; ++led) {
    Output& output = (*outputs_)[led];
    if (output.size() == 0) continue;
    output->write(lit(led));
    next = std::min(next, next_change(led));
  }
  if (next != kTimeNever) update_event_.notify(to_sc(next - sc_now()));
}

/// When an LED changes by itself; never, if that takes a frame, software or the link.
Time LedUnit::next_change(unsigned led) const {
  const LedSetting now = setting(led);
  Time next = kTimeNever;
  if (light(led) == LedLight::kBlinking) next = next_blink_edge(ledctl(), sc_now());
  const bool shows_activity = now.mode == LedMode::kActivity || now.mode == LedMode::kLinkActivity;
  if (shows_activity && active(now)) {
    next = std::min(next, activity_until(now, ledctl(), core_.activity.until));
  }
  if (now.mode == LedMode::kPaused && paused_until_() > sc_now()) {
    next = std::min(next, paused_until_());
  }
  return next;
}

}  // namespace e1000tlm::e1000
