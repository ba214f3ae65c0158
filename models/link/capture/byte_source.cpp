#include "e1000tlm/link/capture/byte_source.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

namespace e1000tlm::link {
namespace {

constexpr std::size_t kWindowBytes = std::size_t{1} << 17;
constexpr int kAskEveryMs = 200;

[[noreturn]] void fail(int error) {
  throw std::runtime_error(std::generic_category().message(error));
}

}  // namespace

FileSource::FileSource(const std::string& path, StopReading stop)
    : fd_(path == "-" ? ::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0)
                      : ::open(path.c_str(), O_RDONLY | O_CLOEXEC)),
      stop_(std::move(stop)) {
  if (fd_ < 0) fail(errno);
  struct stat status {};
  regular_ = ::fstat(fd_, &status) == 0 && S_ISREG(status.st_mode);
  if (regular_) start_ = std::max<off_t>(0, ::lseek(fd_, 0, SEEK_CUR));
}

FileSource::~FileSource() { ::close(fd_); }

void FileSource::wait() const {
  for (;;) {
    pollfd ready{fd_, POLLIN, 0};
    const int result = ::poll(&ready, 1, kAskEveryMs);
    if (result > 0) return;
    if (result < 0 && errno != EINTR) fail(errno);
    if (stop_ && stop_()) throw ReadInterrupted();
  }
}

std::size_t FileSource::read(std::uint8_t* to, std::size_t size) {
  for (;;) {
    if (!regular_) wait();
    const ssize_t got = ::read(fd_, to, size);
    if (got >= 0) return static_cast<std::size_t>(got);
    // EAGAIN: somebody made the pipe non-blocking, and another reader was faster.
    if (errno != EAGAIN && errno != EINTR) fail(errno);
  }
}

void FileSource::rewind() {
  if (::lseek(fd_, start_, SEEK_SET) < 0) fail(errno);
}

std::size_t MemorySource::read(std::uint8_t* to, std::size_t size) {
  const std::size_t count = std::min(size, left_.size());
  std::copy_n(left_.data(), count, to);
  left_ = left_.subspan(count);
  return count;
}

ByteWindow::ByteWindow(std::unique_ptr<ByteSource> source)
    : source_(std::move(source)),
      capacity_(kWindowBytes),
      buffer_(std::make_unique<std::uint8_t[]>(capacity_)) {}

void ByteWindow::skip(std::uint64_t size) {
  const std::uint64_t at_hand = std::min<std::uint64_t>(size, end_ - begin_);
  begin_ += at_hand;
  skip_ += size - at_hand;
  offset_ += size;
}

/// Moves what is at hand to the front, where there is room for `size` bytes.
void ByteWindow::make_room(std::size_t size) {
  const std::size_t at_hand = end_ - begin_;
  if (size > capacity_) {
    capacity_ = std::max(size, 2 * capacity_);
    auto larger = std::make_unique<std::uint8_t[]>(capacity_);
    std::memcpy(larger.get(), buffer_.get() + begin_, at_hand);
    buffer_ = std::move(larger);
  } else {
    std::memmove(buffer_.get(), buffer_.get() + begin_, at_hand);
  }
  begin_ = 0;
  end_ = at_hand;
}

const std::uint8_t* ByteWindow::fill(std::size_t size) {
  while (skip_ > 0) {  // nothing is at hand
    begin_ = end_ = 0;
    const std::size_t got = source_->read(buffer_.get(), capacity_);
    if (got == 0) return nullptr;
    end_ = got;
    begin_ = std::min<std::uint64_t>(got, skip_);
    skip_ -= begin_;
  }
  make_room(size);
  while (end_ - begin_ < size) {
    const std::size_t got = source_->read(buffer_.get() + end_, capacity_ - end_);
    if (got == 0) return nullptr;
    end_ += got;
  }
  return buffer_.get() + begin_;
}

void ByteWindow::rewind() {
  source_->rewind();
  begin_ = end_ = 0;
  offset_ = skip_ = 0;
}

}  // namespace e1000tlm::link
