#include "e1000tlm/e1000/peripherals/eeprom.h"

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <stdexcept>

#include "e1000tlm/tlm/bytes.h"
#include "e1000tlm/tlm/output_file.h"

namespace e1000tlm::e1000 {
namespace {

constexpr unsigned kSmallWords = 64, kLargeWords = 256;
constexpr unsigned kControl2Word = 0x0F, kChecksumWord = 0x3F;
constexpr unsigned kFlashSizeShift = 8;
constexpr std::uint32_t kLeastFlash = 64 << 10;
constexpr const char* kWhat = "EEPROM image";
constexpr std::uint16_t kChecksum = 0xBABA, kErased = 0xFFFF, kIntelVendor = 0x8086;

/// What distinguishes the boards; subsystem ids as the PCI ID list names them.
struct Board {
  std::uint16_t subsystem_id;
  bool wakes;  ///< magic packet wake-up enabled from the start
};
Board board(Part part) {
  switch (part) {
    case Part::k82540em: return {0x001E, true};  // PRO/1000 MT Desktop Adapter
    case Part::k82544gc: return {0x1112, true};  // PRO/1000 T Desktop Adapter
    case Part::k82545em:
    case Part::k82545gm: return {0x1001, false};  // PRO/1000 MT Server Adapter
  }
  return {0, false};
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

[[noreturn]] void bad_mac(const std::string& text, const char* why) {
  throw std::invalid_argument("MAC address '" + text + "': " + why);
}

[[noreturn]] void bad_file(const std::string& path, const std::string& why) {
  throw std::runtime_error(std::string(kWhat) + " '" + path + "': " + why);
}

}  // namespace

MacAddress parse_mac(const std::string& text) {
  constexpr const char* kForm = "six pairs of hexadecimal digits expected, as in 52:54:00:12:34:56";
  MacAddress mac{};
  if (text.size() != 3 * mac.size() - 1) bad_mac(text, kForm);
  const char separator = text[2];
  if (separator != ':' && separator != '-') bad_mac(text, kForm);
  for (std::size_t i = 0; i < mac.size(); ++i) {
    const int high = hex_digit(text[3 * i]), low = hex_digit(text[3 * i + 1]);
    if (high < 0 || low < 0) bad_mac(text, kForm);
    if (i > 0 && text[3 * i - 1] != separator) bad_mac(text, kForm);
    mac[i] = static_cast<std::uint8_t>(high * 16 + low);
  }
  if ((mac[0] & 1) != 0) bad_mac(text, "a multicast address cannot be a station's");
  if (mac == MacAddress{}) bad_mac(text, "the zero address cannot be a station's");
  return mac;
}

std::string to_string(const MacAddress& mac) {
  std::array<char, 18> text{};
  std::snprintf(text.data(), text.size(), "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2],
                mac[3], mac[4], mac[5]);
  return text.data();
}

EepromImage EepromImage::make(Part part, const MacAddress& mac) {
  const PartInfo& info = part_info(part);
  const Board card = board(part);
  EepromImage image(info.eeprom_words);
  image.set_word(0x03, 0x0000);  // no compatibility exceptions
  image.set_word(0x05, 0x0100);  // image version 1.0
  image.set_word(0x06, 0x0000);
  image.set_word(0x07, 0x0000);  // bit 15 clear: no class A PHY settings
  image.set_word(0x08, 0x0000);  // no board number
  image.set_word(0x09, 0x0000);
  // Signature 01b, full duplex, power management, load subsystem and device ids; bit 13 set where
  // the memory BAR is 32 bits wide.
  image.set_word(0x0A, info.bars_64bit ? 0x440B : 0x640B);
  image.set_word(0x0B, card.subsystem_id);
  image.set_word(0x0C, kIntelVendor);
  image.set_word(0x0D, info.device_id);
  image.set_word(0x0E, kIntelVendor);
  // PAUSE and ASM_DIR advertised; bit 2 is APM enable on the 82544; the 82545 is 64 bits wide and
  // works at 133 MHz (manual 5.6.12).
  image.set_word(0x0F, info.is_82544 && card.wakes ? 0x3004 : info.bars_64bit ? 0x3068 : 0x3000);
  image.set_word(0x1F, 0x0602);  // LED 0 link up, LED 2 link at 100 Mb/s
  image.set_word(0x20, 0x0000);  // software-defined pins are inputs
  image.set_word(0x21, 0x0000);
  image.set_word(0x22, 0x0F04);                                          // D0 and D3 power
  image.set_word(0x23, 0x0000);                                          // no manageability
  image.set_word(0x24, !info.is_82544 && card.wakes ? 0x0400 : 0x0000);  // bit 10 APM enable
  image.set_word(0x2F, 0x0783);  // LED 1 blinks with activity, LED 3 link at 1000 Mb/s
  image.set_mac(mac);
  return image;
}

EepromImage EepromImage::load(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) bad_file(path, "cannot be opened");
  // One byte more than the largest image, so that a longer file is noticed and not read whole.
  std::array<char, 2 * kLargeWords + 1> bytes{};
  file.read(bytes.data(), bytes.size());
  if (file.bad()) bad_file(path, "cannot be read");
  const auto size = static_cast<std::size_t>(file.gcount());
  if (size != 2 * kSmallWords && size != 2 * kLargeWords) {
    bad_file(path, (size == bytes.size() ? "more than 512" : std::to_string(size)) +
                       " bytes long; 128 or 512 expected");
  }
  EepromImage image(static_cast<unsigned>(size / 2));
  for (std::size_t i = 0; i < image.words_.size(); ++i) {
    image.words_[i] =
        boost::endian::load_little_u16(reinterpret_cast<const unsigned char*>(&bytes[2 * i]));
  }
  return image;
}

void EepromImage::save(const std::string& path) const {
  std::vector<unsigned char> bytes(2 * words_.size());
  for (std::size_t i = 0; i < words_.size(); ++i) store_le16(&bytes[2 * i], words_[i]);
  overwrite_file(kWhat, path, bytes);
}

std::uint16_t EepromImage::word(unsigned address) const {
  return address < words_.size() ? words_[address] : kErased;
}

void EepromImage::set_word(unsigned address, std::uint16_t value) {
  if (address < words_.size()) words_[address] = value;
}

MacAddress EepromImage::mac() const {
  MacAddress mac{};
  for (std::size_t i = 0; i < 3; ++i) store_le16(&mac[2 * i], words_[i]);
  return mac;
}

void EepromImage::set_mac(const MacAddress& mac) {
  for (std::size_t i = 0; i < 3; ++i) words_[i] = load_le16(&mac[2 * i]);
  fix_checksum();
}

std::uint16_t EepromImage::sum(unsigned count) const {
  unsigned total = 0;
  for (unsigned i = 0; i < count; ++i) total += words_[i];
  return static_cast<std::uint16_t>(total);
}

bool EepromImage::checksum_ok() const { return sum(kChecksumWord + 1) == kChecksum; }

void EepromImage::fix_checksum() {
  words_[kChecksumWord] = static_cast<std::uint16_t>(kChecksum - sum(kChecksumWord));
}

std::uint32_t EepromImage::flash_bytes() const {
  if (!signature_ok()) return kLeastFlash;
  const unsigned code = words_[kControl2Word] >> kFlashSizeShift & 7U;
  return kLeastFlash << std::min(code, 3U);  // larger codes are reserved
}

void EepromImage::set_flash_bytes(std::uint32_t bytes) {
  unsigned code = 0;
  while (kLeastFlash << code < bytes && code < 3) ++code;
  words_[kControl2Word] = static_cast<std::uint16_t>(
      (words_[kControl2Word] & ~(7U << kFlashSizeShift)) | code << kFlashSizeShift);
  fix_checksum();
}

bool EepromImage::signature_ok() const { return words_[0x0A] >> 14 == 1; }

void MicrowireEeprom::set_pins(bool cs, bool sk, bool di) {
  const bool selected_throughout = cs && state_.cs;
  const bool rising = sk && !state_.sk;
  const bool deselected = state_.cs && !cs;
  state_.cs = cs;
  state_.sk = sk;
  if (selected_throughout) {
    if (rising) clock(di);
    return;
  }
  if (deselected && state_.phase == Phase::kArmed) start_write();
  state_.phase = Phase::kStandby;
}

bool MicrowireEeprom::data_out() const {
  if (!state_.cs) return true;
  if (state_.phase == Phase::kStandby) return !state_.writing;
  return state_.phase == Phase::kRead ? state_.data_out : true;
}

void MicrowireEeprom::clock(bool di) {
  if (state_.writing) return;
  const auto shifted = static_cast<std::uint16_t>(state_.shift << 1 | (di ? 1 : 0));
  switch (state_.phase) {
    case Phase::kStandby:
      if (!di) return;
      state_.phase = Phase::kCommand;
      state_.shift = 0;
      state_.bits = 0;
      return;
    case Phase::kCommand:
      state_.shift = shifted;
      if (++state_.bits == 2 + address_bits()) decode();
      return;
    case Phase::kRead:
      if (state_.bits == 16) {
        state_.address = static_cast<std::uint16_t>((state_.address + 1) % image_.words());
        start_read();
      }
      state_.data_out = (state_.shift >> (15 - state_.bits++) & 1) != 0;
      return;
    case Phase::kData:
      state_.shift = shifted;
      if (++state_.bits == 16) state_.phase = Phase::kArmed;
      return;
    case Phase::kArmed:
    case Phase::kDone: return;
  }
}

void MicrowireEeprom::decode() {
  const unsigned opcode = state_.shift >> address_bits();
  state_.address = static_cast<std::uint16_t>(state_.shift & ((1U << address_bits()) - 1));
  state_.bits = 0;
  state_.whole_array = false;
  switch (opcode) {
    case 0b10:  // READ
      start_read();
      state_.data_out = false;  // the dummy bit
      state_.phase = Phase::kRead;
      return;
    case 0b01:  // WRITE
      state_.phase = Phase::kData;
      return;
    case 0b11:  // ERASE
      state_.shift = kErased;
      state_.phase = Phase::kArmed;
      return;
    default: decode_extended(state_.address >> (address_bits() - 2)); return;
  }
}

void MicrowireEeprom::decode_extended(unsigned selector) {
  state_.phase = Phase::kDone;
  switch (selector) {
    case 0b11: state_.write_enabled = true; return;   // EWEN
    case 0b00: state_.write_enabled = false; return;  // EWDS
    case 0b10:                                        // ERAL
      state_.whole_array = true;
      state_.shift = kErased;
      state_.phase = Phase::kArmed;
      return;
    default:  // WRAL
      state_.whole_array = true;
      state_.phase = Phase::kData;
      return;
  }
}

void MicrowireEeprom::start_read() {
  state_.shift = image_.word(state_.address);
  state_.bits = 0;
}

void MicrowireEeprom::start_write() {
  if (!state_.write_enabled) return;
  const unsigned first = state_.whole_array ? 0 : state_.address;
  const unsigned end = state_.whole_array ? image_.words() : first + 1;
  for (unsigned i = first; i < end; ++i) image_.set_word(i, state_.shift);
  state_.writing = true;
}

}  // namespace e1000tlm::e1000
