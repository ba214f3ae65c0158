#include "e1000tlm/e1000/peripherals/eeprom.h"

#include <cstdio>
#include <fstream>
#include <random>
#include <stdexcept>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace e1000tlm::e1000 {
namespace {

using ::testing::HasSubstr;
constexpr MacAddress kMac{0x52, 0x54, 0x00, 0x12, 0x34, 0x56};

TEST(Parts, NamesAreFoundInEitherCase) {
  EXPECT_EQ(find_part("82540em"), Part::k82540em);
  EXPECT_EQ(find_part("82544GC"), Part::k82544gc);
  EXPECT_EQ(find_part("82545eM"), Part::k82545em);
  EXPECT_EQ(find_part("82545gm"), Part::k82545gm);
  for (const char* name : {"", "82540", "82540emx", "82540e", "e1000", "82540en"}) {
    EXPECT_EQ(find_part(name), std::nullopt) << name;
  }
}

TEST(Parts, TableIsIndexedByPart) {
  for (const auto& info : kParts) EXPECT_EQ(&part_info(info.part), &info);
}

TEST(ParseMac, AcceptsColonsOrDashes) {
  EXPECT_EQ(parse_mac("52:54:00:12:34:56"), kMac);
  EXPECT_EQ(parse_mac("52-54-00-12-34-56"), kMac);
  EXPECT_EQ(parse_mac("0A:bC:Ef:00:00:00"), (MacAddress{0x0A, 0xBC, 0xEF, 0, 0, 0}));
  EXPECT_EQ(to_string(kMac), "52:54:00:12:34:56");
  EXPECT_EQ(to_string(parse_mac("0A:BC:EF:01:02:03")), "0a:bc:ef:01:02:03");
}

TEST(ParseMac, NamesWhatIsWrong) {
  for (const char* text :
       {"", "52", "52:54:00:12:34", "52:54:00:12:34:5", "52:54:00:12:34:56:", "52:54:00:12:34:567",
        "52:54:00:12:34-56", "52.54.00.12.34.56", "525400123456", "52:54:00:12:34:5g",
        " 2:54:00:12:34:56", "+2:54:00:12:34:56", "52:54:00:12:34 56"}) {
    try {
      parse_mac(text);
      ADD_FAILURE() << "accepted '" << text << "'";
    } catch (const std::invalid_argument& error) {
      EXPECT_THAT(error.what(), HasSubstr("'" + std::string(text) + "'"));
      EXPECT_THAT(error.what(), HasSubstr("six pairs"));
    }
  }
}

TEST(ParseMac, RejectsAddressesNoStationHas) {
  EXPECT_THROW(parse_mac("00:00:00:00:00:00"), std::invalid_argument);
  EXPECT_THROW(parse_mac("01:00:5e:00:00:01"), std::invalid_argument);
  EXPECT_THROW(parse_mac("ff:ff:ff:ff:ff:ff"), std::invalid_argument);
  try {
    parse_mac("01:00:5e:00:00:01");
  } catch (const std::invalid_argument& error) {
    EXPECT_THAT(error.what(), HasSubstr("multicast"));
  }
}

TEST(EepromImage, EveryPartGetsASoundImage) {
  for (const auto& info : kParts) {
    const auto image = EepromImage::make(info.part, kMac);
    EXPECT_EQ(image.words(), 64U) << info.name;
    EXPECT_TRUE(image.checksum_ok()) << info.name;
    EXPECT_TRUE(image.signature_ok()) << info.name;
    EXPECT_EQ(image.mac(), kMac) << info.name;
    EXPECT_EQ(image.word(0x00), 0x5452) << "low byte first";
    EXPECT_EQ(image.word(0x01), 0x1200);
    EXPECT_EQ(image.word(0x02), 0x5634);
    EXPECT_EQ(image.word(0x0C), 0x8086) << info.name;
    EXPECT_EQ(image.word(0x0D), info.device_id) << info.name;
    EXPECT_EQ(image.word(0x0E), 0x8086) << info.name;
    EXPECT_EQ(image.word(0x0A) & 3, 3) << "ids are loaded";
    EXPECT_EQ(image.word(0x0F) >> 12 & 3, 3) << "PAUSE both ways";
    EXPECT_EQ(image.word(0x07) & 0x8000, 0) << "not class A";
  }
}

TEST(EepromImage, WakeUpDefaultsDifferByPart) {
  const auto apme = [](Part part) { return EepromImage::make(part, kMac).word(0x24) & 0x0400; };
  EXPECT_NE(apme(Part::k82540em), 0);
  EXPECT_EQ(apme(Part::k82545em), 0);
  EXPECT_EQ(apme(Part::k82545gm), 0);
  EXPECT_NE(EepromImage::make(Part::k82544gc, kMac).word(0x0F) & 4, 0);
}

TEST(EepromImage, ChecksumIsThe16BitSum) {
  auto image = EepromImage::make(Part::k82540em, kMac);
  unsigned sum = 0;
  for (unsigned i = 0; i < 64; ++i) sum += image.word(i);
  EXPECT_EQ(sum & 0xFFFF, 0xBABAU);
  image.set_word(0x10, image.word(0x10) ^ 1);
  EXPECT_FALSE(image.checksum_ok());
  image.fix_checksum();
  EXPECT_TRUE(image.checksum_ok());
  image.set_mac({2, 0, 0, 0, 0, 1});
  EXPECT_TRUE(image.checksum_ok());
  EXPECT_EQ(image.mac(), (MacAddress{2, 0, 0, 0, 0, 1}));
}

TEST(EepromImage, SignatureIsTwoBits) {
  auto image = EepromImage::make(Part::k82540em, kMac);
  for (unsigned code = 0; code < 4; ++code) {
    image.set_word(0x0A, static_cast<std::uint16_t>(code << 14 | 0x3FFF));
    EXPECT_EQ(image.signature_ok(), code == 1) << code;
  }
}

TEST(EepromImage, WordsBeyondTheEndAreErased) {
  auto image = EepromImage::make(Part::k82540em, kMac);
  image.set_word(64, 0x1234);
  EXPECT_EQ(image.word(64), 0xFFFF);
  EXPECT_EQ(image.word(0xFFFFFFFF), 0xFFFF);
}

class EepromFile : public ::testing::Test {
 protected:
  void TearDown() override { std::remove(path_.c_str()); }
  void write_bytes(std::size_t count) const {
    std::ofstream file(path_, std::ios::binary);
    for (std::size_t i = 0; i < count; ++i) file.put(static_cast<char>(i));
  }
  std::string path_ =
      ::testing::TempDir() + "e1000tlm-eeprom-" + std::to_string(::getpid()) + ".bin";
};

TEST_F(EepromFile, SavesAndLoadsLittleEndian) {
  const auto image = EepromImage::make(Part::k82544gc, kMac);
  image.save(path_);
  EXPECT_TRUE(EepromImage::load(path_) == image);
  write_bytes(128);
  EXPECT_EQ(EepromImage::load(path_).word(0), 0x0100);
  EXPECT_EQ(EepromImage::load(path_).word(63), 0x7F7E);
  EXPECT_FALSE(EepromImage::load(path_).checksum_ok()) << "no error";
  write_bytes(512);
  EXPECT_EQ(EepromImage::load(path_).words(), 256U);
  EXPECT_EQ(EepromImage::load(path_).word(128), 0x0100);
}

TEST_F(EepromFile, WrongSizesAreNamed) {
  for (std::size_t size : {0U, 1U, 127U, 129U, 256U, 511U, 513U, 100000U}) {
    write_bytes(size);
    try {
      EepromImage::load(path_);
      ADD_FAILURE() << size << " accepted";
    } catch (const std::runtime_error& error) {
      EXPECT_THAT(error.what(), HasSubstr(path_));
      EXPECT_THAT(error.what(), HasSubstr(size > 512 ? "more than 512" : std::to_string(size)));
    }
  }
}

TEST_F(EepromFile, UnusablePathsAreNamed) {
  const std::string nowhere = path_ + "/no/such";
  for (const bool load : {true, false}) {
    try {
      if (load) EepromImage::load(nowhere);
      if (!load) EepromImage::make(Part::k82540em, kMac).save(nowhere);
      ADD_FAILURE();
    } catch (const std::runtime_error& error) {
      EXPECT_THAT(error.what(), HasSubstr(nowhere));
    }
  }
  EXPECT_THROW(EepromImage::load(::testing::TempDir()), std::runtime_error) << "a directory";
  EXPECT_THROW(EepromImage::make(Part::k82540em, kMac).save("/dev/full"), std::runtime_error);
}

/// Clocks the device the way drivers do: pins change one at a time, DO is sampled while SK is high,
/// standby raises CS while SK is high (EE-9, EE-11, EE-12).
class Driver {
 public:
  Driver(EepromImage& image, unsigned address_bits) : device(image), bits_(address_bits) {}

