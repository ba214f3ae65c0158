#include "e1000tlm/e1000/peripherals/flash.h"

#include <cstdio>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "e1000tlm/e1000/peripherals/eeprom.h"

namespace e1000tlm::e1000 {
namespace {

/// A device and its clock.
class Device {
 public:
  explicit Device(std::uint32_t bytes = 128 << 10) : image(bytes), flash(image) {}

  void unlock() {
    flash.write(0x5555, 0xAA, now);
    flash.write(0x2AAA, 0x55, now);
  }
  void command(std::uint8_t value) {
    unlock();
    flash.write(0x5555, value, now);
  }
  void start_program(std::uint32_t address, std::uint8_t value) {
    command(0xA0);
    flash.write(address, value, now);
  }
  void program(std::uint32_t address, std::uint8_t value) {
    start_program(address, value);
    now = flash.busy_until();
  }
  void start_sector_erase(std::uint32_t address) {
    command(0x80);
    unlock();
    flash.write(address, 0x30, now);
  }
  void start_chip_erase() {
    command(0x80);
    command(0x10);
  }
  std::uint8_t read(std::uint32_t address) { return flash.read(address, now); }

  FlashImage image;
  JedecFlash flash;
  Time now = ms(1);
};

TEST(Flash, IsErasedWhenNew) {
  Device device;
  EXPECT_EQ(device.read(0), 0xFF);
  EXPECT_EQ(device.read(0x1FFFF), 0xFF);
  EXPECT_FALSE(device.flash.busy(device.now));
}

TEST(Flash, ProgramsABytePerSequenceAndOnlyClearsBits) {
  Device device;
  device.program(0x12345, 0xF0);
  EXPECT_EQ(device.read(0x12345), 0xF0);
  device.program(0x12345, 0x3C);
  EXPECT_EQ(device.read(0x12345), 0x30);
  device.flash.write(0x12346, 0, device.now);  // without a sequence
  EXPECT_EQ(device.read(0x12346), 0xFF);
}

TEST(Flash, ShowsStatusWhileItPrograms) {
  Device device;
  device.start_program(7, 0x80);
  EXPECT_EQ(device.flash.busy_until(), device.now + us(14));
  EXPECT_EQ(device.read(7), 0x40) << "complement of bit 7; toggle bit";
  EXPECT_EQ(device.read(7), 0x00);
  EXPECT_EQ(device.read(99), 0x40) << "at every address";
  device.now = device.flash.busy_until() - Time{1};
  EXPECT_EQ(device.read(7), 0x00);
  device.now += Time{1};
  EXPECT_EQ(device.read(7), 0x80);
  EXPECT_EQ(device.read(7), 0x80);
  device.start_program(8, 0x00);
  EXPECT_EQ(device.read(8) & 0x80, 0x80);
}

TEST(Flash, IgnoresWritesWhileItIsBusy) {
  Device device;
  device.start_program(7, 0x11);
  device.command(0xA0);
  device.flash.write(8, 0x22, device.now);
  device.now = device.flash.busy_until();
  EXPECT_EQ(device.read(8), 0xFF);
  device.flash.write(9, 0x33, device.now);
  EXPECT_EQ(device.read(9), 0xFF) << "no half of a sequence was kept";
}

TEST(Flash, ErasesOneSector) {
  Device device;
  for (const std::uint32_t at : {0x3FFFU, 0x4000U, 0x4FFFU, 0x5000U}) device.program(at, 0);
  device.start_sector_erase(0x4321);
  EXPECT_EQ(device.flash.busy_until(), device.now + ms(18));
  EXPECT_EQ(device.read(0x4000), 0x40) << "bit 7 is 0 while erasing";
  device.now = device.flash.busy_until();
  EXPECT_EQ(device.read(0x3FFF), 0x00);
  EXPECT_EQ(device.read(0x4000), 0xFF);
  EXPECT_EQ(device.read(0x4FFF), 0xFF);
  EXPECT_EQ(device.read(0x5000), 0x00);
}

TEST(Flash, ErasesAll) {
  Device device;
  device.program(0, 0);
  device.program(0x1FFFF, 0);
  device.start_chip_erase();
  EXPECT_EQ(device.flash.busy_until(), device.now + ms(70));
  device.now = device.flash.busy_until();
  EXPECT_EQ(device.image, FlashImage(128 << 10));
}

TEST(Flash, TellsWhichDeviceItIs) {
  const std::vector<std::pair<std::uint32_t, int>> ids{
      {64 << 10, 0xD4}, {128 << 10, 0xD5}, {256 << 10, 0xD6}, {512 << 10, 0xD7}};
  for (const auto& [bytes, id] : ids) {
    Device device(bytes);
    device.command(0x90);
    EXPECT_EQ(device.read(0), 0xBF);
    EXPECT_EQ(device.read(1), id);
    device.start_program(5, 0);
    EXPECT_EQ(device.image.bytes()[5], 0xFF) << "identification has not been left";
    device.command(0xF0);
    EXPECT_EQ(device.read(1), 0xFF);
    device.command(0x90);
    device.flash.write(0x777, 0xF0, device.now);  // the short way out
    EXPECT_EQ(device.read(0), 0xFF);
  }
}

TEST(Flash, AWrongWriteAbandonsASequence) {
  const std::vector<std::vector<std::pair<std::uint32_t, std::uint8_t>>> broken{
      {{0x5555, 0xAA}, {0x2AAB, 0x55}, {0x5555, 0xA0}, {0x10, 0}},
      {{0x5555, 0xAA}, {0x2AAA, 0x54}, {0x5555, 0xA0}, {0x10, 0}},
      {{0x5554, 0xAA}, {0x2AAA, 0x55}, {0x5555, 0xA0}, {0x10, 0}},
      {{0x5555, 0xAA}, {0x2AAA, 0x55}, {0x5554, 0xA0}, {0x10, 0}},
      {{0x5555, 0xAA}, {0x2AAA, 0x55}, {0x5555, 0x80}, {0x5555, 0xAA}, {0x10, 0x30}},
      {{0x5555, 0xAA}, {0x2AAA, 0x55}, {0x5555, 0x80}, {0x10, 0x30}},
  };
  for (const auto& sequence : broken) {
    Device device;
    for (const auto& [address, value] : sequence) device.flash.write(address, value, device.now);
    EXPECT_FALSE(device.flash.busy(device.now));
    EXPECT_EQ(device.image, FlashImage(128 << 10));
    device.program(0x10, 0x42);
    EXPECT_EQ(device.read(0x10), 0x42) << "and does not spoil the next one";
  }
}

TEST(Flash, UnlockAddressesCountFifteenBits) {
  Device device;
  device.flash.write(0xD555, 0xAA, device.now);
  device.flash.write(0x12AAA, 0x55, device.now);
  device.flash.write(0x1D555, 0xA0, device.now);
  device.flash.write(3, 0x42, device.now);
  device.now = device.flash.busy_until();
  EXPECT_EQ(device.read(3), 0x42);
}

TEST(Flash, AddressesWrapAtTheEndOfTheDevice) {
  Device device(64 << 10);
  device.program(0x70003, 0x42);
  EXPECT_EQ(device.image.bytes()[3], 0x42);
  EXPECT_EQ(device.read(0x10003), 0x42);
}

TEST(Flash, RandomAccessesWithoutAnUnlockChangeNothing) {
  Device device;
  for (std::size_t i = 0; i < 256; ++i) device.image.bytes()[i] = static_cast<std::uint8_t>(i);
  const FlashImage before = device.image;
  std::mt19937 random(1);
  const std::vector<std::uint8_t> commands{0xAA, 0x10, 0x30, 0x80, 0xA0, 0xF0, 0x00};
  const std::vector<std::uint32_t> places{0x5555, 0x2AAA, 0x0000, 0xFFFFFFFF};
  for (int i = 0; i < 100'000; ++i) {  // 55h, the second half of an unlock, does not occur
    device.flash.write(places[random() % places.size()], commands[random() % commands.size()],
                       device.now);
    const std::uint32_t at = random();
    ASSERT_EQ(device.read(at), before.bytes()[at & 0x1FFFF]);
    device.now += ns(70);
  }
  EXPECT_EQ(device.image, before);
}

TEST(FlashImage, SizesAreThoseOfTheControllers) {
  for (const std::uint32_t kib : {64, 128, 256, 512}) {
    EXPECT_EQ(FlashImage(kib << 10).size(), kib << 10);
  }
  for (const std::uint32_t bytes : {0U, 32U << 10, 96U << 10, 1U << 20}) {
    EXPECT_THROW(FlashImage{bytes}, std::invalid_argument) << bytes;
  }
}

class FlashFile : public ::testing::Test {
 protected:
  void TearDown() override { std::remove(path.c_str()); }
  void write(std::size_t bytes) {
    std::ofstream(path, std::ios::binary) << std::string(bytes, '\x5A');
  }
  std::string refusal() {
    try {
      FlashImage::load(path);
    } catch (const std::runtime_error& error) {
      return error.what();
    }
    return {};
  }
  const std::string path = ::testing::TempDir() +
                           ::testing::UnitTest::GetInstance()->current_test_info()->name() +
                           "_flash.bin";
};

TEST_F(FlashFile, KeepsAnImage) {
  FlashImage image(64 << 10);
  image.bytes()[0] = 0x55;
  image.bytes()[0xFFFF] = 0xAA;
  image.save(path);
  EXPECT_EQ(FlashImage::load(path), image);
}

TEST_F(FlashFile, OfAnotherSizeIsRefused) {
  for (const std::size_t bytes : {0, 1, 65535, 65537, 393216, 524289, 1 << 20}) {
    write(bytes);
    EXPECT_NE(refusal().find(path), std::string::npos) << bytes;
    EXPECT_NE(refusal().find("65536, 131072, 262144 or 524288"), std::string::npos) << bytes;
  }
  write(131072);
  EXPECT_EQ(refusal(), "");
}

TEST_F(FlashFile, ThatCannotBeOpenedIsNamed) {
  EXPECT_NE(refusal().find("_flash.bin': cannot be opened"), std::string::npos);
  EXPECT_THROW(FlashImage(64 << 10).save("/no/such/directory/flash"), std::runtime_error);
}

TEST(FlashSize, IsInTheEeprom) {
  EepromImage image = EepromImage::make(Part::k82545em, {2, 0, 0, 0, 0, 1});
  EXPECT_EQ(image.flash_bytes(), 64U << 10);
  for (const std::uint32_t kib : {512, 64, 256, 128}) {
    image.set_flash_bytes(kib << 10);
    EXPECT_EQ(image.flash_bytes(), kib << 10);
    EXPECT_TRUE(image.checksum_ok());
  }
  EXPECT_EQ(image.word(0x0F), 0x3168) << "the rest of the word stays";
  image.set_word(0x0F, 0x3700);
  EXPECT_EQ(image.flash_bytes(), 512U << 10);
  image.set_word(0x0A, 0);
  EXPECT_EQ(image.flash_bytes(), 64U << 10) << "no valid signature";
}

}  // namespace
}  // namespace e1000tlm::e1000
