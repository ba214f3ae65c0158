/// MSI-X of a function on the bus: registers in a BAR, messages, INTx, resets.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "testbenches/unit/pci/pci_bench.h"

namespace e1000tlm::pci::test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr unsigned kMsix = 0x98, kVectors = 4;
constexpr std::uint32_t kTable = 0x400, kPending = 0x800, kOwnBar = 0xFE080000;
constexpr std::uint64_t kMessages = 0x3000;

void settle() { sc_core::wait(ns(1000).count(), sc_core::SC_PS); }

/// MSI-X in a BAR of its own (4).
FunctionConfig with_own_bar() {
  FunctionConfig config = nic();
  config.bars[4] = {BarConfig::Kind::kMemory32, 4096, false};
  config.msix = {kMsix, kVectors, {4, kTable}, {4, kPending}};
  return config;
}

/// MSI-X in BAR 0, where the device's registers are, too.
FunctionConfig in_device_bar() {
  FunctionConfig config = nic();
  config.msix = {kMsix, kVectors, {0, kTable}, {0, kPending}};
  return config;
}

struct MsixBench : Bench {
  explicit MsixBench(const FunctionConfig& function, Time quantum = us(10))
      : Bench(make(function, quantum)) {}

  static BenchConfig make(const FunctionConfig& function, Time quantum) {
    BenchConfig config;
    config.cards = {function};
    config.quantum = quantum;
    return config;
  }
  std::uint32_t base() {
    return function(0).config().config().msix.table.bar == 4 ? kOwnBar : bar(0);
  }
  void set_up_messages(std::uint16_t control = 0x8000) {
    cpu.config_write(2, 0x20, kOwnBar);
    set_up(0);
    for (unsigned i = 0; i < kVectors; ++i) {
      const std::uint32_t entry = base() + kTable + 16 * i;
      cpu.write(entry, static_cast<std::uint32_t>(kMessages + 4 * i));
      cpu.write(entry + 4, 0);
      cpu.write(entry + 8, 0x4100 + i);
      cpu.write(entry + 12, 0);
    }
    cpu.config_write(2, kMsix + 2, control, 2);
  }
  void mask(unsigned vector, bool masked) {
    cpu.write(base() + kTable + 16 * vector + 12, masked ? 1 : 0);
  }
  std::uint32_t pending() { return cpu.read(base() + kPending); }
  /// What has come for a vector, once; 0: nothing.
  std::uint32_t arrived(unsigned vector) {
    std::uint8_t* at = &memory.bytes()[kMessages + 4 * vector];
    const std::uint32_t data = load_le32(at);
    store_le32(at, 0);
    return data;
  }
  MessagesIf& messages() { return function(0); }
};

void messages_are_written(const FunctionConfig& config, Time quantum) {
  MsixBench bench(config, quantum);
  bench.run([&] {
    bench.set_up_messages();
    EXPECT_TRUE(bench.messages().messages_enabled());
    const std::uint64_t tenures = bench.bus.statistics().tenures;
    bench.messages().send_message(2);
    bench.messages().send_message(0);
    bench.messages().send_message(2);
    settle();
    EXPECT_EQ(bench.bus.statistics().tenures, tenures + 2);
    EXPECT_EQ(bench.arrived(2), 0x4102u);
    EXPECT_EQ(bench.arrived(0), 0x4100u);
    EXPECT_EQ(bench.arrived(1), 0u);
    bench.messages().send_message(2);
    settle();
    EXPECT_EQ(bench.arrived(2), 0x4102u);
  });
}

TEST(FunctionMsix, MessagesAreWrittenToTheBus) { messages_are_written(with_own_bar(), us(10)); }
TEST(FunctionMsix, MessagesAreWrittenApproximatelyTimed) {
  messages_are_written(with_own_bar(), kTimeZero);
}
TEST(FunctionMsix, MessagesAreWrittenFromATableBesideRegisters) {
  messages_are_written(in_device_bar(), us(10));
}

