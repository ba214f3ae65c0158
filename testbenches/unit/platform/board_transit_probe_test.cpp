#include <gtest/gtest.h>

#include "e1000tlm/board/transit_probe.h"

namespace e1000tlm::platform {
namespace {

link::FramePtr frame(std::uint8_t id, std::size_t size = 100) {
  link::FramePtr f = link::FramePool::shared().make(size);
  std::fill(f->bytes().begin(), f->bytes().end(), id);
  return f;
}

struct Bench {
  void in(const link::FramePtr& f, Time end) { cable.wire.emit({f.get(), end - us(1), end, 1}); }
  void out(const link::FramePtr& f, Time start) {
    cable.wire.emit({f.get(), start, start + us(1), 0});
  }
  link::Cable cable{"cable"};
  TransitProbe probe{cable, cable};
};

TEST(TransitProbe, MeasuresLastBitInToFirstBitOut) {
  Bench b;
  b.in(frame(1), us(10));
  b.out(frame(1), us(13));
  EXPECT_EQ(b.probe.latency().count(), 1U);
  EXPECT_EQ(b.probe.latency().max(), 3'000'000U);
}

TEST(TransitProbe, PassesOverFramesThatWereLostOnTheWay) {
  Bench b;
  b.in(frame(1), us(10));
  b.in(frame(2), us(12));
  b.out(frame(2), us(20));
  b.in(frame(3), us(30));
  b.out(frame(3), us(31));
  EXPECT_EQ(b.probe.latency().count(), 2U);
  EXPECT_EQ(b.probe.latency().max(), 8'000'000U);
}

TEST(TransitProbe, IgnoresFramesThatNeverCameIn) {
  Bench b;
  b.in(frame(1), us(10));
  b.out(frame(9), us(11));
  b.out(frame(1), us(12));
  EXPECT_EQ(b.probe.latency().count(), 1U);
  EXPECT_EQ(b.probe.latency().max(), 2'000'000U);
}

TEST(TransitProbe, EqualFramesAreMatchedInOrder) {
  Bench b;
  b.in(frame(1), us(10));
  b.in(frame(1), us(20));
  b.out(frame(1), us(25));
  b.out(frame(1), us(26));
  EXPECT_EQ(b.probe.latency().max(), 15'000'000U);
  EXPECT_EQ(b.probe.latency().min(), 6'000'000U);
}

TEST(TransitProbe, TinyFramesAndEndlessIngressDoNoHarm) {
  Bench b;
  b.out(frame(1, 3), us(1));
  for (int i = 0; i < 100'000; ++i) b.in(frame(static_cast<std::uint8_t>(i), 60), us(i));
  EXPECT_EQ(b.probe.latency().count(), 0U);
}

}  // namespace
}  // namespace e1000tlm::platform
