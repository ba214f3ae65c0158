#include "e1000tlm/tlm/bus_master.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace e1000tlm {
namespace {

constexpr std::uint32_t kMostPadded = 16 * 1024, kMostPadding = 7;

/// Byte enables of a burst of which the first `moved` bytes count.
std::uint8_t* enables(std::uint32_t moved) {
  static std::array<std::uint8_t, kMostPadded + kMostPadding> all = [] {
    std::array<std::uint8_t, kMostPadded + kMostPadding> made{};
    std::fill_n(made.begin(), kMostPadded, std::uint8_t{TLM_BYTE_ENABLED});
    return made;
  }();
  return all.data() + (kMostPadded - moved);
}

/// Extends `region` by `other` if both together are one region.
bool join(BusMasterPort::Region& region, const BusMasterPort::Region& other) {
  const auto base = [](const BusMasterPort::Region& r) {
    return reinterpret_cast<std::uintptr_t>(r.memory) - static_cast<std::uintptr_t>(r.start);
  };
  const bool alike = base(region) == base(other) && region.may_read == other.may_read &&
                     region.may_write == other.may_write &&
                     region.read_latency == other.read_latency &&
                     region.write_latency == other.write_latency && region.tariff == other.tariff;
  // An end of all ones has no successor.
  const bool apart = (other.end < region.start && region.start - other.end > 1) ||
                     (region.end < other.start && other.start - region.end > 1);
  if (!alike || apart) return false;
  if (other.start < region.start) region.memory = other.memory;
  region.start = std::min(region.start, other.start);
  region.end = std::max(region.end, other.end);
  return true;
}

}  // namespace

const BusMasterPort::Region BusMasterPort::kNoRegion{};

BusMasterPort::BusMasterPort(const char* name) : socket(name) {
  socket.register_invalidate_direct_mem_ptr(this, &BusMasterPort::invalidate);
}

const BusMasterPort::Region* BusMasterPort::search(std::uint64_t address, std::uint64_t bytes,
                                                   bool write) {
  for (const Region& region : regions_) {
    if (region.covers(address, bytes, write)) return last_ = &region;
  }
  return nullptr;
}

void BusMasterPort::request_dmi(std::uint64_t address, bool write) {
  if (!use_dmi_ || search(address, 1, write) != nullptr) return;
  ::tlm::tlm_generic_payload payload;
  TariffExtension tariff;
  payload.set_command(write ? ::tlm::TLM_WRITE_COMMAND : ::tlm::TLM_READ_COMMAND);
  payload.set_address(address);
  payload.set_extension(&tariff);
  ::tlm::tlm_dmi dmi;
  const bool granted = socket->get_direct_mem_ptr(payload, dmi);
  payload.clear_extension(&tariff);
  if (!granted || dmi.get_dmi_ptr() == nullptr) return;

  Region region;
  region.start = dmi.get_start_address();
  region.end = dmi.get_end_address();
  region.memory = dmi.get_dmi_ptr();
  region.may_read = dmi.is_read_allowed();
  region.may_write = dmi.is_write_allowed();
  region.read_latency = from_sc(dmi.get_read_latency());
  region.write_latency = from_sc(dmi.get_write_latency());
  region.tariff = tariff.tariff;
  if (region.covers(address, 1, write)) remember(region);
}

void BusMasterPort::remember(Region region) {
  forget_last();
  // Each region that is joined may make it touch another one.
  const auto joined = [&](const Region& other) { return join(region, other); };
  for (auto it = regions_.begin(); it != regions_.end();) {
    it = std::find_if(regions_.begin(), regions_.end(), joined);
    if (it != regions_.end()) regions_.erase(it);
  }
  if (regions_.size() < kMostRegions) {
    regions_.push_back(region);
  } else {
    regions_[oldest_] = region;
    oldest_ = (oldest_ + 1) % kMostRegions;
  }
}

void BusMasterPort::use_dmi(bool on) {
  use_dmi_ = on;
  if (on) return;
  forget_last();
  regions_.clear();
}

void BusMasterPort::invalidate(sc_dt::uint64 start, sc_dt::uint64 end) {
  const auto gone = [=](const Region& r) { return r.start <= end && start <= r.end; };
  forget_last();
  regions_.erase(std::remove_if(regions_.begin(), regions_.end(), gone), regions_.end());
}

BusMaster::~BusMaster() = default;

