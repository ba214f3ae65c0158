#include "e1000tlm/e1000/transmit/mac_transmitter.h"

#include <algorithm>
#include <utility>

#include "e1000tlm/e1000/receive/receive_filter.h"
#include "e1000tlm/link/wire.h"

namespace e1000tlm::e1000 {

MacTransmitter::MacTransmitter(const sc_core::sc_module_name& name, Core& core)
    : sc_module(name), core_(core), fifo_(core.packet_buffer_memory()), looped_(64) {
  fifo_.reset(split_packet_buffer(core_.bank[reg::kPba]).transmit);
  core_.bank.on_write<&MacTransmitter::tipg_written>(reg::kTipg, this);
  SC_HAS_PROCESS(MacTransmitter);
  SC_METHOD(pump);
  dont_initialize();
  sensitive << pump_event_;
}

void MacTransmitter::start_of_simulation() {
  quantum_ = from_sc(::tlm::tlm_global_quantum::instance().get());
  if (core_.probes.transmit_fifo.armed()) fifo_.watch();
}

/// TIPG.IPGT counts MAC clocks of a byte each, and four more pass on copper (manual 13.4.34).
std::size_t MacTransmitter::gap_bytes() const { return (core_.bank[reg::kTipg] & 0x3FF) + 4; }

bool MacTransmitter::may_send(Time now) const {
  // Switched off the transmitter keeps what it has (manual 13.4.33); PAUSE is not its business.
  if (!core_.is_on(reg::kTctl, tctl::kEn)) return false;
  return mac_loopback() || (core_.link_up && now >= pause_until_);
}

// --- the plan -----------------------------------------------------------------------------------

void MacTransmitter::plan(QueuedFrame& queued, Time earliest) {
  queued.start = std::max(earliest, busy_until_ + gap_);
  queued.end =
      queued.start + byte_ * static_cast<std::int64_t>(link::kPreambleBytes + queued.wire_bytes);
  busy_until_ = queued.end;
  queue_.planned();
}

void MacTransmitter::replan(Time now) {
  byte_ = link::byte_time(core_.gmii->link().mode.speed);
  gap_ = byte_ * static_cast<std::int64_t>(gap_bytes());
  busy_until_ = mac_loopback() ? looped_until_ : core_.gmii->busy_until();
  const bool was_open = std::exchange(open_, may_send(now));
  queue_.forget_plans();
  while (queue_.vague() != queue_.end()) {
    QueuedFrame& queued = queue_[queue_.vague()];
    if (!(queued.pause ? connected() : open_)) break;
    plan(queued, std::max(queued.ready, now));
  }
  const bool planned = queue_.vague() != queue_.waiting();
  next_start_ = planned ? queue_[queue_.waiting()].start : kTimeNever;
  if (open_ && !was_open) space_event_.notify(sc_core::SC_ZERO_TIME);
}

void MacTransmitter::enqueue(link::FramePtr frame, Time ready) {
  if (fifo_.attended()) attend(*frame, ready);
  // PAUSE is over by now, or it is the first frame at all.
  if (!open_ && may_send(ready)) replan(ready);
  QueuedFrame& queued = queue_.append();
  queued.wire_bytes = static_cast<std::uint32_t>(frame->wire_bytes());
  queued.fifo_bytes = fifo_bytes(frame->size());
  queued.kind = frame_kind(frame->data());
  queued.pause = false;
  queued.ready = ready;
  queued.frame = std::move(frame);
  fifo_.enter(queued.fifo_bytes);
  if (!open_) return;
  plan(queued, ready);
  if (next_start_ != kTimeNever) return;
  next_start_ = queued.start;
  advance(ready);
}

void MacTransmitter::attend(const link::Frame& frame, Time ready) {
  if (fifo_.recording()) fifo_.store_next(frame.bytes());
  if (core_.probes.transmit_fifo.armed()) {
    core_.probes.transmit_fifo.emit({ready, occupied_at(ready) + fifo_bytes(frame.size())});
  }
}

void MacTransmitter::start_until(Time now) {
  do {
    const bool as_planned = start(queue_[queue_.waiting()]);
    queue_.started();
    const bool more = queue_.waiting() != queue_.vague();
    next_start_ = more ? queue_[queue_.waiting()].start : kTimeNever;
    if (!as_planned) replan(now);
  } while (next_start_ <= now);
}

inline bool MacTransmitter::start(QueuedFrame& queued) {
  const Time planned = queued.end;
  if (mac_loopback()) {
    loop_back(queued);
  } else {
    queued.end = core_.gmii->transmit(std::move(queued.frame), queued.start, gap_bytes());
    core_.activity.note(queued.end);
  }
  sent_until_ = queued.end;
  return queued.end == planned;
}

void MacTransmitter::loop_back(QueuedFrame& queued) {
  looped_until_ = queued.end;
  if (looped_.full()) looped_.set_capacity(2 * looped_.capacity());
  looped_.push_back({std::move(queued.frame), queued.start, queued.end});
  looped_event_.notify(sc_core::SC_ZERO_TIME);
}

Time MacTransmitter::wait_for_room(std::uint32_t bytes, Time now) const {
  bytes = std::min(bytes, capacity());  // longer packets are dropped in the end
  if (fifo_.has_room(bytes)) return now;
  std::uint32_t needed = fifo_.occupied() + fifo_bytes(bytes) - capacity();
  for (TransmitQueue::Number n = queue_.oldest(); n != queue_.vague(); ++n) {
    const QueuedFrame& queued = queue_[n];
    // A frame leaves the buffer byte by byte, as it goes out.
    if (needed <= queued.fifo_bytes) {
      return std::max(now,
                      queued.end - byte_ * static_cast<std::int64_t>(queued.fifo_bytes - needed));
    }
    needed -= queued.fifo_bytes;
  }
  return kTimeNever;
}

// --- while the engine waits ---------------------------------------------------------------------

/// What depends on time alone happens at its time: the next frame's start, the end of PAUSE.
void MacTransmitter::arm() {
  const Time now = sc_now();
  Time at = next_start_;
  if (queue_.frames_waiting() != 0 && !open_ && pause_until_ > now) at = std::min(at, pause_until_);
  pump_event_.cancel();
  armed_ = at != kTimeNever;
  if (armed_) pump_event_.notify(to_sc(std::max(kTimeZero, at - now)));
}

void MacTransmitter::pump() {
  const Time now = sc_now();
  if (!open_ && may_send(now)) replan(now);
  advance(now + quantum_);
  arm();
}

// --- PAUSE --------------------------------------------------------------------------------------

void MacTransmitter::send_pause(std::uint16_t quanta, Time at) {
  const RegisterBank& bank = core_.bank;
  const PauseView view{bank[reg::kFcal], bank[reg::kFcah], bank[reg::kFct], bank[reg::kRa],
                       bank[reg::kRa + 4]};
  const auto bytes = make_pause(view, quanta);
  QueuedFrame queued;
  queued.frame = link::FramePool::shared().copy({bytes.data(), bytes.size()});
  queued.ready = at;
  queued.wire_bytes = static_cast<std::uint32_t>(queued.frame->wire_bytes());
  queued.kind = frame_kind(queued.frame->data());
  queued.pause = true;
  queued.quanta = quanta;
  if (core_.probes.pause.armed()) core_.probes.pause.emit({at, true, quanta, at});
  advance(at);
  hold_pause(std::move(queued));
  replan(at);
  advance(at);
  arm();
}

/// Ahead of data, but XOFF and XON keep their order. One of each waits: another request changes
/// nothing, or brings it behind the other.
void MacTransmitter::hold_pause(QueuedFrame&& frame) {
  TransmitQueue::Number data = queue_.waiting();
  while (data != queue_.end() && queue_[data].pause) ++data;
  const TransmitQueue::Number pauses = data - queue_.waiting();
  if (pauses != 0 && (queue_[data - 1].quanta == 0) == (frame.quanta == 0)) {
    queue_[data - 1] = std::move(frame);
    return;
  }
  if (pauses == 2) {
    queue_.erase(queue_.waiting());
    --data;
  }
  queue_.insert(data, std::move(frame));
}

void MacTransmitter::receive_pause(std::uint16_t quanta, Time at) {
  advance(at);
  // 512 bit times each (IEEE 802.3 31B.2).
  const Time quantum = link::byte_time(core_.gmii->link().mode.speed) * 64;
  pause_until_ = quanta == 0 ? kTimeZero : at + quantum * quanta;
  if (core_.probes.pause.armed()) {
    core_.probes.pause.emit({at, false, quanta, std::max(at, pause_until_)});
  }
  replan(at);
  arm();
}

// --- state --------------------------------------------------------------------------------------

void MacTransmitter::state_changed() {
  if (!core_.link_up) pause_until_ = kTimeZero;
  const Time now = core_.now();
  replan(now);
  advance(now);
  arm();
}

void MacTransmitter::reset() {
  const Time now = core_.now();
  retire(now);
  core_.drops.count(Drop::kTxReset, data_frames_waiting());
  core_.drops.count(Drop::kRxReset, looped_.size());
  queue_.drop_waiting();
  // What has started goes out, and counts, but is in the packet buffer no more.
  for (TransmitQueue::Number n = queue_.oldest(); n != queue_.end(); ++n) queue_[n].fifo_bytes = 0;
  looped_.clear();
  fifo_.reset(split_packet_buffer(core_.bank[reg::kPba]).transmit);
  pause_until_ = kTimeZero;
  replan(now);
  arm();
  space_event_.notify(sc_core::SC_ZERO_TIME);
}

/// PAUSE frames apart, which are nobody's data.
std::uint64_t MacTransmitter::data_frames_waiting() const {
  std::uint64_t frames = 0;
  for (TransmitQueue::Number n = queue_.waiting(); n != queue_.end(); ++n) {
    if (!queue_[n].pause) ++frames;
  }
  return frames;
}

// --- what the FIFO's registers show -------------------------------------------------------------

std::uint32_t MacTransmitter::occupied_at(Time now) const {
  std::uint32_t occupied = fifo_.occupied();
  for (TransmitQueue::Number n = queue_.oldest(); n != queue_.waiting(); ++n) {
    if (queue_[n].end > now) break;
    occupied -= queue_[n].fifo_bytes;
  }
  return occupied;
}

FifoPointers MacTransmitter::pointers(std::uint32_t storing, Time now) const {
  const std::uint32_t occupied = occupied_at(now);
  const std::uint64_t end = fifo_.entered(), start = end - occupied;
  std::uint64_t taken = 0;
  std::uint32_t packets = 0;
  for (TransmitQueue::Number n = queue_.oldest(); n != queue_.end(); ++n) {
    const QueuedFrame& queued = queue_[n];
    const bool started = n < queue_.waiting();
    if (queued.fifo_bytes == 0 || (started && queued.end <= now)) continue;
    ++packets;
    // The oldest leaves byte by byte, as in room_at().
    if (packets != 1 || !started) continue;
    const auto left = static_cast<std::uint64_t>((queued.end - now + byte_ - Time{1}) / byte_);
    if (left < queued.fifo_bytes) taken = queued.fifo_bytes - left;
  }
  FifoPointers pointers;
  pointers.packets = packets;
  pointers.head = fifo_.word_at(start + taken);
  pointers.head_saved = fifo_.word_at(start);
  // The engine may be a quantum ahead.
  const std::uint32_t room = capacity() - std::min(occupied, capacity());
  pointers.tail = fifo_.word_at(end + std::min(storing, room));
  pointers.tail_saved = fifo_.word_at(end);
  return pointers;
}

std::vector<FifoContent> MacTransmitter::contents() const {
  std::vector<FifoContent> contents;
  contents.reserve(queue_.frames_waiting());
  std::uint64_t position = fifo_.entered();
  for (TransmitQueue::Number n = queue_.end(); n != queue_.waiting(); --n) {
    const QueuedFrame& queued = queue_[n - 1];
    if (queued.pause) continue;
    position -= fifo_bytes(queued.frame->size());
    contents.push_back({position, queued.frame->bytes()});
  }
  return contents;
}

}  // namespace e1000tlm::e1000
