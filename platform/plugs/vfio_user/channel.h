#pragma once
/// A client's end of a vfio-user socket: messages and the descriptors beside them. No SystemC.

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "e1000tlm/link/host/host_fd.h"
#include "e1000tlm/plugs/vfio_user/protocol.h"

namespace e1000tlm::plugs::vfio_user {

/// A message as it came.
struct Incoming {
  /// What stands before the body.
  Header header;
  /// Valid until the next receive() or next().
  ConstBytes body;
  /// At most kMostDescriptors.
  std::vector<link::UniqueFd> descriptors;
};

/// Nothing blocks. What a client can make this hold is bounded: one message and what one read
/// brought, its descriptors (more are closed at once), and kMostOutput bytes that it does not take.
class Channel {
 public:
  /// Bytes for a client that does not read, beyond which it is given up.
  static constexpr std::size_t kMostOutput = 8U << 20;
  /// Ditto, beyond which nothing more should be read from it: it may ask many things before it
  /// reads an answer, but not for ever.
  static constexpr std::size_t kMuchOutput = 256U << 10;

  Channel() = default;
  /// Takes over a connected socket.
  explicit Channel(link::UniqueFd socket);

  /// There is a client.
  explicit operator bool() const { return static_cast<bool>(socket_); }
  /// For poll().
  int fd() const { return socket_.get(); }
  /// Takes what has come. False: the client has gone, or why() tells why it cannot be understood.
  bool receive();
  /// The next whole message. nullopt: none, or why() is not empty.
  std::optional<Incoming> next();
  /// Sends it, or keeps it for later. False: the client has gone or takes nothing; see why().
  bool send(const Message& message);
  /// Sends what was kept. False as send().
  bool flush();
  /// Something is kept.
  bool pending() const { return sent_ < output_.size(); }
  /// Much is.
  bool congested() const { return output_.size() - sent_ > kMuchOutput; }
  /// What it did wrong; empty: nothing.
  const std::string& why() const { return why_; }
  /// The header that was wrong, if that was it: who waits for its answer may be told.
  const std::optional<Header>& rejected() const { return rejected_; }

 private:
  void take_descriptors(void* message);

  struct Attached {
    std::uint64_t at;  // a byte of the message that it came with, counted from the first of all
    link::UniqueFd fd;
  };

  link::UniqueFd socket_;
  std::vector<std::uint8_t> input_;
  std::size_t begin_ = 0, end_ = 0;  // in input_: not yet taken
  std::uint64_t taken_ = 0;          // bytes before begin_
  std::deque<Attached> attached_;
  std::vector<std::uint8_t> output_;
  std::size_t sent_ = 0;
  std::string why_;
  std::optional<Header> rejected_;
};

}  // namespace e1000tlm::plugs::vfio_user
