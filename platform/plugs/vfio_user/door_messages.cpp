/// From the device's interrupts to the client.
#include <algorithm>
#include <array>

#include "e1000tlm/plugs/vfio_user/door.h"

namespace e1000tlm::plugs::vfio_user {
namespace {

// Where the device sends its messages to: an interrupt controller, as in a PC.
constexpr std::uint32_t kMessageAddress = 0xFEE0'0000, kMask = 1;

}  // namespace

void Door::on_line() {
  interrupts_.set_level(
      std::any_of(pirq.begin(), pirq.end(), [](const auto& line) { return line.read(); }));
}

bool Door::on_message(std::uint64_t address, ConstBytes data) {
  const auto& message = function_.message_under_way();
  if (!message || data.size() != 4 || address != message->address ||
      load_le32(data.data()) != message->data) {
    return false;
  }
  if (message->vector) {
    interrupts_.message(*message->vector);
  } else {
    interrupts_.message();
  }
  return true;
}

// --- MSI-X: see MsixView ---

/// The client writes what it takes for the device's table.
void Door::write_table(std::uint32_t at, ConstBytes data) {
  for (std::size_t i = 0; i < data.size(); ++i) {
    const auto vector = table_.write(at + static_cast<std::uint32_t>(i), data[i]);
    if (vector) interrupts_.mask(*vector, table_.masked(*vector));
  }
  armed_ = false;
}

/// Vectors that are open for the client are in the device; the others are masked there, so that
/// their messages are pending as its pending bits say.
void Door::arm_messages() {
  if (armed_) return;
  const unsigned bar = function_.config().config().msix.table.bar;
  if (!function_.config().bar_base(bar)) return;  // not now: no memory accesses
  for (unsigned vector = 0; vector < entries_.size(); ++vector) {
    const bool open = interrupts_.open(vector);
    if (open != (entries_[vector] == Entry::kOpen)) arm_message(vector, open);
  }
  armed_ = true;
}

void Door::arm_message(unsigned vector, bool open) {
  const pci::MsixConfig& msix = function_.config().config().msix;
  const std::uint64_t entry =
      msix.table.offset + std::uint64_t{vector} * std::uint64_t{pci::kMsixEntryBytes};
  const auto write = [&](unsigned dword, std::uint32_t value) {
    std::array<std::uint8_t, 4> bytes{};
    store_le32(bytes.data(), value);
    port.write(msix.table.bar, entry + 4 * dword, bytes);
  };
  if (entries_[vector] == Entry::kUnused) {
    write(0, kMessageAddress);
    write(1, 0);
    write(2, vector);
  }
  write(3, open ? 0 : kMask);
  entries_[vector] = open ? Entry::kOpen : Entry::kMasked;
}

/// The function has been reset: its table is empty.
void Door::forget_messages() {
  table_.reset();
  std::fill(entries_.begin(), entries_.end(), Entry::kUnused);
  for (unsigned vector = 0; vector < entries_.size(); ++vector) interrupts_.mask(vector, false);
  armed_ = entries_.empty();
}

}  // namespace e1000tlm::plugs::vfio_user
