#pragma once
/// The window to a virtio device's registers in its configuration space (virtio 1.2, 4.1.4.9). No
/// SystemC.

#include <cstddef>
#include <cstdint>

#include "e1000tlm/tlm/bytes.h"
#include "e1000tlm/virtio/transport.h"

namespace e1000tlm::virtio {

/// A capability of its own, in which software says BAR, offset and length, and then finds the
/// registers in the data field. For firmware that cannot reach memory space.
class ConfigWindow {
 public:
  /// Bytes of the capability, and where its fields are; BAR, offset, length and data can be
  /// written.
  static constexpr std::size_t kBytes = 20, kBar = 4, kOffset = 8, kLength = 12, kData = 16;

  explicit ConfigWindow(PciTransport& transport) : transport_(transport) {}

  /// Software reads bytes `first` to `first + count - 1`: if the data is among them, the registers
  /// are read and put there.
  void read(std::size_t first, std::size_t count, Bytes capability) const;
  /// As read(), without side effects.
  void peek(std::size_t first, std::size_t count, Bytes capability) const;
  /// Software has written: if the data is among it, it goes to the registers.
  void written(std::size_t first, std::size_t count, ConstBytes capability) const;

 private:
  PciTransport& transport_;
};

}  // namespace e1000tlm::virtio
