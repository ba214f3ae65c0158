#include "e1000tlm/link/hold_queue.h"

#include <algorithm>
#include <utility>

#include "e1000tlm/tlm/sc_time.h"

namespace e1000tlm::link {
namespace {
constexpr std::size_t kFirstRoom = 64;
}

ReadyGate::ReadyGate(const sc_core::sc_module_name& name, CableEndIf& end, Time flush)
    : sc_module(name), end_(end), flush_(flush), flush_timer_("flush_timer") {
  SC_HAS_PROCESS(ReadyGate);
  SC_METHOD(watch);
  sensitive << end.ready_event() << end.change_event();
  SC_METHOD(flush);
  sensitive << flush_timer_;
  dont_initialize();
}

ReadyGate::~ReadyGate() = default;

void ReadyGate::watch() {
  // Something has changed, so readiness has been away, if only within this delta cycle.
  flush_timer_.cancel();
  if (open_) {
    open_ = false;
    closed();
  }
  if (end_.partner_ready() && end_.link_up()) flush_timer_.notify(to_sc(flush_));
}

void ReadyGate::flush() {
  // Readiness may have gone in this very delta cycle: then watch() is about to run.
  if (!end_.partner_ready() || !end_.link_up()) return;
  open_ = true;
  opened();
}

HoldQueue::HoldQueue(const sc_core::sc_module_name& name, PauseQueue& out,
                     PartnerStatistics& statistics, Config config)
    : ReadyGate(name, out.end(), config.flush),
      out_(out),
      statistics_(statistics),
      capacity_(config.capacity),
      frames_(std::min(kFirstRoom, config.capacity)) {}

HoldQueue::~HoldQueue() = default;

void HoldQueue::offer(FramePtr frame, Time earliest) {
  if (open() && frames_.empty()) {
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
  out_.send(std::move(frame), earliest);
}

}  // namespace e1000tlm::link
