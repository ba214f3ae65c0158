#pragma once
/// Holding frames back while the driver is still setting up its receiver.

#include <cstdint>
#include <limits>

#include <systemc>

#include <boost/circular_buffer.hpp>

#include "e1000tlm/link/cable.h"
#include "e1000tlm/link/partner.h"
#include "e1000tlm/link/pause_queue.h"
#include "e1000tlm/tlm/time.h"

namespace e1000tlm::link {

/// Watches the far end of a cable: opens a settling time (`flush`) after link is up and the MAC
/// there is ready to store frames, closes at once when either ends.
class ReadyGate : public sc_core::sc_module {
 public:
  /// `end`: the partner's end of the cable; must outlive the gate.
  ReadyGate(const sc_core::sc_module_name& name, CableEndIf& end, Time flush);
  ~ReadyGate() override;

  /// Opens at once from now on. Before the start of simulation.
  void open_at_once() { flush_ = kTimeZero; }

  /// Frames sent now are stored by the MAC (as far as a link partner can know).
  bool open() const { return open_ && end_.partner_ready() && end_.link_up(); }
  /// The settling time is running.
  bool opening() const { return !open_ && end_.partner_ready() && end_.link_up(); }

 protected:
  /// The gate has just opened; called in its process.
  virtual void opened() {}
  /// The gate has closed at the present time; called in its process. Comes before the next opened()
  /// also when readiness went and came back at the same time.
  virtual void closed() {}

  CableEndIf& end_;

 private:
  void watch();
  void flush();

  Time flush_;
  bool open_ = false;
  sc_core::sc_event flush_timer_;
};

/// Passes frames from outside on to the MAC; holds them, in order, while the gate is closed.
///
/// A frame offered while the gate is open goes straight on to PauseQueue::send().
class HoldQueue : public ReadyGate {
 public:
  static constexpr std::size_t kUnlimited = std::numeric_limits<std::size_t>::max();
  /// What live partners hold: more than that is stale by the time the driver is ready.
  static constexpr std::size_t kLiveCapacity = 4096;

  struct Config {
    Time flush = us(10);                ///< from readiness to the release of held frames
    std::size_t capacity = kUnlimited;  ///< frames; newer ones are dropped
  };

  /// Counts frames passed on (frames_to_nic, bytes_to_nic) and dropped (drops["hold_overflow"]) in
  /// `statistics`. `out` and `statistics` must outlive the queue.
  HoldQueue(const sc_core::sc_module_name& name, PauseQueue& out, PartnerStatistics& statistics,
            Config config);
  ~HoldQueue() override;

  /// Sends the frame no sooner than `earliest`, now or when the gate opens. On the simulation's
  /// thread only (host threads come through an AsyncGate).
  void offer(FramePtr frame, Time earliest);

  std::size_t held() const { return frames_.size(); }
  /// Held frames go on as soon as the settling time is over.
  bool releasing() const { return !frames_.empty() && opening(); }

 private:
  struct Held {
    FramePtr frame;
    Time earliest;
  };

  void opened() override;
  void pass_on(FramePtr frame, Time earliest);

  PauseQueue& out_;
  PartnerStatistics& statistics_;
  std::size_t capacity_;
  boost::circular_buffer<Held> frames_;
};

}  // namespace e1000tlm::link
