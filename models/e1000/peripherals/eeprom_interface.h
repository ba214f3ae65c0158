#pragma once
/// EECD, EERD and what hardware loads from the EEPROM by itself (manual 5.6, 13.4.3, 13.4.4).

#include <cstdint>

#include <systemc>

#include "e1000tlm/e1000/core.h"
#include "e1000tlm/e1000/peripherals/eeprom.h"

namespace e1000tlm::e1000 {

class EepromInterface : public sc_core::sc_module {
 public:
  EepromInterface(const sc_core::sc_module_name& name, Core& core, EepromImage& image);

  /// Loads what the resets of `domains` load, as the EEPROM map says.
  /// Software cannot have the EEPROM meanwhile.
  void load(std::uint8_t domains);
  /// Software has given up the EEPROM, or has lost it: hardware holds its pins low. With CS falling
  /// the EEPROM carries out a write that it has been told.
  void release_pins() { set_pins(false, false, false); }
  /// A read or a load is under way.
  bool busy() const { return read_pending_ || core_.now() < load_done_; }
  EepromImage& image() { return image_; }

 private:
  std::uint32_t eecd_view(std::uint32_t index, std::uint32_t stored) const;
  void eecd_written(std::uint32_t index, std::uint32_t value);
  void set_pins(bool cs, bool sk, bool di);
  std::uint32_t eerd_view(std::uint32_t index, std::uint32_t stored) const;
  void eerd_written(std::uint32_t index, std::uint32_t value);
  void announce(Time begin, std::uint16_t word, bool write, bool pins) const;
  void read_done();
  void write_done();
  bool granted() const;

  Core& core_;
  EepromImage& image_;
  MicrowireEeprom device_;
  sc_core::sc_event read_event_;
  sc_core::sc_event write_event_;
  bool read_pending_ = false;
  bool done_ = false;
  std::uint16_t data_ = 0;
  Time asked_ = kTimeZero;  // the word that EERD reads
  Time load_done_ = kTimeZero;
  /// Nobody waits for it; it says that something is going to happen to whoever steps time.
  sc_core::sc_event load_event_;
};

}  // namespace e1000tlm::e1000
