#include "e1000tlm/link/host/vhost_channel.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>
#include <variant>

#include <sys/socket.h>
#include <sys/uio.h>

namespace e1000tlm::link {

namespace vhost = virtio::vhost_user;

/// The kernel hands descriptors over with the last bytes that one call reads, and ends the call
/// there: they belong to the message that the last byte is of.
void VhostChannel::take_descriptors(void* message) {
  auto& header = *static_cast<msghdr*>(message);
  for (cmsghdr* c = CMSG_FIRSTHDR(&header); c != nullptr; c = CMSG_NXTHDR(&header, c)) {
    if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
      attached_.push_back({taken_ + (end_ - begin_) - 1, UniqueFd(fd)});
    }
  }
  if ((header.msg_flags & MSG_CTRUNC) != 0) why_ = "sends more descriptors than a message may have";
  if (attached_.size() > vhost::kMostDescriptors * 4) {
    why_ = "sends descriptors that belong to no message";
  }
}

bool VhostChannel::receive(int socket) {
  if (begin_ > 0) std::memmove(input_.data(), input_.data() + begin_, end_ - begin_);
  end_ -= std::exchange(begin_, 0);
  iovec piece{input_.data() + end_, input_.size() - end_};
  if (piece.iov_len == 0) return true;
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int) * vhost::kMostDescriptors)> control{};
  msghdr header{};
  header.msg_iov = &piece;
  header.msg_iovlen = 1;
  header.msg_control = control.data();
  header.msg_controllen = control.size();
  const ssize_t bytes = ::recvmsg(socket, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  if (bytes < 0) return errno == EAGAIN || errno == EINTR;
  if (bytes == 0) return false;
  end_ += static_cast<std::size_t>(bytes);
  take_descriptors(&header);
  return why_.empty();
}

std::optional<VhostChannel::Incoming> VhostChannel::next() {
  if (!why_.empty() || end_ - begin_ < vhost::kHeaderBytes) return std::nullopt;
  const ConstBytes bytes(input_.data() + begin_, end_ - begin_);
  auto parsed = vhost::parse_header(bytes);
  if (auto* problem = std::get_if<std::string>(&parsed)) {
    why_ = "sends " + *problem;
    return std::nullopt;
  }
  Incoming message;
  message.header = std::get<vhost::Header>(parsed);
  const std::size_t size = vhost::kHeaderBytes + message.header.size;
  if (static_cast<std::size_t>(bytes.size()) < size) return std::nullopt;
  message.body = bytes.subspan(vhost::kHeaderBytes, message.header.size);
  begin_ += size;
  taken_ += size;
  while (!attached_.empty() && attached_.front().at < taken_) {
    message.descriptors.push_back(std::move(attached_.front().fd));
    attached_.pop_front();
  }
  return message;
}

VhostChannel::Sent VhostChannel::send(int socket, ConstBytes message,
                                      gsl::span<const int> descriptors) {
  iovec piece{const_cast<std::uint8_t*>(message.data()) + sent_,
              static_cast<std::size_t>(message.size()) - sent_};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int) * vhost::kMostDescriptors)> control{};
  msghdr header{};
  header.msg_iov = &piece;
  header.msg_iovlen = 1;
  const std::size_t fds =
      std::min<std::size_t>(static_cast<std::size_t>(descriptors.size()), vhost::kMostDescriptors);
  if (sent_ == 0 && fds > 0) {
    header.msg_control = control.data();
    header.msg_controllen = CMSG_SPACE(sizeof(int) * fds);
    cmsghdr* const c = CMSG_FIRSTHDR(&header);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof(int) * fds);
    std::memcpy(CMSG_DATA(c), descriptors.data(), sizeof(int) * fds);
  }
  const ssize_t bytes = ::sendmsg(socket, &header, MSG_NOSIGNAL | MSG_DONTWAIT);
  if (bytes < 0) {
    return errno == EAGAIN || errno == EINTR || errno == ENOBUFS ? Sent::kLater : Sent::kGone;
  }
  sent_ += static_cast<std::size_t>(bytes);
  if (sent_ < static_cast<std::size_t>(message.size())) return Sent::kLater;
  sent_ = 0;
  return Sent::kAll;
}

void VhostChannel::clear() {
  begin_ = end_ = 0;
  taken_ = 0;
  attached_.clear();
  sent_ = 0;
  why_.clear();
}

}  // namespace e1000tlm::link
