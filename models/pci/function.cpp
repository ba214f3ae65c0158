#include "e1000tlm/pci/function.h"

#include <algorithm>
#include <optional>

#include "e1000tlm/pci/config_access.h"
#include "e1000tlm/pci/payload.h"
#include "e1000tlm/tlm/bytes.h"

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
  if (config.msi_offset != 0) {
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
    device_[i] = bar[i].size() > 0 ? &bar[i] : nullptr;
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
    fill_ones(payload);
    payload.set_response_status(::tlm::TLM_OK_RESPONSE);
    return;
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
  if (space == Space::kConfig) return debug_config(config_, payload, address);
  const std::uint32_t bytes = payload.get_data_length();
  const Window* window = bytes == 0 ? nullptr : find(space, address, address + bytes - 1);
  if (window == nullptr || device_[window->index] == nullptr) return 0;
  payload.set_address(address - window->start);
  const unsigned done = (*device_[window->index])->transport_dbg(payload);
  payload.set_address(address);
  return done;
}

void Function::config_transport(::tlm::tlm_generic_payload& payload) {
  const bool was_d3 = config_.power_state() == PowerState::kD3hot;
  access_config(config_, payload, payload.get_address());
  if (!payload.is_write()) return;
  if (was_d3 && config_.power_state() == PowerState::kD0) {
    soft_reset(ResetKind::kPowerState);
  } else {
    apply_config();
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

  const Announced before = announced_;
  announced_ = {may_master, power, config_.pme_enabled(), config_.pme_status()};
  if (events.size() > 0) {
    if (lost) events->pci_bus_master(false);
    // First of all, as devices prepare for sleep by whether they are to wake the system.
    if (before.pme_enabled != announced_.pme_enabled ||
        before.pme_status != announced_.pme_status) {
      events->pci_pme(announced_.pme_enabled, announced_.pme_status);
    }
    if (before.power != power) events->pci_power_state(power);
    if (may_master && !before.may_master) events->pci_bus_master(true);
  }
  outputs_event_.notify(sc_core::SC_ZERO_TIME);
}

void Function::soft_reset(ResetKind kind) {
  // Power stays on in D3hot, so PME context does as well.
  const bool aux_power = (config_.config().pm_capabilities & kPmcPmeD3cold) != 0;
  config_.reset(kind == ResetKind::kPowerState || aux_power);
  config_.set_interrupt_status(irq_was_);
  message_pending_ = false;
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

// --- interrupts ---------------------------------------------------------------------------------

void Function::drive_outputs() {
  const bool level = irq.read();
  config_.set_interrupt_status(level);
  const bool d0 = config_.power_state() == PowerState::kD0;
  const bool msi = config_.msi().enabled;
  const bool disabled = (config_.command() & command::kIntxDisable) != 0;
  intx.write(level && d0 && !msi && !disabled);
  pme_asserted_ = pme_asserted_ && config_.pme_status();
  if (pme.size() > 0) {
    pme->write(config_.pme_status() && (config_.pme_enabled() || pme_asserted_));
  }

  if (level && !irq_was_ && msi) message_pending_ = true;
  if (!msi) message_pending_ = false;
  irq_was_ = level;
  if (message_pending_ && may_master_) message_event_.notify(sc_core::SC_ZERO_TIME);
}

void Function::send_messages() {
  for (;;) {
    sc_core::wait(message_event_);
    while (message_pending_ && may_master_) {
      message_pending_ = false;
      const ConfigSpace::Msi msi = config_.msi();
      if (!msi.enabled) break;
      // The upper half of the message is zero (PCI 2.3 6.8.1.6).
      store_le32(message_data_.data(), msi.data);
      message_.set_command(::tlm::TLM_WRITE_COMMAND);
      message_.set_address(msi.address);
      message_.set_data_ptr(message_data_.data());
      message_.set_data_length(static_cast<unsigned>(message_data_.size()));
      message_.set_streaming_width(static_cast<unsigned>(message_data_.size()));
      message_.set_byte_enable_ptr(nullptr);
      message_.set_dmi_allowed(false);
      message_.set_response_status(::tlm::TLM_INCOMPLETE_RESPONSE);
      sc_core::sc_time delay = sc_core::SC_ZERO_TIME;
      initiator->b_transport(message_, delay);  // an abort shows in the status register
      if (delay != sc_core::SC_ZERO_TIME) sc_core::wait(delay);
    }
  }
}

}  // namespace e1000tlm::pci
