/// The LED outputs (manual 10.1, 13.4.7).

#include <array>

#include "testbenches/unit/e1000/nic_rig.h"

namespace e1000tlm::e1000::test {
namespace {

constexpr std::uint32_t kOn = 0xE, kOff = 0xF, kBlink = 0x80;

RigOptions options(Part part = Part::k82540em) {
  RigOptions o;
  o.part = part;
  return o;
}

/// A rig whose LEDs are wired, and every change they make.
class LedRig : public sc_core::sc_module {
 public:
  explicit LedRig(const RigOptions& options = {}, const sc_core::sc_module_name& name = "led_rig")
      : sc_module(name), rig(options), levels("levels", kLeds) {
    rig.nic.led.bind(levels);
    for (unsigned i = 0; i < kLeds; ++i) {
      sc_core::sc_spawn_options o;
      o.spawn_method();
      o.dont_initialize();
      o.set_sensitivity(&levels[i].value_changed_event());
      sc_core::sc_spawn(
          [this, i] {
            edges[i].push_back({sc_now(), levels[i].read()});
          },
          ("watch" + std::to_string(i)).c_str(), &o);
    }
  }
  std::string lit() const {
    std::string text;
    for (unsigned i = 0; i < kLeds; ++i) text += levels[i].read() ? '1' : '0';
    return text;
  }

