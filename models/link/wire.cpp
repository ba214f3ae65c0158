#include "e1000tlm/link/wire.h"

#include <array>
#include <tuple>

namespace e1000tlm::link {
namespace {

struct Technology {
  bool Abilities::*ability = nullptr;
  LinkMode mode;
};

// Best first: IEEE 802.3 28B.3, without the technologies that nobody builds.
constexpr std::array<Technology, 6> kPriority{{
    {&Abilities::full_1000, {Speed::k1000, true}},
    {&Abilities::half_1000, {Speed::k1000, false}},
    {&Abilities::full_100, {Speed::k100, true}},
    {&Abilities::half_100, {Speed::k100, false}},
    {&Abilities::full_10, {Speed::k10, true}},
    {&Abilities::half_10, {Speed::k10, false}},
}};

auto fields(const Abilities& a) {
  return std::tie(a.half_10, a.full_10, a.half_100, a.full_100, a.half_1000, a.full_1000, a.pause,
                  a.asymmetric_pause, a.negotiates);
}

bool supports(const Abilities& a, Speed speed) {
  for (const Technology& t : kPriority) {
    if (t.mode.speed == speed && a.*t.ability) return true;
  }
  return false;
}

/// What a negotiating end finds by parallel detection (28.2.3.1), which exists for 10BASE-T and
/// 100BASE-TX only.
std::optional<LinkMode> detect(const Abilities& forced, const Abilities& negotiating) {
  for (const Technology& t : kPriority) {
    if (!(forced.*t.ability)) continue;
    const Speed speed = t.mode.speed;
    if (speed == Speed::k1000 || !supports(negotiating, speed)) return std::nullopt;
    return LinkMode{speed, false};
  }
  return std::nullopt;
}

}  // namespace

bool Abilities::operator==(const Abilities& o) const { return fields(*this) == fields(o); }

Abilities gigabit_abilities() {
  Abilities a;
  a.half_10 = a.full_10 = a.half_100 = a.full_100 = a.half_1000 = a.full_1000 = true;
  a.pause = true;
  return a;
}

std::optional<LinkMode> resolve(const Abilities& a, const Abilities& b) {
  if (a.negotiates != b.negotiates) return a.negotiates ? detect(b, a) : detect(a, b);
  for (const Technology& t : kPriority) {
    if (a.*t.ability && b.*t.ability) return t.mode;
  }
  return std::nullopt;
}

bool obeys_pause(const Abilities& own, const Abilities& other) {
  if (!own.negotiates || !other.negotiates || !own.pause) return false;
  return other.pause || (own.asymmetric_pause && other.asymmetric_pause);
}

}  // namespace e1000tlm::link
