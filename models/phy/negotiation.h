#pragma once
/// Autonegotiation's words and decisions. No SystemC.

#include <cstdint>
#include <optional>

#include "e1000tlm/link/wire.h"

namespace e1000tlm::phy {

/// What registers 4 (ANA) and 9 (GCON) offer.
link::Abilities advertised(std::uint16_t advertisement, std::uint16_t gigabit_control);
/// What an end in a forced mode signals.
link::Abilities forced(link::LinkMode mode);

/// Register 5 (LPA) after a page exchange with this partner.
std::uint16_t partner_word(const link::Abilities& partner);
/// Register 5 after parallel detection at 10 or 100 Mb/s (IEEE 802.3 28.2.3.1: half duplex).
std::uint16_t parallel_word(link::Speed speed);

/// Master/slave resolution from GCON. A cable end does not tell its own preference, so the partner
/// is taken to yield (IEEE 802.3 40.5.2: manual setting first, then multiport before single-port).
bool is_master(std::uint16_t gigabit_control);

/// The partner signals without negotiating, but at more than one speed.
bool parallel_detection_fault(const link::Abilities& partner);

/// The mode in which `own` gets link with `partner`; nullopt: none.
/// - Both negotiate: highest common mode.
/// - Only `own` does: parallel detection at 10 or 100 Mb/s, half duplex (manual 11.6.4).
/// - `own` is forced: its mode if the partner signals at that speed; at 1000 Mb/s only with a
/// partner
///   that is forced too (manual 11.6.2).
std::optional<link::LinkMode> agree(const link::Abilities& own, const link::Abilities& partner);

}  // namespace e1000tlm::phy
