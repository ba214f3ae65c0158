/// Accesses of a client to the function.
#include <cerrno>

#include "e1000tlm/plugs/vfio_user/door.h"

namespace e1000tlm::plugs::vfio_user {
namespace {

constexpr std::uint64_t kConfigBytes = 256;
constexpr std::uint64_t kVgaRegion = 8;

}  // namespace

std::uint64_t Door::region_size(std::uint32_t region) const {
  if (region == kConfigRegion) return kConfigBytes;
  return region >= kVgaRegion ? 0 : port.size(region);
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

void Door::read_region(std::uint32_t region, std::uint64_t offset, Bytes data) {
  if (region == kConfigRegion) {
    port.read_config(static_cast<unsigned>(offset), data);
    return;
  }
  for (std::size_t done = 0; done < data.size();) {
    const std::size_t bytes = FunctionPort::aligned_piece(offset + done, data.size() - done);
    if (const auto at = table_.inside(region, offset + done)) {
      for (std::size_t i = 0; i < bytes; ++i) {
        data[done + i] = table_.read(*at + static_cast<std::uint32_t>(i));
      }
    } else {
      port.read(region, offset + done, data.subspan(done, bytes));
    }
    done += bytes;
  }
}

void Door::write_region(std::uint32_t region, std::uint64_t offset, ConstBytes data) {
  if (region == kConfigRegion) {
    if (port.write_config(static_cast<unsigned>(offset), data)) forget_messages();
    interrupts_.disable_intx(port.intx_disabled());
  } else {
    for (std::size_t done = 0; done < data.size();) {
      const std::size_t bytes = FunctionPort::aligned_piece(offset + done, data.size() - done);
      const ConstBytes part = data.subspan(done, bytes);
      if (const auto at = table_.inside(region, offset + done)) {
        write_table(*at, part);
      } else {
        port.write(region, offset + done, part);
      }
      done += bytes;
    }
  }
  arm_messages();
}

}  // namespace e1000tlm::plugs::vfio_user
