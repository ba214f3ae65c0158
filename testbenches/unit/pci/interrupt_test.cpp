/// INTx, PIRQ wiring, MSI, PME#.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "testbenches/unit/pci/pci_bench.h"

namespace e1000tlm::pci::test {
namespace {

using ::testing::ElementsAre;

void settle() { sc_core::wait(ns(1000).count(), sc_core::SC_PS); }

std::string lines(const Bench& bench) {
  std::string text;
  for (const auto& pirq : bench.pirq) text += pirq.read() ? '1' : '0';
  return text;
}

FunctionConfig with_pin(std::uint8_t pin) {
  FunctionConfig config = nic();
  config.interrupt_pin = pin;
  return config;
}

TEST(Interrupts, PirqIsDeviceMinusOnePlusPin) {
  EXPECT_EQ(pirq_line(1, 0), 0u);
  EXPECT_EQ(pirq_line(2, 0), 1u);
  EXPECT_EQ(pirq_line(3, 0), 2u);
  EXPECT_EQ(pirq_line(4, 0), 3u);
  EXPECT_EQ(pirq_line(5, 0), 0u);
  EXPECT_EQ(pirq_line(3, 3), 1u);
  EXPECT_EQ(pirq_line(31, 1), 3u);
}

TEST(Interrupts, LevelReachesItsLineAndTheStatusBit) {
  Bench bench;
  bench.run([&] {
    bench.cards[0]->irq = true;
    settle();
    EXPECT_EQ(lines(bench), "0100");
    EXPECT_EQ(bench.status(0), 0x0238u);
    bench.cards[1]->irq = true;
    settle();
    EXPECT_EQ(lines(bench), "0110");
    bench.cards[0]->irq = false;
    settle();
    EXPECT_EQ(lines(bench), "0010");
    EXPECT_EQ(bench.status(0), 0x0230u);
  });
}

TEST(Interrupts, LinesAreWiredOr) {
  BenchConfig config;
  config.cards = {with_pin(2), with_pin(1), with_pin(0)};  // devices 2 and 3: both line 2
  Bench bench(config);
  bench.run([&] {
    bench.cards[0]->irq = true;
    bench.cards[1]->irq = true;
    bench.cards[2]->irq = true;  // has no pin
    settle();
    EXPECT_EQ(lines(bench), "0010");
    bench.cards[0]->irq = false;
    settle();
    EXPECT_EQ(lines(bench), "0010");
    bench.cards[1]->irq = false;
    settle();
    EXPECT_EQ(lines(bench), "0000");
  });
}

TEST(Interrupts, DisableBitWorksWhereItExists) {
  BenchConfig config;
  config.cards[0].command_writable |= command::kIntxDisable;
  Bench bench(config);
  bench.run([&] {
    bench.cards[0]->irq = true;
    bench.cards[1]->irq = true;
    bench.cpu.config_write(2, cfg::kCommand, command::kIntxDisable, 2);
    bench.cpu.config_write(3, cfg::kCommand, command::kIntxDisable, 2);
    settle();
    EXPECT_EQ(lines(bench), "0010") << "card 1 does not implement it";
    EXPECT_EQ(bench.status(0), 0x0238u) << "the status bit does not depend on it";
    bench.cpu.config_write(2, cfg::kCommand, 0, 2);
    settle();
    EXPECT_EQ(lines(bench), "0110");
  });
}

TEST(Interrupts, NoneInD3hot) {
  Bench bench;
  bench.run([&] {
    bench.cards[0]->irq = true;
    settle();
    bench.cpu.config_write(2, kPmcsr, 3, 2);
    settle();
    EXPECT_EQ(lines(bench), "0000");
    bench.cpu.config_write(2, kPmcsr, 0, 2);
    settle();
    EXPECT_EQ(lines(bench), "0100");
    EXPECT_EQ(bench.status(0), 0x0238u);
  });
}

void enable_msi(Bench& bench, std::uint32_t address, std::uint16_t data) {
  bench.cpu.config_write(2, kMsi + 4, address);
  bench.cpu.config_write(2, kMsi + 8, 0);
  bench.cpu.config_write(2, kMsi + 12, data, 2);
  bench.cpu.config_write(2, kMsi + 2, 1, 2);
}

void msi_is_written_on_rising_edges(Time quantum) {
  BenchConfig config;
  config.quantum = quantum;
  Bench bench(config);
  bench.run([&] {
    bench.set_up(0);
    enable_msi(bench, 0x3000, 0x4041);
    store_le32(&bench.memory.bytes()[0x3000], 0xFFFFFFFF);
    const std::uint64_t tenures = bench.bus.statistics().tenures;
    bench.cards[0]->irq = true;
    settle();
    EXPECT_EQ(load_le32(&bench.memory.bytes()[0x3000]), 0x00004041u);
    EXPECT_EQ(bench.bus.statistics().tenures, tenures + 1);
    EXPECT_EQ(lines(bench), "0000");
    EXPECT_EQ(bench.status(0), 0x0238u);
    bench.cards[0]->irq = false;
    settle();
    EXPECT_EQ(bench.bus.statistics().tenures, tenures + 1);
    bench.cards[0]->irq = true;
    settle();
    EXPECT_EQ(bench.bus.statistics().tenures, tenures + 2);
    bench.cpu.config_write(2, kMsi + 2, 0, 2);
    settle();
    EXPECT_EQ(lines(bench), "0100") << "back to the level";
    EXPECT_EQ(bench.bus.statistics().tenures, tenures + 3) << "the configuration write";
  });
}

TEST(Interrupts, MsiIsWrittenOnRisingEdges) { msi_is_written_on_rising_edges(us(10)); }
TEST(Interrupts, MsiIsWrittenOnRisingEdgesApproximatelyTimed) {
  msi_is_written_on_rising_edges(kTimeZero);
}

TEST(Interrupts, MsiWaitsForBusMastering) {
  Bench bench;
  bench.run([&] {
    bench.set_up(0, command::kMemory);
    enable_msi(bench, 0x3000, 0x4041);
    bench.cards[0]->irq = true;
    settle();
    EXPECT_EQ(load_le32(&bench.memory.bytes()[0x3000]), 0u);
    bench.cpu.config_write(2, cfg::kCommand, command::kMaster, 2);
    settle();
    EXPECT_EQ(load_le32(&bench.memory.bytes()[0x3000]), 0x4041u);
  });
}

TEST(Interrupts, MsiToNowhereIsAMasterAbort) {
  Bench bench;
  bench.run([&] {
    bench.set_up(0);
    enable_msi(bench, 0xFEE00000, 0x31);
    bench.cards[0]->irq = true;
    settle();
    EXPECT_EQ(bench.status(0), 0x2238u);
  });
}

TEST(Interrupts, EnablingMsiWithTheLevelUpSendsNothing) {
  Bench bench;
  bench.run([&] {
    bench.set_up(0);
    bench.cards[0]->irq = true;
    settle();
    enable_msi(bench, 0x3000, 0x4041);
    settle();
    EXPECT_EQ(lines(bench), "0000");
    EXPECT_EQ(load_le32(&bench.memory.bytes()[0x3000]), 0u);
  });
}

TEST(Pme, RequestDrivesTheLineWhenEnabled) {
  Bench bench;
  bench.run([&] {
    bench.device(0).log.clear();
    bench.function(0).request_pme();
    settle();
    EXPECT_FALSE(bench.cards[0]->pme.read());
    EXPECT_EQ(bench.cpu.config_read(2, kPmcsr, 2), 0x8000u);
    bench.cpu.config_write(2, kPmcsr, 0x0103, 2);
    settle();
    EXPECT_TRUE(bench.cards[0]->pme.read());
    bench.cpu.config_write(2, kPmcsr, 0x8103, 2);
    settle();
    EXPECT_FALSE(bench.cards[0]->pme.read());
    EXPECT_THAT(bench.device(0).log, ElementsAre("pme 11", "D3", "pme 10"));
  });
}

/// Wake-up before any operating system has set PME_En.
TEST(Pme, AssertedWithoutEnableUntilTheStatusIsCleared) {
  Bench bench;
  bench.run([&] {
    bench.function(0).assert_pme();
    settle();
    EXPECT_TRUE(bench.cards[0]->pme.read());
    EXPECT_EQ(bench.cpu.config_read(2, kPmcsr, 2), 0x8000u);
    bench.cpu.config_write(2, kPmcsr, 0x8000, 2);
    settle();
    EXPECT_FALSE(bench.cards[0]->pme.read());
    bench.function(0).request_pme();  // an ordinary request asks PME_En again
    settle();
    EXPECT_FALSE(bench.cards[0]->pme.read());
  });
}

TEST(Pme, DevicesOwnWritesAreNotEchoed) {
  Bench bench;
  bench.run([&] {
    bench.device(0).log.clear();
    bench.function(0).set_pme(true, true);
    settle();
    EXPECT_TRUE(bench.cards[0]->pme.read());
    EXPECT_EQ(bench.cpu.config_read(2, kPmcsr, 2), 0x8100u);
    bench.cpu.config_write(2, cfg::kInterruptLine, 1, 1);
    EXPECT_TRUE(bench.device(0).log.empty());
  });
}

TEST(Pme, ContextSurvivesBusResetOnAuxiliaryPower) {
  BenchConfig config;
  config.cards[1].pm_capabilities = 0x4822;  // no PME# from D3cold
  Bench bench(config);
  bench.run([&] {
    bench.function(0).set_pme(true, true);
    bench.function(1).set_pme(true, true);
    bench.device(1).log.clear();
    bench.bus.reset();
    EXPECT_EQ(bench.cpu.config_read(2, kPmcsr, 2), 0x8100u);
    EXPECT_EQ(bench.cpu.config_read(3, kPmcsr, 2), 0x0000u);
    EXPECT_THAT(bench.device(1).log, ElementsAre("pme 00", "bus reset"));
  });
}

}  // namespace
}  // namespace e1000tlm::pci::test
