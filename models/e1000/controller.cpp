#include "e1000tlm/e1000/controller.h"

#include <stdexcept>

#include "e1000tlm/e1000/core.h"
#include "e1000tlm/e1000/interrupts/interrupt_unit.h"
#include "e1000tlm/e1000/packet_buffer/packet_buffer_registers.h"
#include "e1000tlm/e1000/peripherals/eeprom_interface.h"
#include "e1000tlm/e1000/peripherals/eeprom_map.h"
#include "e1000tlm/e1000/peripherals/flash_interface.h"
#include "e1000tlm/e1000/power/wakeup_unit.h"
#include "e1000tlm/e1000/receive/mac_receiver.h"
#include "e1000tlm/e1000/receive/receive_engine.h"
#include "e1000tlm/e1000/registers/device_control.h"
#include "e1000tlm/e1000/registers/io_window.h"
#include "e1000tlm/e1000/registers/mdi_interface.h"
#include "e1000tlm/e1000/registers/register_map.h"
#include "e1000tlm/e1000/registers/statistics.h"
#include "e1000tlm/e1000/transmit/mac_transmitter.h"
#include "e1000tlm/e1000/transmit/transmit_engine.h"
#include "e1000tlm/tlm/register_access.h"

namespace e1000tlm::e1000 {
namespace {

constexpr std::uint32_t kWholeDword = 0xFFFFFFFF;

ControllerConfig completed(const ControllerConfig& config) {
  const PartInfo& part = part_info(config.part);
  if (config.flash && !part.parallel_flash) {
    std::string others;
    for (const PartInfo& other : kParts) {
      if (other.parallel_flash) others.append(others.empty() ? "" : ", ").append(other.name);
    }
    throw std::invalid_argument(std::string(part.name) +
                                " has no interface for a flash (manual 7); these have: " + others);
  }
  ControllerConfig result = config;
  result.eeprom = eeprom_image(config);
  return result;
}

std::uint32_t strapped_status(const ControllerConfig& config) {
  const BusStraps& straps = config.straps;
  std::uint32_t value = 0;
  if (straps.pci_66mhz) value |= status::kPci66;
  if (straps.bus_64bit) value |= status::kBus64;
  if (straps.pcix) {
    value |= status::kPcixMode;
    value |= std::uint32_t{straps.pcix_speed} << status::kPcixSpeedShift;
  }
  if (config.part == Part::k82544gc) value |= status::kMtxckok;
  return value;
}

/// The 64 dwords at 4000h are Statistics' business.
class StatisticsRegisters {
 public:
  StatisticsRegisters(Core& core, MacTransmitter& transmitter)
      : core_(core), transmitter_(transmitter) {
    RegisterBank& bank = core.bank;
    bank.on_view<&StatisticsRegisters::view>(reg::kStatistics, this);
    bank.on_read<&StatisticsRegisters::was_read>(reg::kStatistics, this);
  }

 private:
  std::uint32_t view(std::uint32_t index, std::uint32_t) const {
    transmitter_.count_until(core_.now());
    return core_.statistics.peek(reg::kStatistics + 4 * index);
  }
  void was_read(std::uint32_t index) { core_.statistics.read(reg::kStatistics + 4 * index); }

  Core& core_;
  MacTransmitter& transmitter_;
};

}  // namespace

/// The blocks, in the order in which they depend on each other.
struct Controller::Blocks : public ResetTarget {
  Blocks(ControllerConfig& config, BusMasterPort& dma)
      : bank(register_map(), register_aliases(), kMmioBytes, part_info(config.part).mask),
        interrupts("interrupts", bank, part_info(config.part), config.timing),
        core{part_info(config.part), config.timing, bank, statistics, drops, interrupts, gate, dma},
        control("control", core, *this, strapped_status(config)),
        eeprom("eeprom", core, *config.eeprom),
        flash("flash_interface", core, config.flash),
        mdi("mdi", core),
        transmitter("mac_transmitter", core),
        statistics_registers(core, transmitter),
        wakeup("wakeup", core, has_power_management(*config.eeprom, config.part)),
        receiver(core, transmitter, wakeup),
        transmit("transmit", core, transmitter),
        receive("receive", core, receiver, transmitter),
        packet_buffer(core, receive, transmit),
        leds("leds", core) {
    control.set_txoff_source([this] { return transmitter.paused(); });
    wakeup.set_listener([this] { receive.update_ready(); });
    leds.set_pause_source([this] { return transmitter.paused_until(); });
  }

