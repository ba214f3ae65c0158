/// Every row of the register map on every part, and ethtool's register test (rule RST-4).

#include <algorithm>
#include <vector>

#include "e1000tlm/e1000/peripherals/eeprom_map.h"
#include "e1000tlm/e1000/registers/register_map.h"
#include "testbenches/unit/e1000/nic_rig.h"

namespace e1000tlm::e1000::test {
namespace {

bool exists(const RegisterRow& row, Part part) { return (row.parts & part_info(part).mask) != 0; }

class RegistersOf : public ::testing::TestWithParam<Part> {};

/// What the EEPROM makes of reset values.
std::uint32_t power_up_value(Part part, const RegisterRow& row, std::uint32_t index) {
  const std::uint32_t offset =
      row.name == "CTRL_DUP" ? reg::kCtrl : row.offset + index * row.stride;
  const std::uint32_t reset = row.name == "CTRL_DUP" ? 0x00000A09 : row.reset;
  return loaded_from_eeprom(EepromImage::make(part, kRigMac), part_info(part).mask, domain::kAll,
                            offset, reset, reset);
}

/// The part's rows, and those of registers that only others have at that place.
std::vector<RegisterRow> rows_for(Part part) {
  std::vector<RegisterRow> rows;
  for (const RegisterRow& row : register_map()) {
    const bool other_row =
        std::any_of(register_map().begin(), register_map().end(), [&](const RegisterRow& other) {
          return other.offset == row.offset && exists(other, part) && !exists(row, part);
        });
    if (!other_row) rows.push_back(row);
  }
  return rows;
}

TEST_P(RegistersOf, ReadTheirPowerUpValues) {
  NicRig rig(GetParam());
  rig.run([&] {
    for (const RegisterRow& row : rows_for(GetParam())) {
      if (row.name == "STATUS" || row.name == "EECD") continue;  // views of other things; below
      for (std::uint32_t i = 0; i < row.count && i < 256; ++i) {
        const std::uint32_t offset = row.offset + i * row.stride;
        const std::uint32_t expected =
            exists(row, GetParam()) ? power_up_value(GetParam(), row, i) & row.read_mask : 0;
        EXPECT_EQ(rig.peek(offset), expected) << row.name << " peeked, " << i;
        EXPECT_EQ(rig.read(offset), expected) << row.name << ' ' << i;
      }
    }
    const std::uint32_t mtxckok = GetParam() == Part::k82544gc ? status::kMtxckok : 0;
    EXPECT_EQ(rig.read(reg::kStatus) & ~0xC1U, mtxckok);  // no link, copper, 33 MHz, 32 bits
    // FWE disabled, EEPROM present, 64 words, DO pulled up; bits 31:6 are reserved on the 82544.
    EXPECT_EQ(rig.read(reg::kEecd), GetParam() == Part::k82544gc ? 0x0018U : 0x0118U);
  });
}

TEST_P(RegistersOf, GiveTransmissionWhatReceptionLeavesOfThePacketBuffer) {
  NicRig rig(GetParam());
  rig.run([&] {
    for (const std::uint32_t receive : {0x30U, 0x28U, 0x3FU, 0x40U, 0U, 0x7FU}) {
      rig.write(reg::kPba, 0xFFFFFF80 | receive);
      const std::uint32_t transmit = receive < 64 ? 64 - receive : 0;
      EXPECT_EQ(rig.read(reg::kPba), transmit << 16 | receive);
    }
  });
}

TEST_P(RegistersOf, StoreExactlyTheirWriteMasks) {
  NicRig rig(GetParam());
  rig.run([&] {
    NicRig::wait_for(ms(1));  // EEPROM load over
    for (const RegisterRow& row : rows_for(GetParam())) {
      // Registers with effects of their own have tests of their own.
      if (row.name == "CTRL" || row.name == "CTRL_DUP" || row.name == "STATUS" ||
          row.name == "EECD" || row.name == "EERD" || row.name == "MDIC" || row.name == "ICS" ||
          row.name == "ICR" || row.name == "IMS" || row.name == "IMC" || row.name == "CTRL_EXT" ||
          row.name == "STATISTICS" || row.name == "PBA") {
        continue;
      }
      for (std::uint32_t i = 0; i < row.count && i < 256; ++i) {
        const std::uint32_t offset = row.offset + i * row.stride;
        const std::uint32_t before = rig.peek(offset);
        for (const std::uint32_t pattern : {0x5A5A5A5AU, 0xA5A5A5A5U, 0U, 0xFFFFFFFFU}) {
          rig.write(offset, pattern);
          std::uint32_t expected = (before & ~row.write_mask) | (pattern & row.write_mask);
          if (row.access == Access::kReadOnly) expected = before;
          if (row.access == Access::kWriteOneClears) expected = 0;
          if (!exists(row, GetParam())) expected = 0;
          EXPECT_EQ(rig.read(offset), expected & row.read_mask) << row.name << ' ' << i;
          EXPECT_EQ(rig.peek(offset), expected & row.read_mask) << row.name << ' ' << i;
        }
        rig.write(offset, before);
      }
    }
  });
}

TEST_P(RegistersOf, HaveAliasesOfThe82542) {
  NicRig rig(GetParam());
  rig.run([&] {
    for (const RegisterAlias& alias : register_aliases()) {
      for (std::uint32_t i = 0; i < alias.count; ++i) {
        const std::uint32_t first = alias.offset + 4 * i, second = alias.target + 4 * i;
        rig.write(first, 0x00000A80);
        EXPECT_EQ(rig.read(first), rig.read(second)) << std::hex << first;
        rig.write(second, 0x00000500);
        EXPECT_EQ(rig.read(first), rig.read(second)) << std::hex << first;
        EXPECT_NE(rig.peek(second) & 0x500, 0U) << std::hex << second;
      }
    }
  });
}

TEST_P(RegistersOf, ReadZeroAndSwallowWritesWhereThereAreNone) {
  NicRig rig(GetParam());
  rig.run([&] {
    for (const std::uint32_t offset : {0x000CU, 0x001CU, 0x0024U, 0x0034U, 0x00E0U, 0x1008U,
                                       0x2C08U, 0x4100U, 0x5008U, 0x5B54U, 0xF000U, 0xFFFCU}) {
      rig.write(offset, 0xFFFFFFFF);
      EXPECT_EQ(rig.read(offset), 0U) << std::hex << offset;
    }
    for (const std::uint32_t hole : {0x4024U, 0x402CU, 0x4044U, 0x4084U, 0x4098U, 0x409CU}) {
      EXPECT_EQ(rig.read(hole), 0U) << std::hex << hole;
    }
  });
}

/// Not in the manual of these parts: U-Boot takes the semaphore of later ones on all of them.
TEST_P(RegistersOf, StoreTheTwoBitsOfSwsm) {
  constexpr std::uint32_t kSwsm = 0x5B50;
  NicRig rig(GetParam());
  rig.run([&] {
    EXPECT_EQ(rig.read(kSwsm), 0U);
    rig.write(kSwsm, 0xFFFFFFFE);
    EXPECT_EQ(rig.read(kSwsm), 2U);
    rig.write(kSwsm, 0xFFFFFFFF);
    EXPECT_EQ(rig.read(kSwsm), 3U);
    rig.write(kSwsm, 0);
    EXPECT_EQ(rig.read(kSwsm), 0U);
  });
}

INSTANTIATE_TEST_SUITE_P(EveryPart, RegistersOf,
                         ::testing::Values(Part::k82540em, Part::k82544gc, Part::k82545em,
                                           Part::k82545gm),
                         [](const auto& info) {
                           return "Part" + std::string(part_info(info.param).name);
                         });

TEST(Registers, OfDelayAndThrottlingAreMissingOnThe82544) {
  NicRig rig(Part::k82544gc);
  rig.run([&] {
    for (const std::uint32_t offset :
         {reg::kItr, reg::kRadv, reg::kRsrpd, reg::kTadv, reg::kTspmt, reg::kIp6at}) {
      rig.write(offset, 0xFFFFFFFF);
      EXPECT_EQ(rig.read(offset), 0U) << std::hex << offset;
    }
  });
}

TEST(Registers, EecdOfThe82544HasNoEepromGrant) {  // 13.4.3: bits 31:6 are reserved
  NicRig rig(Part::k82544gc);
  rig.run([&] {
    rig.write(reg::kEecd, 0xFFFFFFC0);
    EXPECT_EQ(rig.read(reg::kEecd) & 0xFFFFFFC0, 0U);
    rig.write(reg::kEecd, 0x00000020);
    EXPECT_EQ(rig.read(reg::kEecd) & 0x37, 0x20U);
  });
}

TEST(Registers, StatusShowsTheBusStraps) {
  RigOptions options;
  options.part = Part::k82545em;
  options.straps = {true, true, true, 2};
  NicRig rig(options);
  rig.run([&] {
    EXPECT_EQ(rig.read(reg::kStatus) & 0xF800,
              status::kPci66 | status::kBus64 | status::kPcixMode | 2 << status::kPcixSpeedShift);
  });
}

TEST(Registers, EepromWithoutSignatureLeavesHardwareDefaults) {  // EE-3
  RigOptions options;
  options.adjust = [](ControllerConfig& config) { config.eeprom->set_word(0x0A, 0xC000); };
  NicRig rig(options);
  rig.run([&] {
    EXPECT_EQ(rig.read(reg::kCtrl), 0x00000A09U);
    EXPECT_EQ(rig.read(reg::kWuc), 0U);
    EXPECT_EQ(rig.read(reg::kRa), 0x12005452U);
  });
}

TEST(Registers, PeekHasNoSideEffects) {
  NicRig rig;
  rig.run([&] {
    rig.write(reg::kIcs, 0x95);
    EXPECT_EQ(rig.peek(reg::kIcr), 0x95U);
    EXPECT_EQ(rig.peek(reg::kIcr), 0x95U);
    EXPECT_EQ(rig.read(reg::kIcr), 0x95U);
    EXPECT_EQ(rig.read(reg::kIcr), 0U);
  });
}

TEST(Registers, SelfClearingBitsReadZero) {
  NicRig rig;
  rig.run([&] {
    rig.write(reg::kRdtr, 0x80000010);
    EXPECT_EQ(rig.read(reg::kRdtr), 0x10U);
    rig.write(reg::kTctl, tctl::kSwxoff);
    EXPECT_EQ(rig.read(reg::kTctl), 0U);
    rig.write(reg::kCtrlExt, ctrl_ext::kEeRst | 0x20);
    EXPECT_EQ(rig.read(reg::kCtrlExt), 0x20U);
  });
}

/// The register test of `ethtool -t`: what Linux writes, and what it expects to read.
class EthtoolRegisterTest {
 public:
  explicit EthtoolRegisterTest(NicRig& rig) : rig_(rig) {}

