#pragma once
/// Where the bytes of a capture come from. No SystemC.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>

#include "e1000tlm/tlm/bytes.h"

namespace e1000tlm::link {

/// Whoever reads was to stop while bytes were waited for. Nothing is lost: reading can go on.
struct ReadInterrupted : std::runtime_error {
  ReadInterrupted() : std::runtime_error("interrupted") {}
};

/// Asked now and then while bytes are waited for, and at once after a signal: true ends the wait
/// with ReadInterrupted.
using StopReading = std::function<bool()>;

/// Bytes one after the other.
class ByteSource {
 public:
  virtual ~ByteSource() = default;
  /// Waits until there is at least one byte. Returns how many came, at most `size`; 0: the end.
  /// Throws std::runtime_error with the reason, or ReadInterrupted.
  virtual std::size_t read(std::uint8_t* to, std::size_t size) = 0;
  /// The bytes are all there: they can be read again, and are never waited for.
  virtual bool can_rewind() const = 0;
  /// Back to the first byte. Precondition: can_rewind(). Throws std::runtime_error.
  virtual void rewind() = 0;
  /// At the end: bytes are missing.
  virtual bool cut_off() const { return false; }
};

/// A file, a pipe (also a named one) or, as "-", standard input.
class FileSource final : public ByteSource {
 public:
  /// Throws std::runtime_error with the system's reason. Waits for the writer of a named pipe.
  explicit FileSource(const std::string& path, StopReading stop = {});
  ~FileSource() override;
  FileSource(const FileSource&) = delete;
  FileSource& operator=(const FileSource&) = delete;

  std::size_t read(std::uint8_t* to, std::size_t size) override;
  bool can_rewind() const override { return regular_; }
  void rewind() override;

 private:
  void wait() const;

  int fd_;
  StopReading stop_;
  bool regular_ = false;
  std::int64_t start_ = 0;  // standard input may have been read from before
};

/// Bytes in memory, which must outlive this object.
class MemorySource final : public ByteSource {
 public:
  explicit MemorySource(ConstBytes bytes) : bytes_(bytes), left_(bytes) {}
  std::size_t read(std::uint8_t* to, std::size_t size) override;
  bool can_rewind() const override { return true; }
  void rewind() override { left_ = bytes_; }

 private:
  ConstBytes bytes_;
  ConstBytes left_;
};

/// A window on a source: as many of its next bytes side by side as are asked for.
class ByteWindow {
 public:
  explicit ByteWindow(std::unique_ptr<ByteSource> source);

  /// The next `size` bytes; nullptr: there are not so many left. Valid until the next call.
  /// Throws as ByteSource::read(); nothing is lost then.
  const std::uint8_t* need(std::size_t size) {
    return end_ - begin_ >= size ? buffer_.get() + begin_ : fill(size);
  }
  /// Goes on behind bytes that need() has returned.
  void consume(std::size_t size) {
    begin_ += size;
    offset_ += size;
  }
  /// Goes on behind bytes that nobody wants to see.
  void skip(std::uint64_t size);
  /// How many bytes have been consumed or skipped.
  std::uint64_t offset() const { return offset_; }
  /// After need() has returned nullptr: the data ends within what was needed or skipped.
  bool cut_off() const { return begin_ != end_ || skip_ > 0 || source_->cut_off(); }

  bool can_rewind() const { return source_->can_rewind(); }
  void rewind();

 private:
  const std::uint8_t* fill(std::size_t size);
  void make_room(std::size_t size);

  std::unique_ptr<ByteSource> source_;
  std::size_t capacity_;
  std::unique_ptr<std::uint8_t[]> buffer_;
  std::size_t begin_ = 0;  // of the bytes at hand, in the buffer
  std::size_t end_ = 0;
  std::uint64_t offset_ = 0;
  std::uint64_t skip_ = 0;  // bytes that are to come and not wanted
};

}  // namespace e1000tlm::link
