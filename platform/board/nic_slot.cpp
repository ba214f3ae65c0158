#include "platform/board/nic_slot.h"

#include <optional>
#include <stdexcept>

#include "platform/board/memory_file.h"
#include "traffic/default_capture.h"

namespace e1000tlm::platform {
namespace {

constexpr Time kClock66 = Time{15'000};

e1000::MacAddress default_mac(unsigned index) {
  e1000::MacAddress mac{0x52, 0x54, 0x00, 0x12, 0x34, 0x56};
  mac[5] = static_cast<std::uint8_t>(mac[5] + index);
  return mac;
}

e1000::EepromImage make_eeprom(const NicConfig& config, unsigned index) {
  if (config.eeprom_file.empty()) {
    return e1000::EepromImage::make(config.part, config.mac.value_or(default_mac(index)));
  }
  e1000::EepromImage image = e1000::EepromImage::load(config.eeprom_file);
  if (config.mac) image.set_mac(*config.mac);
  if (!image.checksum_ok()) {
    const std::string text = "--nic " + std::to_string(index) + ": EEPROM image '" +
                             config.eeprom_file +
                             "': its checksum is wrong; many drivers refuse it";
    SC_REPORT_WARNING("/e1000tlm/platform/eeprom", text.c_str());
  }
  return image;
}

e1000::ControllerConfig controller_config(const NicConfig& config, unsigned index,
                                          const pci::BusSpeed& bus) {
  e1000::ControllerConfig result;
  result.part = config.part;
  result.eeprom = make_eeprom(config, index);
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
  phy::PhyConfig result;
  result.id2 = e1000::part_info(config.part).phy_id2;
  if (config.autonegotiation) result.timing.autonegotiation = *config.autonegotiation;
  return result;
}

/// Index of the first BAR of a kind; -1: none.
int find_bar(const pci::FunctionConfig& config, bool io) {
  for (std::size_t i = 0; i < config.bars.size(); ++i) {
    const auto kind = config.bars[i].kind;
    const bool is_io = kind == pci::BarConfig::Kind::kIo;
    if (kind != pci::BarConfig::Kind::kNone && is_io == io) return static_cast<int>(i);
  }
  return -1;
}

std::unique_ptr<link::LinkPartner> make_partner(link::PartnerSpec spec, link::CableEndIf& end,
                                                std::uint64_t seed) {
  link::PartnerContext context;
  context.name = "partner";
  context.seed = seed;
  std::optional<MemoryFile> built_in;  // read completely while the partner is made
  const bool bare = !spec.find("in") && !spec.find("out");
  if (spec.kind == "pcap" && (bare || spec.find("in") == "built-in")) {
    built_in.emplace("default.pcap", traffic::default_capture());
    spec.options["in"] = built_in->path();
  }
  return link::PartnerRegistry::instance().make(context, end, spec);
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

NicSlot::NicSlot(const sc_core::sc_module_name& name, unsigned index, const NicConfig& config,
                 const std::string& link, const pci::BusSpeed& bus, std::uint64_t seed)
    : sc_module(name), eeprom_file_(config.eeprom_file), link_text_(link), irq_("irq") {
  const auto controller = with_context("--nic " + std::to_string(index),
                                       [&] { return controller_config(config, index, bus); });
  eeprom_before_ = controller.eeprom;
  const pci::FunctionConfig profile = e1000::pci_profile(config.part, controller.eeprom);
  function_ = std::make_unique<pci::Function>("function", profile);
  controller_ = std::make_unique<e1000::Controller>("controller", controller);
  with_context("--nic " + std::to_string(index),
               [&] { phy_ = std::make_unique<phy::M88E1011>("phy", phy_config(config)); });
  cable_ = std::make_unique<link::Cable>("cable");

  const int mmio = find_bar(profile, false);
  if (mmio >= 0) function_->bar[static_cast<unsigned>(mmio)].bind(controller_->mmio);
  const int io = find_bar(profile, true);
  if (io >= 0) function_->bar[static_cast<unsigned>(io)].bind(controller_->io);
  controller_->dma.socket.bind(function_->dma);
  controller_->irq(irq_);
  function_->irq(irq_);
  function_->events(*controller_);
  controller_->gmii(*phy_);
  controller_->mdio(*phy_);
  phy_->cable(cable_->end(0));

  with_context("--link " + link, [&] {
    link_spec_ = link::PartnerSpec::parse(link);
    partner_ = make_partner(link_spec_, cable_->end(1), seed + index);
  });
}

NicSlot::~NicSlot() = default;

void NicSlot::finish() {
  partner_->finish();
  const e1000::EepromImage& now = controller_->eeprom();
  if (!eeprom_file_.empty() && !(now == *eeprom_before_)) now.save(eeprom_file_);
}

bool NicSlot::quiet() const {
  return partner_->exhausted() && cable_->end(0).in_flight() == 0 &&
         cable_->end(1).in_flight() == 0 && controller_->idle();
}

}  // namespace e1000tlm::platform
