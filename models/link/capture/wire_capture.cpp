#include "e1000tlm/link/capture/wire_capture.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include <tlm>

#include "e1000tlm/tlm/sc_time.h"

namespace e1000tlm::link {
namespace {
/// How far a receiver may lag in asking a replay for its next frame, beside the quantum.
constexpr Time kReceiverLag = us(100);
}  // namespace

WireCapture::WireCapture(std::unique_ptr<PcapngWriter> writer, Probe<WireEvent>& wire,
                         unsigned nic_end)
    : writer_(std::move(writer)), nic_end_(nic_end) {
  wire.attach([this](const WireEvent& event) { record(event); });
}

void WireCapture::record(const WireEvent& event) {
  if (finished_ || !error_.empty()) return;
  if (!window_) window_ = kReceiverLag + 2 * from_sc(::tlm::tlm_global_quantum::instance().get());
  // Receivers may change a frame in place once it is theirs, so a copy is kept.
  FramePtr copy = FramePool::shared().copy(event.frame->bytes());
  copy->coding_error = event.frame->coding_error;
  if (!event.frame->fcs_implied()) copy->carry_fcs(event.frame->fcs());
  const auto direction =
      event.from == nic_end_ ? CaptureDirection::kOutbound : CaptureDirection::kInbound;
  held_.push({event.start, announced_++, direction, std::move(copy)});
  try {
    write_until(sc_now() - *window_);
  } catch (const std::runtime_error& error) {
    // The simulation goes on; finish() fails.
    error_ = error.what();
    held_ = {};
    SC_REPORT_WARNING("/e1000tlm/link/capture", error.what());
  }
}

void WireCapture::write_until(Time until) {
  while (!held_.empty() && held_.top().start < until) {
    const Held& held = held_.top();
    if (held.direction == CaptureDirection::kOutbound || held.start < inbound_end_) {
      if (held.start < last_written_) ++out_of_order_;
      last_written_ = std::max(last_written_, held.start);
      writer_->write(held.start, held.direction, *held.frame);
    }
    held_.pop();
  }
}

void WireCapture::finish(Time inbound_end) {
  if (finished_) return;
  finished_ = true;
  inbound_end_ = inbound_end;
  if (!error_.empty()) throw std::runtime_error(error_);
  if (!sc_core::sc_start_of_simulation_invoked()) {
    writer_->abandon();  // what was to be simulated has been refused
    return;
  }
  write_until(kTimeNever);
  writer_->close();
}

}  // namespace e1000tlm::link
