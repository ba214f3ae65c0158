#include "e1000tlm/pci/function.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "e1000tlm/pci/config_access.h"
#include "e1000tlm/pci/payload.h"

namespace e1000tlm::pci {
namespace {

constexpr std::uint16_t kPmcPmeD3cold = 1 << 15;

}  // namespace

Function::Function(const sc_core::sc_module_name& name, const FunctionConfig& config)
    : sc_core::sc_module(name),
      target("target"),
      initiator("initiator"),
      intx("intx"),
      pme("pme"),
      reset("reset"),
      bar("bar", config.bars.size()),
      rom("rom"),
      dma("dma"),
      irq("irq"),
      events("events"),
      vendor("vendor"),
      config_(config),
      settings_(config_.master_settings()) {
  target.register_b_transport(this, &Function::target_transport);
  target.register_transport_dbg(this, &Function::target_debug);
  dma.register_b_transport(this, &Function::dma_transport);
  dma.register_transport_dbg(this, &Function::dma_debug);
  dma.register_get_direct_mem_ptr(this, &Function::dma_get_dmi);
  initiator.register_invalidate_direct_mem_ptr(this, &Function::dma_invalidate);

  SC_METHOD(drive_outputs);
  sensitive << irq << outputs_event_;
  if (config.msix.offset != 0) msix_.emplace(config.msix);
  if (config.msi_offset != 0 || msix_) {
    SC_THREAD(send_messages);
  }
}

void Function::end_of_elaboration() {
  if (reset.size() > 0) {
    sc_core::sc_spawn_options options;
    options.spawn_method();
    options.set_sensitivity(&reset->value_changed_event());
    options.dont_initialize();
    sc_core::sc_spawn([this] { reset_changed(); }, "reset_changed", &options);
  }
}

void Function::start_of_simulation() {
  for (unsigned i = 0; i < kRomIndex; ++i) {
    const bool shared = msix_ && msix_->has_bar(i);
    device_[i] = bar[i].size() > 0 && !shared ? &bar[i] : nullptr;
  }
  device_[kRomIndex] = rom.size() > 0 ? &rom : nullptr;
  if (events.size() > 0) events->pci_bus_master(false);
  in_reset_ = reset.size() > 0 && reset->read();
}

// --- towards the device -------------------------------------------------------------------------

void Function::target_transport(::tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
  PciExtension* extension = nullptr;
  payload.get_extension(extension);
  const Space space = extension != nullptr ? extension->space : Space::kMemory;
  const std::uint64_t address = payload.get_address();
  if (in_reset_) {
    fill_ones(payload);
    payload.set_response_status(::tlm::TLM_ADDRESS_ERROR_RESPONSE);
    return;
  }
  if (space == Space::kConfig) {
    config_transport(payload);
    return;
  }
  const Window* window = find(space, address, address + extent(payload) - 1);
  if (window == nullptr || extent(payload) == 0) {
    payload.set_response_status(::tlm::TLM_ADDRESS_ERROR_RESPONSE);
    return;
  }
  OptionalInitiator* device = device_[window->index];
  if (device == nullptr) {
    if (answer_itself(*window, payload)) return;
    device = behind_msix(*window);
  }
  payload.set_address(address - window->start);
  (*device)->b_transport(payload, delay);
  payload.set_address(address);
  payload.set_dmi_allowed(false);
  if (payload.get_response_status() == ::tlm::TLM_ADDRESS_ERROR_RESPONSE) {
    payload.set_response_status(::tlm::TLM_GENERIC_ERROR_RESPONSE);
  }
}

unsigned Function::target_debug(::tlm::tlm_generic_payload& payload) {
  PciExtension* extension = nullptr;
  payload.get_extension(extension);
  const Space space = extension != nullptr ? extension->space : Space::kMemory;
  const std::uint64_t address = payload.get_address();
  if (space == Space::kConfig) return config_debug(payload);
  const std::uint32_t bytes = payload.get_data_length();
  const Window* window = bytes == 0 ? nullptr : find(space, address, address + bytes - 1);
  if (window == nullptr) return 0;
  OptionalInitiator* device = device_[window->index];
  if (device == nullptr) {
    const bool registers = msix_ && msix_->touches(window->index, address - window->start, bytes);
    if (registers) return debug_itself(*window, payload);
    device = behind_msix(*window);
    if (device == nullptr) return 0;
  }
  payload.set_address(address - window->start);
  const unsigned done = (*device)->transport_dbg(payload);
  payload.set_address(address);
  return done;
}

void Function::config_transport(::tlm::tlm_generic_payload& payload) {
  const bool was_d3 = config_.power_state() == PowerState::kD3hot;
  const std::uint32_t bytes = payload.get_data_length();
  if (payload.is_read()) {
    for_vendor(payload, bytes, [this](std::size_t which, std::size_t first, std::size_t count) {
      vendor->vendor_read(which, first, count, config_.vendor_registers(which));
    });
  }
  access_config(config_, payload, payload.get_address());
  if (!payload.is_write()) return;
  if (was_d3 && config_.power_state() == PowerState::kD0) {
    soft_reset(ResetKind::kPowerState);
  } else {
    apply_config();
  }
  if (!payload.is_response_ok()) return;
  for_vendor(payload, bytes, [this](std::size_t which, std::size_t first, std::size_t count) {
    vendor->vendor_written(which, first, count, std::as_const(config_).vendor_registers(which));
  });
}

unsigned Function::config_debug(::tlm::tlm_generic_payload& payload) {
  const std::uint64_t address = payload.get_address();
  const unsigned done = debug_config(config_, payload, address);
  for_vendor(payload, done, [&](std::size_t which, std::size_t first, std::size_t count) {
    const ConstBytes now = std::as_const(config_).vendor_registers(which);
    std::vector<std::uint8_t> copy(now.begin(), now.end());
    vendor->vendor_peek(which, first, count, copy);
    const std::uint64_t from = config_.config().vendor[which].offset + first - address;
    std::copy_n(copy.begin() + static_cast<std::ptrdiff_t>(first), count,
                payload.get_data_ptr() + from);
  });
  return done;
}

/// What of a configuration access concerns the device: calls (capability, first byte, bytes).
template <class Call>
void Function::for_vendor(const ::tlm::tlm_generic_payload& payload, std::uint64_t bytes,
                          const Call& call) const {
  const std::vector<VendorCapability>& all = config_.config().vendor;
  const std::uint64_t start = payload.get_address(), end = start + bytes;
  if (all.empty() || vendor.size() == 0 || start > 255 || end > 256) return;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const std::uint64_t mine = all[i].offset, size = config_.vendor_registers(i).size();
    const std::uint64_t first = std::max(start, mine), last = std::min(end, mine + size);
    if (first < last) call(i, first - mine, last - first);
  }
}