TEST(FunctionMsix, WhatElseIsInItsOwnBarIsReserved) {
  MsixBench bench(with_own_bar());
  bench.run([&] {
    bench.set_up_messages();
    EXPECT_EQ(bench.cpu.read(kOwnBar), 0u);
    bench.cpu.write(kOwnBar, 5);
    EXPECT_EQ(bench.cpu.response, ::tlm::TLM_OK_RESPONSE);
    EXPECT_EQ(bench.cpu.read(kOwnBar + kTable + 16 * kVectors), 0u) << "behind the table";
    EXPECT_EQ(bench.cpu.read(kOwnBar + kTable + 8), 0x4100u);
    EXPECT_EQ(bench.cpu.read(kOwnBar + kTable + 9, 1), 0x41u);
    EXPECT_THAT(bench.device(0).accesses, IsEmpty());
  });
}

TEST(FunctionMsix, TheRestOfASharedBarIsTheDevices) {
  MsixBench bench(in_device_bar());
  bench.run([&] {
    bench.set_up_messages();
    EXPECT_THAT(bench.device(0).accesses, IsEmpty()) << "the table is not the device's";
    bench.cpu.write(bench.bar(0) + 0x10, 0x1234);
    EXPECT_EQ(bench.cpu.read(bench.bar(0) + 0x10), 0x1234u);
    EXPECT_EQ(bench.device(0).accesses.size(), 2u);
    bench.cpu.write(bench.bar(0) + kPending, 0xFFFFFFFF);
    EXPECT_EQ(bench.pending(), 0u);
    EXPECT_EQ(bench.device(0).accesses.size(), 2u);
    bench.cpu.in(bench.port(0));
    EXPECT_EQ(bench.device(0).accesses.size(), 3u) << "other BARs are as they were";
  });
}

/// As transports and debuggers make them: eight bytes, byte enables, streaming, debug.
TEST(FunctionMsix, RegistersTakeEveryKindOfAccess) {
  MsixBench bench(with_own_bar());
  bench.run([&] {
    bench.set_up_messages();
    const std::uint64_t entry = kOwnBar + kTable + 16;
    std::array<std::uint8_t, 8> data{0, 0x50, 0, 0, 1, 0, 0, 0};
    ::tlm::tlm_generic_payload payload;
    payload.set_address(entry);
    payload.set_data_ptr(data.data());
    payload.set_data_length(8);
    payload.set_streaming_width(8);
    payload.set_write();
    bench.cpu.transport(bench.cpu.memory, payload);
    EXPECT_EQ(bench.cpu.response, ::tlm::TLM_OK_RESPONSE);
    EXPECT_EQ(bench.cpu.read(entry), 0x5000u);
    EXPECT_EQ(bench.cpu.read(entry + 4), 1u);

    std::array<std::uint8_t, 2> enables{0xFF, 0};
    data = {0x10, 0x99, 0x20, 0x99, 0x30, 0x99, 0x40, 0x99};
    payload.set_byte_enable_ptr(enables.data());
    payload.set_byte_enable_length(2);
    bench.cpu.transport(bench.cpu.memory, payload);
    EXPECT_EQ(bench.cpu.read(entry), 0x00205010u);
    EXPECT_EQ(bench.cpu.read(entry + 4), 0x00400030u);
    payload.set_byte_enable_ptr(nullptr);

    payload.set_read();
    data.fill(0);
    EXPECT_EQ(bench.cpu.memory->transport_dbg(payload), 8u);
    EXPECT_THAT(data, ElementsAre(0x10, 0x50, 0x20, 0, 0x30, 0, 0x40, 0));
    payload.set_write();
    data.fill(0xFF);
    EXPECT_EQ(bench.cpu.memory->transport_dbg(payload), 0u);
    EXPECT_EQ(bench.cpu.read(entry), 0x00205010u);
  });
}

TEST(FunctionMsix, MaskedVectorsArePending) {
  MsixBench bench(with_own_bar());
  bench.run([&] {
    bench.set_up_messages();
    bench.mask(1, true);
    bench.messages().send_message(1);
    settle();
    EXPECT_EQ(bench.arrived(1), 0u);
    EXPECT_EQ(bench.pending(), 2u);
    bench.mask(1, false);
    settle();
    EXPECT_EQ(bench.arrived(1), 0x4101u);
    EXPECT_EQ(bench.pending(), 0u);
  });
}

