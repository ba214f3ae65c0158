/// The flash behind base address register, expansion ROM and I/O window (manual 7, 13.2.2.2).

#include "testbenches/unit/e1000/nic_rig.h"

namespace e1000tlm::e1000::test {
namespace {

constexpr std::uint32_t kBytes = 128 << 10;
constexpr std::uint32_t kIoAddress = 0, kIoData = 4, kFlashSpace = 0x80000;
constexpr Time kAccess = ns(70);

RigOptions options(bool present = true) {
  RigOptions o;
  o.part = Part::k82545em;
  o.adjust = [present](ControllerConfig& config) {
    if (!present) return;
    config.flash.emplace(kBytes);
    for (std::uint32_t i = 0; i < 256; ++i) {
      config.flash->bytes()[i] = static_cast<std::uint8_t>(i);
    }
  };
  return o;
}

/// A rig and who accesses its flash.
class FlashRig : public sc_core::sc_module {
 public:
  explicit FlashRig(const RigOptions& options, const sc_core::sc_module_name& name = "flash_rig")
      : sc_module(name), nic(options), flash("flash"), rom("rom") {
    flash.bind(nic.nic.flash);
    rom.bind(nic.nic.rom);
  }
  using Socket = ::tlm_utils::simple_initiator_socket<FlashRig>;

  ::tlm::tlm_response_status access(Socket& socket, bool is_read, std::uint32_t at, void* data,
                                    unsigned bytes) {
    ::tlm::tlm_generic_payload p;
    fill(p, is_read, at, data, bytes);
    sc_core::sc_time delay;
    socket->b_transport(p, delay);
    took = from_sc(delay);
    sc_core::wait(delay);
    return p.get_response_status();
  }
  std::uint32_t read(std::uint32_t at, unsigned bytes = 4) { return read_from(flash, at, bytes); }
  std::uint32_t read_rom(std::uint32_t at, unsigned bytes = 4) { return read_from(rom, at, bytes); }
  void write(std::uint32_t at, std::uint32_t value, unsigned bytes = 1) {
    EXPECT_EQ(access(flash, false, at, &value, bytes), ::tlm::TLM_OK_RESPONSE);
  }
  void write_rom(std::uint32_t at, std::uint32_t value) {
    EXPECT_EQ(access(rom, false, at, &value, 1), ::tlm::TLM_OK_RESPONSE);
  }
  unsigned debug(Socket& socket, bool is_read, std::uint32_t at, void* data, unsigned bytes) {
    ::tlm::tlm_generic_payload p;
    fill(p, is_read, at, data, bytes);
    return socket->transport_dbg(p);
  }
  /// Part of a dword of the I/O window.
  std::uint32_t io(bool is_read, std::uint32_t at, std::uint32_t value, unsigned bytes) {
    ::tlm::tlm_generic_payload p;
    fill(p, is_read, at, &value, bytes);
    sc_core::sc_time delay;
    nic.io->b_transport(p, delay);
    EXPECT_EQ(p.get_response_status(), ::tlm::TLM_OK_RESPONSE);
    sc_core::wait(delay);
    return value;
  }
  void enable_writes() { nic.write(reg::kEecd, eecd::kFweOn); }
  void command(std::uint8_t value) {
    write(0x5555, 0xAA);
    write(0x2AAA, 0x55);
    write(0x5555, value);
  }

  NicRig nic;
  Socket flash, rom;
  Time took = kTimeZero;

