/// Whatever an EEPROM file holds and however software clocks its pins: an image of 64 or 256 words,
/// loaded for every part, or an error.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <stdexcept>
#include <string>

#include <sys/mman.h>
#include <unistd.h>

#include "e1000tlm/e1000/parts.h"
#include "e1000tlm/e1000/peripherals/eeprom.h"
#include "e1000tlm/e1000/peripherals/eeprom_map.h"
#include "e1000tlm/e1000/registers/register_map.h"

namespace {

using namespace e1000tlm::e1000;

void require(bool holds) {
  if (!holds) std::abort();
}

/// A file in memory.
class File {
 public:
  File(const std::uint8_t* data, std::size_t size) : fd_(::memfd_create("eeprom", MFD_CLOEXEC)) {
    require(fd_ >= 0 && ::write(fd_, data, size) == static_cast<ssize_t>(size));
  }
  ~File() { ::close(fd_); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  std::string path() const { return "/proc/self/fd/" + std::to_string(fd_); }

 private:
  int fd_;
};

void load_everything(const EepromImage& image) {
  for (const PartInfo& info : kParts) {
    for (const EepromField& field : eeprom_map()) {
      require(field.value(image) <= field.mask());
      eeprom_value(image, info.part, field.use);
      if (!field.is_register()) continue;
      loaded_from_eeprom(image, static_cast<std::uint8_t>(1U << static_cast<unsigned>(info.part)),
                         0xFF, field.reg, 0, 0);
    }
    has_power_management(image, info.part);
  }
  const std::uint32_t flash = image.flash_bytes();
  require(flash >= 64U << 10 && flash <= 512U << 10 && (flash & (flash - 1)) == 0);
}

void clock_pins(EepromImage& image, const std::uint8_t* data, std::size_t size) {
  MicrowireEeprom device(image);
  for (std::size_t i = 0; i < size; ++i) {
    device.set_pins((data[i] & 1) != 0, (data[i] & 2) != 0, (data[i] & 4) != 0);
    device.data_out();
    if ((data[i] & 8) != 0) device.finish_write();
    if ((data[i] & 0xF0) == 0xF0) device.power_up();
  }
}

}  // namespace

/// The first byte is how many bytes at the end are levels of pins, the rest is the file.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0 || size - 1 < data[0]) return 0;
  const std::size_t pins = data[0], bytes = size - 1 - pins;
  try {
    EepromImage image = EepromImage::load(File(data + 1, bytes).path());
    require(image.words() * 2 == bytes && (image.words() == 64 || image.words() == 256));
    load_everything(image);
    clock_pins(image, data + 1 + bytes, pins);
    load_everything(image);
    image.fix_checksum();
    require(image.checksum_ok());
  } catch (const std::runtime_error&) {  // it says what is wrong
    require(bytes != 128 && bytes != 512);
  }
  return 0;
}
