#pragma once
/// A file that exists in memory only, for libraries that want a path.

#include <string>

#include "e1000tlm/tlm/bytes.h"

namespace e1000tlm::platform {

/// Lives as long as this object. Throws std::runtime_error if the system grants none.
class MemoryFile {
 public:
  MemoryFile(const std::string& name, ConstBytes content);
  ~MemoryFile();
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  std::string path() const;

 private:
  int fd_;
};

}  // namespace e1000tlm::platform
