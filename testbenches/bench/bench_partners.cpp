#include "testbenches/bench/bench_partners.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include <systemc>

#include "e1000tlm/link/hold_queue.h"
#include "e1000tlm/link/host/builtin_partners.h"
#include "e1000tlm/tlm/sc_time.h"

namespace e1000tlm::bench {
namespace {

constexpr std::size_t kAhead = 16;  // frames a source gives at a time

/// Sends `frames` equal frames at equal distances once the receiver is ready: the same frame again
/// and again, or a copy each time for those who look at a frame's tag.
class BackToBack : public link::LinkPartner, public link::FrameSource {
 public:
  BackToBack(const link::PartnerContext& context, link::CableEndIf& end,
             const link::PartnerSpec& spec)
      : LinkPartner(context.name.c_str(), end, spec),
        left_(spec.number("frames", 1, 1, ~std::uint64_t{0})),
        size_(spec.number("size", 64, 64, 9018)),
        gap_(spec.number("gap", link::kInterFrameGapBytes, link::kInterFrameGapBytes, 100'000)),
        copies_(spec.number("copies", 0, 0, 1) != 0),
        gate_(*this, end) {
    const std::vector<std::uint8_t> content(size_ - link::kFcsBytes, 0x5A);
    frame_ = link::FramePool::shared().copy({content.data(), content.size()});
    for (std::size_t i = 0; i < 6; ++i) frame_->data()[i] = 0xFF;
  }
  void refill(Time now) override {
    for (std::size_t i = 0; i < kAhead && left_ != 0; ++i, --left_) {
      link::FramePtr frame = copies_ ? link::FramePool::shared().copy(frame_->bytes()) : frame_;
      count_to_nic(*frame);
      end_.send(std::move(frame), now, gap_);
    }
  }
  bool exhausted() const override { return left_ == 0; }

 private:
  class Gate : public link::ReadyGate {
   public:
    Gate(BackToBack& owner, link::CableEndIf& end)
        : ReadyGate("gate", end, us(10)), owner_(owner) {}

   private:
    void opened() override { owner_.start(); }
    BackToBack& owner_;
  };

  void start() {
    end_.set_source(this);
    refill(sc_now());
  }
  std::uint64_t left_;
  std::size_t size_;
  std::size_t gap_;
  bool copies_;
  Gate gate_;
  link::FramePtr frame_;
};

/// Sends every frame back to the station it came from.
class Mirror : public link::LinkPartner, private link::FrameSink {
 public:
  Mirror(const link::PartnerContext& context, link::CableEndIf& end, const link::PartnerSpec& spec)
      : LinkPartner(context.name.c_str(), end, spec) {
    end.set_sink(this);
  }

 private:
  void receive(link::Arrival arrival) override {
    count_from_nic(*arrival.frame);
    std::uint8_t* data = arrival.frame->data();  // nobody else looks at a frame for one station
    std::swap_ranges(data, data + 6, data + 6);
    count_to_nic(*arrival.frame);
    end_.send(std::move(arrival.frame), arrival.last_bit);
  }
  /// Nor has it been sent back then: its way back would begin with its last bit.
  bool take_back(Time, std::size_t size) override {
    if (end_.recall(1) == 0) return false;
    uncount_from_nic(size);
    --statistics_.frames_to_nic;
    statistics_.bytes_to_nic -= size;
    return true;
  }
};

void add_mirror(link::PartnerRegistry& partners) {
  partners.add("mirror", {"sends frames back to their senders",
                          {},
                          [](const link::PartnerContext& context, link::CableEndIf& end,
                             const link::PartnerSpec& spec) -> std::unique_ptr<link::LinkPartner> {
                            return std::make_unique<Mirror>(context, end, spec);
                          }});
}

void add_source(link::PartnerRegistry& partners) {
  partners.add("source", {"equal frames at equal distances",
                          {"frames", "size", "gap", "copies"},
                          [](const link::PartnerContext& context, link::CableEndIf& end,
                             const link::PartnerSpec& spec) -> std::unique_ptr<link::LinkPartner> {
                            return std::make_unique<BackToBack>(context, end, spec);
                          }});
}

}  // namespace

link::PartnerRegistry bench_partners() {
  link::PartnerRegistry partners = link::builtin_partners();
  add_source(partners);
  add_mirror(partners);
  return partners;
}

}  // namespace e1000tlm::bench
