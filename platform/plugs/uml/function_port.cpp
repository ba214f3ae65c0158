#include "e1000tlm/plugs/uml/function_port.h"

#include <algorithm>
#include <array>

#include "e1000tlm/plugs/bus_access.h"

namespace e1000tlm::plugs::uml {
namespace {

constexpr unsigned kRegions = 7;  // with the expansion ROM

}  // namespace

FunctionPort::FunctionPort(const sc_core::sc_module_name& name, pci::Function& function,
                           unsigned device)
    : sc_module(name), to_bus("to_bus"), function_(function), view_(function.config().config()) {
  payload_.set_extension(&extension_);
  extension_.device = static_cast<std::uint8_t>(device);
}

FunctionPort::~FunctionPort() { payload_.clear_extension(&extension_); }

void FunctionPort::access(bool write, pci::Space space, std::uint64_t address, Bytes data) {
  access_bus(*to_bus.operator->(), payload_, extension_, write, space, address, data);
}

void FunctionPort::read_config(unsigned offset, Bytes data) {
  for (std::size_t done = 0; done < data.size();) {
    const auto at = static_cast<unsigned>(offset + done);
    std::array<std::uint8_t, 4> bytes{};
    access(false, pci::Space::kConfig, at & ~3U, bytes);
    store_le32(bytes.data(), view_.read(at & ~3U, load_le32(bytes.data())));
    const std::size_t part = std::min<std::size_t>(data.size() - done, 4 - at % 4);
    std::copy_n(bytes.begin() + at % 4, part, data.begin() + static_cast<std::ptrdiff_t>(done));
    done += part;
  }
}

void FunctionPort::write_config(unsigned offset, ConstBytes data) {
  for (std::size_t done = 0; done < data.size();) {
    const auto at = static_cast<unsigned>(offset + done);
    const std::size_t bytes = aligned_piece(at, data.size() - done);
    std::array<std::uint8_t, 4> copy{};
    std::copy_n(data.begin() + static_cast<std::ptrdiff_t>(done), bytes, copy.begin());
    if (view_.write(at, static_cast<unsigned>(bytes), load_le32(copy.data()))) {
      access(true, pci::Space::kConfig, at, Bytes(copy.data(), bytes));
    }
    done += bytes;
  }
  if (all_placed()) return;
  // The function has left D3, and forgotten what it was told.
  view_.reset();
  place();
}

void FunctionPort::read(unsigned region, std::uint64_t offset, Bytes data) {
  const vfio_user::Placement place = view_.placement(region);
  for (std::size_t done = 0; done < data.size();) {
    const std::size_t bytes = aligned_piece(offset + done, data.size() - done);
    const Bytes part = data.subspan(done, bytes);
    if (offset + done + bytes > place.size) {
      std::fill(part.begin(), part.end(), 0xFF);
    } else {
      access(false, place.space, place.base + offset + done, part);
    }
    done += bytes;
  }
}

void FunctionPort::write(unsigned region, std::uint64_t offset, ConstBytes data) {
  const vfio_user::Placement place = view_.placement(region);
  for (std::size_t done = 0; done < data.size();) {
    const std::size_t bytes = aligned_piece(offset + done, data.size() - done);
    std::array<std::uint8_t, 4> copy{};
    std::copy_n(data.begin() + static_cast<std::ptrdiff_t>(done), bytes, copy.begin());
    if (offset + done + bytes <= place.size) {
      access(true, place.space, place.base + offset + done, Bytes(copy.data(), bytes));
    }
    done += bytes;
  }
}

void FunctionPort::reset() {
  view_.reset();
  function_.bus_reset();
  place();
}

unsigned FunctionPort::pin() const {
  return std::clamp(function_.config().read(pci::cfg::kInterruptPin, 1), 1U, 4U);
}

bool FunctionPort::placed(const vfio_user::ConfigView::Register& wanted) const {
  return function_.config().read(wanted.offset, 4) == wanted.value;
}

bool FunctionPort::all_placed() const {
  for (unsigned region = 0; region < kRegions; ++region) {
    const auto wanted = view_.placing(region);
    if (wanted && !placed(*wanted)) return false;
  }
  return true;
}

void FunctionPort::place() {
  for (unsigned region = 0; region < kRegions; ++region) {
    const auto wanted = view_.placing(region);
    if (!wanted || placed(*wanted)) continue;
    std::array<std::uint8_t, 4> bytes{};
    store_le32(bytes.data(), wanted->value);
    access(true, pci::Space::kConfig, wanted->offset, bytes);
  }
}

}  // namespace e1000tlm::plugs::uml
