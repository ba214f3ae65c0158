#pragma once
/// Listens to the probes of a card with a controller of the 8254x family.

#include <cstdint>
#include <deque>
#include <optional>

#include "e1000tlm/board/e1000_card.h"
#include "e1000tlm/e1000/dma/descriptors.h"
#include "e1000tlm/e1000/interrupts/interrupt_unit.h"
#include "e1000tlm/e1000/receive/mac_receiver.h"
#include "e1000tlm/e1000/receive/receive_engine.h"
#include "e1000tlm/e1000/transmit/transmit_engine.h"
#include "e1000tlm/trace/nic_tap.h"

namespace e1000tlm::trace {

/// Tells of descriptors, FIFOs, interrupts, timers, PHY and EEPROM.
class E1000Tap : public NicTap {
 public:
  /// Attaches. `card` is the one in the slot.
  E1000Tap(EventSink& sink, platform::NicSlot& slot, platform::E1000Card& card, std::uint16_t nic,
           std::uint16_t board);

  Use use_of(std::uint64_t address, bool write) override;
  std::optional<std::uint32_t> register_at(std::uint64_t address) const override;
  bool followed() const override { return true; }
  void accessed(std::uint32_t offset, bool write, Time at) override;

 private:
  static constexpr std::uint32_t kDescriptor = 16;
  struct Ring {
    std::uint64_t base = 0;
    std::uint32_t bytes = 0;
    bool has(std::uint64_t address) const { return address - base < bytes; }
    std::uint32_t entries() const { return bytes / kDescriptor; }
  };

  void carried(const link::WireEvent& event, bool mac_control) override;
  /// A register without side effects.
  std::uint32_t peek(std::uint32_t offset) const;
  void doorbell(std::uint32_t offset, Time at);
  void attach_timers(e1000::Controller& controller);
  void attach_management(e1000::Controller& controller);
  void read_ring(Ring& ring, std::uint32_t low, std::uint32_t high, std::uint32_t length) const;
  void received(const e1000::ReceiveEvent& e);
  void receive_descriptor(const e1000::ReceiveDescriptorEvent& e);
  void fifo(Time at, bool reset = false);
  void emptied(Time at);
  void transmit_descriptor(const e1000::TransmitDescriptorEvent& e);

  platform::E1000Card& card_;
  Ring receive_, transmit_;
  std::deque<std::uint32_t> stored_;  // frames in the receive FIFO
  std::uint32_t fifo_ = 0;
  Time asserted_{};
};

}  // namespace e1000tlm::trace
