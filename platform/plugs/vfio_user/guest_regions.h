#pragma once
/// What of a client's memory the device may reach. No SystemC.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>

#include "e1000tlm/link/host/host_fd.h"
#include "e1000tlm/plugs/vfio_user/protocol.h"
#include "e1000tlm/plugs/vfio_user/shared_mapping.h"

namespace e1000tlm::plugs::vfio_user {

/// One piece.
struct GuestRegion {
  /// First guest physical address.
  std::uint64_t start = 0;
  /// Inclusive.
  std::uint64_t last = 0;
  /// By the device.
  bool readable = false;
  /// By the device.
  bool writable = false;
  /// Where it is; nullptr: only messages reach it.
  std::unique_ptr<SharedMapping> mapping;

  /// Host memory of an address in it.
  std::uint8_t* at(std::uint64_t address) const { return mapping->data() + (address - start); }
};

/// All pieces, by address. They never overlap.
class GuestRegions {
 public:
  /// Adds one. A refusal: it overlaps another, there are too many, or the descriptor is no good.
  std::optional<Refusal> map(const DmaMap& request, const link::UniqueFd& file);
  /// Takes away what lies in the range, calling `gone` for each piece first. A refusal: nothing
  /// does, or only a part of a piece.
  std::optional<Refusal> unmap(const DmaUnmap& request,
                               const std::function<void(const GuestRegion&)>& gone);
  /// The piece that the address is in; nullptr: none. Valid until the next change.
  const GuestRegion* find(std::uint64_t address) const;
  /// Forgets all.
  void clear() { regions_.clear(); }
  /// How many.
  std::size_t size() const { return regions_.size(); }
  /// The client has taken a file away under one.
  bool lost() const;

 private:
  std::map<std::uint64_t, GuestRegion> regions_;  // by last address
};

}  // namespace e1000tlm::plugs::vfio_user
