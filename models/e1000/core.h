#pragma once
/// What every hardware block of the controller works with.

#include <systemc>

#include "e1000tlm/e1000/drops.h"
#include "e1000tlm/e1000/interrupts/interrupt_unit.h"
#include "e1000tlm/e1000/packet_buffer/packet_buffer.h"
#include "e1000tlm/e1000/parts.h"
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
  sc_core::sc_event enabled_event;
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

struct Core {
  const PartInfo& part;
  const ControllerTiming& timing;
  RegisterBank& bank;
  Statistics& statistics;
  DropCounters& drops;
  InterruptUnit& interrupts;
  BusMasterGate& gate;
  BusMasterPort& dma;
  /// The local time of the register access whose handler runs; see Controller::mmio_transport.
  Time access_time = kTimeZero;
  /// See Controller::set_lookahead().
  Time lookahead = kTimeZero;
  /// The link as the MAC sees it: the PHY's, while CTRL.SLU is set; device_control's.
  bool link_up = false;
  WireActivity activity{};
  /// Set at elaboration's end; the port of the facade.
  phy::GmiiIf* gmii = nullptr;
  phy::MdioIf* mdio = nullptr;

  gsl::span<std::uint32_t> packet_buffer_memory() const {
    return {&bank[reg::kPbm], kPacketBufferBytes / 4};
  }
  bool is_on(std::uint32_t offset, std::uint32_t bit) const { return (bank[offset] & bit) != 0; }
};

}  // namespace e1000tlm::e1000
