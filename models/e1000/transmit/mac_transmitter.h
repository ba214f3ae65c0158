#pragma once
/// The MAC's transmit half: packet buffer, wire schedule, PAUSE (manual 3.4, 10, 13.4.34).

#include <cstdint>
#include <vector>

#include <systemc>

#include <boost/circular_buffer.hpp>

#include "e1000tlm/e1000/core.h"
#include "e1000tlm/e1000/packet_buffer/packet_buffer.h"
#include "e1000tlm/e1000/transmit/transmit_queue.h"
#include "e1000tlm/link/cable.h"

namespace e1000tlm::e1000 {

/// Frames enter when the DMA engine has stored them whole (store and forward) and leave byte by
/// byte at the wire's pace.
///
/// A frame stays here, with a planned start, until that start has come; then it is handed to the
/// PHY, stamped with its times. So whatever stops the transmitter finds all frames that have not
/// started. Who lets time pass calls advance(): the engine's process, which goes through the packet
/// buffer frame by frame anyway, with its local time (at most a quantum, or what lookahead proves,
/// ahead of the kernel's); while it waits, an event of the MAC's own where a frame is due.
class MacTransmitter : public sc_core::sc_module {
 public:
  MacTransmitter(const sc_core::sc_module_name& name, Core& core);

  /// When the packet buffer has room for `bytes` more: `now`, later, or kTimeNever if that depends
  /// on flow control or link: then wait for space_event().
  Time room_at(std::uint32_t bytes, Time now) {
    advance(now);
    retire(now);
    return fifo_.has_room(bytes) ? now : wait_for_room(bytes, now);
  }
  const sc_core::sc_event& space_event() const { return space_event_; }
  /// A frame that has been complete in the packet buffer since `ready`, the engine's local time.
  void enqueue(link::FramePtr frame, Time ready);
  /// Starts the frames whose time has come by `now`.
  void advance(Time now) {
    if (next_start_ <= now) start_until(now);
  }
  /// The engine's process, at its local time `now`, is about to wait until `until` at the latest
  /// and takes no care of frames meanwhile.
  void engine_waits(Time now, Time until) {
    advance(now);
    if (next_start_ < until - quantum_ || pause_ends_before(until)) arm();
  }
  /// It is back.
  void engine_runs() {
    if (!armed_) return;
    armed_ = false;
    pump_event_.cancel();
  }

  /// Sends a PAUSE frame ahead of everything that has not started at `at`.
  void send_pause(std::uint16_t quanta, Time at);
  /// The link partner asked for silence from `at` on; 0 ends it.
  void receive_pause(std::uint16_t quanta, Time at);
  bool paused() const { return core_.now() < pause_until_; }
  Time paused_until() const { return pause_until_; }

  /// Link came or went, or TCTL, TIPG or RCTL were written.
  void state_changed();
  /// CTRL.RST: drops what has not started; takes over PBA.
  void reset();
  /// Statistics have counted the frames whose last bit had left by `now`.
  void count_until(Time now) { retire(now); }
  /// Transmit packet buffer size in force.
  std::uint32_t capacity() const { return fifo_.capacity(); }
  /// Longest packet that fits (rule TX-6).
  std::uint32_t max_packet() const { return capacity() > 80 ? capacity() - 80 : 0; }
  PacketFifo& fifo() { return fifo_; }
  const PacketFifo& fifo() const { return fifo_; }
  /// Bytes that are still in the transmit FIFO at `now`.
  std::uint32_t occupied_at(Time now) const;
  /// Of the transmit FIFO; `storing` bytes of a packet that is not complete are behind its tail.
  FifoPointers pointers(std::uint32_t storing, Time now) const;
  /// The frames in the FIFO that have not been handed to the PHY yet.
  std::vector<FifoContent> contents() const;
  bool idle() const { return queue_.frames_waiting() == 0 && !on_wire(); }
  /// Something will happen soon and without help from outside: a frame is on the wire, or one that
  /// waits may go. Frames that PAUSE, a switched off transmitter or a missing link hold are not
  /// busy.
  bool busy() const { return on_wire() || next_start_ != kTimeNever; }

  /// RCTL.LBM: frames come back here instead of going out (manual 13.4.22).
  bool mac_loopback() const { return (core_.bank[reg::kRctl] & rctl::kLbmMask) != 0; }
  boost::circular_buffer<link::Arrival>& looped() { return looped_; }
  const sc_core::sc_event& looped_event() const { return looped_event_; }

 private:
  void tipg_written(std::uint32_t, std::uint32_t) { state_changed(); }
  bool on_wire() const { return sent_until_ > sc_now(); }
  std::size_t gap_bytes() const;
  /// Switched on, with a link or none needed: PAUSE frames may go.
  bool connected() const { return core_.link_up || mac_loopback(); }
  /// At `now` data may go, too.
  bool may_send(Time now) const;
  /// PAUSE alone holds frames, and that only until a time before `until`.
  bool pause_ends_before(Time until) const {
    return pause_until_ < until && !open_ && queue_.frames_waiting() != 0;
  }
  Time wait_for_room(std::uint32_t bytes, Time now) const;
  /// Gives a frame, the first without a plan, its times, not before `earliest`.
  void plan(QueuedFrame& queued, Time earliest);
  /// A frame is about to enter a FIFO that somebody looks at.
  void attend(const link::Frame& frame, Time ready);
  /// Plans all frames that wait anew: what that depends on has changed at `now`.
  void replan(Time now);
  void start_until(Time now);
  /// To the PHY, or back in MAC loopback. False: it ends later than planned.
  bool start(QueuedFrame& queued);
  void loop_back(QueuedFrame& queued);
  void retire(Time now) {
    while (queue_.oldest() != queue_.waiting() && queue_[queue_.oldest()].end <= now)
      retire_oldest();
  }
  void retire_oldest() {
    QueuedFrame& left = queue_[queue_.oldest()];
    fifo_.leave(left.fifo_bytes);
    core_.statistics.on_transmit(left.kind, left.wire_bytes, left.pause);
    if (left.pause) core_.statistics.on_transmit_pause(left.quanta);
    queue_.retire();
  }
  void hold_pause(QueuedFrame&& frame);
  void arm();
  void pump();
  std::uint64_t data_frames_waiting() const;

  Core& core_;
  sc_core::sc_event pump_event_;
  sc_core::sc_event space_event_;
  sc_core::sc_event looped_event_;
  PacketFifo fifo_;
  TransmitQueue queue_;
  boost::circular_buffer<link::Arrival> looped_;
  Time next_start_ = kTimeNever;   // of the first frame that waits, if it has a plan
  Time busy_until_ = kTimeZero;    // end of the last frame that has started or has a plan
  Time sent_until_ = kTimeZero;    // end of the last frame that has started
  Time looped_until_ = kTimeZero;  // end of the last frame in MAC loopback
  Time pause_until_ = kTimeZero;
  Time byte_ = ns(8);  // on the wire, as of replan()
  Time gap_ = kTimeZero;
  Time quantum_ = kTimeZero;
  bool open_ = false;   // data may go, as of replan()
  bool armed_ = false;  // pump() comes

  void start_of_simulation() override;
};

}  // namespace e1000tlm::e1000
