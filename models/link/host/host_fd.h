#pragma once
/// File descriptors and UNIX socket addresses of host back-ends. No SystemC.

#include <string>
#include <utility>

#include <sys/socket.h>
#include <sys/un.h>

namespace e1000tlm::link {

/// Owns a file descriptor.
class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~UniqueFd() { reset(); }

  int get() const { return fd_; }
  /// The caller owns it from now on.
  int release() { return std::exchange(fd_, -1); }
  explicit operator bool() const { return fd_ >= 0; }
  void reset();

 private:
  int fd_ = -1;
};

/// Wakes a poll(): an eventfd that stays readable until it is cleared.
class WakeUp {
 public:
  /// Throws std::runtime_error when the process has no descriptors left.
  WakeUp();
  int fd() const { return fd_.get(); }
  /// Safe in any thread and in signal handlers.
  void set() const noexcept;
  void clear() const noexcept;

 private:
  UniqueFd fd_;
};

/// Throws std::runtime_error "<what>: <text of error>".
[[noreturn]] void throw_host_error(const std::string& what, int error);

/// Takes over a descriptor that whoever started the program has opened, by its number. From now on
/// it does not block and no child inherits it. Throws std::invalid_argument: no number, or not
/// open.
UniqueFd take_descriptor(const std::string& number);

/// The address of a UNIX socket; throws std::invalid_argument if the path is empty or too long.
sockaddr_un unix_address(const std::string& path);

/// Removes a socket that nobody listens on any more, left over from an earlier run. Throws
/// std::runtime_error if the path is something else than a socket or if the socket is in use.
/// `type`: SOCK_STREAM or SOCK_DGRAM.
void remove_stale_socket(const std::string& path, int type);

/// A socket bound to the path, after remove_stale_socket(). Throws as the functions above.
UniqueFd bind_unix_socket(const std::string& path, int type);

}  // namespace e1000tlm::link