  void pattern(std::uint32_t offset, std::uint32_t mask, std::uint32_t write) {
    for (const std::uint32_t test : {0x5A5A5A5AU, 0xA5A5A5A5U, 0U, 0xFFFFFFFFU}) {
      rig_.write(offset, test & write);
      EXPECT_EQ(rig_.read(offset), test & write & mask) << std::hex << offset;
    }
  }
  void set_and_check(std::uint32_t offset, std::uint32_t mask, std::uint32_t value) {
    rig_.write(offset, value & mask);
    EXPECT_EQ(rig_.read(offset) & mask, value & mask) << std::hex << offset;
  }
  void run() {
    const std::uint32_t before = rig_.read(reg::kStatus);
    rig_.write(reg::kStatus, 0xFFFFF833);
    EXPECT_EQ(rig_.read(reg::kStatus) & 0xFFFFF833, before & 0xFFFFF833);
    rig_.write(reg::kStatus, before);

    pattern(0x0028, 0xFFFFFFFF, 0xFFFFFFFF);
    pattern(0x002C, 0x0000FFFF, 0xFFFFFFFF);
    pattern(0x0030, 0x0000FFFF, 0xFFFFFFFF);
    pattern(0x0038, 0x0000FFFF, 0xFFFFFFFF);
    pattern(0x2820, 0x0000FFFF, 0xFFFFFFFF);
    pattern(0x2804, 0xFFFFFFFF, 0xFFFFFFFF);
    pattern(0x2808, 0x000FFF80, 0x000FFFFF);
    pattern(0x2810, 0x0000FFFF, 0x0000FFFF);
    pattern(0x2818, 0x0000FFFF, 0x0000FFFF);
    pattern(0x2168, 0x0000FFF8, 0x0000FFF8);
    pattern(0x0170, 0x0000FFFF, 0x0000FFFF);
    pattern(0x0410, 0x3FFFFFFF, 0x3FFFFFFF);
    pattern(0x3804, 0xFFFFFFFF, 0xFFFFFFFF);
    pattern(0x3808, 0x000FFF80, 0x000FFFFF);
    set_and_check(0x0100, 0xFFFFFFFF, 0x00000000);
    set_and_check(0x0100, 0x06DFB3FE, 0x003FFFFB);
    set_and_check(0x0400, 0xFFFFFFFF, 0x00000000);
    set_and_check(0x0100, 0x06DFB3FE, 0xFFFFFFFF);
    pattern(0x2800, 0xFFFFFFF0, 0xFFFFFFFF);
    pattern(0x0178, 0xC000FFFF, 0x0000FFFF);
    pattern(0x3800, 0xFFFFFFF0, 0xFFFFFFFF);
    pattern(0x3820, 0x0000FFFF, 0xFFFFFFFF);
    for (std::uint32_t i = 0; i < 15; ++i) pattern(0x5404 + 8 * i, 0x8003FFFF, 0xFFFFFFFF);
    for (std::uint32_t i = 0; i < 128; ++i) pattern(0x5200 + 4 * i, 0xFFFFFFFF, 0xFFFFFFFF);
  }

