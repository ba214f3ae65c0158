#include "e1000tlm/link/host/host_watch.h"

#include <cerrno>

#include <poll.h>

namespace e1000tlm::link {

bool is_ready(int fd, short events, std::chrono::milliseconds wait) {
  pollfd waiting{fd, events, 0};
  return ::poll(&waiting, 1, static_cast<int>(wait.count())) > 0;
}

Watch::Watch() : fd_(::epoll_create1(EPOLL_CLOEXEC)) {
  if (!fd_) throw_host_error("cannot create an epoll instance", errno);
}

void Watch::add(int fd, std::uint32_t events) const {
  if (!try_add(fd, events)) throw_host_error("cannot watch a socket", errno);
}

bool Watch::try_add(int fd, std::uint32_t events) const {
  return control(EPOLL_CTL_ADD, fd, events) == 0;
}

void Watch::change(int fd, std::uint32_t events) const { control(EPOLL_CTL_MOD, fd, events); }

int Watch::control(int operation, int fd, std::uint32_t events) const {
  epoll_event event{};
  event.events = events;
  event.data.fd = fd;
  return ::epoll_ctl(fd_.get(), operation, fd, &event);
}

}  // namespace e1000tlm::link
