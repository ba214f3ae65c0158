#pragma once
/// Headers of L2TPv3 data messages (RFC 3931, 4.1; RFC 4719 for Ethernet). No SystemC.

#include <cstdint>
#include <string>
#include <vector>

#include "e1000tlm/tlm/bytes.h"

namespace e1000tlm::link {

/// What both ends of a session must have agreed on; there is no negotiation.
struct L2tpv3Session {
  bool udp = true;                ///< over UDP; else directly over IP
  std::uint32_t tx_session = 0;   ///< that the other end expects
  std::uint32_t rx_session = 0;   ///< that we expect
  std::uint8_t cookie_bytes = 0;  ///< 0, 4 or 8
  std::uint64_t tx_cookie = 0, rx_cookie = 0;
  bool counter = false;      ///< a 32-bit counter follows the cookie
  bool pin_counter = false;  ///< it is always 0
  std::uint32_t offset = 0;  ///< further bytes before the frame
};

/// Makes and takes off the headers of one session.
class L2tpv3Codec {
 public:
  explicit L2tpv3Codec(const L2tpv3Session& session) : session_(session) {}

  /// The message with this frame; valid until the next call.
  ConstBytes encode(ConstBytes frame);

  /// What is wrong with a message.
  enum class Fault : std::uint8_t {
    kNone,
    kTooShort,   ///< ends within the header
    kNotData,    ///< a control message, or another version
    kForeign,    ///< of another session
    kBadCookie,  ///< the cookie is not the one agreed on
  };
  struct Result {
    Fault fault = Fault::kNone;
    ConstBytes frame;  ///< part of the message
  };
  /// The frame in a message.
  Result decode(ConstBytes message) const;

  /// Bytes before the frame.
  std::size_t header_bytes() const;

 private:
  L2tpv3Session session_;
  std::uint32_t count_ = 0;
  std::vector<std::uint8_t> message_;
};

/// For counting: "too_short", "not_data", "foreign_session", "bad_cookie".
const char* to_string(L2tpv3Codec::Fault fault);

}  // namespace e1000tlm::link
