#pragma once
/// The far end of the cable in timing measurements: sends at exact distances, notes what arrives.

#include <cstdint>
#include <vector>

#include "e1000tlm/link/hold_queue.h"
#include "e1000tlm/link/partner.h"

namespace e1000tlm::timing {

/// Kind "station": frames of `size` (or of `size` and `size2` in turn), `gap` byte times apart,
/// endless from the moment the MAC is ready; gap=0: it only listens.
class Station : public link::LinkPartner, public link::FrameSource, public link::FrameSink {
 public:
  Station(const link::PartnerContext& context, link::CableEndIf& end,
          const link::PartnerSpec& spec);

  void refill(Time now) override;
  void receive(link::Arrival arrival) override;
  bool take_back(Time last_bit, std::size_t size) override;

  /// First bits of the frames from the MAC, as they came in here; since it was cleared.
  std::vector<Time> first_bits;

  /// The kind "station".
  static link::PartnerRegistry partners();

 private:
  class Gate : public link::ReadyGate {
   public:
    Gate(Station& owner, link::CableEndIf& end) : ReadyGate("gate", end, us(10)), owner_(owner) {}

   private:
    void opened() override;
    Station& owner_;
  };

  std::size_t sizes_[2];
  std::size_t gap_;
  unsigned turn_ = 0;
  Gate gate_;
};

}  // namespace e1000tlm::timing
