/// Who gets a CPU access: BARs, command gating, power states, aborts.

#include <stdexcept>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "testbenches/unit/pci/pci_bench.h"

namespace e1000tlm::pci::test {
namespace {

using ::testing::ElementsAre;

TEST(Decode, RegisterAccessesAreBarRelative) {
  Bench bench;
  bench.run([&] {
    bench.set_up(0);
    bench.set_up(1);
    bench.cpu.write(bench.bar(0) + 0x18, 0x12345678);
    EXPECT_EQ(bench.cpu.read(bench.bar(0) + 0x18), 0x12345678u);
    bench.cpu.out(bench.port(1) + 4, 0xAB, 1);
    bench.cpu.read(0x1'FE11'0FFC);  // 64-bit BAR of card 1
    using A = Device::Access;
    EXPECT_THAT(bench.device(0).accesses,
                ElementsAre(A{'m', true, 0x18, 4, {}}, A{'m', false, 0x18, 4, {}}));
    EXPECT_THAT(bench.device(1).accesses,
                ElementsAre(A{'p', true, 4, 1, {}}, A{'w', false, 0xFFC, 4, {}}));
    EXPECT_FALSE(bench.cpu.dmi_hint) << "no DMI from CPU to registers";
    EXPECT_EQ(bench.bus.statistics().master_aborts, 0u);
  });
}

TEST(Decode, MovesWithTheBar) {
  Bench bench;
  bench.run([&] {
    bench.set_up(0);
    store_le32(bench.device(0).registers.data(), 0xCAFE);
    EXPECT_EQ(bench.cpu.read(bench.bar(0)), 0xCAFEu);
    const std::uint64_t generation = bench.function(0).decode_generation();
    bench.cpu.config_write(2, 0x10, 0xFD000000);
    EXPECT_EQ(bench.function(0).decode_generation(), generation + 1);
    EXPECT_EQ(bench.cpu.read(bench.bar(0)), 0xFFFFFFFFu);
    EXPECT_EQ(bench.cpu.read(0xFD000000), 0xCAFEu);
    EXPECT_TRUE(bench.function(0).claims(Space::kMemory, 0xFD000000, 4096));
    EXPECT_FALSE(bench.function(0).claims(Space::kMemory, 0xFD000000, 4097));
    EXPECT_FALSE(bench.function(0).claims(Space::kIo, 0xFD000000, 4));
    EXPECT_FALSE(bench.function(0).claims(Space::kMemory, 0xFD000000, 0));
    // Card 1 takes the old place.
    bench.cpu.config_write(3, 0x10, bench.bar(0));
    bench.cpu.config_write(3, cfg::kCommand, command::kMemory, 2);
    EXPECT_EQ(bench.cpu.read(bench.bar(0)), 0u);
    EXPECT_EQ(bench.device(1).accesses.size(), 1u);
  });
}

TEST(Decode, EachCommandBitGatesItsSpace) {
  Bench bench;
  bench.run([&] {
    bench.set_up(0, 0);
    EXPECT_EQ(bench.cpu.read(bench.bar(0)), 0xFFFFFFFFu);
    EXPECT_EQ(bench.cpu.in(bench.port(0)), 0xFFFFFFFFu);
    bench.cpu.config_write(2, cfg::kCommand, command::kMemory, 2);
    EXPECT_EQ(bench.cpu.read(bench.bar(0)), 0u);
    EXPECT_EQ(bench.cpu.in(bench.port(0)), 0xFFFFFFFFu);
    bench.cpu.config_write(2, cfg::kCommand, command::kIo, 2);
    EXPECT_EQ(bench.cpu.read(bench.bar(0)), 0xFFFFFFFFu);
    EXPECT_EQ(bench.cpu.in(bench.port(0)), 0u);
    EXPECT_EQ(bench.device(0).accesses.size(), 2u);
  });
}

TEST(Decode, UnboundRomReadsOnesWhereItIsEnabled) {
  Bench bench;
  bench.run([&] {
    bench.set_up(0);
    bench.cpu.config_write(2, cfg::kExpansionRom, 0xFC000000);
    bench.cpu.read(0xFC000000);
    EXPECT_EQ(bench.bus.statistics().master_aborts, 1u);
    bench.cpu.config_write(2, cfg::kExpansionRom, 0xFC000001);
    EXPECT_EQ(bench.cpu.read(0xFC0007FC), 0xFFFFFFFFu);
    EXPECT_EQ(bench.bus.statistics().master_aborts, 1u) << "claimed";
  });
}

TEST(Decode, NobodyThereReadsOnesAndIsCounted) {
  Bench bench;
  bench.run([&] {
    EXPECT_EQ(bench.cpu.read(0xE0000000), 0xFFFFFFFFu);
    EXPECT_EQ(bench.cpu.response, ::tlm::TLM_OK_RESPONSE);
    bench.cpu.write(0xE0000000, 1);
    EXPECT_EQ(bench.cpu.in(0x60, 1), 0xFFu);
    EXPECT_EQ(bench.cpu.response, ::tlm::TLM_OK_RESPONSE);
    EXPECT_EQ(bench.bus.statistics().master_aborts, 3u);
    EXPECT_EQ(bench.bus.statistics().bytes, 0u);
    EXPECT_EQ(bench.cpu.config_read(0, cfg::kStatus, 2), 0x2280u);
    bench.cpu.config_write(0, cfg::kStatus, 0x2000, 2);
    EXPECT_EQ(bench.cpu.config_read(0, cfg::kStatus, 2), 0x0280u);
  });
}

TEST(Decode, AccessesAcrossTheEndOfABarAreNotClaimed) {
  Bench bench;
  bench.run([&] {
    bench.set_up(0);
    bench.cpu.read(bench.bar(0) + 0xFFC);
    EXPECT_EQ(bench.device(0).accesses.size(), 1u);
    EXPECT_EQ(bench.cpu.read(bench.bar(0) + 0xFFE), 0xFFFFFFFFu);
    EXPECT_EQ(bench.cpu.read(bench.bar(0) - 2), 0xFFFFFFFFu);
    EXPECT_EQ(bench.cpu.read(0xFFFFE), 0xFFFFFFFFu) << "end of RAM";
    EXPECT_EQ(bench.cpu.read(~std::uint64_t{0} - 1), 0xFFFFFFFFu) << "end of the world";
    EXPECT_EQ(bench.device(0).accesses.size(), 1u);
    EXPECT_EQ(bench.bus.statistics().master_aborts, 4u);
  });
}

TEST(Decode, DeviceErrorsAreTargetAborts) {
  Bench bench;
  bench.run([&] {
    bench.set_up(0);
    for (const auto answer : {::tlm::TLM_ADDRESS_ERROR_RESPONSE, ::tlm::TLM_BURST_ERROR_RESPONSE}) {
      bench.device(0).answer = answer;
      EXPECT_EQ(bench.cpu.read(bench.bar(0)), 0xFFFFFFFFu);
      EXPECT_EQ(bench.cpu.response, ::tlm::TLM_OK_RESPONSE);
      EXPECT_EQ(bench.status(0), 0x0230u | status::kSignaledTargetAbort);
      EXPECT_EQ(bench.cpu.config_read(0, cfg::kStatus, 2), 0x0280u | status::kReceivedTargetAbort);
      bench.cpu.config_write(2, cfg::kStatus, 0xFFFF, 2);
      bench.cpu.config_write(0, cfg::kStatus, 0xFFFF, 2);
    }
    EXPECT_EQ(bench.bus.statistics().master_aborts, 0u);
  });
}

TEST(Decode, ByteEnablesAndStreamingReachTheDevice) {
  Bench bench;
  bench.run([&] {
    bench.set_up(0);
    std::array<std::uint8_t, 8> data{};
    std::array<std::uint8_t, 4> enables{0xFF, 0, 0, 0xFF};
    ::tlm::tlm_generic_payload payload;
    payload.set_command(::tlm::TLM_WRITE_COMMAND);
    payload.set_address(bench.bar(0) + 0xFFC);
    payload.set_data_ptr(data.data());
    payload.set_data_length(8);
    payload.set_streaming_width(4);  // stays inside the BAR
    payload.set_byte_enable_ptr(enables.data());
    payload.set_byte_enable_length(4);
    bench.device(0).answer = ::tlm::TLM_BYTE_ENABLE_ERROR_RESPONSE;
    bench.cpu.transport(bench.cpu.memory, payload);
    EXPECT_EQ(bench.device(0).accesses.size(), 1u);
    EXPECT_EQ(bench.device(0).byte_enables, enables.data());
    EXPECT_EQ(bench.device(0).streaming_width, 4u);
    EXPECT_EQ(payload.get_address(), bench.bar(0) + 0xFFC) << "restored";
    payload.set_data_length(0);
    bench.cpu.transport(bench.cpu.memory, payload);
    EXPECT_EQ(bench.cpu.response, ::tlm::TLM_BURST_ERROR_RESPONSE);
    EXPECT_EQ(bench.device(0).accesses.size(), 1u);
    payload.set_command(::tlm::TLM_IGNORE_COMMAND);
    bench.cpu.transport(bench.cpu.memory, payload);
    EXPECT_EQ(bench.cpu.response, ::tlm::TLM_OK_RESPONSE);
  });
}

TEST(Decode, DebugTransportHasNoSideEffects) {
  Bench bench;
  bench.run([&] {
    bench.set_up(0);
    const std::uint64_t tenures = bench.bus.statistics().tenures;
    store_le32(&bench.device(0).registers[8], 0xFEED);
    std::array<std::uint8_t, 8> data{};
    ::tlm::tlm_generic_payload payload;
    payload.set_command(::tlm::TLM_READ_COMMAND);
    payload.set_address(bench.bar(0) + 8);
    payload.set_data_ptr(data.data());
    payload.set_data_length(4);
    EXPECT_EQ(bench.cpu.memory->transport_dbg(payload), 4u);
    EXPECT_EQ(load_le32(data.data()), 0xFEEDu);
    EXPECT_EQ(payload.get_address(), bench.bar(0) + 8);
    payload.set_address(0xE0000000);
    EXPECT_EQ(bench.cpu.memory->transport_dbg(payload), 0u);
    payload.set_address(0xFFFFC);
    payload.set_data_length(8);
    EXPECT_EQ(bench.cpu.memory->transport_dbg(payload), 4u) << "clipped at the end of RAM";
    EXPECT_EQ(payload.get_data_length(), 8u);
    EXPECT_TRUE(bench.device(0).accesses.empty());
    EXPECT_EQ(bench.bus.statistics().tenures, tenures);
    EXPECT_EQ(bench.bus.statistics().master_aborts, 0u);
    EXPECT_EQ(bench.bridge.config_space().read(cfg::kStatus, 2), 0x0280u);
  });
}

TEST(Decode, D3hotAnswersConfigurationOnly) {
  Bench bench;
  bench.run([&] {
    bench.set_up(0);
    bench.cpu.config_write(2, kPmcsr, 3, 2);
    EXPECT_EQ(bench.cpu.read(bench.bar(0)), 0xFFFFFFFFu);
    EXPECT_EQ(bench.cpu.in(bench.port(0)), 0xFFFFFFFFu);
    EXPECT_EQ(bench.cpu.config_read(2, 0), 0x100E8086u);
    EXPECT_TRUE(bench.device(0).accesses.empty());
    EXPECT_THAT(bench.device(0).log, ElementsAre("no master", "master", "no master", "D3"));
  });
}

TEST(Decode, ReturnFromD3hotIsASoftReset) {
  Bench bench;
  bench.run([&] {
    bench.set_up(0);
    bench.cpu.config_write(2, kPmcsr, 0x103, 2);
    bench.device(0).log.clear();
    bench.cpu.config_write(2, kPmcsr, 0x100, 2);
    EXPECT_THAT(bench.device(0).log, ElementsAre("D0", "power reset"));
    EXPECT_EQ(bench.cpu.config_read(2, 0x10), 0u);
    EXPECT_EQ(bench.cpu.config_read(2, cfg::kCommand, 2), 0u);
    EXPECT_EQ(bench.cpu.config_read(2, kPmcsr, 2), 0x100u) << "PME context stays";
    bench.set_up(0);
    EXPECT_EQ(bench.cpu.read(bench.bar(0)), 0u);
  });
}

TEST(Decode, BusResetReachesEveryFunction) {
  Bench bench;
  bench.run([&] {
    bench.set_up(0);
    bench.set_up(1);
    bench.device(0).log.clear();
    bench.device(1).log.clear();
    bench.bus.reset();
    EXPECT_THAT(bench.device(0).log, ElementsAre("no master", "bus reset"));
    EXPECT_THAT(bench.device(1).log, ElementsAre("no master", "bus reset"));
    EXPECT_EQ(bench.cpu.read(bench.bar(1)), 0xFFFFFFFFu);
    EXPECT_EQ(bench.cpu.config_read(3, cfg::kCommand, 2), 0u);
  });
}

TEST(Decode, EventsComeOnChangeOnly) {
  Bench bench;
  bench.run([&] {
    bench.set_up(0);
    bench.set_up(0);
    bench.cpu.config_write(2, cfg::kCommand, command::kMaster | command::kIo, 2);
    bench.cpu.config_write(2, kPmcsr, 0, 2);
    EXPECT_THAT(bench.device(0).log, ElementsAre("no master", "master"));
    bench.cpu.config_write(2, cfg::kCommand, command::kIo, 2);
    EXPECT_THAT(bench.device(0).log, ElementsAre("no master", "master", "no master"));
  });
}

TEST(Decode, BusRefusesImpossibleSettings) {
  const auto bus = [](auto change) {
    BusConfig config;
    change(config);
    Bus("bad", config);
  };
  EXPECT_THROW(bus([](BusConfig& c) { c.speed.width_bits = 16; }), std::invalid_argument);
  EXPECT_THROW(bus([](BusConfig& c) { c.speed.clock = kTimeZero; }), std::invalid_argument);
  EXPECT_THROW(bus([](BusConfig& c) { c.first_device = 0; }), std::invalid_argument);
  EXPECT_THROW(bus([](BusConfig& c) { c.first_device = 32; }), std::invalid_argument);
  EXPECT_THROW(bus([](BusConfig& c) { c.host.delayed_read = ms(1); }), std::invalid_argument);
  EXPECT_THROW(bus([](BusConfig& c) { c.device.split_latency = ns(-1); }), std::invalid_argument);
}

TEST(Decode, BusHasRoomForItsDeviceNumbersOnly) {
  BusConfig config;
  config.first_device = 31;
  Bus bus("bus", config);
  Function first("first", nic()), second("second", nic());
  EXPECT_EQ(bus.attach(first), 31u);
  EXPECT_THROW(bus.attach(second), std::invalid_argument);
}

TEST(Decode, ADeviceNumberMayBeWanted) {
  Bus bus("bus", {});
  Function first("first", nic()), second("second", nic()), third("third", nic()),
      fourth("fourth", nic());
  EXPECT_EQ(bus.attach(first, 4), 4u);
  EXPECT_THROW(bus.attach(second, 4), std::invalid_argument);
  EXPECT_THROW(bus.attach(second, 0), std::invalid_argument);
  EXPECT_THROW(bus.attach(second, 32), std::invalid_argument);
  EXPECT_EQ(bus.attach(second, 3), 3u);
  EXPECT_EQ(bus.attach(third), 2u);
  EXPECT_EQ(bus.attach(fourth), 5u);
}

TEST(Decode, FunctionsAnswerAtTheNumbersTheyWanted) {
  Bench bench;
  const Card high("high", nic(), bench.bus, 30);
  Card low("low", nic(), bench.bus, 7);
  bench.run([&] {
    bench.cpu.config_write(30, cfg::kInterruptLine, 0x30, 1);
    bench.cpu.config_write(7, cfg::kInterruptLine, 0x77, 1);
    EXPECT_EQ(bench.cpu.config_read(7, 0), 0x100E8086u);
    EXPECT_EQ(bench.cpu.config_read(8, 0), 0xFFFFFFFFu);
    low.irq = true;
    sc_core::wait(to_sc(ns(100)));
    EXPECT_TRUE(bench.pirq[pirq_line(7, 0)].read());
    EXPECT_FALSE(bench.pirq[pirq_line(30, 0)].read());
  });
  EXPECT_EQ(high.function.config().read(cfg::kInterruptLine, 1), 0x30u);
  EXPECT_EQ(low.function.config().read(cfg::kInterruptLine, 1), 0x77u);
}

}  // namespace
}  // namespace e1000tlm::pci::test
