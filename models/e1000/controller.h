#pragma once
/// The 8254x Ethernet controller: wires its hardware blocks together.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include <systemc>
#include <tlm>
#include <tlm_utils/simple_target_socket.h>

#include "e1000tlm/e1000/drops.h"
#include "e1000tlm/e1000/parts.h"
#include "e1000tlm/e1000/peripherals/eeprom.h"
#include "e1000tlm/e1000/peripherals/flash.h"
#include "e1000tlm/e1000/peripherals/led_unit.h"
#include "e1000tlm/e1000/probes.h"
#include "e1000tlm/e1000/timing.h"
#include "e1000tlm/pci/function.h"
#include "e1000tlm/phy/config.h"
#include "e1000tlm/phy/interfaces.h"
#include "e1000tlm/tlm/bus_master.h"
#include "e1000tlm/tlm/probe.h"

namespace e1000tlm::e1000 {

class Statistics;
struct InterruptEvent;
struct ReceiveDescriptorEvent;
struct ReceiveEvent;
struct TransmitDescriptorEvent;

/// Strapped at power-up from the PCI bus the part sits on (STATUS 15:11).
struct BusStraps {
  /// The bus runs at 66 MHz.
  bool pci_66mhz = false;
  /// It is 64 bits wide.
  bool bus_64bit = false;
  /// It is in PCI-X mode.
  bool pcix = false;
  std::uint8_t pcix_speed = 0;  ///< 0: 50-66, 1: 66-100, 2: 100-133 MHz
};

/// What a controller and its card are. The defaults are an 82540EM on a 32-bit bus at 33 MHz.
struct ControllerConfig {
  /// Which chip.
  Part part = Part::k82540em;
  /// What the EEPROM holds at power-up; none: EepromImage::make() for the part, with the address
  /// 52:54:00:12:34:56.
  std::optional<EepromImage> eeprom{};
  /// The flash on the card, if it has one; not for parts without PartInfo::parallel_flash.
  std::optional<FlashImage> flash{};
  /// The bus that it sits on.
  BusStraps straps{};
  /// Its own times.
  ControllerTiming timing{};
};

/// Sockets and ports are the whole interface; nothing else is needed to run it.
///
///   mmio   target     BAR0-relative register accesses, 128 KiB
///   io     target     the 8-byte I/O window (IOADDR, IODATA)
///   flash  target     the flash, up to 512 KiB (BAR 1, or BAR 2 where BARs have 64 bits)
///   rom    target     the flash as expansion ROM, read only
///   dma    initiator  descriptors and buffers
///   irq    out        interrupt level, true = asserted
///   led    out        four LEDs, true = lit; may stay unbound, and then cost nothing
///   reset  in         true = held in reset (RST# asserted); may stay unbound
///   gmii   port       frames to and from the PHY
///   mdio   port       PHY registers
///   pme    port       the PCI function's PMCSR, for wake-up; may stay unbound
///
/// While `reset` is true the device masters no bus, ignores writes and reads as all ones; the
/// rising edge resets it as RST# does. Behind a pci::Function use that one's `reset` instead.
///
/// As pci::DeviceEventsIf it hears of resets, bus-master enable and power states; a platform
/// without PCI leaves that alone and the controller then counts as enabled.
class Controller : public sc_core::sc_module, public pci::DeviceEventsIf {
 public:
  /// Throws std::invalid_argument if the part cannot have what the configuration gives it.
  Controller(const sc_core::sc_module_name& name, const ControllerConfig& config);
  ~Controller() override;

  /// Registers, 128 KiB. Accesses take effect at once: no delay is added.
  ::tlm_utils::simple_target_socket<Controller> mmio;
  ::tlm_utils::simple_target_socket_optional<Controller> io;  ///< may stay unbound
  /// The flash, up to 512 KiB; may stay unbound.
  ::tlm_utils::simple_target_socket_optional<Controller> flash;
  /// The flash as expansion ROM, read only; may stay unbound.
  ::tlm_utils::simple_target_socket_optional<Controller> rom;
  BusMasterPort dma;  ///< bind dma.socket
  /// The interrupt level, true = asserted.
  sc_core::sc_out<bool> irq;
  /// The four LEDs, true = lit; may stay unbound.
  LedUnit::Outputs led;
  /// True: held in reset; may stay unbound.
  sc_core::sc_port<sc_core::sc_signal_in_if<bool>, 1, sc_core::SC_ZERO_OR_MORE_BOUND> reset;
  /// Frames to and from the PHY.
  sc_core::sc_port<phy::GmiiIf> gmii;
  /// The PHY's registers.
  sc_core::sc_port<phy::MdioIf> mdio;
  /// The function's PMCSR, for wake-up; may stay unbound.
  sc_core::sc_port<pci::PmeIf, 1, sc_core::SC_ZERO_OR_MORE_BOUND> pme;

