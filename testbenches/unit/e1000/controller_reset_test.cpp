/// Resets and bus-master gating, in quiet and in traffic (rules RST-1 to RST-16, PCI-2).

#include "e1000tlm/e1000/registers/register_map.h"
#include "testbenches/unit/e1000/nic_rig.h"

namespace e1000tlm::e1000::test {
namespace {

constexpr std::uint32_t kPlain = rctl::kEn | rctl::kBam;

TEST(Reset, Rst1CtrlRstShowsForAMicrosecond) {
  NicRig rig;
  rig.run([&] {
    rig.write(reg::kCtrl, ctrl::kRst);
    EXPECT_EQ(rig.read(reg::kCtrl) & ctrl::kRst, ctrl::kRst);
    NicRig::wait_for(us(1));
    EXPECT_EQ(rig.read(reg::kCtrl) & ctrl::kRst, 0U);
  });
}

TEST(Reset, Rst12LeavesEverythingOff) {
  NicRig rig;
  rig.run([&] {
    rig.bring_up();
    rig.setup_tx();
    rig.setup_rx();
    rig.write(reg::kIms, 0xFF);
    rig.write(reg::kItr, 1000);
    rig.write(reg::kIcs, 0x10);
    NicRig::wait_for(us(1));
    EXPECT_TRUE(rig.irq.read());
    rig.write(reg::kCtrl, ctrl::kRst);
    NicRig::wait_for(us(1));
    EXPECT_FALSE(rig.irq.read());
    for (const std::uint32_t offset : {reg::kIms, reg::kIcr, reg::kRctl, reg::kTctl, reg::kItr,
                                       reg::kTdh, reg::kTdt, reg::kRdh, reg::kRdt, reg::kTdlen}) {
      EXPECT_EQ(rig.read(offset), 0U) << std::hex << offset;
    }
    EXPECT_TRUE(rig.phy.link().up);  // RST-2: the PHY stays as it is
  });
}

TEST(Reset, Rst4WhatSurvives) {
  NicRig rig;
  rig.run([&] {
    rig.write(reg::kMta + 20, 0x12345678);
    rig.write(reg::kVfta + 40, 0x9ABCDEF0);
    rig.write(reg::kFfmt, 5);
    rig.write(reg::kFfvt, 0x55);
    rig.write(reg::kTdbal, 0x1000);
    rig.write(reg::kRdbah, 0x77);
    rig.write(reg::kWufc, 2);
    rig.write(reg::kRa + 8, 0x01020304);
    rig.write(reg::kRa + 12, 0x80000506);
    rig.write(reg::kRa, 0);
    rig.write(reg::kRa + 4, 0);
    rig.write(reg::kFcttv, 99);
    rig.write(reg::kCtrl, ctrl::kRst);
    NicRig::wait_for(us(1));
    EXPECT_EQ(rig.read(reg::kMta + 20), 0x12345678U);
    EXPECT_EQ(rig.read(reg::kVfta + 40), 0x9ABCDEF0U);
    EXPECT_EQ(rig.read(reg::kFfmt), 5U);
    EXPECT_EQ(rig.read(reg::kFfvt), 0x55U);
    EXPECT_EQ(rig.read(reg::kTdbal), 0x1000U);
    EXPECT_EQ(rig.read(reg::kRdbah), 0x77U);
    EXPECT_EQ(rig.read(reg::kWufc), 2U);
    EXPECT_EQ(rig.read(reg::kRa + 12) & rah::kAv, 0U);
    EXPECT_EQ(rig.read(reg::kRa), 0x12005452U);  // entry 0 from the EEPROM
    EXPECT_EQ(rig.read(reg::kRa + 4), 0x80005634U);
    EXPECT_EQ(rig.read(reg::kFcttv), 0U);
  });
}

TEST(Reset, Rst3The82544LoadsItsEepromOnRequestOnly) {
  NicRig rig(Part::k82544gc);
  rig.run([&] {
    rig.write(reg::kRa, 0);
    rig.write(reg::kRa + 4, rah::kAv);
    rig.write(reg::kCtrl, ctrl::kRst);
    NicRig::wait_for(us(1));
    EXPECT_EQ(rig.read(reg::kRa + 4), 0U);
    EXPECT_EQ(rig.read(reg::kRa), 0U);
    rig.write(reg::kCtrlExt, ctrl_ext::kEeRst);
    NicRig::wait_for(ms(2));
    EXPECT_EQ(rig.read(reg::kRa), 0x12005452U);
    EXPECT_EQ(rig.read(reg::kRa + 4), 0x80005634U);
  });
}

/// A cut address must not look like a valid one: all of it stays but for AV.
TEST(Reset, Rst4ReceiveAddressesStayButAreNotValid) {  // 13.5.2, 13.5.3
  NicRig rig(Part::k82544gc);
  rig.run([&] {
    for (std::uint32_t i = 1; i < 16; ++i) {
      rig.write(reg::kRa + 8 * i, 0x01020304 * i);
      rig.write(reg::kRa + 8 * i + 4, 0x80010506);
    }
    rig.write(reg::kCtrl, ctrl::kRst);
    NicRig::wait_for(us(1));
    EXPECT_EQ(rig.read(reg::kRa), 0x12005452U);
    EXPECT_EQ(rig.read(reg::kRa + 4), 0x5634U);
    for (std::uint32_t i = 1; i < 16; ++i) {
      EXPECT_EQ(rig.read(reg::kRa + 8 * i), 0x01020304 * i);
      EXPECT_EQ(rig.read(reg::kRa + 8 * i + 4), 0x00010506U);
    }
  });
}

TEST(Reset, Rst9EveryRouteResets) {
  NicRig rig;
  rig.run([&] {
    rig.write(reg::kFcttv, 7);
    rig.write(reg::kCtrlDup, ctrl::kRst);
    NicRig::wait_for(us(1));
    EXPECT_EQ(rig.read(reg::kFcttv), 0U);
    rig.write(reg::kFcttv, 7);
    rig.io_write(0, reg::kCtrl);
    rig.io_write(4, rig.read(reg::kCtrl) | ctrl::kRst);
    NicRig::wait_for(us(1));
    EXPECT_EQ(rig.read(reg::kFcttv), 0U);
    rig.write(reg::kFcttv, 7);
    rig.write(reg::kCtrlDup, ctrl::kSlu);  // no reset, but CTRL itself
    EXPECT_EQ(rig.read(reg::kCtrl), std::uint32_t{ctrl::kSlu});
    EXPECT_EQ(rig.read(reg::kFcttv), 7U);
  });
}

TEST(Reset, Rst16PhyResetIsALevel) {
  NicRig rig;
  rig.run([&] {
    rig.bring_up();
    rig.write(reg::kCtrl, rig.read(reg::kCtrl) | ctrl::kPhyRst);
    NicRig::wait_for(us(1));
    EXPECT_EQ(rig.read(reg::kStatus) & status::kLu, 0U);
    EXPECT_EQ(rig.read(reg::kIcr) & cause::kLsc, cause::kLsc);
    NicRig::wait_for(ms(1000));
    EXPECT_EQ(rig.read(reg::kStatus) & status::kLu, 0U);
    rig.write(reg::kCtrl, rig.read(reg::kCtrl) & ~ctrl::kPhyRst);
    NicRig::wait_for(ms(600));
    EXPECT_EQ(rig.read(reg::kStatus) & status::kLu, status::kLu);
    EXPECT_EQ(rig.phy_read(2), 0x0141);
  });
}

/// Counters start with D0, not with CTRL.RST (13.7 and 14.8 know no other moment).
TEST(Reset, Rst7StatisticsSurviveCtrlRst) {
  NicRig rig;
  rig.run([&] {
    rig.bring_up();
    rig.setup_rx();
    rig.far.send(NicRig::frame(60));
    NicRig::wait_for(us(5));
    rig.write(reg::kCtrl, ctrl::kRst);
    NicRig::wait_for(us(2));
    EXPECT_EQ(rig.peek(offset_of(Counter::kGprc)), 1U);
    EXPECT_EQ(rig.peek(offset_of(OctetCounter::kGorc)), 64U);
    rig.nic.pci_reset(pci::ResetKind::kPowerState);
    EXPECT_EQ(rig.peek(offset_of(Counter::kGprc)), 0U);
    EXPECT_EQ(rig.peek(offset_of(OctetCounter::kGorc)), 0U);
  });
  for (const RegisterRow& row : register_map()) {
    if (row.offset != reg::kStatistics) continue;
    EXPECT_EQ(row.domains & domain::kSoftware, 0);
  }
}

/// The engine waits for a frame of 1.2 ms to leave the packet buffer when the reset empties it.
TEST(Reset, AnEngineThatWaitsForRoomIsAwakeAfterwards) {
  NicRig rig;
  rig.run([&] {
    rig.phy_write(4, 0x0041);  // 10 Mb/s, full duplex
    rig.phy_write(9, 0);
    rig.phy_write(0, 0x1200);
    rig.bring_up();
    rig.setup_tx(32);
    for (std::uint32_t i = 0; i < 20; ++i) rig.put_legacy(i, NicRig::frame(1500));
    rig.write(reg::kTdt, 20);
    NicRig::wait_for(us(100));
    ASSERT_LT(rig.read(reg::kTdh), 20U);
    rig.write(reg::kCtrl, ctrl::kRst);
    NicRig::wait_for(us(2));
    rig.setup_tx(8);
    rig.put_legacy(0, NicRig::frame(60));
    rig.write(reg::kTdt, 1);
    NicRig::wait_for(us(5));
    EXPECT_TRUE(rig.tx_done(0));
  });
}

/// As iPXE does without link.
TEST(Reset, Rst16BothResetsInOneWrite) {
  NicRig rig;
  rig.run([&] {
    rig.bring_up();
    rig.phy_write(0, 0x1940);  // power-down
    rig.phy_write(4, 0x0061);
    NicRig::wait_for(ms(1));
    rig.write(reg::kCtrl, ctrl::kRst | ctrl::kPhyRst);
    NicRig::wait_for(us(2));
    EXPECT_EQ(rig.read(reg::kCtrl) & (ctrl::kRst | ctrl::kPhyRst), 0U);
    EXPECT_EQ(rig.phy_read(0), 0x1140);
    EXPECT_EQ(rig.phy_read(4), 0x01E1);
    rig.bring_up();
  });
}

TEST(Reset, Rst16AResetOfTheMacEndsThatOfThePhy) {
  NicRig rig;
  rig.run([&] {
    rig.bring_up();
    rig.write(reg::kCtrl, ctrl::kPhyRst);
    NicRig::wait_for(ms(1));
    rig.write(reg::kCtrl, ctrl::kPhyRst | ctrl::kRst);
    NicRig::wait_for(us(2));
    EXPECT_EQ(rig.phy_read(2), 0x0141);
    rig.bring_up();
  });
}

TEST(Reset, PciResetClearsMoreThanSoftwareReset) {
  NicRig rig;
  rig.run([&] {
    rig.bring_up();
    rig.write(reg::kPba, 40);
    rig.io_write(0, 0x100);
    rig.setup_rx();
    rig.far.send(NicRig::frame(60));
    NicRig::wait_for(us(5));
    EXPECT_EQ(rig.peek(0x4074), 1U);
    rig.nic.pci_reset(pci::ResetKind::kBusReset);
    EXPECT_EQ(rig.read(reg::kPba), 0x00100030U);
    EXPECT_EQ(rig.io_read(0), 0U);
    EXPECT_EQ(rig.read(0x4074), 0U);
    EXPECT_EQ(rig.read(reg::kRctl), 0U);
    NicRig::wait_for(ms(600));
    EXPECT_TRUE(rig.phy.link().up);  // it negotiated anew
  });
}

struct MidTraffic {
  Time quantum;
  bool dmi;
};
std::string name_of(const ::testing::TestParamInfo<MidTraffic>& info) {
  return quantum_name(info.param.quantum) + (info.param.dmi ? "Dmi" : "Transactions");
}
class ResetInTraffic : public ::testing::TestWithParam<MidTraffic> {};

/// Traffic in both directions; a reset at many different moments; then nothing may be written, and
/// everything works again after a fresh set-up.
TEST_P(ResetInTraffic, NothingIsWrittenAfterwardsAndItStartsAgain) {
  RigOptions options;
  options.quantum = GetParam().quantum;
  options.dmi = GetParam().dmi;
  NicRig rig(options);
  rig.run([&] {
    for (int attempt = 0; attempt < 40; ++attempt) {
      rig.bring_up();
      rig.setup_tx(64);
      rig.setup_rx(64);
      rig.write(reg::kTxdctl, dctl::kGran | 4U << dctl::kWthreshShift);
      rig.write(reg::kTidv, 5);
      rig.write(reg::kRdtr, 5);
      for (std::uint32_t i = 0; i < 60; ++i) {
        rig.put_legacy(i, NicRig::frame(300),
                       tx_cmd::kEop | tx_cmd::kIfcs | tx_cmd::kRs | tx_cmd::kIde);
      }
      rig.write(reg::kTdt, 60);
      for (int i = 0; i < 40; ++i) rig.far.send(NicRig::frame(200));
      NicRig::wait_for(us(2) + ns(37) * attempt);
      rig.write(reg::kCtrl, ctrl::kRst);
      const std::vector<std::uint8_t> memory(rig.ram.bytes().data(),
                                             rig.ram.bytes().data() + rig.ram.bytes().size());
      NicRig::wait_for(us(600));  // the EEPROM has been loaded as well
      ASSERT_TRUE(std::equal(memory.begin(), memory.end(), rig.ram.bytes().data()))
          << "attempt " << attempt;
      EXPECT_EQ(rig.read(reg::kIcr), 0U);
      EXPECT_FALSE(rig.irq.read());
      EXPECT_FALSE(rig.nic.busy());
      rig.far.received.clear();
    }
    rig.bring_up();
    rig.setup_tx(8);
    rig.setup_rx(8);
    rig.put_legacy(0, NicRig::frame(77));
    rig.write(reg::kTdt, 1);
    rig.far.send(NicRig::frame(99));
    NicRig::wait_for(us(100));
    ASSERT_EQ(rig.far.received.size(), 1U);
    EXPECT_EQ(rig.far.bytes(0), NicRig::frame(77));
    EXPECT_EQ(rig.rx_data(0, 99), NicRig::frame(99));
    EXPECT_TRUE(rig.tx_done(0));
  });
}
INSTANTIATE_TEST_SUITE_P(Reset, ResetInTraffic,
                         ::testing::Values(MidTraffic{kTimeZero, true},
                                           MidTraffic{kTimeZero, false}, MidTraffic{us(1), true},
                                           MidTraffic{us(10), true}, MidTraffic{us(10), false}),
                         name_of);

/// The write-back that a timer or FPD has started is under way: no cause may follow the reset.
TEST(Reset, DuringTheFlushOfGatheredDescriptorsRaisesNothing) {
  NicRig rig;
  rig.run([&] {
    for (const bool transmit : {true, false}) {
      rig.bring_up();
      rig.setup_tx();
      rig.setup_rx();
      rig.write(transmit ? reg::kTxdctl : reg::kRxdctl, dctl::kGran | 8U << dctl::kWthreshShift);
      rig.write(reg::kTidv, 5);
      rig.write(reg::kRdtr, 5);
      const std::uint32_t ring = transmit ? reg::kTdh : reg::kRdh;
      if (transmit) {
        rig.put_legacy(0, NicRig::frame(60),
                       tx_cmd::kEop | tx_cmd::kIfcs | tx_cmd::kRs | tx_cmd::kIde);
        rig.write(reg::kTdt, 1);
        NicRig::wait_for(kMemoryLatency * 2 + ns(5120) + kMemoryLatency / 2);
      } else {
        rig.far.send(NicRig::frame(60));
        NicRig::wait_for(wire_time(60) + kPropagation + kMemoryLatency * 2 + ns(5120) +
                         kMemoryLatency / 2);
      }
      EXPECT_EQ(rig.read(ring), transmit ? 1U : 0U);
      rig.write(reg::kCtrl, ctrl::kRst);
      NicRig::wait_for(us(20));
      EXPECT_EQ(rig.read(reg::kIcr), 0U) << transmit;
      EXPECT_FALSE(rig.tx_done(0));
      EXPECT_FALSE(rig.rx_done(0));
    }
  });
}

/// An access that has reached its target is carried through, but must touch nobody else's bytes:
/// the frame that it belongs to is gone, and new ones are made meanwhile.
TEST(Reset, AccessThatOutlastsTheResetTouchesNoOtherFrame) {
  RigOptions options;
  options.memory_latency = kTimeZero;
  options.waiting_bus = us(20);
  NicRig rig(options);
  rig.run([&] {
    for (int phase = 0; phase < 12; ++phase) {
      rig.bring_up();
      rig.setup_tx();
      rig.setup_rx();
      std::fill(rig.rx_buffer(0), rig.rx_buffer(0) + 1000, std::uint8_t{0});
      rig.put_legacy(0, std::vector<std::uint8_t>(1000, 0xBB));
      rig.write(reg::kTdt, 1);
      rig.far.send(NicRig::frame(900, 1));
      NicRig::wait_for(us(5) + us(7) * phase);
      rig.write(reg::kCtrl, ctrl::kRst);
      NicRig::wait_for(us(2));
      std::vector<link::FramePtr> others;
      others.reserve(20);
      const std::vector<std::uint8_t> content = NicRig::frame(1000, 77);
      for (int i = 0; i < 20; ++i) {
        others.push_back(link::FramePool::shared().copy({content.data(), content.size()}));
      }
      NicRig::wait_for(us(600));
      for (const link::FramePtr& frame : others) {
        ASSERT_TRUE(std::equal(content.begin(), content.end(), frame->data())) << phase;
      }
      const std::vector<std::uint8_t> stored = rig.rx_data(0, 900);
      ASSERT_TRUE(stored == std::vector<std::uint8_t>(900) || stored == NicRig::frame(900, 1))
          << phase;
    }
  });
}

TEST(Reset, Rst14FramesInThePacketBufferAreDroppedAndCounted) {
  NicRig rig;
  rig.run([&] {
    rig.bring_up();
    rig.write(reg::kRctl, kPlain);
    for (int i = 0; i < 3; ++i) rig.far.send(NicRig::frame(60));
    NicRig::wait_for(us(10));
    rig.write(reg::kCtrl, ctrl::kRst);
    EXPECT_EQ(rig.dropped(Drop::kRxReset), 3U);
    NicRig::wait_for(us(1));
    rig.bring_up();
    rig.setup_rx();
    NicRig::wait_for(us(10));
    EXPECT_EQ(rig.read(reg::kRdh), 0U);
  });
}

TEST(Reset, Rst14FramesWaitingForTheWireAreDroppedAndCounted) {
  NicRig rig;
  rig.run([&] {
    rig.bring_up();
    rig.cable.plug(false);
    NicRig::wait_for(ms(1));
    rig.setup_tx();
    for (std::uint32_t i = 0; i < 4; ++i) rig.put_legacy(i, NicRig::frame(60));
    rig.write(reg::kTdt, 4);
    NicRig::wait_for(us(10));
    rig.write(reg::kCtrl, ctrl::kRst);
    EXPECT_EQ(rig.dropped(Drop::kTxReset), 4U);
    rig.cable.plug(true);
    NicRig::wait_for(ms(1));
    rig.bring_up();
    NicRig::wait_for(ms(1));
  });
  EXPECT_TRUE(rig.far.received.empty());
}

TEST(Reset, RunningTimersAreCancelled) {
  NicRig rig;
  rig.run([&] {
    rig.bring_up();
    rig.setup_tx();
    rig.setup_rx();
    rig.write(reg::kTidv, 50);
    rig.write(reg::kRdtr, 50);
    rig.put_legacy(0, NicRig::frame(60), tx_cmd::kEop | tx_cmd::kIfcs | tx_cmd::kRs | tx_cmd::kIde);
    rig.write(reg::kTdt, 1);
    rig.far.send(NicRig::frame(60));
    rig.write(reg::kMdic, mdic::kOpRead | mdic::kInterrupt | 1 << mdic::kPhyShift);
    NicRig::wait_for(us(5));
    rig.write(reg::kCtrl, ctrl::kRst);
    NicRig::wait_for(us(200));
    EXPECT_EQ(rig.read(reg::kIcr), 0U);
    EXPECT_FALSE(rig.nic.idle());  // the EEPROM is being loaded
    NicRig::wait_for(us(400));
    EXPECT_TRUE(rig.nic.idle());
  });
}

class BusMasterOff : public ::testing::TestWithParam<MidTraffic> {};

TEST_P(BusMasterOff, Pci2StallsAndContinues) {
  RigOptions options;
  options.quantum = GetParam().quantum;
  options.dmi = GetParam().dmi;
  NicRig rig(options);
  constexpr std::uint32_t kFrames = 60;
  rig.run([&] {
    rig.bring_up();
    rig.setup_tx(64);
    rig.setup_rx(64);
    for (std::uint32_t i = 0; i < kFrames; ++i) {
      rig.put_legacy(i, NicRig::frame(100 + i));
    }
    rig.write(reg::kTdt, kFrames);
    for (std::uint32_t i = 0; i < kFrames; ++i) rig.far.send(NicRig::frame(100 + i));
    for (int i = 0; i < 20; ++i) {
      NicRig::wait_for(us(3) + ns(11) * i);
      rig.nic.pci_bus_master(false);
      NicRig::wait_for(us(12));  // at most a quantum and the access under way
      const std::vector<std::uint8_t> memory(rig.ram.bytes().data(),
                                             rig.ram.bytes().data() + rig.ram.bytes().size());
      NicRig::wait_for(us(20));
      ASSERT_TRUE(std::equal(memory.begin(), memory.end(), rig.ram.bytes().data())) << i;
      rig.nic.pci_bus_master(true);
    }
    NicRig::wait_for(us(300));
    EXPECT_EQ(rig.read(reg::kTdh), kFrames);
    EXPECT_EQ(rig.read(reg::kRdh) + rig.counter(Counter::kMpc), kFrames);
    EXPECT_EQ(rig.counter(Counter::kMpc), 0U);
  });
  ASSERT_EQ(rig.far.received.size(), kFrames);
  for (std::uint32_t i = 0; i < kFrames; ++i) {
    EXPECT_EQ(rig.far.bytes(i), NicRig::frame(100 + i));
    EXPECT_EQ(rig.rx_data(i, 100 + i), NicRig::frame(100 + i));
  }
}
INSTANTIATE_TEST_SUITE_P(Reset, BusMasterOff,
                         ::testing::Values(MidTraffic{kTimeZero, true},
                                           MidTraffic{kTimeZero, false}, MidTraffic{us(10), true},
                                           MidTraffic{us(10), false}),
                         name_of);

TEST(Reset, Pci2FramesGoOnArrivingWhileBusMasteringIsOff) {
  NicRig rig;
  rig.run([&] {
    rig.bring_up();
    rig.setup_rx();
    rig.far.send(NicRig::frame(1500));
    // Off in the middle of the store: after the fetch, before the data.
    NicRig::wait_for(wire_time(1500) + kPropagation + kMemoryLatency - ns(1));
    rig.nic.pci_bus_master(false);
    for (int i = 0; i < 60; ++i) rig.far.send(NicRig::frame(1000));
    NicRig::wait_for(ms(1));
    // 48 KiB less 1504 hold 47 frames of 1008: the counters say so now, not when DMA is back.
    EXPECT_EQ(rig.counter(Counter::kMpc), 60U - 47U);
    EXPECT_EQ(rig.read(reg::kIcr) & cause::kRxo, cause::kRxo);
    rig.nic.pci_bus_master(true);
    NicRig::wait_for(us(50));
    EXPECT_EQ(rig.read(reg::kRdh), 7U);
  });
}

}  // namespace
}  // namespace e1000tlm::e1000::test
