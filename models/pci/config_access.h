#pragma once
/// A transaction on a configuration space. Internal to models/pci.

#include <algorithm>

#include <tlm>

#include "e1000tlm/pci/config_space.h"

namespace e1000tlm::pci {

/// Executes a configuration access whose first register is `offset`; sets the response. Accesses
/// that reach beyond register 255 get an address error.
inline void access_config(ConfigSpace& space, ::tlm::tlm_generic_payload& payload,
                          std::uint64_t offset) {
  const std::uint32_t bytes = payload.get_data_length();
  if (bytes == 0 || payload.get_streaming_width() < bytes) {
    payload.set_response_status(::tlm::TLM_BURST_ERROR_RESPONSE);
    return;
  }
  if (offset > 255 || bytes > 256 - offset) {
    payload.set_response_status(::tlm::TLM_ADDRESS_ERROR_RESPONSE);
    return;
  }
  std::uint8_t* data = payload.get_data_ptr();
  const std::uint8_t* enables = payload.get_byte_enable_ptr();
  const std::uint32_t period = payload.get_byte_enable_length();
  if (enables != nullptr && period == 0) {
    payload.set_response_status(::tlm::TLM_BYTE_ENABLE_ERROR_RESPONSE);
    return;
  }
  const auto enabled = [=](std::uint32_t i) {
    return enables == nullptr || enables[i % period] == TLM_BYTE_ENABLED;
  };
  for (std::uint32_t i = 0; i < bytes; ++i) {
    if (!enabled(i)) continue;
    const unsigned at = static_cast<unsigned>(offset + i);
    if (payload.is_write()) {
      space.write(at, 1, data[i]);
    } else if (payload.is_read()) {
      data[i] = static_cast<std::uint8_t>(space.read(at, 1));
    }
  }
  payload.set_response_status(::tlm::TLM_OK_RESPONSE);
}

/// The same for transport_dbg: reads only. Returns the number of bytes.
inline unsigned debug_config(const ConfigSpace& space, ::tlm::tlm_generic_payload& payload,
                             std::uint64_t offset) {
  if (!payload.is_read() || offset > 255) return 0;
  const unsigned bytes =
      static_cast<unsigned>(std::min<std::uint64_t>(payload.get_data_length(), 256 - offset));
  for (unsigned i = 0; i < bytes; ++i) {
    payload.get_data_ptr()[i] =
        static_cast<std::uint8_t>(space.read(static_cast<unsigned>(offset) + i, 1));
  }
  return bytes;
}

}  // namespace e1000tlm::pci
