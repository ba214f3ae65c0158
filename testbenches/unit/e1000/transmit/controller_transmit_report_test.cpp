/// Write-back, TXDW, delay timers, thresholds (rules TX-3, TX-8, TX-37, TX-38).

#include "e1000tlm/e1000/transmit/transmit_engine.h"
#include "testbenches/unit/e1000/nic_rig.h"

namespace e1000tlm::e1000::test {
namespace {

constexpr std::uint8_t kWhole = tx_cmd::kEop | tx_cmd::kIfcs | tx_cmd::kRs;
constexpr std::uint8_t kDelayed = kWhole | tx_cmd::kIde;
constexpr std::uint8_t kSilent = tx_cmd::kEop | tx_cmd::kIfcs;

void with_transmitter(NicRig& rig, const std::function<void()>& script, std::uint32_t entries = 8) {
  rig.run([&] {
    rig.bring_up();
    rig.setup_tx(entries);
    rig.edges.clear();
    script();
  });
}
void put(NicRig& rig, std::uint32_t i, std::uint8_t command) {
  rig.put_legacy(i, NicRig::frame(60), command);
}

/// Descriptor fetch, data fetch, write-back: three bus accesses.
constexpr Time kOneFrame = kMemoryLatency * 3;

TEST(TransmitReport, Tx37TxdwAtTheWriteBack) {
  NicRig rig;
  with_transmitter(rig, [&] {
    rig.write(reg::kIms, cause::kTxdw);
    put(rig, 0, kWhole);
    const Time start = sc_now();
    rig.write(reg::kTdt, 1);
    NicRig::wait_for(kOneFrame - ns(1));
    EXPECT_FALSE(rig.tx_done(0));
    EXPECT_EQ(rig.peek(reg::kIcr), 0U);
    NicRig::wait_for(ns(2));
    EXPECT_TRUE(rig.tx_done(0));
    EXPECT_EQ(rig.peek(reg::kIcr) & cause::kTxdw, cause::kTxdw);
    NicRig::wait_for(us(1));
    ASSERT_EQ(rig.edges.size(), 1U);
    EXPECT_EQ(rig.edges[0].at, start + kOneFrame + kInterruptLatency);
  });
}

TEST(TransmitReport, Tx3OnlyRsIsReportedAndRpsOnTheOldPartOnly) {
  NicRig rig;
  with_transmitter(rig, [&] {
    put(rig, 0, kSilent);
    put(rig, 1, kSilent | tx_cmd::kRps);
    rig.write(reg::kTdt, 2);
    NicRig::wait_for(us(5));
    EXPECT_EQ(rig.read(reg::kTdh), 2U);
    EXPECT_FALSE(rig.tx_done(0));
    EXPECT_FALSE(rig.tx_done(1));
    EXPECT_EQ(rig.read(reg::kIcr), cause::kTxqe | cause::kTxdLow);
  });
}

TEST(TransmitReport, Tx3RpsReportsOnThe82544) {
  NicRig rig(Part::k82544gc);
  with_transmitter(rig, [&] {
    put(rig, 0, kSilent | tx_cmd::kRps);
    rig.write(reg::kTdt, 1);
    NicRig::wait_for(us(5));
    EXPECT_TRUE(rig.tx_done(0));
    EXPECT_EQ(rig.read(reg::kIcr), cause::kTxqe | cause::kTxdw);  // no TXD_LOW there
  });
}

TEST(TransmitReport, Tx3OnlyTheStatusFieldChanges) {
  NicRig rig;
  with_transmitter(rig, [&] {
    put(rig, 0, kWhole);
    std::vector<std::uint8_t> expected(rig.tx_descriptor(0), rig.tx_descriptor(0) + 16);
    expected[12] |= tx_status::kDd;
    rig.write(reg::kTdt, 1);
    NicRig::wait_for(us(5));
    EXPECT_EQ(std::vector<std::uint8_t>(rig.tx_descriptor(0), rig.tx_descriptor(0) + 16), expected);
  });
}

TEST(TransmitReport, Tx5ContextDescriptorsReportToo) {
  NicRig rig;
  with_transmitter(rig, [&] {
    rig.put_context(0, TxContext{}, tx_cmd::kRs);
    rig.write(reg::kTdt, 1);
    NicRig::wait_for(us(5));
    EXPECT_TRUE(rig.tx_done(0));
    EXPECT_EQ(rig.read(reg::kTdh), 1U);
  });
}

TEST(TransmitReport, Tx38TxqeOnceWhenTheRingHasRunEmpty) {
  NicRig rig;
  with_transmitter(rig, [&] {
    for (std::uint32_t i = 0; i < 3; ++i) put(rig, i, kSilent);
    rig.write(reg::kTdt, 3);
    NicRig::wait_for(kMemoryLatency * 3 + ns(1));  // fetch and two frames
    EXPECT_EQ(rig.read(reg::kIcr) & cause::kTxqe, 0U);
    NicRig::wait_for(kMemoryLatency);
    EXPECT_EQ(rig.read(reg::kIcr) & cause::kTxqe, cause::kTxqe);
    NicRig::wait_for(us(50));
    EXPECT_EQ(rig.read(reg::kIcr), 0U);
  });
}

TEST(TransmitReport, Tx37TidvRestartsWithEachPacketAndTadvDoesNot) {
  NicRig rig;
  with_transmitter(rig, [&] {
    rig.write(reg::kTidv, 10);  // 10.24 us
    rig.write(reg::kTadv, 20);  // 20.48 us
    rig.write(reg::kIms, cause::kTxdw);
    Time first{}, last{};
    for (std::uint32_t i = 0; i < 4; ++i) {  // every 7 us: at 0, 7, 14, 21
      put(rig, i, kDelayed);
      last = sc_now();
      if (i == 0) first = last;
      rig.write(reg::kTdt, i + 1);
      NicRig::wait_for(us(7));
    }
    NicRig::wait_for(us(50));
    // By the absolute timer after the third packet, then by the packet timer after the fourth.
    ASSERT_EQ(rig.edges.size(), 1U);  // still asserted: nobody read ICR
    EXPECT_EQ(rig.edges[0].at, first + kOneFrame + ns(20'480) + kInterruptLatency);
    rig.read(reg::kIcr);
    NicRig::wait_for(us(50));
    EXPECT_EQ(rig.nic.interrupts(), 1U);
  });
}

TEST(TransmitReport, Tx37TidvExpiresExactly) {
  NicRig rig;
  with_transmitter(rig, [&] {
    rig.write(reg::kTidv, 10);
    rig.write(reg::kIms, cause::kTxdw);
    put(rig, 0, kDelayed);
    put(rig, 1, kDelayed);
    const Time start = sc_now();
    rig.write(reg::kTdt, 2);
    NicRig::wait_for(us(30));
    // The second descriptor came with the same fetch: two more accesses.
    ASSERT_EQ(rig.edges.size(), 1U);
    EXPECT_EQ(rig.edges[0].at,
              start + kOneFrame + 2 * kMemoryLatency + ns(10'240) + kInterruptLatency);
  });
}

TEST(TransmitReport, Tx37PacketWithoutIdeReportsAtOnceAndStopsTheTimers) {
  NicRig rig;
  with_transmitter(rig, [&] {
    rig.write(reg::kTidv, 10);
    rig.write(reg::kTadv, 20);
    rig.write(reg::kIms, cause::kTxdw);
    put(rig, 0, kDelayed);
    put(rig, 1, kWhole);
    const Time start = sc_now();
    rig.write(reg::kTdt, 2);
    NicRig::wait_for(us(2));
    ASSERT_EQ(rig.edges.size(), 1U);
    EXPECT_EQ(rig.edges[0].at, start + kOneFrame + 2 * kMemoryLatency + kInterruptLatency);
    rig.read(reg::kIcr);
    NicRig::wait_for(us(100));
    EXPECT_EQ(rig.nic.interrupts(), 1U);
  });
}

TEST(TransmitReport, Tx37DelayedInterruptDoesNotWaitForFlowControl) {
  NicRig rig;
  with_transmitter(
      rig,
      [&] {
        rig.cable.plug(false);
        NicRig::wait_for(ms(1));
        rig.read(reg::kIcr);
        rig.write(reg::kTidv, 100);  // 102.4 us
        rig.write(reg::kIms, cause::kTxdw);
        rig.edges.clear();
        // Fills the packet buffer: ten frames of 1500 bytes fit into 16 KiB, the eleventh waits.
        for (std::uint32_t i = 0; i < 15; ++i) {
          rig.put_legacy(i, NicRig::frame(1500), i == 0 ? kDelayed : kSilent);
        }
        const Time start = sc_now();
        rig.write(reg::kTdt, 15);
        NicRig::wait_for(us(200));
        EXPECT_EQ(rig.read(reg::kTdh), 10U);
        ASSERT_EQ(rig.edges.size(), 1U);
        EXPECT_EQ(rig.edges[0].at, start + kOneFrame + ns(102'400) + kInterruptLatency);
      },
      16);
}

constexpr std::uint32_t wthresh(std::uint32_t n) { return dctl::kGran | n << dctl::kWthreshShift; }

TEST(TransmitReport, Tx8WthreshGathersAndWritesOneBurst) {
  NicRig rig;
  with_transmitter(rig, [&] {
    rig.write(reg::kTxdctl, wthresh(4));
    for (std::uint32_t i = 0; i < 4; ++i) put(rig, i, kWhole);
    rig.write(reg::kTdt, 3);
    NicRig::wait_for(us(10));
    EXPECT_EQ(rig.read(reg::kTdh), 3U);
    for (std::uint32_t i = 0; i < 3; ++i) EXPECT_FALSE(rig.tx_done(i)) << i;
    EXPECT_EQ(rig.read(reg::kIcr) & cause::kTxdw, 0U);
    rig.write(reg::kTdt, 4);
    NicRig::wait_for(us(10));
    for (std::uint32_t i = 0; i < 4; ++i) EXPECT_TRUE(rig.tx_done(i)) << i;
    EXPECT_EQ(rig.read(reg::kIcr) & cause::kTxdw, cause::kTxdw);
  });
}

TEST(TransmitReport, Tx8CacheLineGranularityCountsFours) {
  NicRig rig;
  with_transmitter(rig, [&] {
    rig.write(reg::kTxdctl, 1 << dctl::kWthreshShift);
    for (std::uint32_t i = 0; i < 4; ++i) put(rig, i, kWhole);
    rig.write(reg::kTdt, 3);
    NicRig::wait_for(us(10));
    EXPECT_FALSE(rig.tx_done(0));
    rig.write(reg::kTdt, 4);
    NicRig::wait_for(us(10));
    EXPECT_TRUE(rig.tx_done(0));
  });
}

TEST(TransmitReport, Tx8TidvFlushesWhatIsGathered) {
  NicRig rig;
  with_transmitter(rig, [&] {
    rig.write(reg::kTxdctl, wthresh(4));
    rig.write(reg::kTidv, 10);
    put(rig, 0, kDelayed);
    const Time start = sc_now();
    rig.write(reg::kTdt, 1);
    // Gathered after two accesses; the timer's end starts the write-back.
    NicRig::wait_for(start + 2 * kMemoryLatency + ns(10'240) + kMemoryLatency - ns(1) - sc_now());
    EXPECT_FALSE(rig.tx_done(0));
    EXPECT_EQ(rig.peek(reg::kIcr) & cause::kTxdw, 0U);
    NicRig::wait_for(ns(2));
    EXPECT_TRUE(rig.tx_done(0));
    EXPECT_EQ(rig.peek(reg::kIcr) & cause::kTxdw, cause::kTxdw);
  });
}

TEST(TransmitReport, Tx8TidvFlushesWithoutIdeToo) {  // 3.4.2, 13.4.41
  NicRig rig;
  with_transmitter(rig, [&] {
    rig.write(reg::kTidv, 128);
    rig.write(reg::kTxdctl, 0x01040000);
    rig.write(reg::kIms, cause::kTxdw);
    put(rig, 0, kWhole);
    const Time start = sc_now();
    rig.write(reg::kTdt, 1);
    NicRig::wait_for(us(131));
    EXPECT_FALSE(rig.tx_done(0));
    NicRig::wait_for(ms(10));
    EXPECT_TRUE(rig.tx_done(0));
    ASSERT_EQ(rig.edges.size(), 1U);
    EXPECT_EQ(rig.edges[0].at, start + kOneFrame + ns(131'072) + kInterruptLatency);
  });
}

/// As the driver of Plan 9: RS without IDE, and all but a few descriptors in use.
TEST(TransmitReport, Tx8AFullRingThatWaitsForDescriptorsGetsThemBack) {
  NicRig rig;
  with_transmitter(rig, [&] {
    rig.write(reg::kTidv, 128);
    rig.write(reg::kTxdctl, wthresh(4));
    for (std::uint32_t i = 0; i < 7; ++i) put(rig, i, kWhole);
    rig.write(reg::kTdt, 7);
    NicRig::wait_for(us(100));
    for (std::uint32_t i = 0; i < 7; ++i) EXPECT_EQ(rig.tx_done(i), i < 4) << i;
    NicRig::wait_for(us(40));
    for (std::uint32_t i = 0; i < 7; ++i) EXPECT_TRUE(rig.tx_done(i)) << i;
  });
}

TEST(TransmitReport, Tx8ALowerThresholdWritesBackWhatIsGathered) {
  NicRig rig;
  with_transmitter(rig, [&] {
    rig.write(reg::kTxdctl, wthresh(4));
    put(rig, 0, kWhole);
    put(rig, 1, kWhole);
    rig.write(reg::kTdt, 2);
    NicRig::wait_for(us(10));
    rig.write(reg::kTxdctl, wthresh(3));
    NicRig::wait_for(us(10));
    EXPECT_FALSE(rig.tx_done(0));
    rig.write(reg::kTxdctl, wthresh(2));
    NicRig::wait_for(us(1));
    EXPECT_TRUE(rig.tx_done(0));
    EXPECT_TRUE(rig.tx_done(1));
    EXPECT_EQ(rig.read(reg::kIcr) & cause::kTxdw, cause::kTxdw);
  });
}

TEST(TransmitReport, Tx8GatheringNeverCrossesTheRingsEnd) {
  NicRig rig;
  std::fill(rig.tx_descriptor(8), rig.tx_descriptor(40), std::uint8_t{0xA5});
  with_transmitter(rig, [&] {
    rig.write(reg::kTxdctl, wthresh(20));
    rig.setup_tx(8, tctl::kEn | tctl::kPsp, 5);
    put(rig, 5, kWhole);
    put(rig, 6, kSilent);
    put(rig, 7, kSilent);  // last of the ring, not marked
    put(rig, 0, kWhole);
    put(rig, 1, kSilent);
    rig.write(reg::kTdt, 2);
    NicRig::wait_for(us(20));
    EXPECT_EQ(rig.read(reg::kTdh), 2U);
    EXPECT_TRUE(rig.tx_done(5));
    EXPECT_FALSE(rig.tx_done(6));
    EXPECT_FALSE(rig.tx_done(7));
    EXPECT_EQ(rig.read(reg::kIcr) & cause::kTxdw, cause::kTxdw);
  });
  for (const std::uint8_t* p = rig.tx_descriptor(8); p != rig.tx_descriptor(40); ++p) {
    ASSERT_EQ(*p, 0xA5) << "written beyond the ring";
  }
}

TEST(TransmitReport, Tx8UnmarkedDescriptorsNeverOverrunTheChip) {
  NicRig rig;
  with_transmitter(
      rig,
      [&] {
        rig.write(reg::kTxdctl, dctl::kGran | 63U << dctl::kWthreshShift);
        put(rig, 0, kWhole);
        for (std::uint32_t i = 1; i < 200; ++i) rig.put_data(i, 0, 0, tx_cmd::kIfcs);
        rig.write(reg::kTdt, 200);
        NicRig::wait_for(us(50));
        EXPECT_EQ(rig.read(reg::kTdh), 200U);
        EXPECT_TRUE(rig.tx_done(0));  // 63 gathered, marked or not (13.4.43)
        EXPECT_FALSE(rig.tx_done(1));
      },
      256);
}

TEST(TransmitReport, Tx8MoreGatheredThanTheChipHoldsIsWrittenBackInTime) {
  NicRig rig;
  with_transmitter(
      rig,
      [&] {
        rig.write(reg::kTxdctl, 63U << dctl::kWthreshShift);  // 63 lines of 4: never reached
        put(rig, 0, kWhole);
        for (std::uint32_t i = 1; i < 200; ++i) rig.put_data(i, 0, 0, tx_cmd::kIfcs);
        rig.write(reg::kTdt, 63);
        NicRig::wait_for(us(50));
        EXPECT_FALSE(rig.tx_done(0));
        rig.write(reg::kTdt, 64);
        NicRig::wait_for(us(50));
        EXPECT_TRUE(rig.tx_done(0));
        rig.write(reg::kTdt, 200);
        NicRig::wait_for(us(50));
        EXPECT_EQ(rig.read(reg::kTdh), 200U);
      },
      256);
}

TEST(TransmitReport, Tx8PrefetchFillsTheCacheAhead) {
  // PTHRESH 8, HTHRESH 1: three descriptors cost one fetch each when the tail moves one by one
  // and the cache is empty, but the second batch is fetched while the first is served.
  NicRig rig;
  std::vector<std::uint32_t> order;
  rig.nic.transmit_descriptors().attach(
      [&](const TransmitDescriptorEvent& event) { order.push_back(event.index); });
  with_transmitter(rig, [&] {
    rig.write(reg::kTxdctl, dctl::kGran | 1 << dctl::kHthreshShift | 8);
    for (std::uint32_t i = 0; i < 7; ++i) put(rig, i, kSilent);
    rig.write(reg::kTdt, 2);
    NicRig::wait_for(kMemoryLatency + ns(10));  // first fetch over, first data under way
    rig.write(reg::kTdt, 7);
    NicRig::wait_for(us(20));
    EXPECT_EQ(rig.read(reg::kTdh), 7U);
  });
  EXPECT_EQ(order, (std::vector<std::uint32_t>{0, 1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(rig.far.received.size(), 7U);
}

TEST(TransmitReport, Tx8TxdLowOnTheTransitionOnly) {
  NicRig rig;
  with_transmitter(
      rig,
      [&] {
        rig.write(reg::kTxdctl, dctl::kGran | 1U << dctl::kLwthreshShift);  // 8 descriptors
        for (std::uint32_t i = 0; i < 12; ++i) put(rig, i, kSilent);
        rig.write(reg::kTdt, 12);
        NicRig::wait_for(kMemoryLatency * 4 + ns(1));  // fetch and three frames: nine are left
        EXPECT_EQ(rig.read(reg::kIcr) & cause::kTxdLow, 0U);
        NicRig::wait_for(kMemoryLatency);  // eight
        EXPECT_EQ(rig.read(reg::kIcr) & cause::kTxdLow, cause::kTxdLow);
        NicRig::wait_for(us(20));
        EXPECT_EQ(rig.read(reg::kIcr) & cause::kTxdLow, 0U);
      },
      16);
}

}  // namespace
}  // namespace e1000tlm::e1000::test
