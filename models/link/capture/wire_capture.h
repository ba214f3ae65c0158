#pragma once
/// Everything on a cable, into a capture file.

#include <cstdint>
#include <memory>
#include <optional>
#include <queue>
#include <string>
#include <vector>

#include "e1000tlm/link/cable.h"
#include "e1000tlm/link/capture/pcapng_writer.h"

namespace e1000tlm::link {

/// Listens to a cable's probe and writes both directions to a pcapng file, stamped with the time
/// the first preamble bit left the sender, in order of time. Directions are the NIC's: inbound
/// frames go to the NIC.
///
/// Senders announce frames ahead of the kernel's time (scheduled replays) and, loosely timed, up to
/// a quantum behind each other; frames are therefore held until the kernel is safely past them.
class WireCapture {
 public:
  /// `nic_end`: 0 or 1. `wire` calls this object until the simulation ends.
  WireCapture(std::unique_ptr<PcapngWriter> writer, Probe<WireEvent>& wire, unsigned nic_end);
  WireCapture(const WireCapture&) = delete;
  WireCapture& operator=(const WireCapture&) = delete;

  /// Writes what is held and completes the file; frames after that are not recorded. Throws
  /// std::runtime_error, also for an error during the simulation (the file then ends before it).
  ///
  /// Frames to the NIC that were to begin at `inbound_end` or later are left out: the sender has
  /// taken them back (CableEndIf::recall).
  void finish(Time inbound_end = kTimeNever);
  std::uint64_t frames() const { return writer_->frames(); }
  /// Frames announced too late to be written in their place.
  std::uint64_t out_of_order() const { return out_of_order_; }

 private:
  struct Held {
    Time start;
    std::uint64_t sequence;  // order of announcement, among equal times
    CaptureDirection direction;
    FramePtr frame;
    bool operator<(const Held& o) const {  // the earliest is on top of a priority queue
      return start != o.start ? start > o.start : sequence > o.sequence;
    }
  };

  void record(const WireEvent& event);
  /// Writes held frames that started before `until`.
  void write_until(Time until);

  std::unique_ptr<PcapngWriter> writer_;
  unsigned nic_end_;
  std::optional<Time> window_;
  std::priority_queue<Held> held_;
  std::uint64_t announced_ = 0;
  std::uint64_t out_of_order_ = 0;
  Time last_written_{};
  Time inbound_end_ = kTimeNever;
  bool finished_ = false;
  std::string error_;
};

}  // namespace e1000tlm::link
