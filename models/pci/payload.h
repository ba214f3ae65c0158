#pragma once
/// What the PCI modules do to payloads. Internal to models/pci.

#include <algorithm>
#include <cstdint>
#include <cstring>

#include <tlm>

namespace e1000tlm::pci {

/// Bytes of address space that the access touches: a streaming access comes back to its start.
inline std::uint32_t extent(const ::tlm::tlm_generic_payload& payload) {
  return std::min(payload.get_data_length(), payload.get_streaming_width());
}

/// What a read sees where nobody drives the bus.
inline void fill_ones(::tlm::tlm_generic_payload& payload) {
  if (payload.is_read()) std::memset(payload.get_data_ptr(), 0xFF, payload.get_data_length());
}

/// No DMI at the payload's address; says nothing about others (IEEE 1666 11.2.5).
inline bool deny_dmi(const ::tlm::tlm_generic_payload& payload, ::tlm::tlm_dmi& dmi) {
  dmi.init();
  dmi.allow_read_write();
  dmi.set_start_address(payload.get_address());
  dmi.set_end_address(payload.get_address());
  return false;
}

/// Cuts a granted region down to [start, last], which contains at least the address asked for.
inline void clip_dmi(::tlm::tlm_dmi& dmi, std::uint64_t start, std::uint64_t last) {
  if (dmi.get_start_address() < start) {
    dmi.set_dmi_ptr(dmi.get_dmi_ptr() + (start - dmi.get_start_address()));
    dmi.set_start_address(start);
  }
  if (dmi.get_end_address() > last) dmi.set_end_address(last);
}

}  // namespace e1000tlm::pci
