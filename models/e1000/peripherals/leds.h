#pragma once
/// What the four LED outputs show: LEDCTL's settings applied to the state of link and bus (manual
/// 10.1, 13.4.7). No SystemC.

#include <cstdint>
#include <string_view>

#include "e1000tlm/tlm/time.h"

namespace e1000tlm::e1000 {

/// How many there are.
inline constexpr unsigned kLeds = 4;
/// LED 0 link up, LED 1 blinks with activity, LED 2 link at 100, LED 3 link at 1000 Mb/s.
inline constexpr std::uint32_t kLedctlDefault = 0x0706'8302;

/// LEDn_MODE (manual 13.4.7).
enum class LedMode : std::uint8_t {
  kLink10Or1000,
  kLink100Or1000,
  kLinkUp,
  kActivity,      ///< link, and frames on the wire
  kLinkActivity,  ///< link, and no frames on the wire
  kLink10,
  kLink100,
  kLink1000,
  kPcixMode,
  kFullDuplex,
  kCollision,  ///< never: the model's half-duplex links have no collisions
  kBusSpeed,   ///< PCI at 66 MHz, PCI-X at 133 MHz
  kBusSize,    ///< 64 bits
  kPaused,     ///< the transmitter obeys a PAUSE frame
  kOn,
  kOff,
};
/// In a few words: "link up", "link at 100 Mb/s".
std::string_view to_string(LedMode mode);

/// What one LED is set to show.
struct LedSetting {
  /// Its source.
  LedMode mode = LedMode::kOff;
  /// LEDn_IVRT: lit where it would be dark.
  bool invert = false;
  /// LEDn_BLINK: blinks where it would be lit.
  bool blink = false;
};
/// Of LED 0 to 3.
LedSetting led_setting(std::uint32_t ledctl, unsigned led);

/// How long a blinking LED is on and then off: 200 ms, or 83 ms with GLOBAL_BLINK_MODE.
Time blink_half_period(std::uint32_t ledctl);
/// Blinking LEDs are on in every other half period since power-up.
bool blink_phase(std::uint32_t ledctl, Time now);
/// When that changes next.
Time next_blink_edge(std::uint32_t ledctl, Time now);
/// Frames whose last bit passed at `last` count as activity until then. The blink circuit stretches
/// activity so that people can see it (manual 10.1.3): by one whole period, of which the manual
/// does not tell the length.
Time activity_until(const LedSetting& setting, std::uint32_t ledctl, Time last);

/// What one sees.
enum class LedLight : std::uint8_t { kOff, kOn, kBlinking };
/// "off", "on", "blinking".
std::string_view to_string(LedLight light);
/// What an LED does now. `status` is the STATUS register, which has link, speed, duplex, TXOFF and
/// the bus; `active`: there is activity, as this LED counts it.
///
/// An LED that blinks does so while its source is asserted. LINK/ACTIVITY that blinks is on with
/// link and blinks with activity. Inverted is what blinks, too: hence the "nonsensical"
/// combinations that manual 10.1.2 warns of.
LedLight led_light(const LedSetting& setting, std::uint32_t status, bool active);

}  // namespace e1000tlm::e1000
