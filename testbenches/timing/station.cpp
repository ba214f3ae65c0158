#include "testbenches/timing/station.h"

#include <algorithm>
#include <memory>

#include "e1000tlm/tlm/sc_time.h"

namespace e1000tlm::timing {
namespace {

constexpr std::size_t kAhead = 16;  // frames given at a time
constexpr std::size_t kLeast = 64, kMost = 9018;

}  // namespace

Station::Station(const link::PartnerContext& context, link::CableEndIf& end,
                 const link::PartnerSpec& spec)
    : LinkPartner(context.name.c_str(), end, spec),
      sizes_{spec.number("size", kLeast, kLeast, kMost), 0},
      gap_(spec.number("gap", 0, 0, 100'000'000)),
      gate_(*this, end) {
  sizes_[1] = spec.number("size2", sizes_[0], kLeast, kMost);
  end_.set_sink(this);
}

void Station::Gate::opened() {
  if (owner_.gap_ == 0) return;
  owner_.end_.set_source(&owner_);
  owner_.refill(sc_now());
}

void Station::refill(Time now) {
  for (std::size_t i = 0; i < kAhead; ++i) {
    link::FramePtr frame = link::FramePool::shared().make(sizes_[turn_] - link::kFcsBytes);
    turn_ ^= 1U;
    const Bytes bytes = frame->bytes();
    std::fill(bytes.begin(), bytes.end(), std::uint8_t{0x5A});
    std::fill_n(bytes.begin(), 6, std::uint8_t{0xFF});
    end_.send(std::move(frame), now, gap_);
  }
}

void Station::receive(link::Arrival arrival) { first_bits.push_back(arrival.first_bit); }

bool Station::take_back(Time, std::size_t) {
  if (first_bits.empty()) return false;  // it was cleared meanwhile
  first_bits.pop_back();
  return true;
}

link::PartnerRegistry Station::partners() {
  link::PartnerRegistry result;
  result.add("station", {"exact distances",
                         {"size", "size2", "gap"},
                         [](const link::PartnerContext& context, link::CableEndIf& end,
                            const link::PartnerSpec& spec) -> std::unique_ptr<link::LinkPartner> {
                           return std::make_unique<Station>(context, end, spec);
                         }});
  return result;
}

}  // namespace e1000tlm::timing
