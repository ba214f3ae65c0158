#include <algorithm>
#include <cstddef>
#include <set>
#include <sstream>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>

#include "e1000tlm/trace/history.h"
#include "e1000tlm/trace/recorder.h"
#include "e1000tlm/trace/settings.h"
#include "e1000tlm/trace/svg.h"

namespace e1000tlm::trace {
namespace {

Event event(Kind kind, Time at, Time end) {
  Event e;
  e.kind = kind;
  e.at = e.asked = at;
  e.end = end;
  return e;
}
Event event(Kind kind, Time at) { return event(kind, at, at); }

TEST(Filter, TakesNamesAndLeavesOut) {
  const Filter some = Filter::parse("bus,drops");
  EXPECT_TRUE(some.passes(Kind::kBus));
  EXPECT_TRUE(some.passes(Kind::kDrop));
  EXPECT_FALSE(some.passes(Kind::kFifo));
  const Filter others = Filter::parse("-bus");
  EXPECT_FALSE(others.passes(Kind::kBus));
  EXPECT_TRUE(others.passes(Kind::kFifo));
}

TEST(Filter, NamesWhatItDoesNotKnow) {
  for (const char* text : {"bus,foo", "", ",", "-"}) {
    EXPECT_THROW(Filter::parse(text), std::invalid_argument) << text;
  }
}

TEST(Window, TakesOneEndOrBoth) {
  Keep keep;
  parse_window("1us..2us", keep);
  EXPECT_EQ(keep.from, us(1));
  EXPECT_EQ(keep.until, us(2));
  keep = {};
  parse_window("1us..", keep);
  EXPECT_EQ(keep.until, kTimeNever);
  for (const char* text : {"..", "1us", "2us..1us", "1us..x"}) {
    EXPECT_THROW(parse_window(text, keep), std::invalid_argument) << text;
  }
}

TEST(Recorder, KeepsWhatTouchesTheWindowInOrderOfTime) {
  Keep keep;
  keep.from = us(10);
  keep.until = us(20);
  Recorder recorder(keep);
  recorder.record(event(Kind::kBus, us(19)));
  recorder.record(event(Kind::kBus, us(9), us(11)));
  recorder.record(event(Kind::kBus, us(5), us(9)));
  recorder.record(event(Kind::kBus, us(20)));
  const auto events = recorder.events();
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(events[0].at, us(9));
  EXPECT_EQ(events[1].at, us(19));
  EXPECT_EQ(recorder.left_out(), 0U);
}

TEST(Recorder, IsBoundedAndSaysWhatItLeftOut) {
  Keep keep;
  keep.most = 5000;
  Recorder recorder(keep);
  for (int i = 0; i < 20'000; ++i) recorder.record(event(Kind::kBus, us(i)));
  EXPECT_EQ(recorder.size(), 5000U);
  EXPECT_EQ(recorder.left_out(), 15'000U);
  EXPECT_EQ(recorder.events().back().at, us(4999));
}

TEST(Recorder, AsARingKeepsTheLatest) {
  Keep keep;
  keep.most = 5000;
  keep.last = us(100);
  Recorder recorder(keep);
  for (int i = 0; i < 20'000; ++i) recorder.record(event(Kind::kBus, us(i)));
  EXPECT_EQ(recorder.size(), 5000U);
  EXPECT_EQ(recorder.left_out(), 0U) << "the stretch that was wanted is whole";
  const auto events = recorder.events();
  EXPECT_EQ(events.size(), 101U);
  EXPECT_EQ(events.front().at, us(19'899));
}

TEST(Recorder, ARingTooSmallForItsStretchSaysSo) {
  Keep keep;
  keep.most = 50;
  keep.last = us(100);
  Recorder recorder(keep);
  for (int i = 0; i < 1000; ++i) recorder.record(event(Kind::kBus, us(i)));
  EXPECT_EQ(recorder.events().size(), 50U);
  EXPECT_GT(recorder.left_out(), 0U);
}

/// Events of 40,000 picoseconds, out of order by up to so many, and some from long before; those of
/// the same time keep their order.
void expect_order(const Keep& keep, std::uint32_t disorder) {
  Recorder recorder(keep);
  std::vector<Event> told;
  std::uint32_t random = 1;
  for (std::uint32_t i = 0; i < 40'000; ++i) {
    random = random * 1'664'525U + 1'013'904'223U;
    const bool late = i % 9973 == 9972;
    Event e = event(Kind::kBus, Time{late ? 7 : 100'000 + i - (random >> 8U) % disorder});
    e.end = e.at + us(i % 3 == 0 ? 5000 : 0);
    e.asked = e.at - Time{3};
    e.value = std::uint64_t{i} << 32U | i;
    e.nic = static_cast<std::uint16_t>(i % 5);
    e.board = static_cast<std::uint16_t>(i % 5 / 2);
    e.code = static_cast<std::uint8_t>(i % 7);
    e.command = pci::Command::kMemoryWrite;
    e.use = Use::kReceiveData;
    told.push_back(e);
    recorder.record(e);
  }
  if (keep.last) {
    told.erase(told.begin(), told.end() - static_cast<std::ptrdiff_t>(keep.most));
  } else if (told.size() > keep.most) {
    told.resize(keep.most);
  }
  std::stable_sort(told.begin(), told.end(),
                   [](const Event& a, const Event& b) { return a.at < b.at; });
  const std::vector<Event> kept = recorder.events();
  ASSERT_EQ(kept.size(), told.size());
  for (std::size_t i = 0; i < kept.size(); ++i) {
    const auto all = [](const Event& e) {
      return std::make_tuple(e.at, e.end, e.asked, e.value, e.bytes, e.nic, e.board, e.kind, e.code,
                             e.command, e.use);
    };
    ASSERT_EQ(all(kept[i]), all(told[i])) << i;
  }
}

TEST(Recorder, SortsByTimeWhateverTheOrderAndKeepsAllOfAnEvent) {
  for (const std::uint32_t disorder : {1U, 300U, 100'000U}) {
    SCOPED_TRACE(disorder);
    expect_order({}, disorder);
    Keep first;
    first.most = 10'001;
    expect_order(first, disorder);
    Keep ring = first;
    ring.last = us(1'000'000);
    expect_order(ring, disorder);
  }
}

TEST(Recorder, EndsWithTheFirstDrop) {
  Keep keep;
  keep.until_drop = true;
  keep.last = us(5);
  Recorder recorder(keep);
  for (int i = 0; i < 100; ++i) {
    recorder.record(event(i == 50 ? Kind::kDrop : Kind::kBus, us(i)));
  }
  const auto events = recorder.events();
  ASSERT_EQ(events.size(), 6U);
  EXPECT_EQ(events.front().at, us(45));
  EXPECT_EQ(events.back().kind, Kind::kDrop);
}

TEST(Recorder, KeepsNothingForListenersAlone) {
  Recorder recorder(std::nullopt);
  int heard = 0;
  recorder.listen([&](const Event&) { ++heard; });
  recorder.record(event(Kind::kBus, us(1)));
  EXPECT_EQ(heard, 1);
  EXPECT_EQ(recorder.size(), 0U);
}

TEST(Series, IsBoundedAndLosesNothing) {
  Series series;
  for (int i = 0; i < 100'000; ++i) series.add(us(i), 1);
  EXPECT_LE(series.values().size(), Series::kMost);
  double sum = 0;
  for (const double value : series.values()) sum += value;
  EXPECT_EQ(sum, 100'000);
  EXPECT_EQ(series.width(), us(512));
}

TEST(Series, ASpanIsSharedOut) {
  Series series;
  series.add_span(ns(500), ns(2250));
  ASSERT_EQ(series.values().size(), 3U);
  EXPECT_EQ(series.values()[0], 500'000);
  EXPECT_EQ(series.values()[1], 1'000'000);
  EXPECT_EQ(series.values()[2], 250'000);
}

TEST(Series, ALevelLastsUntilTheNext) {
  Series series(Series::Merge::kMost);
  series.add(us(3), 7);
  series.add(us(4000), 5);
  series.add(us(4100), 5);
  EXPECT_EQ(series.values().front(), 7);
  EXPECT_EQ(series.values().back(), 5);
}

TEST(Names, OfRegistersAndCauses) {
  EXPECT_EQ(register_name(0x3818), "TDT");
  EXPECT_EQ(register_name(0x00C0), "ICR");
  EXPECT_EQ(cause_names(0x81), "TXDW RXT0");
  EXPECT_EQ(cause_names(0), "none");
}

TEST(Svg, EscapesWhatOthersNamed) {
  EXPECT_EQ(escaped("<a href=\"x\">&'\x01"), "&lt;a href=&quot;x&quot;&gt;&amp;&#39;?");
}

TEST(Shell, QuotesWhatNeedsIt) {
  const char* words[] = {"e1000-sim", "--link", "pcap:in=a b.pcap", "it's", ""};
  EXPECT_EQ(shell_command(5, words), "e1000-sim --link 'pcap:in=a b.pcap' 'it'\\''s' ''");
}

}  // namespace
}  // namespace e1000tlm::trace