  void software_reset() override {
    reset(domain::kSoftware);
    // 82544 and older load the EEPROM only when asked to (rule RST-3).
    if (!core.part.is_82544) eeprom.load(domain::kSoftware);
    control.reset();
    leds.update();
  }
  void reload_eeprom() override {
    eeprom.load(domain::kSoftware);
    leds.update();
  }
  void control_written() override { leds.update(); }
  void link_changed() override {
    transmitter.state_changed();
    wakeup.link_changed();
    receive.update_ready();
    leds.update();
  }

  void hardware_reset(pci::ResetKind kind) {
    // Rule RST-5: the function decides what becomes of its PME context, and has told.
    const bool keep_pme = wakeup.has_pmcsr() || kind == pci::ResetKind::kPowerState;
    const std::uint32_t pme = bank[reg::kWuc] & (wuc::kPmeEn | wuc::kPmeStatus);
    reset(domain::kBus | domain::kSoftware);
    if (keep_pme) bank[reg::kWuc] |= pme;
    io.reset();
    eeprom.load(domain::kBus);
    core.gmii->hardware_reset(true);
    core.gmii->hardware_reset(false);
    control.reset();
    leds.update();
  }

  /// The power state, or whether the system is to be woken up.
  void power_changed() {
    control.manage_phy_power(wakeup.asleep(), wakeup.enabled());
    receive.update_ready();
  }

  void reset(std::uint8_t domains) {
    bank.reset(domains);
    transmitter.reset();
    transmit.reset();
    receive.reset(Drop::kRxReset);
    packet_buffer.reset();
    mdi.reset();
    eeprom.release_pins();
    interrupts.reset();
    wakeup.reset();
    if ((domains & domain::kBus) != 0) statistics.reset();
  }

