#pragma once
/// Eventfds of others: signalled and read without ever waiting. No SystemC.

#include <cstdint>
#include <optional>

namespace e1000tlm::plugs::vfio_user {

/// An eventfd that somebody else made may block its writer: when its counter is full, and its
/// flags, which are its owner's, do not say otherwise. Asking first (poll) is no help, as the owner
/// may fill it after the answer. So the kernel is made to signal it: as the completion of an
/// asynchronous read of nothing (io_submit(2), IOCB_FLAG_RESFD), which never waits.
class EventSignal {
 public:
  EventSignal() = default;
  ~EventSignal();
  EventSignal(const EventSignal&) = delete;
  EventSignal& operator=(const EventSignal&) = delete;

  /// Adds 1 to the counter of this eventfd. One that is full stays full: whoever waits for it is
  /// awake. Where the kernel has no asynchronous reads: asks, and then writes.
  void send(int fd);

 private:
  bool submit(int fd);
  bool set_up();

  enum class State : std::uint8_t { kNew, kReady, kMissing };
  State state_ = State::kNew;
  unsigned long context_ = 0;
  int nothing_ = -1;  // what is read
};

/// Takes the counter of an eventfd and leaves it at 0; nullopt: it was 0.
std::optional<std::uint64_t> take_events(int fd);

}  // namespace e1000tlm::plugs::vfio_user
