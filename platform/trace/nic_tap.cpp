#include "e1000tlm/trace/nic_tap.h"

#include <string>

#include "e1000tlm/board/e1000_card.h"
#include "e1000tlm/board/virtio_card.h"
#include "e1000tlm/link/frame.h"
#include "e1000tlm/pci/config_space.h"
#include "e1000tlm/tlm/bytes.h"
#include "e1000tlm/trace/e1000_tap.h"
#include "e1000tlm/trace/virtio_tap.h"

namespace e1000tlm::trace {
namespace {

constexpr std::uint16_t kMacControl = 0x8808, kVlan = 0x8100, kIpv4 = 0x0800, kIpv6 = 0x86DD;

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

/// Of a card that has no more to tell.
class PlainTap : public NicTap {
 public:
  using NicTap::NicTap;
  std::optional<std::uint32_t> register_at(std::uint64_t) const override { return std::nullopt; }
  bool followed() const override { return false; }
};

}  // namespace

NicTap::NicTap(EventSink& sink, platform::NicSlot& slot, std::uint16_t nic, std::uint16_t board)
    : sink_(sink), slot_(slot), nic_(nic), board_(board) {
  slot.cable().wire.attach([this](const link::WireEvent& e) { wire(e); });
}

NicTap::~NicTap() = default;

void NicTap::watch_pins() {
  const std::string name = "pins_" + std::to_string(nic_);
  pins_ = std::make_unique<PinWatch>(name.c_str(), slot_, [this](Pin pin, Time at, bool level) {
    Event event = make(Kind::kPin, at, at);
    event.code = static_cast<std::uint8_t>(pin);
    event.value = level ? 1 : 0;
    tell(event);
  });
}

void NicTap::watch_pin(Pin pin, const sc_core::sc_signal<bool>& level) { pins_->watch(pin, level); }

Event NicTap::make(Kind kind, Time at, Time end) const {
  Event event;
  event.kind = kind;
  event.at = event.asked = at;
  event.end = end;
  event.nic = nic_;
  event.board = board_;
  return event;
}

std::uint64_t NicTap::bar(unsigned index) const {
  const pci::ConfigSpace& space = slot_.function().config();
  constexpr std::uint32_t k64Bit = 4;
  const std::uint32_t at = pci::cfg::kBar0 + 4 * index;
  const std::uint32_t low = space.read(at, 4);
  const std::uint64_t high = (low & k64Bit) != 0 ? space.read(at + 4, 4) : 0;
  return high << 32 | (low & ~0xFU);
}

Use NicTap::use_of(std::uint64_t, bool write) {
  return write ? Use::kReceiveData : Use::kTransmitData;
}

void NicTap::accessed(std::uint32_t, bool, Time) {}

void NicTap::carried(const link::WireEvent&, bool) {}

void NicTap::wire(const link::WireEvent& e) {
  Event event = make(e.from == 0 ? Kind::kWireOut : Kind::kWireIn, e.start, e.end);
  event.bytes = static_cast<std::uint32_t>(e.frame->wire_bytes());
  event.code = ether_type(*e.frame) == kMacControl ? 1 : 0;
  if (e.from == 0) event.value = header_bytes(*e.frame);
  tell(event);
  carried(e, event.code != 0);
}

std::unique_ptr<NicTap> make_nic_tap(EventSink& sink, platform::NicSlot& slot, std::uint16_t nic,
                                     std::uint16_t board) {
  if (platform::E1000Card* card = platform::e1000_card(slot)) {
    return std::make_unique<E1000Tap>(sink, slot, *card, nic, board);
  }
  if (platform::VirtioCard* card = platform::virtio_card(slot)) {
    return std::make_unique<VirtioTap>(sink, slot, *card, nic, board);
  }
  return std::make_unique<PlainTap>(sink, slot, nic, board);
}

}  // namespace e1000tlm::trace
