#pragma once
/// Every latency inside the controller, named, with its source. No SystemC.

#include <cstdint>

#include "models/tlm/time.h"

namespace e1000tlm::e1000 {

struct ControllerTiming {
  /// MDIO frame: 64 bit times at 2.5 MHz (IEEE 802.3 22.2.4; manual 13.4.8 gives no figure).
  Time mdio_access = ns(25'600);
  /// One EERD word: 25 Microwire clocks at 1 MHz (93C46 data sheets).
  Time eeprom_word = us(25);
  /// The EEPROM's internal write cycle (93C46 data sheets: up to 10 ms, typically 4).
  Time eeprom_write = ms(4);
  /// CTRL.RST until the device is idle again (manual 14.x: "approximately 1 us").
  Time software_reset = us(1);
  /// Automatic EEPROM load after resets: words 0..0Fh and a few, by Microwire.
  Time eeprom_load = us(500);
  /// Cause set to INTA# asserted, inside the device (assumed: two 66 MHz clocks).
  Time interrupt_latency = ns(30);
  /// Per received / transmitted frame inside the device, beyond bus and wire (calibrated later).
  Time receive_overhead{};
  Time transmit_overhead{};
};

}  // namespace e1000tlm::e1000
