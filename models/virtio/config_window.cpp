#include "e1000tlm/virtio/config_window.h"

namespace e1000tlm::virtio {
namespace {

/// What software asks for; bytes = 0: nothing that there is.
struct Wish {
  unsigned bar = 0;
  std::uint32_t offset = 0;
  unsigned bytes = 0;
};

Wish wish(std::size_t first, std::size_t count, ConstBytes capability) {
  Wish w;
  if (first > ConfigWindow::kData || first + count <= ConfigWindow::kData) return w;
  w.bar = capability[ConfigWindow::kBar];
  w.offset = load_le32(capability.data() + ConfigWindow::kOffset);
  const std::uint32_t length = load_le32(capability.data() + ConfigWindow::kLength);
  // Only these, aligned, may be asked for (virtio 1.2, 4.1.4.9.2).
  const bool possible = length == 1 || length == 2 || length == 4;
  if (possible && w.offset % length == 0) w.bytes = length;
  return w;
}

void show(const Wish& w, std::uint32_t value, Bytes capability) {
  for (unsigned i = 0; i < w.bytes; ++i) {
    capability[ConfigWindow::kData + i] = static_cast<std::uint8_t>(value >> (8 * i));
  }
}

}  // namespace

void ConfigWindow::read(std::size_t first, std::size_t count, Bytes capability) const {
  const Wish w = wish(first, count, capability);
  if (w.bytes == 0) return;
  if (w.bar == pci_layout::kModernBar) show(w, transport_.read(w.offset, w.bytes), capability);
  if (w.bar == pci_layout::kLegacyBar) {
    show(w, transport_.read_legacy(w.offset, w.bytes), capability);
  }
}

void ConfigWindow::peek(std::size_t first, std::size_t count, Bytes capability) const {
  const Wish w = wish(first, count, capability);
  if (w.bytes == 0) return;
  if (w.bar == pci_layout::kModernBar) show(w, transport_.peek(w.offset, w.bytes), capability);
  if (w.bar == pci_layout::kLegacyBar) {
    show(w, transport_.peek_legacy(w.offset, w.bytes), capability);
  }
}

void ConfigWindow::written(std::size_t first, std::size_t count, ConstBytes capability) const {
  const Wish w = wish(first, count, capability);
  if (w.bytes == 0) return;
  std::uint32_t value = 0;
  for (unsigned i = 0; i < w.bytes; ++i) {
    value |= std::uint32_t{capability[kData + i]} << (8 * i);
  }
  if (w.bar == pci_layout::kModernBar) transport_.write(w.offset, w.bytes, value);
  if (w.bar == pci_layout::kLegacyBar) transport_.write_legacy(w.offset, w.bytes, value);
}

}  // namespace e1000tlm::virtio
