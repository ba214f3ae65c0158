#include "e1000tlm/pci/config_space.h"

#include <algorithm>
#include <stdexcept>
#include <string>

#include "e1000tlm/tlm/bytes.h"

namespace e1000tlm::pci {
namespace {

constexpr unsigned kSize = 256, kFirstCapability = 0x40;
constexpr std::uint8_t kPmId = 0x01, kMsiId = 0x05, kPcixId = 0x07, kVendorSpecificId = 0x09,
                       kMsixId = 0x11;

// Offsets inside the capabilities and their bits (PCI PM 1.1 chapter 3, PCI-X 1.0 7.2,
// PCI 3.0 6.8 and appendix H).
constexpr unsigned kPmc = 2, kPmcsr = 4, kPmData = 7, kPmSize = 8;
constexpr std::uint16_t kPmcD1 = 1 << 9, kPmcD2 = 1 << 10, kPmcPme = 0xF800;
constexpr std::uint16_t kPmcsrState = 0x0003, kPmcsrPmeEnable = 1 << 8, kPmcsrDataSelect = 0x1E00,
                        kPmcsrPmeStatus = 1 << 15;
constexpr unsigned kPcixCommand = 2, kPcixStatus = 4, kPcixSize = 8;
constexpr std::uint16_t kPcixCommandWritable = 0x007F, kPcixMaxRead = 0x000C;
constexpr unsigned kPcixMaxReadShift = 2, kPcixDesignedReadShift = 21;
constexpr std::uint8_t kPcixLatencyTimer = 64;
constexpr std::uint32_t kPcixStatusClearable = 1u << 18 | 1u << 19 | 1u << 29;
constexpr unsigned kMsiControl = 2, kMsiAddress = 4, kMsiUpper = 8, kMsiData = 12, kMsiSize = 14;
constexpr std::uint16_t kMsiEnable = 1 << 0, kMsi64Bit = 1 << 7;

constexpr unsigned kMsixControl = 2, kMsixTable = 4, kMsixPending = 8, kMsixSize = 12;
constexpr std::uint16_t kMsixEnable = 1 << 15, kMsixMask = 1 << 14;
constexpr unsigned kVendorLength = 2, kVendorBytes = 3;

constexpr std::uint32_t kBarIo = 1, kBar64 = 4, kBarPrefetchable = 8;
constexpr std::uint32_t kRomEnable = 1;

[[noreturn]] void refuse(const std::string& what) {
  throw std::invalid_argument("PCI configuration space: " + what);
}

bool is_power_of_two(std::uint64_t n) { return n != 0 && (n & (n - 1)) == 0; }

void check_bar(const FunctionConfig& config, unsigned index) {
  const BarConfig& bar = config.bars[index];
  const std::string name = "BAR " + std::to_string(index);
  if (index > 0 && config.bars[index - 1].kind == BarConfig::Kind::kMemory64 &&
      bar.kind != BarConfig::Kind::kNone) {
    refuse(name + " is the upper half of the 64-bit BAR before it");
  }
  if (bar.kind == BarConfig::Kind::kNone) return;
  std::uint64_t least = 16, most = std::uint64_t{1} << 31;
  if (bar.kind == BarConfig::Kind::kIo) least = 4, most = 256;
  if (bar.kind == BarConfig::Kind::kMemory64) {
    most = std::uint64_t{1} << 63;
    if (index == 5) refuse(name + " cannot be a 64-bit BAR: it is the last one");
  }
  if (!is_power_of_two(bar.size) || bar.size < least || bar.size > most) {
    refuse(name + " has size " + std::to_string(bar.size) + ", not a power of two from " +
           std::to_string(least) + " to " + std::to_string(most));
  }
}

/// Where a capability is.
struct Placed {
  std::string name;
  unsigned offset;
  unsigned size;
};

/// Those that there are, by ascending offset.
std::vector<Placed> capabilities(const FunctionConfig& config) {
  std::vector<Placed> all{{"power management", config.pm_offset, kPmSize},
                          {"PCI-X", config.pcix_offset, kPcixSize},
                          {"MSI", config.msi_offset, kMsiSize},
                          {"MSI-X", config.msix.offset, kMsixSize}};
  all.erase(std::remove_if(all.begin(), all.end(), [](const Placed& p) { return p.offset == 0; }),
            all.end());
  for (std::size_t i = 0; i < config.vendor.size(); ++i) {
    const VendorCapability& vendor = config.vendor[i];
    all.push_back({"vendor-specific (" + std::to_string(i) + ")", vendor.offset,
                   static_cast<unsigned>(kVendorBytes + vendor.bytes.size())});
  }
  std::stable_sort(all.begin(), all.end(),
                   [](const Placed& a, const Placed& b) { return a.offset < b.offset; });
  return all;
}

void check_capabilities(const FunctionConfig& config) {
  for (std::size_t i = 0; i < config.vendor.size(); ++i) {
    if (config.vendor[i].writable.size() <= config.vendor[i].bytes.size()) continue;
    refuse("vendor-specific (" + std::to_string(i) + ") capability has writable bits beyond its " +
           std::to_string(config.vendor[i].bytes.size()) + " bytes");
  }
  const std::vector<Placed> all = capabilities(config);
  for (std::size_t i = 0; i < all.size(); ++i) {
    const Placed& one = all[i];
    if (one.offset < kFirstCapability || one.offset % 4 != 0 || one.offset + one.size > kSize) {
      refuse(one.name + " capability does not fit at offset " + std::to_string(one.offset));
    }
    if (i > 0 && all[i - 1].offset + all[i - 1].size > one.offset) {
      refuse(one.name + " capability at offset " + std::to_string(one.offset) + " overlaps the " +
             all[i - 1].name + " capability at " + std::to_string(all[i - 1].offset));
    }
  }
}

void check_msix_place(const FunctionConfig& config, const char* name, const MsixPlace& place,
                      std::uint32_t bytes) {
  const std::string what = std::string("MSI-X ") + name;
  const std::string where =
      what + " at " + std::to_string(place.offset) + " of BAR " + std::to_string(place.bar);
  if (place.bar >= config.bars.size() ||
      (config.bars[place.bar].kind != BarConfig::Kind::kMemory32 &&
       config.bars[place.bar].kind != BarConfig::Kind::kMemory64)) {
    refuse(where + ": there is no such memory BAR");
  }
  if (place.offset % 8 != 0) refuse(where + ": not a multiple of 8");
  const std::uint64_t end = std::uint64_t{place.offset} + bytes;
  if (end > config.bars[place.bar].size) {
    refuse(where + ": its " + std::to_string(bytes) + " bytes do not fit into the BAR's " +
           std::to_string(config.bars[place.bar].size));
  }
}

void check_msix(const FunctionConfig& config) {
  const MsixConfig& msix = config.msix;
  if (msix.offset == 0) return;
  if (msix.vectors == 0 || msix.vectors > kMostMsixVectors) {
    refuse("MSI-X has " + std::to_string(msix.vectors) + " vectors, not 1 to " +
           std::to_string(kMostMsixVectors));
  }
  check_msix_place(config, "table", msix.table, msix.table_bytes());
  check_msix_place(config, "pending bits", msix.pending, msix.pending_bytes());
  const std::uint64_t table = msix.table.offset, pending = msix.pending.offset;
  if (msix.table.bar == msix.pending.bar && table < pending + msix.pending_bytes() &&
      pending < table + msix.table_bytes()) {
    refuse("MSI-X table and pending bits overlap in BAR " + std::to_string(msix.table.bar));
  }
}

void check(const FunctionConfig& config) {
  for (unsigned i = 0; i < config.bars.size(); ++i) check_bar(config, i);
  if (config.expansion_rom_size != 0 &&
      (!is_power_of_two(config.expansion_rom_size) || config.expansion_rom_size < 2048)) {
    refuse("expansion ROM has size " + std::to_string(config.expansion_rom_size) +
           ", not a power of two of at least 2048");
  }
  if (config.interrupt_pin > 4) {
    refuse("interrupt pin " + std::to_string(config.interrupt_pin) + " is not 0..4");
  }
  check_capabilities(config);
  check_msix(config);
}

}  // namespace

/// Writes initial values and masks of the registers while a ConfigSpace is being built.
class ConfigSpace::Builder {
 public:
  explicit Builder(ConfigSpace& space) : space_(space), config_(space.config_) {}

