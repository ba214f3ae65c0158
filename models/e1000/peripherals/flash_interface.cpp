#include "e1000tlm/e1000/peripherals/flash_interface.h"

#include "e1000tlm/tlm/register_access.h"
#include "e1000tlm/tlm/sc_time.h"

namespace e1000tlm::e1000 {
namespace {

/// Calls `use(lane)` for each byte of a dword that takes part.
template <class Use>
void for_each_lane(std::uint32_t mask, Use use) {
  for (unsigned lane = 0; lane < 4; ++lane) {
    if ((mask >> (8 * lane) & 0xFF) != 0) use(lane);
  }
}

}  // namespace

FlashInterface::FlashInterface(const sc_core::sc_module_name& name, Core& core,
                               std::optional<FlashImage>& image)
    : sc_module(name), core_(core), image_(image) {
  if (image_) device_.emplace(*image_);
}

bool FlashInterface::writes_enabled() const {
  return (core_.bank[reg::kEecd] & eecd::kFweMask) == eecd::kFweOn;
}

Time FlashInterface::cost(std::uint32_t mask) const {
  Time time = kTimeZero;
  if (device_) for_each_lane(mask, [&](unsigned) { time += device_->timing().access; });
  return time;
}

std::uint32_t FlashInterface::read(std::uint32_t offset, std::uint32_t mask) {
  std::uint32_t value = 0;
  if (!device_) return value;
  Time at = core_.now();
  for_each_lane(mask, [&](unsigned lane) {
    value |= std::uint32_t{device_->read(offset + lane, at)} << (8 * lane);
    at += device_->timing().access;
  });
  return value;
}

void FlashInterface::write(std::uint32_t offset, std::uint32_t value, std::uint32_t mask) {
  if (!device_ || !writes_enabled()) return;
  Time at = core_.now();
  for_each_lane(mask, [&](unsigned lane) {
    device_->write(offset + lane, static_cast<std::uint8_t>(value >> (8 * lane)), at);
    at += device_->timing().access;
  });
  if (device_->busy(at)) ready_event_.notify(to_sc(device_->busy_until() - sc_now()));
}

std::uint32_t FlashInterface::peek(std::uint32_t offset) const {
  std::uint32_t value = 0;
  if (!image_) return value;
  for (unsigned lane = 0; lane < 4; ++lane) {
    const std::uint32_t at = (offset + lane) & (image_->size() - 1);
    value |= std::uint32_t{image_->bytes()[at]} << (8 * lane);
  }
  return value;
}

void FlashInterface::transport(Via via, ::tlm::tlm_generic_payload& payload,
                               sc_core::sc_time& delay) {
  Core::Access access(core_, sc_now() + from_sc(delay));
  access_registers(
      payload, kWindowBytes,
      [&](std::uint32_t offset, std::uint32_t mask) {
        const std::uint32_t value = read(offset, mask);
        access.spend(cost(mask));
        return value;
      },
      [&](std::uint32_t offset, std::uint32_t value, std::uint32_t mask) {
        if (via == Via::kRom) return;
        write(offset, value, mask);
        access.spend(cost(mask));
      });
  delay = to_sc(core_.now() - sc_now());
}

unsigned FlashInterface::debug(::tlm::tlm_generic_payload& payload) {
  return debug_registers(
      payload, kWindowBytes, [&](std::uint32_t offset, std::uint32_t) { return peek(offset); },
      [&](std::uint32_t offset, std::uint32_t value, std::uint32_t mask) {
        if (!image_) return;
        for_each_lane(mask, [&](unsigned lane) {
          image_->bytes()[(offset + lane) & (image_->size() - 1)] =
              static_cast<std::uint8_t>(value >> (8 * lane));
        });
      });
}

}  // namespace e1000tlm::e1000
