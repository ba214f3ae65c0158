/// Whatever a driver writes to the registers of a virtio device, they hold what can be, and looking
/// changes nothing.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "e1000tlm/virtio/transport.h"

namespace {

using namespace e1000tlm::virtio;

constexpr std::size_t kOperationBytes = 8;
constexpr std::uint64_t kOffered = ring_feature::kVersion1 | ring_feature::kRingReset | 0x3FFF;

void require(bool holds) {
  if (!holds) std::abort();
}

struct Device : DeviceModel, InterruptSink {
  std::uint64_t offered_features() const override { return kOffered; }
  bool accept_features(std::uint64_t features) override {
    require((features & ~kOffered) == 0);
    return (features & 0x81) != 0x80;
  }
  void driver_ready() override { ready = true; }
  void device_reset() override { ready = false; }
  void queue_enabled(unsigned queue) override { require(ready && queue < 5); }
  void queue_reset(unsigned queue) override { require(queue < 5); }
  void queue_notified(unsigned queue) override { require(queue < 5); }
  std::uint8_t config_byte(unsigned offset) const override {
    return offset < sizeof config ? config[offset] : std::uint8_t{0};
  }
  void write_config(unsigned offset, std::uint8_t value) override {
    if (offset < sizeof config) config[offset] = value;
  }
  bool messages_enabled() const override { return msix; }
  void send_message(unsigned vector) override { require(msix && vector < 4); }
  void set_level(bool asserted) override { level = asserted; }

  std::uint8_t config[24]{};
  bool ready = false, msix = false, level = false;
};

void check(const PciTransport& transport, const Device& device) {
  require((transport.features() & ~kOffered) == 0);
  if (transport.running()) require(device.ready);
  for (unsigned i = 0; i < transport.queues(); ++i) {
    const QueueSetup& queue = transport.queue(i);
    if (queue.enabled) require(queue.layout.problem().empty() && queue.layout.size <= 256);
    require(queue.vector < 4 || queue.vector == pci_layout::kNoVector);
  }
  const std::uint32_t isr = transport.peek(pci_layout::kIsrAt, 1);
  require(device.level == (isr != 0 && !device.msix));
}

/// One byte says what, one how wide, two where, four what value.
void run(PciTransport& transport, Device& device, const std::uint8_t* operation) {
  const unsigned bytes = 1U << (operation[1] % 3);
  const std::uint32_t at = (operation[2] | operation[3] << 8) % 0x4100U;
  const std::uint32_t value = e1000tlm::load_le32(operation + 4);
  switch (operation[0] % 10) {
    case 0:
    case 1: transport.write(at, bytes, value); break;
    case 2: transport.write(at % 64, bytes, value); break;
    case 3: transport.write_legacy(at % 32, bytes, value); break;
    case 4: {
      const std::uint32_t seen = transport.peek(at, bytes);
      require(transport.peek(at, bytes) == seen && transport.read(at, bytes) == seen);
      break;
    }
    case 5: {
      const std::uint32_t seen = transport.peek_legacy(at % 64, bytes);
      require(transport.peek_legacy(at % 64, bytes) == seen);
      require(transport.read_legacy(at % 64, bytes) == seen);
      break;
    }
    case 6: transport.queue_used(value % 5); break;
    case 7: transport.config_changed(); break;
    case 8:
      device.msix = !device.msix;
      transport.messages_switched();
      break;
    default: value % 4 == 0 ? transport.needs_reset("for a trial") : transport.bus_reset(); break;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Device device;
  PciTransport transport({5, 256, 4, size % 2 == 0}, device, device);
  for (; size >= kOperationBytes; size -= kOperationBytes, data += kOperationBytes) {
    run(transport, device, data);
    check(transport, device);
  }
  transport.write(pci_layout::common::kStatus, 1, 0);
  require(transport.status() == 0 && transport.fault().empty() && !device.ready);
  return 0;
}