  void build() {
    header();
    for (unsigned i = 0; i < config_.bars.size(); ++i) bar(i);
    if (config_.expansion_rom_size != 0) {
      put32(cfg::kExpansionRom, 0, ~(config_.expansion_rom_size - 1) | kRomEnable);
    }
    // Chained by ascending offset, as parts do.
    unsigned link = cfg::kCapabilities;
    for (const Placed& capability : capabilities(config_)) {
      space_.bytes_[link] = static_cast<std::uint8_t>(capability.offset);
      link = capability.offset + 1;
    }
    if (config_.pm_offset != 0) power_management(config_.pm_offset);
    if (config_.pcix_offset != 0) pcix(config_.pcix_offset);
    if (config_.msi_offset != 0) msi(config_.msi_offset);
    if (config_.msix.offset != 0) msix(config_.msix);
    for (const VendorCapability& capability : config_.vendor) vendor(capability);
  }

 private:
  void put16(unsigned offset, std::uint16_t value, std::uint16_t writable = 0,
             std::uint16_t clearable = 0) {
    store_le16(&space_.bytes_[offset], value);
    store_le16(&space_.writable_[offset], writable);
    store_le16(&space_.clearable_[offset], clearable);
  }
  void put32(unsigned offset, std::uint32_t value, std::uint32_t writable = 0,
             std::uint32_t clearable = 0) {
    store_le32(&space_.bytes_[offset], value);
    store_le32(&space_.writable_[offset], writable);
    store_le32(&space_.clearable_[offset], clearable);
  }

