#pragma once
/// What a vhost-user front-end asks, and when: the protocol without a socket. No SystemC.

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "e1000tlm/virtio/split_ring.h"
#include "e1000tlm/virtio/vhost_user.h"

namespace e1000tlm::virtio::vhost_user {

/// Features of a network device that concern its queues and what passes through them
/// (virtio 1.2, 5.1.3).
namespace net_feature {
/// The driver takes packets whose checksum is not complete.
inline constexpr std::uint64_t kGuestCsum = 1ULL << 1;
/// The device has a largest MTU.
inline constexpr std::uint64_t kMtu = 1ULL << 3;
/// The driver takes long TCP packets over IPv4.
inline constexpr std::uint64_t kGuestTso4 = 1ULL << 7;
/// The driver takes long TCP packets over IPv6.
inline constexpr std::uint64_t kGuestTso6 = 1ULL << 8;
/// The driver takes long TCP packets with ECN.
inline constexpr std::uint64_t kGuestEcn = 1ULL << 9;
/// Received packets may take several buffers.
inline constexpr std::uint64_t kMergeableBuffers = 1ULL << 15;
/// There are several pairs of queues.
inline constexpr std::uint64_t kMultiQueue = 1ULL << 22;
/// A header needs no descriptor of its own.
inline constexpr std::uint64_t kAnyLayout = 1ULL << 27;
}  // namespace net_feature

/// What a front-end wants of a back-end.
struct Wishes {
  /// Features of the device, as far as the back-end has them.
  std::uint64_t features = 0;
  /// Protocol features, ditto.
  std::uint64_t protocol_features = protocol_feature::kMq | protocol_feature::kReplyAck |
                                    protocol_feature::kMtu | protocol_feature::kStatus;
  /// Pairs of rings; more than one take net_feature::kMultiQueue.
  unsigned queue_pairs = 1;
  /// To be told to the back-end, if both sides have net_feature::kMtu; 0: none.
  std::uint16_t mtu = 0;
  /// Eventfds by which the back-end tells of used buffers, by ring; told when a session begins, so
  /// that the back-end knows how many rings there are. They remain their owner's.
  std::vector<int> calls{};
};

/// Memory that a back-end gets. The descriptor remains its owner's.
struct SharedMemory {
  MemoryRegion region;  ///< what the back-end is told
  int descriptor = -1;  ///< of it
};

/// A ring that a back-end gets. Descriptors remain their owner's.
struct SharedRing {
  std::uint8_t index = 0;  ///< its number
  SplitLayout layout;      ///< in user addresses
  std::uint16_t base = 0;  ///< index of the first chain
  int kick = -1;           ///< eventfd that tells the back-end of chains; -1: it looks by itself
  int call = -1;           ///< eventfd that tells of used ones; -1: nobody is told
  bool enabled = true;     ///< packets may pass from the start on
};

/// One session after the other with a back-end. Whoever owns the socket asks next() what to send
/// and hands what comes to receive(); nothing here waits. What was asked for is done when state()
/// says so.
class FrontEnd {
 public:
  /// Where a session is.
  enum class State : std::uint8_t {
    kIdle,      ///< there is none
    kAsking,    ///< what the back-end is able to
    kAgreed,    ///< features are known, rings are not
    kStarting,  ///< features, memory and rings are being handed over
    kRunning,   ///< the back-end works on the rings
    kStopping,  ///< it is told to stop all rings
    kStopped,   ///< it does not touch memory any more; see base()
    kBroken,    ///< it has broken the protocol or refused something: see why()
  };
  /// A message and what goes beside it.
  struct Outgoing {
    Message bytes;                 ///< to send
    std::vector<int> descriptors;  ///< beside its first byte
  };

  /// What it wants in every session.
  explicit FrontEnd(const Wishes& wishes) : wishes_(wishes) {}

  /// A session begins.
  void connected();
  /// It has ended; all that it was about is forgotten.
  void disconnected();
  /// Hands over memory and rings (two for each pair: to receive, to transmit), which work with
  /// these features, all of features(). In kAgreed or kStopped.
  void start(std::uint64_t features, const std::vector<SharedMemory>& memory,
             const std::vector<SharedRing>& rings);
  /// Takes them back. In kRunning.
  void stop();
  /// Hands over one ring more, or one that was taken back. In kStarting or kRunning.
  void start_ring(const SharedRing& ring);
  /// Takes one ring back; see base() when busy() says that it is done. Ditto.
  void stop_ring(std::uint8_t index);
  /// Lets packets pass a ring, or no more. Ditto; a back-end without protocol features is not told.
  void enable_ring(std::uint8_t index, bool enabled);

  /// What is to be sent now; nullptr: nothing, before an answer has come or more is asked for.
  /// Valid until sent().
  const Outgoing* next();
  /// That has been sent.
  void sent();
  /// A message has come, with so many descriptors. False: kBroken.
  bool receive(const Header& header, ConstBytes body, std::size_t descriptors);
  /// The session is of no use any more, for a reason found elsewhere.
  void broken(const std::string& why);

  /// Where the session is.
  State state() const { return state_; }
  /// Something is yet to be sent or answered.
  bool busy() const { return waiting_ || !steps_.empty(); }
  /// Why it is broken, after the back-end's name: "refuses SET_MEM_TABLE".
  const std::string& why() const { return why_; }
  /// What an answer is being waited for: "GET_FEATURES"; empty: none.
  std::string waiting_for() const;
  /// Features that both sides have.
  std::uint64_t features() const { return features_; }
  /// Protocol features that both sides have.
  std::uint64_t protocol_features() const { return protocol_features_; }
  /// Of a ring that was taken back: index of the next chain that the back-end would have taken.
  std::uint16_t base(std::size_t ring) const { return bases_.at(ring); }

  /// Called with a line of text for each message: "> SET_OWNER", "< reply to GET_FEATURES 0x1".
  std::function<void(const std::string&)> log;

 private:
  struct Step {
    Request request;
    Payload payload;
    std::vector<int> descriptors;
  };
  void add(Request request, Payload payload = {}, std::vector<int> descriptors = {});
  void add_status(std::uint64_t status);
  void add_call(std::uint8_t index, int descriptor);
  void add_ring(const SharedRing& ring);
  bool answered(const Payload& payload);
  bool agree(std::uint64_t offered);
  bool fail(const std::string& why);
  void advance();
  bool has(std::uint64_t protocol_feature) const {
    return (protocol_features_ & protocol_feature) != 0;
  }
  bool enables() const { return (features_ & feature::kProtocolFeatures) != 0; }

  Wishes wishes_;
  State state_ = State::kIdle;
  std::string why_;
  std::uint64_t features_ = 0, protocol_features_ = 0;
  std::deque<Step> steps_;
  std::optional<Outgoing> outgoing_;  // of steps_.front()
  Header outgoing_header_;
  std::optional<Header> waiting_;  // for the answer to this
  bool calls_told_ = false;
  std::uint32_t asked_ring_ = 0;      // by what was sent last
  std::vector<std::uint8_t> rings_;   // that the back-end has
  std::vector<std::uint16_t> bases_;  // by ring
};

}  // namespace e1000tlm::virtio::vhost_user
