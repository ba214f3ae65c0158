/// Type 0 configuration space: masks, BARs, capabilities, power states, hostile input.

#include "e1000tlm/pci/config_space.h"

#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>

#include <gtest/gtest.h>

namespace e1000tlm::pci {
namespace {

constexpr unsigned kPm = 0xDC, kPmcsr = 0xE0, kPcix = 0xE4, kMsi = 0xF0;

FunctionConfig nic() {
  FunctionConfig config;
  config.vendor_id = 0x8086;
  config.device_id = 0x100E;
  config.subsystem_vendor_id = 0x8086;
  config.subsystem_id = 0x001E;
  config.revision = 2;
  config.class_code = 0x020000;
  config.min_grant = 0xFF;
  config.bars[0] = {BarConfig::Kind::kMemory32, 128 << 10, false};
  config.bars[1] = {BarConfig::Kind::kIo, 64, false};
  config.bars[2] = {BarConfig::Kind::kMemory64, 1 << 16, true};
  config.expansion_rom_size = 1 << 16;
  config.pm_offset = kPm;
  config.pm_capabilities = 0xC822;  // PME# from D3hot, D3cold; DSI; version 2
  config.pm_data = {15, 0, 0, 4};
  config.pm_data_scale = 1;
  config.pcix_offset = kPcix;
  config.pcix_command = 0x0002;
  config.pcix_status = 0x0002'FFF8;
  config.msi_offset = kMsi;
  return config;
}

TEST(ConfigSpace, HeaderShowsTheIdentity) {
  const ConfigSpace space(nic());
  EXPECT_EQ(space.read(cfg::kVendorId, 4), 0x100E8086u);
  EXPECT_EQ(space.read(cfg::kRevision, 4), 0x02000002u);
  EXPECT_EQ(space.read(cfg::kSubsystemVendorId, 4), 0x001E8086u);
  EXPECT_EQ(space.read(cfg::kHeaderType, 1), 0u);
  EXPECT_EQ(space.read(cfg::kInterruptPin, 1), 1u);
  EXPECT_EQ(space.read(cfg::kMinGrant, 2), 0x00FFu);
  EXPECT_EQ(space.read(cfg::kStatus, 2), 0x0230u);
  EXPECT_EQ(space.read(cfg::kCommand, 2), 0u);
}

TEST(ConfigSpace, ReadOnlyBytesStay) {
  ConfigSpace space(nic());
  for (unsigned offset = 0; offset < 256; offset += 4) space.write(offset, 4, 0xFFFFFFFF);
  EXPECT_EQ(space.read(cfg::kVendorId, 4), 0x100E8086u);
  EXPECT_EQ(space.read(cfg::kCommand, 2), 0x0157u);
  EXPECT_EQ(space.read(cfg::kRevision, 4), 0x02000002u);
  EXPECT_EQ(space.read(cfg::kCacheLineSize, 4), 0x0000FFFFu) << "cache line, latency timer";
  EXPECT_EQ(space.latency_timer(), 0xFFu);
  EXPECT_EQ(space.read(cfg::kSubsystemVendorId, 4), 0x001E8086u);
  EXPECT_EQ(space.read(cfg::kInterruptLine, 4), 0x00FF01FFu);
  EXPECT_EQ(space.read(0x40, 4), 0u);
}

TEST(ConfigSpace, BarsAreSizedByWritingOnes) {
  ConfigSpace space(nic());
  for (unsigned i = 0; i < 6; ++i) space.write(cfg::kBar0 + 4 * i, 4, 0xFFFFFFFF);
  EXPECT_EQ(space.read(0x10, 4), 0xFFFE0000u);
  EXPECT_EQ(space.read(0x14, 4), 0xFFFFFFC1u);
  EXPECT_EQ(space.read(0x18, 4), 0xFFFF000Cu);
  EXPECT_EQ(space.read(0x1C, 4), 0xFFFFFFFFu);
  EXPECT_EQ(space.read(0x20, 4), 0u);
  EXPECT_EQ(space.read(0x24, 4), 0u);
  space.write(cfg::kExpansionRom, 4, 0xFFFFFFFE);
  EXPECT_EQ(space.read(cfg::kExpansionRom, 4), 0xFFFF0000u);
  space.write(cfg::kExpansionRom, 4, 0xFFFFFFFF);
  EXPECT_EQ(space.read(cfg::kExpansionRom, 4), 0xFFFF0001u);
}

TEST(ConfigSpace, HugeBarsReachIntoTheUpperHalf) {
  FunctionConfig config = nic();
  config.bars[2].size = std::uint64_t{1} << 33;
  ConfigSpace space(config);
  space.write(0x18, 4, 0xFFFFFFFF);
  space.write(0x1C, 4, 0xFFFFFFFF);
  EXPECT_EQ(space.read(0x18, 4), 0x0000000Cu);
  EXPECT_EQ(space.read(0x1C, 4), 0xFFFFFFFEu);
}

TEST(ConfigSpace, CommandBitsGateTheBars) {
  ConfigSpace space(nic());
  space.write(0x10, 4, 0xFEB20000);
  space.write(0x14, 4, 0xC041);
  space.write(0x18, 4, 0x00010000);
  space.write(0x1C, 4, 0x12);
  space.write(cfg::kExpansionRom, 4, 0xFE000001);
  EXPECT_FALSE(space.bar_base(0));
  space.write(cfg::kCommand, 2, command::kMemory);
  EXPECT_EQ(space.bar_base(0), 0xFEB20000u);
  EXPECT_EQ(space.bar_base(2), 0x12'0001'0000u);
  EXPECT_EQ(space.rom_base(), 0xFE000000u);
  EXPECT_FALSE(space.bar_base(1));
  space.write(cfg::kCommand, 2, command::kIo);
  EXPECT_EQ(space.bar_base(1), 0xC040u);
  EXPECT_FALSE(space.bar_base(0));
  EXPECT_FALSE(space.rom_base());
  EXPECT_FALSE(space.bar_base(3)) << "upper half";
  EXPECT_FALSE(space.bar_base(6));
  EXPECT_FALSE(space.bar_base(1000));
}

TEST(ConfigSpace, UnassignedBarsAndDisabledRomsDoNotDecode) {
  ConfigSpace space(nic());
  space.write(cfg::kCommand, 2, command::kMemory | command::kIo);
  for (unsigned i = 0; i < 6; ++i) EXPECT_FALSE(space.bar_base(i)) << i;
  space.write(cfg::kExpansionRom, 4, 0xFE000000);
  EXPECT_FALSE(space.rom_base());
  space.write(cfg::kExpansionRom, 4, 0x00000001);
  EXPECT_FALSE(space.rom_base());
}

TEST(ConfigSpace, BytesAndWordsAtAnyOffset) {
  ConfigSpace space(nic());
  EXPECT_EQ(space.read(1, 1), 0x80u);
  EXPECT_EQ(space.read(1, 2), 0x0E80u);
  EXPECT_EQ(space.read(0x2D, 4), 0x00001E80u) << "crosses a dword";
  space.write(0x12, 1, 0xB2);
  space.write(0x13, 1, 0xFE);
  EXPECT_EQ(space.read(0x10, 4), 0xFEB20000u);
  space.write(0x3B, 2, 0x0BFF);
  EXPECT_EQ(space.read(cfg::kInterruptLine, 1), 0x0Bu);
}

TEST(ConfigSpace, BeyondItsEndReadsOnesAndIgnoresWrites) {
  ConfigSpace space(nic());
  EXPECT_EQ(space.read(254, 4), 0xFFFF0000u);
  EXPECT_EQ(space.read(4096, 4), 0xFFFFFFFFu);
  space.write(254, 4, 0xFFFFFFFF);
  space.write(1u << 31, 4, 0xFFFFFFFF);
  EXPECT_EQ(space.read(cfg::kVendorId, 4), 0x100E8086u);
}

TEST(ConfigSpace, StatusBitsClearWhenWrittenOne) {
  ConfigSpace space(nic());
  space.set_status(status::kReceivedMasterAbort | status::kReceivedTargetAbort);
  space.set_status(status::kFastBackToBack | 1);  // not sticky bits: no effect
  EXPECT_EQ(space.read(cfg::kStatus, 2), 0x3230u);
  space.write(cfg::kStatus, 2, status::kReceivedMasterAbort);
  EXPECT_EQ(space.read(cfg::kStatus, 2), 0x1230u);
  space.write(cfg::kStatus + 1, 1, 0x10);
  EXPECT_EQ(space.read(cfg::kStatus, 2), 0x0230u);
  space.write(cfg::kStatus, 2, 0xFFFF);
  EXPECT_EQ(space.read(cfg::kStatus, 2), 0x0230u);
}

TEST(ConfigSpace, InterruptStatusIsALevel) {
  ConfigSpace space(nic());
  space.set_interrupt_status(true);
  space.write(cfg::kStatus, 2, 0xFFFF);
  EXPECT_EQ(space.read(cfg::kStatus, 2), 0x0238u);
  space.set_interrupt_status(false);
  EXPECT_EQ(space.read(cfg::kStatus, 2), 0x0230u);
}

TEST(ConfigSpace, CapabilitiesAreChained) {
  const ConfigSpace space(nic());
  EXPECT_EQ(space.read(cfg::kCapabilities, 1), kPm);
  EXPECT_EQ(space.read(kPm, 4), 0xC822E401u);
  EXPECT_EQ(space.read(kPcix, 4), 0x0002F007u);
  EXPECT_EQ(space.read(kPcix + 4, 4), 0x0002FFF8u);
  EXPECT_EQ(space.read(kMsi, 4), 0x00800005u);
}

TEST(ConfigSpace, WithoutCapabilitiesThereIsNoList) {
  FunctionConfig config = nic();
  config.pm_offset = config.pcix_offset = config.msi_offset = 0;
  ConfigSpace space(config);
  EXPECT_EQ(space.read(cfg::kStatus, 2), 0x0220u);
  EXPECT_EQ(space.read(cfg::kCapabilities, 1), 0u);
  space.write(0x04, 1, 3);
  space.set_pme_status(true);
  space.set_pme_enabled(true);
  EXPECT_EQ(space.power_state(), PowerState::kD0);
  EXPECT_FALSE(space.pme_status());
  EXPECT_FALSE(space.pme_enabled());
  EXPECT_FALSE(space.msi().enabled);
  EXPECT_EQ(space.read(cfg::kVendorId, 4), 0x100E8086u);
}

TEST(ConfigSpace, MsiTakesAddressDataAndEnable) {
  ConfigSpace space(nic());
  space.write(kMsi + 4, 4, 0xFEE01003);
  space.write(kMsi + 8, 4, 0x1);
  space.write(kMsi + 12, 4, 0xFFFF4041);
  EXPECT_FALSE(space.msi().enabled);
  space.write(kMsi + 2, 2, 0xFFFF);
  EXPECT_EQ(space.read(kMsi + 2, 2), 0x0081u);
  EXPECT_TRUE(space.msi().enabled);
  EXPECT_EQ(space.msi().address, 0x1'FEE0'1000u);
  EXPECT_EQ(space.msi().data, 0x4041u);
  EXPECT_EQ(space.read(kMsi + 14, 2), 0u);
}

TEST(ConfigSpace, PcixCommandIsWritableAndErrorsClear) {
  FunctionConfig config = nic();
  config.pcix_status |= 1u << 18;
  ConfigSpace space(config);
  space.write(kPcix + 2, 2, 0xFFFF);
  EXPECT_EQ(space.read(kPcix + 2, 2), 0x007Fu);
  space.write(kPcix + 4, 4, 0xFFFFFFFF);
  EXPECT_EQ(space.read(kPcix + 4, 4), 0x0002FFF8u);
}

TEST(ConfigSpace, LeavingD0StopsDecoding) {
  ConfigSpace space(nic());
  space.write(0x10, 4, 0xFEB20000);
  space.write(0x14, 4, 0xC040);
  space.write(cfg::kExpansionRom, 4, 0xFE000001);
  space.write(cfg::kCommand, 2, command::kMemory | command::kIo);
  space.write(kPmcsr, 1, 3);
  EXPECT_EQ(space.power_state(), PowerState::kD3hot);
  EXPECT_FALSE(space.bar_base(0));
  EXPECT_FALSE(space.bar_base(1));
  EXPECT_FALSE(space.rom_base());
  EXPECT_EQ(space.read(0x10, 4), 0xFEB20000u) << "configuration works";
}

TEST(ConfigSpace, EnteringD3MayClearTheEnablesOfDecoding) {
  constexpr std::uint16_t kAll = command::kMemory | command::kIo | command::kMaster;
  for (const bool clears : {false, true}) {
    FunctionConfig config = nic();
    config.d3_disables_decoding = clears;
    ConfigSpace space(config);
    space.write(cfg::kCommand, 2, kAll);
    space.write(kPmcsr, 2, 0x0100);
    EXPECT_EQ(space.command(), kAll) << "still in D0";
    space.write(kPmcsr, 1, 3);
    EXPECT_EQ(space.command(), clears ? command::kMaster : kAll);
    space.write(cfg::kCommand, 2, kAll);
    space.write(kPmcsr, 2, 0x0003);
    EXPECT_EQ(space.command(), kAll) << "only by the transition";
  }
}

TEST(ConfigSpace, UnsupportedPowerStatesAreDiscarded) {
  ConfigSpace space(nic());
  space.write(kPmcsr, 2, 0x0101);
  EXPECT_EQ(space.power_state(), PowerState::kD0);
  EXPECT_TRUE(space.pme_enabled()) << "the rest of the write counts";
  space.write(kPmcsr, 1, 3);
  space.write(kPmcsr, 1, 2);
  EXPECT_EQ(space.power_state(), PowerState::kD3hot);

  FunctionConfig config = nic();
  config.pm_capabilities |= 1 << 9 | 1 << 10;
  ConfigSpace able(config);
  able.write(kPmcsr, 1, 1);
  EXPECT_EQ(able.power_state(), PowerState::kD1);
  able.write(kPmcsr, 1, 2);
  EXPECT_EQ(able.power_state(), PowerState::kD2);
}

TEST(ConfigSpace, DataSelectChoosesDataAndScale) {
  ConfigSpace space(nic());
  EXPECT_EQ(space.read(kPmcsr, 4), 0x0F002000u);
  space.write(kPmcsr, 2, 3 << 9);
  EXPECT_EQ(space.read(kPmcsr, 4), 0x04002600u);
  space.write(kPmcsr, 2, 5 << 9);
  EXPECT_EQ(space.read(kPmcsr, 4), 0x00000A00u);
  space.write(kPmcsr, 4, 0xFFFF6000);
  EXPECT_EQ(space.read(kPmcsr, 4), 0x0F002000u) << "scale and data are read only";
}

TEST(ConfigSpace, PmeStatusClearsWhenWrittenOne) {
  ConfigSpace space(nic());
  space.set_pme_status(true);
  space.write(kPmcsr, 2, 0x0100);
  EXPECT_TRUE(space.pme_status());
  EXPECT_TRUE(space.pme_enabled());
  space.write(kPmcsr + 1, 1, 0x80);
  EXPECT_FALSE(space.pme_status());
  EXPECT_FALSE(space.pme_enabled());
}

TEST(ConfigSpace, PmeEnableNeedsPmeSupport) {
  FunctionConfig config = nic();
  config.pm_capabilities = 0x0002;
  ConfigSpace space(config);
  space.write(kPmcsr, 2, 0x0100);
  space.set_pme_enabled(true);
  EXPECT_FALSE(space.pme_enabled());
}

TEST(ConfigSpace, ResetKeepsPmeContextOnAuxiliaryPower) {
  const auto dirty = [](ConfigSpace& space) {
    space.write(0x10, 4, 0xFEB20000);
    space.write(cfg::kCommand, 2, command::kMemory | command::kMaster);
    space.set_status(status::kParityError);
    space.set_pme_status(true);
    space.write(kPmcsr, 2, 0x0103 | 3 << 9);
    space.write(kMsi + 2, 2, 1);
  };
  ConfigSpace space(nic());
  dirty(space);
  space.reset(true);
  EXPECT_EQ(space.read(0x10, 4), 0u);
  EXPECT_EQ(space.command(), 0u);
  EXPECT_EQ(space.read(cfg::kStatus, 2), 0x0230u);
  EXPECT_FALSE(space.msi().enabled);
  EXPECT_EQ(space.read(kPmcsr, 4), 0x0F00A100u);
  dirty(space);
  space.reset(false);
  EXPECT_EQ(space.read(kPmcsr, 4), 0x0F002000u);
}

TEST(ConfigSpace, FixedCommandBitsAreAlwaysSet) {
  FunctionConfig config = nic();
  config.command_fixed = command::kMemory;
  ConfigSpace space(config);
  EXPECT_EQ(space.command(), command::kMemory);
  space.write(cfg::kCommand, 2, 0);
  EXPECT_EQ(space.command(), command::kMemory);
}

TEST(ConfigSpace, RefusesWhatCannotBe) {
  const auto refused = [](const std::function<void(FunctionConfig&)>& spoil, const char* naming) {
    FunctionConfig config = nic();
    spoil(config);
    try {
      const ConfigSpace space(config);
      FAIL() << naming << " was accepted";
    } catch (const std::invalid_argument& error) {
      EXPECT_NE(std::string(error.what()).find(naming), std::string::npos) << error.what();
    }
  };
  refused([](auto& c) { c.bars[0].size = 3 << 10; }, "BAR 0");
  refused([](auto& c) { c.bars[0].size = 8; }, "BAR 0");
  refused([](auto& c) { c.bars[0].size = 0; }, "BAR 0");
  refused([](auto& c) { c.bars[1].size = 512; }, "BAR 1");
  refused([](auto& c) { c.bars[1].size = 2; }, "BAR 1");
  refused([](auto& c) { c.bars[3] = {BarConfig::Kind::kIo, 4, false}; }, "BAR 3");
  refused([](auto& c) { c.bars[5] = {BarConfig::Kind::kMemory64, 4096, false}; }, "BAR 5");
  refused([](auto& c) { c.expansion_rom_size = 1024; }, "ROM");
  refused([](auto& c) { c.pm_offset = 0x3C; }, "power management");
  refused([](auto& c) { c.pcix_offset = 0xE6; }, "PCI-X");
  refused([](auto& c) { c.msi_offset = 0xF4; }, "MSI");
  refused([](auto& c) { c.interrupt_pin = 5; }, "interrupt pin");
  refused([](auto& c) { c.msi_offset = 0xE8; }, "MSI capability at offset 232 overlaps the PCI-X");
  refused([](auto& c) { c.pm_offset = kMsi; }, "overlaps the power management");
}

FunctionConfig with_messages() {
  FunctionConfig config = nic();
  config.bars[4] = {BarConfig::Kind::kMemory64, 1 << 14, true};
  config.msix = {0xA0, 3, {4, 0x2000}, {4, 0x3008}};
  config.vendor = {{0x50, {0x11, 0x22, 0x33, 0x44, 0x55}, {0, 0x0F, 0xFF}}, {0x40, {0x77}, {}}};
  return config;
}

TEST(ConfigSpace, MsixSaysWhereItsTableIsAndTakesEnableAndMask) {
  ConfigSpace space(with_messages());
  EXPECT_EQ(space.read(0xA0, 4), 0x0002DC11u);
  EXPECT_EQ(space.read(0xA4, 4), 0x00002004u);
  EXPECT_EQ(space.read(0xA8, 4), 0x0000300Cu);
  EXPECT_FALSE(space.msix().enabled);
  for (unsigned i = 0; i < 12; i += 4) space.write(0xA0 + i, 4, 0xFFFFFFFF);
  EXPECT_EQ(space.read(0xA0, 4), 0xC002DC11u);
  EXPECT_EQ(space.read(0xA4, 4), 0x00002004u);
  EXPECT_EQ(space.read(0xA8, 4), 0x0000300Cu);
  EXPECT_TRUE(space.msix().enabled);
  EXPECT_TRUE(space.msix().masked);
  space.write(0xA3, 1, 0x80);
  EXPECT_TRUE(space.msix().enabled);
  EXPECT_FALSE(space.msix().masked);
  space.reset(true);
  EXPECT_FALSE(space.msix().enabled);
  EXPECT_FALSE(ConfigSpace(nic()).msix().enabled) << "there is none";
}

TEST(ConfigSpace, VendorCapabilitiesAreChainedAndTakeTheirWritableBits) {
  ConfigSpace space(with_messages());
  EXPECT_EQ(space.read(cfg::kCapabilities, 1), 0x40u);
  EXPECT_EQ(space.read(0x40, 4), 0x77045009u);
  EXPECT_EQ(space.read(0x50, 4), 0x1108A009u);
  EXPECT_EQ(space.read(0x54, 4), 0x55443322u);
  for (unsigned i = 0x40; i < 0x5C; i += 4) space.write(i, 4, 0xFFFFFFFF);
  EXPECT_EQ(space.read(0x40, 4), 0x77045009u);
  EXPECT_EQ(space.read(0x50, 4), 0x1108A009u);
  EXPECT_EQ(space.read(0x54, 4), 0x5544FF2Fu);
  EXPECT_EQ(space.read(0x58, 4), 0u) << "nothing is there";
  ASSERT_EQ(space.vendor_registers(0).size(), 8u);
  space.vendor_registers(0)[3] = 0x99;
  EXPECT_EQ(space.read(0x53, 1), 0x99u);
  space.reset(false);
  EXPECT_EQ(space.read(0x50, 4), 0x1108A009u);
  EXPECT_EQ(space.read(0x54, 4), 0x55443322u);
}

TEST(ConfigSpace, RefusesMessagesAndVendorCapabilitiesThatCannotBe) {
  const auto refused = [](const std::function<void(FunctionConfig&)>& spoil, const char* naming) {
    FunctionConfig config = with_messages();
    spoil(config);
    try {
      const ConfigSpace space(config);
      FAIL() << naming << " was accepted";
    } catch (const std::invalid_argument& error) {
      EXPECT_NE(std::string(error.what()).find(naming), std::string::npos) << error.what();
    }
  };
  refused([](auto& c) { c.msix.vectors = 0; }, "MSI-X has 0 vectors");
  refused([](auto& c) { c.msix.vectors = 2049; }, "MSI-X has 2049 vectors");
  refused([](auto& c) { c.msix.table.bar = 6; }, "MSI-X table at 8192 of BAR 6");
  refused([](auto& c) { c.msix.table.bar = 5; }, "no such memory BAR");
  refused([](auto& c) { c.msix.pending.bar = 1; }, "MSI-X pending bits at 12296 of BAR 1");
  refused([](auto& c) { c.msix.table.offset = 0x2004; }, "not a multiple of 8");
  refused([](auto& c) { c.msix.table.offset = 0x3FE0; }, "do not fit into the BAR's 16384");
  refused([](auto& c) { c.msix.pending.offset = 0xFFFFFFF8; }, "do not fit");
  refused([](auto& c) { c.msix.pending.offset = 0x2028; }, "overlap in BAR 4");
  refused([](auto& c) { c.msix.offset = 0xF8; }, "MSI-X capability");
  refused([](auto& c) { c.vendor[0].offset = 0; }, "vendor-specific (0) capability does not fit");
  refused([](auto& c) { c.vendor[1].bytes.resize(14); }, "overlaps the vendor-specific (1)");
  refused([](auto& c) { c.vendor[1].bytes.resize(300); }, "vendor-specific (1)");
  refused([](auto& c) { c.vendor[1].writable = {0, 0xFF}; }, "beyond its 1 bytes");
}

TEST(ConfigSpace, MostVectorsFit) {
  FunctionConfig config = with_messages();
  config.bars[4].size = 1 << 16;
  config.msix = {0xA0, kMostMsixVectors, {4, 0}, {4, 0x8000}};
  ConfigSpace space(config);
  EXPECT_EQ(space.read(0xA2, 2), 0x07FFu);
  config.msix.pending.offset = 0x7FF8;
  EXPECT_THROW(ConfigSpace{config}, std::invalid_argument);
}

}  // namespace
}  // namespace e1000tlm::pci