  RegisterBank bank;
  Statistics statistics;
  DropCounters drops;
  BusMasterGate gate;
  InterruptUnit interrupts;
  Core core;
  DeviceControl control;
  EepromInterface eeprom;
  FlashInterface flash;
  MdiInterface mdi;
  MacTransmitter transmitter;
  StatisticsRegisters statistics_registers;
  WakeupUnit wakeup;
  MacReceiver receiver;
  TransmitEngine transmit;
  ReceiveEngine receive;
  PacketBufferRegisters packet_buffer;
  LedUnit leds;
  IoWindow io;
};

Controller::Controller(const sc_core::sc_module_name& name, const ControllerConfig& config)
    : sc_module(name),
      mmio("mmio"),
      io("io"),
      flash("flash"),
      rom("rom"),
      dma("dma"),
      irq("irq"),
      led("led", kLeds),
      reset("reset"),
      gmii("gmii"),
      mdio("mdio"),
      pme("pme"),
      config_(completed(config)),
      blocks_(std::make_unique<Blocks>(config_, dma)) {
  blocks_->interrupts.line.bind(irq);
  mmio.register_b_transport(this, &Controller::mmio_transport);
  mmio.register_transport_dbg(this, &Controller::mmio_debug);
  io.register_b_transport(this, &Controller::io_transport);
  io.register_transport_dbg(this, &Controller::io_debug);
  flash.register_b_transport(this, &Controller::flash_transport);
  flash.register_transport_dbg(this, &Controller::flash_debug);
  rom.register_b_transport(this, &Controller::rom_transport);
  rom.register_transport_dbg(this, &Controller::rom_debug);
}

Controller::~Controller() = default;

void Controller::end_of_elaboration() {
  check_time_resolution();
  blocks_->core.gmii = gmii.operator->();
  blocks_->core.mdio = mdio.operator->();
  if (pme.size() > 0) blocks_->wakeup.connect(pme.operator->());
  if (reset.size() > 0) {
    sc_core::sc_spawn_options options;
    options.spawn_method();
    options.set_sensitivity(&reset->value_changed_event());
    options.dont_initialize();
    sc_core::sc_spawn([this] { reset_changed(); }, "reset_changed", &options);
  }
}

void Controller::start_of_simulation() {
  blocks_->eeprom.load(domain::kPowerGood | domain::kBus);
  blocks_->control.reset();
  blocks_->leds.connect(led);
  blocks_->leds.update();
  if (reset.size() > 0 && reset->read()) reset_changed();
}

void Controller::reset_changed() {
  in_reset_ = reset->read();
  if (in_reset_) blocks_->hardware_reset(pci::ResetKind::kBusReset);
  pci_bus_master(!in_reset_);
}

void Controller::mmio_transport(::tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
  if (in_reset_) return leave_undriven(payload);
  Blocks& b = *blocks_;
  const Core::Access access(b.core, sc_now() + from_sc(delay));
  access_registers(
      payload, kMmioBytes, [&](std::uint32_t offset, std::uint32_t) { return b.bank.read(offset); },
      [&](std::uint32_t offset, std::uint32_t value, std::uint32_t mask) {
        b.bank.write(offset, value, mask);
      });
}

unsigned Controller::mmio_debug(::tlm::tlm_generic_payload& payload) {
  Blocks& b = *blocks_;
  return debug_registers(
      payload, kMmioBytes, [&](std::uint32_t offset, std::uint32_t) { return b.bank.peek(offset); },
      [&](std::uint32_t offset, std::uint32_t value, std::uint32_t mask) {
        b.bank.poke(offset, (b.bank.peek(offset) & ~mask) | value);
      });
}

/// IOADDR and what IODATA shows of the registers take dword accesses only (manual 13.2.2); narrower
/// ones read 0 and write nothing.
void Controller::io_transport(::tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
  if (in_reset_) return leave_undriven(payload);
  Blocks& b = *blocks_;
  const Core::Access access(b.core, sc_now() + from_sc(delay));
  access_registers(
      payload, IoWindow::kBytes,
      [&](std::uint32_t offset, std::uint32_t mask) -> std::uint32_t {
        if (offset == IoWindow::kDataOffset && b.io.selects_flash()) {
          delay += to_sc(b.flash.cost(mask));
          return b.flash.read(b.io.flash_offset(), mask);
        }
        if (mask != kWholeDword) return 0;
        if (offset == IoWindow::kAddressOffset) return b.io.address();
        return b.io.selects_register() ? b.bank.read(b.io.address() & ~3U) : 0;
      },
      [&](std::uint32_t offset, std::uint32_t value, std::uint32_t mask) {
        if (offset == IoWindow::kDataOffset && b.io.selects_flash()) {
          delay += to_sc(b.flash.cost(mask));
          b.flash.write(b.io.flash_offset(), value, mask);
        }
        if (mask != kWholeDword) return;
        if (offset == IoWindow::kAddressOffset) {
          b.io.set_address(value);
        } else if (b.io.selects_register()) {
          b.bank.write(b.io.address() & ~3U, value);
        }
      });
}

unsigned Controller::io_debug(::tlm::tlm_generic_payload& payload) {
  Blocks& b = *blocks_;
  if (payload.is_write()) return 0;
  return debug_registers(
      payload, IoWindow::kBytes,
      [&](std::uint32_t offset, std::uint32_t) -> std::uint32_t {
        if (offset == IoWindow::kAddressOffset) return b.io.address();
        if (b.io.selects_flash()) return b.flash.peek(b.io.flash_offset());
        return b.io.selects_register() ? b.bank.peek(b.io.address() & ~3U) : 0;
      },
      [](std::uint32_t, std::uint32_t, std::uint32_t) {});
}

void Controller::flash_transport(::tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
  if (in_reset_) return leave_undriven(payload);
  blocks_->flash.transport(FlashInterface::Via::kFlashBar, payload, delay);
}

void Controller::rom_transport(::tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
  if (in_reset_) return leave_undriven(payload);
  blocks_->flash.transport(FlashInterface::Via::kRom, payload, delay);
}

unsigned Controller::flash_debug(::tlm::tlm_generic_payload& payload) {
  return blocks_->flash.debug(payload);
}

unsigned Controller::rom_debug(::tlm::tlm_generic_payload& payload) {
  return payload.is_write() ? 0 : blocks_->flash.debug(payload);
}

void Controller::pci_reset(pci::ResetKind kind) { blocks_->hardware_reset(kind); }

void Controller::pci_bus_master(bool enabled) {
  Blocks& b = *blocks_;
  b.gate.enabled = enabled;
  if (!enabled) ++b.gate.closures;
  if (b.core.gmii == nullptr) return;
  b.receive.update_ready();
  b.transmit.wake(b.core.now());
  b.receive.wake(b.core.now());
}

void Controller::pci_power_state(pci::PowerState state) {
  blocks_->wakeup.set_asleep(state != pci::PowerState::kD0);
  blocks_->power_changed();
}

void Controller::pci_pme(bool enabled, bool status) {
  blocks_->wakeup.pmcsr_changed(enabled, status);
  blocks_->power_changed();
}

EepromImage& Controller::eeprom() { return *config_.eeprom; }
void Controller::set_lookahead(Time limit) { blocks_->core.lookahead = limit; }

const DropCounters& Controller::drops() const { return blocks_->drops; }
const Statistics& Controller::statistics() const {
  blocks_->transmitter.count_until(sc_now());
  return blocks_->statistics;
}

LedSetting Controller::led_setting(unsigned led) const { return blocks_->leds.setting(led); }
LedLight Controller::led_light(unsigned led) const { return blocks_->leds.light(led); }
bool Controller::led_lit(unsigned led) const { return blocks_->leds.lit(led); }
std::optional<bool> Controller::software_pin(unsigned pin) const {
  return blocks_->control.software_pin(pin);
}

bool Controller::busy() const {
  const Blocks& b = *blocks_;
  return b.transmit.busy() || b.receive.busy() || b.mdi.busy() || b.eeprom.busy() ||
         b.control.resetting() || b.interrupts.asserting() || b.wakeup.pending();
}

bool Controller::idle() const {
  const Blocks& b = *blocks_;
  return !busy() && b.transmitter.idle() && !b.transmit.delayed_interrupt() &&
         !b.receive.delayed_interrupt() && !b.interrupts.pending() && !b.interrupts.asserted();
}

std::uint64_t Controller::interrupts() const { return blocks_->interrupts.assertions(); }

Probe<ReceiveEvent>& Controller::received() { return blocks_->receiver.probe; }
Probe<InterruptEvent>& Controller::interrupt_events() { return blocks_->interrupts.probe; }
Probe<TransmitDescriptorEvent>& Controller::transmit_descriptors() {
  return blocks_->transmit.descriptors;
}
Probe<ReceiveDescriptorEvent>& Controller::receive_descriptors() {
  return blocks_->receive.descriptors;
}
Probes& Controller::probes() { return blocks_->core.probes; }
Probe<DelayEvent>& Controller::receive_delay() { return blocks_->receive.delay_events(); }
Probe<DelayEvent>& Controller::transmit_delay() { return blocks_->transmit.delay_events(); }

}  // namespace e1000tlm::e1000
