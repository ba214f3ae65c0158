#pragma once
/// One PCI bus segment: routing, arbitration, timing, INTx wiring.

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include <systemc>
#include <tlm>
#include <tlm_utils/simple_initiator_socket.h>
#include <tlm_utils/simple_target_socket.h>

#include "e1000tlm/pci/arbiter.h"
#include "e1000tlm/pci/function.h"
#include "e1000tlm/pci/posted_writes.h"
#include "e1000tlm/pci/timing.h"
#include "e1000tlm/tlm/dma_tariff.h"
#include "e1000tlm/tlm/probe.h"
#include "e1000tlm/tlm/time.h"

namespace e1000tlm::pci {

/// How reads of a function's registers are answered: as "typical" hosts do, but on PCI-X the data
/// takes 240 ns (16 clocks of 66 MHz: an 8254x splits what takes longer, manual 4.3.2.1).
constexpr TargetTiming function_timing() {
  TargetTiming timing;
  timing.split_latency = ns(240);
  return timing;
}

/// Everything about the segment. Where the figures come from: models/pci/timing.h; hosts by name:
/// models/pci/host_timing.h.
struct BusConfig {
  /// Width and clock.
  BusSpeed speed{};
  /// How the bus is granted.
  ArbiterTiming arbiter{};
  TargetTiming host{};                      ///< host bridge as target of DMA
  TargetTiming device = function_timing();  ///< functions as targets of register accesses
  /// Clocks after which the host bridge gives the bus up; functions have a register for it.
  unsigned host_latency_timer = 64;
  unsigned first_device = 2;  ///< least device number that attach() chooses; the bridge is 0
  /// The host bridge claims DMA to memory addresses below this; what lies above is a master abort.
  /// By default it is offered everything, and its address errors count as master aborts.
  std::uint64_t host_memory_end = ~std::uint64_t{0};
};

/// One access with all its tenures, for traces. Announced when it has ended (loosely timed: when it
/// is asked for).
struct TenureEvent {
  unsigned master;        ///< 0 host bridge, n = n-th function attached, counted from 1
  Command command;        ///< of the first tenure
  std::uint64_t address;  ///< configuration: register | function << 8 | device << 11
  /// Of the whole access.
  std::uint32_t bytes;
  Time requested;  ///< REQ#
  Time start;      ///< first address phase
  Time end;        ///< of the last idle clock
  /// Nobody was there.
  bool master_abort;
};

/// What the bus has done so far.
struct BusStatistics {
  Time busy{};                 ///< address phases to idle clocks
  std::uint64_t accesses = 0;  ///< as TenureEvent counts them
  std::uint64_t tenures = 0;   ///< into which they fell
  /// Moved.
  std::uint64_t bytes = 0;
  /// Accesses that nobody claimed.
  std::uint64_t master_aborts = 0;
};

/// Interrupt line (0..3 = A..D of the interrupt router) of a device's interrupt pin (0..3 = INTA#
/// to INTD#), wired as on PCs with a 440FX/PIIX3 and QEMU's "pc" machine.
constexpr unsigned pirq_line(unsigned device, unsigned pin) { return (device + 3 + pin) & 3; }

/// Targets of DMA: other functions' BARs, then whatever the
/// host bridge claims; a master never reaches itself. Unclaimed: master abort, an address error
/// with read data all ones; the master's Received Master Abort bit is set. Errors of a target that
/// claimed come as generic errors (target abort, with both status bits). Single-function devices:
/// other function numbers do not answer configuration accesses.
///
/// Time, by `tlm_global_quantum` at the start of simulation:
/// - quantum 0: accesses are arbitrated tenure by tenure (see Arbiter). b_transport waits until the
///   access has had its time on the bus, and the target sees it at that time with delay 0.
/// - quantum > 0: what the access would take on a bus of its own is added to the delay; nobody
///   waits, masters do not contend.
/// Without contention both are the same. (With Parking::kLast and several masters only if the
/// accesses are asked for in the order of their times.) What the target adds to the delay (memory
/// latency) comes after the end and does not hold the bus.
///
/// DMA masters get DMI to what the host bridge grants, with a Tariff that books exactly the same.
/// Masters that do not know Tariff get it with a quantum only, priced as 4-byte accesses.
class Bus : public sc_core::sc_module {
 public:
  /// Throws std::invalid_argument for an impossible speed, target timing or device number.
  Bus(const sc_core::sc_module_name& name, const BusConfig& config);
  ~Bus() override;

