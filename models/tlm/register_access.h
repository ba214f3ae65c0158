#pragma once
/// Generic payloads taken apart into dword accesses.

#include <cstdint>
#include <cstring>

#include <tlm>

#include "e1000tlm/tlm/bytes.h"

namespace e1000tlm {

/// Which bytes of a payload take part (IEEE 1666 14.12).
struct ByteEnables {
  const std::uint8_t* bytes = nullptr;
  std::uint32_t length = 0;

  bool operator[](std::uint32_t i) const {
    return bytes == nullptr || bytes[i % length] == TLM_BYTE_ENABLED;
  }
};

/// Takes a payload's bytes apart into dwords: `read(offset, mask)` gives and `write(offset, value,
/// mask)` takes one; `mask` has FFh where a byte takes part, and `value` is zero elsewhere.
/// The range has been checked.
template <class Read, class Write>
void transfer_dwords(::tlm::tlm_generic_payload& payload, ByteEnables enabled, Read read,
                     Write write) {
  const std::uint64_t address = payload.get_address();
  const std::uint32_t length = payload.get_data_length();
  std::uint8_t* data = payload.get_data_ptr();
  const bool is_read = payload.get_command() == ::tlm::TLM_READ_COMMAND;
  if (length == 4 && (address & 3) == 0 && enabled.bytes == nullptr) {  // as nearly always
    const auto offset = static_cast<std::uint32_t>(address);
    constexpr std::uint32_t kAll = 0xFFFF'FFFF;
    if (is_read) {
      store_le32(data, read(offset, kAll));
    } else {
      write(offset, load_le32(data), kAll);
    }
    return;
  }
  std::uint32_t done = 0;
  while (done < length) {
    const auto offset = static_cast<std::uint32_t>(address) + done;
    const std::uint32_t lane = offset & 3;
    const std::uint32_t n = length - done < 4 - lane ? length - done : 4 - lane;
    std::uint32_t mask = 0;
    std::uint32_t value = 0;
    for (std::uint32_t i = 0; i < n; ++i) {
      if (!enabled[done + i]) continue;
      mask |= 0xFFU << (8 * (lane + i));
      value |= std::uint32_t{data[done + i]} << (8 * (lane + i));
    }
    if (mask != 0 && is_read) {
      value = read(offset & ~3U, mask);
      for (std::uint32_t i = 0; i < n; ++i) {
        if (enabled[done + i])
          data[done + i] = static_cast<std::uint8_t>(value >> (8 * (lane + i)));
      }
    } else if (mask != 0) {
      write(offset & ~3U, value & mask, mask);
    }
    done += n;
  }
}

inline bool in_window(const ::tlm::tlm_generic_payload& payload, std::uint32_t window_bytes) {
  const std::uint64_t address = payload.get_address();
  return address < window_bytes && payload.get_data_length() <= window_bytes - address;
}

/// Carries a payload out on 32-bit registers, with byte enables and streaming width as IEEE 1666
/// has them, and sets the response. What reads and writes of parts of a dword do is up to `read`
/// and `write`; see transfer_dwords().
template <class Read, class Write>
void access_registers(::tlm::tlm_generic_payload& payload, std::uint32_t window_bytes, Read read,
                      Write write) {
  if (!in_window(payload, window_bytes)) {
    payload.set_response_status(::tlm::TLM_ADDRESS_ERROR_RESPONSE);
    return;
  }
  if (payload.get_streaming_width() < payload.get_data_length()) {
    payload.set_response_status(::tlm::TLM_BURST_ERROR_RESPONSE);
    return;
  }
  if (payload.get_byte_enable_ptr() != nullptr && payload.get_byte_enable_length() == 0) {
    payload.set_response_status(::tlm::TLM_BYTE_ENABLE_ERROR_RESPONSE);
    return;
  }
  if (payload.get_command() != ::tlm::TLM_IGNORE_COMMAND) {
    const ByteEnables enabled{payload.get_byte_enable_ptr(), payload.get_byte_enable_length()};
    transfer_dwords(payload, enabled, read, write);
  }
  payload.set_response_status(::tlm::TLM_OK_RESPONSE);
}

/// Answers for a device that drives nothing: reads give all ones, writes change nothing.
inline void leave_undriven(::tlm::tlm_generic_payload& payload) {
  if (payload.is_read()) std::memset(payload.get_data_ptr(), 0xFF, payload.get_data_length());
  payload.set_response_status(::tlm::TLM_OK_RESPONSE);
}

/// The same as access_registers() for transport_dbg, which knows neither byte enables nor streaming
/// width (IEEE 1666 11.3.1). Returns the bytes transferred: all or none.
template <class Read, class Write>
unsigned debug_registers(::tlm::tlm_generic_payload& payload, std::uint32_t window_bytes, Read read,
                         Write write) {
  const bool moves_data = payload.get_command() != ::tlm::TLM_IGNORE_COMMAND;
  if (!moves_data || !in_window(payload, window_bytes)) return 0;
  transfer_dwords(payload, ByteEnables{}, read, write);
  payload.set_response_status(::tlm::TLM_OK_RESPONSE);
  return payload.get_data_length();
}

}  // namespace e1000tlm
