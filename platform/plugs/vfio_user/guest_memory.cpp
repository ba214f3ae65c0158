#include "e1000tlm/plugs/vfio_user/guest_memory.h"

#include <algorithm>
#include <cstring>

namespace e1000tlm::plugs::vfio_user {

GuestMemory::GuestMemory(const sc_core::sc_module_name& name, GuestMessages& messages)
    : sc_module(name), socket("socket"), messages_(messages) {
  socket.register_b_transport(this, &GuestMemory::b_transport);
  socket.register_transport_dbg(this, &GuestMemory::transport_dbg);
  socket.register_get_direct_mem_ptr(this, &GuestMemory::get_direct_mem_ptr);
}

std::optional<Refusal> GuestMemory::map(const DmaMap& request, const link::UniqueFd& file) {
  return regions_.map(request, file);
}

std::optional<Refusal> GuestMemory::unmap(const DmaUnmap& request) {
  return regions_.unmap(request, [this](const GuestRegion& region) {
    if (region.mapping) socket->invalidate_direct_mem_ptr(region.start, region.last);
  });
}

void GuestMemory::clear() {
  socket->invalidate_direct_mem_ptr(0, ~sc_dt::uint64{0});
  regions_.clear();
}

/// Without a gap, over as many regions as it takes.
bool GuestMemory::covered(std::uint64_t address, std::uint64_t bytes, bool write) const {
  const std::uint64_t last = address + (bytes - 1);
  if (last < address) return false;
  for (;;) {
    const GuestRegion* region = regions_.find(address);
    if (region == nullptr || !(write ? region->writable : region->readable)) return false;
    if (region->last >= last) return true;
    address = region->last + 1;
  }
}

/// Looks each region up anew: where messages are waited for, others may have changed.
bool GuestMemory::move(bool write, std::uint64_t address, std::uint8_t* data, std::size_t bytes) {
  while (bytes > 0) {
    const GuestRegion* region = regions_.find(address);
    if (region == nullptr || !(write ? region->writable : region->readable)) return false;
    const std::size_t part =
        std::min<std::uint64_t>(bytes - 1, region->last - address) + std::size_t{1};
    if (region->mapping == nullptr) {
      if (write ? !messages_.write_guest(address, {data, part})
                : !messages_.read_guest(address, {data, part})) {
        return false;
      }
    } else if (write) {
      std::memcpy(region->at(address), data, part);
    } else {
      std::memcpy(data, region->at(address), part);
    }
    address += part;
    data += part;
    bytes -= part;
  }
  return true;
}

/// Runs of enabled bytes; a streaming access comes back to its start.
bool GuestMemory::transfer(::tlm::tlm_generic_payload& payload) {
  const std::uint8_t* enables = payload.get_byte_enable_ptr();
  const std::uint32_t length = payload.get_data_length();
  const std::uint32_t width = std::min(length, payload.get_streaming_width());
  const bool write = payload.is_write();
  if (enables == nullptr && width == length) {
    return move(write, payload.get_address(), payload.get_data_ptr(), length);
  }
  const auto enabled = [&](std::uint32_t i) {
    return enables == nullptr || enables[i % payload.get_byte_enable_length()] == TLM_BYTE_ENABLED;
  };
  for (std::uint32_t i = 0; i < length;) {
    if (!enabled(i)) {
      ++i;
      continue;
    }
    std::uint32_t run = 1;
    while (i + run < length && (i + run) % width != 0 && enabled(i + run)) ++run;
    if (!move(write, payload.get_address() + i % width, payload.get_data_ptr() + i, run)) {
      return false;
    }
    i += run;
  }
  return true;
}

void GuestMemory::b_transport(::tlm::tlm_generic_payload& payload, sc_core::sc_time& /*delay*/) {
  const std::uint32_t extent = std::min(payload.get_data_length(), payload.get_streaming_width());
  payload.set_dmi_allowed(false);
  if (payload.get_command() == ::tlm::TLM_IGNORE_COMMAND) {
    payload.set_response_status(::tlm::TLM_OK_RESPONSE);
    return;
  }
  if (extent == 0) {
    payload.set_response_status(::tlm::TLM_BURST_ERROR_RESPONSE);
    return;
  }
  if (payload.get_byte_enable_ptr() != nullptr && payload.get_byte_enable_length() == 0) {
    payload.set_response_status(::tlm::TLM_BYTE_ENABLE_ERROR_RESPONSE);
    return;
  }
  const std::uint64_t address = payload.get_address();
  // As in a PC, whose interrupt controller is asked first: a client may map all there is.
  bool done = payload.is_write() && interrupt_ &&
              interrupt_(address, {payload.get_data_ptr(), payload.get_data_length()});
  if (!done && covered(address, extent, payload.is_write()) && transfer(payload)) {
    done = true;
    const GuestRegion* region = regions_.find(address);
    payload.set_dmi_allowed(region != nullptr && region->mapping != nullptr);
  }
  payload.set_response_status(done ? ::tlm::TLM_OK_RESPONSE : ::tlm::TLM_ADDRESS_ERROR_RESPONSE);
}

/// Memory without a descriptor cannot be reached without waiting.
unsigned GuestMemory::transport_dbg(::tlm::tlm_generic_payload& payload) {
  unsigned done = 0;
  while (done < payload.get_data_length()) {
    const std::uint64_t address = payload.get_address() + done;
    const GuestRegion* region = regions_.find(address);
    if (region == nullptr || region->mapping == nullptr) break;
    if (payload.is_write() && !region->writable) break;
    const auto part = static_cast<unsigned>(
        std::min<std::uint64_t>(payload.get_data_length() - done - 1, region->last - address) + 1);
    if (payload.is_write()) {
      std::memcpy(region->at(address), payload.get_data_ptr() + done, part);
    } else if (payload.is_read()) {
      std::memcpy(payload.get_data_ptr() + done, region->at(address), part);
    } else {
      break;
    }
    done += part;
  }
  return done;
}

bool GuestMemory::get_direct_mem_ptr(::tlm::tlm_generic_payload& payload, ::tlm::tlm_dmi& dmi) {
  dmi.init();
  const GuestRegion* region = regions_.find(payload.get_address());
  const bool write = payload.is_write();
  if (region == nullptr || region->mapping == nullptr ||
      !(write ? region->writable : region->readable)) {
    dmi.allow_read_write();
    dmi.set_start_address(payload.get_address());
    dmi.set_end_address(payload.get_address());
    return false;
  }
  dmi.set_start_address(region->start);
  dmi.set_end_address(region->last);
  dmi.set_dmi_ptr(region->mapping->data());
  if (region->readable && region->writable) {
    dmi.allow_read_write();
  } else if (region->writable) {
    dmi.allow_write();
  } else {
    dmi.allow_read();
  }
  return true;
}

}  // namespace e1000tlm::plugs::vfio_user
