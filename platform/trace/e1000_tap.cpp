#include "e1000tlm/trace/e1000_tap.h"

#include <tlm>

#include "e1000tlm/e1000/packet_buffer/packet_buffer.h"
#include "e1000tlm/e1000/registers/registers.h"
#include "e1000tlm/link/frame.h"
#include "e1000tlm/tlm/bytes.h"

namespace e1000tlm::trace {
namespace {

constexpr std::uint32_t kRegisterBytes = 128U << 10;
/// Frames in a FIFO of 64 KiB.
constexpr std::size_t kMostStored = 1024;

}  // namespace

E1000Tap::E1000Tap(EventSink& sink, platform::NicSlot& slot, platform::E1000Card& card,
                   std::uint16_t nic, std::uint16_t board)
    : NicTap(sink, slot, nic, board), card_(card) {
  e1000::Controller& controller = card.controller();
  controller.received().attach([this](const e1000::ReceiveEvent& e) { received(e); });
  controller.interrupt_events().attach([this](const e1000::InterruptEvent& e) {
    Event event = make(Kind::kInterrupt, e.at, e.at);
    event.code = e.asserted ? 1 : 0;
    event.value = e.causes;
    if (e.asserted) {
      // It comes just when the interval since the one before has passed (manual 13.4.18).
      const Time interval = ns(256) * static_cast<std::int64_t>(peek(e1000::reg::kItr) & 0xFFFF);
      const bool held = interval > kTimeZero && e.at - asserted_ == interval;
      event.bytes = held ? 1 : 0;
      asserted_ = e.at;
      if (interval > kTimeZero) {
        Event timer = make(Kind::kTimer, e.at, e.at + interval);
        timer.code = static_cast<std::uint8_t>(Timer::kThrottling);
        tell(timer);
      }
    }
    tell(event);
  });
  attach_timers(controller);
  attach_management(controller);
  controller.receive_descriptors().attach(
      [this](const e1000::ReceiveDescriptorEvent& e) { receive_descriptor(e); });
  controller.transmit_descriptors().attach(
      [this](const e1000::TransmitDescriptorEvent& e) { transmit_descriptor(e); });
}

Use E1000Tap::use_of(std::uint64_t address, bool write) {
  if (receive_.has(address)) return write ? Use::kReceiveWriteBack : Use::kReceiveFetch;
  if (transmit_.has(address)) return write ? Use::kTransmitWriteBack : Use::kTransmitFetch;
  return write ? Use::kReceiveData : Use::kTransmitData;
}

std::optional<std::uint32_t> E1000Tap::register_at(std::uint64_t address) const {
  const std::uint64_t offset = address - bar(0);
  if (offset >= kRegisterBytes) return std::nullopt;
  return static_cast<std::uint32_t>(offset);
}

void E1000Tap::accessed(std::uint32_t offset, bool write, Time at) {
  if (write && (offset == e1000::reg::kTdt || offset == e1000::reg::kRdt)) doorbell(offset, at);
}

void E1000Tap::carried(const link::WireEvent& event, bool mac_control) {
  if (event.from != 0 || mac_control) return;
  Event leaves = make(Kind::kTransmitFifo, event.end, event.end);
  leaves.bytes = e1000::fifo_bytes(event.frame->size());
  leaves.code = 1;
  tell(leaves);
}

std::uint32_t E1000Tap::peek(std::uint32_t offset) const {
  std::uint8_t bytes[4] = {};
  ::tlm::tlm_generic_payload payload;
  payload.set_command(::tlm::TLM_READ_COMMAND);
  payload.set_address(offset);
  payload.set_data_ptr(bytes);
  payload.set_data_length(sizeof bytes);
  payload.set_streaming_width(sizeof bytes);
  card_.controller().mmio.get_base_export()->transport_dbg(payload);
  return load_le32(bytes);
}

/// Software writes a tail register: rings may have been set up anew, and are as they were left.
void E1000Tap::doorbell(std::uint32_t offset, Time at) {
  namespace reg = e1000::reg;
  read_ring(receive_, reg::kRdbal, reg::kRdbah, reg::kRdlen);
  read_ring(transmit_, reg::kTdbal, reg::kTdbah, reg::kTdlen);
  if (!stored_.empty() && peek(reg::kRdfpc) == 0) emptied(at);
  const bool transmit = offset == reg::kTdt;
  Ring& ring = transmit ? transmit_ : receive_;
  const std::uint32_t tail = peek(offset);
  const std::uint32_t head = peek(transmit ? reg::kTdh : reg::kRdh);
  if (transmit) sink_.tail(nic(), tail, ring.entries());
  if (ring.entries() == 0) return;
  Event event = make(Kind::kRing, at, at);
  event.code = transmit ? 1 : 0;
  event.bytes = (tail + ring.entries() - head) % ring.entries();
  tell(event);
}

void E1000Tap::attach_timers(e1000::Controller& controller) {
  const auto attach = [this](Probe<e1000::DelayEvent>& probe, Timer timer) {
    probe.attach([this, timer](const e1000::DelayEvent& e) {
      Event event = make(Kind::kTimer, e.at, e.at);
      event.code = static_cast<std::uint8_t>(timer);
      event.value = static_cast<std::uint64_t>(e.what);  // as TimerStep
      tell(event);
    });
  };
  attach(controller.receive_delay(), Timer::kReceiveDelay);
  attach(controller.transmit_delay(), Timer::kTransmitDelay);
}

void E1000Tap::attach_management(e1000::Controller& controller) {
  controller.probes().mdio.attach([this](const e1000::MdioEvent& e) {
    Event event = make(Kind::kPhy, e.begin, e.at);
    event.value = e.reg;
    event.bytes = e.data;
    event.code = static_cast<std::uint8_t>((e.write ? kWritten : 0) | (e.answered ? 0 : kNoAnswer));
    tell(event);
  });
  controller.probes().eeprom.attach([this](const e1000::EepromEvent& e) {
    Event event = make(Kind::kEeprom, e.begin, e.at);
    event.value = e.word;
    event.bytes = e.data;
    event.code = static_cast<std::uint8_t>((e.write ? kWritten : 0) | (e.pins ? kByPins : 0));
    tell(event);
  });
  controller.probes().pause.attach([this](const e1000::PauseEvent& e) {
    Event event = make(Kind::kPause, e.at, e.until);
    event.value = e.quanta;
    event.code = e.sent ? 1 : 0;
    tell(event);
  });
  controller.probes().transmit_fifo.attach([this](const e1000::TransmitFifoEvent& e) {
    Event event = make(Kind::kTransmitFifo, e.at, e.at);
    event.bytes = e.bytes;
    tell(event);
  });
}

void E1000Tap::read_ring(Ring& ring, std::uint32_t low, std::uint32_t high,
                         std::uint32_t length) const {
  ring.base = std::uint64_t{peek(high)} << 32 | peek(low);
  ring.bytes = peek(length);
}

void E1000Tap::received(const e1000::ReceiveEvent& e) {
  Event event = make(e.stored ? Kind::kReceived : Kind::kDrop, e.at, e.at);
  event.bytes = static_cast<std::uint32_t>(e.frame->wire_bytes());
  event.asked = e.at - link::serialisation(e.frame->wire_bytes(), slot_.cable().end(0).speed());
  if (!e.stored) event.code = static_cast<std::uint8_t>(e.drop);
  tell(event);
  if (!e.stored) return;
  stored_.push_back(e1000::fifo_bytes(event.bytes));
  if (stored_.size() > kMostStored) emptied(e.at);  // by resets that went unnoticed
  if (!stored_.empty()) fifo_ += stored_.back();
  fifo(e.at);
}

void E1000Tap::receive_descriptor(const e1000::ReceiveDescriptorEvent& e) {
  const bool last = (e.fields.status & e1000::rx_status::kEop) != 0;
  Event event = make(Kind::kReceiveDescriptor, e.at, e.at);
  event.value = e.index;
  event.bytes = e.fields.length;
  event.code = last ? kEndsPacket : 0;
  tell(event);
  if (!last || stored_.empty()) return;
  fifo_ -= stored_.front();
  stored_.pop_front();
  fifo(e.at);
}

void E1000Tap::fifo(Time at, bool reset) {
  Event event = make(Kind::kFifo, at, at);
  event.bytes = fifo_;
  event.code = reset ? 1 : 0;
  tell(event);
}

/// By a reset, which nobody announces.
void E1000Tap::emptied(Time at) {
  stored_.clear();
  fifo_ = 0;
  fifo(at, true);
}

void E1000Tap::transmit_descriptor(const e1000::TransmitDescriptorEvent& e) {
  const e1000::TxDescriptor& d = e.descriptor;
  Event event = make(Kind::kTransmitDescriptor, e.at, e.at);
  event.value = e.index;
  event.bytes = d.data_length();
  const bool context = d.kind == e1000::TxDescriptor::Kind::kContext;
  const bool segments = d.kind == e1000::TxDescriptor::Kind::kData && d.has(e1000::tx_cmd::kTse);
  event.code = static_cast<std::uint8_t>((d.ends_packet() ? kEndsPacket : 0) |
                                         (segments ? kSegments : 0) | (context ? kContext : 0));
  tell(event);
}

}  // namespace e1000tlm::trace
