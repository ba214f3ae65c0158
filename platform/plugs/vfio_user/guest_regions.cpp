#include "e1000tlm/plugs/vfio_user/guest_regions.h"

#include <algorithm>
#include <cerrno>
#include <limits>
#include <stdexcept>
#include <string>

namespace e1000tlm::plugs::vfio_user {

std::optional<Refusal> GuestRegions::map(const DmaMap& request, const link::UniqueFd& file) {
  GuestRegion region;
  region.start = request.address;
  region.last = request.address + (request.size - 1);
  region.readable = request.readable;
  region.writable = request.writable;
  const auto next = regions_.lower_bound(region.start);
  if (next != regions_.end() && next->second.start <= region.last) {
    return Refusal{EEXIST, "DMA_MAP: it overlaps memory that is mapped already", false};
  }
  if (regions_.size() >= kMostMaps) return Refusal{ENOSPC, "DMA_MAP: too many of them", false};
  if (file) {
    try {
      region.mapping =
          std::make_unique<SharedMapping>(file, request.offset, request.size, request.writable);
    } catch (const std::invalid_argument& error) {
      return Refusal{EINVAL, std::string("DMA_MAP: ") + error.what(), false};
    }
  }
  regions_.emplace(region.last, std::move(region));
  return std::nullopt;
}

std::optional<Refusal> GuestRegions::unmap(const DmaUnmap& request,
                                           const std::function<void(const GuestRegion&)>& gone) {
  const std::uint64_t start = request.all ? 0 : request.address;
  const std::uint64_t last = request.all ? std::numeric_limits<std::uint64_t>::max()
                                         : request.address + (request.size - 1);
  const auto first = regions_.lower_bound(start);
  auto end = first;
  for (; end != regions_.end() && end->second.start <= last; ++end) {
    if (end->second.start < start || end->second.last > last) {
      return Refusal{EINVAL, "DMA_UNMAP: a part of what was mapped as a whole", false};
    }
  }
  if (first == end && !request.all) {
    return Refusal{ENOENT, "DMA_UNMAP: nothing is mapped there", false};
  }
  std::for_each(first, end, [&](const auto& entry) { gone(entry.second); });
  regions_.erase(first, end);
  return std::nullopt;
}

const GuestRegion* GuestRegions::find(std::uint64_t address) const {
  const auto found = regions_.lower_bound(address);
  return found != regions_.end() && found->second.start <= address ? &found->second : nullptr;
}

bool GuestRegions::lost() const {
  return std::any_of(regions_.begin(), regions_.end(), [](const auto& entry) {
    return entry.second.mapping != nullptr && entry.second.mapping->lost();
  });
}

}  // namespace e1000tlm::plugs::vfio_user
