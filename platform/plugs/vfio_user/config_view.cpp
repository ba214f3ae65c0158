#include "e1000tlm/plugs/vfio_user/config_view.h"

#include "e1000tlm/plugs/vfio_user/protocol.h"

namespace e1000tlm::plugs::vfio_user {
namespace {

using Kind = pci::BarConfig::Kind;

constexpr std::uint64_t kMemory = 0xE000'0000, kEachMemory = 0x0100'0000, kPorts = 0xC000,
                        kEachPorts = 0x100;
constexpr std::uint32_t kIoBar = 1, k64Bit = 4, kPrefetchable = 8, kRomEnable = 1;

}  // namespace

ConfigView::ConfigView(const pci::FunctionConfig& config) : config_(config) {
  for (unsigned i = 0; i < config.bars.size(); ++i) {
    const pci::BarConfig& bar = config.bars[i];
    if (bar.kind == Kind::kNone) continue;
    const std::uint64_t mask = ~(bar.size - 1);
    const bool io = bar.kind == Kind::kIo;
    kept_[i].writable = static_cast<std::uint32_t>(mask);
    kept_[i].fixed = io ? kIoBar : bar.prefetchable ? kPrefetchable : 0;
    if (bar.kind != Kind::kMemory64) continue;
    kept_[i].fixed |= k64Bit;
    kept_[i + 1].writable = static_cast<std::uint32_t>(mask >> 32);
  }
  if (config.expansion_rom_size != 0) {
    kept_[kRomRegion].writable = ~(config.expansion_rom_size - 1) | kRomEnable;
  }
  reset();
}

void ConfigView::reset() {
  for (Kept& kept : kept_) kept.value = kept.fixed;
  intx_disabled_ = false;
}

ConfigView::Kept* ConfigView::kept(unsigned offset) {
  const unsigned first = offset & ~3U;
  if (first == pci::cfg::kExpansionRom) return &kept_[kRomRegion];
  const bool bar = first >= pci::cfg::kBar0 && first < pci::cfg::kBar0 + 4 * config_.bars.size();
  return bar ? &kept_[(first - pci::cfg::kBar0) / 4] : nullptr;
}

std::uint32_t ConfigView::read(unsigned offset, std::uint32_t from_function) const {
  if (const Kept* found = const_cast<ConfigView*>(this)->kept(offset)) return found->value;
  if ((offset & ~3U) != pci::cfg::kCommand || !intx_disabled_) return from_function;
  return from_function | pci::command::kIntxDisable;
}

bool ConfigView::write(unsigned offset, unsigned bytes, std::uint32_t value) {
  const unsigned shift = 8 * (offset & 3);
  const std::uint32_t mask = (bytes == 4 ? ~0U : (1U << (8 * bytes)) - 1) << shift;
  const std::uint32_t placed = value << shift;
  if (Kept* found = kept(offset)) {
    const std::uint32_t changes = mask & found->writable;
    found->value = (found->value & ~changes) | (placed & changes);
    return false;
  }
  if ((offset & ~3U) == pci::cfg::kCommand && (mask & pci::command::kIntxDisable) != 0) {
    intx_disabled_ = (placed & pci::command::kIntxDisable) != 0;
  }
  return true;
}

Placement ConfigView::placement(unsigned region) const {
  Placement place;
  if (region == kRomRegion) {
    place.size = config_.expansion_rom_size;
  } else if (region < config_.bars.size() && config_.bars[region].kind != Kind::kNone) {
    place.size = config_.bars[region].size;
    if (config_.bars[region].kind == Kind::kIo) {
      place.space = pci::Space::kIo;
      place.base = kPorts + region * kEachPorts;
      return place;
    }
  }
  place.base = kMemory + region * kEachMemory;
  return place;
}

std::optional<ConfigView::Register> ConfigView::placing(unsigned region) const {
  const Placement place = placement(region);
  if (place.size == 0) return std::nullopt;
  const auto base = static_cast<std::uint32_t>(place.base);
  if (region == kRomRegion) return Register{pci::cfg::kExpansionRom, base | kRomEnable, 0};
  const std::uint32_t fixed = kept_[region].fixed;
  return Register{pci::cfg::kBar0 + 4 * region, base | fixed, fixed};
}

}  // namespace e1000tlm::plugs::vfio_user
