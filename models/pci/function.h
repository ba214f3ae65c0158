#pragma once
/// A PCI function around a device that knows registers, DMA and one interrupt level.

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <gsl/span>
#include <optional>
#include <utility>

#include <systemc>
#include <tlm>
#include <tlm_utils/simple_initiator_socket.h>
#include <tlm_utils/simple_target_socket.h>

#include "e1000tlm/pci/config_space.h"
#include "e1000tlm/pci/extension.h"
#include "e1000tlm/pci/messages.h"
#include "e1000tlm/pci/msix.h"
#include "e1000tlm/pci/vendor_capability.h"

namespace e1000tlm::pci {

/// Why a device is reset.
enum class ResetKind : std::uint8_t {
  kBusReset,    ///< RST#
  kPowerState,  ///< D3hot -> D0
};

/// What a device behind a Function is told besides transactions. Optional. Called on change only,
/// in the process that made the change; calls must not wait.
class DeviceEventsIf : public virtual sc_core::sc_interface {
 public:
  /// The device is reset, as at power-up but for what survives.
  virtual void pci_reset(ResetKind kind) = 0;
  /// The function may (not) master the bus now: command bit 2 and power state. It may not after
  /// power-up; the device is told so once at the start of simulation.
  virtual void pci_bus_master(bool enabled) = 0;
  /// PMCSR says so now.
  virtual void pci_power_state(PowerState state) = 0;
  /// PMCSR's PME_En or PME_Status changed by configuration software.
  virtual void pci_pme(bool enabled, bool status) = 0;
  /// MSI-X is enabled, or not any more (MessagesIf::messages_enabled()).
  virtual void pci_messages(bool /*enabled*/) {}
};

/// What a device behind a Function can say about wake-up.
class PmeIf : public virtual sc_core::sc_interface {
 public:
  /// The device's own write to PME_En and PME_Status (the 8254x shadows them in WUC). Not echoed by
  /// pci_pme.
  virtual void set_pme(bool enabled, bool status) = 0;
  /// Sets PME_Status and drives PME# until it is cleared, whatever PME_En says: wake-up with no
  /// operating system (APM).
  virtual void assert_pme() = 0;
};

/// Towards the device: `bar[i]` (BAR-relative addresses), `rom`, `dma`, `irq`, `events`, `vendor`.
/// Towards the bus: `target`, `initiator`, `intx`.
///
/// Command gating, BAR decode, INTx or MSI, power states, status bits. DMA is refused (generic
/// error) while bus mastering is off, and DMI on that path withdrawn. A device's address error
/// comes out of `target` as a generic error (PCI: target abort): an address error there means that
/// the function did not claim the access.
///
/// D3hot -> D0 is a soft reset: configuration space but for the PME context, then the device's
/// pci_reset (PCI PM 1.1 5.4.1; the 8254x has no No_Soft_Reset).
///
/// While `reset` is true the function answers nothing, not even configuration accesses, and masters
/// no bus; its rising edge is a bus_reset(). It may stay unbound.
///
/// INTx follows `irq` unless MSI or MSI-X is enabled. With MSI each rising edge of `irq` sends the
/// message through `initiator`, or as soon as bus mastering allows it while MSI stays enabled. With
/// MSI-X the device says which vector is to go (MessagesIf): its message follows what the device
/// has done on the bus before, and waits while it is masked or bus mastering is off.
///
/// MSI-X table and pending bits are in the BARs that the configuration says, which may have no
/// device behind them: what is in such a BAR besides reads as 0 then. Reads and writes of any size
/// work; debug writes do not.
class Function : public sc_core::sc_module, public PmeIf, public MessagesIf {
 public:
  /// Socket towards the device; may stay unbound.
  using OptionalInitiator = ::tlm_utils::simple_initiator_socket_optional<Function>;
  /// Socket from the device; may stay unbound.
  using OptionalTarget = ::tlm_utils::simple_target_socket_optional<Function>;
  /// Level output; may stay unbound.
  using OptionalLevel =
      sc_core::sc_port<sc_core::sc_signal_inout_if<bool>, 1, sc_core::SC_ZERO_OR_MORE_BOUND>;

  /// Level input; may stay unbound.
  using OptionalReset =
      sc_core::sc_port<sc_core::sc_signal_in_if<bool>, 1, sc_core::SC_ZERO_OR_MORE_BOUND>;

  /// Throws std::invalid_argument as ConfigSpace does.
  Function(const sc_core::sc_module_name& name, const FunctionConfig& config);

  // bus side
  ::tlm_utils::simple_target_socket<Function> target;        ///< PciExtension tells the space
  ::tlm_utils::simple_initiator_socket<Function> initiator;  ///< absolute bus addresses
  sc_core::sc_out<bool> intx;                                ///< level, true = asserted
  OptionalLevel pme;                                         ///< PME#, true = asserted
  OptionalReset reset;                                       ///< RST#, true = asserted
  // device side; a BAR or ROM that is configured but left unbound reads as all ones
  /// To the device, by base address register; addresses from its start.
  sc_core::sc_vector<OptionalInitiator> bar;
  /// To the device's expansion ROM.
  OptionalInitiator rom;
  /// From the device: absolute bus addresses.
  OptionalTarget dma;
  /// From the device: interrupt level, true = asserted.
  sc_core::sc_in<bool> irq;
  /// To the device: resets, bus mastering, power states.
  sc_core::sc_port<DeviceEventsIf, 1, sc_core::SC_ZERO_OR_MORE_BOUND> events;
  /// To the device: accesses to vendor-specific capabilities.
  sc_core::sc_port<VendorCapabilityIf, 1, sc_core::SC_ZERO_OR_MORE_BOUND> vendor;

