#pragma once
/// Simulated time between a simulation and User-Mode Linux: messages and one guest's clock. No
/// SystemC.
///
/// With time-travel=ext:SOCKET a guest's clock is simulated time that a controller owns. The guest
/// runs in no time at all until it has nothing to do before a later time; then it asks for that
/// time (REQUEST) and waits (WAIT) until the controller lets it go on (RUN). Source: Linux,
/// include/uapi/linux/um_timetravel.h and arch/um/kernel/time.c.

#include <array>
#include <cstdint>
#include <string>
#include <variant>

#include "e1000tlm/tlm/bytes.h"

namespace e1000tlm::plugs::uml {

/// What a message is about.
enum class TimeOp : std::uint32_t {
  kAck = 0,        ///< answers all others, with the same number
  kStart = 1,      ///< guest: it is there
  kRequest = 2,    ///< guest: it wants to run at that time; the last one counts
  kWait = 3,       ///< guest: it runs no further without a kRun
  kGet = 4,        ///< guest: what time is it? The kAck has it
  kUpdate = 5,     ///< guest: it has come to that time by itself
  kRun = 6,        ///< controller: the guest goes on, at that time
  kFreeUntil = 7,  ///< controller: it needs to ask for no time before that one
  kGetTod = 8,     ///< guest: what does the calendar say at time 0? The kAck has it
  kBroadcast = 9,  ///< between guests; not passed on
};

/// 16 bytes, little endian here.
struct TimeMessage {
  /// See TimeOp.
  TimeOp op = TimeOp::kAck;
  /// Counted by each side for itself.
  std::uint32_t number = 0;
  /// In nanoseconds.
  std::uint64_t time = 0;
};

/// Bytes of a message.
inline constexpr std::size_t kTimeMessageBytes = 16;
/// A guest that asks for this time (or later) waits for an interrupt alone.
inline constexpr std::uint64_t kTimeForever = 0x7FFF'FFFF'FFFF'FFFF;

/// From kTimeMessageBytes bytes. A text instead: it is no message, and why.
std::variant<TimeMessage, std::string> parse_time_message(ConstBytes bytes);
/// Ditto the other way.
std::array<std::uint8_t, kTimeMessageBytes> to_bytes(const TimeMessage& message);
/// "WAIT", "REQUEST 10000 ns" and the like.
std::string to_string(const TimeMessage& message);

/// What a controller knows of one guest's clock.
class GuestClock {
 public:
  /// Runs, or waits for a time.
  bool waiting() const { return waiting_; }
  /// Has said kStart.
  bool started() const { return started_; }
  /// When it wants to go on.
  std::uint64_t wish() const { return wish_; }
  /// Time before which it runs without asking; 0: it asks for every time.
  std::uint64_t free_until() const { return free_until_; }
  /// The latest time that it can have come to by itself, without a word: what happens to it may not
  /// be earlier, or its clock would go backwards.
  std::uint64_t latest() const { return waiting_ ? latest_ : furthest(); }
  /// What we asked for last has been answered.
  bool answered() const { return answered_; }

  /// Takes a message in while it is `now` (nanoseconds, rounded up). The answer to send, kAck; none
  /// (monostate) to an answer of the guest's; a text: it breaks the protocol, and how.
  /// `calendar`: nanoseconds from 1970 to simulated time 0.
  std::variant<std::monostate, TimeMessage, std::string> take(const TimeMessage& message,
                                                              std::uint64_t now,
                                                              std::uint64_t calendar);
  /// What lets it go on at the time of its wish. Precondition: waiting(), answered().
  TimeMessage run();
  /// What tells it how far it may go. Precondition: answered().
  TimeMessage allow_until(std::uint64_t time);

 private:
  TimeMessage ask(TimeOp op, std::uint64_t time);
  std::uint64_t furthest() const { return free_until_ > reached_ ? free_until_ - 1 : reached_; }

  bool started_ = false;
  bool waiting_ = false;
  bool answered_ = true;
  std::uint32_t number_ = 0;
  std::uint64_t wish_ = kTimeForever;
  std::uint64_t free_until_ = 0;
  std::uint64_t reached_ = 0;  // that it has certainly come to
  std::uint64_t latest_ = 0;   // while it waits
};

}  // namespace e1000tlm::plugs::uml
