#include "e1000tlm/link/host/l2tpv3.h"

#include <algorithm>

namespace e1000tlm::link {
namespace {

constexpr std::size_t kFlagBytes = 4;  // over UDP only (RFC 3931, 4.1.2.1)
constexpr std::size_t kSessionBytes = 4, kCounterBytes = 4;
constexpr std::uint32_t kDataVersion3 = 0x0003'0000;  // T 0, Ver 3
constexpr std::uint32_t kTypeAndVersion = 0x800F'0000;

void store_cookie(std::uint8_t* p, std::uint64_t cookie, std::size_t bytes) {
  if (bytes == 8) store_be32(p, static_cast<std::uint32_t>(cookie >> 32));
  store_be32(p + bytes - 4, static_cast<std::uint32_t>(cookie));
}

std::uint64_t load_cookie(const std::uint8_t* p, std::size_t bytes) {
  const std::uint64_t high = bytes == 8 ? load_be32(p) : 0;
  return high << 32 | load_be32(p + bytes - 4);
}

}  // namespace

std::size_t L2tpv3Codec::header_bytes() const {
  return (session_.udp ? kFlagBytes : 0) + kSessionBytes + session_.cookie_bytes +
         (session_.counter ? kCounterBytes : 0) + session_.offset;
}

ConstBytes L2tpv3Codec::encode(ConstBytes frame) {
  const std::size_t header = header_bytes();
  message_.assign(header + frame.size(), 0);
  std::uint8_t* p = message_.data();
  if (session_.udp) {
    store_be32(p, kDataVersion3);
    p += kFlagBytes;
  }
  store_be32(p, session_.tx_session);
  p += kSessionBytes;
  if (session_.cookie_bytes != 0) store_cookie(p, session_.tx_cookie, session_.cookie_bytes);
  p += session_.cookie_bytes;
  if (session_.counter) store_be32(p, session_.pin_counter ? 0 : ++count_);
  std::copy(frame.begin(), frame.end(), message_.begin() + static_cast<std::ptrdiff_t>(header));
  return message_;
}

L2tpv3Codec::Result L2tpv3Codec::decode(ConstBytes message) const {
  const std::size_t header = header_bytes();
  if (message.size() < header) return {Fault::kTooShort, {}};
  const std::uint8_t* p = message.data();
  if (session_.udp) {
    if ((load_be32(p) & kTypeAndVersion) != kDataVersion3) return {Fault::kNotData, {}};
    p += kFlagBytes;
  }
  if (load_be32(p) != session_.rx_session) return {Fault::kForeign, {}};
  p += kSessionBytes;
  if (session_.cookie_bytes != 0 && load_cookie(p, session_.cookie_bytes) != session_.rx_cookie) {
    return {Fault::kBadCookie, {}};
  }
  return {Fault::kNone, message.subspan(header)};
}

const char* to_string(L2tpv3Codec::Fault fault) {
  switch (fault) {
    case L2tpv3Codec::Fault::kTooShort: return "too_short";
    case L2tpv3Codec::Fault::kNotData: return "not_data";
    case L2tpv3Codec::Fault::kForeign: return "foreign_session";
    case L2tpv3Codec::Fault::kBadCookie: return "bad_cookie";
    case L2tpv3Codec::Fault::kNone: break;
  }
  return "none";
}

}  // namespace e1000tlm::link
