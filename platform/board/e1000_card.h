#pragma once
/// A card with a controller of the 8254x family.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <systemc>

#include "e1000tlm/board/card.h"
#include "e1000tlm/board/led_trace.h"
#include "e1000tlm/e1000/controller.h"
#include "e1000tlm/pci/timing.h"
#include "e1000tlm/phy/m88e1011.h"
#include "e1000tlm/tlm/output_file.h"

namespace e1000tlm::platform {

class NicSlot;

/// Function, controller, PHY, EEPROM, flash and LEDs.
class E1000Card : public Card {
 public:
  /// See CardModel::make.
  E1000Card(const NicConfig& config, const NicPlace& place, const pci::BusSpeed& bus);
  ~E1000Card() override;

  /// What is behind the function.
  e1000::Controller& controller() { return *controller_; }
  /// The controller's PHY.
  phy::M88E1011& phy() { return *phy_; }
  /// Its LEDs, which from now on have events; before simulation starts.
  LedWatch& leds();

  pci::Function& function() override { return *function_; }
  void connect(link::CableEndIf& end) override { phy_->cable(end); }
  std::string model() const override;
  std::array<std::uint8_t, 6> mac() const override { return controller_->eeprom().mac(); }
  CardLink link() const override;
  const sc_core::sc_event& link_event() const override { return phy_->link_event(); }
  void set_lookahead(Time limit) override { controller_->set_lookahead(limit); }
  bool busy() const override { return controller_->busy(); }
  bool idle() const override { return controller_->idle(); }
  std::uint64_t interrupts() const override { return controller_->interrupts(); }
  std::vector<CardDrop> drops() const override;
  /// Its LEDs.
  void add_to(NicSummary& summary) const override;
  std::vector<std::string> register_names() const override;
  std::vector<std::pair<std::string, std::uint32_t>> debug_read(const std::string& name) override;
  /// What software wrote into EEPROM and flash goes back to their image files.
  void finish(std::vector<std::string>& failures) override;

 private:
  FileLock eeprom_lock_, flash_lock_;
  std::string eeprom_file_;                          // empty: the image is not kept
  std::optional<e1000::EepromImage> eeprom_before_;  // as at power-up
  std::string flash_file_;                           // empty: no flash
  std::optional<e1000::FlashImage> flash_before_;    // as at power-up
  sc_core::sc_signal<bool> irq_;
  std::unique_ptr<pci::Function> function_;
  std::unique_ptr<e1000::Controller> controller_;
  std::unique_ptr<LedWatch> led_watch_;  // if anybody looks
  std::unique_ptr<LedTrace> led_trace_;  // if wanted
  std::unique_ptr<phy::M88E1011> phy_;
};

/// See CardModel::check_bus.
void check_e1000_bus(const NicConfig& config, const std::string& name, const pci::BusSpeed& bus);

/// The card in a slot; nullptr: it is of another model.
E1000Card* e1000_card(NicSlot& slot);

}  // namespace e1000tlm::platform
