#include "e1000tlm/link/wire.h"

#include <gtest/gtest.h>

namespace e1000tlm::link {
namespace {

Abilities forced(bool Abilities::*ability) {
  Abilities a;
  a.*ability = true;
  a.negotiates = false;
  return a;
}

TEST(Wire, SerialisationCountsPreambleToFcs) {
  // 64 + 8 bytes; the minimal frame's slot of 84 byte times includes the gap.
  EXPECT_EQ(serialisation(64, Speed::k1000), ns(576));
  EXPECT_EQ(serialisation(64, Speed::k100), ns(5'760));
  EXPECT_EQ(serialisation(64, Speed::k10), ns(57'600));
  EXPECT_EQ(serialisation(1518, Speed::k1000), ns(12'208));
}

TEST(Resolve, TakesTheBestCommonModeInTheOrderOfAnnex28B) {
  struct Step {
    bool Abilities::*ability;
    LinkMode expected;
  };
  // Taking away the best common ability each time uncovers the next.
  const Step steps[] = {
      {&Abilities::full_1000, {Speed::k1000, true}}, {&Abilities::half_1000, {Speed::k1000, false}},
      {&Abilities::full_100, {Speed::k100, true}},   {&Abilities::half_100, {Speed::k100, false}},
      {&Abilities::full_10, {Speed::k10, true}},     {&Abilities::half_10, {Speed::k10, false}}};
  Abilities a = gigabit_abilities();
  const Abilities b = gigabit_abilities();
  for (const Step& step : steps) {
    ASSERT_EQ(resolve(a, b), step.expected);
    ASSERT_EQ(resolve(b, a), step.expected);
    a.*step.ability = false;
  }
  EXPECT_EQ(resolve(a, b), std::nullopt);
}

TEST(Resolve, NothingInCommon) {
  Abilities a;
  a.full_10 = true;
  Abilities b;
  b.full_100 = true;
  EXPECT_EQ(resolve(a, b), std::nullopt);
}

TEST(Resolve, ParallelDetectionFindsHalfDuplex) {
  EXPECT_EQ(resolve(forced(&Abilities::full_100), gigabit_abilities()),
            (LinkMode{Speed::k100, false}));
  EXPECT_EQ(resolve(gigabit_abilities(), forced(&Abilities::half_10)),
            (LinkMode{Speed::k10, false}));
}

TEST(Resolve, GigabitHasNoParallelDetection) {
  EXPECT_EQ(resolve(forced(&Abilities::full_1000), gigabit_abilities()), std::nullopt);
}

TEST(Resolve, ParallelDetectionNeedsTheSpeedAtBothEnds) {
  Abilities only_gigabit;
  only_gigabit.full_1000 = true;
  EXPECT_EQ(resolve(forced(&Abilities::half_100), only_gigabit), std::nullopt);
  Abilities silent;
  silent.negotiates = false;
  EXPECT_EQ(resolve(silent, gigabit_abilities()), std::nullopt);
}

TEST(Resolve, TwoForcedEndsMeetIfTheyAreForcedAlike) {
  EXPECT_EQ(resolve(forced(&Abilities::full_100), forced(&Abilities::full_100)),
            (LinkMode{Speed::k100, true}));
  EXPECT_EQ(resolve(forced(&Abilities::full_100), forced(&Abilities::half_100)), std::nullopt);
}

TEST(Abilities, CompareEveryField) {
  Abilities b = gigabit_abilities();
  EXPECT_EQ(gigabit_abilities(), b);
  b.asymmetric_pause = true;
  EXPECT_NE(gigabit_abilities(), b);
  b = gigabit_abilities();
  b.negotiates = false;
  EXPECT_NE(gigabit_abilities(), b);
}

/// IEEE 802.3 table 28B-3, from the receiver of PAUSE.
TEST(Abilities, SayWhoObeysPause) {
  const auto obeys = [](bool pause, bool asymmetric, bool other_pause, bool other_asymmetric) {
    Abilities own = gigabit_abilities();
    Abilities other = gigabit_abilities();
    own.pause = pause;
    own.asymmetric_pause = asymmetric;
    other.pause = other_pause;
    other.asymmetric_pause = other_asymmetric;
    return obeys_pause(own, other);
  };
  for (const bool own_asymmetric : {false, true}) {
    for (const bool other_asymmetric : {false, true}) {
      EXPECT_TRUE(obeys(true, own_asymmetric, true, other_asymmetric));
      EXPECT_FALSE(obeys(false, own_asymmetric, true, other_asymmetric));
      EXPECT_FALSE(obeys(false, own_asymmetric, false, other_asymmetric));
      EXPECT_EQ(obeys(true, own_asymmetric, false, other_asymmetric),
                own_asymmetric && other_asymmetric);
    }
  }
  Abilities silent = gigabit_abilities();
  silent.negotiates = false;
  EXPECT_FALSE(obeys_pause(silent, gigabit_abilities()));
  EXPECT_FALSE(obeys_pause(gigabit_abilities(), silent));
}

}  // namespace
}  // namespace e1000tlm::link
