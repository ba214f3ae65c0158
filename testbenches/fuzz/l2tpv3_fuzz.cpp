/// Whatever a tunnel's other end sends, a frame lies within its message, or the message is refused.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "e1000tlm/link/host/l2tpv3.h"

namespace link_ns = e1000tlm::link;

/// The first byte chooses the session, the rest is the message.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  link_ns::L2tpv3Session session;
  session.udp = (data[0] & 1) != 0;
  session.counter = (data[0] & 2) != 0;
  session.cookie_bytes = (data[0] & 4) != 0 ? 4 : 0;
  if ((data[0] & 8) != 0) session.cookie_bytes = 8;
  session.offset = data[0] >> 4;
  session.tx_session = session.rx_session = 1;
  session.tx_cookie = session.rx_cookie = 2;
  link_ns::L2tpv3Codec codec(session);
  const e1000tlm::ConstBytes message(data + 1, size - 1);
  const auto result = codec.decode(message);
  if (result.fault != link_ns::L2tpv3Codec::Fault::kNone) {
    if (!result.frame.empty()) std::abort();
    return 0;
  }
  if (result.frame.size() + codec.header_bytes() != message.size()) std::abort();
  // What we make of the frame is taken by the other end.
  const auto again = codec.decode(codec.encode(result.frame));
  if (again.fault != link_ns::L2tpv3Codec::Fault::kNone ||
      !std::equal(again.frame.begin(), again.frame.end(), result.frame.begin(),
                  result.frame.end())) {
    std::abort();
  }
  return 0;
}
