#pragma once
/// A capture as frames to be sent, with their times. No SystemC.

#include <cstddef>
#include <cstdint>
#include <memory>

#include "e1000tlm/link/capture/pace.h"
#include "e1000tlm/link/capture/pcap_reader.h"
#include "e1000tlm/link/frame.h"
#include "e1000tlm/tlm/time.h"

namespace e1000tlm::link {

/// Frames of a capture, of all passes, one after the other: at most one is read ahead of the one to
/// be sent next. Times count from the start of the replay.
class Replay {
 public:
  /// Recorded times are divided by `scale`. Precondition: passes > 0, and the capture can be
  /// rewound unless passes is 1.
  Replay(std::unique_ptr<PcapReader> capture, Pace pace, double scale, std::uint64_t passes);

  /// Makes the frame to be sent next ready, unless it is. False: there is none. Waits for a pipe.
  /// Throws as PcapReader::next(), and std::runtime_error for a frame that would be due after
  /// more than 100 days, which is about what can be simulated.
  bool fetch();
  /// As fetch(), but does not wait: a pipe is left alone.
  void look_ahead() {
    if (capture_->can_rewind()) fetch();
  }
  /// The frame to be sent next has been made ready.
  bool ready() const { return next_.frame != nullptr; }
  /// All frames have been sent, as far as is known without waiting.
  bool finished() const { return ended_ && !next_.frame && !ahead_.frame; }

  /// The frame to be sent next. Precondition: fetch() has returned true.
  const FramePtr& frame() const { return next_.frame; }
  /// When it is due.
  Time due() const { return position_.due; }
  /// It has been sent, its last bit leaving at `done`. It may have been received and changed since;
  /// `wire_bytes` is what it was.
  void sent(Time done, std::size_t wire_bytes);
  /// What was sent last will be sent again, or never. Nobody may have changed the frame.
  void take_back();

  const PcapReader& capture() const { return *capture_; }

 private:
  struct Slot {
    FramePtr frame;
    std::int64_t offset_ns = 0;  // recorded time since the first frame
    bool new_pass = false;
    std::uint64_t record = 0;  // for messages
  };
  struct Position {
    Time due{};
    Time pass_start{};
    Time done{};  // of the frame before
    RateClock clock;
  };

  bool load(Slot& slot);
  void place(const Slot& slot);
  Time recorded_due(const Slot& slot) const;
  [[noreturn]] void throw_too_late(const Slot& slot, const char* remedy) const;

  std::unique_ptr<PcapReader> capture_;
  Pace pace_;
  double scale_;
  std::uint64_t passes_left_;
  bool ended_ = false;
  bool new_pass_ = false;      // the next frame begins one
  std::uint64_t loaded_ = 0;   // frames of this pass
  std::int64_t first_ns_ = 0;  // time of the first frame

  Slot next_;
  Slot ahead_;  // next after next_, if that has been taken back
  Slot last_;   // sent last
  Position position_;
  Position previous_;  // of last_
};

}  // namespace e1000tlm::link
