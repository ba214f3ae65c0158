#include "e1000tlm/plugs/vfio_user/msix_view.h"

#include <algorithm>

namespace e1000tlm::plugs::vfio_user {
namespace {

constexpr std::uint32_t kControl = 12;  // in an entry
constexpr std::uint8_t kMask = 1;

}  // namespace

MsixView::MsixView(const pci::MsixConfig& config)
    : config_(config), table_(config.offset != 0 ? config.table_bytes() : 0) {
  reset();
}

void MsixView::reset() {
  std::fill(table_.begin(), table_.end(), std::uint8_t{0});
  for (std::size_t at = kControl; at < table_.size(); at += pci::kMsixEntryBytes) {
    table_[at] = kMask;
  }
}

std::optional<std::uint32_t> MsixView::inside(unsigned region, std::uint64_t offset) const {
  if (region != config_.table.bar || offset < config_.table.offset) return std::nullopt;
  const std::uint64_t at = offset - config_.table.offset;
  if (at >= table_.size()) return std::nullopt;
  return static_cast<std::uint32_t>(at);
}

std::optional<unsigned> MsixView::write(std::uint32_t at, std::uint8_t value) {
  const std::uint32_t in_entry = at % pci::kMsixEntryBytes;
  if (in_entry < kControl) {
    table_[at] = value;
    return std::nullopt;
  }
  if (in_entry != kControl) return std::nullopt;  // reserved
  table_[at] = value & kMask;
  return at / pci::kMsixEntryBytes;
}

bool MsixView::masked(unsigned vector) const {
  return table_[vector * pci::kMsixEntryBytes + kControl] != 0;
}

}  // namespace e1000tlm::plugs::vfio_user
