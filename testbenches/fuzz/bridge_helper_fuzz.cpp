/// Whatever a bridge helper sends over its socket: one open descriptor or none, and none is left
/// behind.

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "e1000tlm/link/host/host_fd.h"
#include "e1000tlm/link/host/host_process.h"

namespace {

using e1000tlm::link::UniqueFd;

constexpr std::size_t kMostDescriptors = 32;

void require(bool holds) {
  if (!holds) std::abort();
}

/// Of those that a process with few files has.
int open_descriptors() {
  int count = 0;
  for (int fd = 0; fd < 128; ++fd) count += ::fcntl(fd, F_GETFD) >= 0 ? 1 : 0;
  return count;
}

/// A message of so many bytes with so many descriptors.
void send(int socket, std::uint8_t bytes, std::size_t descriptors) {
  std::array<char, 256> text{};
  iovec part{text.data(), bytes};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int) * kMostDescriptors)> control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (descriptors > 0) {
    message.msg_control = control.data();
    message.msg_controllen = CMSG_SPACE(sizeof(int) * descriptors);
    cmsghdr* const header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int) * descriptors);
    std::array<int, kMostDescriptors> fds{};
    fds.fill(STDERR_FILENO);
    std::memcpy(CMSG_DATA(header), fds.data(), sizeof(int) * descriptors);
  }
  ::sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
}

}  // namespace

/// Pairs of bytes: how long a message is, and how many descriptors it carries.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const int before = open_descriptors();
  {
    std::array<int, 2> ends{-1, -1};
    require(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
    const UniqueFd ours(ends[0]);
    UniqueFd theirs(ends[1]);
    for (std::size_t i = 0; i + 1 < size && i < 32; i += 2) {
      send(theirs.get(), data[i], data[i + 1] % (kMostDescriptors + 1));
    }
    theirs.reset();
    for (int taken = 0; taken < 40; ++taken) {
      const UniqueFd fd = e1000tlm::link::receive_descriptor(ours.get());
      if (fd) require(::fcntl(fd.get(), F_GETFD) == FD_CLOEXEC);
    }
  }
  require(open_descriptors() == before);
  return 0;
}
