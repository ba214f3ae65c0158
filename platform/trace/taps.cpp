#include "e1000tlm/trace/taps.h"

#include <algorithm>
#include <deque>
#include <utility>

#include <tlm>

#include "e1000tlm/e1000/dma/descriptors.h"
#include "e1000tlm/e1000/interrupts/interrupt_unit.h"
#include "e1000tlm/e1000/packet_buffer/packet_buffer.h"
#include "e1000tlm/e1000/receive/mac_receiver.h"
#include "e1000tlm/e1000/receive/receive_engine.h"
#include "e1000tlm/e1000/registers/registers.h"
#include "e1000tlm/e1000/transmit/transmit_engine.h"
#include "e1000tlm/link/frame.h"
#include "e1000tlm/pci/config_space.h"
#include "e1000tlm/trace/pins.h"

namespace e1000tlm::trace {
namespace {

constexpr std::uint16_t kMacControl = 0x8808, kVlan = 0x8100, kIpv4 = 0x0800, kIpv6 = 0x86DD;
constexpr std::uint32_t kRegisterBytes = 128U << 10;
constexpr unsigned kHostMaster = 0;
constexpr std::uint32_t kDescriptor = 16;
/// Frames in a FIFO of 64 KiB.
constexpr std::size_t kMostStored = 1024;

std::uint16_t ether_type(const link::Frame& frame) {
  return frame.size() < 14 ? 0 : load_be16(frame.data() + 12);
}

/// Ethernet, IP and TCP or UDP headers of a frame, as segmentation repeats them.
std::uint32_t header_bytes(const link::Frame& frame) {
  std::uint32_t at = 14;
  std::uint16_t type = ether_type(frame);
  if (type == kVlan && frame.size() >= 18) {
    type = load_be16(frame.data() + 16);
    at = 18;
  }
  if (frame.size() < at + 40 || (type != kIpv4 && type != kIpv6)) return at;
  const std::uint8_t protocol = frame.data()[at + (type == kIpv4 ? 9 : 6)];
  at += type == kIpv4 ? (frame.data()[at] & 15U) * 4U : 40U;
  constexpr std::uint8_t kTcp = 6;
  if (protocol != kTcp) return at + 8;
  return frame.size() < at + 13U ? at : at + (frame.data()[at + 12] >> 4) * 4U;
}

}  // namespace

/// One adapter's probes.
class Taps::NicTap {
 public:
  NicTap(Taps& taps, platform::NicSlot& slot, std::uint16_t nic, std::uint16_t board)
      : taps_(taps), slot_(slot), nic_(nic), board_(board) {
    slot.cable().wire.attach([this](const link::WireEvent& e) { wire(e); });
    e1000::Controller& controller = slot.controller();
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
          taps_.tell(timer);
        }
      }
      taps_.tell(event);
    });
    attach_timers(controller);
    attach_management(controller);
    controller.receive_descriptors().attach(
        [this](const e1000::ReceiveDescriptorEvent& e) { receive_descriptor(e); });
    controller.transmit_descriptors().attach(
        [this](const e1000::TransmitDescriptorEvent& e) { transmit_descriptor(e); });
  }

  /// Its pins as well.
  void watch_pins() {
    const std::string name = "pins_" + std::to_string(nic_);
    pins_ = std::make_unique<PinWatch>(name.c_str(), slot_, [this](Pin pin, Time at, bool level) {
      Event event = make(Kind::kPin, at, at);
      event.code = static_cast<std::uint8_t>(pin);
      event.value = level ? 1 : 0;
      taps_.tell(event);
    });
  }
  std::uint16_t nic() const { return nic_; }

  Event make(Kind kind, Time at, Time end) const {
    Event event;
    event.kind = kind;
    event.at = event.asked = at;
    event.end = end;
    event.nic = nic_;
    event.board = board_;
    return event;
  }

  /// Where memory-mapped registers stand now.
  std::uint64_t base() const {
    const pci::ConfigSpace& space = slot_.function().config();
    constexpr std::uint32_t k64Bit = 4;
    const std::uint32_t low = space.read(pci::cfg::kBar0, 4);
    const std::uint64_t high = (low & k64Bit) != 0 ? space.read(pci::cfg::kBar0 + 4, 4) : 0;
    return high << 32 | (low & ~0xFU);
  }

  /// A register without side effects.
  std::uint32_t peek(std::uint32_t offset) const {
    std::uint8_t bytes[4] = {};
    ::tlm::tlm_generic_payload payload;
    payload.set_command(::tlm::TLM_READ_COMMAND);
    payload.set_address(offset);
    payload.set_data_ptr(bytes);
    payload.set_data_length(sizeof bytes);
    payload.set_streaming_width(sizeof bytes);
    slot_.controller().mmio.get_base_export()->transport_dbg(payload);
    return load_le32(bytes);
  }

  /// What an access of the adapter's was for.
  Use use_of(std::uint64_t address, bool write) {
    if (receive_.has(address)) return write ? Use::kReceiveWriteBack : Use::kReceiveFetch;
    if (transmit_.has(address)) return write ? Use::kTransmitWriteBack : Use::kTransmitFetch;
    return write ? Use::kReceiveData : Use::kTransmitData;
  }

  /// Software writes a tail register: rings may have been set up anew, and are as they were left.
  void doorbell(std::uint32_t offset, Time at) {
    namespace reg = e1000::reg;
    read_ring(receive_, reg::kRdbal, reg::kRdbah, reg::kRdlen);
    read_ring(transmit_, reg::kTdbal, reg::kTdbah, reg::kTdlen);
    if (!stored_.empty() && peek(reg::kRdfpc) == 0) emptied(at);
    const bool transmit = offset == reg::kTdt;
    Ring& ring = transmit ? transmit_ : receive_;
    const std::uint32_t tail = peek(offset);
    const std::uint32_t head = peek(transmit ? reg::kTdh : reg::kRdh);
    if (transmit) taps_.paths_.tail(nic_, tail, ring.entries());
    if (ring.entries() == 0) return;
    Event event = make(Kind::kRing, at, at);
    event.code = transmit ? 1 : 0;
    event.bytes = (tail + ring.entries() - head) % ring.entries();
    taps_.tell(event);
  }

 private:
  void attach_timers(e1000::Controller& controller) {
    const auto attach = [this](Probe<e1000::DelayEvent>& probe, Timer timer) {
      probe.attach([this, timer](const e1000::DelayEvent& e) {
        Event event = make(Kind::kTimer, e.at, e.at);
        event.code = static_cast<std::uint8_t>(timer);
        event.value = static_cast<std::uint64_t>(e.what);  // as TimerStep
        taps_.tell(event);
      });
    };
    attach(controller.receive_delay(), Timer::kReceiveDelay);
    attach(controller.transmit_delay(), Timer::kTransmitDelay);
  }

  void attach_management(e1000::Controller& controller) {
    controller.probes().mdio.attach([this](const e1000::MdioEvent& e) {
      Event event = make(Kind::kPhy, e.begin, e.at);
      event.value = e.reg;
      event.bytes = e.data;
      event.code =
          static_cast<std::uint8_t>((e.write ? kWritten : 0) | (e.answered ? 0 : kNoAnswer));
      taps_.tell(event);
    });
    controller.probes().eeprom.attach([this](const e1000::EepromEvent& e) {
      Event event = make(Kind::kEeprom, e.begin, e.at);
      event.value = e.word;
      event.bytes = e.data;
      event.code = static_cast<std::uint8_t>((e.write ? kWritten : 0) | (e.pins ? kByPins : 0));
      taps_.tell(event);
    });
    controller.probes().pause.attach([this](const e1000::PauseEvent& e) {
      Event event = make(Kind::kPause, e.at, e.until);
      event.value = e.quanta;
      event.code = e.sent ? 1 : 0;
      taps_.tell(event);
    });
    controller.probes().transmit_fifo.attach([this](const e1000::TransmitFifoEvent& e) {
      Event event = make(Kind::kTransmitFifo, e.at, e.at);
      event.bytes = e.bytes;
      taps_.tell(event);
    });
  }

  struct Ring {
    std::uint64_t base = 0;
    std::uint32_t bytes = 0;
    bool has(std::uint64_t address) const { return address - base < bytes; }
    std::uint32_t entries() const { return bytes / kDescriptor; }
  };

  void read_ring(Ring& ring, std::uint32_t low, std::uint32_t high, std::uint32_t length) const {
    ring.base = std::uint64_t{peek(high)} << 32 | peek(low);
    ring.bytes = peek(length);
  }

  void wire(const link::WireEvent& e) {
    Event event = make(e.from == 0 ? Kind::kWireOut : Kind::kWireIn, e.start, e.end);
    event.bytes = static_cast<std::uint32_t>(e.frame->wire_bytes());
    event.code = ether_type(*e.frame) == kMacControl ? 1 : 0;
    if (e.from == 0) event.value = header_bytes(*e.frame);
    taps_.tell(event);
    if (e.from != 0 || event.code != 0) return;
    Event leaves = make(Kind::kTransmitFifo, e.end, e.end);
    leaves.bytes = e1000::fifo_bytes(e.frame->size());
    leaves.code = 1;
    taps_.tell(leaves);
  }

  void received(const e1000::ReceiveEvent& e) {
    Event event = make(e.stored ? Kind::kReceived : Kind::kDrop, e.at, e.at);
    event.bytes = static_cast<std::uint32_t>(e.frame->wire_bytes());
    event.asked = e.at - link::serialisation(e.frame->wire_bytes(), slot_.cable().end(0).speed());
    if (!e.stored) event.code = static_cast<std::uint8_t>(e.drop);
    taps_.tell(event);
    if (!e.stored) return;
    stored_.push_back(e1000::fifo_bytes(event.bytes));
    if (stored_.size() > kMostStored) emptied(e.at);  // by resets that went unnoticed
    if (!stored_.empty()) fifo_ += stored_.back();
    fifo(e.at);
  }

  void receive_descriptor(const e1000::ReceiveDescriptorEvent& e) {
    const bool last = (e.fields.status & e1000::rx_status::kEop) != 0;
    Event event = make(Kind::kReceiveDescriptor, e.at, e.at);
    event.value = e.index;
    event.bytes = e.fields.length;
    event.code = last ? kEndsPacket : 0;
    taps_.tell(event);
    if (!last || stored_.empty()) return;
    fifo_ -= stored_.front();
    stored_.pop_front();
    fifo(e.at);
  }

  void fifo(Time at, bool reset = false) {
    Event event = make(Kind::kFifo, at, at);
    event.bytes = fifo_;
    event.code = reset ? 1 : 0;
    taps_.tell(event);
  }

  /// By a reset, which nobody announces.
  void emptied(Time at) {
    stored_.clear();
    fifo_ = 0;
    fifo(at, true);
  }

  void transmit_descriptor(const e1000::TransmitDescriptorEvent& e) {
    const e1000::TxDescriptor& d = e.descriptor;
    Event event = make(Kind::kTransmitDescriptor, e.at, e.at);
    event.value = e.index;
    event.bytes = d.data_length();
    const bool context = d.kind == e1000::TxDescriptor::Kind::kContext;
    const bool segments = d.kind == e1000::TxDescriptor::Kind::kData && d.has(e1000::tx_cmd::kTse);
    event.code = static_cast<std::uint8_t>((d.ends_packet() ? kEndsPacket : 0) |
                                           (segments ? kSegments : 0) | (context ? kContext : 0));
    taps_.tell(event);
  }

  Taps& taps_;
  platform::NicSlot& slot_;
  std::uint16_t nic_, board_;
  Ring receive_, transmit_;
  std::deque<std::uint32_t> stored_;  // frames in the receive FIFO
  std::uint32_t fifo_ = 0;
  Time asserted_{};
  std::unique_ptr<PinWatch> pins_;
};

