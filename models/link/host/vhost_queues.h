#pragma once
/// Queues of a virtio network device in memory that a vhost-user back-end shares, from the driver's
/// side. No SystemC.

#include <cstdint>
#include <vector>

#include "e1000tlm/link/host/host_device.h"
#include "e1000tlm/link/host/host_fd.h"
#include "e1000tlm/link/host/host_watch.h"
#include "e1000tlm/link/virtio_header.h"
#include "e1000tlm/tlm/bytes.h"
#include "e1000tlm/virtio/ring_memory.h"
#include "e1000tlm/virtio/split_ring.h"
#include "e1000tlm/virtio/vhost_front_end.h"

namespace e1000tlm::link {

/// What the queues look like.
struct VhostQueuesConfig {
  unsigned pairs = 1;        ///< each a ring to receive and one to transmit
  std::uint16_t size = 256;  ///< descriptors of a ring, a power of two
  /// A buffer has room for a packet that is not yet cut into segments.
  bool long_packets = false;
};

/// Memory of our own (a memfd that cannot shrink), in it all rings, and a buffer for each
/// descriptor. What the back-end writes there is copied before it is looked at.
class VhostQueues {
 public:
  /// `watch` becomes ready when the back-end tells of used buffers. Throws std::runtime_error (no
  /// memory, no descriptors).
  VhostQueues(const VhostQueuesConfig& config, const Watch& watch);
  ~VhostQueues();
  VhostQueues(const VhostQueues&) = delete;
  VhostQueues& operator=(const VhostQueues&) = delete;

  /// For the back-end.
  virtio::vhost_user::SharedMemory memory() const;
  /// For the back-end: ring 2i receives, ring 2i+1 transmits.
  std::vector<virtio::vhost_user::SharedRing> rings() const;
  /// For the back-end: eventfds by which it tells of used buffers, by ring.
  std::vector<int> calls() const;

  /// Empties all rings, and fills those that receive with buffers. `features`: that were agreed
  /// on.
  void begin(std::uint64_t features);
  /// Tells the back-end of all rings: it starts them then.
  void kick_all() const;
  /// Frames that the back-end has not used. `begin()` forgets them.
  std::uint64_t unsent();

  /// How send() went.
  enum class Sent : std::uint8_t { kDone, kFull, kBroken };
  /// Puts a frame into the ring of a pair. With kFull the watch becomes ready when there is room.
  Sent send(unsigned pair, ConstBytes frame);
  /// The descriptor that is readable then.
  int room_fd(unsigned pair) const;

  /// How receive() went.
  enum class Received : std::uint8_t { kFrame, kNone, kDropped, kBroken };
  struct Result {
    Received outcome = Received::kNone;
    ConstBytes frame;               ///< kFrame: valid until the next receive()
    const char* reason = nullptr;   ///< kDropped
    std::uint16_t pair = kNoQueue;  ///< kFrame: by whose ring it came, if there are several
  };
  /// The next frame from any ring, one ring after the other.
  Result receive();
  /// Forgets that the back-end has told of anything; call it before looking a last time.
  void clear_calls() const;

  /// What the back-end has done wrong with the rings, after kBroken.
  const char* why() const { return why_; }

 private:
  struct Ring {
    explicit Ring(virtio::RingMemory& memory) : queue(memory) {}
    virtio::SplitLayout layout;
    std::uint64_t buffers = 0;  // address of the first
    WakeUp kick, call;
    virtio::DriverQueue queue;
    std::vector<std::uint16_t> buffer_of;  // by head
    std::vector<std::uint16_t> free;       // buffers; of rings that transmit
    std::uint16_t fresh = 0;               // buffers added and not yet shown
  };

  Bytes buffer(const Ring& ring, std::uint16_t index) const;
  std::uint64_t address(const Ring& ring, std::uint16_t index) const;
  bool reap_sent(Ring& ring);
  bool add_receive_buffer(Ring& ring, std::uint16_t index);
  void publish(Ring& ring);
  bool take_buffer(Ring& ring, const virtio::DriverQueue::Used& used);
  Result finish_frame();
  Result whole(ConstBytes frame) const { return {Received::kFrame, frame, nullptr, came_by_}; }
  Result broken(const char* why);

  VhostQueuesConfig config_;
  std::uint64_t buffer_bytes_;
  UniqueFd descriptor_;
  Bytes bytes_;
  virtio::MappedMemory memory_;
  std::vector<Ring> rings_;
  std::uint64_t features_ = 0;
  std::size_t header_bytes_ = 0;
  bool own_descriptor_ = false;  // the header has one of its own

  std::size_t next_ring_ = 0;         // that receive() looks at first
  std::uint16_t came_by_ = kNoQueue;  // pair of the last frame
  std::vector<std::uint8_t> frame_;   // with its header
  unsigned parts_left_ = 0;           // buffers of the frame that have not come yet
  bool too_long_ = false;
  OffloadFinisher finisher_;
  const char* why_ = "";
};

}  // namespace e1000tlm::link
