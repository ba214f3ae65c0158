#pragma once
/// The EEPROM: image, file, and the Microwire device that software clocks. No SystemC.

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "models/e1000/parts.h"

namespace e1000tlm::e1000 {

using MacAddress = std::array<std::uint8_t, 6>;
/// "52:54:00:12:34:56"; throws std::invalid_argument naming the text.
MacAddress parse_mac(const std::string& text);
std::string to_string(const MacAddress& mac);

/// 64 or 256 words of 16 bits (manual 5.6; words in registers of the image are little endian).
class EepromImage {
 public:
  /// An image as a board maker would program it for this part; checksum right.
  static EepromImage make(Part part, const MacAddress& mac);
  /// Raw little-endian words, 128 or 512 bytes. Throws std::runtime_error naming the file and what is
  /// wrong. A wrong checksum is no error (hardware never checks it): see checksum_ok().
  static EepromImage load(const std::string& path);
  void save(const std::string& path) const;

  std::uint16_t word(unsigned address) const;  ///< beyond the end: FFFFh
  void set_word(unsigned address, std::uint16_t value);
  unsigned words() const { return static_cast<unsigned>(words_.size()); }
  MacAddress mac() const;
  void set_mac(const MacAddress& mac);  ///< fixes the checksum
  bool checksum_ok() const;             ///< words 0..3Fh add up to BABAh
  void fix_checksum();
  bool signature_ok() const;  ///< word 0Ah bits 15:14 = 01b: hardware loads its words

 private:
  std::vector<std::uint16_t> words_;
};

/// 93C46/93C66 serial EEPROM (rules EE-6 to EE-12): all commands, write protection after power-up,
/// busy state. Levels in, DO out; no time of its own: the owner says when a write has finished.
class MicrowireEeprom {
 public:
  explicit MicrowireEeprom(EepromImage& image);
  /// New levels of chip select, clock and data in.
  void set_pins(bool cs, bool sk, bool di);
  bool data_out() const;
  /// True from the falling CS that starts an internal write until finish_write().
  bool writing() const;
  void finish_write();
  void power_up();

 private:
  // implementation's choice
};

}  // namespace e1000tlm::e1000