  /// Returns its device number: the one that is wanted, or else the lowest that is free, from
  /// first_device on. Call before elaboration ends; the function's bus side is bound then. Throws
  /// std::invalid_argument if that number is taken or impossible, or the bus is full.
  unsigned attach(Function& function, std::optional<unsigned> wanted = std::nullopt);
  /// The host bridge's two sockets: CPU accesses come in, DMA goes out.
  ::tlm_utils::simple_target_socket<Bus> from_host;
  /// Ditto.
  ::tlm_utils::simple_initiator_socket<Bus> to_host;
  /// PIRQ lines A..D: see pirq_line; wired-OR over all functions. May be left unbound.
  sc_core::sc_vector<Function::OptionalLevel> pirq;

  /// As given.
  const BusConfig& config() const { return config_; }
  /// Approximately timed: of tenures that have ended.
  BusStatistics statistics() const;
  /// Host bridge (0) or n-th function attached, counted from 1, as a master.
  const BusUsage& usage(unsigned master) const { return arbiter_.usage(master); }
  /// Functions and the host bridge.
  unsigned masters() const { return static_cast<unsigned>(functions_.size()) + 1; }
  /// Each access on the bus.
  Probe<TenureEvent>& tenures() { return tenures_; }
  /// Each tenure, as a logic analyser would see it; attach before simulation starts.
  Probe<Transaction>& transactions() { return transactions_; }
  /// RST# to all functions.
  void reset();

 private:
  SC_HAS_PROCESS(Bus);

  struct Slot;
  struct Target;
  struct Master;
  class SlotTariff;
  struct Range {
    std::uint64_t start = 1, last = 0;  // empty
  };
  void before_end_of_elaboration() override;
  void start_of_simulation() override;
  void host_transport(::tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  unsigned host_debug(::tlm::tlm_generic_payload& payload);
  void host_invalidate(sc_dt::uint64 start, sc_dt::uint64 end);

  void transport(Master& master, ::tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  unsigned debug(Master& master, ::tlm::tlm_generic_payload& payload);
  bool get_dmi(Slot& slot, ::tlm::tlm_generic_payload& payload, ::tlm::tlm_dmi& dmi);

  Target decode(Master& master, const ::tlm::tlm_generic_payload& payload,
                const PciExtension* extension);
  Target route(Master& master, Space space, std::uint64_t address, std::uint64_t last);
  Target search(Master& master, Space space, std::uint64_t address, std::uint64_t last);
  Range host_range(const Master& master, std::uint64_t address) const;
  Target config_target(const Master& master, const PciExtension& extension) const;
  void decode_changed(const Function& function);
  void settings_changed(Slot& slot);

  const AccessTiming& timing(const Master& master, const Target& target,
                             const ::tlm::tlm_generic_payload& payload,
                             const PciExtension* extension) const;
  Arbiter::Transfer transfer(const Target& target, const ::tlm::tlm_generic_payload& payload) const;
  void annotate(const Master& master, const ::tlm::tlm_generic_payload& payload,
                const PciExtension* extension, const Target& target, sc_core::sc_time& delay);
  bool wait_for_turn(Master& master, const ::tlm::tlm_generic_payload& payload,
                     const PciExtension* extension, Target& target, sc_core::sc_time& delay);
  void announce(const Master& master, const ::tlm::tlm_generic_payload& payload,
                const PciExtension* extension, const Arbiter::Access& access, bool aborted) const;
  void abort(Master& master, ::tlm::tlm_generic_payload& payload);
  void conclude_error(Master& master, const Target& target, ::tlm::tlm_generic_payload& payload);
  /// Somebody has asked for the bus.
  void reconsider() {
    if (early_ != 0) newcomer_event_.notify(sc_core::SC_ZERO_TIME);
  }
  void drive_pirq();

  BusConfig config_;
  Arbiter arbiter_;
  std::uint64_t master_aborts_ = 0;
  Probe<TenureEvent> tenures_;
  Probe<Transaction> transactions_;
  std::vector<Function*> functions_;
  std::vector<unsigned> devices_;  // numbers of the functions
  std::vector<std::unique_ptr<Slot>> slots_;
  PostedWrites posted_;  // to host memory
  std::unique_ptr<Master> host_;
  std::uint64_t decode_generation_ = 1;
  bool loosely_timed_ = false;
  std::array<bool, 4> pirq_level_{};
  unsigned early_ = 0;  // who have asked ahead of time and may gain by newcomers
  sc_core::sc_event newcomer_event_;
};

}  // namespace e1000tlm::pci