  std::uint16_t read(unsigned address) {
    begin();
    send(0b110, 3);
    send(address, bits_);
    const std::uint16_t value = receive();
    release();
    return value;
  }
  /// Returns whether the device went busy and then ready.
  bool write(unsigned address, std::uint16_t value) {
    begin();
    send(0b10011, 5);
    send(0, bits_ - 2);
    standby();
    send(0b101, 3);
    send(address, bits_);
    send(value, 16);
    standby();
    const bool was_busy = !device.data_out() && device.writing();
    device.finish_write();
    const bool is_ready = device.data_out();
    standby();
    send(0b10000, 5);
    send(0, bits_ - 2);
    release();
    return was_busy && is_ready;
  }

  void begin() {
    set(false, false, false);
    set(true, false, false);
  }
  void standby() {
    set(false, false, di_);
    set(false, true, di_);
    set(true, true, di_);
    set(true, false, di_);
  }
  void release() {
    set(false, sk_, false);
    set(false, true, false);
    set(false, false, false);
  }
  void send(unsigned value, unsigned count) {
    while (count-- > 0) {
      set(true, false, (value >> count & 1) != 0);
      set(true, true, di_);
      set(true, false, di_);
    }
    set(true, false, false);
  }
  bool receive_bit() {
    set(true, true, di_);
    const bool bit = device.data_out();
    set(true, false, di_);
    return bit;
  }
  std::uint16_t receive() {
    unsigned value = 0;
    for (int i = 0; i < 16; ++i) value = value << 1 | (receive_bit() ? 1 : 0);
    return static_cast<std::uint16_t>(value);
  }
  void set(bool cs, bool sk, bool di) {
    sk_ = sk;
    di_ = di;
    device.set_pins(cs, sk, di);
  }