 private:
  std::uint32_t read_from(Socket& socket, std::uint32_t at, unsigned bytes) {
    std::uint32_t value = 0;
    EXPECT_EQ(access(socket, true, at, &value, bytes), ::tlm::TLM_OK_RESPONSE);
    return value;
  }
  static void fill(::tlm::tlm_generic_payload& p, bool is_read, std::uint32_t at, void* data,
                   unsigned bytes) {
    p.set_command(is_read ? ::tlm::TLM_READ_COMMAND : ::tlm::TLM_WRITE_COMMAND);
    p.set_address(at);
    p.set_data_ptr(static_cast<std::uint8_t*>(data));
    p.set_data_length(bytes);
    p.set_streaming_width(bytes);
  }
};

TEST(FlashAccess, ReadsAnyWidthAtTheDevicesPace) {
  FlashRig rig(options());
  rig.nic.run([&] {
    EXPECT_EQ(rig.read(0x10), 0x13121110U);
    EXPECT_EQ(rig.took, 4 * kAccess);
    EXPECT_EQ(rig.read(0x13, 1), 0x13U);
    EXPECT_EQ(rig.took, kAccess);
    EXPECT_EQ(rig.read(0x13, 2), 0x1413U);
    EXPECT_EQ(rig.read_rom(0x20), 0x23222120U);
    EXPECT_EQ(rig.read(kBytes + 0x10), 0x13121110U) << "addresses wrap";
    std::uint32_t word = 0;
    EXPECT_EQ(rig.access(rig.flash, true, 512 << 10, &word, 4), ::tlm::TLM_ADDRESS_ERROR_RESPONSE);
  });
}

TEST(FlashAccess, WritesNeedEecdFwe) {
  FlashRig rig(options());
  rig.nic.run([&] {
    const auto program = [&](std::uint32_t at) {
      rig.command(0xA0);
      rig.write(at, 0x42);
      NicRig::wait_for(us(20));
    };
    EXPECT_EQ(rig.nic.read(reg::kEecd) & eecd::kFweMask, 1U << 4) << "disabled after power-up";
    program(0x1000);
    EXPECT_EQ(rig.read(0x1000, 1), 0xFFU);
    for (const std::uint32_t fwe : {0U, 3U << 4}) {
      rig.nic.write(reg::kEecd, fwe);
      program(0x1000);
      EXPECT_EQ(rig.read(0x1000, 1), 0xFFU) << fwe;
    }
    rig.enable_writes();
    program(0x1000);
    EXPECT_EQ(rig.read(0x1000, 1), 0x42U);
    rig.nic.write(reg::kCtrl, ctrl::kRst);
    NicRig::wait_for(ms(1));
    program(0x1001);
    EXPECT_EQ(rig.read(0x1001, 1), 0xFFU) << "a reset disables writes";
  });
}

TEST(FlashAccess, SoftwarePollsForTheEndOfAnOperation) {
  FlashRig rig(options());
  rig.nic.run([&] {
    rig.enable_writes();
    rig.command(0xA0);
    rig.write(0x2000, 0x80);
    const Time end = sc_now() - kAccess + us(14);
    EXPECT_EQ(rig.read(0x2000, 1) & 0x80, 0U);
    EXPECT_TRUE(NicRig::wait_until([&] { return rig.read(0x2000, 1) == 0x80; }, us(20), ns(10)));
    EXPECT_GE(sc_now(), end);
    EXPECT_LE(sc_now(), end + 3 * kAccess);
    rig.command(0x80);
    rig.write(0x5555, 0xAA);
    rig.write(0x2AAA, 0x55);
    rig.write(0x2000, 0x30);
    const std::uint32_t first = rig.read(0x2000, 1), second = rig.read(0x2000, 1);
    EXPECT_EQ((first ^ second) & 0xFF, 0x40U) << "toggle bit";
    EXPECT_TRUE(NicRig::wait_until([&] { return rig.read(0x2000, 1) == 0xFF; }, ms(30), us(100)));
    EXPECT_EQ(rig.read(0x10), 0x13121110U) << "another sector";
  });
}

TEST(FlashAccess, TheExpansionRomIsReadOnly) {
  FlashRig rig(options());
  rig.nic.run([&] {
    rig.enable_writes();
    rig.write_rom(0x5555, 0xAA);
    rig.write_rom(0x2AAA, 0x55);
    rig.write_rom(0x5555, 0x90);
    EXPECT_EQ(rig.read_rom(0, 1), 0U) << "no identification";
    rig.command(0x90);
    EXPECT_EQ(rig.read_rom(0, 2), 0xD5BFU) << "the same device";
  });
}

TEST(FlashAccess, TheIoWindowReachesTheFlashByteByByte) {
  FlashRig rig(options());
  rig.nic.run([&] {
    rig.enable_writes();
    const auto write = [&](std::uint32_t at, std::uint8_t value) {
      rig.nic.io_write(kIoAddress, kFlashSpace + at);
      rig.io(false, kIoData + at % 4, value, 1);
    };
    rig.nic.io_write(kIoAddress, kFlashSpace + 0x30);
    EXPECT_EQ(rig.nic.io_read(kIoData), 0x33323130U);
    EXPECT_EQ(rig.io(true, kIoData + 1, 0, 1), 0x31U);
    EXPECT_EQ(rig.io(true, kIoData + 2, 0, 2), 0x3332U);
    write(0x5555, 0xAA);
    write(0x2AAA, 0x55);
    write(0x5555, 0xA0);
    write(0x7003, 0x42);
    NicRig::wait_for(us(20));
    EXPECT_EQ(rig.read(0x7000), 0x42FFFFFFU);
    rig.nic.io_write(kIoAddress, 0xFFFFC);
    EXPECT_EQ(rig.nic.io_read(kIoAddress), 0xFFFFCU);
    EXPECT_EQ(rig.nic.io_read(kIoData), 0xFFFFFFFFU) << "wraps to the last dword of the device";
    rig.nic.io_write(kIoAddress, 0x7FFFC);
    EXPECT_EQ(rig.nic.io_read(kIoData), 0U) << "undefined space";
  });
}

TEST(FlashAccess, DebugAccessSeesTheArrayAndChangesNothingElse) {
  FlashRig rig(options());
  rig.nic.run([&] {
    rig.enable_writes();
    rig.command(0xA0);
    rig.write(0x2000, 0x80);
    std::uint8_t byte = 0;
    EXPECT_EQ(rig.debug(rig.flash, true, 0x2000, &byte, 1), 1U);
    EXPECT_EQ(byte, 0x80) << "not the status";
    const std::uint32_t first = rig.read(0x2000, 1);
    rig.debug(rig.rom, true, 0x2000, &byte, 1);
    EXPECT_NE(rig.read(0x2000, 1), first) << "the toggle bit toggles for real reads only";
    byte = 0x99;
    EXPECT_EQ(rig.debug(rig.flash, false, 0x3000, &byte, 1), 1U);
    EXPECT_EQ(rig.debug(rig.rom, false, 0x3001, &byte, 1), 0U);
    NicRig::wait_for(us(20));
    EXPECT_EQ(rig.read(0x3000, 2), 0xFF99U);
    ::tlm::tlm_generic_payload p;
    ::tlm::tlm_dmi dmi;
    p.set_read();
    p.set_address(0);
    EXPECT_FALSE(rig.flash->get_direct_mem_ptr(p, dmi));
  });
}

TEST(FlashAccess, WithoutAFlashEverythingReadsZero) {
  FlashRig rig(options(false));
  rig.nic.run([&] {
    rig.enable_writes();
    EXPECT_EQ(rig.read(0), 0U);
    EXPECT_EQ(rig.took, kTimeZero);
    rig.command(0x90);
    EXPECT_EQ(rig.read_rom(0), 0U);
    rig.nic.io_write(kIoAddress, kFlashSpace);
    EXPECT_EQ(rig.nic.io_read(kIoData), 0U);
    EXPECT_EQ(rig.io(true, kIoData, 0, 1), 0U);
    std::uint32_t word = 1;
    EXPECT_EQ(rig.debug(rig.flash, true, 0, &word, 4), 4U);
    EXPECT_EQ(word, 0U);
  });
}

TEST(FlashAccess, NotEveryPartCanHaveOne) {
  ControllerConfig config;
  config.flash.emplace(kBytes);
  EXPECT_THROW(Controller("nic", config), std::invalid_argument);
}

// --- configuration space ------------------------------------------------------------------------

using Kind = pci::BarConfig::Kind;

TEST(FlashProfile, ParametersOfTheBaseAddressRegisters) {
  EepromImage eeprom = EepromImage::make(Part::k82544gc, kRigMac);
  eeprom.set_flash_bytes(256 << 10);
  const pci::FunctionConfig narrow = pci_profile(Part::k82544gc, eeprom, true);
  EXPECT_EQ(narrow.bars[1].kind, Kind::kMemory32);
  EXPECT_EQ(narrow.bars[1].size, 256U << 10);
  EXPECT_EQ(narrow.bars[2].kind, Kind::kIo);
  EXPECT_EQ(narrow.expansion_rom_size, 256U << 10);

  eeprom = EepromImage::make(Part::k82545gm, kRigMac);
  eeprom.set_flash_bytes(512 << 10);
  const pci::FunctionConfig wide = pci_profile(Part::k82545gm, eeprom, true);
  EXPECT_EQ(wide.bars[0].kind, Kind::kMemory64);
  EXPECT_EQ(wide.bars[2].kind, Kind::kMemory64);
  EXPECT_EQ(wide.bars[2].size, 512U << 10);
  EXPECT_EQ(wide.bars[4].kind, Kind::kIo);
  EXPECT_EQ(wide.expansion_rom_size, 512U << 10);
  const pci::ConfigSpace space(wide);
  EXPECT_EQ(space.read(0x18, 4), 4U) << "64 bits, not prefetchable";
}

TEST(FlashProfile, NoFlashNoBaseAddressRegister) {
  for (const PartInfo& info : kParts) {
    const EepromImage eeprom = EepromImage::make(info.part, kRigMac);
    const pci::FunctionConfig config = pci_profile(info.part, eeprom);
    EXPECT_EQ(config.expansion_rom_size, 0U) << info.name;
    EXPECT_EQ(config.bars[info.bars_64bit ? 2 : 1].kind, Kind::kNone) << info.name;
  }
  const EepromImage eeprom = EepromImage::make(Part::k82540em, kRigMac);
  EXPECT_EQ(pci_profile(Part::k82540em, eeprom, true).expansion_rom_size, 0U);
}

}  // namespace
}  // namespace e1000tlm::e1000::test
