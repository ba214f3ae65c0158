#include "e1000tlm/link/capture/pace.h"

#include <stdexcept>

#include <gtest/gtest.h>

namespace e1000tlm::link {
namespace {

TEST(Pace, ParsesWordsAndRates) {
  EXPECT_EQ(Pace::parse("recorded").kind, Pace::Kind::kRecorded);
  EXPECT_EQ(Pace::parse("line").kind, Pace::Kind::kLine);
  const auto expect = [](const char* text, Pace::Kind kind, std::uint64_t rate) {
    const Pace pace = Pace::parse(text);
    EXPECT_EQ(pace.kind, kind) << text;
    EXPECT_EQ(pace.rate, rate) << text;
  };
  expect("100Mbit/s", Pace::Kind::kBits, 100'000'000);
  expect("1.5Gbps", Pace::Kind::kBits, 1'500'000'000);
  expect("9600bit/s", Pace::Kind::kBits, 9'600);
  expect("10kfps", Pace::Kind::kFrames, 10'000);
  expect("7frames/s", Pace::Kind::kFrames, 7);
}

TEST(Pace, RefusesWhatItCannotRead) {
  for (const char* text :
       {"", "fast", "100", "Mbit/s", "100Mbit", "100mbit/s", "0bit/s", "1.2.3kfps", ".kfps",
        "-5fps", "10kkfps", "9999Gfps", "0.2fps", "1e9bit/s"}) {
    EXPECT_THROW(Pace::parse(text), std::invalid_argument) << text;
  }
}

TEST(RateClock, LosesNoFractions) {
  RateClock clock(3);  // a third of a second each
  Time sum{};
  for (int i = 0; i < 3; ++i) sum += clock.advance(1);
  EXPECT_EQ(sum, ms(1'000));
  EXPECT_EQ(RateClock(100'000'000).advance(512), ns(5'120));
}

}  // namespace
}  // namespace e1000tlm::link
