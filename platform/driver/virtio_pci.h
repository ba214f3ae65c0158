#pragma once
/// A virtio device's registers on PCI, as a driver uses them (virtio 1.2, 4.1).

#include <cstdint>
#include <string>
#include <vector>

#include "e1000tlm/driver/cpu.h"
#include "e1000tlm/driver/pci_host.h"
#include "e1000tlm/virtio/pci_layout.h"
#include "e1000tlm/virtio/split_ring.h"

namespace e1000tlm::driver {

/// Modern registers only. All calls are the program's and take simulated time.
class VirtioPci {
 public:
  /// Finds the registers by the vendor capabilities of a device whose BARs have been placed. Throws
  /// std::runtime_error if some are missing: a device with legacy registers alone.
  VirtioPci(Cpu& cpu, PciHost& host, const PciDevice& pci, std::string name);

  // --- status (3.1.1) ---
  /// Resets the device and waits until it has been.
  void reset();
  std::uint8_t status() { return common8(virtio::pci_layout::common::kStatus); }
  /// Sets further bits of the device status.
  void add_status(std::uint8_t bits);
  std::uint64_t device_features();
  /// Asks for features and checks that the device agrees (FEATURES_OK).
  void agree(std::uint64_t features);

  // --- queues (4.1.5.1.3) ---
  unsigned queues();
  /// Most descriptors of a queue; 0: there is no such queue.
  std::uint16_t most_descriptors(unsigned queue);
  void enable_queue(unsigned queue, const virtio::SplitLayout& layout);
  /// Tells the device that there is something in a queue that has been enabled.
  void notify(unsigned queue);

  /// Why it has interrupted; reading takes INTx back (4.1.4.5).
  std::uint8_t isr() { return static_cast<std::uint8_t>(cpu_.read(isr_, 1)); }

  // --- the device's own configuration (2.5) ---
  /// 1, 2 or 4 bytes at an offset that is a multiple of them.
  std::uint32_t config(unsigned offset, unsigned bytes) {
    return cpu_.read(device_ + offset, bytes);
  }
  /// Several bytes that belong together: again until they have not changed meanwhile.
  void config(unsigned offset, Bytes to);

 private:
  std::uint64_t find(PciHost& host, const PciDevice& pci, std::uint8_t type);
  std::uint8_t common8(unsigned offset) {
    return static_cast<std::uint8_t>(cpu_.read(common_ + offset, 1));
  }
  std::uint16_t common16(unsigned offset) {
    return static_cast<std::uint16_t>(cpu_.read(common_ + offset, 2));
  }
  void set16(unsigned offset, unsigned value) { cpu_.write(common_ + offset, value, 2); }
  void set64(unsigned offset, std::uint64_t value);

  Cpu& cpu_;
  std::string name_;
  std::uint32_t notify_step_ = 0;
  std::uint64_t common_, notify_, isr_, device_;  // addresses
  std::vector<std::uint64_t> doorbells_;          // by queue, of those that have been enabled
};

}  // namespace e1000tlm::driver