/// One board's bus.
class Taps::BusTap {
 public:
  BusTap(Taps& taps, pci::Bus& bus, std::uint16_t board, std::vector<NicTap*> nics)
      : taps_(taps), bus_(bus), board_(board), nics_(std::move(nics)) {
    bus.tenures().attach([this](const pci::TenureEvent& e) { tenure(e); });
  }

 private:
  void tenure(const pci::TenureEvent& e) {
    Event event;
    event.kind = Kind::kBus;
    event.asked = e.requested;
    event.at = e.start;
    event.end = e.end;
    event.value = e.address;
    event.bytes = e.bytes;
    event.board = board_;
    event.nic = kNoNic;
    event.command = e.command;
    const Time busy = bus_.statistics().busy;
    event.busy = busy - std::exchange(busy_, busy);
    if (e.master != kHostMaster && e.master <= nics_.size()) {
      NicTap& tap = *nics_[e.master - 1];
      event.nic = tap.nic();
      event.use = tap.use_of(e.address, pci::is_write(e.command));
      taps_.tell(event);
      return;
    }
    taps_.tell(event);
    if (pci::is_memory(e.command) && !e.master_abort) register_access(event);
  }

  /// Software's: to which adapter?
  void register_access(Event event) {
    const auto found = std::find_if(nics_.begin(), nics_.end(), [&](const NicTap* tap) {
      return event.value - tap->base() < kRegisterBytes;
    });
    if (found == nics_.end()) return;
    NicTap& tap = **found;
    const auto offset = static_cast<std::uint32_t>(event.value - tap.base());
    const bool tail = offset == e1000::reg::kTdt || offset == e1000::reg::kRdt;
    if (tail && pci::is_write(event.command)) tap.doorbell(offset, event.end);
    event.kind = Kind::kRegister;
    event.nic = tap.nic();
    event.value = offset;
    taps_.tell(event);
  }

