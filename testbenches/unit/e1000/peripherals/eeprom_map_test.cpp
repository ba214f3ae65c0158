#include "e1000tlm/e1000/peripherals/eeprom_map.h"

#include <gtest/gtest.h>

#include "e1000tlm/e1000/peripherals/leds.h"
#include "testbenches/unit/e1000/peripherals/eeprom_dumps.h"

namespace e1000tlm::e1000 {
namespace {

constexpr MacAddress kMac{0x02, 0, 0, 0, 0, 0x01};

/// What a register has after power-up.
std::uint32_t loaded(const EepromImage& image, Part part, std::uint32_t reg, std::uint32_t reset) {
  return loaded_from_eeprom(image, part_info(part).mask, domain::kPowerGood | domain::kBus, reg,
                            reset, reset);
}

TEST(EepromMap, FieldsOfAPartDoNotOverlapInTheirRegisters) {
  for (const PartInfo& part : kParts) {
    for (const EepromField& a : eeprom_map()) {
      for (const EepromField& b : eeprom_map()) {
        if (&a == &b || !a.is_register() || !b.is_register() || a.reg != b.reg) continue;
        if ((a.parts & part.mask) == 0 || (b.parts & part.mask) == 0) continue;
        if (a.use == EepromUse::kRegisterOnes || b.use == EepromUse::kRegisterOnes) continue;
        const std::uint32_t in_a = std::uint32_t{a.mask()} >> a.low << a.shift;
        const std::uint32_t in_b = std::uint32_t{b.mask()} >> b.low << b.shift;
        EXPECT_EQ(in_a & in_b, 0U) << a.name << ", " << b.name << " on " << part.name;
      }
    }
  }
}

TEST(EepromMap, RegistersOfAPartHaveTheBitsThatItsFieldsGoTo) {
  for (const EepromField& field : eeprom_map()) {
    if (!field.is_register()) continue;
    const std::uint32_t bits = field.use == EepromUse::kRegisterOnes
                                   ? 1U << field.shift
                                   : std::uint32_t{field.mask()} >> field.low << field.shift;
    for (const PartInfo& part : kParts) {
      if ((field.parts & part.mask) == 0) continue;
      bool found = false;
      for (const RegisterRow& row : register_map()) {
        if ((row.parts & part.mask) == 0) continue;
        for (std::uint32_t i = 0; i < row.count; ++i) {
          if (row.offset + i * row.stride != field.reg) continue;
          found = true;
          const std::uint32_t led_reserved = field.reg == reg::kLedctl ? 0x10101010 : 0;
          EXPECT_EQ(bits & ~row.read_mask & ~led_reserved, 0U) << field.name << " on " << part.name;
        }
      }
      EXPECT_TRUE(found) << field.name << " on " << part.name;
    }
  }
}

/// Rows are in the order of words, and words beyond the image are nobody's.
TEST(EepromMap, IsSorted) {
  int before = 0;
  for (const EepromField& field : eeprom_map()) {
    EXPECT_GE(field.word, before) << field.name;
    EXPECT_LE(field.word + field.words, 0x40) << field.name;
    before = field.word;
  }
}

TEST(EepromMap, LedWordsHoldTwoLedsEach) {
  const auto ledctl = [](std::uint16_t word_1f, std::uint16_t word_2f) {
    EepromImage image = EepromImage::make(Part::k82540em, kMac);
    image.set_word(0x1F, word_1f);
    image.set_word(0x2F, word_2f);
    return loaded(image, Part::k82540em, reg::kLedctl, kLedctlDefault);
  };
  EXPECT_EQ(ledctl(0x0602, 0x0783), kLedctlDefault);
  EXPECT_EQ(ledctl(0xABCD, 0x1234), 0x12AB34CDU);
  EXPECT_EQ(ledctl(0xABCD, 0xFFFF), 0x07AB83CDU) << "one word never programmed";
  EXPECT_EQ(ledctl(0xFFFF, 0x1234), 0x12063402U);
  EXPECT_EQ(ledctl(0xFFFF, 0xFFFF), kLedctlDefault);
}

TEST(EepromMap, WithoutASignatureOnlyTheAddressIsTaken) {
  EepromImage image = EepromImage::make(Part::k82540em, kMac);
  image.set_word(0x0A, 0xC000);
  EXPECT_EQ(loaded(image, Part::k82540em, reg::kCtrl, 0xA09), 0xA09U);
  EXPECT_EQ(loaded(image, Part::k82540em, reg::kTxcw, 0), 0U);
  EXPECT_EQ(loaded(image, Part::k82540em, reg::kRa, 0), 0x00000002U);
  EXPECT_EQ(loaded(image, Part::k82540em, reg::kRa + 4, 0), 0x80000100U);
  EXPECT_FALSE(eeprom_value(image, Part::k82540em, EepromUse::kDeviceId));
  EXPECT_TRUE(has_power_management(image, Part::k82540em));
}

TEST(EepromMap, CtrlRstLoadsNoWakeUp) {
  const EepromImage image = EepromImage::make(Part::k82540em, kMac);
  const std::uint8_t part = part_info(Part::k82540em).mask;
  EXPECT_EQ(loaded_from_eeprom(image, part, domain::kBus, reg::kWuc, 0, 0), wuc::kApme);
  EXPECT_EQ(loaded_from_eeprom(image, part, domain::kSoftware, reg::kWuc, 0, 0), 0U);
}

/// Words of cards and what they make of registers, worked out by hand from the manual's tables.
TEST(EepromMap, LoadsTheWordsOfRealCards) {
  for (const test::EepromDump& dump : test::eeprom_dumps()) {
    const EepromImage image = dump.image(kMac);
    EXPECT_TRUE(image.checksum_ok()) << dump.name;
    EXPECT_EQ(image.mac(), kMac) << dump.name;
    EXPECT_EQ(loaded(image, dump.part, reg::kCtrl, 0xA09), dump.ctrl) << dump.name;
    EXPECT_EQ(loaded(image, dump.part, reg::kCtrlExt, 0), dump.ctrl_ext) << dump.name;
    EXPECT_EQ(loaded(image, dump.part, reg::kTxcw, 0), dump.txcw) << dump.name;
    EXPECT_EQ(loaded(image, dump.part, reg::kWuc, 0), dump.wuc) << dump.name;
    EXPECT_EQ(loaded(image, dump.part, reg::kManc, 0), dump.manc) << dump.name;
    EXPECT_EQ(loaded(image, dump.part, reg::kLedctl, kLedctlDefault), dump.ledctl) << dump.name;
    EXPECT_EQ(has_power_management(image, dump.part), dump.power_management) << dump.name;
  }
}

}  // namespace
}  // namespace e1000tlm::e1000
