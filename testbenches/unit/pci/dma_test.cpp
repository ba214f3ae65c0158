/// Devices as masters: gating, aborts, peers, DMI.

#include <algorithm>
#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "testbenches/unit/pci/pci_bench.h"

namespace e1000tlm::pci::test {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;

std::vector<std::uint8_t> pattern(std::size_t n) {
  std::vector<std::uint8_t> data(n);
  std::iota(data.begin(), data.end(), std::uint8_t{1});
  return data;
}

const BusMasterPort::Region* dmi_of(Bench& bench, std::size_t card, std::uint64_t address) {
  bench.device(card).dma.request_dmi(address, true);
  return bench.device(card).dma.find(address, 1, true);
}

TEST(Dma, IsRefusedWhileBusMasteringIsOff) {
  Bench bench;
  bench.run([&] {
    BusMaster master(bench.device(0).dma);
    master.time().start();
    bench.set_up(0, command::kMemory);
    const std::uint64_t tenures = bench.bus.statistics().tenures;
    auto data = pattern(4);
    EXPECT_EQ(master.write(0x1000, data), BusStatus::kError);
    EXPECT_EQ(master.read(0x1000, data), BusStatus::kError);
    EXPECT_THAT(data, Each(0xFF));
    EXPECT_EQ(bench.memory.bytes()[0x1000], 0);
    EXPECT_EQ(dmi_of(bench, 0, 0x1000), nullptr);
    EXPECT_EQ(bench.status(0), 0x0230u);
    EXPECT_EQ(bench.bus.statistics().tenures, tenures) << "nothing of it reached the bus";
  });
}

TEST(Dma, MovesDataToAndFromMemory) {
  Bench bench;
  bench.run([&] {
    bench.set_up(0);
    BusMaster master(bench.device(0).dma);
    master.time().start();
    const auto data = pattern(100);
    // The first access is a transaction; it opens DMI for those that follow.
    for (const std::uint64_t address : {0x1001u, 0x2002u}) {
      EXPECT_EQ(master.write(address, data), BusStatus::kOk);
      EXPECT_TRUE(std::equal(data.begin(), data.end(),
                             bench.memory.bytes().begin() + static_cast<std::ptrdiff_t>(address)));
      std::vector<std::uint8_t> back(100);
      EXPECT_EQ(master.read(address, back), BusStatus::kOk);
      EXPECT_EQ(back, data);
    }
    EXPECT_NE(bench.device(0).dma.find(0x2000, 1, true), nullptr);
  });
}

TEST(Dma, ToNowhereIsAMasterAbort) {
  Bench bench;
  bench.run([&] {
    bench.set_up(0);
    BusMaster master(bench.device(0).dma);
    master.time().start();
    auto data = pattern(8);
    EXPECT_EQ(master.write(0x9000'0000, data), BusStatus::kAddressError);
    EXPECT_EQ(bench.status(0), 0x2230u);
    EXPECT_EQ(bench.status(1), 0x0230u);
    bench.cpu.config_write(2, cfg::kStatus, 0x2000, 2);
    EXPECT_EQ(master.read(0x9000'0000, data), BusStatus::kAddressError);
    EXPECT_THAT(data, Each(0xFF));
    EXPECT_EQ(bench.status(0), 0x2230u);
    EXPECT_EQ(bench.bus.statistics().master_aborts, 2u);
    EXPECT_EQ(master.read(0xF'FFFC, data), BusStatus::kAddressError) << "across the end of RAM";
    EXPECT_EQ(master.read(~std::uint64_t{0} - 3, data), BusStatus::kAddressError);
    EXPECT_EQ(dmi_of(bench, 0, 0x9000'0000), nullptr);
    EXPECT_EQ(bench.cpu.config_read(0, cfg::kStatus, 2), 0x0280u) << "not the bridge's abort";
  });
}

TEST(Dma, HostMemoryEndKnowsAbortsBeforehand) {
  BenchConfig config;
  config.bus.host_memory_end = 0x8000;
  Bench bench(config);
  std::vector<TenureEvent> events;
  bench.bus.tenures().attach([&](const TenureEvent& event) { events.push_back(event); });
  bench.run([&] {
    bench.set_up(0);
    BusMaster master(bench.device(0).dma);
    master.time().start();
    std::vector<std::uint8_t> data(8);
    events.clear();
    EXPECT_EQ(master.read(0x8000, data), BusStatus::kAddressError);
    EXPECT_EQ(master.read(0x7FFC, data), BusStatus::kAddressError);
    EXPECT_EQ(master.read(0x7FF8, data), BusStatus::kOk);
    ASSERT_EQ(events.size(), 3u);
    EXPECT_TRUE(events[0].master_abort);
    EXPECT_TRUE(events[1].master_abort);
    EXPECT_FALSE(events[2].master_abort);
    EXPECT_EQ(events[0].end - events[0].requested, ns(8 * 30));
    EXPECT_EQ(events[0].end - events[0].start, ns(6 * 30));
    const auto* region = dmi_of(bench, 0, 0x1000);
    ASSERT_NE(region, nullptr);
    EXPECT_EQ(region->end, 0x7FFFu);
  });
}

TEST(Dma, ReachesPeersButNeverItself) {
  Bench bench;
  bench.run([&] {
    bench.set_up(0);
    bench.set_up(1);
    BusMaster master(bench.device(0).dma);
    master.time().start();
    auto data = pattern(4);
    EXPECT_EQ(master.write(bench.bar(1) + 0x10, data), BusStatus::kOk);
    using A = Device::Access;
    EXPECT_THAT(bench.device(1).accesses, ElementsAre(A{'m', true, 0x10, 4, {}}));
    EXPECT_EQ(load_le32(&bench.device(1).registers[0x10]), 0x04030201u);
    EXPECT_EQ(dmi_of(bench, 0, bench.bar(1)), nullptr);

    EXPECT_EQ(master.write(bench.bar(0) + 0x10, data), BusStatus::kAddressError);
    EXPECT_TRUE(bench.device(0).accesses.empty());
    EXPECT_EQ(bench.status(0), 0x2230u);

    bench.device(1).answer = ::tlm::TLM_GENERIC_ERROR_RESPONSE;
    EXPECT_EQ(master.read(bench.bar(1), data), BusStatus::kError);
    EXPECT_EQ(bench.status(0), 0x3230u);
    EXPECT_EQ(bench.status(1), 0x0A30u);
  });
}

TEST(Dma, ConfigurationIsNotForFunctions) {
  Bench bench;
  bench.run([&] {
    bench.set_up(0);
    PciExtension extension;
    extension.space = Space::kConfig;
    extension.device = 3;
    std::array<std::uint8_t, 4> data{};
    ::tlm::tlm_generic_payload payload;
    payload.set_command(::tlm::TLM_READ_COMMAND);
    payload.set_address(0);
    payload.set_data_ptr(data.data());
    payload.set_data_length(4);
    payload.set_streaming_width(4);
    payload.set_extension(&extension);
    bench.cpu.transport(bench.device(0).dma.socket, payload);
    payload.clear_extension(&extension);
    EXPECT_EQ(bench.cpu.response, ::tlm::TLM_ADDRESS_ERROR_RESPONSE);
  });
}

TEST(Dma, DmiIsGrantedWithATariff) {
  BenchConfig config;
  config.memory_read = ns(40);
  config.memory_write = ns(10);
  Bench bench(config);
  bench.run([&] {
    bench.set_up(0);
    const auto* region = dmi_of(bench, 0, 0x1000);
    ASSERT_NE(region, nullptr);
    EXPECT_EQ(region->start, 0u);
    EXPECT_EQ(region->end, 0xFFFFFu);
    EXPECT_EQ(region->memory, bench.memory.bytes().data());
    ASSERT_NE(region->tariff, nullptr);
    // Typical timing: 17 and 9 clocks of 30 ns for 16 bytes, then the memory.
    EXPECT_EQ(region->tariff->book(::tlm::TLM_READ_COMMAND, 0x1000, 16, us(1)).end,
              us(1) + ns(550));
    EXPECT_EQ(region->tariff->book(::tlm::TLM_WRITE_COMMAND, 0x1000, 16, us(1)).end,
              us(1) + ns(280));

    // Who does not know tariffs gets the price of 4 bytes: 14 and 6 clocks.
    ::tlm::tlm_generic_payload payload;
    payload.set_address(0x1000);
    ::tlm::tlm_dmi dmi;
    EXPECT_FALSE(bench.device(1).dma.socket->get_direct_mem_ptr(payload, dmi));
    EXPECT_EQ(dmi.get_end_address(), 0x1000u) << "the denial says nothing about other addresses";
    ASSERT_TRUE(bench.device(0).dma.socket->get_direct_mem_ptr(payload, dmi));
    EXPECT_EQ(from_sc(dmi.get_read_latency()), ns(14 * 30 + 40));
    EXPECT_EQ(from_sc(dmi.get_write_latency()), ns(6 * 30 + 10));
  });
}

TEST(Dma, DmiWithoutTariffIsDeniedWhereTimeIsApproximate) {
  BenchConfig config;
  config.quantum = kTimeZero;
  Bench bench(config);
  bench.run([&] {
    bench.set_up(0);
    ::tlm::tlm_generic_payload payload;
    payload.set_address(0x1000);
    ::tlm::tlm_dmi dmi;
    EXPECT_FALSE(bench.device(0).dma.socket->get_direct_mem_ptr(payload, dmi));
    EXPECT_NE(dmi_of(bench, 0, 0x1000), nullptr) << "with tariff it is granted";
  });
}

TEST(Dma, DmiIsWithdrawnWhenMasteringStops) {
  Bench bench;
  bench.run([&] {
    bench.set_up(0);
    bench.set_up(1);
    ASSERT_NE(dmi_of(bench, 0, 0x1000), nullptr);
    ASSERT_NE(dmi_of(bench, 1, 0x1000), nullptr);
    bench.cpu.config_write(2, cfg::kCommand, command::kMemory, 2);
    EXPECT_EQ(bench.device(0).dma.find(0x1000, 1, true), nullptr);
    EXPECT_NE(bench.device(1).dma.find(0x1000, 1, true), nullptr);
    bench.cpu.config_write(3, kPmcsr, 3, 2);
    EXPECT_EQ(bench.device(1).dma.find(0x1000, 1, true), nullptr);
    EXPECT_EQ(dmi_of(bench, 1, 0x1000), nullptr);
    bench.cpu.config_write(2, cfg::kCommand, command::kMaster, 2);
    EXPECT_NE(dmi_of(bench, 0, 0x1000), nullptr);
    bench.bus.reset();
    EXPECT_EQ(bench.device(0).dma.find(0x1000, 1, true), nullptr);
  });
}

TEST(Dma, DmiIsWithdrawnByMemory) {
  Bench bench;
  bench.run([&] {
    bench.set_up(0);
    ASSERT_NE(dmi_of(bench, 0, 0x1000), nullptr);
    bench.memory.allow_dmi(false);
    EXPECT_EQ(bench.device(0).dma.find(0x1000, 1, true), nullptr);
    EXPECT_EQ(dmi_of(bench, 0, 0x1000), nullptr);
    EXPECT_EQ(bench.cpu.invalidated.size(), 1u);
    BusMaster master(bench.device(0).dma);
    master.time().start();
    EXPECT_EQ(master.write(0x1000, pattern(4)), BusStatus::kOk) << "by transactions";
    EXPECT_EQ(bench.memory.bytes()[0x1003], 4);
  });
}

TEST(Dma, DmiWithdrawnDuringAnAccessCostsNothing) {
  BenchConfig config;
  config.quantum = kTimeZero;
  config.memory_read = ns(40);
  config.memory_write = ns(10);
  Bench bench(config);
  bench.run([&] {
    bench.set_up(0);
    BusMaster master(bench.device(0).dma);
    master.time().start();
    auto data = pattern(1500);
    std::vector<std::uint8_t> back(1500);
    std::array<Time, 2> took[2];
    for (const bool withdrawn : {false, true}) {
      for (const bool write : {true, false}) {
        ASSERT_EQ(master.read(0, back), BusStatus::kOk);  // obtains DMI
        ASSERT_NE(bench.device(0).dma.find(0x1000, 1500, write), nullptr);
        if (withdrawn) {
          sc_core::sc_spawn([&] {
            sc_core::wait(to_sc(us(3)));
            bench.memory.allow_dmi(false);
            bench.memory.allow_dmi(true);
          });
        }
        const std::uint64_t accesses = bench.bus.statistics().accesses;
        const Time start = sc_now();
        EXPECT_EQ(write ? master.write(0x1000, data) : master.read(0x1000, back), BusStatus::kOk);
        took[withdrawn][write] = sc_now() - start;
        EXPECT_EQ(bench.bus.statistics().accesses, accesses + 1);
      }
      EXPECT_EQ(back, data);
    }
    EXPECT_GT(took[0][0], us(3));
    EXPECT_EQ(took[1], took[0]);
    EXPECT_EQ(master.errors(), 0u);
  });
}

TEST(Dma, MasteringSwitchedOffDuringAnAccessIsAnError) {
  BenchConfig config;
  config.quantum = kTimeZero;
  Bench bench(config);
  bench.run([&] {
    bench.set_up(0);
    BusMaster master(bench.device(0).dma);
    master.time().start();
    auto data = pattern(1500);
    ASSERT_EQ(master.write(0, data), BusStatus::kOk);  // obtains DMI
    sc_core::sc_spawn([&] {
      sc_core::wait(to_sc(us(3)));
      bench.cpu.config_write(2, cfg::kCommand, command::kMemory, 2);
    });
    EXPECT_EQ(master.write(0x1000, data), BusStatus::kError);
    EXPECT_EQ(bench.memory.bytes()[0x1000], 0);
  });
}

TEST(Dma, DmiStopsAtAPeersBar) {
  Bench bench;
  bench.run([&] {
    bench.set_up(0);
    bench.set_up(1);
    ASSERT_NE(dmi_of(bench, 0, 0x1000), nullptr);
    // A guest lays card 1's BAR over RAM; other masters meet it there, the CPU does not.
    bench.cpu.config_write(3, 0x10, 0x8000);
    EXPECT_EQ(bench.device(0).dma.find(0x1000, 1, true), nullptr);
    const auto* below = dmi_of(bench, 0, 0x1000);
    ASSERT_NE(below, nullptr);
    EXPECT_EQ(below->end, 0x7FFFu);
    EXPECT_EQ(dmi_of(bench, 0, 0x8000), nullptr);
    const auto* above = dmi_of(bench, 0, 0x9000);
    ASSERT_NE(above, nullptr);
    EXPECT_EQ(above->start, 0x9000u);
    EXPECT_EQ(above->memory, bench.memory.bytes().data() + 0x9000);
    const auto* own = dmi_of(bench, 1, 0x8000);
    ASSERT_NE(own, nullptr) << "its own BAR is no target for itself";
    EXPECT_EQ(own->start, 0u);

    BusMaster master(bench.device(0).dma);
    master.time().start();
    EXPECT_EQ(master.write(0x8000, pattern(4)), BusStatus::kOk);
    EXPECT_EQ(bench.device(1).accesses.size(), 1u);
    EXPECT_EQ(bench.memory.bytes()[0x8000], 0);
    EXPECT_EQ(master.write(0x7FFE, pattern(4)), BusStatus::kAddressError) << "half RAM, half BAR";
    bench.cpu.write(0x8000, 0x55);
    EXPECT_EQ(bench.memory.bytes()[0x8000], 0x55);
  });
}

TEST(Dma, CpuGetsDmiToRamWithItsLatency) {
  BenchConfig config;
  config.cpu_latency = ns(20);
  config.memory_read = ns(40);
  Bench bench(config);
  bench.run([&] {
    bench.cpu.read(0x1000);
    EXPECT_EQ(bench.cpu.took, ns(60));
    EXPECT_TRUE(bench.cpu.dmi_hint);
    ::tlm::tlm_generic_payload payload;
    payload.set_address(0x1000);
    ::tlm::tlm_dmi dmi;
    ASSERT_TRUE(bench.cpu.memory->get_direct_mem_ptr(payload, dmi));
    EXPECT_EQ(from_sc(dmi.get_read_latency()), ns(60));
    EXPECT_EQ(from_sc(dmi.get_write_latency()), ns(20));
    EXPECT_EQ(dmi.get_end_address(), 0xFFFFFu);
    payload.set_address(0xFE000000);
    EXPECT_FALSE(bench.cpu.memory->get_direct_mem_ptr(payload, dmi));
  });
}

TEST(Dma, DebugReachesMemoryAndPeers) {
  Bench bench;
  bench.run([&] {
    bench.set_up(0);
    bench.set_up(1);
    auto data = pattern(4);
    ::tlm::tlm_generic_payload payload;
    payload.set_command(::tlm::TLM_WRITE_COMMAND);
    payload.set_data_ptr(data.data());
    payload.set_data_length(4);
    const std::uint64_t tenures = bench.bus.statistics().tenures;
    payload.set_address(0x1000);
    EXPECT_EQ(bench.device(0).dma.socket->transport_dbg(payload), 4u);
    EXPECT_EQ(bench.memory.bytes()[0x1003], 4);
    payload.set_address(bench.bar(1));
    EXPECT_EQ(bench.device(0).dma.socket->transport_dbg(payload), 4u);
    EXPECT_EQ(bench.device(1).registers[3], 4);
    payload.set_address(bench.bar(0));
    EXPECT_EQ(bench.device(0).dma.socket->transport_dbg(payload), 0u);
    EXPECT_EQ(bench.bus.statistics().tenures, tenures);
    EXPECT_TRUE(bench.device(1).accesses.empty());
    EXPECT_EQ(bench.status(0), 0x0230u);
  });
}

}  // namespace
}  // namespace e1000tlm::pci::test
