#pragma once
/// The EEPROM: image, file, and the Microwire device that software clocks. No SystemC.

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "e1000tlm/e1000/parts.h"

namespace e1000tlm::e1000 {

/// A station address, first byte first.
using MacAddress = std::array<std::uint8_t, 6>;
/// Six pairs of hexadecimal digits, separated by ':' (or all by '-'): "52:54:00:12:34:56". Throws
/// std::invalid_argument naming the text, also for addresses no station can have (multicast, zero).
MacAddress parse_mac(const std::string& text);
/// Lower case, with colons.
std::string to_string(const MacAddress& mac);

/// 64 or 256 words of 16 bits (manual 5.6; words in registers of the image are little endian).
class EepromImage {
 public:
  /// An image as a board maker would program it for this part; checksum right. Every offload and
  /// flow control capability on; wake-up by magic packet (APM) on the desktop parts, 82540EM and
  /// 82544GC. Words without use are FFFFh.
  static EepromImage make(Part part, const MacAddress& mac);
  /// Raw little-endian words, 128 or 512 bytes. Throws std::runtime_error naming the file and what
  /// is wrong. A wrong checksum is no error (hardware never checks it): see checksum_ok().
  static EepromImage load(const std::string& path);
  /// Throws std::runtime_error naming the file if it cannot be written completely.
  void save(const std::string& path) const;

  std::uint16_t word(unsigned address) const;            ///< beyond the end: FFFFh
  void set_word(unsigned address, std::uint16_t value);  ///< beyond the end: nothing happens
  /// 64 or 256.
  unsigned words() const { return static_cast<unsigned>(words_.size()); }
  /// Words 0 to 2.
  MacAddress mac() const;
  void set_mac(const MacAddress& mac);  ///< fixes the checksum
  bool checksum_ok() const;             ///< words 0..3Fh add up to BABAh (manual 5.6.35)
  /// Makes checksum_ok() true.
  void fix_checksum();
  /// Size of the flash for its base address registers: word 0Fh bits 10:8 (manual 5.6.12); 64 KiB
  /// without a valid signature.
  std::uint32_t flash_bytes() const;
  /// 64, 128, 256 or 512 KiB; fixes the checksum.
  void set_flash_bytes(std::uint32_t bytes);
  bool signature_ok() const;  ///< word 0Ah bits 15:14 = 01b: hardware loads its words

  /// The same words.
  bool operator==(const EepromImage& other) const { return words_ == other.words_; }

 private:
  explicit EepromImage(unsigned words) : words_(words, 0xFFFF) {}
  std::uint16_t sum(unsigned count) const;

  std::vector<std::uint16_t> words_;
};

/// 93C46/93C66 serial EEPROM (rules EE-6 to EE-12): all commands, write protection after power-up,
/// busy state. Levels in, DO out; no time of its own: the owner says when a write has finished.
///
/// A command is a start bit (the first 1), two opcode bits and 6 or 8 address bits (by the size of
/// the image), taken on rising SK with CS high. CS low ends or abandons it; CS rising while SK is
/// high, or together with SK, is no clock. READ goes on to the next word (without another dummy
/// bit) for as long as it is clocked. WRITE, WRAL, ERASE and ERAL act when CS falls after their
/// last bit; clocks between that bit and CS falling are ignored, as is everything while a write is
/// under way.
class MicrowireEeprom {
 public:
  /// `image` must outlive the device; writes change it.
  explicit MicrowireEeprom(EepromImage& image) : image_(image) {}
  /// New levels of chip select, clock and data in.
  void set_pins(bool cs, bool sk, bool di);
  /// Reading: data. Selected before a start bit: 0 while a write is under way, 1 when ready.
  /// Otherwise the pin floats and its pull-up gives 1.
  bool data_out() const;
  /// True from the falling CS that starts an internal write until finish_write().
  bool writing() const { return state_.writing; }
  /// Shifting out the word at address().
  bool reading() const { return state_.phase == Phase::kRead; }
  /// Of the command under way, or the one before.
  std::uint16_t address() const { return state_.address; }
  /// The internal write that writing() tells of is over.
  void finish_write() { state_.writing = false; }
  /// Write-disabled, idle. The contents stay.
  void power_up() { state_ = State{}; }

 private:
  enum class Phase : std::uint8_t {
    kStandby,  // waiting for a start bit
    kCommand,  // opcode and address
    kRead,     // shifting out
    kData,     // shifting in
    kArmed,    // write complete, starts when CS falls
    kDone,
  };
  struct State {
    Phase phase = Phase::kStandby;
    bool cs = false, sk = false;
    bool data_out = true;
    bool write_enabled = false, writing = false;
    bool whole_array = false;  // WRAL, ERAL
    std::uint8_t bits = 0;     // shifted so far in this phase
    std::uint16_t shift = 0;
    std::uint16_t address = 0;
  };

  void clock(bool di);
  void decode();
  void decode_extended(unsigned selector);
  void start_write();
  void start_read();
  unsigned address_bits() const { return image_.words() > 64 ? 8 : 6; }

  EepromImage& image_;
  State state_;
};

}  // namespace e1000tlm::e1000
