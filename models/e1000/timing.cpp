#include "e1000tlm/e1000/timing.h"

#include <algorithm>
#include <array>

namespace e1000tlm::e1000 {
namespace {

/// One cache line of the Pentium III machines that the measured boards sat in: two descriptors.
constexpr std::uint32_t kPentium3Line = 2;

/// The fit: doc/timing.md, "Device constants".
constexpr ControllerTiming early() {
  ControllerTiming timing;
  timing.descriptor_burst = kPentium3Line;
  timing.transmit_overhead = ns(380);
  timing.receive_occupancy = ns(1470);
  return timing;
}

constexpr std::array<TimingSet, 2> kSets{{
    {"8254x", "82540, 82544, 82545, 82546 and their kin", ControllerTiming{}},
    {"82543", "82542 and 82543", early()},
}};

using T = ControllerTiming;
constexpr std::array<TimingRow, 9> kRows{{
    {"mdio_access", &T::mdio_access, nullptr, TimingSource::kDocumented,
     "64 bit times at 2.5 MHz, IEEE 802.3 22.2.4; the manual gives no figure"},
    {"eeprom_word", &T::eeprom_word, nullptr, TimingSource::kDocumented,
     "one EERD word: 25 Microwire clocks at 1 MHz, 93C46 data sheets"},
    {"eeprom_write", &T::eeprom_write, nullptr, TimingSource::kDocumented,
     "the EEPROM's internal write cycle: typically 4 ms, at most 10, 93C46 data sheets"},
    {"software_reset", &T::software_reset, nullptr, TimingSource::kDocumented,
     "CTRL.RST until the device is idle again: about 1 us, manual 14"},
    {"eeprom_load", &T::eeprom_load, nullptr, TimingSource::kAssumed,
     "after resets: some 20 words by Microwire"},
    {"interrupt_latency", &T::interrupt_latency, nullptr, TimingSource::kAssumed,
     "cause set to INTA# asserted: two 66 MHz clocks"},
    {"descriptor_burst", nullptr, &T::descriptor_burst, TimingSource::kDocumented,
     "64 on-chip descriptors fetched in large bursts, manual 3.2.4; 82543: one cache line, 4.2"},
    {"transmit_overhead", &T::transmit_overhead, nullptr, TimingSource::kFitted,
     "82543: 500,000 and 840,000 frames/s; 8254x: no measurement shows any"},
    {"receive_occupancy", &T::receive_occupancy, nullptr, TimingSource::kFitted,
     "82543: 680,000 frames/s on either bus; 8254x: no measurement shows any"},
}};

}  // namespace

gsl::span<const TimingSet> timing_sets() { return {kSets.data(), kSets.size()}; }

const TimingSet* find_timing(std::string_view name) {
  const auto* found = std::find_if(kSets.begin(), kSets.end(),
                                   [name](const TimingSet& set) { return set.name == name; });
  return found == kSets.end() ? nullptr : found;
}

gsl::span<const TimingRow> timing_rows() { return {kRows.data(), kRows.size()}; }

}  // namespace e1000tlm::e1000
