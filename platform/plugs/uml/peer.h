#pragma once
/// A guest's end of a UNIX socket: bytes and the descriptors beside them. No SystemC.

#include <cstdint>
#include <gsl/span>
#include <utility>
#include <vector>

#include "e1000tlm/link/host/host_fd.h"
#include "e1000tlm/tlm/bytes.h"

namespace e1000tlm::plugs::uml {

/// Nothing blocks. What a guest can make this hold is bounded: kMostInput bytes and
/// kMostDescriptors descriptors (more are closed at once).
class Peer {
 public:
  /// Whole messages of all our protocols are shorter.
  static constexpr std::size_t kMostInput = 16'384;
  /// More than come beside one message.
  static constexpr std::size_t kMostDescriptors = 16;

  Peer() = default;
  /// Takes over a connected socket.
  explicit Peer(link::UniqueFd socket) : socket_(std::move(socket)) {}

  /// There is one.
  explicit operator bool() const { return static_cast<bool>(socket_); }
  /// For poll().
  int fd() const { return socket_.get(); }
  /// Takes what has come. False: it has gone.
  bool receive();
  /// What has come and was not dropped. Valid until the next receive() or drop().
  ConstBytes input() const { return {input_.data() + begin_, input_.size() - begin_}; }
  /// So many bytes are done with.
  void drop(std::size_t bytes);
  /// The descriptors that have come and were not taken.
  std::vector<link::UniqueFd> take_descriptors() { return std::exchange(descriptors_, {}); }
  /// How many that are.
  std::size_t descriptors() const { return descriptors_.size(); }
  /// Sends all of it, with descriptors beside. False: it has gone, or takes nothing.
  bool send(ConstBytes bytes, gsl::span<const int> descriptors = {});

 private:
  void keep_descriptors(void* message);

  link::UniqueFd socket_;
  std::vector<std::uint8_t> input_;
  std::size_t begin_ = 0;  // in input_: not yet dropped
  std::vector<link::UniqueFd> descriptors_;
};

}  // namespace e1000tlm::plugs::uml
