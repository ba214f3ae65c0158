#pragma once
/// Every latency inside the controller, named, with its source. No SystemC.

#include <cstdint>
#include <gsl/span>
#include <string_view>

#include "e1000tlm/tlm/time.h"

namespace e1000tlm::e1000 {

/// How a constant is known.
enum class TimingSource : std::uint8_t {
  kDocumented,  ///< manual, standard or data sheet
  kFitted,      ///< so that the model meets a published measurement; doc/timing.md
  kAssumed,     ///< no source; plausible, and small against what it is added to
};

/// The controller's own times. Where each comes from: timing_rows(), doc/timing.md.
struct ControllerTiming {
  /// One access to a PHY register through MDIC.
  Time mdio_access = ns(25'600);
  /// One word read through EERD.
  Time eeprom_word = us(25);
  /// The EEPROM's internal write cycle.
  Time eeprom_write = ms(4);
  /// CTRL.RST until the device is idle again.
  Time software_reset = us(1);
  /// Reading the EEPROM after a reset.
  Time eeprom_load = us(500);
  /// From a cause to the interrupt line.
  Time interrupt_latency = ns(30);
  /// Most descriptors of one fetch, at least 1; the cache has 64.
  std::uint32_t descriptor_burst = 64;
  /// Each packet transmitted, after its data has been fetched and before it can go out or be
  /// reported; in series with its bus accesses. Once for a segmented send.
  Time transmit_overhead{};
  /// From the start of one received frame's way to memory to the next one's, at least: the receive
  /// path is taken for so long, however fast the bus is.
  Time receive_occupancy{};
};

/// The constants of one generation of parts.
struct TimingSet {
  std::string_view name;  ///< as in --nic timing=
  std::string_view of;    ///< which parts
  /// Its times.
  ControllerTiming timing;
};

/// "8254x", the default: 82540 and later, whose silicon keeps up with the wire as far as anybody
/// has measured. "82543": the 82542 and 82543 boards that small-packet measurements exist of.
gsl::span<const TimingSet> timing_sets();
/// nullptr: no such set.
const TimingSet* find_timing(std::string_view name);

/// One line of the table in doc/timing.md.
struct TimingRow {
  /// Name of the member.
  std::string_view name;
  Time ControllerTiming::*time;            ///< or, if null,
  std::uint32_t ControllerTiming::*count;  ///< a number of descriptors
  /// How it is known.
  TimingSource source;
  /// The source in words.
  std::string_view where;
};
/// All members of ControllerTiming.
gsl::span<const TimingRow> timing_rows();

}  // namespace e1000tlm::e1000
