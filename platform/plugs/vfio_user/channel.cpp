#include "e1000tlm/plugs/vfio_user/channel.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include <sys/socket.h>
#include <sys/uio.h>

namespace e1000tlm::plugs::vfio_user {
namespace {

constexpr std::size_t kReadBytes = 65'536;

}  // namespace

Channel::Channel(link::UniqueFd socket) : socket_(std::move(socket)), input_(kReadBytes) {}

/// The kernel hands descriptors over with the last bytes that one call reads, and ends the call
/// there: they belong to the message that the last byte is of.
void Channel::take_descriptors(void* message) {
  auto& header = *static_cast<msghdr*>(message);
  std::size_t received = 0;
  for (cmsghdr* c = CMSG_FIRSTHDR(&header); c != nullptr; c = CMSG_NXTHDR(&header, c)) {
    if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    received += count;
    for (std::size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
      attached_.push_back({taken_ + (end_ - begin_) - 1, link::UniqueFd(fd)});
    }
  }
  if ((header.msg_flags & MSG_CTRUNC) != 0) {
    why_ = received < kMostDescriptors
               ? "its descriptors cannot be taken: this process has too many of its own"
               : "more descriptors than a message may have";
  }
  if (attached_.size() > kMostDescriptors * 4) why_ = "descriptors that belong to no message";
}

bool Channel::receive() {
  if (begin_ == end_) begin_ = end_ = 0;
  if (begin_ > 0 && input_.size() - end_ < kHeaderBytes) {
    std::memmove(input_.data(), input_.data() + begin_, end_ - begin_);
    end_ -= std::exchange(begin_, 0);
  }
  if (input_.size() == end_)
    input_.resize(std::min<std::size_t>(2 * input_.size(), 2 * kMostMessage));
  iovec piece{input_.data() + end_, input_.size() - end_};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int) * kMostDescriptors)> control{};
  msghdr header{};
  header.msg_iov = &piece;
  header.msg_iovlen = 1;
  header.msg_control = control.data();
  header.msg_controllen = control.size();
  const ssize_t bytes = ::recvmsg(socket_.get(), &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  if (bytes < 0) return errno == EAGAIN || errno == EINTR;
  if (bytes == 0) return false;
  end_ += static_cast<std::size_t>(bytes);
  take_descriptors(&header);
  return why_.empty();
}

std::optional<Incoming> Channel::next() {
  if (!why_.empty() || end_ - begin_ < kHeaderBytes) return std::nullopt;
  const ConstBytes bytes(input_.data() + begin_, end_ - begin_);
  auto parsed = parse_header(bytes);
  if (auto* problem = std::get_if<std::string>(&parsed)) {
    why_ = std::move(*problem);
    rejected_ = header_fields(bytes);
    return std::nullopt;
  }
  Incoming message;
  message.header = std::get<Header>(parsed);
  const std::size_t size = message.header.size;
  if (bytes.size() < size) return std::nullopt;
  message.body = bytes.subspan(kHeaderBytes, size - kHeaderBytes);
  begin_ += size;
  taken_ += size;
  while (!attached_.empty() && attached_.front().at < taken_) {
    message.descriptors.push_back(std::move(attached_.front().fd));
    attached_.pop_front();
  }
  if (message.descriptors.size() > kMostDescriptors) {
    why_ = "more descriptors than a message may have";
    return std::nullopt;
  }
  return message;
}

bool Channel::send(const Message& message) {
  if (!pending()) {
    const ssize_t bytes =
        ::send(socket_.get(), message.data(), message.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (bytes == static_cast<ssize_t>(message.size())) return true;
    if (bytes < 0 && errno != EAGAIN && errno != EINTR) return false;
    output_.assign(message.begin() + std::max<ssize_t>(bytes, 0), message.end());
    sent_ = 0;
    return true;
  }
  if (sent_ > kMuchOutput) {
    output_.erase(output_.begin(), output_.begin() + static_cast<std::ptrdiff_t>(sent_));
    sent_ = 0;
  }
  // Not insert(): g++ 14 takes what that becomes for an overflow.
  const std::size_t before = output_.size();
  output_.resize(before + message.size());
  std::copy(message.begin(), message.end(), output_.begin() + static_cast<std::ptrdiff_t>(before));
  if (output_.size() - sent_ > kMostOutput) {
    why_ = "it takes no answers";
    return false;
  }
  return flush();
}

bool Channel::flush() {
  while (pending()) {
    const ssize_t bytes = ::send(socket_.get(), output_.data() + sent_, output_.size() - sent_,
                                 MSG_NOSIGNAL | MSG_DONTWAIT);
    if (bytes < 0) return errno == EAGAIN || errno == EINTR;
    sent_ += static_cast<std::size_t>(bytes);
  }
  output_.clear();
  sent_ = 0;
  return true;
}

}  // namespace e1000tlm::plugs::vfio_user
