#pragma once
/// What a host-driven link partner needs of the host. No SystemC.

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "e1000tlm/link/frame.h"
#include "e1000tlm/tlm/bytes.h"

namespace e1000tlm::link {

/// A file descriptor that carries frames without FCS. Calls come from different threads, one at a
/// time. No SystemC.
class HostDevice {
 public:
  virtual ~HostDevice() = default;

  /// Readable when read() has something to do.
  virtual int fd() const = 0;

  /// How read() or write() went.
  enum class Outcome : std::uint8_t {
    kDone,
    kAgain,    ///< nothing to read; no room to write
    kDropped,  ///< the frame is lost, for `reason`
    kClosed,   ///< the device has gone, for good
  };
  /// What read() brought.
  struct ReadResult {
    /// How it went.
    Outcome outcome = Outcome::kAgain;
    ConstBytes frame;                ///< kDone: valid until the next read()
    const char* reason = nullptr;    ///< kDropped
    std::uint64_t frames = 1;        ///< kDropped: so many
    std::uint16_t queue = kNoQueue;  ///< kDone: that it came by, of several
  };
  /// Never blocks.
  virtual ReadResult read() = 0;

  /// What became of a frame.
  struct WriteResult {
    /// How it went.
    Outcome outcome = Outcome::kAgain;
    const char* reason = nullptr;  ///< kDropped
  };
  /// Waits at most `wait` for room. After kAgain the next call brings the same frame.
  virtual WriteResult write(ConstBytes frame, std::chrono::milliseconds wait) = 0;
  /// The same by this queue, if there are several and this is one of them.
  virtual WriteResult write_by(std::uint16_t /*queue*/, ConstBytes frame,
                               std::chrono::milliseconds wait) {
    return write(frame, wait);
  }
  /// How many it has.
  virtual unsigned queues() const { return 1; }

  /// What has happened when read() or write() says kClosed, and what to do about it.
  virtual std::string why_closed() const { return "the host's end has gone"; }

  /// Called once, when nothing is read or written any more. Says what went wrong, if anything did.
  virtual std::string shut_down() { return {}; }

  /// Frames that write() took and the host's end has not taken after all. Called once, after
  /// shut_down().
  virtual std::uint64_t unsent() { return 0; }

  /// What its user should know although it works, a sentence each. Called once, after shut_down().
  virtual std::vector<std::string> warnings() const { return {}; }

  /// poll(POLLOUT) says whether write() has room. Otherwise a busy device is tried again.
  virtual bool poll_tells_room() const = 0;
};

}  // namespace e1000tlm::link
