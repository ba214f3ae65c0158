#include "e1000tlm/driver/driver.h"

#include <algorithm>
#include <array>
#include <stdexcept>

#include "e1000tlm/driver/virtio_nic.h"
#include "e1000tlm/traffic/units.h"
#include "e1000tlm/virtio/pci_layout.h"

namespace e1000tlm::driver {
namespace {

/// Kinds of adapters, as bits.
enum Kind : std::uint8_t { kE1000 = 1, kVirtio = 2 };

/// Who drives what.
struct Match {
  Kind kind;
  std::uint16_t vendor;
  std::uint16_t first_id, last_id;  // device IDs
  std::unique_ptr<Nic> (*make)(Cpu&, PciHost&, const PciDevice&, RamAllocator&,
                               const DriverSettings&);
};

std::unique_ptr<Nic> make_e1000(Cpu& cpu, PciHost&, const PciDevice& pci, RamAllocator& ram,
                                const DriverSettings& settings) {
  return std::make_unique<E1000Nic>(cpu, pci, ram, settings.nic, settings.delays);
}

std::unique_ptr<Nic> make_virtio(Cpu& cpu, PciHost& host, const PciDevice& pci, RamAllocator& ram,
                                 const DriverSettings& settings) {
  return std::make_unique<VirtioNic>(cpu, host, pci, ram, settings.nic, settings.delays.frame_cost);
}

namespace layout = virtio::pci_layout;
constexpr std::uint16_t kModernNet = layout::kModernBase + layout::kNetType;

constexpr std::array kDrivers{
    // Any ID: what is in an EEPROM changes it.
    Match{kE1000, 0x8086, 0x0000, 0xFFFF, make_e1000},
    Match{kVirtio, layout::kVendor, kModernNet, kModernNet, make_virtio},
    Match{kVirtio, layout::kVendor, layout::kTransitionalNet, layout::kTransitionalNet,
          make_virtio},
};

const Match* driver_of(const PciDevice& device) {
  const auto* const found =
      std::find_if(kDrivers.begin(), kDrivers.end(), [&](const Match& driver) {
        return driver.vendor == device.vendor_id && driver.first_id <= device.device_id &&
               device.device_id <= driver.last_id;
      });
  return found == kDrivers.end() ? nullptr : found;
}

/// A setting that only one kind of adapters has.
struct OwnSetting {
  const char* key;
  Kind kind;
  bool (*changed)(const NicSettings&);
};

template <auto Member>
constexpr OwnSetting own(Kind kind, const char* key) {
  return {key, kind,
          [](const NicSettings& settings) { return settings.*Member != NicSettings{}.*Member; }};
}

constexpr std::array kOwnSettings{
    own<&NicSettings::interrupt_rate>(kE1000, "interrupt-rate"),
    own<&NicSettings::rdtr>(kE1000, "rdtr"),
    own<&NicSettings::radv>(kE1000, "radv"),
    own<&NicSettings::tidv>(kE1000, "tidv"),
    own<&NicSettings::tadv>(kE1000, "tadv"),
    own<&NicSettings::queue_pairs>(kVirtio, "queues"),
    own<&NicSettings::event_index>(kVirtio, "event-idx"),
    own<&NicSettings::mergeable>(kVirtio, "mergeable"),
    own<&NicSettings::indirect>(kVirtio, "indirect"),
};

/// Refuses what no adapter heeds.
void check_own_settings(const NicSettings& settings, unsigned kinds) {
  for (const OwnSetting& setting : kOwnSettings) {
    if ((setting.kind & kinds) != 0 || !setting.changed(settings)) continue;
    throw std::invalid_argument(std::string("--driver ") + setting.key + ": only " +
                                (setting.kind == kE1000 ? "e1000" : "virtio-net") +
                                " adapters have this, and there is none");
  }
}

constexpr std::uint64_t kFirstFree = 1 << 20;  // the first MiB belongs to firmware on a PC

}  // namespace

Driver::Driver(Cpu& cpu, const DriverSettings& settings)
    : cpu_(cpu), settings_(settings), ram_(kFirstFree, settings.ram_bytes), pci_(cpu) {}

void Driver::run() {
  // Exceptions must not cross the kernel: it would report them as its own.
  try {
    bring_up();
    await_link();
    for (auto& nic : nics_) nic->start_receiver();
    ready_ = true;
    ready_time_ = cpu_.time().now();
    if (on_ready_) on_ready_();
    app_->start();
    work();
  } catch (const std::exception& failure) {
    error_ = failure.what();
    sc_core::sc_stop();
  }
}

void Driver::bring_up() {
  unsigned kinds = 0;
  for (PciDevice& device : pci_.scan()) {
    if (nics_.size() == settings_.nics) break;
    const Match* const driver = driver_of(device);
    if (driver == nullptr) continue;
    pci_.enable(device);
    nics_.push_back(driver->make(cpu_, pci_, device, ram_, settings_));
    kinds |= driver->kind;
  }
  if (nics_.size() != settings_.nics) {
    throw std::runtime_error("found " + std::to_string(nics_.size()) + " of " +
                             std::to_string(settings_.nics) +
                             " adapters on the PCI bus (what is in an EEPROM changes their IDs)");
  }
  check_own_settings(settings_.nic, kinds);
  for (auto& nic : nics_) nic->bring_up();
  app_ = App::make(settings_.app, cpu_, nics_, ram_);
  for (auto& nic : nics_) nic->enable_interrupts();
}

void Driver::await_link() {
  const auto up = [](const auto& nic) { return nic->link().up; };
  const Time end = cpu_.time().now() + settings_.link_timeout;
  while (!std::all_of(nics_.begin(), nics_.end(), up)) {
    if (cpu_.time().now() >= end) {
      const auto down = std::find_if_not(nics_.begin(), nics_.end(), up);
      throw std::runtime_error("nic " + std::to_string(down - nics_.begin()) + ": no link after " +
                               traffic::format_time(settings_.link_timeout));
    }
    cpu_.wait_for_interrupt(end);
    do {
      serve_interrupts(cpu_, nics_);
    } while (unmask(nics_));
  }
}

void Driver::work() {
  for (;;) {
    serve_interrupts(cpu_, nics_);
    while (app_->service()) serve_interrupts(cpu_, nics_);
    if (!unmask(nics_)) cpu_.wait_for_interrupt(app_->due());
  }
}

bool Driver::idle() {
  return ready_ && cpu_.waiting() && app_->done() &&
         std::all_of(nics_.begin(), nics_.end(), [](const auto& nic) { return nic->idle(); });
}

}  // namespace e1000tlm::driver
