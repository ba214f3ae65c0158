#include "e1000tlm/link/host/host_fd.h"

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <system_error>

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

namespace e1000tlm::link {
namespace {

const sockaddr* generic(const sockaddr_un& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

UniqueFd open_socket(const std::string& path, int type) {
  UniqueFd fd(::socket(AF_UNIX, type | SOCK_CLOEXEC, 0));
  if (!fd) throw_host_error("cannot create a socket for '" + path + "'", errno);
  return fd;
}

}  // namespace

void UniqueFd::reset() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

WakeUp::WakeUp() : fd_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  if (!fd_) throw_host_error("cannot create an eventfd", errno);
}

void WakeUp::set() const noexcept {
  const std::uint64_t one = 1;
  const int saved = errno;
  // Fails only when the counter is full: then it is set already.
  if (::write(fd_.get(), &one, sizeof one) < 0) errno = saved;
}

void WakeUp::clear() const noexcept {
  std::uint64_t count = 0;
  const int saved = errno;
  if (::read(fd_.get(), &count, sizeof count) < 0) errno = saved;  // it was not set
}

void throw_host_error(const std::string& what, int error) {
  throw std::runtime_error(what + ": " + std::generic_category().message(error));
}

UniqueFd take_descriptor(const std::string& number) {
  const bool digits = !number.empty() && number.size() <= 6 &&
                      number.find_first_not_of("0123456789") == std::string::npos;
  if (!digits) throw std::invalid_argument("'" + number + "' is no number of a descriptor");
  const int fd = std::stoi(number);
  const int flags = ::fcntl(fd, F_GETFL);
  if (flags < 0) {
    throw std::invalid_argument("descriptor " + number +
                                " is not open (whoever starts the program must pass it on)");
  }
  ::fcntl(fd, F_SETFL, flags | O_NONBLOCK);
  ::fcntl(fd, F_SETFD, FD_CLOEXEC);
  return UniqueFd(fd);
}

sockaddr_un unix_address(const std::string& path) {
  sockaddr_un address{};
  if (path.empty()) throw std::invalid_argument("UNIX socket path is empty");
  if (path.find('\0') != std::string::npos) {
    throw std::invalid_argument("UNIX socket path contains a zero byte");
  }
  if (path.size() >= sizeof address.sun_path) {
    throw std::invalid_argument(
        "UNIX socket path '" + path + "' is too long: " + std::to_string(path.size()) +
        " bytes, at most " + std::to_string(sizeof address.sun_path - 1) + " are possible");
  }
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  return address;
}

void remove_stale_socket(const std::string& path, int type) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) {
    if (errno == ENOENT) return;
    throw_host_error("cannot look at socket path '" + path + "'", errno);
  }
  if (!S_ISSOCK(status.st_mode)) {
    throw std::runtime_error("'" + path + "' exists and is not a socket");
  }
  const sockaddr_un address = unix_address(path);
  const UniqueFd probe = open_socket(path, type);
  if (::connect(probe.get(), generic(address), sizeof address) == 0 || errno == EAGAIN) {
    throw std::runtime_error("socket '" + path + "' is in use by another process");
  }
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) {
    throw_host_error("cannot remove the old socket '" + path + "'", errno);
  }
}

UniqueFd bind_unix_socket(const std::string& path, int type) {
  const sockaddr_un address = unix_address(path);
  remove_stale_socket(path, type);
  UniqueFd fd = open_socket(path, type);
  if (::bind(fd.get(), generic(address), sizeof address) != 0) {
    throw_host_error("cannot bind socket '" + path + "'", errno);
  }
  return fd;
}

}  // namespace e1000tlm::link
