#include "models/e1000/mac_transmitter.h"

#include <algorithm>
#include <utility>

#include "models/e1000/receive_filter.h"
#include "models/link/wire.h"

namespace e1000tlm::e1000 {
namespace {

/// Grows the buffer when it is full; steady traffic finds it large enough.
template <class T>
void push(boost::circular_buffer<T>& buffer, T value) {
  if (buffer.full()) buffer.set_capacity(std::max<std::size_t>(64, 2 * buffer.capacity()));
  buffer.push_back(std::move(value));
}

}  // namespace

MacTransmitter::MacTransmitter(const sc_core::sc_module_name& name, Core& core)
    : sc_module(name), core_(core), held_(64), launched_(512), looped_(64) {
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
    occupied_ -= launched_.front().bytes;
    launched_.pop_front();
  }
}

Time MacTransmitter::room_at(std::uint32_t bytes, Time now) {
  retire(now);
  bytes = std::min(bytes, capacity_);
  if (occupied_ + bytes <= capacity_) return now;
  std::uint32_t needed = occupied_ + bytes - capacity_;
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
  occupied_ += static_cast<std::uint32_t>(frame->size());
  if (!must_hold()) {
    launch(std::move(frame), ready, false);
    return;
  }
  push(held_, Held{std::move(frame), ready, false});
  pump_event_.notify(sc_core::SC_ZERO_TIME);
}

void MacTransmitter::launch(link::FramePtr&& frame, Time ready, bool pause) {
  const auto bytes = pause ? 0 : static_cast<std::uint32_t>(frame->size());
  count(*frame, pause);
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
    launch(std::move(held.frame), std::max(held.ready, now), held.pause);
  }
  space_event_.notify(sc_core::SC_ZERO_TIME);
}

void MacTransmitter::send_pause(std::uint16_t quanta, Time at) {
  const RegisterBank& bank = core_.bank;
  const PauseView view{bank[reg::kFcal], bank[reg::kFcah], bank[reg::kFct], bank[reg::kRa],
                       bank[reg::kRa + 4]};
  const auto bytes = make_pause(view, quanta);
  link::FramePtr frame = link::FramePool::shared().copy({bytes.data(), bytes.size()});
  core_.statistics.on_transmit_pause(quanta);
  if (core_.link_up && held_.empty() && sc_now() >= core_.gmii->busy_until()) {
    launch(std::move(frame), at, true);
    return;
  }
  if (held_.full()) held_.set_capacity(2 * held_.capacity());
  held_.push_front({std::move(frame), at, true});
  pump_event_.notify(sc_core::SC_ZERO_TIME);
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
  occupied_ = 0;
  pause_until_ = kTimeZero;
  const std::uint32_t receive_kib = core_.bank[reg::kPba] & 0x7F;
  capacity_ = receive_kib < 64 ? (64 - receive_kib) * 1024 : 0;
  space_event_.notify(sc_core::SC_ZERO_TIME);
}

/// PAUSE frames apart, which are nobody's data.
std::uint64_t MacTransmitter::held_frames() const {
  return static_cast<std::uint64_t>(
      std::count_if(held_.begin(), held_.end(), [](const Held& held) { return !held.pause; }));
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
