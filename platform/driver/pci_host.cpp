#include "e1000tlm/driver/pci_host.h"

namespace e1000tlm::driver {
namespace {

constexpr std::uint16_t kAddressPort = 0xCF8, kDataPort = 0xCFC;
constexpr unsigned kCommand = 0x04, kRevision = 0x08, kCacheLine = 0x0C, kLatencyTimer = 0x0D,
                   kBar0 = 0x10, kLine = 0x3C, kPin = 0x3D, kDevices = 32, kBars = 6;
constexpr unsigned kCapabilities = 0x34, kFirstCapability = 0x40, kMostCapabilities = 48;
constexpr std::uint32_t kNobody = 0xFFFF, kStatusCapabilities = 1U << 20;
constexpr std::uint32_t kCommandIo = 1, kCommandMemory = 2, kCommandMaster = 4;
constexpr std::uint64_t kMemoryEnd = 0xFEC0'0000;
constexpr std::uint32_t kIoEnd = 0x1'0000;
// What PC firmware programs: 16 dwords per line, 64 clocks of guaranteed bus time.
constexpr std::uint32_t kCacheLineDwords = 16, kLatencyClocks = 64;

std::uint64_t align_up(std::uint64_t value, std::uint64_t size) {
  return (value + size - 1) & ~(size - 1);
}

}  // namespace

void PciHost::select(unsigned device, unsigned offset) {
  cpu_.out(kAddressPort, 0x8000'0000U | (device << 11) | (offset & 0xFC));
}

std::uint32_t PciHost::read(unsigned device, unsigned offset, unsigned bytes) {
  select(device, offset);
  return cpu_.in(static_cast<std::uint16_t>(kDataPort + (offset & 3)), bytes);
}

void PciHost::write(unsigned device, unsigned offset, std::uint32_t value, unsigned bytes) {
  select(device, offset);
  cpu_.out(static_cast<std::uint16_t>(kDataPort + (offset & 3)), value, bytes);
}

std::vector<PciDevice> PciHost::scan() {
  std::vector<PciDevice> found;
  for (unsigned device = 1; device < kDevices; ++device) {
    const std::uint32_t id = read(device, 0);
    if ((id & 0xFFFF) == kNobody) continue;
    PciDevice entry;
    entry.device = device;
    entry.vendor_id = static_cast<std::uint16_t>(id);
    entry.device_id = static_cast<std::uint16_t>(id >> 16);
    entry.revision = static_cast<std::uint8_t>(read(device, kRevision, 1));
    found.push_back(entry);
  }
  return found;
}

void PciHost::place_io(PciDevice& device, unsigned offset, std::uint32_t size) {
  const auto base = static_cast<std::uint32_t>(align_up(next_io_, size));
  if (base + size > kIoEnd) return write(device.device, offset, 0);
  write(device.device, offset, base);
  next_io_ = base + size;
  device.bars[(offset - kBar0) / 4] = base;
  if (device.io == 0) device.io = static_cast<std::uint16_t>(base);
}

void PciHost::place_memory(PciDevice& device, unsigned offset, std::uint64_t size, bool is_64bit) {
  const std::uint64_t base = align_up(next_memory_, size);
  const bool fits = base + size <= kMemoryEnd;
  write(device.device, offset, fits ? static_cast<std::uint32_t>(base) : 0);
  if (is_64bit) write(device.device, offset + 4, 0);
  if (!fits) return;
  next_memory_ = base + size;
  device.bars[(offset - kBar0) / 4] = base;
  if (device.mmio == 0) device.mmio = base;
}

void PciHost::place_bars(PciDevice& device) {
  for (unsigned bar = 0; bar < kBars; ++bar) {
    const unsigned offset = kBar0 + 4 * bar;
    write(device.device, offset, 0xFFFF'FFFF);
    const std::uint32_t probe = read(device.device, offset);
    if (probe == 0) continue;
    if ((probe & 1) != 0) {
      // Upper 16 bits of an I/O BAR may be hardwired to 0.
      place_io(device, offset, (~(probe | 0xFFFF'0000U | 3U) & 0xFFFF) + 1);
      continue;
    }
    const bool is_64bit = (probe & 6) == 4;
    place_memory(device, offset, std::uint64_t{~(probe & ~15U)} + 1, is_64bit);
    if (is_64bit) ++bar;
  }
}

void PciHost::enable(PciDevice& device) {
  const std::uint32_t command = read(device.device, kCommand, 2);
  write(device.device, kCommand, command & ~(kCommandIo | kCommandMemory), 2);
  place_bars(device);
  const std::uint32_t pin = read(device.device, kPin, 1);
  if (pin != 0) {
    device.pirq = pirq_of(device.device, pin);
    device.irq = kPirqRouting[device.pirq];
    write(device.device, kLine, device.irq, 1);
  }
  write(device.device, kCacheLine, kCacheLineDwords, 1);
  write(device.device, kLatencyTimer, kLatencyClocks, 1);
  write(device.device, kCommand, command | kCommandIo | kCommandMemory | kCommandMaster, 2);
}

std::vector<unsigned> PciHost::capabilities(unsigned device, std::uint8_t id) {
  std::vector<unsigned> found;
  if ((read(device, kCommand) & kStatusCapabilities) == 0) return found;
  unsigned at = read(device, kCapabilities, 1) & ~3U;
  for (unsigned i = 0; i < kMostCapabilities && at >= kFirstCapability; ++i) {
    const std::uint32_t header = read(device, at);
    if ((header & 0xFF) == id) found.push_back(at);
    at = (header >> 8) & 0xFC;
  }
  return found;
}

}  // namespace e1000tlm::driver
