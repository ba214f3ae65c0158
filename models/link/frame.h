#pragma once
/// An Ethernet frame, pooled.

#include <cstdint>
#include <memory>
#include <vector>

#include <boost/smart_ptr/intrusive_ptr.hpp>

#include "e1000tlm/tlm/bytes.h"

namespace e1000tlm::link {

class Frame;
class FramePool;
/// Frames are shared by counting and go back to their pool with the last reference. Not
/// thread-safe: frames live on the simulation's thread.
using FramePtr = boost::intrusive_ptr<Frame>;

/// Size of the frame check sequence.
inline constexpr std::size_t kFcsBytes = 4;
inline constexpr std::size_t kMinFrameBytes = 60;  ///< without FCS (IEEE 802.3 4A.4.2)
/// Two size classes: ordinary frames, and those of any size.
inline constexpr std::size_t kSmallFrameBytes = 2048;
/// What a Frame can hold without its FCS: the 8254x's longest frame, 16384 bytes with FCS, and room
/// for a tag and for overlong test frames.
inline constexpr std::size_t kMaxFrameBytes = 16384 + 64;
/// Frame::queue of a frame that belongs to no queue.
inline constexpr std::uint16_t kNoQueue = 0xFFFF;

/// Destination address to end of payload, without preamble; the FCS apart.
///
/// The FCS of most frames is right by construction and nobody looks at it: it is then *implied* and
/// computed on demand. A frame whose sender supplied the four bytes (transmit without IFCS, a
/// capture with FCS, an injected error) *carries* it, and receivers check it.
class Frame {
 public:
  /// First byte of the destination address.
  std::uint8_t* data() { return bytes_; }
  /// Ditto.
  const std::uint8_t* data() const { return bytes_; }
  /// Bytes without FCS.
  std::size_t size() const { return size_; }
  /// Bytes on the wire from destination address to FCS.
  std::size_t wire_bytes() const { return size_ + kFcsBytes; }
  /// The content without FCS.
  Bytes bytes() { return {bytes_, size_}; }
  /// Ditto.
  ConstBytes bytes() const { return {bytes_, size_}; }

  /// Keeps the bytes that stay; new ones are undefined. Throws std::length_error if the size
  /// exceeds kMaxFrameBytes, as do assign() and append().
  void resize(std::size_t size);
  /// Replaces the content.
  void assign(ConstBytes content);
  /// Adds to the content.
  void append(ConstBytes content);

  /// Nobody supplied an FCS: it is right.
  bool fcs_implied() const { return !fcs_carried_; }
  /// The FCS as the four bytes' little-endian value (transmitted low byte first, IEEE 802.3 3.2.9).
  std::uint32_t fcs() const;
  /// The sender supplied this FCS, right or wrong.
  void carry_fcs(std::uint32_t fcs) {
    fcs_carried_ = true;
    fcs_ = fcs;
  }
  /// The FCS is right from now on.
  void imply_fcs() { fcs_carried_ = false; }
  /// The FCS is the one that belongs to the content.
  bool fcs_ok() const { return !fcs_carried_ || carries_right_fcs(); }
  /// Destination address to FCS, as it is on the wire and as a receiver may store it.
  ConstBytes bytes_with_fcs() {
    store_le32(bytes_ + size_, fcs());  // storage has room for it behind any content
    return {bytes_, wire_bytes()};
  }

  /// The sender marked the frame as damaged in coding (RX_ER at the receiver).
  bool coding_error = false;
  /// Free for the sender's use (generators: sequence number), carried along.
  std::uint64_t tag = 0;
  /// Of a device with several pairs of queues, and of a link that has queues: the pair on which the
  /// frame was sent, or the link's queue by which it came. Nothing of it is on a wire: it holds
  /// between a device and what its own cable ends in, and who has no queues leaves it alone.
  std::uint16_t queue = kNoQueue;

 private:
  friend class FramePool;
  friend void intrusive_ptr_add_ref(Frame* frame) noexcept;
  friend void intrusive_ptr_release(Frame* frame) noexcept;
  Frame() = default;
  bool carries_right_fcs() const;

  std::uint8_t* bytes_ = nullptr;  // storage_ of whichever size class
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
  std::uint32_t references_ = 0;
  std::uint32_t fcs_ = 0;
  bool fcs_carried_ = false;
  FramePool* pool_ = nullptr;
  std::unique_ptr<std::uint8_t[]> storage_;
};

/// Recycles frames: no heap allocation in steady state. Grows as far as frames are in flight.
/// Must outlive its frames.
class FramePool {
 public:
  FramePool();
  ~FramePool();
  FramePool(const FramePool&) = delete;
  FramePool& operator=(const FramePool&) = delete;

  /// A frame of this size with undefined content, implied FCS, no error marks and no
  /// queue. Throws std::length_error if the size exceeds kMaxFrameBytes.
  FramePtr make(std::size_t size) { return FramePtr(acquire(size)); }
  /// A frame with this content; otherwise as make().
  FramePtr copy(ConstBytes content);

  /// Frames ever allocated; constant once the traffic is steady.
  std::size_t allocated() const { return allocated_; }

  /// The pool that models use when they are not given one. Lives until the program ends.
  static FramePool& shared();

 private:
  friend class Frame;
  friend void intrusive_ptr_release(Frame* frame) noexcept;
  void recycle(Frame* frame) noexcept {
    (frame->capacity_ <= kSmallFrameBytes ? small_ : large_).push_back(frame);
  }

  static void check_size(std::size_t size);
  Frame* acquire(std::size_t size) {
    if (size > kSmallFrameBytes) check_size(size);
    std::vector<Frame*>& free = size <= kSmallFrameBytes ? small_ : large_;
    if (free.empty()) stock(size);
    Frame* const frame = free.back();
    free.pop_back();
    frame->size_ = size;
    frame->fcs_carried_ = false;
    frame->coding_error = false;
    frame->tag = 0;
    frame->queue = kNoQueue;
    return frame;
  }
  /// Adds frames of the size's class to the free ones.
  void stock(std::size_t size);
  Frame* allocate(std::size_t capacity);
  /// Gives the frame room for kMaxFrameBytes, keeping its content.
  void enlarge(Frame& frame);

  std::vector<Frame*> small_;  // free, up to kSmallFrameBytes
  std::vector<Frame*> large_;  // free, up to kMaxFrameBytes
  std::vector<std::unique_ptr<Frame>> owned_;
  std::size_t allocated_ = 0;
};

/// For FramePtr.
inline void intrusive_ptr_add_ref(Frame* frame) noexcept { ++frame->references_; }
/// For FramePtr.
inline void intrusive_ptr_release(Frame* frame) noexcept {
  if (--frame->references_ == 0) frame->pool_->recycle(frame);
}

/// CRC-32 of IEEE 802.3 over the bytes, as the little-endian value of the FCS field.
std::uint32_t ethernet_fcs(ConstBytes bytes);

}  // namespace e1000tlm::link
