#include "e1000tlm/virtio/wire_transmitter.h"

#include <algorithm>
#include <utility>

#include "e1000tlm/link/wire.h"

namespace e1000tlm::virtio {

void WireTransmitter::retire(Time now) {
  for (; left_ != frames_.size() && frames_[left_].last_bit <= now; ++left_) {
    occupied_ -= frames_[left_].bytes;
  }
}

Time WireTransmitter::room_at(std::size_t bytes, Time now) {
  retire(now);
  const std::uint64_t capacity = core_.config.timing.transmit_fifo;
  if (occupied_ + bytes <= capacity) return now;
  const Time byte = link::byte_time(core_.wire->speed());
  std::uint64_t needed = occupied_ + bytes - capacity;
  for (std::size_t i = left_; i != frames_.size(); ++i) {
    const Sent& sent = frames_[i];
    if (needed <= sent.bytes) {
      return std::max(now, sent.last_bit - byte * static_cast<std::int64_t>(sent.bytes - needed));
    }
    needed -= sent.bytes;
  }
  return now;  // longer than the memory: its bytes leave as they enter
}

void WireTransmitter::send(link::FramePtr frame, unsigned pair, Time ready) {
  if (core_.wire == nullptr || !core_.wire->link_up()) {
    core_.drops.count(NetDrop::kTxNoLink);
    return;
  }
  const auto bytes = static_cast<std::uint32_t>(frame->size());
  if (core_.config.queue_pairs > 1) frame->queue = static_cast<std::uint16_t>(pair);
  NetPairCounters& counters = core_.pairs[pair];
  ++counters.tx_frames;
  counters.tx_bytes += bytes;
  const Time last_bit = core_.wire->send(std::move(frame), ready);
  if (frames_.full()) {
    for (; left_ != 0 && frames_.front().last_bit <= sc_now(); --left_) frames_.pop_front();
    if (frames_.full()) frames_.set_capacity(2 * frames_.capacity());
  }
  frames_.push_back({last_bit, bytes, pair});
  occupied_ += bytes;
}

void WireTransmitter::take_back(std::uint64_t frames, NetDrop reason) {
  for (; frames != 0 && !frames_.empty(); --frames, frames_.pop_back()) {
    const Sent& newest = frames_.back();
    if (left_ == frames_.size()) {
      --left_;
    } else {
      occupied_ -= newest.bytes;
    }
    NetPairCounters& counters = core_.pairs[newest.pair];
    --counters.tx_frames;
    counters.tx_bytes -= newest.bytes;
    core_.drops.count(reason);
  }
}

void WireTransmitter::reset() {
  if (core_.wire == nullptr) return;
  take_back(core_.wire->recall(), NetDrop::kTxReset);
}

void WireTransmitter::link_lost() {
  const std::uint64_t lost = core_.wire->statistics().lost_no_link;
  take_back(lost - cut_off_, NetDrop::kTxNoLink);
  cut_off_ = lost;
  frames_.clear();
  left_ = 0;
  occupied_ = 0;
}

}  // namespace e1000tlm::virtio
