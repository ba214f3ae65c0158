#pragma once
/// One adapter in its slot, with its cable and what hangs on the other end.

#include <memory>
#include <string>
#include <vector>

#include <systemc>

#include "e1000tlm/board/board_config.h"
#include "e1000tlm/board/card.h"
#include "e1000tlm/board/network.h"
#include "e1000tlm/link/cable.h"
#include "e1000tlm/link/partner.h"
#include "e1000tlm/pci/timing.h"
#include "e1000tlm/report/summary.h"

namespace e1000tlm::platform {

/// A slot: the card in it, its cable, filters, and the link partner.
class NicSlot : public sc_core::sc_module {
 public:
  /// Throws std::invalid_argument or std::runtime_error naming the option and what is wrong with
  /// it.
  NicSlot(const sc_core::sc_module_name& name, const NicPlace& place, const NicConfig& config,
          const std::string& link, const pci::BusSpeed& bus, Network& network);
  ~NicSlot() override;

  /// What is in the slot.
  Card& card() { return *card_; }
  /// Ditto.
  const Card& card() const { return *card_; }
  /// The card's device on the bus.
  pci::Function& function() { return card_->function(); }
  /// From the card (end 0) to the partner (end 1).
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
  /// The files of partner, filters and card are completed. What cannot be written is added to
  /// `failures`; the rest is all the same.
  void finish(std::vector<std::string>& failures);

 private:
  std::string link_text_;
  link::PartnerSpec link_spec_;
  std::unique_ptr<Card> card_;
  std::unique_ptr<link::Cable> cable_;
  std::unique_ptr<LinkFilters> filters_;  // if there are any
  std::unique_ptr<link::LinkPartner> partner_;
};

}  // namespace e1000tlm::platform
