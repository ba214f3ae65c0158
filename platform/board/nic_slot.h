#pragma once
/// One adapter in its slot, with its cable and what hangs on the other end.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <systemc>

#include "e1000tlm/board/board_config.h"
#include "e1000tlm/board/led_trace.h"
#include "e1000tlm/board/network.h"
#include "e1000tlm/e1000/controller.h"
#include "e1000tlm/link/cable.h"
#include "e1000tlm/link/partner.h"
#include "e1000tlm/pci/function.h"
#include "e1000tlm/pci/timing.h"
#include "e1000tlm/phy/m88e1011.h"
#include "e1000tlm/report/summary.h"
#include "e1000tlm/tlm/output_file.h"

namespace e1000tlm::platform {

/// Which adapter it is: on its board, and of all boards.
struct NicPlace {
  /// On its board, from 0.
  unsigned index = 0;
  /// Of all boards, from 0.
  unsigned number = 0;
};

/// An adapter in its slot: function, controller, PHY, cable and link partner.
class NicSlot : public sc_core::sc_module {
 public:
  /// Throws std::invalid_argument or std::runtime_error naming the option and what is wrong with
  /// it.
  NicSlot(const sc_core::sc_module_name& name, const NicPlace& place, const NicConfig& config,
          const std::string& link, const pci::BusSpeed& bus, Network& network);
  ~NicSlot() override;

  /// The device on the bus.
  pci::Function& function() { return *function_; }
  /// What is behind it.
  e1000::Controller& controller() { return *controller_; }
  /// The controller's PHY.
  phy::M88E1011& phy() { return *phy_; }
  /// Its LEDs, which from now on have events; before simulation starts.
  LedWatch& leds();
  /// From the PHY (end 0) to the partner (end 1).
  link::Cable& cable() { return *cable_; }
  /// What the cable ends in.
  link::LinkPartner& partner() { return *partner_; }
  /// Between cable and partner; nullptr: none.
  LinkFilters* filters() const { return filters_.get(); }
  /// Frames may come from the outside world.
  bool live() const { return partner_->live() || (filters_ && filters_->live()); }
  /// What was asked for, taken apart.
  const link::PartnerSpec& link_spec() const { return link_spec_; }
  /// The same as it was given.
  const std::string& link_text() const { return link_text_; }

  /// What the cable has carried: 0 from the NIC, 1 to it.
  FlowCount carried(unsigned from_end) const;
  /// The partner has no more traffic, and nothing is on the wire or in the adapter.
  bool quiet() const;
  /// The partner's files are completed; what software wrote into EEPROM and flash goes back to
  /// their image files. What cannot be written is added to `failures`; the rest is all the same.
  void finish(std::vector<std::string>& failures);

 private:
  FileLock eeprom_lock_, flash_lock_;
  std::string eeprom_file_;                          // empty: the image is not kept
  std::optional<e1000::EepromImage> eeprom_before_;  // as at power-up
  std::string flash_file_;                           // empty: no flash
  std::optional<e1000::FlashImage> flash_before_;    // as at power-up
  std::string link_text_;
  link::PartnerSpec link_spec_;
  sc_core::sc_signal<bool> irq_;
  std::unique_ptr<pci::Function> function_;
  std::unique_ptr<e1000::Controller> controller_;
  std::unique_ptr<LedWatch> led_watch_;  // if anybody looks
  std::unique_ptr<LedTrace> led_trace_;  // if wanted
  std::unique_ptr<phy::M88E1011> phy_;
  std::unique_ptr<link::Cable> cable_;
  std::unique_ptr<LinkFilters> filters_;  // if there are any
  std::unique_ptr<link::LinkPartner> partner_;
};

}  // namespace e1000tlm::platform
