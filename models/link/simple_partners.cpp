#include "e1000tlm/link/simple_partners.h"

#include <utility>

namespace e1000tlm::link {

NullPartner::NullPartner(const sc_core::sc_module_name& name, CableEndIf& end,
                         const PartnerSpec& spec)
    : LinkPartner(name, end, spec) {
  end.set_sink(this);
}

NullPartner::~NullPartner() = default;

LoopbackPartner::LoopbackPartner(const sc_core::sc_module_name& name, CableEndIf& end,
                                 const PartnerSpec& spec)
    : LinkPartner(name, end, spec) {
  end.set_sink(this);
}

LoopbackPartner::~LoopbackPartner() = default;

void LoopbackPartner::receive(Arrival arrival) {
  count_from_nic(*arrival.frame);
  if (pause_.take(arrival)) return;
  count_to_nic(*arrival.frame);
  pause_.send(std::move(arrival.frame), arrival.last_bit);
}

/// Nor has it been sent back then: its way back would begin with its last bit.
bool LoopbackPartner::take_back(Time last_bit, std::size_t size) {
  if (!pause_.take_back(last_bit)) {
    if (pause_.recall(1) == 0) return false;
    --statistics_.frames_to_nic;
    statistics_.bytes_to_nic -= size;
  }
  uncount_from_nic(size);
  return true;
}

PartnerRegistry::Kind null_kind() {
  return {"takes and counts frames, sends none",
          {},
          [](const PartnerContext& context, CableEndIf& end, const PartnerSpec& spec) {
            return std::make_unique<NullPartner>(context.name.c_str(), end, spec);
          }};
}

PartnerRegistry::Kind loopback_kind() {
  return {"sends every frame back",
          {},
          [](const PartnerContext& context, CableEndIf& end, const PartnerSpec& spec) {
            return std::make_unique<LoopbackPartner>(context.name.c_str(), end, spec);
          }};
}

}  // namespace e1000tlm::link
