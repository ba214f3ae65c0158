/// Which commands an 8254x uses (manual 4.3, table 4-8).

#include "e1000tlm/pci/commands.h"

#include <gtest/gtest.h>

#include "e1000tlm/pci/config_space.h"

namespace e1000tlm::pci {
namespace {

MasterSettings line(unsigned bytes, bool write_invalidate = false) {
  MasterSettings settings;
  settings.cache_line_bytes = bytes;
  settings.write_invalidate = write_invalidate;
  return settings;
}

TEST(Commands, ReadsByCacheLinesCrossed) {
  const MasterSettings m = line(64);
  EXPECT_EQ(read_command(m, 0x1000, 16), Command::kMemoryRead);
  EXPECT_EQ(read_command(m, 0x1000, 63), Command::kMemoryRead);
  EXPECT_EQ(read_command(m, 0x1000, 64), Command::kMemoryReadLine) << "a whole line";
  EXPECT_EQ(read_command(m, 0x1030, 16), Command::kMemoryRead);
  EXPECT_EQ(read_command(m, 0x1030, 17), Command::kMemoryReadLine) << "one boundary";
  EXPECT_EQ(read_command(m, 0x1000, 128), Command::kMemoryReadLine);
  EXPECT_EQ(read_command(m, 0x1000, 129), Command::kMemoryReadMultiple) << "two boundaries";
  EXPECT_EQ(read_command(m, 0x103F, 66), Command::kMemoryReadMultiple);
  EXPECT_EQ(read_command(m, 0x1002, 1514), Command::kMemoryReadMultiple);
}

TEST(Commands, UnusableLinesReadAs32) {
  for (const unsigned bytes : {0u, 4u, 8u, 48u, 256u}) {
    EXPECT_EQ(read_command(line(bytes), 0x1000, 31), Command::kMemoryRead) << bytes;
    EXPECT_EQ(read_command(line(bytes), 0x1000, 32), Command::kMemoryReadLine) << bytes;
    EXPECT_EQ(read_command(line(bytes), 0x1000, 65), Command::kMemoryReadMultiple) << bytes;
  }
}

TEST(Commands, WriteInvalidateForWholeLinesFromALine) {
  EXPECT_EQ(write_invalidate_bytes(line(64, true), 0x1000, 1520), 1472u);
  EXPECT_EQ(write_invalidate_bytes(line(64, true), 0x1000, 64), 64u);
  EXPECT_EQ(write_invalidate_bytes(line(64, true), 0x1000, 63), 0u);
  EXPECT_EQ(write_invalidate_bytes(line(64, true), 0x1010, 1520), 0u);
  EXPECT_EQ(write_invalidate_bytes(line(16, true), 0x1010, 40), 32u);
  EXPECT_EQ(write_invalidate_bytes(line(64, false), 0x1000, 1520), 0u) << "not enabled";
  EXPECT_EQ(write_invalidate_bytes(line(48, true), 0x1000, 1520), 0u) << "not a usable line";
}

TEST(Commands, PcixHasDwordAndBlockCommands) {
  EXPECT_EQ(pcix_command(false, 0x1000, 4), Command::kMemoryRead);
  EXPECT_EQ(pcix_command(false, 0x1003, 2), Command::kMemoryReadLine);
  EXPECT_EQ(pcix_command(true, 0x1000, 4), Command::kMemoryWriteInvalidate);
}

TEST(Commands, SettingsComeFromConfigurationSpace) {
  FunctionConfig config;
  config.width_bits = 64;
  config.pcix_offset = 0xE4;
  config.pcix_command = 0x0002;
  config.pcix_status = 3U << 21;  // designed for reads of 4096 bytes
  ConfigSpace space(config);
  MasterSettings m = space.master_settings();
  EXPECT_EQ(m.width_bits, 64u);
  EXPECT_EQ(m.cache_line_bytes, 0u);
  EXPECT_FALSE(m.write_invalidate);
  EXPECT_EQ(m.latency_timer, 0u);
  EXPECT_EQ(m.max_read_bytes, 512u);
  space.write(cfg::kCacheLineSize, 2, 0x2010);
  space.write(cfg::kCommand, 2, command::kMwi);
  space.write(0xE6, 2, 0x000E);
  m = space.master_settings();
  EXPECT_EQ(m.cache_line_bytes, 64u);
  EXPECT_EQ(m.latency_timer, 32u);
  EXPECT_TRUE(m.write_invalidate);
  EXPECT_EQ(m.max_read_bytes, 4096u);
  config.pcix_status = 1U << 21;
  ConfigSpace modest(config);
  modest.write(0xE6, 2, 0x000E);
  EXPECT_EQ(modest.read(0xE6, 2), 0x000Eu);
  EXPECT_EQ(modest.master_settings().max_read_bytes, 1024u) << "no more than it was designed for";
  EXPECT_EQ(ConfigSpace(FunctionConfig{}).master_settings().max_read_bytes, 512u);
}

TEST(Commands, LatencyTimerIs64AfterResetInPcixMode) {
  FunctionConfig config;
  ConfigSpace conventional(config);
  conventional.set_pcix_mode(0, 2);
  EXPECT_EQ(conventional.latency_timer(), 0u) << "the part knows no PCI-X";
  config.pcix_offset = 0xE4;
  ConfigSpace space(config);
  EXPECT_EQ(space.latency_timer(), 0u);
  space.set_pcix_mode(0, 2);
  space.write(cfg::kLatencyTimer, 1, 32);
  EXPECT_EQ(space.latency_timer(), 32u);
  space.reset(false);
  EXPECT_EQ(space.latency_timer(), 64u);
}

TEST(Commands, PcixStatusShowsWhereTheFunctionIsOnceItHasBeenWrittenTo) {
  FunctionConfig config;
  config.pcix_offset = 0xE4;
  config.pcix_status = 0x0443'FFF8;
  ConfigSpace conventional(config);
  conventional.write(cfg::kCommand, 2, command::kMemory);
  EXPECT_EQ(conventional.read(0xE8, 4), 0x0443FFF8u)
      << "PCI has no attribute phase that could tell";
  ConfigSpace space(config);
  space.set_pcix_mode(3, 9);
  EXPECT_EQ(space.read(0xE8, 4), 0x0443FFF8u);
  space.write(cfg::kInterruptLine, 1, 10);
  EXPECT_EQ(space.read(0xE8, 4), 0x04430348u);
  space.reset(false);
  EXPECT_EQ(space.read(0xE8, 4), 0x0443FFF8u);
}

}  // namespace
}  // namespace e1000tlm::pci
