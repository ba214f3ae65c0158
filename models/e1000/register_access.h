#pragma once
/// Generic payloads taken apart into dword accesses.

#include <cstdint>

#include <tlm>

namespace e1000tlm::e1000 {

/// Carries a payload out on 32-bit registers. `read(offset)` gives and `write(offset, value)` takes a
/// dword. Reads of parts of a dword read it whole; writes of parts have zeros elsewhere (the manual
/// defines neither). Byte enables and streaming width as IEEE 1666 has them; sets the response.
template <class Read, class Write>
void access_registers(::tlm::tlm_generic_payload& payload, std::uint32_t window_bytes, Read read,
                      Write write) {
  const std::uint64_t address = payload.get_address();
  const std::uint32_t length = payload.get_data_length();
  std::uint8_t* data = payload.get_data_ptr();
  const std::uint8_t* enables = payload.get_byte_enable_ptr();
  const std::uint32_t enable_length = payload.get_byte_enable_length();
  if (address >= window_bytes || length > window_bytes - address) {
    payload.set_response_status(::tlm::TLM_ADDRESS_ERROR_RESPONSE);
    return;
  }
  if (payload.get_streaming_width() < length) {
    payload.set_response_status(::tlm::TLM_BURST_ERROR_RESPONSE);
    return;
  }
  if (payload.get_command() == ::tlm::TLM_IGNORE_COMMAND) {
    payload.set_response_status(::tlm::TLM_OK_RESPONSE);
    return;
  }
  const bool is_read = payload.get_command() == ::tlm::TLM_READ_COMMAND;
  const auto enabled = [&](std::uint32_t i) {
    return enables == nullptr || enables[i % enable_length] == TLM_BYTE_ENABLED;
  };
  std::uint32_t done = 0;
  while (done < length) {
    const auto offset = static_cast<std::uint32_t>(address) + done;
    const std::uint32_t lane = offset & 3;
    const std::uint32_t n = length - done < 4 - lane ? length - done : 4 - lane;
    std::uint32_t mask = 0;
    std::uint32_t value = 0;
    for (std::uint32_t i = 0; i < n; ++i) {
      if (!enabled(done + i)) continue;
      mask |= 0xFFU << (8 * (lane + i));
      value |= std::uint32_t{data[done + i]} << (8 * (lane + i));
    }
    if (mask != 0 && is_read) {
      value = read(offset & ~3U);
      for (std::uint32_t i = 0; i < n; ++i) {
        if (enabled(done + i)) data[done + i] = static_cast<std::uint8_t>(value >> (8 * (lane + i)));
      }
    } else if (mask != 0) {
      write(offset & ~3U, value & mask);
    }
    done += n;
  }
  payload.set_response_status(::tlm::TLM_OK_RESPONSE);
}

}  // namespace e1000tlm::e1000
