#include "e1000tlm/trace/virtio_tap.h"

#include "e1000tlm/link/cable.h"
#include "e1000tlm/virtio/pci_layout.h"
#include "e1000tlm/virtio/transport.h"

namespace e1000tlm::trace {
namespace {

namespace layout = virtio::pci_layout;

bool within(std::uint64_t address, std::uint64_t start, std::uint64_t bytes) {
  return address - start < bytes;
}

/// The address is of one of the queue's three parts.
bool has(const virtio::SplitLayout& queue, std::uint64_t address) {
  using Layout = virtio::SplitLayout;
  return within(address, queue.descriptors, Layout::descriptor_bytes(queue.size)) ||
         within(address, queue.available, Layout::available_bytes(queue.size)) ||
         within(address, queue.used, Layout::used_bytes(queue.size));
}

}  // namespace

VirtioTap::VirtioTap(EventSink& sink, platform::NicSlot& slot, platform::VirtioCard& card,
                     std::uint16_t nic, std::uint16_t board)
    : NicTap(sink, slot, nic, board), card_(card) {
  virtio::NetProbes& probes = card.device().probes();
  probes.received.attach([this](const virtio::NetReceiveEvent& e) { received(e); });
  probes.buffers.attach([this](const virtio::NetBufferEvent& e) { buffer(e); });
  probes.interrupts.attach([this](const virtio::NetInterruptEvent& e) {
    Event event = make(Kind::kInterrupt, e.at, e.at);
    event.code = kQueueInterrupt;
    event.value = e.queue;
    tell(event);
  });
}

void VirtioTap::watch_pins() {
  NicTap::watch_pins();
  watch_pin(Pin::kIntx, card_.irq());
}

bool VirtioTap::receives(unsigned queue) const {
  return queue % 2 == 0 && queue < 2 * card_.device().config().queue_pairs;
}

Use VirtioTap::use_of(std::uint64_t address, bool write) {
  const virtio::NetDevice& device = card_.device();
  for (unsigned i = 0; i < device.queues(); ++i) {
    const virtio::QueueSetup& queue = device.queue(i);
    if (!queue.enabled || !has(queue.layout, address)) continue;
    if (receives(i)) return write ? Use::kReceiveWriteBack : Use::kReceiveFetch;
    return write ? Use::kTransmitWriteBack : Use::kTransmitFetch;
  }
  return NicTap::use_of(address, write);
}

std::optional<std::uint32_t> VirtioTap::register_at(std::uint64_t address) const {
  const std::uint64_t offset = address - bar(layout::kModernBar);
  if (offset >= layout::kModernBytes) return std::nullopt;
  return kVirtioRegisters | static_cast<std::uint32_t>(offset);
}

void VirtioTap::received(const virtio::NetReceiveEvent& e) {
  Event event = make(e.stored ? Kind::kReceived : Kind::kDrop, e.at, e.at);
  event.bytes = static_cast<std::uint32_t>(e.frame->wire_bytes());
  event.asked = e.at - link::serialisation(e.frame->wire_bytes(), slot_.cable().end(0).speed());
  if (!e.stored) {
    event.code = static_cast<std::uint8_t>(kVirtioDrops + static_cast<std::uint8_t>(e.drop));
  }
  tell(event);
}

void VirtioTap::buffer(const virtio::NetBufferEvent& e) {
  const bool receive = receives(e.queue);
  if (e.used != receive) return;  // as descriptors: filled, or begun
  Event event = make(receive ? Kind::kReceiveDescriptor : Kind::kTransmitDescriptor, e.at, e.at);
  event.value = kQueueBuffer | std::uint64_t{e.queue} << 16U | e.head;
  event.bytes = e.bytes;
  event.code = kEndsPacket;
  tell(event);
}

}  // namespace e1000tlm::trace