 private:
  NicRig& rig_;
};

TEST_P(RegistersOf, PassEthtoolWhileFramesArriveAndWriteNothing) {
  NicRig rig(GetParam());
  rig.run([&] {
    rig.bring_up();
    const std::vector<std::uint8_t> memory(rig.ram.bytes().data(),
                                           rig.ram.bytes().data() + rig.ram.bytes().size());
    for (int i = 0; i < 50; ++i) rig.far.send(NicRig::frame(200));
    EthtoolRegisterTest(rig).run();
    NicRig::wait_for(us(200));
    EXPECT_EQ(rig.read(reg::kTdh), 0U);
    EXPECT_TRUE(std::equal(memory.begin(), memory.end(), rig.ram.bytes().data()));
    // The reset that follows invalidates what the test left in RAH.
    rig.write(reg::kCtrl, ctrl::kRst);
    NicRig::wait_for(us(2));
    for (std::uint32_t i = 1; i < 16; ++i) EXPECT_EQ(rig.read(0x5404 + 8 * i) & rah::kAv, 0U);
    EXPECT_EQ(rig.read(0x5200), 0xFFFFFFFFU);  // RST-4: MTA survives
  });
  EXPECT_EQ(rig.far.received.size(), 0U);
}

}  // namespace
}  // namespace e1000tlm::e1000::test
