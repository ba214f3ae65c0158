#pragma once
/// What figures ought to be, by arithmetic alone: nothing here knows the models. No SystemC.

#include <array>
#include <cstdint>
#include <string_view>

#include "models/tlm/time.h"

namespace e1000tlm::timing {

/// The buses, with hand-written clock periods.
struct BusNumbers {
  std::string_view name;
  unsigned bytes;  ///< per data phase
  Time clock;
};
inline constexpr std::array<BusNumbers, 7> kBuses{{{"32/33", 4, Time{30'000}},
                                                   {"32/66", 4, Time{15'000}},
                                                   {"64/33", 8, Time{30'000}},
                                                   {"64/66", 8, Time{15'000}},
                                                   {"64/66x", 8, Time{15'000}},
                                                   {"64/100x", 8, Time{10'000}},
                                                   {"64/133x", 8, Time{7'500}}}};

/// A: arbitration; W: wait clocks before the first data of a read and of a write.
struct TargetNumbers {
  std::string_view name;
  unsigned arbitration, read_wait, write_wait;
};
inline constexpr TargetNumbers kIdeal{"ideal", 0, 0, 0}, kTypical{"typical", 2, 8, 1},
    kSlow33{"slow", 2, 19, 3}, kSlow66{"slow", 2, 25, 3};

/// Clocks of one access to aligned memory: arbitration + address + turnaround (reads) + wait + data
/// phases + idle, all but the data phases for every piece into which disconnects cut it.
constexpr std::uint64_t access_clocks(const BusNumbers& bus, const TargetNumbers& target,
                                      bool write, std::uint32_t bytes,
                                      std::uint32_t disconnect = 0) {
  const std::uint64_t once =
      target.arbitration + 1 + (write ? target.write_wait : 1 + target.read_wait) + 1;
  const std::uint64_t pieces = disconnect == 0 ? 1 : (bytes + disconnect - 1) / disconnect;
  return pieces * once + (bytes + bus.bytes - 1) / bus.bytes;
}

/// Bus clocks of one transmitted frame: its data, a 16-byte write-back, and its share of a fetch of
/// `burst` descriptors. `size`: on the wire, with FCS.
constexpr double transmit_clocks(const BusNumbers& bus, const TargetNumbers& target,
                                 std::uint32_t size, unsigned burst = 64,
                                 std::uint32_t disconnect = 0) {
  return static_cast<double>(access_clocks(bus, target, false, size - 4, disconnect) +
                             access_clocks(bus, target, true, 16)) +
         static_cast<double>(access_clocks(bus, target, false, 16 * burst, disconnect)) / burst;
}
/// The same for a received frame, which is stored with its FCS, in whole 8-byte words.
constexpr double receive_clocks(const BusNumbers& bus, const TargetNumbers& target,
                                std::uint32_t size, unsigned burst = 64) {
  return static_cast<double>(access_clocks(bus, target, true, (size + 7) / 8 * 8) +
                             access_clocks(bus, target, true, 16)) +
         static_cast<double>(access_clocks(bus, target, false, 16 * burst)) / burst;
}
constexpr double per_second(double clocks, const BusNumbers& bus) {
  return 1e12 / (clocks * static_cast<double>(bus.clock.count()));
}

/// Frames a second on the wire: preamble, frame with FCS, gap; in byte times.
constexpr double line_rate(std::uint32_t size, unsigned gap = 12, unsigned mbit = 1000) {
  return mbit * 1e6 / 8.0 / (8.0 + size + gap);
}

}  // namespace e1000tlm::timing
