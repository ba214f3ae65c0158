#pragma once
/// PAUSE from the point of view of a link partner that obeys it (IEEE 802.3 clause 31, annex 31B).

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include <systemc>

#include <boost/circular_buffer.hpp>

#include "e1000tlm/link/cable.h"
#include "e1000tlm/tlm/time.h"

namespace e1000tlm::link {

/// The time that a PAUSE frame asks for, in units of 512 bit times; nullopt: it is none, or
/// damaged.
std::optional<std::uint16_t> pause_quanta(const Frame& frame);

/// Lets frames go to the wire one by one while PAUSE is obeyed, so that those that have not started
/// can still be held up; otherwise at once, stamped with their times.
class PauseQueue : public sc_core::sc_module {
 public:
  /// `end`: the partner's end of the cable; must outlive the queue.
  PauseQueue(const sc_core::sc_module_name& name, CableEndIf& end);
  ~PauseQueue() override;

  /// PAUSE has been agreed on, or no longer: what waits then goes out.
  void set_obeying(bool obeying);
  bool obeying() const { return obeying_; }

  /// Shows a frame that has come (or is coming) in. True: a PAUSE frame, which is obeyed from its
  /// last bit on and goes no further.
  bool take(const Arrival& arrival) { return obeying_ && obey(arrival); }
  /// The frame that ends at `last_bit` has not come after all. True: it was a PAUSE frame that
  /// take() took, which is forgotten.
  bool take_back(Time last_bit);
  /// The first time from `time` on at which a frame may start, as far as is known. PAUSE frames may
  /// be known before their last bit: until then the one before them holds.
  Time allowed(Time time) const {
    for (std::size_t i = 0; i < silences_.size(); ++i) {
      const Silence& s = silences_[i];
      const Time end =
          i + 1 < silences_.size() ? std::min(s.until, silences_[i + 1].from) : s.until;
      if (time >= s.from && time < end) time = end;
    }
    return time;
  }
  /// Notified when allowed() has changed.
  const sc_core::sc_event& changed_event() const { return changed_; }

  /// Sends the frame, no sooner than `earliest`.
  void send(FramePtr frame, Time earliest) {
    if (!obeying_) {
      end_.send(std::move(frame), earliest);
      return;
    }
    hold(std::move(frame), earliest);
  }
  /// As CableEndIf::recall(), of frames sent here.
  std::size_t recall(std::size_t most);
  /// Frames that have not been put on the wire, and their bytes with FCS.
  std::size_t waiting() const { return waiting_.size(); }
  std::size_t waiting_bytes() const { return waiting_bytes_; }

  /// PAUSE frames obeyed so far.
  std::uint64_t taken() const { return taken_; }
  CableEndIf& end() { return end_; }

 private:
  struct Waiting {
    FramePtr frame;
    Time earliest;
  };

  struct Silence {
    Time from, until;  // from a PAUSE frame's last bit on, unless the next one says otherwise
  };

  bool obey(const Arrival& arrival);
  void hold(FramePtr frame, Time earliest);
  void release_front(Time earliest);
  void pump();

  CableEndIf& end_;
  bool obeying_ = false;
  std::vector<Silence> silences_;  // in force, and those that follow; none unless obeying
  std::uint64_t taken_ = 0;
  boost::circular_buffer<Waiting> waiting_;
  std::size_t waiting_bytes_ = 0;
  sc_core::sc_event pump_event_;
  sc_core::sc_event changed_;
};

}  // namespace e1000tlm::link
