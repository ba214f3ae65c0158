/// Configuration mechanism #1 through the host bridge.

#include <gtest/gtest.h>

#include "testbenches/unit/pci/pci_bench.h"

namespace e1000tlm::pci::test {
namespace {

TEST(ConfigMechanism, FindsBridgeAndFunctions) {
  Bench bench;
  bench.run([&] {
    EXPECT_EQ(bench.cpu.config_read(0, 0), 0x12378086u);
    EXPECT_EQ(bench.cpu.config_read(0, 8), 0x06000002u);
    EXPECT_EQ(bench.cpu.config_read(0, 4), 0x02800006u);
    EXPECT_EQ(bench.cpu.config_read(2, 0), 0x100E8086u);
    EXPECT_EQ(bench.cpu.config_read(3, 0), 0x100E8086u);
  });
}

TEST(ConfigMechanism, AbsentDevicesReadAllOnesWithoutErrorBits) {
  Bench bench;
  bench.run([&] {
    for (const unsigned device : {1u, 4u, 31u}) {
      EXPECT_EQ(bench.cpu.config_read(device, 0), 0xFFFFFFFFu);
      EXPECT_EQ(bench.cpu.response, ::tlm::TLM_OK_RESPONSE);
    }
    bench.cpu.config_write(31, 4, 0xFFFFFFFF);
    EXPECT_EQ(bench.cpu.response, ::tlm::TLM_OK_RESPONSE);
    EXPECT_EQ(bench.bus.statistics().master_aborts, 4u);
    EXPECT_EQ(bench.cpu.config_read(0, 6, 2), 0x0280u);
  });
}

TEST(ConfigMechanism, OtherFunctionsAndBussesAreAbsent) {
  Bench bench;
  bench.run([&] {
    bench.cpu.out(0xCF8, 0x80000000 | 2 << 11 | 1 << 8);
    EXPECT_EQ(bench.cpu.in(0xCFC), 0xFFFFFFFFu);
    bench.cpu.out(0xCF8, 0x80000000 | 1 << 8);
    EXPECT_EQ(bench.cpu.in(0xCFC), 0xFFFFFFFFu);
    bench.cpu.out(0xCF8, 0x80010000 | 2 << 11);
    EXPECT_EQ(bench.cpu.in(0xCFC), 0xFFFFFFFFu);
  });
}

TEST(ConfigMechanism, NeedsTheEnableBitAndADwordLatch) {
  Bench bench;
  bench.run([&] {
    bench.cpu.out(0xCF8, 2 << 11);
    EXPECT_EQ(bench.cpu.in(0xCFC), 0xFFFFFFFFu);
    bench.cpu.out(0xCFC, 0xFFFFFFFF);
    bench.cpu.out(0xCF8, 0x80000000 | 2 << 11);
    EXPECT_EQ(bench.cpu.in(0xCFC), 0x100E8086u);
    EXPECT_EQ(bench.cpu.in(0xCF8), 0x80001000u);
    bench.cpu.out(0xCFB, 0, 1);  // not the latch: port 0xCFB, where nobody is
    EXPECT_EQ(bench.cpu.in(0xCF8), 0x80001000u);
    EXPECT_EQ(bench.cpu.in(0xCF8, 2), 0x0000FFFFu);
    bench.cpu.out(0xCF8, 0xFFFFFFFF);
    EXPECT_EQ(bench.cpu.in(0xCF8), 0x80FFFFFCu) << "reserved bits are zero";
  });
}

TEST(ConfigMechanism, ReachesBytesAndWords) {
  Bench bench;
  bench.run([&] {
    EXPECT_EQ(bench.cpu.config_read(2, 2, 2), 0x100Eu);
    EXPECT_EQ(bench.cpu.config_read(2, 1, 1), 0x80u);
    EXPECT_EQ(bench.cpu.config_read(2, 1, 2), 0x0E80u);
    bench.cpu.config_write(2, 0x3C, 0x0B, 1);
    bench.cpu.config_write(2, 0x0D, 0x40, 1);
    EXPECT_EQ(bench.cpu.config_read(2, 0x3C), 0x0000010Bu);
    EXPECT_EQ(bench.cpu.config_read(2, 0x0C), 0x00004000u);
    // Across the end of the data port is no configuration access.
    bench.cpu.out(0xCF8, 0x80001000);
    EXPECT_EQ(bench.cpu.in(0xCFE, 4), 0xFFFFFFFFu);
  });
}

TEST(ConfigMechanism, SizesBars) {
  Bench bench;
  bench.run([&] {
    for (unsigned i = 0; i < 6; ++i) bench.cpu.config_write(2, 0x10 + 4 * i, 0xFFFFFFFF);
    bench.cpu.config_write(2, 0x30, 0xFFFFFFFE);
    EXPECT_EQ(bench.cpu.config_read(2, 0x10), 0xFFFFF000u);
    EXPECT_EQ(bench.cpu.config_read(2, 0x14), 0xFFFFFFC1u);
    EXPECT_EQ(bench.cpu.config_read(2, 0x18), 0xFFFFF00Cu);
    EXPECT_EQ(bench.cpu.config_read(2, 0x1C), 0xFFFFFFFFu);
    EXPECT_EQ(bench.cpu.config_read(2, 0x20), 0u);
    EXPECT_EQ(bench.cpu.config_read(2, 0x30), 0xFFFFF800u);
  });
}

TEST(ConfigMechanism, HonoursByteEnables) {
  Bench bench;
  bench.run([&] {
    std::array<std::uint8_t, 4> data{0x11, 0x22, 0x33, 0x44};
    std::array<std::uint8_t, 4> enables{0, 0, 0xFF, 0};
    ::tlm::tlm_generic_payload payload;
    payload.set_command(::tlm::TLM_WRITE_COMMAND);
    payload.set_address(0xCFC);
    payload.set_data_ptr(data.data());
    payload.set_data_length(4);
    payload.set_streaming_width(4);
    payload.set_byte_enable_ptr(enables.data());
    payload.set_byte_enable_length(4);
    bench.cpu.out(0xCF8, 0x80001018);
    bench.cpu.transport(bench.cpu.io, payload);
    EXPECT_EQ(bench.cpu.config_read(2, 0x18), 0x0033000Cu);
    payload.set_command(::tlm::TLM_READ_COMMAND);
    data.fill(0xEE);
    bench.cpu.transport(bench.cpu.io, payload);
    EXPECT_EQ(load_le32(data.data()), 0xEE33EEEEu);
  });
}

TEST(ConfigMechanism, DebugReadsAndNeverWrites) {
  Bench bench;
  bench.run([&] {
    bench.cpu.out(0xCF8, 0x80001000);
    const std::uint64_t tenures = bench.bus.statistics().tenures;
    std::array<std::uint8_t, 4> data{};
    ::tlm::tlm_generic_payload payload;
    payload.set_command(::tlm::TLM_READ_COMMAND);
    payload.set_data_ptr(data.data());
    payload.set_data_length(4);
    payload.set_streaming_width(4);
    payload.set_address(0xCFC);
    EXPECT_EQ(bench.cpu.io->transport_dbg(payload), 4u);
    EXPECT_EQ(load_le32(data.data()), 0x100E8086u);
    EXPECT_EQ(payload.get_address(), 0xCFCu);
    payload.set_address(0xCF8);
    EXPECT_EQ(bench.cpu.io->transport_dbg(payload), 4u);
    EXPECT_EQ(load_le32(data.data()), 0x80001000u);

    payload.set_command(::tlm::TLM_WRITE_COMMAND);
    EXPECT_EQ(bench.cpu.io->transport_dbg(payload), 0u);
    payload.set_address(0xCFC);
    EXPECT_EQ(bench.cpu.io->transport_dbg(payload), 0u);
    EXPECT_EQ(bench.bus.statistics().tenures, tenures);

    bench.cpu.out(0xCF8, 0x80000000);
    payload.set_command(::tlm::TLM_READ_COMMAND);
    EXPECT_EQ(bench.cpu.io->transport_dbg(payload), 4u);
    EXPECT_EQ(load_le32(data.data()), 0x12378086u);
    bench.cpu.out(0xCF8, 0x8000F800);
    EXPECT_EQ(bench.cpu.io->transport_dbg(payload), 0u) << "absent device";
  });
}

TEST(ConfigMechanism, BridgeResetForgetsTheLatch) {
  Bench bench;
  bench.run([&] {
    bench.cpu.out(0xCF8, 0x80001000);
    bench.bridge.reset();
    EXPECT_EQ(bench.cpu.in(0xCF8), 0u);
    EXPECT_EQ(bench.cpu.in(0xCFC), 0xFFFFFFFFu);
  });
}

/// PCI-X 1.0b 7.2.4.
TEST(ConfigMechanism, ConfigurationWritesTellPcixFunctionsWhereTheyAre) {
  BenchConfig config;
  config.bus.speed = find_bus_speed("64/133x").value();
  for (FunctionConfig& card : config.cards) {
    card.pcix_offset = 0xE4;
    card.pcix_status = 0x0003'FFF8;
  }
  Bench bench(config);
  bench.run([&] {
    EXPECT_EQ(bench.cpu.config_read(3, 0xE8), 0x0003FFF8u);
    bench.cpu.config_write(3, cfg::kInterruptLine, 5, 1);
    EXPECT_EQ(bench.cpu.config_read(3, 0xE8), 0x00030018u) << "bus 0, device 3, function 0";
    EXPECT_EQ(bench.cpu.config_read(2, 0xE8), 0x0003FFF8u) << "the other one has not been told";
    bench.function(1).bus_reset();
    EXPECT_EQ(bench.cpu.config_read(3, 0xE8), 0x0003FFF8u);
  });
}

}  // namespace
}  // namespace e1000tlm::pci::test
