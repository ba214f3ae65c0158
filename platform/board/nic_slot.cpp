#include "e1000tlm/board/nic_slot.h"

#include <optional>
#include <stdexcept>
#include <utility>

namespace e1000tlm::platform {
namespace {

constexpr Time kClock66 = Time{15'000};

e1000::MacAddress default_mac(unsigned number) {
  const std::uint32_t low = 0x12'3456 + number;
  const auto byte = [&](unsigned shift) { return static_cast<std::uint8_t>(low >> shift); };
  return {0x52, 0x54, 0x00, byte(16), byte(8), byte(0)};
}

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

template <class Call>
auto with_context(const std::string& option, Call call) {
  try {
    return call();
  } catch (const std::exception& error) {
    throw std::invalid_argument(option + ": " + error.what());
  }
}

}  // namespace

NicSlot::NicSlot(const sc_core::sc_module_name& name, const NicPlace& place,
                 const NicConfig& config, const std::string& link, const pci::BusSpeed& bus,
                 Network& network)
    : sc_module(name),
      eeprom_file_(config.eeprom_file),
      flash_file_(config.flash_file),
      link_text_(link),
      irq_("irq") {
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
  cable_ = std::make_unique<link::Cable>("cable");

  bind_bars(*function_, *controller_);
  controller_->dma.socket.bind(function_->dma);
  controller_->irq(irq_);
  function_->irq(irq_);
  function_->events(*controller_);
  controller_->pme(*function_);
  controller_->gmii(*phy_);
  controller_->mdio(*phy_);
  phy_->cable(cable_->end(0));

  filters_ = network.filter(std::to_string(place.index), cable_->end(1), place.number);
  link::CableEndIf& end = filters_ ? filters_->outer() : cable_->end(1);
  with_context("--link " + link, [&] {
    LinkEnd far =
        network.connect(link, "partner", end, "nic " + std::to_string(place.number), place.number);
    link_spec_ = std::move(far.spec);
    partner_ = std::move(far.partner);
  });
}

NicSlot::~NicSlot() = default;

LedWatch& NicSlot::leds() {
  if (!led_watch_) {
    const std::string name = sc_core::sc_gen_unique_name("led_watch");
    led_watch_ = std::make_unique<LedWatch>(name.c_str(), *controller_);
  }
  return *led_watch_;
}

void NicSlot::finish(std::vector<std::string>& failures) {
  const auto attempt = [&](const auto& action) {
    try {
      action();
    } catch (const std::exception& error) {
      failures.emplace_back(error.what());
    }
  };
  attempt([this] { partner_->finish(); });
  if (filters_) filters_->finish(failures);
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

FlowCount NicSlot::carried(unsigned from_end) const {
  const link::CableStatistics& s = cable_->statistics(from_end);
  return {s.frames, s.bytes - s.frames * link::kFcsBytes};
}

bool NicSlot::quiet() const {
  return partner_->exhausted() && cable_->end(0).in_flight() == 0 &&
         cable_->end(1).in_flight() == 0 && (!filters_ || filters_->idle()) && controller_->idle();
}

}  // namespace e1000tlm::platform
