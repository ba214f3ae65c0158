#pragma once
/// Messages of vhost-user on a stream socket, and the descriptors beside them. No SystemC.

#include <array>
#include <cstdint>
#include <deque>
#include <gsl/span>
#include <optional>
#include <string>
#include <vector>

#include "e1000tlm/link/host/host_fd.h"
#include "e1000tlm/virtio/vhost_user.h"

namespace e1000tlm::link {

/// One direction or both of a socket that somebody else owns. Nothing blocks. What the other side
/// can make this hold is bounded: one message and what one read brought, and a few descriptors.
class VhostChannel {
 public:
  /// A message as it came.
  struct Incoming {
    virtio::vhost_user::Header header;
    ConstBytes body;  ///< valid until the next receive()
    std::vector<UniqueFd> descriptors;
  };

  /// Takes what has come. False: the other side has gone, or why() tells why it cannot be
  /// understood.
  bool receive(int socket);
  /// The next whole message. nullopt: none, or why() is not empty.
  std::optional<Incoming> next();

  /// How send() went.
  enum class Sent : std::uint8_t {
    kAll,
    kLater,  ///< no room: the same message again when there is some
    kGone,   ///< the other side has gone
  };
  /// Sends a message with descriptors, which remain the caller's.
  Sent send(int socket, ConstBytes message, gsl::span<const int> descriptors);

  /// What the other side did wrong; empty: nothing.
  const std::string& why() const { return why_; }
  /// For another connection.
  void clear();

 private:
  struct Attached {
    std::uint64_t at;  // a byte of the message that it came with, counted from the first of all
    UniqueFd fd;
  };
  static constexpr std::size_t kRoom =
      2 * (virtio::vhost_user::kHeaderBytes + virtio::vhost_user::kMostPayload);

  void take_descriptors(void* message);

  std::array<std::uint8_t, kRoom> input_{};
  std::size_t begin_ = 0, end_ = 0;  // in input_: not yet taken
  std::uint64_t taken_ = 0;          // bytes before begin_
  std::deque<Attached> attached_;
  std::size_t sent_ = 0;  // of the message that send() is offered again
  std::string why_;
};

}  // namespace e1000tlm::link
