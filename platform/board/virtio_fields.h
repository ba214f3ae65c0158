#pragma once
/// Registers of a virtio network device by name. No SystemC.

#include <cstdint>
#include <gsl/span>
#include <string>
#include <string_view>

namespace e1000tlm::platform {

/// A field of the modern BAR.
struct VirtioField {
  std::string_view name;  ///< as Linux's structures have it
  std::uint32_t offset;   ///< in the BAR
  unsigned bytes;         ///< 1, 2 or 4
};
/// In the order of their addresses: common configuration, ISR, configuration of the device.
gsl::span<const VirtioField> virtio_fields();

/// A register of the modern BAR by its offset: "device_status", "notify 3", "+2040h".
std::string virtio_register_name(std::uint32_t offset);

}  // namespace e1000tlm::platform
