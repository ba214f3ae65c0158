#include "e1000tlm/e1000/peripherals/leds.h"

#include <vector>

#include <gtest/gtest.h>

#include "e1000tlm/e1000/registers/registers.h"

namespace e1000tlm::e1000 {
namespace {

constexpr std::uint32_t kLink = status::kLu;
constexpr std::uint32_t kAt10 = kLink, kAt100 = kLink | 1 << status::kSpeedShift,
                        kAt1000 = kLink | 2 << status::kSpeedShift,
                        kNoLink = 2 << status::kSpeedShift | status::kFd;

LedSetting shows(LedMode mode, bool blink = false, bool invert = false) {
  return {mode, invert, blink};
}
bool on(LedMode mode, std::uint32_t status, bool active = false) {
  return led_light(shows(mode), status, active) == LedLight::kOn;
}

struct SourceCase {
  LedMode mode;
  bool none, at_10, at_100, at_1000;
};

TEST(Leds, SourcesThatFollowTheLink) {
  const std::vector<SourceCase> cases{
      {LedMode::kLink10Or1000, false, true, false, true},
      {LedMode::kLink100Or1000, false, false, true, true},
      {LedMode::kLinkUp, false, true, true, true},
      {LedMode::kLink10, false, true, false, false},
      {LedMode::kLink100, false, false, true, false},
      {LedMode::kLink1000, false, false, false, true},
      {LedMode::kOn, true, true, true, true},
      {LedMode::kOff, false, false, false, false},
      {LedMode::kCollision, false, false, false, false},
  };
  for (const SourceCase& c : cases) {
    EXPECT_EQ(on(c.mode, kNoLink), c.none) << to_string(c.mode);
    EXPECT_EQ(on(c.mode, kAt10), c.at_10) << to_string(c.mode);
    EXPECT_EQ(on(c.mode, kAt100), c.at_100) << to_string(c.mode);
    EXPECT_EQ(on(c.mode, kAt1000), c.at_1000) << to_string(c.mode);
  }
}

TEST(Leds, ActivityNeedsLink) {
  EXPECT_TRUE(on(LedMode::kActivity, kAt100, true));
  EXPECT_FALSE(on(LedMode::kActivity, kAt100, false));
  EXPECT_FALSE(on(LedMode::kActivity, kNoLink, true));
  EXPECT_TRUE(on(LedMode::kLinkActivity, kAt100, false));
  EXPECT_FALSE(on(LedMode::kLinkActivity, kAt100, true));
  EXPECT_FALSE(on(LedMode::kLinkActivity, kNoLink, false));
}

TEST(Leds, DuplexPauseAndBus) {
  EXPECT_TRUE(on(LedMode::kFullDuplex, kAt100 | status::kFd));
  EXPECT_FALSE(on(LedMode::kFullDuplex, kAt100));
  EXPECT_TRUE(on(LedMode::kPaused, kAt100 | status::kTxoff));
  EXPECT_FALSE(on(LedMode::kPaused, kAt100));
  EXPECT_TRUE(on(LedMode::kBusSize, status::kBus64));
  EXPECT_FALSE(on(LedMode::kBusSize, 0));
  EXPECT_TRUE(on(LedMode::kBusSpeed, status::kPci66));
  EXPECT_FALSE(on(LedMode::kBusSpeed, 0));
  const auto pcix = [](std::uint32_t speed) {
    return status::kPcixMode | speed << status::kPcixSpeedShift;
  };
  EXPECT_TRUE(on(LedMode::kBusSpeed, pcix(2)));
  EXPECT_FALSE(on(LedMode::kBusSpeed, pcix(1)));
  EXPECT_TRUE(on(LedMode::kPcixMode, pcix(0)));
  EXPECT_FALSE(on(LedMode::kPcixMode, status::kPci66));
}

TEST(Leds, AnLedThatBlinksDoesSoWhileItsSourceIsAsserted) {
  EXPECT_EQ(led_light(shows(LedMode::kOn, true), 0, false), LedLight::kBlinking);
  EXPECT_EQ(led_light(shows(LedMode::kOff, true), 0, false), LedLight::kOff);
  EXPECT_EQ(led_light(shows(LedMode::kActivity, true), kAt10, true), LedLight::kBlinking);
  EXPECT_EQ(led_light(shows(LedMode::kActivity, true), kAt10, false), LedLight::kOff);
}

TEST(Leds, LinkActivityThatBlinksIsOnWithLinkAndBlinksWithActivity) {
  const LedSetting setting = shows(LedMode::kLinkActivity, true);
  EXPECT_EQ(led_light(setting, kNoLink, true), LedLight::kOff);
  EXPECT_EQ(led_light(setting, kAt100, false), LedLight::kOn);
  EXPECT_EQ(led_light(setting, kAt100, true), LedLight::kBlinking);
}

TEST(Leds, InversionTurnsTheSourceRound) {
  EXPECT_EQ(led_light(shows(LedMode::kLinkUp, false, true), kAt10, false), LedLight::kOff);
  EXPECT_EQ(led_light(shows(LedMode::kLinkUp, false, true), kNoLink, false), LedLight::kOn);
  // The manual's "nonsensical" combination: blinking while there is no activity.
  EXPECT_EQ(led_light(shows(LedMode::kActivity, true, true), kAt10, false), LedLight::kBlinking);
  EXPECT_EQ(led_light(shows(LedMode::kActivity, true, true), kAt10, true), LedLight::kOff);
}

TEST(Leds, LedctlHasAByteForEach) {
  const std::uint32_t ledctl = 0x0F4E'8702;
  EXPECT_EQ(led_setting(ledctl, 0).mode, LedMode::kLinkUp);
  EXPECT_EQ(led_setting(ledctl, 1).mode, LedMode::kLink1000);
  EXPECT_TRUE(led_setting(ledctl, 1).blink);
  EXPECT_FALSE(led_setting(ledctl, 1).invert);
  EXPECT_EQ(led_setting(ledctl, 2).mode, LedMode::kOn);
  EXPECT_TRUE(led_setting(ledctl, 2).invert);
  EXPECT_EQ(led_setting(ledctl, 3).mode, LedMode::kOff);
  EXPECT_FALSE(led_setting(ledctl, 3).blink);
}

TEST(Leds, BlinkRates) {
  EXPECT_TRUE(blink_phase(0, kTimeZero));
  EXPECT_TRUE(blink_phase(0, ms(200) - Time{1}));
  EXPECT_FALSE(blink_phase(0, ms(200)));
  EXPECT_TRUE(blink_phase(0, ms(400)));
  EXPECT_EQ(next_blink_edge(0, kTimeZero), ms(200));
  EXPECT_EQ(next_blink_edge(0, ms(200)), ms(400));
  constexpr std::uint32_t kFast = 1 << 5;
  EXPECT_FALSE(blink_phase(kFast, ms(83)));
  EXPECT_TRUE(blink_phase(kFast, ms(166)));
  EXPECT_EQ(next_blink_edge(kFast, ms(100)), ms(166));
}

TEST(Leds, ActivityIsStretchedForLedsThatBlink) {
  EXPECT_EQ(activity_until(shows(LedMode::kActivity, true), 0, ms(5)), ms(405));
  EXPECT_EQ(activity_until(shows(LedMode::kActivity, true), 1 << 5, ms(5)), ms(171));
  EXPECT_EQ(activity_until(shows(LedMode::kActivity), 0, ms(5)), ms(5));
  EXPECT_EQ(activity_until(shows(LedMode::kActivity, true), 0, kTimeZero), kTimeZero);
}

}  // namespace
}  // namespace e1000tlm::e1000
