#pragma once
/// A stream socket with somebody at its other end, now or later: QEMU's "chardev". No SystemC.

#include <chrono>
#include <memory>
#include <string>

#include "e1000tlm/link/host/host_socket.h"
#include "e1000tlm/link/host/host_watch.h"

namespace e1000tlm::link {

/// Where it is, and who looks for whom.
struct ChardevConfig {
  SocketAddress address;
  bool server = false;
  /// How long after a failure or the end of a connection the next attempt begins; 0: there is none,
  /// the first must succeed, and when its connection ends the link has gone for good. Not for
  /// servers, which take the next peer at any time.
  std::chrono::milliseconds reconnect{0};
  /// Instead of the address: number of a socket that is open, listening (server) or connected.
  std::string descriptor{};
};

/// One peer at a time; others wait to be accepted until it has gone. Never blocks, but for the
/// first connection of a client that does not reconnect. What its owner is to wait for is in the
/// owner's Watch.
class Chardev {
 public:
  /// `watch` must outlive it. Throws std::invalid_argument (no such address or descriptor) or
  /// std::runtime_error (nobody listens there, address in use), naming it and the reason.
  Chardev(const ChardevConfig& config, const Watch& watch);
  ~Chardev();
  Chardev(const Chardev&) = delete;
  Chardev& operator=(const Chardev&) = delete;

  /// Somebody is connected.
  explicit operator bool() const { return static_cast<bool>(connection_); }
  /// The connection; -1: nobody is connected.
  int fd() const { return connection_.get(); }
  /// Takes a peer if there is none and one has come. True: somebody is connected.
  bool find();
  /// Somebody may come later; otherwise the first peer is the only one.
  bool waits_for_peers() const { return acceptor_ || connector_; }
  /// Ends the connection.
  void hang_up();
  /// Its owner waits for room as well as for data.
  void wait_for_room(bool room);

 private:
  class Acceptor;
  class Connector;
  void take(UniqueFd connection);

  ChardevConfig config_;
  const Watch& watch_;
  std::unique_ptr<Acceptor> acceptor_;    // of a server
  std::unique_ptr<Connector> connector_;  // of a client that reconnects
  UniqueFd connection_;
  bool waits_for_room_ = false;
};

}  // namespace e1000tlm::link
