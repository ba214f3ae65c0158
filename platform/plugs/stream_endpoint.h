#pragma once
/// Stream sockets by which other programs reach the simulator. No SystemC.

#include <optional>
#include <string>
#include <string_view>

#include "models/link/host_fd.h"

namespace e1000tlm::plugs {

/// "unix:PATH" or "tcp:HOST:PORT", each with ",server=on" (default: listen) or ",server=off"
/// (connect). TCP without a host means the loopback interface.
struct StreamAddress {
  enum class Kind { kUnix, kTcp };
  Kind kind = Kind::kUnix;
  std::string path;        ///< kUnix
  std::string host, port;  ///< kTcp
  bool server = true;

  /// Throws std::invalid_argument naming the text and what is wrong with it.
  static StreamAddress parse(std::string_view text);
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
  /// further connection can come. A server=off endpoint has exactly one.
  link::UniqueFd accept(int interrupt);

 private:
  StreamAddress address_;
  link::UniqueFd listener_;
  link::UniqueFd connected_;
};

}  // namespace e1000tlm::plugs
