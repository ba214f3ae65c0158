#pragma once
/// The frames of the transmit FIFO in the order in which they leave. No SystemC.

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "e1000tlm/e1000/registers/statistics.h"
#include "e1000tlm/link/frame.h"
#include "e1000tlm/tlm/time.h"

namespace e1000tlm::e1000 {

/// A frame from its way into the packet buffer to its last bit.
struct QueuedFrame {
  /// Until it has started, then null: it is the PHY's.
  link::FramePtr frame;
  /// Complete in the packet buffer.
  Time ready{};
  /// First bit of the preamble, last bit of the FCS: as planned, and as they are once it has
  /// started.
  Time start{}, end{};
  std::uint32_t fifo_bytes = 0;  ///< in the packet buffer; 0: a PAUSE frame, which is never there
  std::uint32_t wire_bytes = 0;  ///< destination address to FCS
  FrameKind kind = FrameKind::kUnicast;
  bool pause = false;        ///< made by the MAC itself
  std::uint16_t quanta = 0;  ///< that a PAUSE frame asks for
};

/// A queue in three parts, oldest first: frames that have *started*, frames that have a *plan*,
/// and frames whose start depends on what is to come (PAUSE, link, TCTL.EN). Frames are numbered
/// through; a number stays a frame's own until it is retired.
class TransmitQueue {
 public:
  using Number = std::uint64_t;

  TransmitQueue() : slots_(kFirstRoom) {}

  Number oldest() const { return oldest_; }    ///< that has not been retired
  Number waiting() const { return waiting_; }  ///< the first that has not started
  Number vague() const { return vague_; }      ///< the first that has no plan
  Number end() const { return end_; }          ///< behind the last
  bool empty() const { return oldest_ == end_; }
  std::size_t frames_waiting() const { return static_cast<std::size_t>(end_ - waiting_); }

  QueuedFrame& operator[](Number number) { return slots_[number & mask_]; }
  const QueuedFrame& operator[](Number number) const { return slots_[number & mask_]; }

  /// A place at the end, to be filled; it has no plan.
  QueuedFrame& append() {
    if (end_ - oldest_ > mask_) grow();
    return (*this)[end_++];
  }
  /// Puts a frame before `number`, which must not have started. Frames behind it lose their plan.
  void insert(Number number, QueuedFrame&& frame);
  /// Takes a frame out that has not started. Frames behind it lose their plan.
  void erase(Number number);

  /// The first frame without a plan has one now.
  void planned() { ++vague_; }
  /// No frame that waits has a plan.
  void forget_plans() { vague_ = waiting_; }
  /// The first frame that waits has started.
  void started() { ++waiting_; }
  /// The oldest frame, which has started, has left.
  void retire() { ++oldest_; }
  /// Drops all frames that have not started.
  void drop_waiting();

 private:
  static constexpr std::size_t kFirstRoom = 64;  // a power of two

  void grow();

  std::vector<QueuedFrame> slots_;
  Number mask_ = kFirstRoom - 1;  // slots_.size() - 1
  Number oldest_ = 0, waiting_ = 0, vague_ = 0, end_ = 0;
};

}  // namespace e1000tlm::e1000
