/// Random register accesses and descriptors, from a seed, while frames flow.

#include <random>

#include "e1000tlm/e1000/receive/mac_receiver.h"
#include "testbenches/unit/e1000/nic_rig.h"

namespace e1000tlm::e1000::test {
namespace {

/// Counters add up over clears because the test never reads them before the end.
std::uint64_t lost(const NicRig& rig, std::initializer_list<Drop> reasons) {
  std::uint64_t total = 0;
  for (const Drop reason : reasons) total += rig.dropped(reason);
  return total;
}

class Fuzz : public ::testing::TestWithParam<std::tuple<unsigned, Time, Part>> {};

std::uint32_t random_value(std::mt19937& random) {
  switch (random() % 5) {
    case 0: return 0;
    case 1: return 0xFFFFFFFF;
    case 2: return 1U << random() % 32;
    case 3: return random() % 256;
    default: return static_cast<std::uint32_t>(random());
  }
}

/// Mostly the registers that do something.
std::uint32_t random_offset(std::mt19937& random) {
  constexpr std::array kBusy{
      reg::kCtrl,   reg::kCtrlDup, reg::kEecd,  reg::kEerd,  reg::kMdic, reg::kIcr,    reg::kIcs,
      reg::kIms,    reg::kImc,     reg::kItr,   reg::kRctl,  reg::kTctl, reg::kTipg,   reg::kPba,
      reg::kRdbal,  reg::kRdlen,   reg::kRdh,   reg::kRdt,   reg::kRdtr, reg::kRadv,   reg::kTdbal,
      reg::kTdlen,  reg::kTdh,     reg::kTdt,   reg::kTidv,  reg::kTadv, reg::kTxdctl, reg::kRxdctl,
      reg::kRxcsum, reg::kCtrlExt, reg::kFcrth, reg::kFcrtl, reg::kFct,  reg::kFcttv,  reg::kRsrpd};
  const auto pick = random() % 8;
  if (pick < 6) return kBusy[random() % kBusy.size()];
  return pick == 6 ? random() % 0x6000 & ~3U : random() % kMmioBytes & ~3U;
}

void random_ring(NicRig& rig, std::mt19937& random, std::uint64_t base) {
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint8_t* d = &rig.ram.bytes()[base + 16 * i];
    for (int j = 0; j < 16; ++j) d[j] = static_cast<std::uint8_t>(random());
    // Mostly addresses that exist, away from the rings.
    if (random() % 8 != 0) store_le64(d, kTxBuffers + random() % 0xC00000);
    store_le16(d + 8, static_cast<std::uint16_t>(random() % 2000));
    d[10] = static_cast<std::uint8_t>(random() % 2 << 4);
  }
}

TEST_P(Fuzz, NeitherCrashesNorHangsAndAccountsForEveryFrame) {
  const auto [seed, quantum, part] = GetParam();
  std::mt19937 random(seed);
  NicRig rig(part, quantum);
  std::uint64_t sent = 0, received = 0;
  rig.nic.received().attach([&](const ReceiveEvent& event) { received += event.stored ? 1 : 0; });
  rig.run([&] {
    for (int round = 0; round < 20; ++round) {
      // A start from which something happens.
      rig.write(reg::kCtrl, ctrl::kPhyRst);
      rig.write(reg::kPba, 0x30);
      rig.write(reg::kCtrl, ctrl::kRst);
      NicRig::wait_for(us(2));
      rig.bring_up();
      random_ring(rig, random, kTxRing);
      random_ring(rig, random, kRxRing);
      rig.setup_tx(8U << random() % 5);
      rig.write(reg::kRdbal, kRxRing);
      rig.write(reg::kRdbah, 0);
      rig.write(reg::kRdlen, 1024);
      rig.write(reg::kRctl, rctl::kEn | rctl::kUpe | rctl::kMpe | rctl::kBam);
      rig.write(reg::kTdt, 200);
      rig.write(reg::kRdt, 60);
      for (int i = 0; i < 1000; ++i) {
        const std::uint32_t offset = random_offset(random);
        // CTRL: keep the link alive most of the time.
        std::uint32_t value = random_value(random);
        if ((offset == reg::kCtrl || offset == reg::kCtrlDup) && random() % 4 != 0) {
          value = (value | ctrl::kSlu) & ~(ctrl::kPhyRst | ctrl::kRst);
        }
        if (offset == reg::kRdt || offset == reg::kTdt) value %= 70;
        if (offset == reg::kTctl || offset == reg::kRctl) value |= random() % 8 != 0 ? 2 : 0;
        if (random() % 3 == 0) {
          if (offset < reg::kStatistics || offset >= reg::kStatisticsEnd) rig.read(offset);
        } else {
          rig.write(offset, value);
        }
        if (random() % 4 == 0) {
          rig.far.send(NicRig::frame(14 + random() % 1600, static_cast<std::uint8_t>(i)));
          ++sent;
        }
        if (random() % 4 == 0) NicRig::wait_for(ns(random() % 20'000));
        if (random() % 300 == 0) rig.nic.pci_bus_master(random() % 2 == 0);
      }
      rig.nic.pci_bus_master(true);
      const Time before = sc_now();
      NicRig::wait_for(us(100));
      ASSERT_EQ(sc_now(), before + us(100));
    }
    rig.write(reg::kCtrl, ctrl::kRst);
    NicRig::wait_for(ms(100));  // what is still on the wire at 1600 bytes each
    EXPECT_FALSE(rig.nic.busy());
    EXPECT_FALSE(rig.irq.read());
  });
  const link::CableStatistics& cable = rig.cable.statistics(1);
  EXPECT_EQ(sent, cable.frames + cable.lost_no_link);
  EXPECT_GT(rig.far.received.size(), 50U) << "not much of a test";
  EXPECT_GT(received, 50U) << "not much of a test";
  const std::uint64_t taken = cable.frames - rig.phy.statistics().discarded;
  EXPECT_GE(taken, lost(rig, {Drop::kRxFifoFull, Drop::kRxBadFcs, Drop::kRxUndersize}));
}
INSTANTIATE_TEST_SUITE_P(Hostile, Fuzz,
                         ::testing::Combine(::testing::Range(1U, 7U),
                                            ::testing::Values(kTimeZero, us(10)),
                                            ::testing::Values(Part::k82540em, Part::k82544gc)),
                         [](const auto& info) {
                           return "Seed" + std::to_string(std::get<0>(info.param)) +
                                  quantum_name(std::get<1>(info.param)) + "Part" +
                                  std::string(part_info(std::get<2>(info.param)).name);
                         });

/// Random descriptors only: every frame is stored, lost with a reason, or still under way.
class FuzzDescriptors : public ::testing::TestWithParam<unsigned> {};

TEST_P(FuzzDescriptors, EveryFrameIsAccountedFor) {
  std::mt19937 random(GetParam());
  NicRig rig(Part::k82540em, GetParam() % 2 == 0 ? us(10) : kTimeZero);
  std::uint64_t stored = 0, dropped = 0, sent = 0;
  rig.nic.received().attach(
      [&](const ReceiveEvent& event) { ++(event.stored ? stored : dropped); });
  rig.run([&] {
    rig.bring_up();
    rig.setup_rx(256, rctl::kEn | rctl::kBam | rctl::kUpe | 3 << rctl::kBsizeShift);
    rig.setup_tx(256);
    for (int round = 0; round < 30; ++round) {
      random_ring(rig, random, kTxRing);
      for (int i = 0; i < 40; ++i) {
        rig.far.send(NicRig::frame(14 + random() % 1800));
        ++sent;
      }
      rig.write(reg::kTdt, random() % 256);
      NicRig::wait_for(us(400));
      random_ring(rig, random, kRxRing);
      rig.write(reg::kRdt, (rig.read(reg::kRdh) + 255) % 256);
    }
    NicRig::wait_for(ms(10));
    EXPECT_EQ(rig.read(reg::kTdh), rig.read(reg::kTdt));
  });
  EXPECT_EQ(stored + dropped, sent);
  EXPECT_EQ(dropped, lost(rig, {Drop::kRxDisabled, Drop::kRxNoLink, Drop::kRxFiltered,
                                Drop::kRxFifoFull, Drop::kRxBadFcs, Drop::kRxUndersize,
                                Drop::kRxOversize, Drop::kRxMacControl}));
  const Statistics& s = rig.nic.statistics();
  EXPECT_EQ(s[Counter::kTpr], sent);
  EXPECT_EQ(s[Counter::kGprc], stored);
  EXPECT_EQ(s[Counter::kTpt], rig.far.received.size());
}
INSTANTIATE_TEST_SUITE_P(Hostile, FuzzDescriptors, ::testing::Range(10U, 16U));

}  // namespace
}  // namespace e1000tlm::e1000::test
