/// The controller behind a real pci::Function: command bit 2, power states, bus reset (rules PCI-2,
/// RST-1, PM-1, B-5).

#include "testbenches/unit/e1000/nic_rig.h"

namespace e1000tlm::e1000::test {
namespace {

constexpr std::uint32_t kCommand = 0x04, kPmcsr = 0xE0, kMaster = 4;
constexpr std::uint32_t kFrames = 60;

RigOptions options(Time quantum, bool dmi, Time latency = kMemoryLatency) {
  RigOptions o;
  o.quantum = quantum;
  o.dmi = dmi;
  o.memory_latency = latency;
  o.behind_function = true;
  return o;
}

void start_traffic(NicRig& rig) {
  rig.setup_tx(64);
  rig.setup_rx(64);
  for (std::uint32_t i = 0; i < kFrames; ++i) rig.put_legacy(i, NicRig::frame(100 + i));
  rig.write(reg::kTdt, kFrames);
  for (std::uint32_t i = 0; i < kFrames; ++i) rig.far.send(NicRig::frame(100 + i));
}
void expect_all(NicRig& rig) {
  EXPECT_EQ(rig.read(reg::kTdh), kFrames);
  EXPECT_EQ(rig.read(reg::kRdh), kFrames);
  ASSERT_EQ(rig.far.received.size(), kFrames);
  for (std::uint32_t i = 0; i < kFrames; ++i) {
    EXPECT_EQ(rig.far.bytes(i), NicRig::frame(100 + i)) << i;
    EXPECT_EQ(rig.rx_data(i, 100 + i), NicRig::frame(100 + i)) << i;
  }
  EXPECT_EQ(rig.dropped(Drop::kTxDmaError), 0U);
  EXPECT_EQ(rig.dropped(Drop::kRxDmaError), 0U);
}

TEST(Pci, Pci6NoDmaBeforeBusMasteringIsEnabled) {
  NicRig rig(options(kTimeZero, true));
  rig.run([&] {
    rig.bring_up();
    start_traffic(rig);
    NicRig::wait_for(us(200));
    EXPECT_EQ(rig.read(reg::kTdh), 0U);
    EXPECT_EQ(rig.read(reg::kRdh), 0U);
    rig.config_write(kCommand, kMaster);
    NicRig::wait_for(us(200));
    expect_all(rig);
  });
}

struct Mode {
  Time quantum;
  bool dmi;
};
class BusMaster : public ::testing::TestWithParam<Mode> {};

TEST_P(BusMaster, Pci2RefusedAccessesAreRepeatedAndNothingIsLost) {
  NicRig rig(options(GetParam().quantum, GetParam().dmi));
  rig.run([&] {
    rig.config_write(kCommand, kMaster);
    rig.bring_up();
    start_traffic(rig);
    for (int i = 0; i < 200; ++i) {  // at every phase of an access, also on and off within one
      NicRig::wait_for(ns(250 + 7 * i));
      rig.config_write(kCommand, 0);
      if (i % 3 != 0) NicRig::wait_for(ns(i % 2 == 0 ? 10 : 1000));
      rig.config_write(kCommand, kMaster);
    }
    NicRig::wait_for(us(300));
    expect_all(rig);
  });
}
INSTANTIATE_TEST_SUITE_P(Pci, BusMaster,
                         ::testing::Values(Mode{kTimeZero, true}, Mode{kTimeZero, false},
                                           Mode{us(10), true}, Mode{us(10), false}),
                         [](const auto& info) {
                           return quantum_name(info.param.quantum) +
                                  (info.param.dmi ? "Dmi" : "Transactions");
                         });

TEST(Pci, Pci2SwitchedOffAndOnWithinOneSlowAccess) {
  NicRig rig(options(kTimeZero, true, us(5)));
  rig.run([&] {
    rig.config_write(kCommand, kMaster);
    rig.bring_up();
    rig.setup_tx();
    rig.put_legacy(0, NicRig::frame(60));
    rig.write(reg::kTdt, 1);
    for (int i = 0; i < 3; ++i) {
      NicRig::wait_for(us(2));
      rig.config_write(kCommand, 0);
      NicRig::wait_for(us(1));
      rig.config_write(kCommand, kMaster);
    }
    NicRig::wait_for(us(100));
    EXPECT_TRUE(rig.tx_done(0));
    EXPECT_EQ(rig.dropped(Drop::kTxDmaError), 0U);
  });
  EXPECT_EQ(rig.far.received.size(), 1U);
}

TEST(Pci, Pm1D3StopsDmaAndD0ResetsTheDevice) {
  NicRig rig(options(kTimeZero, true));
  rig.run([&] {
    rig.config_write(kCommand, kMaster);
    rig.bring_up();
    start_traffic(rig);
    rig.write(reg::kFcttv, 0x77);
    NicRig::wait_for(us(5));
    rig.config_write(kPmcsr, 3);
    NicRig::wait_for(us(1));
    const std::vector<std::uint8_t> memory(rig.ram.bytes().data(),
                                           rig.ram.bytes().data() + rig.ram.bytes().size());
    NicRig::wait_for(us(200));
    EXPECT_TRUE(std::equal(memory.begin(), memory.end(), rig.ram.bytes().data()));
    rig.config_write(kPmcsr, 0);
    NicRig::wait_for(ms(1));
    EXPECT_EQ(rig.read(reg::kFcttv), 0U);
    EXPECT_EQ(rig.read(reg::kTctl), 0U);
    EXPECT_EQ(rig.read(reg::kRa), 0x12005452U);
    EXPECT_TRUE(std::equal(memory.begin(), memory.end(), rig.ram.bytes().data()));
    rig.far.received.clear();
    rig.config_write(kCommand, kMaster);
    rig.bring_up();
    start_traffic(rig);
    NicRig::wait_for(us(300));
    expect_all(rig);
  });
}

TEST(Pci, IntxFollowsTheControllersLine) {
  NicRig rig(options(kTimeZero, true));
  rig.run([&] {
    rig.write(reg::kIms, 1);
    rig.write(reg::kIcs, 1);
    NicRig::wait_for(ns(100));
    EXPECT_TRUE(rig.intx.read());
    rig.read(reg::kIcr);
    NicRig::wait_for(ns(1));
    EXPECT_FALSE(rig.intx.read());
  });
}

}  // namespace
}  // namespace e1000tlm::e1000::test
