#pragma once
/// What firmware and the operating system's PCI layer do: find devices, place BARs, route
/// interrupts.

#include <array>
#include <cstdint>
#include <vector>

#include "e1000tlm/driver/cpu.h"

namespace e1000tlm::driver {

struct PciDevice {
  unsigned device = 0;
  std::uint16_t vendor_id = 0xFFFF, device_id = 0xFFFF;
  std::uint8_t revision = 0;
  std::array<std::uint64_t, 6> bars{};  ///< bases by the number of the register; 0: none
  std::uint64_t mmio = 0;               ///< base of the first memory BAR; 0: none
  std::uint16_t io = 0;                 ///< base of the first I/O BAR; 0: none
  unsigned pirq = 0;                    ///< 0..3 = PIRQ A..D
  std::uint8_t irq = 0;                 ///< as written to the Interrupt Line register
};

/// Configuration mechanism #1 (PCI 2.3 3.2.2.3.2) on bus 0, function 0 of each device.
class PciHost {
 public:
  explicit PciHost(Cpu& cpu) : cpu_(cpu) {}

  std::uint32_t read(unsigned device, unsigned offset, unsigned bytes = 4);
  void write(unsigned device, unsigned offset, std::uint32_t value, unsigned bytes = 4);

  /// All devices, in the order of their numbers. Nothing is changed.
  std::vector<PciDevice> scan();
  /// Sizes and places the BARs, routes INTA#, and switches decoding and mastering on. BARs that
  /// find no room stay 0.
  void enable(PciDevice& device);
  /// Offsets of all capabilities with this ID (PCI 2.3 6.7), in the order of the list; a list that
  /// does not end is followed for as long as one can be.
  std::vector<unsigned> capabilities(unsigned device, std::uint8_t id);

 private:
  void select(unsigned device, unsigned offset);
  void place_bars(PciDevice& device);
  void place_io(PciDevice& device, unsigned offset, std::uint32_t size);
  void place_memory(PciDevice& device, unsigned offset, std::uint64_t size, bool is_64bit);

  Cpu& cpu_;
  // As on a PC: memory below the APIC, ports above the ISA range.
  std::uint64_t next_memory_ = 0xF000'0000;
  std::uint32_t next_io_ = 0xC000;
};

/// ISA interrupt that firmware of the "pc" machine routes PIRQ A..D to.
inline constexpr std::uint8_t kPirqRouting[4] = {10, 10, 11, 11};
/// The PIRQ (0..3) that interrupt pin 1..4 of a device on bus 0 is wired to, as on 440FX boards:
/// INTA# of device 1 goes to PIRQ A.
constexpr unsigned pirq_of(unsigned device, unsigned pin) { return (device + pin + 2) % 4; }

}  // namespace e1000tlm::driver
