#include "e1000tlm/board/memory_file.h"

#include <cerrno>
#include <cstring>
#include <stdexcept>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

namespace e1000tlm::platform {

MemoryFile::MemoryFile(const std::string& name, ConstBytes content)
    : fd_(memfd_create(name.c_str(), MFD_CLOEXEC)) {
  if (fd_ < 0) {
    throw std::runtime_error("no memory for " + name + ": " + std::strerror(errno));
  }
  const std::uint8_t* data = content.data();
  std::size_t left = content.size();
  while (left > 0) {
    const ssize_t written = write(fd_, data, left);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) {
      const int reason = errno;
      close(fd_);
      throw std::runtime_error("no memory for " + name + ": " + std::strerror(reason));
    }
    data += written;
    left -= static_cast<std::size_t>(written);
  }
}

MemoryFile::MemoryFile(const std::string& name, std::uint64_t size)
    : fd_(memfd_create(name.c_str(), MFD_CLOEXEC | MFD_ALLOW_SEALING)) {
  if (fd_ >= 0 && ftruncate(fd_, static_cast<off_t>(size)) == 0 &&
      fcntl(fd_, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) == 0) {
    return;
  }
  const int reason = errno;
  if (fd_ >= 0) close(fd_);
  throw std::runtime_error("no memory for " + name + ": " + std::strerror(reason));
}

MemoryFile::~MemoryFile() { close(fd_); }

std::string MemoryFile::path() const { return "/proc/self/fd/" + std::to_string(fd_); }

}  // namespace e1000tlm::platform
