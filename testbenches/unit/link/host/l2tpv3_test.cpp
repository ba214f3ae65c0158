#include "e1000tlm/link/host/l2tpv3.h"

#include <vector>

#include <gtest/gtest.h>

namespace e1000tlm::link {
namespace {

using Octets = std::vector<std::uint8_t>;
using Fault = L2tpv3Codec::Fault;

Octets octets(ConstBytes bytes) { return {bytes.begin(), bytes.end()}; }

L2tpv3Session session() {
  L2tpv3Session s;
  s.tx_session = 0x01020304;
  s.rx_session = 0x05060708;
  return s;
}

TEST(L2tpv3, OverUdpBeginsWithFlagsAndVersion) {  // RFC 3931, 4.1.2.1
  L2tpv3Codec codec(session());
  EXPECT_EQ(octets(codec.encode(Octets{0xAA, 0xBB})), (Octets{0, 3, 0, 0, 1, 2, 3, 4, 0xAA, 0xBB}));
  const Octets message{0, 3, 0, 0, 5, 6, 7, 8, 0xCC};
  const auto result = codec.decode(message);
  EXPECT_EQ(result.fault, Fault::kNone);
  EXPECT_EQ(octets(result.frame), Octets{0xCC});
}

TEST(L2tpv3, OverIpBeginsWithTheSession) {  // RFC 3931, 4.1.1.1
  L2tpv3Session s = session();
  s.udp = false;
  s.cookie_bytes = 8;
  s.tx_cookie = 0x1122334455667788;
  s.offset = 2;
  L2tpv3Codec codec(s);
  EXPECT_EQ(octets(codec.encode(Octets{0xAA})),
            (Octets{1, 2, 3, 4, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0, 0, 0xAA}));
}

TEST(L2tpv3, CountsUnlessTheCounterIsPinned) {
  L2tpv3Session s = session();
  s.counter = true;
  L2tpv3Codec codec(s);
  codec.encode({});
  EXPECT_EQ(octets(codec.encode({})), (Octets{0, 3, 0, 0, 1, 2, 3, 4, 0, 0, 0, 2}));
  s.pin_counter = true;
  L2tpv3Codec pinned(s);
  pinned.encode({});
  EXPECT_EQ(octets(pinned.encode({})), (Octets{0, 3, 0, 0, 1, 2, 3, 4, 0, 0, 0, 0}));
}

TEST(L2tpv3, RefusesWhatIsNotItsOwn) {
  L2tpv3Session s = session();
  s.cookie_bytes = 4;
  s.rx_cookie = 0x0A0B0C0D;
  const L2tpv3Codec codec(s);
  const Octets good{0, 3, 0, 0, 5, 6, 7, 8, 10, 11, 12, 13};
  const auto with = [&](std::size_t at, std::uint8_t byte) {
    Octets message = good;
    message[at] = byte;
    return codec.decode(message).fault;
  };
  EXPECT_EQ(codec.decode(good).fault, Fault::kNone);
  EXPECT_EQ(codec.decode(Octets(good.begin(), good.end() - 1)).fault, Fault::kTooShort);
  EXPECT_EQ(codec.decode({}).fault, Fault::kTooShort);
  EXPECT_EQ(with(0, 0x80), Fault::kNotData);
  EXPECT_EQ(with(1, 2), Fault::kNotData);
  EXPECT_EQ(with(7, 9), Fault::kForeign);
  EXPECT_EQ(with(11, 0), Fault::kBadCookie);
}

}  // namespace
}  // namespace e1000tlm::link
