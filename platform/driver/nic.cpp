#include "e1000tlm/driver/nic.h"

#include <cstdio>

namespace e1000tlm::driver {

std::string Nic::name() const {
  std::array<char, 48> text{};
  std::snprintf(text.data(), text.size(), "PCI device %u (%04x:%04x)", pci_.device, pci_.vendor_id,
                pci_.device_id);
  return text.data();
}

void serve_interrupts(Cpu& cpu, const Nics& nics) {
  for (unsigned line = 0; line < Cpu::kLines; ++line) {
    if (!cpu.line(line)) continue;
    for (const auto& nic : nics) {
      if (nic->pci().pirq == line) nic->interrupt();
    }
    cpu.acknowledge(line);
  }
}

bool unmask(const Nics& nics) {
  bool more = false;
  for (const auto& nic : nics) {
    if (nic->masked()) more = nic->unmask() || more;
  }
  return more;
}

}  // namespace e1000tlm::driver
