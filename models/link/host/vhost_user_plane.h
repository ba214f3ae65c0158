#pragma once
/// A driver's own rings in the hands of a vhost-user back-end. No SystemC.

#include <bitset>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <gsl/span>
#include <optional>
#include <string>
#include <vector>

#include <poll.h>

#include "e1000tlm/link/host/host_watch.h"
#include "e1000tlm/link/host/vhost_connection.h"
#include "e1000tlm/tlm/bytes.h"
#include "e1000tlm/virtio/data_plane.h"
#include "e1000tlm/virtio/net.h"
#include "e1000tlm/virtio/ring_memory.h"

namespace e1000tlm::link {

/// How to come by back-ends, and what they are to work on.
struct VhostUserPlaneConfig {
  VhostConnection::Settings connection;
  /// The constructor returns when a back-end has agreed: what it is able to decides what the device
  /// offers. Otherwise, until one has, kAnyBackEnd does.
  bool wait = true;
  unsigned pairs = 1;            ///< of queues, 1 to virtio::net::kMostPairs
  std::uint16_t mtu = 0;         ///< to be told to the back-end; 0: none
  int memory_descriptor = -1;    ///< of the driver's memory, from its address 0 on; cannot shrink
  Bytes memory;                  ///< the same, mapped
  std::function<bool()> stop{};  ///< while waiting: whether to give up
};

/// Hands rings over when a driver is ready and a back-end is there, whichever comes last, and takes
/// them back when the driver resets the device. A back-end that goes leaves rings behind: the next
/// one gets them from where the last has used buffers, so that what it had taken and not used is
/// there again. The driver sees no more of it than its link.
///
/// Calls come from one thread at a time.
class VhostUserPlane : private VhostConnection::Owner {
 public:
  /// Features that any back-end is thought to have, for drivers that are there earlier.
  static constexpr std::uint64_t kAnyBackEnd =
      virtio::net::feature::kMergeableBuffers | virtio::net::feature::kIndirect |
      virtio::net::feature::kEventIndex | virtio::net::feature::kVersion1;
  /// Features that are a matter of packets and rings, so of the back-end; others are the device's.
  static constexpr std::uint64_t kOfPackets =
      virtio::net::feature::kCsum | virtio::net::feature::kGuestCsum | virtio::net::feature::kMtu |
      virtio::net::feature::kGuestTso4 | virtio::net::feature::kGuestTso6 |
      virtio::net::feature::kGuestEcn | virtio::net::feature::kHostTso4 |
      virtio::net::feature::kHostTso6 | virtio::net::feature::kHostEcn |
      virtio::net::feature::kMergeableBuffers | virtio::net::feature::kControlRx |
      virtio::net::feature::kControlVlan | virtio::net::feature::kControlRxExtra |
      virtio::net::feature::kMultiQueue | virtio::net::feature::kControlMac |
      virtio::net::feature::kAnyLayout | virtio::net::feature::kIndirect |
      virtio::net::feature::kEventIndex | virtio::net::feature::kVersion1 |
      virtio::net::feature::kInOrder | virtio::net::feature::kRingReset |
      virtio::net::feature::kHashReport | virtio::net::feature::kRss;
  /// How long a back-end may take to give rings back; after that its connection is closed.
  static constexpr std::chrono::milliseconds kLastAnswers{1'000};

  /// What has happened that the device is to hear of.
  struct News {
    std::bitset<2 * virtio::net::kMostPairs> used;  ///< queues with used buffers
    std::optional<bool> link;                       ///< there is (no) back-end now
    std::string failure;                            ///< why the device needs a reset
    /// There are some.
    bool any() const { return used.any() || link || !failure.empty(); }
  };

  /// Throws as VhostConnection and its wait_for_first() do.
  explicit VhostUserPlane(VhostUserPlaneConfig config);

  /// Readable when serve() has something to do.
  int fd() const { return watch_.fd(); }
  /// Makes what progress there is to make.
  void serve();
  /// There is something to be told.
  bool has_news() const { return news_.any(); }
  /// What has happened since it was last asked.
  News take_news();

  /// As virtio::DataPlane has them.
  std::uint64_t features() const { return (known_ & kOfPackets) | ~kOfPackets; }
  /// Ditto.
  void start(std::uint64_t features, gsl::span<const virtio::DataPlane::Queue> queues);
  /// Ditto.
  void start_queue(const virtio::DataPlane::Queue& queue);
  /// Ditto.
  std::uint16_t stop_queue(unsigned queue);
  /// Ditto.
  void stop();
  /// Ditto.
  void notified(unsigned queue);
  /// Ditto.
  void set_active_pairs(unsigned pairs);

  /// The back-end works on the driver's rings.
  bool running() const { return connection_.running(); }
  /// There is no back-end, and none will come.
  bool over() const { return !connection_ && !connection_.waits_for_peers(); }
  /// What has happened then, and what to do about it.
  std::string why_over() const { return connection_.why_closed(); }
  /// What bad back-ends did.
  std::vector<std::string> warnings() const { return connection_.warnings(); }
  /// Takes the rings back and hangs up.
  void shut_down();

 private:
  struct Ring {
    WakeUp kick, call;
    std::optional<virtio::DataPlane::Queue> queue;  // the driver has set it up
  };

  static virtio::vhost_user::Wishes wishes(const VhostUserPlaneConfig& config,
                                           const std::deque<Ring>& rings);
  void vhost_proceeds() override;
  void vhost_ends() override;
  bool acceptable();
  void hand_over();
  virtio::vhost_user::SharedRing shared(const Ring& ring) const;
  bool add(const virtio::DataPlane::Queue& queue);
  bool in_memory(const virtio::SplitLayout& layout) const;
  bool find_base(virtio::DataPlane::Queue& queue);
  bool at_work() const;
  bool settled();
  void look_at_calls();
  void set_link(bool up);

  VhostUserPlaneConfig config_;
  Watch watch_;
  std::deque<Ring> rings_;
  std::vector<pollfd> calls_;  // of rings_
  virtio::MappedMemory memory_;
  VhostConnection connection_;
  std::uint64_t known_ = kAnyBackEnd;  // features of the last back-end
  bool started_ = false;               // the driver is ready
  std::uint64_t driver_features_ = 0;
  unsigned active_pairs_ = 1;
  std::uint64_t sessions_ = 0;  // that have ended
  bool kicked_ = false;         // the back-end has been told to look at all rings
  bool resumed_ = false;        // it is not the first with these rings
  bool link_ = false;
  News news_;
};

}  // namespace e1000tlm::link
