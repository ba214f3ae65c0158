#pragma once
/// Type 0 configuration space (PCI 2.3 chapter 6). No SystemC.

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "e1000tlm/pci/commands.h"
#include "e1000tlm/tlm/bytes.h"
#include "e1000tlm/tlm/time.h"

namespace e1000tlm::pci {

namespace cfg {  // register offsets
inline constexpr unsigned kVendorId = 0x00, kDeviceId = 0x02, kCommand = 0x04, kStatus = 0x06,
                          kRevision = 0x08, kCacheLineSize = 0x0C, kLatencyTimer = 0x0D,
                          kHeaderType = 0x0E, kBar0 = 0x10, kSubsystemVendorId = 0x2C,
                          kSubsystemId = 0x2E, kExpansionRom = 0x30, kCapabilities = 0x34,
                          kInterruptLine = 0x3C, kInterruptPin = 0x3D, kMinGrant = 0x3E,
                          kMaxLatency = 0x3F;
}  // namespace cfg
namespace command {
inline constexpr std::uint16_t kIo = 1 << 0, kMemory = 1 << 1, kMaster = 1 << 2, kMwi = 1 << 4,
                               kParity = 1 << 6, kSerr = 1 << 8, kIntxDisable = 1 << 10;
}
namespace status {
inline constexpr std::uint16_t kInterrupt = 1 << 3, kCapabilities = 1 << 4, k66Mhz = 1 << 5,
                               kFastBackToBack = 1 << 7, kMasterParity = 1 << 8,
                               kSignaledTargetAbort = 1 << 11, kReceivedTargetAbort = 1 << 12,
                               kReceivedMasterAbort = 1 << 13, kSignaledSystemError = 1 << 14,
                               kParityError = 1 << 15;
}

/// One base address register.
struct BarConfig {
  /// What it asks for.
  enum class Kind : std::uint8_t { kNone, kMemory32, kMemory64, kIo };
  /// Which.
  Kind kind = Kind::kNone;
  std::uint64_t size = 0;  ///< power of two; memory >= 16, I/O 4..256
  /// Reads have no side effects.
  bool prefetchable = false;
};

/// Bytes of a vector in an MSI-X table.
inline constexpr std::uint32_t kMsixEntryBytes = 16;
/// Most vectors that a function can have.
inline constexpr unsigned kMostMsixVectors = 2048;

/// Where a part of MSI-X is in a function's memory.
struct MsixPlace {
  /// Which BAR.
  unsigned bar = 0;
  /// From its start, a multiple of 8.
  std::uint32_t offset = 0;
};

/// MSI-X (PCI 3.0 6.8.2). Table and pending bits belong to the function: what else is in their BARs
/// is the device's, if one is bound there.
struct MsixConfig {
  /// Offset of the capability, 0 = absent.
  std::uint8_t offset = 0;
  /// 1 to kMostMsixVectors.
  unsigned vectors = 0;
  /// Its table, 16 bytes for each vector.
  MsixPlace table{};
  /// Its pending bits, in units of 8 bytes.
  MsixPlace pending{};

  /// Size of the table.
  std::uint32_t table_bytes() const { return vectors * kMsixEntryBytes; }
  /// Size of the pending bits.
  std::uint32_t pending_bytes() const { return (vectors + 63) / 64 * 8; }
};

/// A capability that means what its vendor says (ID 09h, PCI 3.0 appendix H). A device can act on
/// accesses to it: see VendorCapabilityIf.
struct VendorCapability {
  /// Where it is.
  std::uint8_t offset = 0;
  /// What follows its ID, its link and its length (which the model fills in).
  std::vector<std::uint8_t> bytes;
  /// Of these: bits that software can write. May be shorter; the rest cannot be written.
  std::vector<std::uint8_t> writable;
};

/// Everything that makes one function's configuration space.
struct FunctionConfig {
  /// Who made it.
  std::uint16_t vendor_id = 0xFFFF;
  /// What it is.
  std::uint16_t device_id = 0xFFFF;
  /// Who made the card.
  std::uint16_t subsystem_vendor_id = 0;
  /// What the card is.
  std::uint16_t subsystem_id = 0;
  /// Revision of the silicon.
  std::uint8_t revision = 0;
  std::uint32_t class_code = 0;  ///< 24 bits: base, sub, interface
  /// MIN_GNT: length of a burst, in 250 ns.
  std::uint8_t min_grant = 0;
  /// MAX_LAT: how often it needs the bus, in 250 ns.
  std::uint8_t max_latency = 0;
  std::uint8_t interrupt_pin = 1;  ///< 0 none, 1 INTA# .. 4 INTD#
  /// BAR 0 to 5; a 64-bit one takes two.
  std::array<BarConfig, 6> bars{};
  std::uint32_t expansion_rom_size = 0;  ///< 0: none; else a power of two >= 2 KiB
  /// Bits of the command register that can be set.
  std::uint16_t command_writable = command::kIo | command::kMemory | command::kMaster |
                                   command::kMwi | command::kParity | command::kSerr;
  /// Width of its data path: a 32-bit function moves 32 bits at a time on a 64-bit bus too.
  unsigned width_bits = 32;
  std::uint16_t command_fixed = 0;  ///< always one
  /// Bits of the status register that are always 1.
  std::uint16_t status_fixed = status::k66Mhz | (1 << 9) /* medium DEVSEL# */;

