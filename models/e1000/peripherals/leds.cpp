#include "e1000tlm/e1000/peripherals/leds.h"

#include <array>

#include "e1000tlm/e1000/registers/registers.h"

namespace e1000tlm::e1000 {
namespace {

constexpr std::uint32_t kModeMask = 0x0F, kGlobalBlinkMode = 1 << 5, kInvert = 1 << 6,
                        kBlink = 1 << 7;
constexpr std::uint32_t kSpeed10 = 0, kSpeed100 = 1, kSpeed1000 = 2;  // STATUS.SPEED
constexpr std::uint32_t kFastPcix = 2;                                // STATUS.PCIX_SPD: 133 MHz

bool fast_bus(std::uint32_t status) {
  if ((status & status::kPcixMode) == 0) return (status & status::kPci66) != 0;
  return (status >> status::kPcixSpeedShift & 3) == kFastPcix;
}

bool source(LedMode mode, std::uint32_t status, bool active) {
  const bool link = (status & status::kLu) != 0;
  const std::uint32_t speed = status >> status::kSpeedShift & 3;
  switch (mode) {
    case LedMode::kLink10Or1000: return link && (speed == kSpeed10 || speed >= kSpeed1000);
    case LedMode::kLink100Or1000: return link && speed != kSpeed10;
    case LedMode::kLinkUp: return link;
    case LedMode::kActivity: return link && active;
    case LedMode::kLinkActivity: return link && !active;
    case LedMode::kLink10: return link && speed == kSpeed10;
    case LedMode::kLink100: return link && speed == kSpeed100;
    case LedMode::kLink1000: return link && speed >= kSpeed1000;
    case LedMode::kPcixMode: return (status & status::kPcixMode) != 0;
    case LedMode::kFullDuplex: return link && (status & status::kFd) != 0;
    case LedMode::kCollision: return false;
    case LedMode::kBusSpeed: return fast_bus(status);
    case LedMode::kBusSize: return (status & status::kBus64) != 0;
    case LedMode::kPaused: return (status & status::kTxoff) != 0;
    case LedMode::kOn: return true;
    case LedMode::kOff: return false;
  }
  return false;
}

}  // namespace

std::string_view to_string(LedMode mode) {
  static constexpr std::array<std::string_view, 16> kNames{"link at 10 or 1000 Mb/s",
                                                           "link at 100 or 1000 Mb/s",
                                                           "link up",
                                                           "activity",
                                                           "link without activity",
                                                           "link at 10 Mb/s",
                                                           "link at 100 Mb/s",
                                                           "link at 1000 Mb/s",
                                                           "PCI-X",
                                                           "full duplex",
                                                           "collision",
                                                           "fast bus",
                                                           "64-bit bus",
                                                           "paused",
                                                           "always on",
                                                           "always off"};
  return kNames[static_cast<std::size_t>(mode)];
}

std::string_view to_string(LedLight light) {
  switch (light) {
    case LedLight::kOff: return "off";
    case LedLight::kOn: return "on";
    case LedLight::kBlinking: return "blinking";
  }
  return "";
}

LedSetting led_setting(std::uint32_t ledctl, unsigned led) {
  const std::uint32_t bits = ledctl >> (8 * led);
  return {static_cast<LedMode>(bits & kModeMask), (bits & kInvert) != 0, (bits & kBlink) != 0};
}

Time blink_half_period(std::uint32_t ledctl) {
  return (ledctl & kGlobalBlinkMode) != 0 ? ms(83) : ms(200);
}

bool blink_phase(std::uint32_t ledctl, Time now) {
  return now / blink_half_period(ledctl) % 2 == 0;
}

Time next_blink_edge(std::uint32_t ledctl, Time now) {
  const Time half = blink_half_period(ledctl);
  return (now / half + 1) * half;
}

Time activity_until(const LedSetting& setting, std::uint32_t ledctl, Time last) {
  if (last == kTimeZero) return kTimeZero;  // nothing has passed yet
  return setting.blink ? last + 2 * blink_half_period(ledctl) : last;
}

LedLight led_light(const LedSetting& setting, std::uint32_t status, bool active) {
  if (setting.mode == LedMode::kLinkActivity && setting.blink && !setting.invert) {
    if (!source(LedMode::kLinkUp, status, active)) return LedLight::kOff;
    return active ? LedLight::kBlinking : LedLight::kOn;
  }
  if (source(setting.mode, status, active) == setting.invert) return LedLight::kOff;
  return setting.blink ? LedLight::kBlinking : LedLight::kOn;
}

}  // namespace e1000tlm::e1000
