#pragma once
/// IOADDR and IODATA: registers through I/O space (manual 13.2.2). No SystemC.

#include <cstdint>

namespace e1000tlm::e1000 {

/// The state of the window; the facade moves the data.
class IoWindow {
 public:
  static constexpr std::uint32_t kBytes = 8;
  static constexpr std::uint32_t kAddressOffset = 0, kDataOffset = 4;

  void reset() { address_ = 0; }
  std::uint32_t address() const { return address_; }
  /// Bits 31:20 do not store.
  void set_address(std::uint32_t value) { address_ = value & 0x000FFFFF; }
  /// Registers and packet buffer memory; undefined space lies between them and the flash.
  bool selects_register() const { return address_ < 0x20000; }
  /// The flash; its accesses may be narrower than a dword, at the lane that bits 1:0 of the address
  /// say (manual 13.2.2.2).
  bool selects_flash() const { return address_ >= kFlash; }
  std::uint32_t flash_offset() const { return (address_ - kFlash) & ~3U; }

 private:
  static constexpr std::uint32_t kFlash = 0x80000;
  std::uint32_t address_ = 0;
};

}  // namespace e1000tlm::e1000
