#pragma once
/// The device's transmit memory and its way to the wire.

#include <cstdint>

#include <boost/circular_buffer.hpp>

#include "e1000tlm/virtio/net_core.h"

namespace e1000tlm::virtio {

/// Frames enter when they are whole and leave byte by byte at the wire's pace.
///
/// A frame is handed to the cable at once, which gives it its place behind the one before. What has
/// not started at a reset is recalled; what a link that goes cuts off, the cable has lost. Both are
/// counted as lost by their reasons, all others as sent.
class WireTransmitter {
 public:
  explicit WireTransmitter(NetCore& core) : core_(core), frames_(kFirstRoom) {}

  /// When there is room for a frame of so many bytes: `now` or later.
  Time room_at(std::size_t bytes, Time now);
  /// A frame of a pair that has been complete since `ready`.
  void send(link::FramePtr frame, unsigned pair, Time ready);
  /// The device is reset: what has not started stays here.
  void reset();
  /// The link has gone.
  void link_lost();
  /// A frame is on the wire, or waits for it.
  bool busy() const { return !frames_.empty() && frames_.back().last_bit > sc_now(); }

 private:
  static constexpr std::size_t kFirstRoom = 64;

  struct Sent {
    Time last_bit;        // as it leaves this end
    std::uint32_t bytes;  // without FCS
    unsigned pair;
  };
  void retire(Time now);
  /// The newest frames have not been sent after all.
  void take_back(std::uint64_t frames, NetDrop reason);

  NetCore& core_;
  boost::circular_buffer<Sent>
      frames_;                  // that may not have left by the kernel's time, oldest first
  std::size_t left_ = 0;        // of these, by the engine's time
  std::uint64_t occupied_ = 0;  // bytes of the others
  std::uint64_t cut_off_ = 0;   // frames that the cable had lost when it was looked at last
};

}  // namespace e1000tlm::virtio