  Taps& taps_;
  pci::Bus& bus_;
  std::uint16_t board_;
  std::vector<NicTap*> nics_;
  Time busy_{};
};

Taps::Taps(platform::Board& board, Recorder& recorder, bool waves)
    : recorder_(recorder), paths_([this](const FramePath& path) { recorder_.record(path); }) {
  scene_.approximately_timed = ::tlm::tlm_global_quantum::instance().get() == sc_core::SC_ZERO_TIME;
  std::uint16_t number = 0;
  for (const auto& machine : board.machines()) {
    const auto place = static_cast<std::uint16_t>(buses_.size());
    std::vector<NicTap*> own;
    for (const auto& slot : machine->nics()) {
      scene_.board_of_nic.push_back(place);
      nics_.push_back(std::make_unique<NicTap>(*this, *slot, number++, place));
      if (waves) nics_.back()->watch_pins();
      own.push_back(nics_.back().get());
    }
    pci::Bus& bus = machine->bus();
    scene_.bus = bus.config().speed;
    scene_.arbiter = bus.config().arbiter;
    if (waves && scene_.approximately_timed) {
      bus.transactions().attach(
          [this, place](const pci::Transaction& t) { recorder_.record(t, place); });
    }
    buses_.push_back(std::make_unique<BusTap>(*this, bus, place, std::move(own)));
  }
}

Taps::~Taps() = default;

void Taps::tell(const Event& event) {
  recorder_.record(event);
  paths_(event);
}

}  // namespace e1000tlm::trace