  /// Power management: offset of the capability, 0 = absent.
  std::uint8_t pm_offset = 0;
  std::uint16_t pm_capabilities = 0;       ///< PMC register
  bool pm_read_only = false;               ///< PMCSR stays 0: no D3, no PME
  std::array<std::uint8_t, 16> pm_data{};  ///< data register by Data_Select
  /// What the data register counts in.
  std::uint8_t pm_data_scale = 0;
  /// Entering D3hot clears the command register's I/O and memory enables.
  bool d3_disables_decoding = false;
  /// PCI-X: offset, 0 = absent; reset values of its command and status registers. The function
  /// never reads more at a time than status bits 22:21 say it was designed for.
  std::uint8_t pcix_offset = 0;
  /// PCI-X command register after reset.
  std::uint16_t pcix_command = 0;
  /// PCI-X status register after reset.
  std::uint32_t pcix_status = 0;
  /// MSI (64-bit address, one message): offset, 0 = absent.
  std::uint8_t msi_offset = 0;
  /// MSI-X. While it is enabled MSI is not used, whatever its own enable bit says.
  MsixConfig msix{};
  /// Any number of them.
  std::vector<VendorCapability> vendor;
};

/// Of PMCSR; D3cold is no power at all.
enum class PowerState : std::uint8_t { kD0 = 0, kD1 = 1, kD2 = 2, kD3hot = 3 };

/// MSI-X as its capability's control register has it.
struct MsixControl {
  /// MSI-X Enable.
  bool enabled = false;
  /// Function Mask.
  bool masked = false;
};

/// Registers of one function; the Function module acts on what changes.
class ConfigSpace {
 public:
  /// Throws std::invalid_argument naming the BAR, ROM or capability that cannot be.
  explicit ConfigSpace(const FunctionConfig& config);

  /// 1 to 4 bytes at any offset, little endian. Beyond 255: reads ones, ignores writes.
  std::uint32_t read(unsigned offset, unsigned bytes) const;
  /// The same for writing: read-only bits stay, W1C bits clear.
  void write(unsigned offset, unsigned bytes, std::uint32_t value);
  /// RST#: all but PME context (kept when auxiliary power is present).
  void reset(bool aux_power);

  /// The command register.
  std::uint16_t command() const;
  /// OR-ed into the status register (W1C bits).
  void set_status(std::uint16_t bits);
  /// Status bit 3 follows the device's interrupt level.
  void set_interrupt_status(bool asserted);
  /// Base of a BAR that decodes now (exists, assigned, command bit on, D0); nullopt otherwise. A
  /// base of 0 counts as not assigned: RAM is there on every platform.
  std::optional<std::uint64_t> bar_base(unsigned bar) const;
  /// The same of the expansion ROM.
  std::optional<std::uint64_t> rom_base() const;
  /// As PMCSR says.
  PowerState power_state() const;
  /// PME_En.
  bool pme_enabled() const;
  /// PME_Status.
  bool pme_status() const;
  /// The device's own write to it.
  void set_pme_status(bool set);
  /// Ditto.
  void set_pme_enabled(bool set);
  /// The MSI capability's registers.
  struct Msi {
    /// MSI Enable.
    bool enabled = false;
    /// Where the message goes.
    std::uint64_t address = 0;
    /// What it says.
    std::uint16_t data = 0;
  };
  /// As software has set it.
  Msi msi() const;
  /// As software has set it.
  MsixControl msix() const;
  /// A whole vendor-specific capability, ID first.
  Bytes vendor_registers(std::size_t capability);
  /// Ditto.
  ConstBytes vendor_registers(std::size_t capability) const;
  /// In bus clocks.
  std::uint8_t latency_timer() const { return bytes_[cfg::kLatencyTimer]; }
  /// Everything that shapes the function's accesses as a master.
  MasterSettings master_settings() const;
  /// The bus works in PCI-X mode, as devices learn at RST#: the latency timer is 64 after reset
  /// (PCI-X 1.0b 7.1), and each configuration write tells the function where it is, which its PCI-X
  /// status shows from then on (7.2.4). Functions without the PCI-X capability ignore it.
  void set_pcix_mode(std::uint8_t bus, unsigned device);
  /// As given.
  const FunctionConfig& config() const { return config_; }

 private:
  class Builder;

  bool supports(PowerState state) const;
  void set_power_state(PowerState state);
  void update_pm_data();
  bool pmcsr_bit(std::uint16_t bit) const;
  void set_bits(unsigned offset, std::uint16_t bits, bool set);

  FunctionConfig config_;
  std::optional<std::uint16_t> pcix_location_;  // in PCI-X mode: bits 15:0 of the PCI-X status
  std::array<std::uint8_t, 256> bytes_{};
  std::array<std::uint8_t, 256> initial_{};    // after reset
  std::array<std::uint8_t, 256> writable_{};   // 1: read/write
  std::array<std::uint8_t, 256> clearable_{};  // 1: write one to clear
};

}  // namespace e1000tlm::pci
