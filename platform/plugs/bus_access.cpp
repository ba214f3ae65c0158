#include "e1000tlm/plugs/bus_access.h"

#include <algorithm>

namespace e1000tlm::plugs {

void access_bus(::tlm::tlm_fw_transport_if<>& bus, ::tlm::tlm_generic_payload& payload,
                pci::PciExtension& extension, bool write, pci::Space space, std::uint64_t address,
                Bytes data) {
  extension.space = space;
  payload.set_command(write ? ::tlm::TLM_WRITE_COMMAND : ::tlm::TLM_READ_COMMAND);
  payload.set_address(address);
  payload.set_data_ptr(data.data());
  payload.set_data_length(static_cast<unsigned>(data.size()));
  payload.set_streaming_width(static_cast<unsigned>(data.size()));
  payload.set_byte_enable_ptr(nullptr);
  payload.set_dmi_allowed(false);
  payload.set_response_status(::tlm::TLM_INCOMPLETE_RESPONSE);
  sc_core::sc_time delay = sc_core::SC_ZERO_TIME;
  bus.b_transport(payload, delay);
  if (!payload.is_response_ok() && !write) std::fill(data.begin(), data.end(), 0xFF);
  if (delay != sc_core::SC_ZERO_TIME) sc_core::wait(delay);
}

}  // namespace e1000tlm::plugs
