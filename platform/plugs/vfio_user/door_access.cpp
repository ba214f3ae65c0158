/// Accesses of a client to the function.
#include <algorithm>
#include <array>
#include <cerrno>

#include "e1000tlm/plugs/bus_access.h"
#include "e1000tlm/plugs/vfio_user/door.h"

namespace e1000tlm::plugs::vfio_user {
namespace {

constexpr std::uint64_t kConfigBytes = 256;
constexpr std::uint64_t kVgaRegion = 8;

std::uint32_t load(ConstBytes data) {
  std::array<std::uint8_t, 4> bytes{};
  std::copy(data.begin(), data.end(), bytes.begin());
  return load_le32(bytes.data());
}

}  // namespace

std::uint64_t Door::region_size(std::uint32_t region) const {
  if (region == kConfigRegion) return kConfigBytes;
  return region >= kVgaRegion ? 0 : view_.placement(region).size;
}

std::optional<Refusal> Door::check_range(std::uint32_t region, std::uint64_t offset,
                                         std::uint64_t bytes, bool write) const {
  const std::uint64_t size = region_size(region);
  const char* what = write ? "REGION_WRITE: " : "REGION_READ: ";
  if (size == 0) return Refusal{EINVAL, what + ("no region " + std::to_string(region)), false};
  if (offset > size || bytes > size - offset) {
    return Refusal{EINVAL,
                   what + std::to_string(bytes) + " bytes at " + std::to_string(offset) +
                       " of region " + std::to_string(region) + ", which has " +
                       std::to_string(size),
                   false};
  }
  if (write && region == kRomRegion) return Refusal{EPERM, "REGION_WRITE: to the ROM", false};
  return std::nullopt;
}

/// One transaction on the bus; returns when it has ended. What nobody claims reads as all ones.
void Door::access(bool write, pci::Space space, std::uint64_t address, Bytes data) {
  access_bus(*to_bus.operator->(), payload_, extension_, write, space, address, data);
}

std::uint32_t Door::config_dword(unsigned offset) {
  std::array<std::uint8_t, 4> bytes{};
  access(false, pci::Space::kConfig, offset, bytes);
  return view_.read(offset, load_le32(bytes.data()));
}

void Door::read_region(std::uint32_t region, std::uint64_t offset, Bytes data) {
  if (region == kConfigRegion) {
    for (std::size_t done = 0; done < data.size();) {
      const auto at = static_cast<unsigned>(offset + done);
      std::array<std::uint8_t, 4> bytes{};
      store_le32(bytes.data(), config_dword(at & ~3U));
      const std::size_t part = std::min<std::size_t>(data.size() - done, 4 - at % 4);
      std::copy_n(bytes.begin() + at % 4, part, data.begin() + done);
      done += part;
    }
    return;
  }
  const Placement place = view_.placement(region);
  for (std::size_t done = 0; done < data.size();) {
    const std::size_t bytes = aligned_piece(offset + done, data.size() - done);
    if (const auto at = table_.inside(region, offset + done)) {
      for (std::size_t i = 0; i < bytes; ++i) {
        data[done + i] = table_.read(*at + static_cast<std::uint32_t>(i));
      }
    } else {
      access(false, place.space, place.base + offset + done, data.subspan(done, bytes));
    }
    done += bytes;
  }
}

void Door::write_region(std::uint32_t region, std::uint64_t offset, ConstBytes data) {
  const Placement place = region == kConfigRegion ? Placement{} : view_.placement(region);
  for (std::size_t done = 0; done < data.size();) {
    const std::size_t bytes = aligned_piece(offset + done, data.size() - done);
    const ConstBytes part = data.subspan(done, bytes);
    if (region == kConfigRegion) {
      write_config(static_cast<unsigned>(offset + done), part);
    } else if (const auto at = table_.inside(region, offset + done)) {
      write_table(*at, part);
    } else {
      std::array<std::uint8_t, 4> copy{};
      std::copy(part.begin(), part.end(), copy.begin());
      access(true, place.space, place.base + offset + done, Bytes(copy.data(), bytes));
    }
    done += bytes;
  }
  arm_messages();
}

void Door::write_config(unsigned offset, ConstBytes data) {
  const std::uint32_t value = load(data);
  const auto bytes = static_cast<unsigned>(data.size());
  if (view_.write(offset, bytes, value)) {
    std::array<std::uint8_t, 4> copy{};
    std::copy(data.begin(), data.end(), copy.begin());
    access(true, pci::Space::kConfig, offset, Bytes(copy.data(), bytes));
  }
  const bool reset = [&] {
    for (unsigned region = 0; region <= kRomRegion; ++region) {
      const auto wanted = view_.placing(region);
      if (wanted && !placed(*wanted)) return true;
    }
    return false;
  }();
  if (reset) {  // the function has left D3, and forgotten what it was told
    view_.reset();
    forget_messages();
    place();
  }
  interrupts_.disable_intx(view_.intx_disabled());
}

bool Door::placed(const ConfigView::Register& wanted) const {
  return function_.config().read(wanted.offset, 4) == wanted.value;
}

/// The client's base address registers are kept apart: in the simulated machine the function is
/// always at the same place.
void Door::place() {
  for (unsigned region = 0; region <= kRomRegion; ++region) {
    const auto wanted = view_.placing(region);
    if (!wanted || placed(*wanted)) continue;
    std::array<std::uint8_t, 4> bytes{};
    store_le32(bytes.data(), wanted->value);
    access(true, pci::Space::kConfig, wanted->offset, bytes);
  }
}

}  // namespace e1000tlm::plugs::vfio_user
