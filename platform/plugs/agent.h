#pragma once
/// Who drives a machine: the native driver, or a program outside.

#include <cstdint>
#include <string>
#include <vector>

#include <poll.h>

namespace e1000tlm::platform {
struct RunSummary;
}

namespace e1000tlm::plugs {

/// Who says when simulated time goes on.
enum class TimeMaster : std::uint8_t {
  kFree,     ///< nobody: as fast as it can
  kPaced,    ///< the wall clock
  kStepped,  ///< the agent, command by command
};

/// Attached to the machine's ports when it is made. All calls come from the simulation's thread,
/// but for stop().
class Agent {
 public:
  virtual ~Agent() = default;

  /// What the report calls it: the application, or the door.
  virtual std::string name() const = 0;
  /// Who owns time. All agents of a run say the same; a live link makes kFree paced.
  virtual TimeMaster time() const = 0;
  /// It is a driver of ours, whose counts have to add up, and whose application may come to an end.
  virtual bool accountable() const { return false; }
  /// The adapters are in use, so that rates mean something.
  virtual bool ready() const { return false; }
  /// Why it gave up; empty: it has not.
  virtual std::string error() const { return {}; }
  /// Ends its part of the run as soon as possible. Safe in any thread and in signal handlers.
  virtual void stop() noexcept {}
  /// What the report has to say of it.
  virtual void add_to(platform::RunSummary& /*summary*/) const {}

  // --- agents whose messages are served while time goes by ---
  /// Adds the descriptors on which something may come.
  virtual void watch(std::vector<pollfd>& /*fds*/) const {}
  /// Has something to serve although none of them says so.
  virtual bool eager() const { return false; }
  /// Never let the process sleep while waiting for it.
  virtual bool impatient() const { return false; }
  /// Serves what has come; may wait, in an SC_THREAD.
  virtual void serve() {}
  /// It needs no more time: its client has gone for good.
  virtual bool over() const { return false; }
};

}  // namespace e1000tlm::plugs
