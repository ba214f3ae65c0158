#include "e1000tlm/plugs/uml/peer.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include <sys/socket.h>

namespace e1000tlm::plugs::uml {
namespace {

constexpr std::size_t kMostSent = 4;

}  // namespace

/// Several messages may have come. Descriptors belong to the first byte that they came with, but
/// each side waits for answers, so there is never a second message with descriptors behind.
bool Peer::receive() {
  std::array<std::uint8_t, 4096> buffer{};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int) * kMostDescriptors)> control{};
  while (input_.size() - begin_ < kMostInput) {
    iovec part{buffer.data(), buffer.size()};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    const ssize_t bytes = ::recvmsg(socket_.get(), &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (bytes < 0 && errno == EINTR) continue;
    if (bytes < 0) return errno == EAGAIN;
    keep_descriptors(&message);
    if (bytes == 0) return false;
    input_.insert(input_.end(), buffer.begin(), buffer.begin() + bytes);
    if (static_cast<std::size_t>(bytes) < buffer.size()) return true;
  }
  return true;
}

void Peer::keep_descriptors(void* message) {
  auto* header = static_cast<msghdr*>(message);
  for (cmsghdr* c = CMSG_FIRSTHDR(header); c != nullptr; c = CMSG_NXTHDR(header, c)) {
    if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
      link::UniqueFd owned(fd);
      if (descriptors_.size() < kMostDescriptors) descriptors_.push_back(std::move(owned));
    }
  }
}

void Peer::drop(std::size_t bytes) {
  begin_ += bytes;
  if (begin_ < input_.size()) return;
  input_.clear();
  begin_ = 0;
}

bool Peer::send(ConstBytes bytes, gsl::span<const int> descriptors) {
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int) * kMostSent)> control{};
  while (!bytes.empty()) {
    iovec part{const_cast<std::uint8_t*>(bytes.data()), bytes.size()};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    const std::size_t count = std::min(descriptors.size(), kMostSent);
    if (count > 0) {
      message.msg_control = control.data();
      message.msg_controllen = CMSG_SPACE(sizeof(int) * count);
      cmsghdr* c = CMSG_FIRSTHDR(&message);
      c->cmsg_level = SOL_SOCKET;
      c->cmsg_type = SCM_RIGHTS;
      c->cmsg_len = CMSG_LEN(sizeof(int) * count);
      std::memcpy(CMSG_DATA(c), descriptors.data(), sizeof(int) * count);
    }
    const ssize_t sent = ::sendmsg(socket_.get(), &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(sent));
    descriptors = {};
  }
  return true;
}

}  // namespace e1000tlm::plugs::uml
