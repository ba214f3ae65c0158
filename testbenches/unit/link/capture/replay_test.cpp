#include "e1000tlm/link/capture/replay.h"

#include <memory>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "testbenches/unit/link/capture/capture_fixture.h"
#include "testbenches/unit/link/capture/read_all.h"

namespace e1000tlm::link {
namespace {

using test::add_record;
using test::Bytestream;
using test::filled;
using test::pcap_header;

constexpr std::uint32_t kYear = 365 * 86'400;
constexpr Pace kRecorded{Pace::Kind::kRecorded, 0};

/// Of a capture with frames of this second each, their first bytes being 1, 2, 3 ...
class Bench {
 public:
  Bench(const std::vector<std::uint32_t>& seconds, Pace pace, double scale = 1,
        std::uint64_t passes = 1)
      : content_(pcap_header()) {
    std::uint8_t number = 0;
    for (const std::uint32_t second : seconds)
      add_record(content_, second, 0, filled(60, ++number));
    auto reader = std::make_unique<PcapReader>(std::make_unique<MemorySource>(content_.bytes()),
                                               "capture", PcapReader::Options{});
    replay = std::make_unique<Replay>(std::move(reader), pace, scale, passes);
  }
  /// Fetches the next frame, which must be this one, due at this time.
  void expect(std::uint8_t first_byte, Time due) const {
    ASSERT_TRUE(replay->fetch());
    EXPECT_EQ(replay->frame()->data()[0], first_byte);
    EXPECT_EQ(replay->due(), due);
  }
  void send(Time done) const { replay->sent(done, 64); }

 private:
  Bytestream content_;

 public:
  std::unique_ptr<Replay> replay;
};

TEST(Replay, TimesDoNotMatterAtAPaceOfItsOwn) {
  const Bench bench({0, 3 * kYear}, {Pace::Kind::kLine, 0});
  bench.expect(1, kTimeZero);
  bench.send(us(1));
  bench.expect(2, kTimeZero);
  bench.send(us(2));
  EXPECT_FALSE(bench.replay->fetch());
  EXPECT_TRUE(bench.replay->finished());
}

TEST(Replay, RecordedTimesBeyondTheSimulationAreErrorsThatSayWhatHelps) {
  const Bench bench({1'000, 1'000 + 3 * kYear}, kRecorded);
  bench.expect(1, kTimeZero);
  bench.send(us(1));
  EXPECT_THAT(test::error_of([&] { bench.replay->fetch(); }),
              ::testing::AllOf(::testing::HasSubstr("record 2"), ::testing::HasSubstr("100 days"),
                               ::testing::HasSubstr("pace=line"), ::testing::HasSubstr("scale=")));
  EXPECT_FALSE(bench.replay->ready());
  const Bench scaled({1'000, 1'000 + 3 * kYear}, kRecorded, 1e3);
  scaled.expect(1, kTimeZero);
  scaled.send(us(1));
  scaled.expect(2, ms(std::int64_t{3} * kYear));
}

TEST(Replay, TimesFarBackDoNoHarm) {
  const Bench bench({4'000'000'000, 0}, kRecorded);
  bench.expect(1, kTimeZero);
  bench.send(us(1));
  bench.expect(2, kTimeZero);
}

TEST(Replay, PassesFollowEachOther) {
  const Bench bench({5, 6}, kRecorded, 1, 2);
  bench.expect(1, kTimeZero);
  bench.send(us(1));
  bench.expect(2, ms(1'000));
  bench.send(ms(1'000) + us(1));
  EXPECT_FALSE(bench.replay->finished());
  bench.expect(1, ms(1'000) + us(1));
  bench.send(ms(1'000) + us(2));
  bench.expect(2, ms(2'000) + us(1));
  bench.send(ms(2'000) + us(2));
  bench.replay->look_ahead();
  EXPECT_TRUE(bench.replay->finished());
}

TEST(Replay, AFrameTakenBackIsSentAgainThenTheOnesBehindIt) {
  const Bench bench({5, 6, 8}, kRecorded);
  bench.expect(1, kTimeZero);
  bench.send(us(1));
  bench.expect(2, ms(1'000));
  bench.send(ms(1'000) + us(1));
  bench.expect(3, ms(3'000));  // known already
  bench.replay->take_back();
  bench.expect(2, ms(1'000));
  bench.send(ms(1'500));
  bench.expect(3, ms(3'000));
  bench.send(ms(3'001));
  bench.replay->look_ahead();
  EXPECT_TRUE(bench.replay->finished());
  bench.replay->take_back();
  EXPECT_FALSE(bench.replay->finished());
  bench.expect(3, ms(3'000));
}

TEST(Replay, AFrameTakenBackAtTheEndOfAPassMovesTheNextPass) {
  const Bench bench({5, 6}, kRecorded, 1, 2);
  bench.expect(1, kTimeZero);
  bench.send(us(1));
  bench.expect(2, ms(1'000));
  bench.send(ms(1'001));
  bench.expect(1, ms(1'001));
  bench.replay->take_back();
  bench.expect(2, ms(1'000));
  bench.send(ms(1'500));
  bench.expect(1, ms(1'500));
}

}  // namespace
}  // namespace e1000tlm::link
