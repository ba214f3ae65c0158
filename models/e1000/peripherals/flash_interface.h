#pragma once
/// The controller's way to the flash: base address registers, I/O window, EECD.FWE (manual 7,
/// 13.2.2.2, 13.4.3).

#include <cstdint>
#include <optional>

#include <systemc>
#include <tlm>

#include "e1000tlm/e1000/core.h"
#include "e1000tlm/e1000/peripherals/flash.h"

namespace e1000tlm::e1000 {

/// Accesses are taken apart into bytes, lowest address first, each of which costs the device's
/// access time. Writes reach the device only while EECD.FWE is 10b. Beyond the device addresses
/// wrap (manual 7). Without a flash everything reads 0 and nothing is written.
///
/// No direct memory access: reads show status while the device is busy.
class FlashInterface : public sc_core::sc_module {
 public:
  /// Of the largest device; larger offsets are address errors.
  static constexpr std::uint32_t kWindowBytes = FlashImage::kMostBytes;

  /// The image is empty where the card has no flash; it must outlive the block.
  FlashInterface(const sc_core::sc_module_name& name, Core& core, std::optional<FlashImage>& image);

  enum class Via : std::uint8_t {
    kFlashBar,
    kRom,  ///< the expansion ROM: writes go nowhere (PCI 2.3 6.2.5.2)
  };
  void transport(Via via, ::tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  /// The array itself, whatever the device is doing and whatever FWE says; also writes.
  unsigned debug(::tlm::tlm_generic_payload& payload);

  /// The bytes of the dword at `offset` that `mask` selects (FFh each), from local time
  /// Core::now() on; other bytes read 0. The access takes cost(mask).
  std::uint32_t read(std::uint32_t offset, std::uint32_t mask);
  void write(std::uint32_t offset, std::uint32_t value, std::uint32_t mask);
  Time cost(std::uint32_t mask) const;
  std::uint32_t peek(std::uint32_t offset) const;

 private:
  bool writes_enabled() const;

  Core& core_;
  std::optional<FlashImage>& image_;
  std::optional<JedecFlash> device_;
  /// Nobody waits for it; it says that something is going to happen to whoever steps time.
  sc_core::sc_event ready_event_;
};

}  // namespace e1000tlm::e1000
