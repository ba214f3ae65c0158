#include "e1000tlm/link/sent_log.h"

#include <gtest/gtest.h>

namespace e1000tlm::link {
namespace {

void note(SentLog& log, Time last_bit, std::size_t wire_bytes) {
  if (log.full()) log.forget_until(kTimeZero);
  log.note(last_bit, wire_bytes);
}

TEST(SentLog, TheNewestIsGivenBackFirst) {
  SentLog log;
  EXPECT_TRUE(log.empty());
  note(log, ns(10), 64);
  note(log, ns(20), 1518);
  EXPECT_EQ(log.back().last_bit, ns(20));
  EXPECT_EQ(log.back().wire_bytes, 1518U);
  log.pop_back();
  EXPECT_EQ(log.back().last_bit, ns(10));
  log.pop_back();
  EXPECT_TRUE(log.empty());
}

TEST(SentLog, KnowsHowManyHaveNotArrived) {
  SentLog log;
  for (int i = 1; i <= 5; ++i) note(log, ns(10 * i), 64);
  EXPECT_EQ(log.after(kTimeZero), 5U);
  EXPECT_EQ(log.after(ns(20)), 3U) << "what ends now has arrived";
  EXPECT_EQ(log.after(ns(50)), 0U);
}

TEST(SentLog, ForgetsWhatHasArrivedAndNothingElse) {
  SentLog log;
  for (int i = 1; i <= 5; ++i) note(log, ns(10 * i), 64);
  log.forget_until(ns(30));
  EXPECT_EQ(log.after(kTimeZero), 2U);
  log.forget_until(ns(50));
  EXPECT_TRUE(log.empty());
}

/// Whatever the number under way, and wherever in its ring it stands.
TEST(SentLog, GrowsWithoutLosingAnything) {
  SentLog log;
  int sent = 0, arrived = 0;
  const auto send = [&](int frames) {
    for (int i = 0; i < frames; ++i) {
      ++sent;
      if (log.full()) log.forget_until(ns(arrived));
      log.note(ns(sent), static_cast<std::size_t>(sent));
    }
  };
  send(50);
  arrived = 40;
  log.forget_until(ns(arrived));  // the ring's beginning is in its middle now
  send(1000);
  for (; sent != arrived; --sent) {
    ASSERT_FALSE(log.empty());
    EXPECT_EQ(log.back().last_bit, ns(sent));
    EXPECT_EQ(log.back().wire_bytes, static_cast<std::size_t>(sent));
    log.pop_back();
  }
  EXPECT_TRUE(log.empty());
}

TEST(SentLog, StaysSmallWhileFramesArrive) {
  SentLog log;
  unsigned looks = 0;
  for (int i = 1; i <= 10'000; ++i) {
    if (log.full()) {
      ++looks;
      log.forget_until(ns(i - 10));
    }
    log.note(ns(i), 64);
  }
  EXPECT_GT(looks, 100U) << "it would have grown otherwise";
  EXPECT_EQ(log.after(ns(9'990)), 10U);
}

}  // namespace
}  // namespace e1000tlm::link
