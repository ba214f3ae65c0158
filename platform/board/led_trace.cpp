#include "e1000tlm/board/led_trace.h"

#include <stdexcept>

#include "e1000tlm/tlm/sc_time.h"

namespace e1000tlm::platform {
namespace {

/// A variable's short name in the dump.
char code(std::size_t led) { return static_cast<char>('!' + led); }

}  // namespace

LedTrace::LedTrace(const sc_core::sc_module_name& name, e1000::Controller& controller,
                   const std::string& path)
    : sc_module(name), file_("LED trace", path), levels_("level", e1000::kLeds) {
  controller.led.bind(levels_);
  SC_HAS_PROCESS(LedTrace);
  SC_METHOD(changed);
  dont_initialize();
  for (const auto& level : levels_) sensitive << level;
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
    header();
  });
}

void LedTrace::header() {
  file_.write("$timescale 1 ps $end\n$scope module leds $end\n");
  for (std::size_t i = 0; i < levels_.size(); ++i) {
    file_.write(std::string("$var wire 1 ") + code(i) + " led" + std::to_string(i) + " $end\n");
  }
  file_.write("$upscope $end\n$enddefinitions $end\n#0\n$dumpvars\n");
  for (std::size_t i = 0; i < levels_.size(); ++i) write_level('0', i);
  file_.write("$end\n");
}

void LedTrace::write_level(char level, std::size_t led) {
  const char line[] = {level, code(led), '\n'};
  file_.write(line, sizeof line);
}

void LedTrace::stamp() {
  if (sc_now() == stamped_) return;
  stamped_ = sc_now();
  file_.write("#" + std::to_string(stamped_.count()) + "\n");
}

void LedTrace::changed() {
  attempt([this] {
    stamp();
    for (std::size_t i = 0; i < levels_.size(); ++i) {
      if (levels_[i].event()) write_level(levels_[i].read() ? '1' : '0', i);
    }
  });
}

void LedTrace::finish() {
  if (!failed_) stamp();
  file_.close();
}

}  // namespace e1000tlm::platform
