#include "e1000tlm/e1000/receive/link_header.h"

namespace e1000tlm::e1000 {

LinkPayload snap_payload(ConstBytes body, std::uint16_t length) {
  constexpr std::size_t kSnapBytes = 8;
  if (length < kSnapBytes || length > body.size()) return {};
  const std::uint8_t* p = body.data();
  if (load_be32(p) != 0xAAAA0300 || load_be16(p + 4) != 0) return {};
  return {load_be16(p + 6), body.subspan(kSnapBytes, length - kSnapBytes)};
}

}  // namespace e1000tlm::e1000