  void header() {
    const bool any = !capabilities(config_).empty();
    put16(cfg::kVendorId, config_.vendor_id);
    put16(cfg::kDeviceId, config_.device_id);
    put16(cfg::kCommand, config_.command_fixed,
          static_cast<std::uint16_t>(config_.command_writable & ~config_.command_fixed));
    put16(cfg::kStatus,
          static_cast<std::uint16_t>(config_.status_fixed | (any ? status::kCapabilities : 0)), 0,
          status::kMasterParity | status::kSignaledTargetAbort | status::kReceivedTargetAbort |
              status::kReceivedMasterAbort | status::kSignaledSystemError | status::kParityError);
    put32(cfg::kRevision, config_.class_code << 8 | config_.revision);
    space_.writable_[cfg::kCacheLineSize] = 0xFF;
    space_.writable_[cfg::kLatencyTimer] = 0xFF;
    put16(cfg::kSubsystemVendorId, config_.subsystem_vendor_id);
    put16(cfg::kSubsystemId, config_.subsystem_id);
    space_.writable_[cfg::kInterruptLine] = 0xFF;
    space_.bytes_[cfg::kInterruptPin] = config_.interrupt_pin;
    space_.bytes_[cfg::kMinGrant] = config_.min_grant;
    space_.bytes_[cfg::kMaxLatency] = config_.max_latency;
  }

