#pragma once
/// RAM that the driver hands to devices.

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

namespace e1000tlm::driver {

/// Hands out RAM once and for all.
class RamAllocator {
 public:
  RamAllocator(std::uint64_t start, std::uint64_t end) : next_(start), end_(end) {}

  /// `align`: power of two. Throws std::runtime_error when RAM is too small.
  std::uint64_t allocate(std::uint64_t bytes, std::uint64_t align) {
    const std::uint64_t base = (next_ + align - 1) & ~(align - 1);
    if (base > end_ || bytes > end_ - base) {
      throw std::runtime_error("RAM of " + std::to_string(end_) +
                               " bytes is too small for rings and buffers; enlarge it with --ram");
    }
    next_ = base + bytes;
    return base;
  }

 private:
  std::uint64_t next_, end_;
};

/// Free buffers of one size, last in first out. `headroom` bytes before each may be used with it.
class BufferPool {
 public:
  BufferPool(RamAllocator& ram, std::size_t count, std::uint32_t buffer_bytes,
             std::uint32_t headroom = 0)
      : buffer_bytes_(buffer_bytes), headroom_(headroom), total_(count) {
    const std::uint32_t before = (headroom + 63) & ~63U;
    free_.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
      free_.push_back(ram.allocate(std::uint64_t{before} + buffer_bytes, 64) + before);
    }
  }

  bool empty() const { return free_.empty(); }
  bool complete() const { return free_.size() == total_; }
  std::uint32_t buffer_bytes() const { return buffer_bytes_; }
  std::uint32_t headroom() const { return headroom_; }
  /// Precondition: !empty().
  std::uint64_t take() {
    const std::uint64_t address = free_.back();
    free_.pop_back();
    return address;
  }
  void give(std::uint64_t address) { free_.push_back(address); }

 private:
  std::uint32_t buffer_bytes_;
  std::uint32_t headroom_;
  std::size_t total_;
  std::vector<std::uint64_t> free_;
};

}  // namespace e1000tlm::driver
