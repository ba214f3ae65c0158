#pragma once
/// What every hardware block of the controller works with.

#include <systemc>

#include "e1000tlm/e1000/drops.h"
#include "e1000tlm/e1000/interrupts/interrupt_unit.h"
#include "e1000tlm/e1000/packet_buffer/packet_buffer.h"
#include "e1000tlm/e1000/parts.h"
#include "e1000tlm/e1000/probes.h"
#include "e1000tlm/e1000/registers/registers.h"
#include "e1000tlm/e1000/registers/statistics.h"
#include "e1000tlm/e1000/timing.h"
#include "e1000tlm/phy/interfaces.h"
#include "e1000tlm/tlm/bus_master.h"
#include "e1000tlm/tlm/register_bank.h"
#include "e1000tlm/tlm/sc_time.h"

namespace e1000tlm::e1000 {

/// May the controller master the bus (PCI command bit 2, power state)?
struct BusMasterGate {
  bool enabled = true;
  std::uint64_t closures = 0;  ///< how often it was closed
};

/// Frames on the wire, for the LEDs.
struct WireActivity {
  Time until = kTimeZero;                ///< last bit of the latest frame; zero: none yet
  sc_core::sc_event* watcher = nullptr;  ///< told of every frame, if anybody looks

  void note(Time last_bit) {
    if (last_bit > until) until = last_bit;
    if (watcher != nullptr) watcher->notify(sc_core::SC_ZERO_TIME);
  }
};

/// The parts that all blocks share, and the time.
class Core {
 public:
  Core(const PartInfo& its_part, const ControllerTiming& its_timing, RegisterBank& its_bank,
       Statistics& its_statistics, DropCounters& its_drops, InterruptUnit& its_interrupts,
       BusMasterGate& its_gate, BusMasterPort& its_dma)
      : part(its_part),
        timing(its_timing),
        bank(its_bank),
        statistics(its_statistics),
        drops(its_drops),
        interrupts(its_interrupts),
        gate(its_gate),
        dma(its_dma) {}

  const PartInfo& part;
  const ControllerTiming& timing;
  RegisterBank& bank;
  Statistics& statistics;
  DropCounters& drops;
  InterruptUnit& interrupts;
  BusMasterGate& gate;
  BusMasterPort& dma;
  /// See Controller::set_lookahead().
  Time lookahead = kTimeZero;
  /// The link as the MAC sees it: the PHY's, while CTRL.SLU is set; device_control's.
  bool link_up = false;
  WireActivity activity{};
  Probes probes{};
  /// Set at elaboration's end; the port of the facade.
  phy::GmiiIf* gmii = nullptr;
  phy::MdioIf* mdio = nullptr;

  gsl::span<std::uint32_t> packet_buffer_memory() const {
    return {&bank[reg::kPbm], kPacketBufferBytes / 4};
  }
  /// A register access at a local time of its initiator's, as long as its handlers run.
  class Access {
   public:
    Access(Core& core, Time at) : core_(core) { core_.access_at_ = at; }
    ~Access() { core_.access_at_ = kTimeNever; }
    Access(const Access&) = delete;
    Access& operator=(const Access&) = delete;
    /// It has taken that long so far.
    void spend(Time span) { core_.access_at_ += span; }

   private:
    Core& core_;
  };
  /// What time it is for what a register handler does: the access's own; else the kernel's.
  Time now() const { return access_at_ != kTimeNever ? access_at_ : sc_now(); }

  bool is_on(std::uint32_t offset, std::uint32_t bit) const { return (bank[offset] & bit) != 0; }

 private:
  Time access_at_ = kTimeNever;  // no access
};

}  // namespace e1000tlm::e1000