TEST(FunctionMsix, TheFunctionMaskHoldsAllBack) {
  MsixBench bench(with_own_bar());
  bench.run([&] {
    bench.set_up_messages(0xC000);
    EXPECT_TRUE(bench.messages().messages_enabled());
    bench.messages().send_message(3);
    bench.messages().send_message(0);
    settle();
    EXPECT_EQ(bench.pending(), 9u);
    bench.cpu.config_write(2, kMsix + 2, 0x8000, 2);
    settle();
    EXPECT_EQ(bench.arrived(0), 0x4100u);
    EXPECT_EQ(bench.arrived(3), 0x4103u);
    EXPECT_EQ(bench.pending(), 0u);
  });
}

void messages_wait_for_bus_mastering(Time quantum) {
  MsixBench bench(with_own_bar(), quantum);
  bench.run([&] {
    bench.set_up_messages();
    bench.cpu.config_write(2, cfg::kCommand, command::kMemory, 2);
    bench.messages().send_message(1);
    settle();
    EXPECT_EQ(bench.arrived(1), 0u);
    EXPECT_EQ(bench.pending(), 2u);
    bench.cpu.config_write(2, cfg::kCommand, command::kMemory | command::kMaster, 2);
    settle();
    EXPECT_EQ(bench.arrived(1), 0x4101u);
    EXPECT_EQ(bench.pending(), 0u);
  });
}

TEST(FunctionMsix, MessagesWaitForBusMastering) { messages_wait_for_bus_mastering(us(10)); }
TEST(FunctionMsix, MessagesWaitForBusMasteringApproximatelyTimed) {
  messages_wait_for_bus_mastering(kTimeZero);
}

/// Software takes bus mastering away while the message waits for its turn on the bus.
TEST(FunctionMsix, AMessageThatLosesItsTurnGoesLater) {
  MsixBench bench(with_own_bar(), kTimeZero);
  bench.run([&] {
    bench.set_up_messages();
    sc_core::sc_spawn([&] {
      // The configuration write has the bus first, the message asks while it is under way.
      bench.cpu.config_write(2, cfg::kCommand, command::kMemory, 2);
    });
    sc_core::sc_spawn([&] {
      sc_core::wait(ns(60).count(), sc_core::SC_PS);
      bench.messages().send_message(1);
    });
    settle();
    EXPECT_EQ(bench.arrived(1), 0u);
    EXPECT_EQ(bench.pending(), 2u);
    bench.cpu.config_write(2, cfg::kCommand, command::kMemory | command::kMaster, 2);
    settle();
    EXPECT_EQ(bench.arrived(1), 0x4101u);
  });
}

/// What the device has written is in memory when its message arrives.
TEST(FunctionMsix, MessagesFollowTheDevicesWrites) {
  MsixBench bench(with_own_bar(), kTimeZero);
  bench.run([&] {
    bench.set_up_messages();
    Time seen = kTimeNever, written = kTimeNever;
    sc_core::sc_spawn([&] {
      while (load_le32(&bench.memory.bytes()[kMessages + 4]) == 0) {
        sc_core::wait(ns(15).count(), sc_core::SC_PS);
      }
      seen = sc_now();
    });
    std::array<std::uint8_t, 256> data{};
    data.fill(0x77);
    BusMaster master(bench.device(0).dma);
    EXPECT_EQ(master.write(0x5000, data), BusStatus::kOk);
    written = sc_now();
    bench.messages().send_message(1);
    settle();
    EXPECT_GT(seen, written);
    EXPECT_LT(seen, written + ns(500));
  });
}

TEST(FunctionMsix, IntxIsSilentWhileItIsEnabled) {
  MsixBench bench(with_own_bar());
  bench.run([&] {
    bench.set_up_messages();
    bench.cards[0]->irq = true;
    settle();
    EXPECT_FALSE(bench.pirq[1].read());
    EXPECT_EQ(bench.status(0) & status::kInterrupt, status::kInterrupt);
    bench.cpu.config_write(2, kMsix + 2, 0x4000, 2);
    settle();
    EXPECT_TRUE(bench.pirq[1].read());
    EXPECT_FALSE(bench.messages().messages_enabled());
    bench.messages().send_message(1);
    settle();
    EXPECT_EQ(bench.pending(), 0u) << "the device should have used the line";
  });
}

