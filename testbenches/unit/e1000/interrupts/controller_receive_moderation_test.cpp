/// Thresholds, delay timers, gathering, small packets (rules RX-18, RX-31, RX-34 to RX-36).

#include "testbenches/unit/e1000/nic_rig.h"

namespace e1000tlm::e1000::test {
namespace {

constexpr std::uint32_t kPlain = rctl::kEn | rctl::kBam;
/// From a frame's arrival to its write-back, descriptors on chip: data, then the descriptor.
constexpr Time kStore = kMemoryLatency * 2;
/// From send() to arrival of 64 bytes.
constexpr Time kFlight = ns(576) + kPropagation;

void with_receiver(NicRig& rig, const std::function<void()>& script, std::uint32_t rctl = kPlain) {
  rig.run([&] {
    rig.bring_up();
    rig.setup_rx(8, rctl);
    rig.far.send(NicRig::frame(60));  // brings the descriptors on chip
    NicRig::wait_for(us(3));
    rig.read(reg::kIcr);
    rig.edges.clear();
    script();
  });
}
Time send(NicRig& rig, std::size_t size = 60) {
  rig.far.send(NicRig::frame(size));
  return sc_now();
}

TEST(ReceiveModeration, Rx34WithoutRdtrEachPacketInterrupts) {
  NicRig rig;
  with_receiver(rig, [&] {
    rig.write(reg::kIms, cause::kRxt0);
    const Time at = send(rig);
    NicRig::wait_for(us(5));
    ASSERT_EQ(rig.edges.size(), 1U);
    EXPECT_EQ(rig.edges[0].at, at + kFlight + kStore + kInterruptLatency);
    rig.read(reg::kIcr);
    NicRig::wait_for(us(1));
    send(rig);
    NicRig::wait_for(us(5));
    EXPECT_EQ(rig.nic.interrupts(), 2U);
  });
}

TEST(ReceiveModeration, Rx17DescriptorFollowsTheDataDdLast) {
  NicRig rig;
  with_receiver(rig, [&] {
    std::fill(rig.rx_buffer(1), rig.rx_buffer(1) + 64, std::uint8_t{0});
    const Time at = send(rig);
    NicRig::wait_for(at + kFlight + kMemoryLatency - ns(1) - sc_now());
    EXPECT_EQ(rig.rx_data(1, 4), (std::vector<std::uint8_t>{0, 0, 0, 0}));
    NicRig::wait_for(ns(2));
    EXPECT_EQ(rig.rx_data(1, 60), NicRig::frame(60));
    EXPECT_FALSE(rig.rx_done(1));
    NicRig::wait_for(kMemoryLatency);
    EXPECT_TRUE(rig.rx_done(1));
  });
}

TEST(ReceiveModeration, Rx34RdtrRestartsAndRadvDoesNot) {
  NicRig rig;
  with_receiver(rig, [&] {
    rig.write(reg::kRdtr, 10);  // 10.24 us
    rig.write(reg::kRadv, 20);  // 20.48 us
    rig.write(reg::kIms, cause::kRxt0);
    const Time first = send(rig);
    for (int i = 0; i < 3; ++i) {
      NicRig::wait_for(us(7));
      send(rig);
    }
    NicRig::wait_for(us(40));
    ASSERT_EQ(rig.edges.size(), 1U);
    EXPECT_EQ(rig.edges[0].at, first + kFlight + kStore + ns(20'480) + kInterruptLatency);
  });
}

TEST(ReceiveModeration, Rx34RdtrAloneExpiresAfterTheLastPacket) {
  NicRig rig;
  with_receiver(rig, [&] {
    rig.write(reg::kRdtr, 10);
    rig.write(reg::kIms, cause::kRxt0);
    send(rig);
    NicRig::wait_for(us(8));
    const Time last = send(rig);
    NicRig::wait_for(us(40));
    ASSERT_EQ(rig.edges.size(), 1U);
    EXPECT_EQ(rig.edges[0].at, last + kFlight + kStore + ns(10'240) + kInterruptLatency);
    EXPECT_EQ(rig.nic.interrupts(), 1U);
  });
}

TEST(ReceiveModeration, Rx34RadvWithoutRdtrDoesNothing) {
  NicRig rig;
  with_receiver(rig, [&] {
    rig.write(reg::kRadv, 100);
    rig.write(reg::kIms, cause::kRxt0);
    const Time at = send(rig);
    NicRig::wait_for(us(5));
    ASSERT_EQ(rig.edges.size(), 1U);
    EXPECT_EQ(rig.edges[0].at, at + kFlight + kStore + kInterruptLatency);
    rig.read(reg::kIcr);
    NicRig::wait_for(us(200));
    EXPECT_EQ(rig.nic.interrupts(), 1U);
  });
}

TEST(ReceiveModeration, Rx34RdtrIsAbsoluteOnThe82544) {
  NicRig rig(Part::k82544gc);
  with_receiver(rig, [&] {
    rig.write(reg::kRdtr, 10);
    rig.write(reg::kIms, cause::kRxt0);
    const Time first = send(rig);
    NicRig::wait_for(us(8));
    send(rig);
    NicRig::wait_for(us(40));
    ASSERT_EQ(rig.edges.size(), 1U);
    EXPECT_EQ(rig.edges[0].at, first + kFlight + kStore + ns(10'240) + kInterruptLatency);
  });
}

TEST(ReceiveModeration, Rx35FpdFlushesAtOnce) {
  NicRig rig;
  with_receiver(rig, [&] {
    rig.write(reg::kRxdctl, dctl::kGran | 8U << dctl::kWthreshShift);
    rig.write(reg::kRdtr, 0xFFFF);
    send(rig);
    NicRig::wait_for(us(5));
    EXPECT_FALSE(rig.rx_done(1));
    EXPECT_EQ(rig.peek(reg::kIcr), 0U);
    rig.write(reg::kRdtr, rdtr::kFpd | 0xFFFF);
    NicRig::wait_for(kMemoryLatency + ns(1));
    EXPECT_TRUE(rig.rx_done(1));
    EXPECT_EQ(rig.read(reg::kIcr), cause::kRxt0);
    EXPECT_EQ(rig.read(reg::kRdh), 2U);
    NicRig::wait_for(ms(80));
    EXPECT_EQ(rig.read(reg::kIcr), 0U);  // the timer was stopped
  });
}

TEST(ReceiveModeration, Rx18GathersWhileTheTimerRuns) {
  NicRig rig;
  with_receiver(rig, [&] {
    rig.write(reg::kRxdctl, dctl::kGran | 3U << dctl::kWthreshShift);
    rig.write(reg::kRdtr, 100);  // 102.4 us
    for (int i = 0; i < 2; ++i) send(rig);
    NicRig::wait_for(us(5));
    EXPECT_FALSE(rig.rx_done(1));
    EXPECT_EQ(rig.read(reg::kRdh), 1U);  // RX-11: moves with the write-back
    send(rig);
    NicRig::wait_for(us(3));
    for (std::uint32_t i = 1; i < 4; ++i) EXPECT_TRUE(rig.rx_done(i)) << i;
    EXPECT_EQ(rig.read(reg::kRdh), 4U);
    EXPECT_EQ(rig.read(reg::kIcr) & cause::kRxt0, 0U);
    send(rig);
    const Time last = sc_now();
    NicRig::wait_for(us(103) + kFlight);
    EXPECT_EQ(rig.read(reg::kIcr), cause::kRxt0);
    EXPECT_TRUE(rig.rx_done(4));
    EXPECT_LT(last, sc_now());
  });
}

TEST(ReceiveModeration, Rx18GatheringEndsAtTheRingsEndAndWhenItRunsDry) {
  NicRig rig;
  std::fill(rig.rx_descriptor(8), rig.rx_descriptor(40), std::uint8_t{0xA5});
  with_receiver(rig, [&] {
    rig.write(reg::kRxdctl, dctl::kGran | 60U << dctl::kWthreshShift);
    rig.write(reg::kRdtr, 0xFFFF);
    for (int i = 0; i < 6; ++i) send(rig);  // 1 to 6: 7 is the tail
    NicRig::wait_for(us(20));
    EXPECT_EQ(rig.read(reg::kRdh), 7U);
    rig.write(reg::kRdt, 5);
    for (int i = 0; i < 3; ++i) send(rig);  // 7, 0, 1
    NicRig::wait_for(us(20));
    EXPECT_EQ(rig.read(reg::kRdh), 0U);
    EXPECT_TRUE(rig.rx_done(7));
  });
  for (const std::uint8_t* p = rig.rx_descriptor(8); p != rig.rx_descriptor(40); ++p) {
    ASSERT_EQ(*p, 0xA5) << "written beyond the ring";
  }
}

class Threshold : public ::testing::TestWithParam<std::pair<std::uint32_t, std::uint32_t>> {};

TEST_P(Threshold, Rx31Rxdmt0OncePerCrossing) {
  const auto [code, left] = GetParam();
  NicRig rig;
  rig.run([&, code = code, left = left] {
    rig.bring_up();
    rig.setup_rx(16, kPlain | code << rctl::kRdmtsShift);  // 15 free
    for (std::uint32_t free = 14; free + 1 != 0; --free) {
      send(rig);
      NicRig::wait_for(us(2));
      EXPECT_EQ((rig.read(reg::kIcr) & cause::kRxdmt0) != 0, free == left) << free;
    }
    rig.write(reg::kRdt, 14);  // 15 free again: re-armed, and no cause by itself
    NicRig::wait_for(us(2));
    EXPECT_EQ(rig.read(reg::kIcr) & cause::kRxdmt0, 0U);
    for (std::uint32_t free = 14; free + 1 != 0; --free) {
      send(rig);
      NicRig::wait_for(us(2));
      EXPECT_EQ((rig.read(reg::kIcr) & cause::kRxdmt0) != 0, free == left) << free;
    }
  });
}
INSTANTIATE_TEST_SUITE_P(ReceiveModeration, Threshold,
                         ::testing::Values(std::pair<std::uint32_t, std::uint32_t>{0, 8},
                                           std::pair<std::uint32_t, std::uint32_t>{1, 4},
                                           std::pair<std::uint32_t, std::uint32_t>{2, 2}));

TEST(ReceiveModeration, Rx36SmallPacketsInterruptAtOnce) {
  NicRig rig;
  with_receiver(rig, [&] {
    rig.write(reg::kRsrpd, 64);
    rig.write(reg::kRdtr, 1000);
    const Time at = send(rig);
    NicRig::wait_for(at + kFlight + kStore + ns(1) - sc_now());
    EXPECT_EQ(rig.read(reg::kIcr), cause::kSrpd | cause::kRxt0);
    send(rig, 61);
    NicRig::wait_for(us(5));
    EXPECT_EQ(rig.read(reg::kIcr) & (cause::kSrpd | cause::kRxt0), 0U);
  });
}

TEST(ReceiveModeration, Rx36NoSmallPacketDetectionOnThe82544) {
  NicRig rig(Part::k82544gc);
  with_receiver(rig, [&] {
    rig.write(reg::kRsrpd, 64);
    send(rig);
    NicRig::wait_for(us(5));
    EXPECT_EQ(rig.read(reg::kIcr), cause::kRxt0);
  });
}

TEST(ReceiveModeration, DelayedInterruptDoesNotWaitForABusyEngine) {
  RigOptions options;
  options.memory_latency = us(30);
  NicRig rig(options);
  rig.run([&] {
    rig.bring_up();
    rig.setup_rx(8, kPlain);
    rig.write(reg::kRdtr, 10);
    rig.write(reg::kIms, cause::kRxt0);
    const Time at = send(rig);
    rig.far.send(NicRig::frame(60), sc_now() + us(85));
    NicRig::wait_for(us(200));
    ASSERT_GE(rig.edges.size(), 1U);
    // Fetch, data, descriptor; then the timer, while the second frame's data is on the bus.
    EXPECT_EQ(rig.edges[0].at, at + kFlight + us(90) + ns(10'240) + kInterruptLatency);
  });
}

}  // namespace
}  // namespace e1000tlm::e1000::test
