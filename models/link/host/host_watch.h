#pragma once
/// Waiting for several descriptors as if they were one. No SystemC.

#include <chrono>
#include <cstdint>
#include <utility>

#include <sys/epoll.h>

#include "e1000tlm/link/host/host_fd.h"

namespace e1000tlm::link {

/// poll() of one descriptor. True: one of the events, or an error.
bool is_ready(int fd, short events, std::chrono::milliseconds wait);

/// Descriptors of which the owner waits for the first that is ready, by waiting for this one.
class Watch {
 public:
  /// Throws std::runtime_error when the process has no descriptors left.
  Watch();
  int fd() const { return fd_.get(); }
  /// `events`: as epoll has them. Throws std::runtime_error.
  void add(int fd, std::uint32_t events) const;
  /// For threads that must not throw. False: the system has no room for it, see errno.
  bool try_add(int fd, std::uint32_t events) const;
  /// Of one that is watched; cannot fail.
  void change(int fd, std::uint32_t events) const;

 private:
  int control(int operation, int fd, std::uint32_t events) const;
  UniqueFd fd_;
};

/// Keeps a Watch ready while its owner has something left that no descriptor tells of.
class Leftover {
 public:
  explicit Leftover(const Watch& watch) { watch.add(event_.fd(), EPOLLIN); }
  void set(bool more) {
    if (std::exchange(more_, more) == more) return;
    more ? event_.set() : event_.clear();
  }

 private:
  WakeUp event_;
  bool more_ = false;
};

}  // namespace e1000tlm::link
