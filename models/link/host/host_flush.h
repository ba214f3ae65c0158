#pragma once
/// How a host-driven simulation (qtest) keeps host back-ends in step with its commands. No SystemC.

#include <chrono>
#include <cstddef>

namespace e1000tlm::link {

/// A link partner whose frames pass through a host file descriptor.
///
/// By itself such a partner moves frames whenever the host has them. Whoever decides command by
/// command what the simulation does calls use_polling() instead, and then poll() before and flush()
/// after each command: frames meet the model at points that its commands determine.
/// All calls are made on the simulation's thread.
class HostFlush {
 public:
  virtual ~HostFlush() = default;

  /// Frames from the host are taken by poll() only. Before the start of simulation.
  virtual void use_polling() = 0;

  /// Takes the frames that the host has ready, unless the NIC's side holds too many already: what
  /// is not taken stays in the host's own queue. Returns how many were taken.
  virtual std::size_t poll() = 0;

  /// Frames that were taken wait for the driver's settling time alone, which is running.
  virtual bool releasing() const = 0;

  /// Hands frames that the host did not take at once over to it, in order, waiting at most
  /// `timeout` for room. False: some are still waiting; call again later.
  virtual bool flush(std::chrono::milliseconds timeout) = 0;
};

}  // namespace e1000tlm::link
