#pragma once
/// A file that exists in memory only, for libraries that want a path.

#include <cstdint>
#include <string>

#include "e1000tlm/tlm/bytes.h"

namespace e1000tlm::platform {

/// Lives as long as this object. Throws std::runtime_error if the system grants none.
class MemoryFile {
 public:
  MemoryFile(const std::string& name, ConstBytes content);
  /// So many zeros; it keeps its size, so that programs that map it can rely on it.
  MemoryFile(const std::string& name, std::uint64_t size);
  ~MemoryFile();
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  std::string path() const;
  int descriptor() const { return fd_; }

 private:
  int fd_;
};

}  // namespace e1000tlm::platform
