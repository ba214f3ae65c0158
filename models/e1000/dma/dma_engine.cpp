#include "e1000tlm/e1000/dma/dma_engine.h"

#include <algorithm>

namespace e1000tlm::e1000 {

DmaEngine::DmaEngine(const sc_core::sc_module_name& name, Core& core)
    : sc_module(name), core_(core), master_(core.dma), time_(master_.time()) {
  time_.set_absence(this);
}

void DmaEngine::wake(Time at) {
  wake_time_ = std::max(wake_time_, at);
  if (resting_) wake_event_.notify(sc_core::SC_ZERO_TIME);
}

void DmaEngine::abandon() {
  ++epoch_;
  cache_.clear();
  write_back_.clear();
  halted_ = write_back_due_ = false;
  causes_ = 0;
  master_.cancel();
  abandoned_event_.notify(sc_core::SC_ZERO_TIME);
}

void DmaEngine::gathering_changed(std::uint32_t dctl) {
  const auto thresholds = DescriptorThresholds::decode(core_.bank[dctl]);
  if (write_back_.empty() || write_back_.count() < thresholds.write_back) return;
  write_back_due_ = true;
  wake(core_.now());
}

/// One bus access: waits while bus mastering is off, repeats what was refused because it was
/// switched off meanwhile (rule PCI-2), and notices when the engine was reset under it.
template <class Access>
DmaEngine::Outcome DmaEngine::guarded(Access access) {
  const Passage passage(*this);
  for (;;) {
    while (!core_.gate.enabled) {
      if (!sync() && !core_.gate.enabled) wait_for_gate();
      if (passage.is_void()) return Outcome::kAborted;
    }
    const std::uint64_t closures = core_.gate.closures;
    const BusStatus status = access();
    if (passage.is_void()) return Outcome::kAborted;
    if (time_.ahead() == kTimeZero) publish();
    if (status == BusStatus::kOk) return Outcome::kDone;
    if (closures == core_.gate.closures) {
      ++dma_errors_;
      return Outcome::kFailed;
    }
  }
}

DmaEngine::Outcome DmaEngine::dma_read(std::uint64_t address, Bytes data) {
  if (settle_in_passage() == Outcome::kAborted) return Outcome::kAborted;
  const auto bytes = static_cast<std::uint32_t>(data.size());
  const std::uint8_t* memory =
      core_.gate.enabled ? master_.access_ahead(::tlm::TLM_READ_COMMAND, address, bytes) : nullptr;
  if (memory != nullptr) {
    std::memcpy(data.data(), memory, bytes);
    return time_.loosely_timed() && time_.due() ? catch_up() : Outcome::kDone;
  }
  return guarded([&] { return master_.read(address, data); });
}

DmaEngine::Outcome DmaEngine::dma_write(std::uint64_t address, ConstBytes data,
                                        std::uint32_t padding) {
  if (settle_in_passage() == Outcome::kAborted) return Outcome::kAborted;
  const auto bytes = static_cast<std::uint32_t>(data.size());
  std::uint8_t* memory =
      core_.gate.enabled ? master_.access_ahead(::tlm::TLM_WRITE_COMMAND, address, bytes + padding)
                         : nullptr;
  if (memory != nullptr) {
    std::memcpy(memory, data.data(), bytes);
    return time_.loosely_timed() && time_.due() ? catch_up() : Outcome::kDone;
  }
  return guarded([&] { return master_.write(address, data, padding); });
}

/// As many as there are and fit; if there are more, up to a cache line's end, so that the next
/// fetch begins with one (manual 3.2.4).
std::uint32_t DmaEngine::fetch_size(const DescriptorRing& ring, std::uint32_t index,
                                    std::uint32_t available) const {
  const std::uint32_t most = std::min(cache_.room(), core_.timing.descriptor_burst);
  if (available <= most) return ring.contiguous(index, available);
  const std::uint32_t line = std::min(kDescriptorsPerLine, core_.timing.descriptor_burst);
  const auto beyond =
      static_cast<std::uint32_t>((ring.address(index + most) / kDescriptorBytes) % line);
  return ring.contiguous(index, beyond < most ? most - beyond : most);
}

DmaEngine::Outcome DmaEngine::fetch(const DescriptorRing& ring, std::uint32_t in_flight,
                                    const DescriptorThresholds& thresholds) {
  if (!wants_descriptors(thresholds)) return Outcome::kDone;
  const std::uint32_t owned = ring.owned();
  const std::uint32_t taken = in_flight + cache_.count();
  if (owned <= taken) return Outcome::kDone;
  const std::uint32_t available = owned - taken;
  if (!cache_.empty() && available < std::max(thresholds.host, 1U)) return Outcome::kDone;

  const std::uint32_t index = ring.ahead(ring.head, taken);
  const std::uint32_t n = fetch_size(ring, index, available);
  if (n == 0) return Outcome::kDone;
  const Outcome outcome = dma_read(ring.address(index), cache_.append(n));
  if (outcome == Outcome::kDone) cache_.added(n);
  if (outcome == Outcome::kFailed) halted_ = true;
  return outcome;
}

}  // namespace e1000tlm::e1000
