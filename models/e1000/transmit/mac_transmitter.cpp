#include "e1000tlm/e1000/transmit/mac_transmitter.h"

#include <algorithm>
#include <utility>

#include "e1000tlm/e1000/receive/receive_filter.h"
#include "e1000tlm/link/wire.h"

namespace e1000tlm::e1000 {
namespace {

/// Grows the buffer when it is full; steady traffic finds it large enough.
template <class T>
void push(boost::circular_buffer<T>& buffer, T value) {
  if (buffer.full()) buffer.set_capacity(std::max<std::size_t>(64, 2 * buffer.capacity()));
  buffer.push_back(std::move(value));
}

/// Of a frame of make_pause().
std::uint16_t pause_quanta(const link::Frame& frame) { return load_be16(frame.data() + 16); }

}  // namespace

MacTransmitter::MacTransmitter(const sc_core::sc_module_name& name, Core& core)
    : sc_module(name),
      core_(core),
      fifo_(core.packet_buffer_memory()),
      held_(64),
      launched_(512),
      looped_(64) {
  reset();
  SC_HAS_PROCESS(MacTransmitter);
  SC_METHOD(pump);
  dont_initialize();
  sensitive << pump_event_;
}

void MacTransmitter::start_of_simulation() {
  approximately_timed_ = ::tlm::tlm_global_quantum::instance().get() == sc_core::SC_ZERO_TIME;
}

bool MacTransmitter::must_hold() const {
  if (!held_.empty() || !core_.is_on(reg::kTctl, tctl::kEn)) return true;
  if (mac_loopback()) return false;
  if (!core_.link_up || (pause_until_ != kTimeZero && paused())) return true;
  // Loosely timed, a PAUSE may take effect a quantum late; approximately timed it must find the
  // frames that have not started.
  return approximately_timed_ && core_.is_on(reg::kCtrl, ctrl::kRfce | ctrl::kTfce);
}

/// TIPG.IPGT counts MAC clocks of a byte each, and four more pass on copper (manual 13.4.34).
std::size_t MacTransmitter::gap_bytes() const { return (core_.bank[reg::kTipg] & 0x3FF) + 4; }

void MacTransmitter::retire(Time now) {
  while (!launched_.empty() && launched_.front().end <= now) {
    fifo_.leave(launched_.front().bytes);
    launched_.pop_front();
  }
}

Time MacTransmitter::room_at(std::uint32_t bytes, Time now) {
  retire(now);
  bytes = std::min(bytes, capacity());
  if (fifo_.has_room(bytes)) return now;
  std::uint32_t needed = fifo_.occupied() + fifo_bytes(bytes) - capacity();
  const Time byte = link::byte_time(core_.gmii->link().mode.speed);
  for (const Launched& frame : launched_) {
    // A frame leaves the buffer byte by byte, as it goes out.
    if (needed <= frame.bytes) {
      return std::max(now, frame.end - byte * static_cast<std::int64_t>(frame.bytes - needed));
    }
    needed -= frame.bytes;
  }
  return kTimeNever;
}

void MacTransmitter::enqueue(link::FramePtr frame, Time ready) {
  if (fifo_.recording()) fifo_.store_next(frame->bytes());
  const std::uint32_t bytes = fifo_bytes(frame->size());
  fifo_.enter(bytes);
  if (!must_hold()) {
    launch(std::move(frame), ready, bytes);
    return;
  }
  push(held_, Held{std::move(frame), ready, false});
  pump_event_.notify(sc_core::SC_ZERO_TIME);
}

void MacTransmitter::launch(link::FramePtr&& frame, Time ready, std::uint32_t bytes) {
  count(*frame, bytes == 0);
  Time end{};
  if (mac_loopback()) {
    const link::Speed speed = core_.gmii->link().mode.speed;
    const Time start = std::max(ready, loop_busy_until_);
    end = start + link::serialisation(frame->wire_bytes(), speed);
    loop_busy_until_ = end + link::byte_time(speed) * static_cast<std::int64_t>(gap_bytes());
    push(looped_, link::Arrival{std::move(frame), start, end});
    looped_event_.notify(sc_core::SC_ZERO_TIME);
  } else {
    end = core_.gmii->transmit(std::move(frame), ready, gap_bytes());
    core_.activity.note(end);
  }
  push(launched_, Launched{end, bytes});
}

void MacTransmitter::count(const link::Frame& frame, bool pause) {
  core_.statistics.on_transmit(frame_kind(frame.data()),
                               static_cast<std::uint32_t>(frame.wire_bytes()), pause);
  if (pause) core_.statistics.on_transmit_pause(pause_quanta(frame));
}

void MacTransmitter::pump() {
  const Time now = sc_now();
  retire(now);
  while (!held_.empty()) {
    Held& first = held_.front();
    // Switched off the transmitter keeps what it has (manual 13.4.33); PAUSE is not its business.
    if (!first.pause && !core_.is_on(reg::kTctl, tctl::kEn)) break;
    if (!mac_loopback()) {
      if (!core_.link_up) break;
      if (paused() && !first.pause) {
        pump_event_.notify(to_sc(pause_until_ - now));
        break;
      }
      const Time gap =
          link::byte_time(core_.gmii->link().mode.speed) * static_cast<std::int64_t>(gap_bytes());
      const Time start = std::max(first.ready, core_.gmii->busy_until() + gap);
      if (start > now) {
        pump_event_.notify(to_sc(start - now));
        break;
      }
    }
    Held held = std::move(first);
    held_.pop_front();
    // It waited for more than the wire.
    const std::uint32_t bytes = held.pause ? 0 : fifo_bytes(held.frame->size());
    launch(std::move(held.frame), std::max(held.ready, now), bytes);
  }
  space_event_.notify(sc_core::SC_ZERO_TIME);
}

void MacTransmitter::send_pause(std::uint16_t quanta, Time at) {
  const RegisterBank& bank = core_.bank;
  const PauseView view{bank[reg::kFcal], bank[reg::kFcah], bank[reg::kFct], bank[reg::kRa],
                       bank[reg::kRa + 4]};
  const auto bytes = make_pause(view, quanta);
  link::FramePtr frame = link::FramePool::shared().copy({bytes.data(), bytes.size()});
  if (core_.link_up && held_.empty() && sc_now() >= core_.gmii->busy_until()) {
    launch(std::move(frame), at, 0);
    return;
  }
  hold_pause(std::move(frame), at);
  pump_event_.notify(sc_core::SC_ZERO_TIME);
}

/// Ahead of data, but XOFF and XON keep their order. One of each waits: another request changes
/// nothing, or brings it behind the other.
void MacTransmitter::hold_pause(link::FramePtr&& frame, Time at) {
  const auto is_data = [](const Held& held) { return !held.pause; };
  auto data = std::find_if(held_.begin(), held_.end(), is_data);
  const auto waiting = data - held_.begin();
  if (waiting > 0) {
    link::FramePtr& last = held_[static_cast<std::size_t>(waiting - 1)].frame;
    if ((pause_quanta(*last) == 0) == (pause_quanta(*frame) == 0)) {
      last = std::move(frame);
      return;
    }
  }
  if (waiting == 2) held_.pop_front();
  if (held_.full()) held_.set_capacity(2 * held_.capacity());
  data = std::find_if(held_.begin(), held_.end(), is_data);
  held_.insert(data, {std::move(frame), at, true});
}

void MacTransmitter::receive_pause(std::uint16_t quanta, Time at) {
  // 512 bit times each (IEEE 802.3 31B.2).
  const Time quantum = link::byte_time(core_.gmii->link().mode.speed) * 64;
  pause_until_ = quanta == 0 ? kTimeZero : at + quantum * quanta;
  pump_event_.cancel();
  pump_event_.notify(sc_core::SC_ZERO_TIME);
}

void MacTransmitter::state_changed() {
  if (!core_.link_up) pause_until_ = kTimeZero;
  pump_event_.notify(sc_core::SC_ZERO_TIME);
}

void MacTransmitter::reset() {
  core_.drops.count(Drop::kTxReset, held_frames());
  core_.drops.count(Drop::kRxReset, looped_.size());
  held_.clear();
  looped_.clear();
  launched_.clear();
  fifo_.reset(split_packet_buffer(core_.bank[reg::kPba]).transmit);
  pause_until_ = kTimeZero;
  space_event_.notify(sc_core::SC_ZERO_TIME);
}

/// PAUSE frames apart, which are nobody's data.
std::uint64_t MacTransmitter::held_frames() const {
  return static_cast<std::uint64_t>(
      std::count_if(held_.begin(), held_.end(), [](const Held& held) { return !held.pause; }));
}

std::uint32_t MacTransmitter::occupied_at(Time now) const {
  std::uint32_t occupied = fifo_.occupied();
  for (const Launched& frame : launched_) {
    if (frame.end > now) break;
    occupied -= frame.bytes;
  }
  return occupied;
}

FifoPointers MacTransmitter::pointers(std::uint32_t storing, Time now) const {
  const std::uint32_t occupied = occupied_at(now);
  const std::uint64_t end = fifo_.entered(), start = end - occupied;
  const Time byte = link::byte_time(core_.gmii->link().mode.speed);
  std::uint64_t taken = 0;
  std::uint32_t on_wire = 0;
  for (const Launched& frame : launched_) {
    if (frame.end <= now || frame.bytes == 0) continue;
    // The oldest leaves byte by byte, as in room_at().
    const auto left = static_cast<std::uint64_t>((frame.end - now + byte - Time{1}) / byte);
    if (on_wire == 0 && left < frame.bytes) taken = frame.bytes - left;
    ++on_wire;
  }
  FifoPointers pointers;
  pointers.packets = on_wire + static_cast<std::uint32_t>(held_frames());
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
  contents.reserve(held_.size());
  std::uint64_t position = fifo_.entered();
  for (auto held = held_.rbegin(); held != held_.rend(); ++held) {
    if (held->pause) continue;
    position -= fifo_bytes(held->frame->size());
    contents.push_back({position, held->frame->bytes()});
  }
  return contents;
}

bool MacTransmitter::idle() const { return held_.empty() && !on_wire(); }

bool MacTransmitter::busy() const {
  if (on_wire()) return true;
  if (held_.empty()) return false;
  const bool pause = held_.front().pause;
  if (!pause && !core_.is_on(reg::kTctl, tctl::kEn)) return false;
  return mac_loopback() || (core_.link_up && (pause || !paused()));
}

}  // namespace e1000tlm::e1000
