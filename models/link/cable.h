#pragma once
/// The full-duplex medium between two ends, and the interface of an end.

#include <array>
#include <cstdint>
#include <memory>
#include <optional>

#include <systemc>

#include "e1000tlm/link/frame.h"
#include "e1000tlm/link/wire.h"
#include "e1000tlm/tlm/probe.h"
#include "e1000tlm/tlm/time.h"

namespace e1000tlm::link {

/// A frame under way, with its times at the receiving end.
struct Arrival {
  /// The frame.
  FramePtr frame;
  Time first_bit{};  ///< of the preamble
  Time last_bit{};   ///< of the FCS: the frame counts as received now
};

/// A frame as it stood on the wire, for captures and traces.
struct WireEvent {
  /// Valid during the call.
  const Frame* frame;
  Time start;     ///< first bit of the preamble leaves the sender
  Time end;       ///< last bit of the FCS leaves the sender
  unsigned from;  ///< sending end, 0 or 1
};

/// Of one direction. Every frame sent is counted in either `frames` or `lost_no_link`.
struct CableStatistics {
  std::uint64_t frames = 0;        ///< carried to the far end
  std::uint64_t bytes = 0;         ///< of these, destination address to FCS
  std::uint64_t lost_no_link = 0;  ///< sent while the link was down, or under way when it went down
};

/// Takes frames the moment they are sent, stamped with the time they will have arrived: switches,
/// capture files, host back-ends and checkers, which need no event per frame.
class FrameSink {
 public:
  virtual ~FrameSink() = default;
  /// Called in the sender's process; must not wait.
  virtual void receive(Arrival arrival) = 0;
  /// The newest of the frames received so far, whose last bit was to arrive at `last_bit`, will not
  /// arrive after all: the link has gone, or the sender has recalled it. `size`: without FCS.
  /// Called for all frames that this happens to, newest first; must not wait.
  ///
  /// True: it is forgotten, as if it had not come, and does not count as carried. False (the
  /// default): the sink has acted upon it and cannot undo that; it counts as carried.
  virtual bool take_back(Time last_bit, std::size_t size) {
    static_cast<void>(last_bit);
    static_cast<void>(size);
    return false;
  }
};

/// Fills the far end's queue on demand: replays and generators, which know their next frame but
/// need no process to send it.
class FrameSource {
 public:
  virtual ~FrameSource() = default;
  /// The far end has taken all frames sent so far and asks for more. Sends at least one (whatever
  /// its time), or none if no more are known now. Called in the receiver's process; must not wait.
  /// `now`: the receiver's local time.
  virtual void refill(Time now) = 0;
  /// The newest of the frames sent so far (and not taken back) had not begun when the link went.
  /// True: it will be sent again later and does not count as sent. False (the default): it is lost.
  virtual bool take_back() { return false; }
};

/// One end of a cable as a MAC (through its PHY) or a link partner sees it.
class CableEndIf : public virtual sc_core::sc_interface {
 public:
  // --- sending ---
  /// Puts a frame on the wire, no sooner than `earliest` and no sooner than gap_bytes byte times
  /// after the frame before. Returns when its last bit leaves this end. Frames sent while the link
  /// is down in either direction take their time as well, but are lost and counted.
  virtual Time send(FramePtr frame, Time earliest, std::size_t gap_bytes = kInterFrameGapBytes) = 0;
  /// When the last bit sent so far leaves (or left) this end.
  virtual Time busy_until() const = 0;

  // --- receiving: either pulled from a queue, or pushed into a sink ---
  /// Oldest frame not yet taken; its arrival may lie ahead of now. nullptr: none known.
  virtual const Arrival* next(Time now) = 0;
  /// Takes what next() shows.
  virtual Arrival take() = 0;
  /// Notified (a delta cycle later) when a frame joins an empty queue other than through next(),
  /// and when a source appears at the far end.
  virtual const sc_core::sc_event& arrival_event() const = 0;
  /// From now on frames for this end go to the sink. nullptr: back to the queue.
  virtual void set_sink(FrameSink* sink) = 0;
  /// The far end asks this end's source when its queue runs empty while there is link; a far end
  /// with a sink is fed by the cable, frame after frame. A source that had nothing to send when
  /// asked starts the flow again by a send() of its own. nullptr: none.
  virtual void set_source(FrameSource* source) = 0;
  /// No limit to recall().
  static constexpr std::size_t kAllFrames = ~std::size_t{0};
  /// Takes back frames of this end whose first bit has not left it yet (and that a receiver which
  /// runs ahead has not taken either, or a sink acted upon), as if they had not been sent: the
  /// newest `most`. Returns how many.
  virtual std::size_t recall(std::size_t most) = 0;
  /// Ditto, all of them.
  std::size_t recall() { return recall(kAllFrames); }
  /// Frames sent by this end and not yet taken at the far end, or not yet arrived there where it
  /// has a sink.
  virtual std::size_t in_flight() const = 0;
  /// Of frames sent by this end.
  virtual const CableStatistics& statistics() const = 0;

  // --- negotiation ---
  /// What this end signals; nullopt: silent (powered down or unplugged).
  virtual void advertise(std::optional<Abilities> abilities) = 0;
  /// What the far end signals; nullopt: silence.
  virtual std::optional<Abilities> partner() const = 0;
  /// This end's receiver has (or lost) link at a mode. Frames flow while both ends have link in the
  /// same mode. When that ends, frames that have not arrived completely by then are lost.
  virtual void set_link(std::optional<LinkMode> mode) = 0;
  virtual bool link_up() const = 0;  ///< both ends
  virtual Speed speed() const = 0;   ///< of the link, or of the last one
  /// Notified when partner() or link_up() change.
  virtual const sc_core::sc_event& change_event() const = 0;

  // --- readiness: no signal of the wire, but what host back-ends go by ---
  /// The MAC at this end would (not) store a frame now; partners hold frames back until it does.
  virtual void set_ready(bool ready) = 0;
  virtual bool partner_ready() const = 0;                    ///< as the far end has said
  virtual const sc_core::sc_event& ready_event() const = 0;  ///< partner_ready() changed

  // --- observation ---
  virtual unsigned index() const = 0;  ///< 0 or 1; WireEvent::from of frames sent by this end
  /// All frames of the medium this end belongs to.
  virtual Probe<WireEvent>& wire() = 0;
};

/// What a cable is like.
struct CableConfig {
  Time propagation = ns(50);  ///< 10 m of twisted pair at 5 ns/m
};

/// The medium. Serialisation at the agreed speed, preamble, gap, propagation.
class Cable : public sc_core::sc_module {
 public:
  /// Plugged in, and silent until an end advertises.
  explicit Cable(const sc_core::sc_module_name& name, CableConfig config = {});
  ~Cable() override;

  /// Ends 0 and 1.
  CableEndIf& end(unsigned index);
  /// Of frames sent by end 0 or 1.
  const CableStatistics& statistics(unsigned from) const;
  /// Pulls the plug / puts it back: both ends see silence.
  void plug(bool in);

  /// Every frame, of both directions.
  Probe<WireEvent> wire;

 private:
  class End;

  /// Derives link and speed from what both ends say, and tells them of changes.
  void update_link();
  void pump_0() { pump(0); }
  void pump_1() { pump(1); }
  /// Feeds the sink at end `to` from the source at the other end.
  void pump(unsigned to);

  CableConfig config_;
  bool plugged_ = true;
  bool up_ = false;
  Speed speed_ = Speed::k1000;
  std::array<std::unique_ptr<End>, 2> ends_;
};

}  // namespace e1000tlm::link
