#pragma once
/// The MAC's transmit half: packet buffer, wire schedule, PAUSE (manual 3.4, 10, 13.4.34).

#include <cstdint>
#include <vector>

#include <systemc>

#include <boost/circular_buffer.hpp>

#include "e1000tlm/e1000/core.h"
#include "e1000tlm/e1000/packet_buffer/packet_buffer.h"
#include "e1000tlm/link/cable.h"

namespace e1000tlm::e1000 {

/// Frames enter when the DMA engine has stored them whole (store and forward) and leave byte by
/// byte at the wire's pace. A frame whose start cannot change any more is handed to the PHY at
/// once, stamped with its time, and costs no event; frames that something may still hold up (flow
/// control, link) stay here until their time has come.
class MacTransmitter : public sc_core::sc_module {
 public:
  MacTransmitter(const sc_core::sc_module_name& name, Core& core);

  /// When the packet buffer has room for `bytes` more: `now`, later, or kTimeNever if that depends
  /// on flow control or link: then wait for space_event().
  Time room_at(std::uint32_t bytes, Time now);
  const sc_core::sc_event& space_event() const { return space_event_; }
  /// A frame that has been complete in the packet buffer since `ready`.
  void enqueue(link::FramePtr frame, Time ready);

  /// Sends a PAUSE frame ahead of everything that has not started.
  void send_pause(std::uint16_t quanta, Time at);
  /// The link partner asked for silence; 0 ends it.
  void receive_pause(std::uint16_t quanta, Time at);
  bool paused() const { return sc_now() < pause_until_; }
  Time paused_until() const { return pause_until_; }

  /// Link came or went, or TCTL was written.
  void state_changed();
  /// CTRL.RST: drops what has not started; takes over PBA.
  void reset();
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
  bool idle() const;
  /// Something will happen soon and without help from outside: a frame is on the wire, or one that
  /// waits may go. Frames that PAUSE, a switched off transmitter or a missing link hold are not
  /// busy.
  bool busy() const;

  /// RCTL.LBM: frames come back here instead of going out (manual 13.4.22).
  bool mac_loopback() const { return (core_.bank[reg::kRctl] & rctl::kLbmMask) != 0; }
  boost::circular_buffer<link::Arrival>& looped() { return looped_; }
  const sc_core::sc_event& looped_event() const { return looped_event_; }

 private:
  struct Held {
    link::FramePtr frame;
    Time ready;
    bool pause;
  };
  struct Launched {
    Time end;
    std::uint32_t bytes;
  };

  bool must_hold() const;
  bool on_wire() const { return !launched_.empty() && launched_.back().end > sc_now(); }
  std::size_t gap_bytes() const;
  /// To the PHY, or back in MAC loopback; `bytes` leave the FIFO, 0: a PAUSE frame.
  void launch(link::FramePtr&& frame, Time ready, std::uint32_t bytes);
  void count(const link::Frame& frame, bool pause);
  void hold_pause(link::FramePtr&& frame, Time at);
  void retire(Time now);
  void pump();
  std::uint64_t held_frames() const;

  Core& core_;
  sc_core::sc_event pump_event_;
  sc_core::sc_event space_event_;
  sc_core::sc_event looped_event_;
  PacketFifo fifo_;
  boost::circular_buffer<Held> held_;
  boost::circular_buffer<Launched> launched_;
  boost::circular_buffer<link::Arrival> looped_;
  Time pause_until_ = kTimeZero;
  Time loop_busy_until_ = kTimeZero;
  bool approximately_timed_ = true;

  void start_of_simulation() override;
};

}  // namespace e1000tlm::e1000
