#include "e1000tlm/link/frame.h"

#include <cstring>
#include <stdexcept>
#include <string>
#include <utility>

#include <libdeflate.h>

namespace e1000tlm::link {

void Frame::resize(std::size_t size) {
  if (size > capacity_) {
    FramePool::check_size(size);
    pool_->enlarge(*this);
  }
  size_ = size;
}

void Frame::assign(ConstBytes content) {
  size_ = 0;
  append(content);
}

void Frame::append(ConstBytes content) {
  if (content.empty()) return;
  const std::size_t before = size_;
  resize(before + content.size());
  std::memcpy(bytes_ + before, content.data(), content.size());
}

std::uint32_t Frame::fcs() const { return fcs_carried_ ? fcs_ : ethernet_fcs(bytes()); }

bool Frame::carries_right_fcs() const { return fcs_ == ethernet_fcs(bytes()); }

FramePool::FramePool() = default;
FramePool::~FramePool() = default;

FramePtr FramePool::copy(ConstBytes content) {
  Frame* frame = acquire(content.size());
  if (!content.empty()) std::memcpy(frame->bytes_, content.data(), content.size());
  return FramePtr(frame);
}

FramePool& FramePool::shared() {
  // Never destroyed: frames may be held by objects that outlive main().
  static FramePool* const pool = std::make_unique<FramePool>().release();
  return *pool;
}

void FramePool::check_size(std::size_t size) {
  if (size > kMaxFrameBytes) {
    throw std::length_error("frame of " + std::to_string(size) + " bytes; at most " +
                            std::to_string(kMaxFrameBytes) + " are possible");
  }
}

void FramePool::stock(std::size_t size) {
  const bool small = size <= kSmallFrameBytes;
  // By a quarter of what there is, so that slowly rising peaks do not allocate again and again.
  const std::size_t count = allocated_ < 64 ? 1 : allocated_ / 4;
  for (std::size_t i = 0; i < count; ++i) {
    Frame* const frame = allocate(small ? kSmallFrameBytes : kMaxFrameBytes);
    (small ? small_ : large_).push_back(frame);
  }
}

Frame* FramePool::allocate(std::size_t capacity) {
  std::unique_ptr<Frame> frame(new Frame);
  // Left uninitialised on purpose: content of a new frame is undefined.
  frame->storage_.reset(new std::uint8_t[capacity + kFcsBytes]);
  frame->bytes_ = frame->storage_.get();
  frame->capacity_ = capacity;
  frame->pool_ = this;
  owned_.push_back(std::move(frame));
  ++allocated_;
  // Any number of frames may come back at once, and recycle() must not allocate. A frame can change
  // its class, so either list has to have room for all.
  if (small_.capacity() < allocated_) {
    small_.reserve(2 * allocated_);
    large_.reserve(2 * allocated_);
  }
  return owned_.back().get();
}

void FramePool::enlarge(Frame& frame) {
  Frame* larger = acquire(kMaxFrameBytes);
  std::memcpy(larger->bytes_, frame.bytes_, frame.size_);
  std::swap(frame.storage_, larger->storage_);
  std::swap(frame.bytes_, larger->bytes_);
  std::swap(frame.capacity_, larger->capacity_);
  recycle(larger);
}

std::uint32_t ethernet_fcs(ConstBytes bytes) {
  return libdeflate_crc32(0, bytes.data(), bytes.size());
}

}  // namespace e1000tlm::link
