#include <algorithm>

#include "e1000tlm/pci/bus_parts.h"
#include "e1000tlm/pci/payload.h"

namespace e1000tlm::pci {

Bus::Target Bus::route(Master& master, Space space, std::uint64_t address, std::uint64_t last) {
  if (master.generation == decode_generation_ && master.space == space && master.start <= address &&
      last <= master.last && address <= last) {
    return master.target;
  }
  return search(master, space, address, last);
}

Bus::Target Bus::search(Master& master, Space space, std::uint64_t address, std::uint64_t last) {
  if (address > last) return {};
  const auto found = [&](std::uint64_t first, std::uint64_t end, Target target) {
    master.generation = decode_generation_;
    master.space = space;
    master.start = first;
    master.last = end;
    return master.target = target;
  };
  for (const auto& slot : slots_) {
    if (slot->master.function == master.function) continue;
    for (const Function::Window& window : slot->master.function->windows()) {
      if (window.space == space && window.start <= address && last <= window.last) {
        return found(window.start, window.last, Target{slot.get(), false});
      }
    }
  }
  if (master.function == nullptr || space != Space::kMemory) return {};
  const Range range = host_range(master, address);
  if (address < range.start || last > range.last) return {};
  return found(range.start, range.last, Target{nullptr, true});
}

/// The addresses around `address` that the host bridge claims from this master; empty (start >
/// last) if it does not claim `address` itself.
Bus::Range Bus::host_range(const Master& master, std::uint64_t address) const {
  if (address >= config_.host_memory_end) return {};
  Range range{0, config_.host_memory_end - 1};
  for (const auto& slot : slots_) {
    if (slot->master.function == master.function) continue;
    for (const Function::Window& window : slot->master.function->windows()) {
      if (window.space != Space::kMemory) continue;
      if (window.start <= address && address <= window.last) return {};
      if (window.last < address) range.start = std::max(range.start, window.last + 1);
      if (window.start > address) range.last = std::min(range.last, window.start - 1);
    }
  }
  return range;
}

Bus::Target Bus::config_target(const Master& master, const PciExtension& extension) const {
  const auto device = std::find(devices_.begin(), devices_.end(), extension.device);
  if (master.function != nullptr || extension.function != 0 || device == devices_.end()) return {};
  return {slots_[static_cast<std::size_t>(device - devices_.begin())].get(), false};
}

Bus::Target Bus::decode(Master& master, const ::tlm::tlm_generic_payload& payload,
                        const PciExtension* extension) {
  const Space space = extension != nullptr ? extension->space : Space::kMemory;
  if (space == Space::kConfig) return config_target(master, *extension);
  const std::uint64_t address = payload.get_address();
  return route(master, space, address, address + extent(payload) - 1);
}

void Bus::decode_changed(const Function& function) {
  ++decode_generation_;
  // A BAR may have come to lie over memory that masters reach by DMI.
  for (const Function::Window& window : function.windows()) {
    if (window.space != Space::kMemory) continue;
    for (const auto& slot : slots_) {
      if (slot->master.function == &function) continue;
      slot->from_function->invalidate_direct_mem_ptr(window.start, window.last);
    }
  }
}

}  // namespace e1000tlm::pci