  MicrowireEeprom device;

 private:
  unsigned bits_;
  bool sk_ = false, di_ = false;
};

EepromImage numbered(unsigned words) {
  const std::string path =
      ::testing::TempDir() + "e1000tlm-numbered-" + std::to_string(::getpid()) + ".bin";
  {
    std::ofstream file(path, std::ios::binary);
    for (unsigned i = 0; i < words; ++i) file.put(static_cast<char>(i)).put('\x5A');
  }
  auto image = EepromImage::load(path);
  std::remove(path.c_str());
  return image;
}

class Microwire : public ::testing::TestWithParam<unsigned> {
 protected:
  const unsigned words_ = GetParam();
  const unsigned address_bits_ = words_ == 64 ? 6 : 8;
  EepromImage image_ = numbered(words_);
  Driver driver_{image_, address_bits_};
};
INSTANTIATE_TEST_SUITE_P(Sizes, Microwire, ::testing::Values(64U, 256U));

TEST_P(Microwire, EveryWordReads) {
  for (unsigned i = 0; i < words_; ++i) EXPECT_EQ(driver_.read(i), 0x5A00 | i) << i;
}

TEST_P(Microwire, DummyBitFollowsTheLastAddressBit) {
  image_.set_word(0, 0xFFFF);
  driver_.begin();
  driver_.send(0b110, 3);
  EXPECT_TRUE(driver_.device.data_out()) << "floats until addressed";
  driver_.send(0, address_bits_ - 1);
  EXPECT_TRUE(driver_.device.data_out());
  driver_.send(0, 1);
  EXPECT_FALSE(driver_.device.data_out());
  EXPECT_EQ(driver_.receive(), 0xFFFF);
}

TEST_P(Microwire, DataHoldsWhileTheClockFalls) {
  image_.set_word(1, 0xA5C3);
  driver_.begin();
  driver_.send(0b110, 3);
  driver_.send(1, address_bits_);
  for (int i = 15; i >= 0; --i) {
    const bool expected = (0xA5C3 >> i & 1) != 0;
    driver_.set(true, true, false);
    EXPECT_EQ(driver_.device.data_out(), expected) << i;
    driver_.set(true, true, true);
    EXPECT_EQ(driver_.device.data_out(), expected) << i;
    driver_.set(true, false, true);
    EXPECT_EQ(driver_.device.data_out(), expected) << i;
  }
}

TEST_P(Microwire, ReadGoesOnToTheNextWordAndWraps) {
  driver_.begin();
  driver_.send(0b110, 3);
  driver_.send(words_ - 2, address_bits_);
  EXPECT_EQ(driver_.receive(), 0x5A00 | (words_ - 2));
  EXPECT_EQ(driver_.receive(), 0x5A00 | (words_ - 1));
  EXPECT_EQ(driver_.receive(), 0x5A00);
  EXPECT_EQ(driver_.receive(), 0x5A01);
}

TEST_P(Microwire, StandbyBetweenReadsIsNoClock) {
  driver_.begin();
  for (unsigned address : {5U, 6U, 63U}) {
    driver_.send(0b110, 3);
    driver_.send(address, address_bits_);
    EXPECT_EQ(driver_.receive(), 0x5A00 | address);
    driver_.standby();
  }
}

TEST_P(Microwire, StandbyWithDataInHighStartsNothing) {
  driver_.begin();
  driver_.set(true, false, true);
  driver_.set(false, false, true);
  driver_.set(false, true, true);
  driver_.set(true, true, true);
  driver_.set(true, false, true);
  driver_.send(0b110, 3);
  driver_.send(9, address_bits_);
  EXPECT_EQ(driver_.receive(), 0x5A09);
}

TEST_P(Microwire, SelectAndClockRisingTogetherIsNoClock) {
  driver_.set(false, false, true);
  driver_.set(true, true, true);
  driver_.set(true, false, true);
  driver_.send(0b110, 3);
  driver_.send(9, address_bits_);
  EXPECT_EQ(driver_.receive(), 0x5A09);
}

TEST_P(Microwire, LeadingZerosAreNoStartBit) {
  driver_.begin();
  driver_.send(0, 11);
  driver_.send(0b110, 3);
  driver_.send(3, address_bits_);
  EXPECT_EQ(driver_.receive(), 0x5A03);
}

TEST_P(Microwire, DeselectingAbandonsACommand) {
  driver_.begin();
  driver_.send(0b110, 3);
  driver_.send(1, 2);
  driver_.release();
  EXPECT_EQ(driver_.read(4), 0x5A04);
}

TEST_P(Microwire, WriteEnabledWriteChangesOneWord) {
  EXPECT_TRUE(driver_.write(0x21, 0xBEEF));
  for (unsigned i = 0; i < words_; ++i) {
    EXPECT_EQ(driver_.read(i), i == 0x21 ? 0xBEEF : 0x5A00 | i) << i;
  }
}

TEST_P(Microwire, WritesNeedEnablingAfterPowerUp) {
  const auto write_alone = [this] {
    driver_.begin();
    driver_.send(0b101, 3);
    driver_.send(2, address_bits_);
    driver_.send(0x1111, 16);
    driver_.release();
  };
  const auto enable = [this] {
    driver_.begin();
    driver_.send(0b10011, 5);
    driver_.send(0, address_bits_ - 2);
    driver_.release();
  };
  write_alone();
  EXPECT_FALSE(driver_.device.writing());
  EXPECT_EQ(image_.word(2), 0x5A02);
  enable();
  driver_.device.power_up();
  write_alone();
  EXPECT_EQ(image_.word(2), 0x5A02) << "power-up disables";
  enable();
  write_alone();
  EXPECT_TRUE(driver_.device.writing());
  EXPECT_EQ(image_.word(2), 0x1111);
}

TEST_P(Microwire, DisableProtectsAgain) {
  EXPECT_TRUE(driver_.write(1, 0x1234));  // ends with EWDS
  driver_.begin();
  driver_.send(0b101, 3);
  driver_.send(2, address_bits_);
  driver_.send(0, 16);
  driver_.standby();
  EXPECT_TRUE(driver_.device.data_out()) << "ready at once";
  EXPECT_EQ(image_.word(2), 0x5A02);
}

TEST_P(Microwire, IncompleteWriteDoesNothing) {
  driver_.begin();
  driver_.send(0b10011, 5);
  driver_.send(0, address_bits_ - 2);
  driver_.standby();
  driver_.send(0b101, 3);
  driver_.send(2, address_bits_);
  driver_.send(0, 15);
  driver_.release();
  EXPECT_FALSE(driver_.device.writing());
  EXPECT_EQ(image_.word(2), 0x5A02);
}

TEST_P(Microwire, EraseAndWholeArrayCommands) {
  const auto command = [this](unsigned start_and_opcode, unsigned address) {
    driver_.standby();
    driver_.send(start_and_opcode, 3);
    driver_.send(address, address_bits_);
  };
  const auto finish = [this] {
    driver_.standby();
    EXPECT_FALSE(driver_.device.data_out());
    driver_.device.finish_write();
    EXPECT_TRUE(driver_.device.data_out());
  };
  driver_.begin();
  command(0b100, 0b11U << (address_bits_ - 2));  // EWEN
  command(0b111, 7);                             // ERASE
  EXPECT_EQ(image_.word(7), 0x5A07) << "not before CS falls";
  finish();
  EXPECT_EQ(image_.word(7), 0xFFFF);
  EXPECT_EQ(image_.word(8), 0x5A08);
  command(0b100, 0b01U << (address_bits_ - 2));  // WRAL
  driver_.send(0xC0DE, 16);
  finish();
  for (unsigned i = 0; i < words_; ++i) EXPECT_EQ(image_.word(i), 0xC0DE) << i;
  command(0b100, 0b10U << (address_bits_ - 2));  // ERAL
  finish();
  for (unsigned i = 0; i < words_; ++i) EXPECT_EQ(image_.word(i), 0xFFFF) << i;
  EXPECT_TRUE(driver_.write(3, 0x7777));
  EXPECT_EQ(image_.word(3), 0x7777);
  EXPECT_EQ(image_.word(4), 0xFFFF) << "one word again";
}

TEST_P(Microwire, NothingIsHeardDuringAWrite) {
  driver_.begin();
  driver_.send(0b10011, 5);
  driver_.send(0, address_bits_ - 2);
  driver_.standby();
  driver_.send(0b111, 3);
  driver_.send(7, address_bits_);
  driver_.standby();
  driver_.send(0b110, 3);
  driver_.send(8, address_bits_);
  EXPECT_EQ(driver_.receive(), 0) << "busy";
  driver_.standby();
  EXPECT_TRUE(driver_.device.writing());
  driver_.device.finish_write();
  driver_.release();
  EXPECT_EQ(driver_.read(8), 0x5A08);
}

TEST_P(Microwire, DeselectedOutputFloatsHigh) {
  EXPECT_TRUE(driver_.device.data_out());
  driver_.begin();
  driver_.send(0b110, 3);
  driver_.send(0, address_bits_);
  EXPECT_FALSE(driver_.device.data_out());
  driver_.set(false, false, false);
  EXPECT_TRUE(driver_.device.data_out());
}

TEST_P(Microwire, RandomPinsLeaveAWorkingDevice) {
  std::mt19937 random(12);
  for (int i = 0; i < 500000; ++i) {
    const unsigned pins = random();
    driver_.set((pins & 0x1F0) != 0, (pins & 1) != 0, (pins & 2) != 0);
    if ((pins & 0xF000) == 0) driver_.device.finish_write();
  }
  driver_.release();
  driver_.device.finish_write();
  EXPECT_TRUE(driver_.write(0x15, 0x4321));
  EXPECT_EQ(driver_.read(0x15), 0x4321);
}

}  // namespace
}  // namespace e1000tlm::e1000
