#include "e1000tlm/board/led_trace.h"

#include <stdexcept>

#include "e1000tlm/tlm/sc_time.h"

namespace e1000tlm::platform {

LedWatch::LedWatch(const sc_core::sc_module_name& name, e1000::Controller& controller)
    : sc_module(name), levels_("level", e1000::kLeds) {
  controller.led.bind(levels_);
  SC_HAS_PROCESS(LedWatch);
  SC_METHOD(changed);
  dont_initialize();
  for (const auto& level : levels_) sensitive << level;
}

void LedWatch::changed() {
  for (unsigned led = 0; led < levels_.size(); ++led) {
    if (levels_[led].event()) changes_.emit({sc_now(), led, levels_[led].read()});
  }
}

LedTrace::LedTrace(const sc_core::sc_module_name& name, LedWatch& leds, const std::string& path)
    : sc_module(name), file_("LED trace", path) {
  leds.changes().attach(
      [this](const LedEvent& e) { attempt([&] { file_.set(e.led, e.at, e.lit ? 1 : 0); }); });
}

template <class Action>
void LedTrace::attempt(Action action) {
  if (failed_) return;
  try {
    action();
  } catch (const std::runtime_error& error) {
    failed_ = true;
    SC_REPORT_WARNING("/e1000tlm/platform/leds", error.what());
  }
}

void LedTrace::start_of_simulation() {
  attempt([this] {
    file_.begin();
    file_.open_scope("leds");
    for (unsigned i = 0; i < e1000::kLeds; ++i) file_.declare("led" + std::to_string(i), 1);
    file_.close_scope();
    file_.start(kTimeZero);
  });
}

void LedTrace::finish() { file_.close(failed_ ? kTimeZero : sc_now()); }

}  // namespace e1000tlm::platform
