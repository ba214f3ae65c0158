#pragma once
/// What figures ought to be, by arithmetic alone: nothing here knows the models. No SystemC.

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

#include "e1000tlm/tlm/time.h"

namespace e1000tlm::timing {

/// The buses, with hand-written clock periods.
struct BusNumbers {
  std::string_view name;
  unsigned bytes;  ///< per data phase
  Time clock;
  bool pcix = false;
};
inline constexpr std::array<BusNumbers, 7> kBuses{{{"32/33", 4, Time{30'000}},
                                                   {"32/66", 4, Time{15'000}},
                                                   {"64/33", 8, Time{30'000}},
                                                   {"64/66", 8, Time{15'000}},
                                                   {"64/66x", 8, Time{15'000}, true},
                                                   {"64/100x", 8, Time{10'000}, true},
                                                   {"64/133x", 8, Time{7'500}, true}}};

/// A host. A: arbitration; W: wait clocks before the first data of a read and of a write.
struct TargetNumbers {
  std::string_view name;
  unsigned arbitration, read_wait, write_wait;
  Time split{};                  ///< PCI-X: from a read's address phase to its data; zero: at once
  std::uint32_t disconnect = 0;  ///< bytes
};
inline constexpr TargetNumbers kIdeal{"ideal", 0, 0, 0}, kTypical{"typical", 2, 8, 1, ns(120)},
    kSlow33{"slow", 2, 19, 3}, kLines{"lines", 2, 16, 3, ns(120), 64};
/// As slow is above 33 MHz: 25 clocks, on PCI-X as well.
constexpr TargetNumbers slow(const BusNumbers& bus) {
  if (bus.clock == Time{30'000}) return kSlow33;
  return {"slow", 2, 25, 3, bus.clock * 25};
}

constexpr std::uint64_t pieces(std::uint64_t whole, std::uint64_t most) {
  return (whole + most - 1) / most;
}
constexpr std::uint64_t beats(const BusNumbers& bus, std::uint32_t bytes) {
  return pieces(bytes, bus.bytes);
}

/// Clocks of one access to aligned memory on an idle bus.
/// PCI: arbitration + address + turnaround (reads) + wait + data phases + idle, all but the data
/// phases for every piece into which disconnects cut it.
/// PCI-X: arbitration + address + attribute + DEVSEL# + wait (writes: in pairs) + data + idle. A
/// split read asks for 512 bytes at a time: arbitration and, if that is longer than the request's 5
/// clocks, the latency; then arbitration + 3 + data + idle.
constexpr std::uint64_t access_clocks(const BusNumbers& bus, const TargetNumbers& target,
                                      bool write, std::uint32_t bytes) {
  const std::uint64_t data = beats(bus, bytes);
  if (!bus.pcix) {
    const std::uint64_t once =
        target.arbitration + 1 + (write ? target.write_wait : 1 + target.read_wait) + 1;
    return (target.disconnect == 0 ? 1 : pieces(bytes, target.disconnect)) * once + data;
  }
  if (write) return target.arbitration + 3 + (target.write_wait + 1) / 2 * 2 + data + 1;
  if (target.split == kTimeZero) return target.arbitration + 3 + target.read_wait + data + 1;
  const auto latency = static_cast<std::uint64_t>(target.split / bus.clock);
  return pieces(bytes, 512) *
             (2 * target.arbitration + std::max<std::uint64_t>(5, latency) + 3 + 1) +
         data;
}

/// Clocks for which the same access keeps others off a bus that everybody wants: arbitration hides
/// behind other tenures, and so does the latency of a split read. `timer`: latency timer of a
/// master that shares the bus with others, 0 if it has the bus for itself; a piece has one data
/// phase more than the timer allows, which FRAME# has promised, and pays address phase and waits
/// again.
constexpr std::uint64_t busy_clocks(const BusNumbers& bus, const TargetNumbers& target, bool write,
                                    std::uint32_t bytes, unsigned timer) {
  const std::uint64_t data = beats(bus, bytes);
  if (bus.pcix) {
    if (write) return 3 + (target.write_wait + 1) / 2 * 2 + data + 1;
    return pieces(bytes, 512) * (5 + 3 + 1) + data;
  }
  const std::uint64_t lead = 1 + (write ? target.write_wait : 1 + target.read_wait);
  const std::uint64_t cuts = timer == 0 ? 1 : pieces(data, timer - lead + 1);
  return cuts * (lead + 1) + data;
}

/// Bus clocks of one transmitted frame: its data, a 16-byte write-back, and its share of a fetch of
/// 64 descriptors. `size`: on the wire, with FCS. `clocks`: of an access (write, bytes).
template <class Clocks>
constexpr double transmit_clocks(const Clocks& clocks, std::uint32_t size) {
  return static_cast<double>(clocks(false, size - 4) + clocks(true, 16)) +
         static_cast<double>(clocks(false, 1024)) / 64;
}
/// The same for a received frame, which is stored with its FCS, in whole 8-byte words.
template <class Clocks>
constexpr double receive_clocks(const Clocks& clocks, std::uint32_t size) {
  return static_cast<double>(clocks(true, (size + 7) / 8 * 8) + clocks(true, 16)) +
         static_cast<double>(clocks(false, 1024)) / 64;
}
constexpr double per_second(double clocks, const BusNumbers& bus) {
  return 1e12 / (clocks * static_cast<double>(bus.clock.count()));
}

/// Frames a second on the wire: preamble, frame with FCS, gap; in byte times.
constexpr double line_rate(std::uint32_t size, unsigned gap = 12, unsigned mbit = 1000) {
  return mbit * 1e6 / 8.0 / (8.0 + size + gap);
}

}  // namespace e1000tlm::timing
