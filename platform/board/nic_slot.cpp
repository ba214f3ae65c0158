#include "e1000tlm/board/nic_slot.h"

#include <exception>
#include <utility>

namespace e1000tlm::platform {

NicSlot::NicSlot(const sc_core::sc_module_name& name, const NicPlace& place,
                 const NicConfig& config, const std::string& link, const pci::BusSpeed& bus,
                 Network& network)
    : sc_module(name), link_text_(link) {
  card_ = card_model(config.model).make(config, place, bus);
  cable_ = std::make_unique<link::Cable>("cable");
  card_->connect(cable_->end(0));

  filters_ = network.filter(std::to_string(place.index), cable_->end(1), place.number);
  link::CableEndIf& end = filters_ ? filters_->outer() : cable_->end(1);
  with_context("--link " + link, [&] {
    // Filters look at frames, which do not come by where a partner works in memory.
    virtio::DataPlaneSeat* const seat = filters_ ? nullptr : card_->seat();
    LinkEnd far = network.connect(link, "partner", end, "nic " + std::to_string(place.number),
                                  place.number, seat);
    link_spec_ = std::move(far.spec);
    partner_ = std::move(far.partner);
  });
}

NicSlot::~NicSlot() = default;

void NicSlot::finish(std::vector<std::string>& failures) {
  try {
    partner_->finish();
  } catch (const std::exception& error) {
    failures.emplace_back(error.what());
  }
  if (filters_) filters_->finish(failures);
  card_->finish(failures);
}

FlowCount NicSlot::carried(unsigned from_end) const {
  const link::CableStatistics& s = cable_->statistics(from_end);
  return {s.frames, s.bytes - s.frames * link::kFcsBytes};
}

bool NicSlot::quiet() const {
  return partner_->exhausted() && cable_->end(0).in_flight() == 0 &&
         cable_->end(1).in_flight() == 0 && (!filters_ || filters_->idle()) && card_->idle();
}

}  // namespace e1000tlm::platform
