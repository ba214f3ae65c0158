#include "models/link/hold_queue.h"

#include <algorithm>
#include <utility>

#include "models/tlm/sc_time.h"

namespace e1000tlm::link {
namespace {
constexpr std::size_t kFirstRoom = 64;
}

ReadyGate::ReadyGate(const sc_core::sc_module_name& name, CableEndIf& end, Time flush)
    : sc_module(name),
      end_(end),
      flush_(flush),
      flush_timer_("flush_timer"),
      change_event_("change_event") {
  SC_HAS_PROCESS(ReadyGate);
  SC_METHOD(watch);
  sensitive << end.ready_event() << end.change_event();
  SC_METHOD(flush);
  sensitive << flush_timer_;
  dont_initialize();
}

ReadyGate::~ReadyGate() = default;

void ReadyGate::watch() {
  const bool ready = end_.partner_ready() && end_.link_up();
  if (ready) {
    if (open_ || settling_) return;
    settling_ = true;
    flush_timer_.notify(to_sc(flush_));
    return;
  }
  settling_ = false;
  flush_timer_.cancel();
  if (open_) {
    open_ = false;
    change_event_.notify(sc_core::SC_ZERO_TIME);
  }
}

void ReadyGate::flush() {
  settling_ = false;
  // Readiness may have gone in this very delta cycle: then watch() is about to run.
  if (!end_.partner_ready() || !end_.link_up()) return;
  open_ = true;
  opened();
  change_event_.notify(sc_core::SC_ZERO_TIME);
}

HoldQueue::HoldQueue(const sc_core::sc_module_name& name, CableEndIf& end,
                     PartnerStatistics& statistics, Config config)
    : ReadyGate(name, end, config.flush),
      statistics_(statistics),
      capacity_(config.capacity),
      frames_(std::min(kFirstRoom, config.capacity)) {}

HoldQueue::~HoldQueue() = default;

void HoldQueue::offer(FramePtr frame, Time earliest) {
  if (open()) {
    pass_on(std::move(frame), earliest);
    return;
  }
  if (frames_.size() >= capacity_) {
    ++statistics_.drops["hold_overflow"];
    return;
  }
  if (frames_.full()) frames_.set_capacity(std::min(capacity_, 2 * frames_.capacity()));
  frames_.push_back({std::move(frame), earliest});
}

void HoldQueue::opened() {
  const Time now = sc_now();
  while (!frames_.empty()) {
    Held held = std::move(frames_.front());
    frames_.pop_front();
    pass_on(std::move(held.frame), std::max(now, held.earliest));
  }
}

void HoldQueue::pass_on(FramePtr frame, Time earliest) {
  ++statistics_.frames_to_nic;
  statistics_.bytes_to_nic += frame->size();
  end_.send(std::move(frame), earliest);
}

}  // namespace e1000tlm::link
