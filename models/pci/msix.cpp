#include "e1000tlm/pci/msix.h"

#include <algorithm>
#include <array>

namespace e1000tlm::pci {
namespace {

enum Field : std::size_t { kAddress, kUpperAddress, kData, kControl };
constexpr std::uint32_t kMasked = 1;

/// A dword of an entry (PCI 3.0 6.8.2.6 to 6.8.2.9).
struct EntryField {
  std::uint32_t writable;
  std::uint32_t after_reset;
};
constexpr std::array<EntryField, kMsixEntryBytes / 4> kFields{{
    {~std::uint32_t{3}, 0},  // message address; its lowest bits are always 0
    {~std::uint32_t{0}, 0},  // message upper address
    {~std::uint32_t{0}, 0},  // message data
    {kMasked, kMasked},      // vector control; the other bits are reserved
}};

/// The offset in a part that starts at `place`; nullopt: outside.
std::optional<std::uint64_t> inside(const MsixPlace& place, std::uint64_t size, unsigned bar,
                                    std::uint64_t offset) {
  if (bar != place.bar || offset < place.offset || offset - place.offset >= size) {
    return std::nullopt;
  }
  return offset - place.offset;
}

bool overlaps(const MsixPlace& place, std::uint64_t size, unsigned bar, std::uint64_t offset,
              std::uint64_t bytes) {
  return bar == place.bar && offset < place.offset + size && place.offset < offset + bytes;
}

}  // namespace

Msix::Msix(const MsixConfig& config) : config_(config), entries_(config.vectors) {
  queue_.reserve(config.vectors);
  reset();
}

void Msix::reset() {
  for (Entry& entry : entries_) {
    entry = {};
    for (std::size_t i = 0; i < kDwords; ++i) entry.dwords[i] = kFields[i].after_reset;
  }
  queue_.clear();
  next_ = 0;
  control_ = {};
}

// --- registers ---

bool Msix::touches(unsigned bar, std::uint64_t offset, std::uint64_t bytes) const {
  return overlaps(config_.table, config_.table_bytes(), bar, offset, bytes) ||
         overlaps(config_.pending, config_.pending_bytes(), bar, offset, bytes);
}

std::uint8_t Msix::read(unsigned bar, std::uint64_t offset) const {
  if (const auto at = inside(config_.table, config_.table_bytes(), bar, offset)) {
    const Entry& entry = entries_[*at / kMsixEntryBytes];
    const std::uint64_t byte = *at % kMsixEntryBytes;
    return static_cast<std::uint8_t>(entry.dwords[byte / 4] >> (8 * (byte % 4)));
  }
  std::uint8_t bits = 0;
  if (const auto at = inside(config_.pending, config_.pending_bytes(), bar, offset)) {
    for (unsigned i = 0; i < 8; ++i) {
      if (pending(static_cast<unsigned>(8 * *at + i))) bits |= static_cast<std::uint8_t>(1U << i);
    }
  }
  return bits;
}

void Msix::write(unsigned bar, std::uint64_t offset, std::uint8_t value) {
  const auto at = inside(config_.table, config_.table_bytes(), bar, offset);
  if (!at) return;
  const auto vector = static_cast<unsigned>(*at / kMsixEntryBytes);
  const std::size_t field = *at % kMsixEntryBytes / 4;
  const unsigned shift = 8 * (*at % 4);
  const std::uint32_t changes = kFields[field].writable & 0xFFU << shift;
  std::uint32_t& dword = entries_[vector].dwords[field];
  dword = (dword & ~changes) | (std::uint32_t{value} << shift & changes);
  if (field == kControl) queue(vector);
}

// --- messages ---

bool Msix::pending(unsigned vector) const {
  return vector < entries_.size() && entries_[vector].pending;
}

bool Msix::masked(const Entry& entry) const {
  return !control_.enabled || control_.masked || (entry.dwords[kControl] & kMasked) != 0;
}

void Msix::set_control(const MsixControl& control) {
  if (control.enabled == control_.enabled && control.masked == control_.masked) return;
  control_ = control;
  for (unsigned vector = 0; vector < entries_.size(); ++vector) queue(vector);
}

void Msix::raise(unsigned vector) {
  if (!control_.enabled || vector >= entries_.size()) return;
  entries_[vector].pending = true;
  queue(vector);
}

/// If it is pending and may go.
void Msix::queue(unsigned vector) {
  Entry& entry = entries_[vector];
  if (!entry.pending || entry.queued || masked(entry)) return;
  if (queue_.size() == entries_.size()) {
    queue_.erase(queue_.begin(), queue_.begin() + static_cast<std::ptrdiff_t>(next_));
    next_ = 0;
  }
  entry.queued = true;
  queue_.push_back(static_cast<std::uint16_t>(vector));
}

std::optional<InterruptMessage> Msix::take() {
  while (next_ != queue_.size()) {
    const unsigned vector = queue_[next_++];
    Entry& entry = entries_[vector];
    if (next_ == queue_.size()) {
      queue_.clear();
      next_ = 0;
    }
    entry.queued = false;
    if (masked(entry)) continue;  // meanwhile; comes again when that ends
    entry.pending = false;
    return InterruptMessage{
        std::uint64_t{entry.dwords[kUpperAddress]} << 32 | entry.dwords[kAddress],
        entry.dwords[kData], vector};
  }
  return std::nullopt;
}

}  // namespace e1000tlm::pci
