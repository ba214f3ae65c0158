#pragma once
/// Which frames the receiver takes. Pure functions over a view of the registers; frames come
/// without preamble and without FCS. No SystemC.
///
/// Source: manual 3.2.1 (address filter), 3.2.3.1 (PIF), 8.7.3 to 8.7.5 (flow control), 9.3 (VLAN
/// filter), 13.4.22 (RCTL), 13.5.1 (MTA), 13.5.3 (RAH), 13.5.4 (VFTA).

#include <array>
#include <cstdint>

#include "e1000tlm/tlm/bytes.h"

namespace e1000tlm::e1000 {

/// Registers the filter looks at; pointers into the register bank, which must outlive the view and
/// may not be null. RAL/RAH alternate in `ra`.
struct FilterView {
  std::uint32_t rctl = 0;               ///< UPE, MPE, MO, BAM, VFE, CFIEN and CFI are used
  std::uint16_t vet = 0x8100;           ///< VLAN EtherType
  const std::uint32_t* ra = nullptr;    ///< RAL0, RAH0, RAL1, RAH1 ... 16 pairs
  const std::uint32_t* mta = nullptr;   ///< 128
  const std::uint32_t* vfta = nullptr;  ///< 128
};

enum class FilterVerdict : std::uint8_t {
  kAcceptExact,    ///< a receive address, BAM or MPE took it: descriptor status PIF is 0
  kAcceptInexact,  ///< only the multicast hash or UPE took it: descriptor status PIF is 1
  kRejectAddress,
  kRejectVlan,
};

/// Address filter, then VLAN filter, of an intact frame (rules RX-2 to RX-5):
///   - broadcasts pass with BAM; without it they are multicasts like any other (manual 6.4.3),
///   - a valid receive address (RAH.AV) passes the destination (AS 00) or source (AS 01) equal to
///   it;
///     the reserved AS codes match nothing,
///   - UPE passes unicasts, MPE multicasts; the hash (MTA) is consulted for multicasts only,
///   - with VFE, frames whose type is VET need their VFTA bit and, with CFIEN, CFI == RCTL.CFI.
/// Frames shorter than an Ethernet header are kRejectAddress; a tag cut short is kRejectVlan.
FilterVerdict filter(const FilterView& view, ConstBytes frame);

/// 12-bit multicast hash of a destination address (6 bytes) for RCTL.MO 0..3 (manual 13.5.1).
std::uint16_t multicast_hash(const std::uint8_t* destination, unsigned offset_select);

/// Registers that make and recognise MAC control frames (manual 8.7.3).
struct PauseView {
  std::uint32_t fcal = 0, fcah = 0, fct = 0;
  std::uint32_t ral0 = 0, rah0 = 0;
};
enum class MacControl : std::uint8_t { kNone, kPause, kUnsupportedOpcode };
struct MacControlResult {
  MacControl kind = MacControl::kNone;
  std::uint16_t quanta = 0;      ///< of a PAUSE frame, 512 bit times each; 0 is an XON
  bool station_address = false;  ///< sent to receive address 0: RCTL.DPF applies (8.7.4)
};
/// A MAC control frame has type FCT and is sent to FCAH:FCAL or to receive address 0 (if valid);
/// its opcode then tells PAUSE from the unsupported (FC-1, FC-2). Whether it is obeyed (CTRL.RFCE,
/// full duplex) and passed to the host (RCTL.DPF, PMCF) is the caller's decision. Frames too short
/// to hold opcode and timer are kNone.
MacControlResult classify_mac_control(const PauseView& view, ConstBytes frame);
/// Quick test for the frames that classify_mac_control() has to look at.
inline bool has_mac_control_type(const PauseView& view, ConstBytes frame) {
  return frame.size() >= 18 && load_be16(frame.data() + 12) == (view.fct & 0xFFFF);
}
/// A PAUSE frame from receive address 0 to FCAH:FCAL, padded to 60 bytes (FC-3).
std::array<std::uint8_t, 60> make_pause(const PauseView& view, std::uint16_t quanta);

}  // namespace e1000tlm::e1000
