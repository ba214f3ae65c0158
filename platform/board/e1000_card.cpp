#include "e1000tlm/board/e1000_card.h"

#include <stdexcept>

#include "e1000tlm/board/control_registers.h"
#include "e1000tlm/board/nic_slot.h"
#include "e1000tlm/e1000/drops.h"

namespace e1000tlm::platform {
namespace {

constexpr Time kClock66 = Time{15'000};

e1000::EepromImage make_eeprom(const NicConfig& config, const NicPlace& place) {
  if (config.eeprom_file.empty()) {
    return e1000::EepromImage::make(config.part, config.mac.value_or(default_mac(place.number)));
  }
  e1000::EepromImage image = e1000::EepromImage::load(config.eeprom_file);
  if (config.mac) image.set_mac(*config.mac);
  if (!image.checksum_ok()) {
    const std::string text = "--nic " + std::to_string(place.index) + ": EEPROM image '" +
                             config.eeprom_file +
                             "': its checksum is wrong; many drivers refuse it";
    SC_REPORT_WARNING("/e1000tlm/platform/eeprom", text.c_str());
  }
  return image;
}

e1000::ControllerConfig controller_config(const NicConfig& config, const NicPlace& place,
                                          const pci::BusSpeed& bus) {
  e1000::ControllerConfig result;
  result.part = config.part;
  result.eeprom = make_eeprom(config, place);
  if (!config.flash_file.empty()) {
    result.flash = e1000::FlashImage::load(config.flash_file);
    // As the maker of such a card does; an EEPROM file is left as it is.
    if (config.eeprom_file.empty()) result.eeprom->set_flash_bytes(result.flash->size());
  }
  result.timing = config.timing;
  result.straps.pci_66mhz = !bus.pcix && bus.clock <= kClock66;
  result.straps.bus_64bit = bus.width_bits == 64 && e1000::part_info(config.part).pcix;
  result.straps.pcix = bus.pcix;
  if (bus.pcix) {
    result.straps.pcix_speed = bus.clock >= Time{15'000} ? 0 : bus.clock >= Time{10'000} ? 1 : 2;
  }
  return result;
}

phy::PhyConfig phy_config(const NicConfig& config) {
  phy::PhyConfig result = e1000::phy_profile(config.part);
  if (config.autonegotiation) result.timing.autonegotiation = *config.autonegotiation;
  return result;
}

/// Memory BARs: registers, then flash if there is one; and the BAR of the I/O window.
void bind_bars(pci::Function& function, e1000::Controller& controller) {
  const pci::FunctionConfig& config = function.config().config();
  bool registers_bound = false;
  for (std::size_t i = 0; i < config.bars.size(); ++i) {
    const auto kind = config.bars[i].kind;
    if (kind == pci::BarConfig::Kind::kNone) continue;
    if (kind == pci::BarConfig::Kind::kIo) {
      function.bar[i].bind(controller.io);
    } else if (registers_bound) {
      function.bar[i].bind(controller.flash);
    } else {
      function.bar[i].bind(controller.mmio);
      registers_bound = true;
    }
  }
  if (config.expansion_rom_size != 0) function.rom.bind(controller.rom);
}

/// What a loss says of the run.
DropKind kind_of(e1000::Drop reason) {
  using e1000::Drop;
  switch (reason) {
    case Drop::kRxDisabled:
    case Drop::kRxFifoFull:
    case Drop::kRxBadFcs:
    case Drop::kRxUndersize:
    case Drop::kRxAsleep: return DropKind::kExpected;
    case Drop::kRxOversize: return DropKind::kTooLong;
    case Drop::kRxFiltered: return DropKind::kFiltered;
    case Drop::kRxMacControl: return DropKind::kConsumed;
    default: return DropKind::kFault;
  }
}

}  // namespace

E1000Card::E1000Card(const NicConfig& config, const NicPlace& place, const pci::BusSpeed& bus)
    : eeprom_file_(config.eeprom_file), flash_file_(config.flash_file), irq_("irq") {
  const std::string option = "--nic " + std::to_string(place.index);
  with_context(option, [&] {
    using Use = FileLock::Use;
    if (!eeprom_file_.empty()) eeprom_lock_ = FileLock("EEPROM image", eeprom_file_, Use::kWrite);
    if (!flash_file_.empty()) flash_lock_ = FileLock("flash image", flash_file_, Use::kWrite);
  });
  const auto controller =
      with_context(option, [&] { return controller_config(config, place, bus); });
  eeprom_before_ = controller.eeprom;
  flash_before_ = controller.flash;
  function_ = std::make_unique<pci::Function>("function", e1000::pci_profile(controller));
  with_context(
      option, [&] { controller_ = std::make_unique<e1000::Controller>("controller", controller); });
  if (!config.led_file.empty()) {
    with_context(option + ": leds", [&] {
      led_trace_ = std::make_unique<LedTrace>("led_trace", leds(), config.led_file);
    });
  }
  with_context(option, [&] { phy_ = std::make_unique<phy::M88E1011>("phy", phy_config(config)); });

  bind_bars(*function_, *controller_);
  controller_->dma.socket.bind(function_->dma);
  controller_->irq(irq_);
  function_->irq(irq_);
  function_->events(*controller_);
  controller_->pme(*function_);
  controller_->gmii(*phy_);
  controller_->mdio(*phy_);
}

E1000Card::~E1000Card() = default;

LedWatch& E1000Card::leds() {
  if (!led_watch_) {
    const std::string name = sc_core::sc_gen_unique_name("led_watch");
    led_watch_ = std::make_unique<LedWatch>(name.c_str(), *controller_);
  }
  return *led_watch_;
}

std::string E1000Card::model() const {
  return std::string(e1000::part_info(controller_->config().part).name);
}

CardLink E1000Card::link() const {
  const phy::LinkStatus& link = phy_->link();
  if (!link.up) return {};
  return {true, static_cast<unsigned>(link::bits_per_second(link.mode.speed) / 1'000'000),
          link.mode.full_duplex};
}

std::vector<CardDrop> E1000Card::drops() const {
  std::vector<CardDrop> drops;
  for (std::size_t i = 0; i < e1000::kDropNames.size(); ++i) {
    const auto reason = static_cast<e1000::Drop>(i);
    drops.push_back({e1000::kDropNames[i], controller_->drops()[reason], kind_of(reason)});
  }
  return drops;
}

void E1000Card::add_to(NicSummary& summary) const {
  for (unsigned led = 0; led < e1000::kLeds; ++led) {
    summary.leds.push_back({std::string(to_string(controller_->led_setting(led).mode)),
                            std::string(to_string(controller_->led_light(led)))});
  }
}

std::vector<std::string> E1000Card::register_names() const {
  return platform::register_names(controller_->config().part);
}

std::vector<std::pair<std::string, std::uint32_t>> E1000Card::debug_read(const std::string& name) {
  return platform::debug_read(*function_, controller_->config().part, name);
}

void E1000Card::finish(std::vector<std::string>& failures) {
  const auto attempt = [&](const auto& action) {
    try {
      action();
    } catch (const std::exception& error) {
      failures.emplace_back(error.what());
    }
  };
  attempt([this] {
    if (led_trace_) led_trace_->finish();
  });
  attempt([this] {
    const e1000::EepromImage& now = controller_->eeprom();
    if (!eeprom_file_.empty() && !(now == *eeprom_before_)) now.save(eeprom_file_);
  });
  attempt([this] {
    const std::optional<e1000::FlashImage>& flash = controller_->flash_image();
    if (flash && !(*flash == *flash_before_)) flash->save(flash_file_);
  });
}

void check_e1000_bus(const NicConfig& config, const std::string& name, const pci::BusSpeed& bus) {
  const e1000::PartInfo& info = e1000::part_info(config.part);
  if (!bus.pcix || info.pcix) return;
  throw std::invalid_argument("--pci " + name + ": the " + std::string(info.name) +
                              " has no PCI-X; 82544gc, 82545em and 82545gm do");
}

E1000Card* e1000_card(NicSlot& slot) { return dynamic_cast<E1000Card*>(&slot.card()); }

}  // namespace e1000tlm::platform