  void bar(unsigned index) {
    const BarConfig& bar = config_.bars[index];
    const unsigned offset = cfg::kBar0 + 4 * index;
    const std::uint64_t mask = ~(bar.size - 1);
    const std::uint32_t low = static_cast<std::uint32_t>(mask);
    const std::uint32_t prefetch = bar.prefetchable ? kBarPrefetchable : 0;
    switch (bar.kind) {
      case BarConfig::Kind::kNone: break;
      case BarConfig::Kind::kIo: put32(offset, kBarIo, low); break;
      case BarConfig::Kind::kMemory32: put32(offset, prefetch, low); break;
      case BarConfig::Kind::kMemory64:
        put32(offset, kBar64 | prefetch, low);
        put32(offset + 4, 0, static_cast<std::uint32_t>(mask >> 32));
        break;
    }
  }

  void power_management(unsigned at) {
    space_.bytes_[at] = kPmId;
    put16(at + kPmc, config_.pm_capabilities);
    if (config_.pm_read_only) return;
    const bool pme = (config_.pm_capabilities & kPmcPme) != 0;
    put16(at + kPmcsr, 0,
          static_cast<std::uint16_t>(kPmcsrState | kPmcsrDataSelect | (pme ? kPmcsrPmeEnable : 0)),
          kPmcsrPmeStatus);
  }

  void pcix(unsigned at) {
    space_.bytes_[at] = kPcixId;
    put16(at + kPcixCommand, config_.pcix_command, kPcixCommandWritable);
    put32(at + kPcixStatus, config_.pcix_status, 0, kPcixStatusClearable);
  }

  void msi(unsigned at) {
    space_.bytes_[at] = kMsiId;
    put16(at + kMsiControl, kMsi64Bit, kMsiEnable);
    put32(at + kMsiAddress, 0, ~std::uint32_t{3});
    put32(at + kMsiUpper, 0, ~std::uint32_t{0});
    put16(at + kMsiData, 0, 0xFFFF);
  }

  void msix(const MsixConfig& msix) {
    space_.bytes_[msix.offset] = kMsixId;
    put16(msix.offset + kMsixControl, static_cast<std::uint16_t>(msix.vectors - 1),
          kMsixEnable | kMsixMask);
    put32(msix.offset + kMsixTable, msix.table.offset | msix.table.bar);
    put32(msix.offset + kMsixPending, msix.pending.offset | msix.pending.bar);
  }

  void vendor(const VendorCapability& vendor) {
    space_.bytes_[vendor.offset] = kVendorSpecificId;
    space_.bytes_[vendor.offset + kVendorLength] =
        static_cast<std::uint8_t>(kVendorBytes + vendor.bytes.size());
    const auto at = static_cast<std::ptrdiff_t>(vendor.offset + kVendorBytes);
    std::copy(vendor.bytes.begin(), vendor.bytes.end(), space_.bytes_.begin() + at);
    std::copy(vendor.writable.begin(), vendor.writable.end(), space_.writable_.begin() + at);
  }

