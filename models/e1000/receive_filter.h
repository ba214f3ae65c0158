#pragma once
/// Which frames the receiver takes (manual 10). Pure functions over a view of the registers.

#include <array>
#include <cstdint>

#include "models/tlm/bytes.h"

namespace e1000tlm::e1000 {

/// Registers the filter looks at; pointers into the register bank. RAL/RAH alternate in `ra`.
struct FilterView {
  std::uint32_t rctl = 0;
  std::uint16_t vet = 0x8100;
  const std::uint32_t* ra = nullptr;    ///< RAL0, RAH0, RAL1, RAH1 ... 16 pairs
  const std::uint32_t* mta = nullptr;   ///< 128
  const std::uint32_t* vfta = nullptr;  ///< 128
};

enum class FilterVerdict : std::uint8_t {
  kAcceptExact,    ///< a receive address matched, or broadcast
  kAcceptInexact,  ///< multicast hash or promiscuous only: descriptor status PIF
  kRejectAddress,
  kRejectVlan,
};

/// Address and VLAN filters of an intact frame (rules RX-2 to RX-5). Frames shorter than 14 bytes are
/// rejected.
FilterVerdict filter(const FilterView& view, ConstBytes frame);

/// 12-bit multicast hash of a destination address for RCTL.MO (manual 13.5.1).
std::uint16_t multicast_hash(const std::uint8_t* destination, unsigned offset_select);

/// MAC control frames (manual 3.7.2.1 / 10.x).
struct PauseView {
  std::uint32_t fcal = 0, fcah = 0, fct = 0;
  std::uint32_t ral0 = 0, rah0 = 0;
};
enum class MacControl : std::uint8_t { kNone, kPause, kUnsupportedOpcode };
struct MacControlResult {
  MacControl kind = MacControl::kNone;
  std::uint16_t quanta = 0;  ///< of a PAUSE frame, 512 bit times each
};
MacControlResult classify_mac_control(const PauseView& view, ConstBytes frame);
/// A PAUSE frame padded to 60 bytes.
std::array<std::uint8_t, 60> make_pause(const PauseView& view, std::uint16_t quanta);

}  // namespace e1000tlm::e1000
