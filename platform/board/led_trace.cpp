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
    : sc_module(name),
      path_(path),
      file_(path, std::ios::binary | std::ios::trunc),
      levels_("level", e1000::kLeds) {
  if (!file_) throw std::runtime_error("'" + path + "' cannot be opened for writing");
  controller.led.bind(levels_);
  header();
  SC_HAS_PROCESS(LedTrace);
  SC_METHOD(changed);
  dont_initialize();
  for (const auto& level : levels_) sensitive << level;
}

void LedTrace::header() {
  file_ << "$timescale 1 ps $end\n$scope module leds $end\n";
  for (std::size_t i = 0; i < levels_.size(); ++i) {
    file_ << "$var wire 1 " << code(i) << " led" << i << " $end\n";
  }
  file_ << "$upscope $end\n$enddefinitions $end\n#0\n$dumpvars\n";
  for (std::size_t i = 0; i < levels_.size(); ++i) file_ << '0' << code(i) << '\n';
  file_ << "$end\n";
}

void LedTrace::stamp() {
  if (sc_now() == stamped_) return;
  stamped_ = sc_now();
  file_ << '#' << stamped_.count() << '\n';
}

void LedTrace::changed() {
  stamp();
  for (std::size_t i = 0; i < levels_.size(); ++i) {
    if (levels_[i].event()) file_ << (levels_[i].read() ? '1' : '0') << code(i) << '\n';
  }
}

void LedTrace::finish() {
  stamp();
  file_.close();
  if (!file_) throw std::runtime_error("'" + path_ + "' cannot be written");
}

}  // namespace e1000tlm::platform