  NicRig rig;
  sc_core::sc_vector<sc_core::sc_signal<bool>> levels;
  std::array<std::vector<NicRig::Edge>, kLeds> edges;
};

/// What led_lit() says of all four.
std::string lit(const Controller& nic) {
  std::string text;
  for (unsigned i = 0; i < kLeds; ++i) text += nic.led_lit(i) ? '1' : '0';
  return text;
}

TEST(LedOutputs, FollowTheLinkByDefault) {
  NicRig rig;
  rig.run([&] {
    EXPECT_EQ(rig.read(reg::kLedctl), kLedctlDefault);
    EXPECT_EQ(lit(rig.nic), "0000");
    rig.bring_up();
    EXPECT_EQ(lit(rig.nic), "1001");
    EXPECT_EQ(rig.nic.led_setting(3).mode, LedMode::kLink1000);
    rig.write(reg::kCtrl, rig.read(reg::kCtrl) & ~ctrl::kSlu);
    EXPECT_EQ(lit(rig.nic), "0000");
  });
}

TEST(LedOutputs, ActivityBlinksForAWhileAfterAFrame) {
  NicRig rig;
  rig.run([&] {
    rig.bring_up();
    EXPECT_EQ(rig.nic.led_light(1), LedLight::kOff);
    rig.far.send(NicRig::frame(60));
    NicRig::wait_for(us(10));
    EXPECT_EQ(rig.nic.led_light(1), LedLight::kBlinking) << "whether it is received or not";
    NicRig::wait_for(ms(399));
    EXPECT_EQ(rig.nic.led_light(1), LedLight::kBlinking);
    NicRig::wait_for(ms(2));
    EXPECT_EQ(rig.nic.led_light(1), LedLight::kOff);
    rig.setup_tx();
    rig.put_legacy(0, NicRig::frame(60));
    rig.write(reg::kTdt, 1);
    NicRig::wait_for(us(10));
    EXPECT_EQ(rig.nic.led_light(1), LedLight::kBlinking);
  });
}

TEST(LedOutputs, TheEepromSaysWhatTheyShow) {
  RigOptions o = options();
  o.adjust = [](ControllerConfig& config) {
    config.eeprom->set_word(0x1F, 0x0E47);
    config.eeprom->set_word(0x2F, 0x0FA3);
  };
  NicRig rig(o);
  rig.run([&] {
    EXPECT_EQ(rig.read(reg::kLedctl), 0x0F0EA347U);
    EXPECT_EQ(lit(rig.nic), "1010") << "LED 0: inverted link at 1000; LED 2: on";
    rig.write(reg::kLedctl, 0);
    EXPECT_EQ(rig.read(reg::kLedctl), 0U);
    rig.write(reg::kCtrl, ctrl::kRst);
    NicRig::wait_for(ms(1));
    EXPECT_EQ(rig.read(reg::kLedctl), 0x0F0EA347U);
  });
}

TEST(LedOutputs, WithoutASignatureTheHardwaresDefaultsStay) {
  RigOptions o = options();
  o.adjust = [](ControllerConfig& config) {
    config.eeprom->set_word(0x0A, 0);
    config.eeprom->set_word(0x1F, 0x0E0E);
  };
  NicRig rig(o);
  rig.run([&] { EXPECT_EQ(rig.read(reg::kLedctl), kLedctlDefault); });
}

TEST(LedOutputs, The82544HasNoLedctlButShowsTheSame) {
  NicRig rig(options(Part::k82544gc));
  rig.run([&] {
    rig.write(reg::kLedctl, 0x0E0E0E0E);
    EXPECT_EQ(rig.read(reg::kLedctl), 0U);
    EXPECT_EQ(lit(rig.nic), "0000");
    rig.bring_up();
    EXPECT_EQ(lit(rig.nic), "1001");
  });
}

TEST(LedOutputs, The82544IdentifiesItselfBySoftwareDefinablePin0) {
  constexpr std::uint32_t kData = 1 << 18, kOutput = 1 << 22;
  NicRig rig(options(Part::k82544gc));
  rig.run([&] {
    EXPECT_EQ(rig.nic.software_pin(0), std::nullopt);
    const std::uint32_t ctrl = rig.read(reg::kCtrl) & ~(kData | kOutput);
    for (int i = 0; i < 3; ++i) {
      rig.write(reg::kCtrl, ctrl | kOutput);
      EXPECT_EQ(rig.nic.software_pin(0), false) << "lit";
      rig.write(reg::kCtrl, ctrl | kOutput | kData);
      EXPECT_EQ(rig.nic.software_pin(0), true);
    }
    EXPECT_EQ(rig.nic.software_pin(1), std::nullopt);
    rig.write(reg::kCtrl, ctrl | kData);
    EXPECT_EQ(rig.nic.software_pin(0), std::nullopt);
    EXPECT_EQ(rig.read(reg::kCtrl) & kData, 0U) << "an input that nothing drives";
  });
}

TEST(LedOutputs, ShowTheBus) {
  RigOptions o = options(Part::k82545em);
  o.straps.pcix = true;
  o.straps.pcix_speed = 2;
  o.straps.bus_64bit = true;
  NicRig rig(o);
  rig.run([&] {
    rig.write(reg::kLedctl, 0x080B'0C0F);
    EXPECT_EQ(lit(rig.nic), "0111") << "off, 64 bits, fast, PCI-X";
  });
}

TEST(LedOutputs, DriveSignalsWhenTheyAreWired) {
  LedRig leds;
  leds.rig.run([&] {
    NicRig& rig = leds.rig;
    NicRig::wait_for(ns(1));
    EXPECT_EQ(leds.lit(), "0000");
    rig.bring_up();
    NicRig::wait_for(ns(1));
    EXPECT_EQ(leds.lit(), "1001");
    rig.write(reg::kLedctl, kOff | kOn << 8 | kOff << 16 | kOn << 24);
    NicRig::wait_for(ns(1));
    EXPECT_EQ(leds.lit(), "0101");
    rig.write(reg::kCtrl, ctrl::kRst);
    NicRig::wait_for(ms(1));
    EXPECT_EQ(leds.lit(), lit(rig.nic));
  });
}

/// What Linux's driver does for `ethtool -p` on copper: LEDCTL between two values derived from the
/// EEPROM's word 4 (8911h by default), twice a second.
TEST(LedOutputs, LinuxIdentifiesTheAdapter) {
  LedRig leds;
  leds.rig.run([&] {
    NicRig& rig = leds.rig;
    rig.bring_up();
    const std::uint32_t before = rig.read(reg::kLedctl);
    const std::uint32_t mode1 = (before & 0x0000FFFF) | kOff << 16 | kOff << 24;
    const std::uint32_t mode2 = (before & 0x0000FFFF) | kOff << 16 | kOn << 24;
    for (auto& edges : leds.edges) edges.clear();
    const Time start = sc_now();
    for (int i = 0; i < 4; ++i) {
      rig.write(reg::kLedctl, mode2);
      NicRig::wait_for(ms(250));
      rig.write(reg::kLedctl, mode1);
      NicRig::wait_for(ms(250));
    }
    rig.write(reg::kLedctl, before);
    NicRig::wait_for(ns(1));
    // LED 3 was on with the link, so that the first "on" is no change.
    ASSERT_EQ(leds.edges[3].size(), 8U);
    for (std::size_t i = 0; i < 8; ++i) {
      EXPECT_EQ(leds.edges[3][i].level, i % 2 == 1) << i;
      EXPECT_EQ(leds.edges[3][i].at, start + ms(250) * static_cast<std::int64_t>(i + 1)) << i;
    }
    EXPECT_TRUE(leds.edges[0].empty()) << "the link LED stays as it is";
    EXPECT_EQ(leds.lit(), "1001");
  });
}

TEST(LedOutputs, BlinkingSignalsToggleAtTheRate) {
  LedRig leds;
  leds.rig.run([&] {
    const auto periods = [&](std::uint32_t ledctl, Time half) {
      leds.rig.write(reg::kLedctl, ledctl);
      NicRig::wait_for(half * 2);
      leds.edges[0].clear();
      NicRig::wait_for(half * 10);
      ASSERT_EQ(leds.edges[0].size(), 10U);
      for (const NicRig::Edge& edge : leds.edges[0]) {
        EXPECT_EQ(edge.at % half, kTimeZero);
        EXPECT_EQ(edge.level, edge.at / half % 2 == 0);
      }
    };
    periods(kOn | kBlink, ms(200));
    periods(kOn | kBlink | 1 << 5, ms(83));
    leds.rig.write(reg::kLedctl, kOff);
    NicRig::wait_for(ns(1));
    leds.edges[0].clear();
    NicRig::wait_for(ms(2000));
    EXPECT_TRUE(leds.edges[0].empty());
  });
}

TEST(LedOutputs, WiredActivityBlinksAndEnds) {
  LedRig leds;
  leds.rig.run([&] {
    NicRig& rig = leds.rig;
    rig.bring_up();
    NicRig::wait_for(ms(400) - sc_now() % ms(400));  // a blink's beginning
    const Time start = sc_now();
    rig.far.send(NicRig::frame(60));
    NicRig::wait_for(ms(1000));
    ASSERT_EQ(leds.edges[1].size(), 4U);
    EXPECT_TRUE(leds.edges[1][0].level);
    EXPECT_LT(leds.edges[1][0].at, start + us(10));
    EXPECT_EQ(leds.edges[1][1].at, start + ms(200));
    EXPECT_EQ(leds.edges[1][2].at, start + ms(400));
    EXPECT_FALSE(leds.edges[1][3].level);
    EXPECT_EQ(leds.edges[1][3].at - leds.edges[1][0].at, ms(400)) << "a period after the frame";
  });
}

TEST(LedOutputs, PausedShowsFromXoffToItsEnd) {
  LedRig leds;
  leds.rig.run([&] {
    NicRig& rig = leds.rig;
    rig.bring_up();
    rig.setup_rx();
    rig.write(reg::kFcal, 0x00C28001);
    rig.write(reg::kFcah, 0x0100);
    rig.write(reg::kFct, 0x8808);
    rig.write(reg::kCtrl, rig.read(reg::kCtrl) | ctrl::kRfce);
    rig.write(reg::kLedctl, 0x0D);
    std::vector<std::uint8_t> xoff = NicRig::frame(60, 0, {0x01, 0x80, 0xC2, 0, 0, 1}, 0x8808);
    store_be16(&xoff[14], 1);
    store_be16(&xoff[16], 1000);  // quanta of 512 bit times: 512 us at a gigabit
    rig.far.send(xoff);
    NicRig::wait_for(ms(2));
    // On with the link, off when LEDCTL was written; then XOFF and its end.
    ASSERT_EQ(leds.edges[0].size(), 4U);
    EXPECT_TRUE(leds.edges[0][2].level);
    EXPECT_LE(leds.edges[0][3].at - leds.edges[0][2].at, us(512));
    EXPECT_GT(leds.edges[0][3].at - leds.edges[0][2].at, us(511));
  });
}

TEST(LedOutputs, NoEventsWhileNobodyLooks) {
  NicRig rig;
  rig.run([&] {
    rig.write(reg::kLedctl, (kOn | kBlink) * 0x01010101U);
    NicRig::wait_for(ms(3000));  // autonegotiation has ended
    EXPECT_FALSE(sc_core::sc_pending_activity_at_future_time());
    EXPECT_EQ(rig.nic.led_light(0), LedLight::kBlinking);
    EXPECT_EQ(rig.nic.led_lit(0), sc_now() / ms(200) % 2 == 0);
  });
}

}  // namespace
}  // namespace e1000tlm::e1000::test