// --- the device as master -----------------------------------------------------------------------

void Function::dma_transport(::tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
  if (!may_master_) {
    fill_ones(payload);
    payload.set_response_status(::tlm::TLM_GENERIC_ERROR_RESPONSE);
    return;
  }
  initiator->b_transport(payload, delay);
}

unsigned Function::dma_debug(::tlm::tlm_generic_payload& payload) {
  return initiator->transport_dbg(payload);
}

bool Function::dma_get_dmi(::tlm::tlm_generic_payload& payload, ::tlm::tlm_dmi& dmi) {
  if (!may_master_) return deny_dmi(payload, dmi);
  return initiator->get_direct_mem_ptr(payload, dmi);
}

void Function::dma_invalidate(sc_dt::uint64 start, sc_dt::uint64 end) {
  if (dma.get_base_port().size() > 0) dma->invalidate_direct_mem_ptr(start, end);
}

// --- configuration ------------------------------------------------------------------------------

bool Function::update_windows() {
  std::array<Window, kRomIndex + 1> now{};
  std::size_t count = 0;
  const FunctionConfig& config = config_.config();
  for (unsigned i = 0; i < config.bars.size(); ++i) {
    const std::optional<std::uint64_t> base = config_.bar_base(i);
    if (!base) continue;
    const bool io = config.bars[i].kind == BarConfig::Kind::kIo;
    now[count++] = {io ? Space::kIo : Space::kMemory, *base, *base + (config.bars[i].size - 1), i};
  }
  if (const std::optional<std::uint64_t> base = config_.rom_base()) {
    now[count++] = {Space::kMemory, *base, *base + (config.expansion_rom_size - 1), kRomIndex};
  }
  const auto same = [](const Window& a, const Window& b) {
    return a.space == b.space && a.start == b.start && a.last == b.last && a.index == b.index;
  };
  if (count == window_count_ && std::equal(now.begin(), now.end(), windows_.begin(), same)) {
    return false;
  }
  windows_ = now;
  window_count_ = count;
  ++decode_generation_;
  return true;
}

void Function::apply_config() {
  if (update_windows() && decode_changed_) decode_changed_();
  const MasterSettings settings = config_.master_settings();
  if (settings != settings_) {
    settings_ = settings;
    if (settings_changed_) settings_changed_();
  }

  const PowerState power = config_.power_state();
  const bool may_master = power == PowerState::kD0 && (config_.command() & command::kMaster) != 0;
  const bool lost = may_master_ && !may_master;
  may_master_ = may_master;
  if (lost) dma_invalidate(0, ~sc_dt::uint64{0});

  if (msix_) msix_->set_control(config_.msix());
  const Announced before = announced_;
  announced_ = {may_master, power, config_.pme_enabled(), config_.pme_status(), messages_enabled()};
  if (events.size() > 0) {
    if (lost) events->pci_bus_master(false);
    // First of all, as devices prepare for sleep by whether they are to wake the system.
    if (before.pme_enabled != announced_.pme_enabled ||
        before.pme_status != announced_.pme_status) {
      events->pci_pme(announced_.pme_enabled, announced_.pme_status);
    }
    if (before.power != power) events->pci_power_state(power);
    if (may_master && !before.may_master) events->pci_bus_master(true);
    if (before.messages != announced_.messages) events->pci_messages(announced_.messages);
  }
  outputs_event_.notify(sc_core::SC_ZERO_TIME);
}

void Function::soft_reset(ResetKind kind) {
  // Power stays on in D3hot, so PME context does as well.
  const bool aux_power = (config_.config().pm_capabilities & kPmcPmeD3cold) != 0;
  config_.reset(kind == ResetKind::kPowerState || aux_power);
  config_.set_interrupt_status(irq_was_);
  message_pending_ = false;
  if (msix_) msix_->reset();
  apply_config();
  if (events.size() > 0) events->pci_reset(kind);
}

void Function::bus_reset() { soft_reset(ResetKind::kBusReset); }

void Function::reset_changed() {
  in_reset_ = reset->read();
  if (in_reset_) bus_reset();
}

void Function::set_pme(bool enabled, bool status) {
  config_.set_pme_enabled(enabled);
  config_.set_pme_status(status);
  announced_.pme_enabled = config_.pme_enabled();
  announced_.pme_status = config_.pme_status();
  outputs_event_.notify(sc_core::SC_ZERO_TIME);
}

void Function::assert_pme() {
  pme_asserted_ = true;
  set_pme(config_.pme_enabled(), true);
}

}  // namespace e1000tlm::pci
