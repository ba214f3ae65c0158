#pragma once
/// Streams by which other programs reach the simulator. No SystemC.

#include <string>
#include <string_view>
#include <utility>

#include <sys/types.h>

#include "e1000tlm/link/host/host_fd.h"
#include "e1000tlm/link/host/host_socket.h"

namespace e1000tlm::plugs {

/// "unix:PATH" or "tcp:HOST:PORT" with options, or "stdio". TCP without a host means 127.0.0.1;
/// a comma in the path is written twice. Options as QEMU's:
///   server, server=on   listen (default)
///   server=off          connect
///   wait=on|off         makes no difference: without a client simulated time stands still
///   keep=on|off         listening: serve one client after the other (default), or one only
struct StreamAddress {
  enum class Kind { kUnix, kTcp, kStdio };
  Kind kind = Kind::kUnix;
  link::SocketAddress socket;  ///< not for kStdio
  bool server = true;          ///< never for kStdio
  bool keep = true;

  /// Throws std::invalid_argument naming the text and what is wrong with it.
  static StreamAddress parse(std::string_view text);
};

/// A client: its bytes come in by one descriptor and go out by another, or by the same.
class StreamConnection {
 public:
  StreamConnection() = default;
  explicit StreamConnection(link::UniqueFd socket) : in_(std::move(socket)) {}
  /// Pipes, terminals or files.
  StreamConnection(link::UniqueFd in, link::UniqueFd out)
      : in_(std::move(in)), out_(std::move(out)) {}

  explicit operator bool() const { return static_cast<bool>(in_); }
  void reset();
  int in() const { return in_.get(); }
  int out() const { return out_ ? out_.get() : in_.get(); }

  /// Call when poll() says that there is something; 0: the end, negative: errno.
  ssize_t read(char* data, std::size_t size) const;
  /// Never blocks. How many bytes were taken; negative: errno.
  ssize_t write(std::string_view data) const;

 private:
  link::UniqueFd in_;
  link::UniqueFd out_;  // empty: the socket in_
};

/// Listens for one client after the other, or is one itself.
class StreamEndpoint {
 public:
  /// Binds and listens, or connects. Throws std::invalid_argument or std::runtime_error naming the
  /// address and the reason.
  explicit StreamEndpoint(std::string_view address);
  ~StreamEndpoint();
  StreamEndpoint(const StreamEndpoint&) = delete;
  StreamEndpoint& operator=(const StreamEndpoint&) = delete;

  /// The next connection, waiting for it. Empty when `interrupt` became readable, or when no
  /// further connection can come: an endpoint that does not listen has exactly one.
  StreamConnection accept(int interrupt);
  /// Readable when somebody waits to be accepted; negative: nobody ever will.
  int listener() const { return listener_.get(); }

 private:
  StreamAddress address_;
  link::UniqueFd listener_;
  StreamConnection connected_;
};

}  // namespace e1000tlm::plugs