/// Software must not enable both (PCI 3.0 6.8); a function with both uses MSI-X.
TEST(FunctionMsix, MsiIsNotUsedWhileItIsEnabled) {
  MsixBench bench(with_own_bar());
  bench.run([&] {
    bench.set_up_messages();
    bench.cpu.config_write(2, kMsi + 4, 0x4000);
    bench.cpu.config_write(2, kMsi + 12, 0x55, 2);
    bench.cpu.config_write(2, kMsi + 2, 1, 2);
    bench.cards[0]->irq = true;
    settle();
    EXPECT_EQ(load_le32(&bench.memory.bytes()[0x4000]), 0u);
    EXPECT_FALSE(bench.pirq[1].read());
    bench.cpu.config_write(2, kMsix + 2, 0, 2);
    bench.cards[0]->irq = false;
    settle();
    bench.cards[0]->irq = true;
    settle();
    EXPECT_EQ(load_le32(&bench.memory.bytes()[0x4000]), 0x55u) << "MSI again";
  });
}

TEST(FunctionMsix, TheDeviceHearsOfIt) {
  MsixBench bench(with_own_bar());
  bench.run([&] {
    bench.set_up_messages(0xC000);
    bench.cpu.config_write(2, kMsix + 2, 0x8000, 2);
    bench.cpu.config_write(2, kMsix + 2, 0x0000, 2);
    bench.cpu.config_write(2, kMsix + 2, 0x8000, 2);
    bench.bus.reset();
    EXPECT_THAT(bench.device(0).log,
                ElementsAre("no master", "master", "messages", "no messages", "messages",
                            "no master", "no messages", "bus reset"));
  });
}

void reset_masks_and_forgets(const std::function<void(MsixBench&)>& reset) {
  MsixBench bench(with_own_bar());
  bench.run([&] {
    bench.set_up_messages();
    bench.mask(1, true);
    bench.messages().send_message(1);
    settle();
    reset(bench);
    EXPECT_FALSE(bench.messages().messages_enabled());
    bench.cpu.config_write(2, 0x20, kOwnBar);
    bench.set_up(0);
    EXPECT_EQ(bench.pending(), 0u);
    EXPECT_EQ(bench.cpu.read(kOwnBar + kTable + 8), 0u);
    EXPECT_EQ(bench.cpu.read(kOwnBar + kTable + 12), 1u);
    bench.cpu.config_write(2, kMsix + 2, 0x8000, 2);
    for (unsigned i = 0; i < kVectors; ++i) bench.mask(i, false);
    settle();
    for (unsigned i = 0; i < kVectors; ++i) EXPECT_EQ(bench.arrived(i), 0u) << i;
  });
}

TEST(FunctionMsix, ABusResetMasksAndForgets) {
  reset_masks_and_forgets([](MsixBench& bench) { bench.bus.reset(); });
}

TEST(FunctionMsix, LeavingD3hotMasksAndForgets) {
  reset_masks_and_forgets([](MsixBench& bench) {
    bench.cpu.config_write(2, kPmcsr, 3, 2);
    bench.messages().send_message(2);
    settle();
    EXPECT_EQ(bench.arrived(2), 0u) << "no messages in D3hot";
    bench.cpu.config_write(2, kPmcsr, 0, 2);
  });
}

TEST(FunctionMsix, MessagesToNowhereAreMasterAborts) {
  MsixBench bench(with_own_bar());
  bench.run([&] {
    bench.set_up_messages();
    bench.cpu.write(kOwnBar + kTable, 0xFEE00000);
    bench.messages().send_message(0);
    bench.messages().send_message(1);
    settle();
    EXPECT_NE(bench.status(0) & status::kReceivedMasterAbort, 0u);
    EXPECT_EQ(bench.arrived(1), 0x4101u) << "the next one goes all the same";
    EXPECT_EQ(bench.pending(), 0u);
  });
}

TEST(FunctionMsix, WithoutItThereIsNothingToSend) {
  Bench bench;
  bench.run([&] {
    bench.set_up(0);
    MessagesIf& messages = bench.function(0);
    messages.send_message(0);
    settle();
    EXPECT_FALSE(messages.messages_enabled());
  });
}

}  // namespace
}  // namespace e1000tlm::pci::test
