#include "e1000tlm/plugs/function_port.h"

#include <algorithm>
#include <array>

namespace e1000tlm::plugs {
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

/// One transaction; returns when it has ended. What nobody claims reads as all ones.
void FunctionPort::access(bool write, pci::Space space, std::uint64_t address, Bytes data) {
  extension_.space = space;
  payload_.set_command(write ? ::tlm::TLM_WRITE_COMMAND : ::tlm::TLM_READ_COMMAND);
  payload_.set_address(address);
  payload_.set_data_ptr(data.data());
  payload_.set_data_length(static_cast<unsigned>(data.size()));
  payload_.set_streaming_width(static_cast<unsigned>(data.size()));
  payload_.set_byte_enable_ptr(nullptr);
  payload_.set_dmi_allowed(false);
  payload_.set_response_status(::tlm::TLM_INCOMPLETE_RESPONSE);
  sc_core::sc_time delay = sc_core::SC_ZERO_TIME;
  to_bus->b_transport(payload_, delay);
  if (!payload_.is_response_ok() && !write) std::fill(data.begin(), data.end(), 0xFF);
  if (delay != sc_core::SC_ZERO_TIME) sc_core::wait(delay);
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

bool FunctionPort::write_config(unsigned offset, ConstBytes data) {
  bool forgotten = false;
  for (std::size_t done = 0; done < data.size();) {
    const std::size_t bytes = aligned_piece(offset + done, data.size() - done);
    const ConstBytes part = data.subspan(done, bytes);
    forgotten = write_config_piece(static_cast<unsigned>(offset + done), part) || forgotten;
    done += bytes;
  }
  return forgotten;
}

bool FunctionPort::write_config_piece(unsigned offset, ConstBytes data) {
  std::array<std::uint8_t, 4> copy{};
  std::copy(data.begin(), data.end(), copy.begin());
  if (view_.write(offset, static_cast<unsigned>(data.size()), load_le32(copy.data()))) {
    access(true, pci::Space::kConfig, offset, Bytes(copy.data(), data.size()));
  }
  if (all_placed()) return false;
  // The function has left D3, and forgotten what it was told.
  view_.reset();
  place();
  return true;
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
  forget();
  place();
}

void FunctionPort::forget() {
  view_.reset();
  function_.bus_reset();
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

}  // namespace e1000tlm::plugs
