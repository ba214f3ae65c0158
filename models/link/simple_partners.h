#pragma once
/// The two simplest link partners.

#include "e1000tlm/link/partner.h"

namespace e1000tlm::link {

/// Takes and counts whatever the NIC sends; sends nothing.
class NullPartner final : public LinkPartner, private FrameSink {
 public:
  /// Takes the options common to all kinds.
  NullPartner(const sc_core::sc_module_name& name, CableEndIf& end, const PartnerSpec& spec = {});
  ~NullPartner() override;

  bool swallows() const override { return true; }

 private:
  void receive(Arrival arrival) override { count_from_nic(*arrival.frame); }
  bool take_back(Time, std::size_t size) override {
    uncount_from_nic(size);
    return true;
  }
};

/// Sends every frame back unchanged (FCS and error marks included) once its last bit has arrived,
/// ready or not, as a loopback plug with a repeater would. Only PAUSE that was agreed on is obeyed
/// and ends here.
class LoopbackPartner final : public LinkPartner, private FrameSink {
 public:
  /// Takes the options common to all kinds.
  LoopbackPartner(const sc_core::sc_module_name& name, CableEndIf& end,
                  const PartnerSpec& spec = {});
  ~LoopbackPartner() override;

 private:
  void receive(Arrival arrival) override;
  bool take_back(Time last_bit, std::size_t size) override;
};

/// "null", for a PartnerRegistry.
PartnerRegistry::Kind null_kind();
/// "loopback", for a PartnerRegistry.
PartnerRegistry::Kind loopback_kind();

}  // namespace e1000tlm::link