  ConfigSpace& space_;
  const FunctionConfig& config_;
};

ConfigSpace::ConfigSpace(const FunctionConfig& config) : config_(config) {
  check(config_);
  Builder(*this).build();
  update_pm_data();
  initial_ = bytes_;
}

std::uint32_t ConfigSpace::read(unsigned offset, unsigned bytes) const {
  std::uint32_t value = 0;
  for (unsigned i = 0; i < bytes; ++i) {
    const std::uint32_t byte = offset + i < kSize ? bytes_[offset + i] : 0xFF;
    value |= byte << (8 * i);
  }
  return value;
}

void ConfigSpace::write(unsigned offset, unsigned bytes, std::uint32_t value) {
  const PowerState before = power_state();
  if (pcix_location_) store_le16(&bytes_[config_.pcix_offset + kPcixStatus], *pcix_location_);
  for (unsigned i = 0; i < bytes && offset + i < kSize; ++i) {
    const unsigned at = offset + i;
    const std::uint8_t byte = static_cast<std::uint8_t>(value >> (8 * i));
    bytes_[at] = static_cast<std::uint8_t>(
        ((bytes_[at] & ~writable_[at]) | (byte & writable_[at])) & ~(byte & clearable_[at]));
  }
  if (config_.pm_offset != 0) {
    if (!supports(power_state())) set_power_state(before);
    if (config_.d3_disables_decoding && power_state() == PowerState::kD3hot &&
        before != PowerState::kD3hot) {
      set_bits(cfg::kCommand, command::kIo | command::kMemory, false);
    }
    update_pm_data();
  }
}

void ConfigSpace::reset(bool aux_power) {
  const bool enabled = pme_enabled(), pending = pme_status();
  bytes_ = initial_;
  if (aux_power) {
    set_pme_enabled(enabled);
    set_pme_status(pending);
  }
}

std::uint16_t ConfigSpace::command() const { return load_le16(&bytes_[cfg::kCommand]); }

void ConfigSpace::set_status(std::uint16_t bits) {
  const std::uint16_t sticky = load_le16(&clearable_[cfg::kStatus]);
  const std::uint16_t present = load_le16(&bytes_[cfg::kStatus]);
  store_le16(&bytes_[cfg::kStatus], static_cast<std::uint16_t>(present | (bits & sticky)));
}

void ConfigSpace::set_interrupt_status(bool asserted) {
  set_bits(cfg::kStatus, status::kInterrupt, asserted);
}

std::optional<std::uint64_t> ConfigSpace::bar_base(unsigned bar) const {
  if (bar >= config_.bars.size() || power_state() != PowerState::kD0) return std::nullopt;
  const BarConfig::Kind kind = config_.bars[bar].kind;
  if (kind == BarConfig::Kind::kNone) return std::nullopt;
  const bool io = kind == BarConfig::Kind::kIo;
  if ((command() & (io ? command::kIo : command::kMemory)) == 0) return std::nullopt;
  const std::uint8_t* reg = &bytes_[cfg::kBar0 + 4 * bar];
  std::uint64_t base = load_le32(reg) & (io ? ~std::uint32_t{3} : ~std::uint32_t{15});
  if (kind == BarConfig::Kind::kMemory64) base |= std::uint64_t{load_le32(reg + 4)} << 32;
  if (base == 0) return std::nullopt;
  return base;
}

std::optional<std::uint64_t> ConfigSpace::rom_base() const {
  const std::uint32_t rom = load_le32(&bytes_[cfg::kExpansionRom]);
  if ((rom & kRomEnable) == 0 || (command() & command::kMemory) == 0 ||
      power_state() != PowerState::kD0) {
    return std::nullopt;
  }
  const std::uint32_t base = rom & ~kRomEnable;
  if (base == 0) return std::nullopt;
  return base;
}

PowerState ConfigSpace::power_state() const {
  if (config_.pm_offset == 0) return PowerState::kD0;
  return static_cast<PowerState>(bytes_[config_.pm_offset + kPmcsr] & kPmcsrState);
}

bool ConfigSpace::pme_enabled() const { return pmcsr_bit(kPmcsrPmeEnable); }
bool ConfigSpace::pme_status() const { return pmcsr_bit(kPmcsrPmeStatus); }

void ConfigSpace::set_pme_status(bool set) {
  if (config_.pm_offset == 0 || config_.pm_read_only) return;
  set_bits(config_.pm_offset + kPmcsr, kPmcsrPmeStatus, set);
}

void ConfigSpace::set_pme_enabled(bool set) {
  if ((config_.pm_capabilities & kPmcPme) == 0 || config_.pm_offset == 0) return;
  if (config_.pm_read_only) return;
  set_bits(config_.pm_offset + kPmcsr, kPmcsrPmeEnable, set);
}

ConfigSpace::Msi ConfigSpace::msi() const {
  if (config_.msi_offset == 0) return {};
  const std::uint8_t* msi = &bytes_[config_.msi_offset];
  return {(load_le16(msi + kMsiControl) & kMsiEnable) != 0,
          std::uint64_t{load_le32(msi + kMsiUpper)} << 32 | load_le32(msi + kMsiAddress),
          load_le16(msi + kMsiData)};
}

MsixControl ConfigSpace::msix() const {
  if (config_.msix.offset == 0) return {};
  const std::uint16_t control = load_le16(&bytes_[config_.msix.offset + kMsixControl]);
  return {(control & kMsixEnable) != 0, (control & kMsixMask) != 0};
}

Bytes ConfigSpace::vendor_registers(std::size_t capability) {
  const VendorCapability& vendor = config_.vendor.at(capability);
  return Bytes(bytes_).subspan(vendor.offset, kVendorBytes + vendor.bytes.size());
}

ConstBytes ConfigSpace::vendor_registers(std::size_t capability) const {
  return const_cast<ConfigSpace*>(this)->vendor_registers(capability);
}

MasterSettings ConfigSpace::master_settings() const {
  MasterSettings settings;
  settings.width_bits = config_.width_bits;
  settings.cache_line_bytes = 4u * bytes_[cfg::kCacheLineSize];
  settings.write_invalidate = (command() & command::kMwi) != 0;
  settings.latency_timer = latency_timer();
  if (config_.pcix_offset != 0) {
    const std::uint16_t pcix = load_le16(&bytes_[config_.pcix_offset + kPcixCommand]);
    const unsigned wanted = (pcix & kPcixMaxRead) >> kPcixMaxReadShift;
    const unsigned designed = config_.pcix_status >> kPcixDesignedReadShift & 3u;
    settings.max_read_bytes = 512u << std::min(wanted, designed);
  }
  return settings;
}

void ConfigSpace::set_pcix_mode(std::uint8_t bus, unsigned device) {
  if (config_.pcix_offset == 0) return;
  pcix_location_ = static_cast<std::uint16_t>(bus << 8 | (device & 0x1F) << 3);
  bytes_[cfg::kLatencyTimer] = initial_[cfg::kLatencyTimer] = kPcixLatencyTimer;
}

bool ConfigSpace::supports(PowerState state) const {
  switch (state) {
    case PowerState::kD1: return (config_.pm_capabilities & kPmcD1) != 0;
    case PowerState::kD2: return (config_.pm_capabilities & kPmcD2) != 0;
    default: return true;
  }
}

void ConfigSpace::set_power_state(PowerState state) {
  std::uint8_t& pmcsr = bytes_[config_.pm_offset + kPmcsr];
  pmcsr = static_cast<std::uint8_t>((pmcsr & ~kPmcsrState) | static_cast<std::uint8_t>(state));
}

// Data and Data_Scale show what Data_Select selects; selections without data read as zero.
void ConfigSpace::update_pm_data() {
  if (config_.pm_offset == 0) return;
  std::uint8_t* pm = &bytes_[config_.pm_offset];
  const std::uint16_t pmcsr = load_le16(pm + kPmcsr);
  const std::uint8_t data = config_.pm_data[(pmcsr & kPmcsrDataSelect) >> 9];
  const unsigned scale = data != 0 ? config_.pm_data_scale & 3u : 0;
  store_le16(pm + kPmcsr, static_cast<std::uint16_t>((pmcsr & ~0x6000) | scale << 13));
  pm[kPmData] = data;
}

bool ConfigSpace::pmcsr_bit(std::uint16_t bit) const {
  return config_.pm_offset != 0 && (load_le16(&bytes_[config_.pm_offset + kPmcsr]) & bit) != 0;
}

void ConfigSpace::set_bits(unsigned offset, std::uint16_t bits, bool set) {
  const std::uint16_t value = load_le16(&bytes_[offset]);
  store_le16(&bytes_[offset], static_cast<std::uint16_t>(set ? value | bits : value & ~bits));
}

}  // namespace e1000tlm::pci