BusStatus BusMaster::read(std::uint64_t address, Bytes data) {
  const auto bytes = static_cast<std::uint32_t>(data.size());
  const BusStatus status = access(::tlm::TLM_READ_COMMAND, address, data.data(), bytes, bytes);
  if (status != BusStatus::kOk) std::memset(data.data(), 0xFF, data.size());
  return status;
}

BusStatus BusMaster::write(std::uint64_t address, ConstBytes data, std::uint32_t padding) {
  const auto bytes = static_cast<std::uint32_t>(data.size());
  if (bytes > kMostPadded) padding = 0;
  // A generic payload's data pointer is not const; a write transaction's data is never changed.
  return access(::tlm::TLM_WRITE_COMMAND, address, const_cast<std::uint8_t*>(data.data()),
                bytes + padding, bytes);
}

BusStatus BusMaster::access(::tlm::tlm_command command, std::uint64_t address, std::uint8_t* data,
                            std::uint32_t bytes, std::uint32_t moved) {
  if (bytes == 0) return BusStatus::kOk;
  const bool write = command == ::tlm::TLM_WRITE_COMMAND;
  const BusMasterPort::Region* region = port_->find(address, bytes, write);
  if (region == nullptr) return transport(command, address, data, bytes, moved);
  const std::uint64_t cancellations = cancellations_;

  if (region->tariff != nullptr) {
    Tariff* tariff = region->tariff;
    // Looking ahead this process may have set something off that comes before the access.
    if (!time_.loosely_timed() && time_.sync_if_due()) region = port_->find(address, bytes, write);
    if (region == nullptr) return transport(command, address, data, bytes, moved);
    Tariff::Booking booking = tariff->book(command, address, bytes, time_.now());
    time_.advance_to(booking.end);
    if (!time_.loosely_timed()) {
      time_.sync_if_due();
      while (!tariff->ended(booking, time_.now())) {
        time_.advance_to(booking.end);
        time_.sync_if_due();
      }
      // The wait may have cost the region.
      region = port_->find(address, bytes, write);
    }
  } else {
    time_.advance(write ? region->write_latency : region->read_latency);
    if (time_.sync_if_due()) region = port_->find(address, bytes, write);
  }
  if (cancellations != cancellations_) {
    ++errors_;
    return BusStatus::kError;
  }
  if (region == nullptr) return transport(command, address, data, bytes, moved, Price::kPaid);
  std::uint8_t* memory = region->memory + (address - region->start);
  if (write) {
    std::memcpy(memory, data, moved);
  } else {
    std::memcpy(data, memory, moved);
  }
  if (time_.loosely_timed()) time_.sync_if_due();
  return BusStatus::kOk;
}

BusStatus BusMaster::transport(::tlm::tlm_command command, std::uint64_t address,
                               std::uint8_t* data, std::uint32_t bytes, std::uint32_t moved,
                               Price price) {
  payload_.set_command(command);
  payload_.set_address(address);
  payload_.set_data_ptr(data);
  payload_.set_data_length(bytes);
  payload_.set_streaming_width(bytes);
  payload_.set_byte_enable_ptr(moved == bytes ? nullptr : enables(moved));
  payload_.set_byte_enable_length(moved == bytes ? 0 : bytes);
  payload_.set_dmi_allowed(false);
  payload_.set_response_status(::tlm::TLM_INCOMPLETE_RESPONSE);
  sc_core::sc_time delay = time_.delay();
  if (price == Price::kPaid) payload_.set_extension(&paid_);
  const Time before = time_.now();
  // The target may wait: the delay counts from the kernel's time as it is then.
  time_.away([&] { port_->socket->b_transport(payload_, delay); });
  if (price == Price::kPaid) payload_.clear_extension(&paid_);
  time_.set_delay(delay);
  time_.advance_to(before);
  time_.sync_if_due();
  if (payload_.is_dmi_allowed()) {
    // Where regions are small an access may need two.
    port_->request_dmi(address, command == ::tlm::TLM_WRITE_COMMAND);
    port_->request_dmi(address + (bytes - 1), command == ::tlm::TLM_WRITE_COMMAND);
  }
  switch (payload_.get_response_status()) {
    case ::tlm::TLM_OK_RESPONSE: return BusStatus::kOk;
    case ::tlm::TLM_ADDRESS_ERROR_RESPONSE: ++errors_; return BusStatus::kAddressError;
    default: ++errors_; return BusStatus::kError;
  }
}

}  // namespace e1000tlm
