/// What hardware loads from the EEPROM by itself, and when (manual 5.6, 13.4.1, 14).

#include "e1000tlm/e1000/peripherals/eeprom_map.h"
#include "e1000tlm/e1000/registers/register_map.h"
#include "testbenches/unit/e1000/nic_rig.h"
#include "testbenches/unit/e1000/peripherals/eeprom_dumps.h"

namespace e1000tlm::e1000::test {
namespace {

bool link_up(NicRig& rig) { return (rig.read(reg::kStatus) & status::kLu) != 0; }

std::uint32_t eerd(NicRig& rig, std::uint32_t word) {
  rig.write(reg::kEerd, word << eerd::kAddrShift | eerd::kStart);
  NicRig::wait_for(us(100));
  return rig.read(reg::kEerd) >> eerd::kDataShift;
}

TEST(EepromLoad, SluStartsAsOneWhereApmIsArmed) {  // 13.4.1
  NicRig rig;
  rig.run([&] {
    EXPECT_EQ(rig.read(reg::kCtrl), 0x241U);
    NicRig::wait_for(ms(600));
    EXPECT_TRUE(link_up(rig)) << "without a driver";
    EXPECT_EQ(rig.read(reg::kIcr), cause::kLsc);
    rig.write(reg::kCtrl, 0);
    rig.write(reg::kCtrl, ctrl::kRst);
    NicRig::wait_for(us(1));
    EXPECT_EQ(rig.read(reg::kCtrl), 0x241U);
    EXPECT_TRUE(link_up(rig));
    rig.write(reg::kCtrl, 0);
    rig.nic.pci_reset(pci::ResetKind::kPowerState);
    EXPECT_EQ(rig.read(reg::kCtrl), 0x241U);
    NicRig::wait_for(ms(600));
    EXPECT_TRUE(link_up(rig));
  });
}

TEST(EepromLoad, SluStartsAsZeroWhereItIsNot) {
  NicRig rig(Part::k82545em);
  rig.run([&] {
    EXPECT_EQ(rig.read(reg::kCtrl), 0x201U);
    NicRig::wait_for(ms(600));
    EXPECT_FALSE(link_up(rig));
    rig.bring_up();
    rig.write(reg::kCtrl, ctrl::kRst);
    NicRig::wait_for(us(1));
    EXPECT_EQ(rig.read(reg::kCtrl), 0x201U);
    EXPECT_FALSE(link_up(rig));
  });
}

TEST(EepromLoad, The82544HasSluAgainOnlyOnRequest) {  // RST-3
  NicRig rig(Part::k82544gc);
  rig.run([&] {
    NicRig::wait_for(ms(600));
    EXPECT_TRUE(link_up(rig)) << "without a driver";
    rig.write(reg::kCtrl, ctrl::kRst);
    NicRig::wait_for(us(1));
    EXPECT_EQ(rig.read(reg::kCtrl), 0xA09U);
    EXPECT_FALSE(link_up(rig));
    rig.read(reg::kIcr);
    rig.write(reg::kCtrlExt, ctrl_ext::kEeRst);
    NicRig::wait_for(ms(2));
    EXPECT_TRUE(link_up(rig));
    EXPECT_EQ(rig.read(reg::kIcr), cause::kLsc);
  });
}

class EepromFieldsOf : public ::testing::TestWithParam<Part> {};

/// Every field that goes to a register, on every part that has it: by each reset that loads it, and
/// by no other.
TEST_P(EepromFieldsOf, GoToTheirRegisters) {
  const PartInfo& part = part_info(GetParam());
  NicRig rig(GetParam());
  const auto shown = [&](const EepromField& field) {
    const std::uint32_t bits = std::uint32_t{field.mask()} >> field.low << field.shift;
    return rig.peek(field.reg) & bits & ~(field.use == EepromUse::kLed ? 0x10101010U : 0U);
  };
  const auto expected = [](const EepromField& field, std::uint32_t value) {
    return value << field.shift & ~(field.use == EepromUse::kLed ? 0x10101010U : 0U);
  };
  rig.run([&] {
    EepromImage& image = rig.nic.eeprom();
    const EepromImage before = image;
    for (const EepromField& field : eeprom_map()) {
      if (!field.is_register() || field.use == EepromUse::kRegisterOnes) continue;
      if ((field.parts & part.mask) == 0) continue;
      for (const std::uint32_t pattern : {0x0000U, 0xFFFFU, 0x5555U, 0xAAAAU}) {
        image = before;
        // Software-definable pins show data only as outputs.
        const std::uint16_t others = field.word == 0x20 ? 0xFFFF : before.word(field.word);
        const std::uint32_t value = pattern & (field.mask() >> field.low);
        image.set_word(field.word,
                       static_cast<std::uint16_t>((others & ~field.mask()) | value << field.low));
        if (field.use == EepromUse::kLed && image.word(field.word) == 0xFFFF) continue;
        rig.nic.pci_reset(pci::ResetKind::kBusReset);
        EXPECT_EQ(shown(field), expected(field, value)) << field.name << " -> " << field.target;

        image = before;
        image.set_word(field.word, static_cast<std::uint16_t>(others | field.mask()));
        if (field.use == EepromUse::kLed && image.word(field.word) == 0xFFFF) continue;
        rig.write(reg::kCtrl, ctrl::kRst);
        if (part.is_82544) rig.write(reg::kCtrlExt, ctrl_ext::kEeRst);
        const bool loads = (field.resets & domain::kSoftware) != 0;
        const std::uint32_t ones = field.mask() >> field.low;
        // WUC survives CTRL.RST; RCTL does not.
        const std::uint32_t kept = field.reg == reg::kRctl ? 0 : value;
        EXPECT_EQ(shown(field), expected(field, loads ? ones : kept))
            << field.name << " -> " << field.target << " by CTRL.RST";
      }
    }
  });
}
INSTANTIATE_TEST_SUITE_P(EveryPart, EepromFieldsOf,
                         ::testing::Values(Part::k82540em, Part::k82544gc, Part::k82545em,
                                           Part::k82545gm),
                         [](const auto& info) { return std::string(part_info(info.param).name); });

TEST(EepromLoad, InitialControlBits) {  // 5.6.7, 5.6.12
  RigOptions options;
  options.adjust = [](ControllerConfig& config) {
    config.eeprom->set_word(0x0A, 0x5D1B);  // IPS0, FRCSPD, FD, IPS1, ILOS
    config.eeprom->set_word(0x0F, 0x7800);  // ASDE, PAUSE, ANE
    config.eeprom->set_word(0x20, 0xC3CF);
    config.eeprom->set_word(0x23, 0xA503);
  };
  NicRig rig(options);
  rig.run([&] {
    EXPECT_EQ(rig.read(reg::kCtrl), 0x00FC0AE1U);
    EXPECT_EQ(rig.read(reg::kCtrlExt), 0x00014CC0U);
    EXPECT_EQ(rig.read(reg::kTxcw), 0x800001A0U);
    EXPECT_EQ(rig.read(reg::kManc), 0x0000A503U);
  });
}

TEST(EepromLoad, InitialControlBitsOfThe82544) {
  RigOptions options;
  options.part = Part::k82544gc;
  options.adjust = [](ControllerConfig& config) {
    config.eeprom->set_word(0x0A, 0x51EB);  // IPS0, SWDPIO
    config.eeprom->set_word(0x0F, 0x00F0);  // SWDPIO_EXT
    config.eeprom->set_word(0x20, 0xC3CF);  // no word of its
    config.eeprom->set_word(0x23, 0xA503);
  };
  NicRig rig(options);
  rig.run([&] {
    EXPECT_EQ(rig.read(reg::kCtrl), 0x03C00200U);
    EXPECT_EQ(rig.read(reg::kCtrlExt), 0x00004F00U);
    EXPECT_EQ(rig.read(reg::kTxcw), 0U);
    EXPECT_EQ(rig.read(reg::kManc), 0U);
  });
}

TEST(EepromDumps, MakeTheConfigurationSpaceOfTheirCards) {
  for (const EepromDump& dump : eeprom_dumps()) {
    ControllerConfig config;
    config.part = dump.part;
    config.eeprom = dump.image(kRigMac);
    const pci::FunctionConfig c = pci_profile(config);
    EXPECT_EQ(c.device_id, dump.device_id) << dump.name;
    EXPECT_EQ(c.subsystem_vendor_id, dump.subsystem_vendor_id) << dump.name;
    EXPECT_EQ(c.subsystem_id, dump.subsystem_id) << dump.name;
    EXPECT_EQ(c.bars[0].kind == pci::BarConfig::Kind::kMemory64, dump.wide_bars) << dump.name;
    EXPECT_EQ(c.pm_read_only, !dump.power_management) << dump.name;
    EXPECT_NE(c.msi_offset, 0) << dump.name;
    const bool pcix = dump.part == Part::k82545em;  // 64 bits, 133 MHz
    EXPECT_EQ(c.pcix_status & 0x30000, pcix ? 0x30000U : 0U) << dump.name;
  }
}

TEST(EepromDumps, OfThe82545CanBePlainer) {
  ControllerConfig config;
  config.part = Part::k82545em;
  config.eeprom = EepromImage::make(config.part, kRigMac);
  config.eeprom->set_word(0x0F, 0x3090);  // no MSI, 4096-byte reads, 66 MHz, 32 bits
  const pci::FunctionConfig c = pci_profile(config);
  EXPECT_EQ(c.msi_offset, 0);
  EXPECT_EQ(c.pcix_status & 0x630000, 0x600000U);
}

class WithoutPowerManagement : public ::testing::TestWithParam<Part> {};

TEST_P(WithoutPowerManagement, TheDeviceStaysInD0AndKnowsNoPme) {  // 5.6.7
  RigOptions options;
  options.part = GetParam();
  options.behind_function = true;
  options.adjust = [](ControllerConfig& config) {
    config.eeprom->set_word(0x0A, config.eeprom->word(0x0A) & ~0x0008);
    config.eeprom->set_word(0x0F, config.eeprom->word(0x0F) | 0x8000);  // PME# by APM
  };
  NicRig rig(options);
  rig.run([&] {
    const pci::ConfigSpace& space = rig.function->config();
    EXPECT_EQ(space.read(0xDC, 4) & 0xFFFF00FF, 0x00020001U) << "there, without PME#";
    for (const std::uint32_t value : {0x0003U, 0x0100U, 0x8100U, 0x1E03U, 0U}) {
      rig.config_write(0xE0, value);
      EXPECT_EQ(space.read(0xE0, 4), 0U) << std::hex << value;
    }
    EXPECT_EQ(space.power_state(), pci::PowerState::kD0);
    rig.write(reg::kWuc, wuc::kPmeEn | wuc::kApme | wuc::kApmpme);
    EXPECT_EQ(rig.read(reg::kWuc), wuc::kApme | wuc::kApmpme);
    rig.bring_up();
    std::vector<std::uint8_t> magic = NicRig::frame(14 + 6 + 96);
    std::fill(magic.begin() + 14, magic.begin() + 20, std::uint8_t{0xFF});
    for (int i = 0; i < 16; ++i) {
      std::copy(kRigMac.begin(), kRigMac.end(), magic.begin() + 20 + 6 * i);
    }
    rig.setup_rx();
    rig.far.send(magic);
    NicRig::wait_for(us(10));
    EXPECT_NE(rig.read(reg::kWus), 0U) << "the filters work";
    EXPECT_EQ(rig.read(reg::kWuc) & wuc::kPmeStatus, 0U);
    EXPECT_FALSE(rig.pme.read());
    EXPECT_EQ(space.read(0xE0, 4), 0U);
  });
}
INSTANTIATE_TEST_SUITE_P(Eeprom, WithoutPowerManagement,
                         ::testing::Values(Part::k82540em, Part::k82544gc),
                         [](const auto& info) { return std::string(part_info(info.param).name); });

TEST(EepromDefault, FollowsThePart) {
  for (const PartInfo& info : kParts) {
    ControllerConfig config;
    config.part = info.part;
    EXPECT_EQ(eeprom_image(config).word(0x0D), info.device_id) << info.name;
    EXPECT_TRUE(eeprom_image(config).checksum_ok()) << info.name;
    EXPECT_EQ(pci_profile(config).device_id, info.device_id) << info.name;
    EXPECT_EQ(phy_profile(info.part).id2, info.phy_id2) << info.name;
  }
}

TEST(EepromDefault, IsWhatTheControllerHas) {
  RigOptions options;
  options.part = Part::k82545em;
  options.adjust = [](ControllerConfig& config) { config.eeprom.reset(); };
  NicRig rig(options);
  EXPECT_EQ(rig.nic.config().eeprom->word(0x0D), 0x100F);
  rig.run([&] {
    EXPECT_EQ(rig.read(reg::kCtrl), 0x201U);
    EXPECT_EQ(rig.read(reg::kRa), 0x12005452U);
    EXPECT_EQ(eerd(rig, 0x0D), 0x100FU);
  });
}

TEST(Eerd, SendsNoMoreAddressBitsThanTheEepromHas) {
  NicRig rig;
  rig.run([&] {
    EXPECT_EQ(eerd(rig, 0x0D), 0x100EU);
    EXPECT_EQ(eerd(rig, 0x4D), 0x100EU);
    EXPECT_EQ(eerd(rig, 0xC0), 0x5452U);
  });
}

/// Sends bits to the EEPROM, first bit first; it stays selected.
void clock_bits(NicRig& rig, std::uint32_t bits, int count) {
  for (int i = count - 1; i >= 0; --i) {
    const std::uint32_t level = eecd::kReq | eecd::kCs | ((bits >> i & 1) != 0 ? eecd::kDi : 0);
    rig.write(reg::kEecd, level);
    rig.write(reg::kEecd, level | eecd::kSk);
    rig.write(reg::kEecd, level);
  }
}
/// Up to the last bit of WRITE 5AA5h to word 10h.
void tell_to_write(NicRig& rig) {
  NicRig::wait_for(ms(1));  // hardware has read it
  rig.write(reg::kEecd, eecd::kReq);
  clock_bits(rig, 0b1'00'110000, 9);  // EWEN
  rig.write(reg::kEecd, eecd::kReq);
  clock_bits(rig, 0b1'01'010000, 9);
  clock_bits(rig, 0x5AA5, 16);
}

TEST(Eecd, GivingUpTheEepromDeselectsIt) {
  NicRig rig;
  rig.run([&] {
    tell_to_write(rig);
    rig.write(reg::kEecd, 0);  // CS and REQ at once
    NicRig::wait_for(ms(5));
    EXPECT_EQ(rig.nic.eeprom().word(0x10), 0x5AA5);
    rig.write(reg::kEecd, eecd::kReq);
    EXPECT_EQ(rig.read(reg::kEecd) & (eecd::kGnt | eecd::kDo), eecd::kGnt | eecd::kDo);
    clock_bits(rig, 0b1'10'010000, 9);  // READ
    EXPECT_EQ(rig.read(reg::kEecd) & eecd::kDo, 0U) << "a new command, with its dummy bit";
  });
}

class EecdOf : public ::testing::TestWithParam<Part> {};

TEST_P(EecdOf, IsResetWithThePins) {
  NicRig rig(GetParam());
  rig.run([&] {
    tell_to_write(rig);
    rig.write(reg::kCtrl, ctrl::kRst);
    NicRig::wait_for(ms(5));
    EXPECT_EQ(rig.nic.eeprom().word(0x10), 0x5AA5);
  });
}
INSTANTIATE_TEST_SUITE_P(Eecd, EecdOf, ::testing::Values(Part::k82540em, Part::k82544gc),
                         [](const auto& info) { return std::string(part_info(info.param).name); });

/// A driver that resets the device and never touches CTRL again.
TEST(EepromLoad, ADriverThatNeverWritesSluHasLink) {
  NicRig rig;
  rig.run([&] {
    NicRig::wait_for(ms(10));
    rig.write(reg::kIms, 0);
    rig.write(reg::kCtrl, rig.read(reg::kCtrl) | ctrl::kRst);
    rig.write(reg::kIms, 0);
    rig.setup_tx();
    rig.setup_rx();
    rig.put_legacy(0, NicRig::frame(60));
    rig.write(reg::kTdt, 1);
    NicRig::wait_for(ms(700));
    EXPECT_TRUE(rig.tx_done(0));
    rig.far.send(NicRig::frame(64));
    NicRig::wait_for(us(10));
    EXPECT_TRUE(rig.rx_done(0));
  });
  EXPECT_EQ(rig.far.received.size(), 1U);
}

}  // namespace
}  // namespace e1000tlm::e1000::test
