#include "e1000tlm/e1000/peripherals/flash.h"

#include <algorithm>
#include <fstream>
#include <stdexcept>

#include "e1000tlm/tlm/output_file.h"

namespace e1000tlm::e1000 {
namespace {

constexpr const char* kWhat = "flash image";
constexpr std::uint8_t kErased = 0xFF;
constexpr std::uint8_t kDataPolling = 0x80, kToggle = 0x40;  // status bits
constexpr std::uint8_t kMakerId = 0xBF;                      // SST
constexpr std::uint32_t kCommandAddressMask = 0x7FFF, kFirst = 0x5555, kSecond = 0x2AAA;
constexpr const char* kSizes = "65536, 131072, 262144 or 524288 expected (fill it up with FFh)";

[[noreturn]] void bad_file(const std::string& path, const std::string& why) {
  throw std::runtime_error(std::string(kWhat) + " '" + path + "': " + why);
}

std::uint8_t device_id(std::uint32_t bytes) {
  std::uint8_t id = 0xD4;
  for (std::uint32_t size = FlashImage::kLeastBytes; size < bytes; size *= 2) ++id;
  return id;
}

}  // namespace

bool FlashImage::is_size(std::uint64_t bytes) {
  return bytes >= kLeastBytes && bytes <= kMostBytes && (bytes & (bytes - 1)) == 0;
}

FlashImage::FlashImage(std::uint32_t bytes) {
  if (!is_size(bytes)) {
    throw std::invalid_argument("flash of " + std::to_string(bytes) + " bytes: " + kSizes);
  }
  bytes_.assign(bytes, kErased);
}

FlashImage FlashImage::load(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) bad_file(path, "cannot be opened");
  // One byte more than the largest image, so that a longer file is noticed and not read whole.
  std::vector<std::uint8_t> bytes(kMostBytes + 1);
  file.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  if (file.bad()) bad_file(path, "cannot be read");
  const auto size = static_cast<std::size_t>(file.gcount());
  if (!is_size(size)) {
    bad_file(path, (size > kMostBytes ? "more than 524288" : std::to_string(size)) +
                       " bytes long; " + kSizes);
  }
  FlashImage image(static_cast<std::uint32_t>(size));
  std::copy_n(bytes.begin(), size, image.bytes_.begin());
  return image;
}

void FlashImage::save(const std::string& path) const { overwrite_file(kWhat, path, bytes_); }

JedecFlash::JedecFlash(FlashImage& image, const FlashTiming& timing)
    : image_(image), timing_(timing) {}

std::uint8_t JedecFlash::read(std::uint32_t address, Time now) {
  if (busy(now)) {
    toggle_ = !toggle_;
    return static_cast<std::uint8_t>(polled_ | (toggle_ ? kToggle : 0));
  }
  if (identifying_) return (address & 1) == 0 ? kMakerId : device_id(image_.size());
  return image_.bytes()[address & (image_.size() - 1)];
}

void JedecFlash::write(std::uint32_t address, std::uint8_t value, Time now) {
  if (busy(now)) return;
  step_ = next(address & (image_.size() - 1), value, now);
}

JedecFlash::Step JedecFlash::next(std::uint32_t address, std::uint8_t value, Time now) {
  const std::uint32_t at = address & kCommandAddressMask;
  const bool first = at == kFirst && value == 0xAA, second = at == kSecond && value == 0x55;
  switch (step_) {
    case Step::kNothing: break;
    case Step::kUnlock1:
      if (second) return Step::kUnlocked;
      break;
    case Step::kUnlocked:
      if (at == kFirst) return command(value);
      break;
    case Step::kProgram: program(address, value, now); return Step::kNothing;
    case Step::kErase:
      if (first) return Step::kEraseUnlock1;
      break;
    case Step::kEraseUnlock1:
      if (second) return Step::kEraseUnlocked;
      break;
    case Step::kEraseUnlocked:
      if (value == 0x30) {
        erase(address & ~(kSectorBytes - 1), kSectorBytes, now + timing_.sector_erase);
      } else if (value == 0x10 && at == kFirst) {
        erase(0, image_.size(), now + timing_.chip_erase);
      }
      return Step::kNothing;
  }
  if (value == 0xF0) identifying_ = false;
  return first ? Step::kUnlock1 : Step::kNothing;
}

JedecFlash::Step JedecFlash::command(std::uint8_t value) {
  if (value == 0xF0) identifying_ = false;
  if (value == 0x90) identifying_ = true;
  if (value == 0xA0 && !identifying_) return Step::kProgram;
  if (value == 0x80 && !identifying_) return Step::kErase;
  return Step::kNothing;
}

void JedecFlash::program(std::uint32_t address, std::uint8_t value, Time now) {
  image_.bytes()[address] &= value;
  polled_ = static_cast<std::uint8_t>(~value & kDataPolling);
  toggle_ = false;
  busy_until_ = now + timing_.byte_program;
}

void JedecFlash::erase(std::uint32_t first, std::uint32_t bytes, Time until) {
  const auto range = image_.bytes().subspan(first, bytes);
  std::fill(range.begin(), range.end(), kErased);
  polled_ = 0;
  toggle_ = false;
  busy_until_ = until;
}

}  // namespace e1000tlm::e1000
