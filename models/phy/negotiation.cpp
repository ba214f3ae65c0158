#include "e1000tlm/phy/negotiation.h"

#include "e1000tlm/phy/registers.h"

namespace e1000tlm::phy {
namespace {

using link::Abilities;
using link::LinkMode;
using link::Speed;

bool has_speed(const Abilities& a, Speed speed) {
  switch (speed) {
    case Speed::k10: return a.half_10 || a.full_10;
    case Speed::k100: return a.half_100 || a.full_100;
    case Speed::k1000: return a.half_1000 || a.full_1000;
  }
  return false;
}

std::optional<LinkMode> only_mode(const Abilities& own) {
  for (const Speed speed : {Speed::k1000, Speed::k100, Speed::k10}) {
    if (has_speed(own, speed)) return LinkMode{speed, own.full_1000 || own.full_100 || own.full_10};
  }
  return std::nullopt;
}

}  // namespace

Abilities advertised(std::uint16_t advertisement, std::uint16_t gigabit_control) {
  Abilities a;
  a.half_10 = (advertisement & ability::kHalf10) != 0;
  a.full_10 = (advertisement & ability::kFull10) != 0;
  a.half_100 = (advertisement & ability::kHalf100) != 0;
  a.full_100 = (advertisement & ability::kFull100) != 0;
  a.pause = (advertisement & ability::kPause) != 0;
  a.asymmetric_pause = (advertisement & ability::kAsymmetricPause) != 0;
  a.half_1000 = (gigabit_control & gigabit::kHalf) != 0;
  a.full_1000 = (gigabit_control & gigabit::kFull) != 0;
  return a;
}

Abilities forced(LinkMode mode) {
  Abilities a;
  a.negotiates = false;
  switch (mode.speed) {
    case Speed::k10: (mode.full_duplex ? a.full_10 : a.half_10) = true; break;
    case Speed::k100: (mode.full_duplex ? a.full_100 : a.half_100) = true; break;
    case Speed::k1000: (mode.full_duplex ? a.full_1000 : a.half_1000) = true; break;
  }
  return a;
}

std::uint16_t partner_word(const Abilities& partner) {
  std::uint16_t word = ability::kAcknowledge | ability::kSelector;
  if (partner.half_10) word |= ability::kHalf10;
  if (partner.full_10) word |= ability::kFull10;
  if (partner.half_100) word |= ability::kHalf100;
  if (partner.full_100) word |= ability::kFull100;
  if (partner.pause) word |= ability::kPause;
  if (partner.asymmetric_pause) word |= ability::kAsymmetricPause;
  if (has_speed(partner, Speed::k1000)) word |= ability::kNextPage;
  return word;
}

std::uint16_t parallel_word(Speed speed) {
  return speed == Speed::k100 ? ability::kHalf100 : ability::kHalf10;
}

bool is_master(std::uint16_t gigabit_control) {
  const bool manual = (gigabit_control & gigabit::kManualMasterSlave) != 0;
  return (gigabit_control & (manual ? gigabit::kMaster : gigabit::kMultiport)) != 0;
}

bool parallel_detection_fault(const Abilities& partner) {
  const int speeds = int{has_speed(partner, Speed::k10)} + int{has_speed(partner, Speed::k100)} +
                     int{has_speed(partner, Speed::k1000)};
  return !partner.negotiates && speeds > 1;
}

std::optional<LinkMode> agree(const Abilities& own, const Abilities& partner) {
  if (parallel_detection_fault(partner)) return std::nullopt;
  if (own.negotiates) {
    const bool undetectable = !partner.negotiates && has_speed(partner, Speed::k1000);
    return undetectable ? std::nullopt : link::resolve(own, partner);
  }
  const std::optional<LinkMode> mode = only_mode(own);
  if (!mode || !has_speed(partner, mode->speed)) return std::nullopt;
  if (mode->speed == Speed::k1000 && partner.negotiates) return std::nullopt;
  return mode;
}

}  // namespace e1000tlm::phy
