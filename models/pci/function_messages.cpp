/// Interrupts of a function: the line, and messages.
#include "e1000tlm/pci/function.h"
#include "e1000tlm/pci/payload.h"
#include "e1000tlm/tlm/bytes.h"

namespace e1000tlm::pci {

void Function::drive_outputs() {
  const bool level = irq.read();
  config_.set_interrupt_status(level);
  const bool d0 = config_.power_state() == PowerState::kD0;
  const bool msi = config_.msi().enabled && !messages_enabled();
  const bool disabled = (config_.command() & command::kIntxDisable) != 0;
  intx.write(level && d0 && !msi && !messages_enabled() && !disabled);
  pme_asserted_ = pme_asserted_ && config_.pme_status();
  if (pme.size() > 0) {
    pme->write(config_.pme_status() && (config_.pme_enabled() || pme_asserted_));
  }

  if (level && !irq_was_ && msi) message_pending_ = true;
  if (!msi) message_pending_ = false;
  irq_was_ = level;
  messages_changed();
}

void Function::messages_changed() {
  const bool ready = message_pending_ || (msix_ && msix_->ready());
  if (ready && may_master_) message_event_.notify(sc_core::SC_ZERO_TIME);
}

void Function::send_message(unsigned vector) {
  if (!msix_) return;
  msix_->raise(vector);
  messages_changed();
}

std::optional<InterruptMessage> Function::next_message() {
  if (msix_ && msix_->enabled()) return msix_->take();
  if (!message_pending_) return std::nullopt;
  message_pending_ = false;
  const ConfigSpace::Msi msi = config_.msi();
  if (!msi.enabled) return std::nullopt;
  // The upper half of the message is zero (PCI 2.3 6.8.1.6).
  return InterruptMessage{msi.address, msi.data};
}

/// False: it did not reach the bus, or nobody there took it.
bool Function::post(const InterruptMessage& message) {
  store_le32(message_data_.data(), message.data);
  message_.set_command(::tlm::TLM_WRITE_COMMAND);
  message_.set_address(message.address);
  message_.set_data_ptr(message_data_.data());
  message_.set_data_length(static_cast<unsigned>(message_data_.size()));
  message_.set_streaming_width(static_cast<unsigned>(message_data_.size()));
  message_.set_byte_enable_ptr(nullptr);
  message_.set_dmi_allowed(false);
  message_.set_response_status(::tlm::TLM_INCOMPLETE_RESPONSE);
  sc_core::sc_time delay = sc_core::SC_ZERO_TIME;
  under_way_ = message;
  initiator->b_transport(message_, delay);  // an abort shows in the status register
  under_way_.reset();
  if (delay != sc_core::SC_ZERO_TIME) sc_core::wait(delay);
  return message_.is_response_ok();
}

/// Bus mastering was switched off before it had its turn: it is pending again.
void Function::put_back(const InterruptMessage& message) {
  if (message.vector) {
    msix_->raise(*message.vector);
  } else {
    message_pending_ = config_.msi().enabled;
  }
}

void Function::send_messages() {
  for (;;) {
    sc_core::wait(message_event_);
    while (may_master_) {
      const std::optional<InterruptMessage> message = next_message();
      if (!message) break;
      if (!post(*message) && !may_master_) put_back(*message);
    }
  }
}

// --- MSI-X registers ----------------------------------------------------------------------------

/// The device that shares a BAR with MSI-X; nullptr: there is none.
Function::OptionalInitiator* Function::behind_msix(const Window& window) {
  if (window.index == kRomIndex || bar[window.index].size() == 0) return nullptr;
  return &bar[window.index];
}

/// An access that no device gets. False: one gets it.
bool Function::answer_itself(const Window& window, ::tlm::tlm_generic_payload& payload) {
  const std::uint64_t offset = payload.get_address() - window.start;
  if (msix_ && msix_->touches(window.index, offset, extent(payload))) {
    access_msix(window, payload);
    return true;
  }
  if (behind_msix(window) != nullptr) return false;
  const bool reserved = msix_ && msix_->has_bar(window.index);
  if (reserved && payload.is_read()) {
    std::memset(payload.get_data_ptr(), 0, payload.get_data_length());
  } else {
    fill_ones(payload);
  }
  payload.set_response_status(::tlm::TLM_OK_RESPONSE);
  return true;
}

void Function::access_msix(const Window& window, ::tlm::tlm_generic_payload& payload) {
  const std::uint8_t* enables = payload.get_byte_enable_ptr();
  const std::uint32_t period = payload.get_byte_enable_length();
  if (enables != nullptr && period == 0) {
    payload.set_response_status(::tlm::TLM_BYTE_ENABLE_ERROR_RESPONSE);
    return;
  }
  std::uint8_t* data = payload.get_data_ptr();
  const std::uint64_t offset = payload.get_address() - window.start;
  for (std::uint32_t i = 0; i < payload.get_data_length(); ++i) {
    if (enables != nullptr && enables[i % period] != TLM_BYTE_ENABLED) continue;
    const std::uint64_t at = offset + i % payload.get_streaming_width();
    if (payload.is_write()) {
      msix_->write(window.index, at, data[i]);
    } else if (payload.is_read()) {
      data[i] = msix_->read(window.index, at);
    }
  }
  payload.set_response_status(::tlm::TLM_OK_RESPONSE);
  if (payload.is_write()) messages_changed();
}

unsigned Function::debug_itself(const Window& window, ::tlm::tlm_generic_payload& payload) const {
  if (!payload.is_read()) return 0;
  const std::uint64_t offset = payload.get_address() - window.start;
  for (std::uint32_t i = 0; i < payload.get_data_length(); ++i) {
    payload.get_data_ptr()[i] = msix_->read(window.index, offset + i);
  }
  return payload.get_data_length();
}

}  // namespace e1000tlm::pci