  /// The registers.
  ConfigSpace& config() { return config_; }
  /// Ditto.
  const ConfigSpace& config() const { return config_; }

  /// One range of addresses that the function decodes now.
  struct Window {
    /// Memory or I/O.
    Space space = Space::kMemory;
    /// First address.
    std::uint64_t start = 0;
    std::uint64_t last = 0;  ///< inclusive
    unsigned index = 0;      ///< BAR, or kRomIndex
  };
  /// Window::index of the expansion ROM.
  static constexpr unsigned kRomIndex = 6;
  /// All of them; changes with the configuration registers.
  gsl::span<const Window> windows() const { return {windows_.data(), window_count_}; }
  /// Does this function claim all of the access now? Configuration accesses are not claimed by
  /// address.
  bool claims(Space space, std::uint64_t address, std::uint64_t bytes) const {
    return bytes != 0 && find(space, address, address + bytes - 1) != nullptr;
  }
  /// Counts every change of what it claims.
  std::uint64_t decode_generation() const { return decode_generation_; }
  /// Called after every change of windows(); for the bus's decoder.
  void on_decode_change(std::function<void()> call) { decode_changed_ = std::move(call); }
  /// Called after every change of ConfigSpace::master_settings(); for the bus.
  void on_settings_change(std::function<void()> call) { settings_changed_ = std::move(call); }
  /// Bus mastering is enabled and the power state is D0.
  bool may_master() const { return may_master_; }

  /// RST# from the bus. PME context survives if the function supports PME# from D3cold (PMC bit
  /// 15).
  /// The same as an edge of `reset`, without the time that RST# lasts.
  void bus_reset();
  /// The device's PME request (sets PME_Status, drives PME# if enabled).
  void request_pme() { set_pme(config_.pme_enabled(), true); }
  void set_pme(bool enabled, bool status) override;
  void assert_pme() override;
  bool messages_enabled() const override { return msix_ && msix_->enabled(); }
  void send_message(unsigned vector) override;
  /// The message (MSI or MSI-X) that is on its way to its target now: who gets a write can tell
  /// from it whether that is one, and whose.
  const std::optional<InterruptMessage>& message_under_way() const { return under_way_; }

 private:
  SC_HAS_PROCESS(Function);

  void target_transport(::tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  unsigned target_debug(::tlm::tlm_generic_payload& payload);
  void dma_transport(::tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  unsigned dma_debug(::tlm::tlm_generic_payload& payload);
  bool dma_get_dmi(::tlm::tlm_generic_payload& payload, ::tlm::tlm_dmi& dmi);
  void dma_invalidate(sc_dt::uint64 start, sc_dt::uint64 end);

  void end_of_elaboration() override;
  void start_of_simulation() override;
  void config_transport(::tlm::tlm_generic_payload& payload);
  unsigned config_debug(::tlm::tlm_generic_payload& payload);
  template <class Call>
  void for_vendor(const ::tlm::tlm_generic_payload& payload, std::uint64_t bytes,
                  const Call& call) const;
  const Window* find(Space space, std::uint64_t address, std::uint64_t last) const {
    for (const Window& window : windows()) {
      if (window.start <= address && last <= window.last && address <= last &&
          window.space == space) {
        return &window;
      }
    }
    return nullptr;
  }
  void apply_config();
  bool update_windows();
  void soft_reset(ResetKind kind);
  void drive_outputs();
  void reset_changed();
  OptionalInitiator* behind_msix(const Window& window);
  bool answer_itself(const Window& window, ::tlm::tlm_generic_payload& payload);
  void access_msix(const Window& window, ::tlm::tlm_generic_payload& payload);
  unsigned debug_itself(const Window& window, ::tlm::tlm_generic_payload& payload) const;
  void messages_changed();
  std::optional<InterruptMessage> next_message();
  bool post(const InterruptMessage& message);
  void put_back(const InterruptMessage& message);
  void send_messages();

  struct Announced {  // what the device knows
    bool may_master = false;
    PowerState power = PowerState::kD0;
    bool pme_enabled = false;
    bool pme_status = false;
    bool messages = false;
  };

  ConfigSpace config_;
  std::array<Window, kRomIndex + 1> windows_{};
  std::size_t window_count_ = 0;
  std::uint64_t decode_generation_ = 0;
  std::function<void()> decode_changed_;
  MasterSettings settings_;  // as last announced
  std::function<void()> settings_changed_;
  bool may_master_ = false;
  bool irq_was_ = false;
  bool in_reset_ = false;
  bool message_pending_ = false;
  bool pme_asserted_ = false;  // by assert_pme()
  Announced announced_;
  // Null where nothing is bound, and where MSI-X is.
  std::array<OptionalInitiator*, kRomIndex + 1> device_{};
  std::optional<Msix> msix_;
  std::optional<InterruptMessage> under_way_;
  sc_core::sc_event outputs_event_;
  sc_core::sc_event message_event_;
  // A message under way; not on its thread's stack, which is never unwound.
  ::tlm::tlm_generic_payload message_;
  std::array<std::uint8_t, 4> message_data_{};
};

}  // namespace e1000tlm::pci
