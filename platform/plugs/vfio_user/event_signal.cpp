#include "e1000tlm/plugs/vfio_user/event_signal.h"

#include <array>
#include <cerrno>
#include <ctime>

#include <fcntl.h>
#include <linux/aio_abi.h>
#include <poll.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

namespace e1000tlm::plugs::vfio_user {
namespace {

constexpr unsigned kRequests = 4;  // one at a time; the kernel rounds it up

bool ready(int fd, short what) {
  pollfd descriptor{fd, what, 0};
  return ::poll(&descriptor, 1, 0) > 0 && (descriptor.revents & what) != 0;
}

}  // namespace

EventSignal::~EventSignal() {
  if (state_ == State::kReady) ::syscall(SYS_io_destroy, context_);
  if (nothing_ >= 0) ::close(nothing_);
}

bool EventSignal::set_up() {
  if (state_ != State::kNew) return state_ == State::kReady;
  state_ = State::kMissing;
  nothing_ = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (nothing_ < 0 || ::syscall(SYS_io_setup, kRequests, &context_) != 0) return false;
  state_ = State::kReady;
  return true;
}

bool EventSignal::submit(int fd) {
  if (!set_up()) return false;
  std::uint8_t byte = 0;
  iocb request{};
  request.aio_lio_opcode = IOCB_CMD_PREAD;
  request.aio_fildes = static_cast<std::uint32_t>(nothing_);
  request.aio_buf = reinterpret_cast<std::uintptr_t>(&byte);
  request.aio_nbytes = sizeof byte;
  request.aio_flags = IOCB_FLAG_RESFD;
  request.aio_resfd = static_cast<std::uint32_t>(fd);
  std::array<iocb*, 1> requests{&request};
  if (::syscall(SYS_io_submit, context_, 1L, requests.data()) != 1) return false;
  // /dev/null is read at once, so its completion is there; it makes room for the next.
  std::array<io_event, kRequests> events{};
  timespec at_once{};
  ::syscall(SYS_io_getevents, context_, 0L, static_cast<long>(events.size()), events.data(),
            &at_once);
  return true;
}

void EventSignal::send(int fd) {
  if (submit(fd) || !ready(fd, POLLOUT)) return;
  const std::uint64_t one = 1;
  while (::write(fd, &one, sizeof one) < 0 && errno == EINTR) {
  }
}

std::optional<std::uint64_t> take_events(int fd) {
  std::uint64_t count = 0;
  iovec piece{&count, sizeof count};
  ssize_t bytes = ::preadv2(fd, &piece, 1, -1, RWF_NOWAIT);
  // Kernels before 5.8 know this flag for files only.
  if (bytes < 0 && errno == EOPNOTSUPP && ready(fd, POLLIN)) {
    bytes = ::read(fd, &count, sizeof count);
  }
  if (bytes != static_cast<ssize_t>(sizeof count)) return std::nullopt;
  return count;
}

}  // namespace e1000tlm::plugs::vfio_user
