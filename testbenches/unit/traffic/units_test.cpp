#include "e1000tlm/traffic/units.h"

#include <stdexcept>

#include <gtest/gtest.h>

namespace e1000tlm::traffic {
namespace {

TEST(ParseTime, KnowsEveryUnit) {
  EXPECT_EQ(parse_time("10us"), us(10));
  EXPECT_EQ(parse_time("1.5ms"), us(1500));
  EXPECT_EQ(parse_time("7 ns"), ns(7));
  EXPECT_EQ(parse_time("250ps"), Time{250});
  EXPECT_EQ(parse_time("2s"), ms(2000));
  EXPECT_EQ(parse_time("1min"), ms(60'000));
  EXPECT_EQ(parse_time("0"), kTimeZero);
}

TEST(ParseTime, RefusesWhatIsNoTimeAndNamesIt) {
  for (const char* text : {"", "10", "us", "-1us", "1e3us", "0x10us", "1.2.3us", "10 parsecs",
                           "nan", "inf", "999999999min", ".", ".us", "1us "}) {
    try {
      parse_time(text);
      ADD_FAILURE() << "accepted '" << text << "'";
    } catch (const std::invalid_argument& error) {
      EXPECT_NE(std::string(error.what()).find(std::string("'") + text + "'"), std::string::npos);
    }
  }
}

TEST(ParseSize, TellsDecimalFromBinary) {
  EXPECT_EQ(parse_size("1500"), 1500U);
  EXPECT_EQ(parse_size("64MiB"), 67108864U);
  EXPECT_EQ(parse_size("64M"), 67108864U);
  EXPECT_EQ(parse_size("64MB"), 64000000U);
  EXPECT_EQ(parse_size("0.5k"), 512U);
}

TEST(ParseSize, RefusesFractionsOfBytesAndNonsense) {
  for (const char* text : {"", "k", "1.5", "-5", "12 apples", "99999999G"}) {
    EXPECT_THROW(parse_size(text), std::invalid_argument) << text;
  }
}

TEST(ParseRate, KnowsBitsFramesAndLine) {
  EXPECT_EQ(parse_rate("line").kind, Rate::Kind::kLine);
  EXPECT_EQ(parse_rate("1Gbit/s").kind, Rate::Kind::kBits);
  EXPECT_EQ(parse_rate("1Gbit/s").per_second, 1'000'000'000U);
  EXPECT_EQ(parse_rate("100Mbps").per_second, 100'000'000U);
  EXPECT_EQ(parse_rate("1.488Mfps").kind, Rate::Kind::kFrames);
  EXPECT_EQ(parse_rate("1.488Mfps").per_second, 1'488'000U);
  EXPECT_EQ(parse_rate("10kfps").per_second, 10'000U);
  EXPECT_EQ(parse_rate("500 frames/s").per_second, 500U);
}

TEST(ParseRate, RefusesNonsense) {
  for (const char* text :
       {"", "fast", "1", "1G", "0fps", "0.2bps", "10kilofps", "line2", "-1fps"}) {
    EXPECT_THROW(parse_rate(text), std::invalid_argument) << text;
  }
}

TEST(Pacer, GigabitOfSmallestFramesIsOneFramePer672ns) {
  Pacer pacer(parse_rate("1Gbit/s"));
  for (int i = 0; i < 1000; ++i) pacer.sent(64);
  EXPECT_EQ(pacer.due(), ns(672'000));  // (64 + 20) * 8 ns
}

TEST(Pacer, CarriesRemaindersSoThatThirdsDoNotDrift) {
  Pacer pacer(parse_rate("3fps"));
  for (int i = 0; i < 3; ++i) pacer.sent(64);
  EXPECT_EQ(pacer.due(), ms(1000));
}

TEST(Pacer, LineRateIsAlwaysDue) {
  Pacer pacer(Rate{});
  pacer.sent(1518);
  EXPECT_EQ(pacer.due(), kTimeZero);
}

TEST(Format, ReadsWell) {
  EXPECT_EQ(format_time(us(1250)), "1.25 ms");
  EXPECT_EQ(format_time(ns(12)), "12.0 ns");
  EXPECT_EQ(format_time(kTimeZero), "0 s");
  EXPECT_EQ(format_bit_rate(941.4e6), "941 Mbit/s");
  EXPECT_EQ(format_rate(1.488e6, "frames/s"), "1.49 Mframes/s");
  EXPECT_EQ(format_count(0), "0");
  EXPECT_EQ(format_count(1234567), "1,234,567");
}

}  // namespace
TEST(Pacer, StopsWhereSimulatedTimeEnds) {
  Pacer pacer(parse_rate("1bit/s"));
  Time last = pacer.due();
  for (int i = 0; i < 1000; ++i) {
    pacer.sent(16114);
    ASSERT_GE(pacer.due(), last) << i;
    last = pacer.due();
  }
  EXPECT_EQ(last, kTimeNever);
}

}  // namespace e1000tlm::traffic
