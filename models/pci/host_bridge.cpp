#include "e1000tlm/pci/host_bridge.h"

#include <algorithm>

#include "e1000tlm/pci/config_access.h"
#include "e1000tlm/pci/payload.h"
#include "e1000tlm/tlm/bytes.h"
#include "e1000tlm/tlm/sc_time.h"

namespace e1000tlm::pci {
namespace {

constexpr std::uint64_t kAddressPort = 0xCF8;  // CONFIG_ADDRESS, accepts dwords only
constexpr std::uint64_t kDataPort = 0xCFC;     // CONFIG_DATA, four bytes
constexpr std::uint32_t kEnable = 1u << 31;

/// Carries the PciExtension on somebody's payload for the length of one call.
class ExtensionGuard {
 public:
  ExtensionGuard(::tlm::tlm_generic_payload& payload, PciExtension& extension)
      : payload_(payload), before_(payload.set_extension(&extension)) {}
  ~ExtensionGuard() { payload_.set_extension(before_); }
  ExtensionGuard(const ExtensionGuard&) = delete;
  ExtensionGuard& operator=(const ExtensionGuard&) = delete;

 private:
  ::tlm::tlm_generic_payload& payload_;
  PciExtension* before_;
};

bool is_data_port(std::uint64_t port, std::uint64_t bytes) {
  return bytes != 0 && bytes <= 4 && port >= kDataPort && port <= kDataPort + 4 - bytes;
}

bool is_latch(const ::tlm::tlm_generic_payload& payload) {
  return payload.get_address() == kAddressPort && payload.get_data_length() == 4 &&
         payload.get_streaming_width() >= 4 && payload.get_byte_enable_ptr() == nullptr;
}

unsigned register_of(std::uint32_t config_address, std::uint64_t port) {
  return (config_address & 0xFC) | static_cast<unsigned>(port & 3);
}

}  // namespace

FunctionConfig i440fx_identity() {
  FunctionConfig identity;
  identity.vendor_id = 0x8086;
  identity.device_id = 0x1237;
  identity.revision = 2;
  identity.class_code = 0x060000;
  identity.interrupt_pin = 0;
  identity.command_fixed = command::kMemory | command::kMaster;
  identity.command_writable = command::kParity | command::kSerr;
  identity.status_fixed = status::kFastBackToBack | 1 << 9;  // medium DEVSEL#
  return identity;
}

HostBridge::HostBridge(const sc_core::sc_module_name& name, const HostBridgeConfig& config)
    : sc_core::sc_module(name),
      cpu("cpu"),
      io("io"),
      memory("memory"),
      pci("pci"),
      dma("dma"),
      config_(config),
      config_space_(config.identity),
      cpu_latency_(to_sc(config.cpu_latency)) {
  cpu.register_b_transport(this, &HostBridge::cpu_transport);
  cpu.register_transport_dbg(this, &HostBridge::cpu_debug);
  cpu.register_get_direct_mem_ptr(this, &HostBridge::cpu_get_dmi);
  io.register_b_transport(this, &HostBridge::io_transport);
  io.register_transport_dbg(this, &HostBridge::io_debug);
  dma.register_b_transport(this, &HostBridge::dma_transport);
  dma.register_transport_dbg(this, &HostBridge::dma_debug);
  dma.register_get_direct_mem_ptr(this, &HostBridge::dma_get_dmi);
  memory.register_invalidate_direct_mem_ptr(this, &HostBridge::memory_invalidate);
}

void HostBridge::reset() {
  config_address_ = 0;
  config_space_.reset(false);
}

// --- memory -------------------------------------------------------------------------------------

void HostBridge::cpu_transport(::tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
  delay += cpu_latency_;
  if (in_ram(payload.get_address(), extent(payload))) {
    memory->b_transport(payload, delay);
    return;
  }
  to_pci(payload, delay);
}

unsigned HostBridge::cpu_debug(::tlm::tlm_generic_payload& payload) {
  if (payload.get_address() < config_.ram_bytes) return ram_debug(payload);
  return pci->transport_dbg(payload);
}

bool HostBridge::cpu_get_dmi(::tlm::tlm_generic_payload& payload, ::tlm::tlm_dmi& dmi) {
  if (!ram_dmi(payload, dmi)) return false;
  dmi.set_read_latency(dmi.get_read_latency() + cpu_latency_);
  dmi.set_write_latency(dmi.get_write_latency() + cpu_latency_);
  return true;
}

void HostBridge::dma_transport(::tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
  if (in_ram(payload.get_address(), extent(payload))) {
    memory->b_transport(payload, delay);
  } else {
    payload.set_response_status(::tlm::TLM_ADDRESS_ERROR_RESPONSE);
  }
}

unsigned HostBridge::dma_debug(::tlm::tlm_generic_payload& payload) { return ram_debug(payload); }

bool HostBridge::dma_get_dmi(::tlm::tlm_generic_payload& payload, ::tlm::tlm_dmi& dmi) {
  return ram_dmi(payload, dmi);
}

unsigned HostBridge::ram_debug(::tlm::tlm_generic_payload& payload) {
  const std::uint64_t address = payload.get_address();
  if (address >= config_.ram_bytes) return 0;
  const std::uint32_t bytes = payload.get_data_length();
  // Memory may be larger than what the bridge makes of it.
  payload.set_data_length(
      static_cast<std::uint32_t>(std::min<std::uint64_t>(bytes, config_.ram_bytes - address)));
  const unsigned done = memory->transport_dbg(payload);
  payload.set_data_length(bytes);
  return done;
}

bool HostBridge::ram_dmi(::tlm::tlm_generic_payload& payload, ::tlm::tlm_dmi& dmi) {
  if (!in_ram(payload.get_address(), 1)) return deny_dmi(payload, dmi);
  if (!memory->get_direct_mem_ptr(payload, dmi)) return false;
  clip_dmi(dmi, 0, config_.ram_bytes - 1);
  return true;
}

void HostBridge::memory_invalidate(sc_dt::uint64 start, sc_dt::uint64 end) {
  cpu->invalidate_direct_mem_ptr(start, end);
  if (dma.get_base_port().size() > 0) dma->invalidate_direct_mem_ptr(start, end);
}

void HostBridge::to_pci(::tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
  if (extent(payload) == 0 && payload.get_command() != ::tlm::TLM_IGNORE_COMMAND) {
    payload.set_response_status(::tlm::TLM_BURST_ERROR_RESPONSE);  // the initiator's mistake
    return;
  }
  pci->b_transport(payload, delay);
  if (payload.is_response_ok()) return;
  const bool unclaimed = payload.get_response_status() == ::tlm::TLM_ADDRESS_ERROR_RESPONSE;
  config_space_.set_status(unclaimed ? status::kReceivedMasterAbort : status::kReceivedTargetAbort);
  fill_ones(payload);
  payload.set_response_status(::tlm::TLM_OK_RESPONSE);
}

// --- ports --------------------------------------------------------------------------------------

void HostBridge::io_transport(::tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
  delay += cpu_latency_;
  if (is_latch(payload)) {
    latch_access(payload);
  } else if (payload.get_streaming_width() >= payload.get_data_length() &&
             is_data_port(payload.get_address(), payload.get_data_length())) {
    config_access(payload, delay);
  } else {
    PciExtension extension;
    extension.space = Space::kIo;
    const ExtensionGuard guard(payload, extension);
    to_pci(payload, delay);
  }
}

void HostBridge::latch_access(::tlm::tlm_generic_payload& payload) {
  // Bits 30:24 and 1:0 are reserved, read only and zero.
  if (payload.is_write()) config_address_ = load_le32(payload.get_data_ptr()) & 0x80FF'FFFC;
  if (payload.is_read()) store_le32(payload.get_data_ptr(), config_address_);
  payload.set_response_status(::tlm::TLM_OK_RESPONSE);
}

bool HostBridge::select(PciExtension& target) const {
  target.space = Space::kConfig;
  target.device = static_cast<std::uint8_t>((config_address_ >> 11) & 0x1F);
  target.function = static_cast<std::uint8_t>((config_address_ >> 8) & 7);
  const unsigned bus = (config_address_ >> 16) & 0xFF;  // there is only bus 0
  return (config_address_ & kEnable) != 0 && bus == 0;
}

void HostBridge::config_access(::tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
  const std::uint64_t port = payload.get_address();
  const unsigned offset = register_of(config_address_, port);
  PciExtension target;
  if (!select(target)) {
    fill_ones(payload);
  } else if (target.device == 0) {
    if (target.function == 0) {
      access_config(config_space_, payload, offset);
    } else {
      fill_ones(payload);
    }
  } else {
    const ExtensionGuard guard(payload, target);
    payload.set_address(offset);
    pci->b_transport(payload, delay);
    payload.set_address(port);
    if (!payload.is_response_ok()) fill_ones(payload);
  }
  payload.set_response_status(::tlm::TLM_OK_RESPONSE);
}

unsigned HostBridge::io_debug(::tlm::tlm_generic_payload& payload) {
  const std::uint64_t port = payload.get_address();
  const std::uint32_t bytes = payload.get_data_length();
  PciExtension target;
  if (port == kAddressPort && bytes == 4) {
    if (!payload.is_read()) return 0;
    store_le32(payload.get_data_ptr(), config_address_);
    return 4;
  }
  if (is_data_port(port, bytes)) {
    if (!payload.is_read() || !select(target)) return 0;
    const unsigned offset = register_of(config_address_, port);
    if (target.device == 0) {
      return target.function == 0 ? debug_config(config_space_, payload, offset) : 0;
    }
    const ExtensionGuard guard(payload, target);
    payload.set_address(offset);
    const unsigned done = pci->transport_dbg(payload);
    payload.set_address(port);
    return done;
  }
  target.space = Space::kIo;
  const ExtensionGuard guard(payload, target);
  return pci->transport_dbg(payload);
}

}  // namespace e1000tlm::pci
