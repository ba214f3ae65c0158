#pragma once
/// PCI over virtio as User-Mode Linux speaks it: from bytes and to bytes. No SystemC.
///
/// The guest puts one command after the other into its first queue, the device puts interrupts into
/// buffers of the second. Source: Linux, include/uapi/linux/virtio_pcidev.h.

#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "e1000tlm/tlm/bytes.h"

namespace e1000tlm::plugs::uml {

/// What a message is about.
enum class PciOp : std::uint8_t {
  kConfigRead = 1,
  kConfigWrite = 2,
  kRead = 3,     ///< of a region (BAR)
  kWrite = 4,    ///< ditto
  kFill = 5,     ///< ditto: all bytes with the same value
  kIntx = 6,     ///< device: the interrupt line goes up
  kMessage = 7,  ///< device: MSI
  kPme = 8,      ///< device: PME#
};

/// Bytes before a message's data.
inline constexpr std::size_t kPciHeaderBytes = 16;
/// Most bytes that a command reads or writes: more than any region has.
inline constexpr std::uint32_t kMostPciData = 1U << 20;
/// Bytes of configuration space.
inline constexpr std::uint32_t kPciConfigBytes = 256;

/// A command of the guest.
struct PciCommand {
  /// kConfigRead to kFill.
  PciOp op = PciOp::kConfigRead;
  /// Which region: 0 to 5.
  std::uint8_t region = 0;
  /// Bytes to read, write or fill: 1 to kMostPciData; in configuration space 1, 2, 4 or 8, aligned.
  std::uint32_t size = 0;
  /// In the region or configuration space.
  std::uint64_t address = 0;
  /// kWrite, kConfigWrite: `size` bytes; kFill: one. Valid as long as what it was made from.
  ConstBytes data;
};

/// A command from all that the guest lets us read. A text instead: it is none, and why.
std::variant<PciCommand, std::string> parse_pci_command(ConstBytes bytes);
/// What a guest is told of an interrupt: at most kMostPciInterrupt bytes, as many as it has room
/// for in a buffer.
using PciInterrupt = std::vector<std::uint8_t>;
/// See PciInterrupt.
inline constexpr std::size_t kMostPciInterrupt = kPciHeaderBytes + 4;
/// Of INTA# to INTD# (pin 1 to 4).
PciInterrupt intx_message(unsigned pin);
/// A message that the device has sent: of MSI 2 bytes of data, of MSI-X 4.
PciInterrupt msi_message(std::uint64_t address, std::uint32_t data, unsigned bytes);

}  // namespace e1000tlm::plugs::uml
