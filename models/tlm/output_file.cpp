#include "e1000tlm/tlm/output_file.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <stdexcept>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace e1000tlm {
namespace {

constexpr std::size_t kBufferBytes = std::size_t{1} << 18;
/// So much is written without being copied.
constexpr std::size_t kLargeBytes = std::size_t{1} << 17;
constexpr const char* kStandardOutput = "standard output";
constexpr mode_t kNewFile = 0666;  // less the umask

std::string named(const std::string& what, const std::string& path) {
  return what + " '" + path + "'";
}

[[noreturn]] void fail_on(const std::string& name, const char* action, int error) {
  throw std::runtime_error(name + ": cannot be " + action + ": " +
                           std::generic_category().message(error));
}

bool is_regular(int fd) {
  struct stat status {};
  return ::fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
}

/// Throws if others have it; where there are no locks all is well.
void lock(int fd, int how, const std::string& name) {
  if (!is_regular(fd) || ::flock(fd, how | LOCK_NB) == 0 || errno != EWOULDBLOCK) return;
  throw std::runtime_error(name +
                           ": is in use by another run; wait until it has ended, or name another");
}

/// 0, or the error.
int write_all(int fd, const char* data, std::size_t bytes) {
  while (bytes > 0) {
    const ssize_t written = ::write(fd, data, bytes);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return written < 0 ? errno : ENOSPC;
    data += written;
    bytes -= static_cast<std::size_t>(written);
  }
  return 0;
}

}  // namespace

FileLock::FileLock(const std::string& what, const std::string& path, Use use) {
  // Opening a pipe would let its writer go on, to lose what it writes.
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return;
  // NFS wants a file open for writing if it is to be locked for that.
  constexpr int kFlags = O_CLOEXEC | O_NONBLOCK;
  if (use == Use::kWrite) fd_ = ::open(path.c_str(), O_RDWR | kFlags);
  const bool alone = fd_ >= 0;
  if (!alone) fd_ = ::open(path.c_str(), O_RDONLY | kFlags);
  if (fd_ < 0) return;
  try {
    lock(fd_, alone ? LOCK_EX : LOCK_SH, named(what, path));
  } catch (const std::runtime_error&) {
    ::close(fd_);
    throw;
  }
}

FileLock::FileLock(FileLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

FileLock& FileLock::operator=(FileLock&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

FileLock::~FileLock() {
  if (fd_ >= 0) ::close(fd_);
}

OutputFile::OutputFile(std::string what, const std::string& path)
    : name_(named(what, path)),
      fd_(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, kNewFile)) {
  if (fd_ < 0) fail_on(name_, "opened for writing", errno);
  try {
    lock(fd_, LOCK_EX, name_);
  } catch (const std::runtime_error&) {
    ::close(fd_);
    throw;
  }
}

OutputFile::OutputFile(StandardOutput)
    : name_(kStandardOutput), fd_(::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0)), begun_(true) {
  if (fd_ < 0) fail_on(name_, "written", errno);
}

OutputFile OutputFile::standard_output() { return OutputFile(StandardOutput{}); }

OutputFile::OutputFile(OutputFile&& other) noexcept
    : name_(std::move(other.name_)),
      fd_(std::exchange(other.fd_, -1)),
      begun_(other.begun_),
      buffer_(std::move(other.buffer_)),
      failure_(std::move(other.failure_)) {}

OutputFile::~OutputFile() {
  if (fd_ >= 0) ::close(fd_);
}

void OutputFile::begin() {
  if (std::exchange(begun_, true)) return;
  if (is_regular(fd_) && ::ftruncate(fd_, 0) != 0) fail("emptied", errno);
}

void OutputFile::write(const void* data, std::size_t bytes) {
  if (!failure_.empty()) throw std::runtime_error(failure_);
  if (fd_ < 0) fail("written", EBADF);
  const char* const from = static_cast<const char*>(data);
  if (buffer_.size() + bytes > kBufferBytes) flush();
  if (bytes >= kLargeBytes && buffer_.empty()) {
    begin();
    const int error = write_all(fd_, from, bytes);
    if (error != 0) fail("written", error);
    return;
  }
  if (buffer_.capacity() == 0) buffer_.reserve(kBufferBytes);
  buffer_.insert(buffer_.end(), from, from + bytes);
}

void OutputFile::flush() {
  begin();
  const int error = write_all(fd_, buffer_.data(), buffer_.size());
  buffer_.clear();
  if (error != 0) fail("written", error);
}

void OutputFile::close() {
  if (!failure_.empty()) throw std::runtime_error(failure_);
  if (fd_ < 0) return;
  flush();
  // Some file systems tell only here that there was no room.
  if (::close(std::exchange(fd_, -1)) != 0 && errno != EINTR) fail("completed", errno);
}

void OutputFile::fail(const char* action, int error) {
  try {
    fail_on(name_, action, error);
  } catch (const std::runtime_error& thrown) {
    failure_ = thrown.what();
    throw;
  }
}

void flush_standard_output() {
  if (std::fflush(stdout) != 0) fail_on(kStandardOutput, "written", errno);
  if (std::ferror(stdout) != 0) fail_on(kStandardOutput, "written", EIO);
}

void overwrite_file(const std::string& what, const std::string& path, ConstBytes content) {
  const std::string name = named(what, path);
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, kNewFile);
  if (fd < 0) fail_on(name, "opened for writing", errno);
  int error = write_all(fd, reinterpret_cast<const char*>(content.data()), content.size());
  if (error == 0 && is_regular(fd) && ::ftruncate(fd, static_cast<off_t>(content.size())) != 0) {
    error = errno;
  }
  if (::close(fd) != 0 && error == 0 && errno != EINTR) error = errno;
  if (error != 0) fail_on(name, "written", error);
}

}  // namespace e1000tlm
