#pragma once
/// Files that a run writes: kept from other runs, and never incomplete without a word. POSIX, no
/// SystemC.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "e1000tlm/tlm/bytes.h"

namespace e1000tlm {

/// Keeps a regular file from being written by one run while another one reads or writes it: an
/// advisory lock (flock(2)) that ends with the object, or with the process, however it ends. What
/// is no regular file (a device, a pipe), does not exist or cannot be opened is not locked, and
/// nor is anything on file systems without locks.
class FileLock {
 public:
  enum class Use {
    kRead,   ///< shared with all others that only read
    kWrite,  ///< alone; but as kRead where the file may not be written anyway
  };
  /// Holds nothing.
  FileLock() = default;
  /// `what` is said of the file in messages: "flash image". Throws std::runtime_error naming the
  /// file if others use it.
  FileLock(const std::string& what, const std::string& path, Use use);
  FileLock(FileLock&& other) noexcept;
  FileLock& operator=(FileLock&& other) noexcept;
  ~FileLock();

 private:
  int fd_ = -1;
};

/// A file that is written from start to end. It is locked at once (see FileLock), but keeps its
/// former content until begin(), so that a run that is refused spoils nothing.
///
/// All members throw std::runtime_error naming the file and the system's reason. After that
/// nothing more is written, and close() throws again.
class OutputFile {
 public:
  /// Creates it if there is none. `what` is said of it in messages: "capture file".
  OutputFile(std::string what, const std::string& path);
  /// Standard output, which stays open.
  static OutputFile standard_output();
  OutputFile(OutputFile&& other) noexcept;
  OutputFile& operator=(OutputFile&& other) = delete;
  /// Closes it without writing what is still buffered: see close().
  ~OutputFile();

  /// Gives up what the file had before. Otherwise done when first something is to be written.
  void begin();
  /// Buffered.
  void write(const void* data, std::size_t bytes);
  void write(std::string_view text) { write(text.data(), text.size()); }
  /// Writes what is buffered and closes the file: only then it is complete. Later calls do
  /// nothing.
  void close();
  bool is_open() const { return fd_ >= 0; }

 private:
  struct StandardOutput {};
  explicit OutputFile(StandardOutput);
  void flush();
  [[noreturn]] void fail(const char* action, int error);

  std::string name_;  // for messages
  int fd_ = -1;
  bool begun_ = false;
  std::vector<char> buffer_;
  std::string failure_;  // what was thrown
};

/// Replaces the content of a file in place: its old bytes are not given up before there is room
/// for the new ones. Creates it if there is none. Throws as OutputFile.
void overwrite_file(const std::string& what, const std::string& path, ConstBytes content);

/// For programs that print with stdio or streams, before they end: throws std::runtime_error if not
/// everything has been written.
void flush_standard_output();

}  // namespace e1000tlm