  void pci_reset(pci::ResetKind kind) override;
  void pci_bus_master(bool enabled) override;
  void pci_power_state(pci::PowerState state) override;
  void pci_pme(bool enabled, bool status) override;

  /// Approximately timed (quantum 0): how far the DMA engines may run ahead of the kernel while it
  /// has nothing else planned. Exact and several times faster, but only for platforms whose
  /// sc_start() ends at an event of their own (sc_stop() in a process, sc_pause()): where the
  /// kernel is told to stop after a time, an engine would have worked beyond it. kTimeZero
  /// (default): not at all, which is right for any platform. May be changed at any time.
  void set_lookahead(Time limit);

  /// As given, with the EEPROM in any case; the flash's contents change with what software writes.
  const ControllerConfig& config() const { return config_; }
  /// What the EEPROM holds now.
  EepromImage& eeprom();
  /// What the flash holds now; nullopt: the card has none.
  const std::optional<FlashImage>& flash_image() const { return config_.flash; }
  /// Frames lost, by reason, since the start of simulation.
  const DropCounters& drops() const;
  /// The statistics registers, read without clearing them.
  const Statistics& statistics() const;
  /// The four LEDs at this moment, 0 to kLeds-1: what each one is set to show, whether it is off,
  /// on or blinking, and whether it is lit just now.
  LedSetting led_setting(unsigned led) const;
  /// Ditto: off, on or blinking.
  LedLight led_light(unsigned led) const;
  /// Ditto: lit at this moment.
  bool led_lit(unsigned led) const;
  /// Software-definable pins 0 and 1, as CTRL drives them; nullopt: an input. On copper cards with
  /// the 82544, which has no LEDCTL, drivers identify the adapter with an LED at pin 0 (low: lit).
  std::optional<bool> software_pin(unsigned pin) const;
  /// DMA, a frame on the wire or a management access (MDIO, EEPROM) is under way, or the interrupt
  /// line is about to follow its causes. Timers do not count, nor does an interrupt that they hold
  /// back, nor do frames that PAUSE or a missing link holds back.
  bool busy() const;
  /// Not busy, no frame held back, no delay timer running, no interrupt pending or asserted.
  bool idle() const;
  /// Rising edges of the interrupt line so far.
  std::uint64_t interrupts() const;

  /// Each frame that arrived, and what became of it: mac_receiver.h.
  Probe<ReceiveEvent>& received();
  /// Edges of the interrupt line: interrupt_unit.h.
  Probe<InterruptEvent>& interrupt_events();
  /// Descriptors written back: transmit_engine.h.
  Probe<TransmitDescriptorEvent>& transmit_descriptors();
  /// Descriptors written back: receive_engine.h.
  Probe<ReceiveDescriptorEvent>& receive_descriptors();
  /// PHY and EEPROM accesses, flow control, transmit FIFO.
  Probes& probes();
  /// RDTR with RADV.
  Probe<DelayEvent>& receive_delay();
  /// TIDV with TADV.
  Probe<DelayEvent>& transmit_delay();

 private:
  void end_of_elaboration() override;
  void start_of_simulation() override;
  void reset_changed();
  void mmio_transport(::tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  unsigned mmio_debug(::tlm::tlm_generic_payload& payload);
  void io_transport(::tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  unsigned io_debug(::tlm::tlm_generic_payload& payload);
  void flash_transport(::tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  void rom_transport(::tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  unsigned flash_debug(::tlm::tlm_generic_payload& payload);
  unsigned rom_debug(::tlm::tlm_generic_payload& payload);

  ControllerConfig config_;
  bool in_reset_ = false;
  struct Blocks;
  std::unique_ptr<Blocks> blocks_;
};

/// The configuration space of a part with this EEPROM (manual 4.1). A card with a flash has a base
/// address register for it and an expansion ROM, of the size that the EEPROM says.
pci::FunctionConfig pci_profile(Part part, const EepromImage& eeprom, bool has_flash = false);
/// The same for the card that a controller with this configuration is on.
pci::FunctionConfig pci_profile(const ControllerConfig& config);
/// The PHY that a part works with; else Intel's drivers refuse it by its identifier.
phy::PhyConfig phy_profile(Part part);
/// The EEPROM that a controller with this configuration powers up with.
EepromImage eeprom_image(const ControllerConfig& config);

}  // namespace e1000tlm::e1000
