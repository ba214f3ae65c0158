#include "e1000tlm/e1000/receive/receive_checksum.h"

#include <functional>
#include <map>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace e1000tlm::e1000 {
namespace {

using Packet = std::vector<std::uint8_t>;
constexpr std::uint32_t kIp = 1 << 8, kTu = 1 << 9, kV6 = 1 << 10, kEverything = kIp | kTu | kV6;
constexpr std::uint8_t kIxsm = 0x04, kTcpcs = 0x20, kIpcs = 0x40, kIpe = 0x40, kTcpe = 0x20;
constexpr std::uint16_t kVlan = 0x8100;

Packet operator+(Packet left, const Packet& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}
Packet be16(unsigned value) {
  return {static_cast<std::uint8_t>(value >> 8), static_cast<std::uint8_t>(value)};
}
Packet ethernet(unsigned type) { return Packet(12, 0x02) + be16(type); }
Packet snap(unsigned type, std::size_t payload) {
  return ethernet(static_cast<unsigned>(payload + 8)) + Packet{0xAA, 0xAA, 0x03, 0, 0, 0} +
         be16(type);
}

// Sums added up by hand.
const Packet kUdpSegment{0, 1, 0, 2, 0, 10, 0xAA, 0x92, 0x41, 0x42};
const Packet kIpv4Udp =
    Packet{0x45, 0, 0, 30, 0, 0, 0, 0, 0x40, 17, 0x66, 0xCD, 10, 0, 0, 1, 10, 0, 0, 2} +
    kUdpSegment;
const Packet kIpv4Tcp =
    Packet{0x45, 0, 0, 40, 0, 0, 0, 0, 0x40, 6, 0x66, 0xCE, 10,   0, 0, 1, 10,   0,    0, 2,
           0,    1, 0, 2,  0, 0, 0, 0, 0,    0, 0,    0,    0x50, 2, 0, 0, 0x9B, 0xDD, 0, 0};
const Packet kIpv6Addresses{0x20, 1, 0x0D, 0xB8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1,
                            0x20, 1, 0x0D, 0xB8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2};
const Packet kUdpSegment6{0, 1, 0, 2, 0, 10, 0x63, 0x20, 0x41, 0x42};
Packet ipv6(unsigned next, const Packet& payload) {
  return Packet{0x60, 0, 0, 0} + be16(static_cast<unsigned>(payload.size())) +
         Packet{static_cast<std::uint8_t>(next), 64} + kIpv6Addresses + payload;
}
const Packet kIpv6Udp = ipv6(17, kUdpSegment6);

Packet padded(Packet frame) {
  if (frame.size() < 60) frame.resize(60);
  return frame;
}

struct Expected {
  std::uint8_t status, errors;
  bool operator==(const Expected& o) const { return status == o.status && errors == o.errors; }
};
std::ostream& operator<<(std::ostream& out, const Expected& e) {
  return out << "status " << int{e.status} << " errors " << int{e.errors};
}
Expected verify(const Packet& frame, std::uint32_t rxcsum = kEverything, bool part_ipv6 = true) {
  // A copy of exactly this size lets the address sanitizer see any read beyond it.
  const Packet exact(frame.begin(), frame.end());
  const auto result = verify_checksums(exact, rxcsum, kVlan, part_ipv6);
  return {result.status, result.errors};
}
const Expected kIgnored{kIxsm, 0}, kBothGood{kIpcs | kTcpcs, 0}, kIpGood{kIpcs, 0},
    kTransportGood{kTcpcs, 0};

TEST(ReceiveChecksum, OffloadsOffGiveIxsm) {
  for (std::uint32_t rxcsum : {0U, 0xFFU, kV6}) {
    EXPECT_EQ(verify(padded(ethernet(0x0800) + kIpv4Tcp), rxcsum), kIgnored) << rxcsum;
  }
}

TEST(ReceiveChecksum, IntactPacketsPass) {
  EXPECT_EQ(verify(padded(ethernet(0x0800) + kIpv4Udp)), kBothGood);
  EXPECT_EQ(verify(padded(ethernet(0x0800) + kIpv4Tcp)), kBothGood);
  EXPECT_EQ(verify(padded(ethernet(0x86DD) + kIpv6Udp)), kTransportGood);
}

TEST(ReceiveChecksum, EachOffloadHasItsOwnBits) {
  const auto frame = padded(ethernet(0x0800) + kIpv4Tcp);
  EXPECT_EQ(verify(frame, kIp), kIpGood);
  EXPECT_EQ(verify(frame, kTu), kTransportGood);
  const auto frame6 = padded(ethernet(0x86DD) + kIpv6Udp);
  EXPECT_EQ(verify(frame6, kIp | kV6), kIgnored);
  EXPECT_EQ(verify(frame6, kIp | kTu), kIgnored);
  EXPECT_EQ(verify(frame6, kTu | kV6), kTransportGood);
  EXPECT_EQ(verify(frame6, kEverything, false), kIgnored) << "82544";
}

TEST(ReceiveChecksum, WrongSumsAreReportedApart) {
  auto frame = padded(ethernet(0x0800) + kIpv4Tcp);
  frame[14 + 8] ^= 1;  // TTL: header only
  EXPECT_EQ(verify(frame), (Expected{kIpcs | kTcpcs, kIpe}));
  EXPECT_EQ(verify(frame, kTu), kTransportGood);
  frame[14 + 8] ^= 1;
  frame[14 + 20 + 4] ^= 1;  // sequence number: TCP only
  EXPECT_EQ(verify(frame), (Expected{kIpcs | kTcpcs, kTcpe}));
  EXPECT_EQ(verify(frame, kIp), kIpGood);
  frame[14 + 12] ^= 1;  // source address: both
  EXPECT_EQ(verify(frame), (Expected{kIpcs | kTcpcs, kIpe | kTcpe}));
  auto frame6 = padded(ethernet(0x86DD) + kIpv6Udp);
  frame6[14 + 8] ^= 1;
  EXPECT_EQ(verify(frame6), (Expected{kTcpcs, kTcpe}));
}

TEST(ReceiveChecksum, TagsAndSnapAreSkipped) {
  const Packet tag{0, 5};
  EXPECT_EQ(verify(padded(ethernet(kVlan) + tag + be16(0x0800) + kIpv4Udp)), kBothGood);
  EXPECT_EQ(verify(padded(snap(0x0800, kIpv4Udp.size()) + kIpv4Udp)), kBothGood);
  const auto inner = snap(0x86DD, kIpv6Udp.size());
  EXPECT_EQ(verify(ethernet(kVlan) + tag + Packet(inner.begin() + 12, inner.end()) + kIpv6Udp),
            kTransportGood);
  EXPECT_EQ(verify(padded(ethernet(0x9100) + tag + be16(0x0800) + kIpv4Udp)), kIgnored)
      << "not VET";
}

TEST(ReceiveChecksum, SnapMustBeWellFormed) {
  auto frame = padded(snap(0x0800, kIpv4Udp.size()) + kIpv4Udp);
  for (std::size_t i = 14; i < 20; ++i) {
    frame[i] ^= 1;
    EXPECT_EQ(verify(frame), kIgnored) << i;
    frame[i] ^= 1;
  }
  frame[13] -= 1;  // 802.3 length cuts the datagram
  EXPECT_EQ(verify(frame), kIgnored);
  frame[13] = 200;  // longer than the frame
  EXPECT_EQ(verify(frame), kIgnored);
}

TEST(ReceiveChecksum, OptionsAndTrailersAreUnderstood) {
  // Two option words 0101 0101 more, IHL 6, total 34: 9932h + 100h + 4 + 202h = 9C38h.
  Packet packet{0x46, 0, 0, 34, 0,  0, 0, 0, 0x40, 17, 0x63, 0xC7,
                10,   0, 0, 1,  10, 0, 0, 2, 1,    1,  1,    1};
  EXPECT_EQ(verify(padded(ethernet(0x0800) + packet + kUdpSegment)), kBothGood);
  EXPECT_EQ(verify(ethernet(0x0800) + kIpv4Udp + Packet(100, 0xEE)), kBothGood) << "padding";
}

TEST(ReceiveChecksum, FragmentsOnlyHaveTheirHeaderChecked) {
  for (unsigned flags : {0x2000U, 0x0001U, 0x1FFFU, 0x3FFFU}) {
    auto packet = kIpv4Udp;
    packet[6] = static_cast<std::uint8_t>(flags >> 8);
    packet[7] = static_cast<std::uint8_t>(flags);
    const unsigned sum = 0x66CD + 0xFFFF - flags;
    const unsigned folded = (sum & 0xFFFF) + (sum >> 16);
    packet[10] = static_cast<std::uint8_t>(folded >> 8);
    packet[11] = static_cast<std::uint8_t>(folded);
    EXPECT_EQ(verify(padded(ethernet(0x0800) + packet)), kIpGood) << flags;
    EXPECT_EQ(verify(padded(ethernet(0x0800) + packet), kTu), kIgnored) << flags;
  }
  auto packet = kIpv4Udp;
  packet[6] = 0x40;  // don't fragment: 66CDh - 4000h
  packet[10] = 0x26;
  EXPECT_EQ(verify(padded(ethernet(0x0800) + packet)), kBothGood);
}

TEST(ReceiveChecksum, UdpWithoutChecksumIsNotChecked) {
  auto packet = kIpv4Udp;
  packet[26] = packet[27] = 0;
  EXPECT_EQ(verify(padded(ethernet(0x0800) + packet)), kIpGood);
  EXPECT_EQ(verify(padded(ethernet(0x0800) + packet), kTu), kIgnored);
  auto packet6 = kIpv6Udp;
  packet6[46] = packet6[47] = 0;
  EXPECT_EQ(verify(padded(ethernet(0x86DD) + packet6)), kIgnored);
}

TEST(ReceiveChecksum, LengthsThatContradictAreNotChecked) {
  const auto mutate = [](Packet packet, std::size_t offset, std::uint8_t value) {
    packet[offset] = value;
    return packet;
  };
  const auto v4 = [](const Packet& packet) { return verify(padded(ethernet(0x0800) + packet)); };
  EXPECT_EQ(v4(mutate(kIpv4Udp, 3, 200)), kIgnored) << "total length beyond the frame";
  EXPECT_EQ(v4(mutate(kIpv4Udp, 3, 19)), kIgnored) << "total length below the header";
  EXPECT_EQ(v4(mutate(kIpv4Udp, 0, 0x44)), kIgnored) << "header below 20 bytes";
  EXPECT_EQ(v4(mutate(kIpv4Udp, 0, 0x4F)), kIgnored) << "header beyond the packet";
  EXPECT_EQ(v4(mutate(kIpv4Udp, 0, 0x55)), kIgnored) << "version";
  EXPECT_EQ(v4(mutate(kIpv4Udp, 25, 9)), kIpGood) << "UDP length short";
  EXPECT_EQ(v4(mutate(kIpv4Udp, 25, 11)), kIpGood) << "UDP length long";
  EXPECT_EQ(v4(mutate(kIpv4Tcp, 32, 0x40)), kIpGood) << "TCP header short";
  EXPECT_EQ(v4(mutate(kIpv4Tcp, 32, 0x60)), kIpGood) << "TCP header long";
  const auto v6 = [](const Packet& packet) { return verify(padded(ethernet(0x86DD) + packet)); };
  EXPECT_EQ(v6(mutate(kIpv6Udp, 5, 11)), kIgnored) << "payload beyond the frame";
  EXPECT_EQ(v6(mutate(kIpv6Udp, 5, 0)), kIgnored) << "jumbogram";
  EXPECT_EQ(v6(mutate(kIpv6Udp, 0, 0x40)), kIgnored) << "version";
}

TEST(ReceiveChecksum, OtherProtocolsHaveTheirIpv4HeaderChecked) {
  auto packet = kIpv4Udp;
  packet[9] = 1;  // ICMP: 66CDh + 17 - 1
  packet[11] = 0xDD;
  EXPECT_EQ(verify(padded(ethernet(0x0800) + packet)), kIpGood);
  packet[9] = 4;  // IPv4 in IPv4: unsupported as a whole (manual table 3-5)
  EXPECT_EQ(verify(padded(ethernet(0x0800) + packet)), kIgnored);
  EXPECT_EQ(verify(padded(ethernet(0x0806) + packet)), kIgnored) << "ARP";
}

TEST(ReceiveChecksum, Ipv6ExtensionHeadersAreWalked) {
  const auto header = [](unsigned next, unsigned units) {
    Packet bytes((1 + units) * 8, 0);
    bytes[0] = static_cast<std::uint8_t>(next);
    bytes[1] = static_cast<std::uint8_t>(units);
    return bytes;
  };
  const auto v6 = [](unsigned next, const Packet& payload) {
    return verify(ethernet(0x86DD) + ipv6(next, payload));
  };
  for (unsigned kind : {0U, 43U, 60U}) {
    EXPECT_EQ(v6(kind, header(17, 0) + kUdpSegment6), kTransportGood) << kind;
    EXPECT_EQ(v6(kind, header(17, 7) + kUdpSegment6), kTransportGood) << kind << ": 64 bytes";
    EXPECT_EQ(v6(kind, header(17, 8) + kUdpSegment6), kIgnored) << kind << ": 72 bytes";
    EXPECT_EQ(v6(kind, header(17, 2)), kIgnored) << kind << ": nothing after it";
  }
  EXPECT_EQ(v6(0, header(60, 0) + header(43, 1) + header(60, 0) + header(17, 0) + kUdpSegment6),
            kTransportGood);
  EXPECT_EQ(v6(44, header(17, 0) + kUdpSegment6), kIgnored) << "fragment";
  EXPECT_EQ(v6(51, header(17, 0) + kUdpSegment6), kIgnored) << "authentication";
  EXPECT_EQ(v6(59, kUdpSegment6), kIgnored) << "no next header";
  auto routing = header(17, 2);
  routing[3] = 1;
  EXPECT_EQ(v6(43, routing + kUdpSegment6), kIgnored) << "segments left";
  Packet chain;
  for (int i = 0; i < 7; ++i) chain = chain + header(60, 0);
  EXPECT_EQ(v6(60, chain + header(17, 0) + kUdpSegment6), kTransportGood) << "8 headers";
  EXPECT_EQ(v6(60, chain + header(60, 0) + header(17, 0) + kUdpSegment6), kIgnored) << "9 headers";
}

TEST(ReceiveChecksum, Ipv6InIpv4IsUnderstood) {
  Packet outer{0x45, 0, 0, 70, 0, 0, 0, 0, 0x40, 41, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2};
  // 4500h + 46h + 4029h + 1403h = 9972h.
  outer[10] = 0x66;
  outer[11] = 0x8D;
  const auto frame = ethernet(0x0800) + outer + kIpv6Udp;
  EXPECT_EQ(verify(frame), kBothGood);
  EXPECT_EQ(verify(frame, kIp | kTu), kIpGood);
  auto damaged = frame;
  damaged.back() ^= 1;
  EXPECT_EQ(verify(damaged), (Expected{kIpcs | kTcpcs, kTcpe}));
}

TEST(PacketChecksum, SumsFromPcss) {
  const Packet stored{0x12, 0x34, 0x56, 0x78, 0x9A};
  EXPECT_EQ(packet_checksum(stored, 0), 0x02AD);  // 1234 + 5678 + 9A00 = 102AC
  EXPECT_EQ(packet_checksum(stored, 1), 0xACF0);  // 3456 + 789A
  EXPECT_EQ(packet_checksum(stored, 2), 0xF078);
  EXPECT_EQ(packet_checksum(stored, 4), 0x9A00);
  EXPECT_EQ(packet_checksum(stored, 5), 0);
  EXPECT_EQ(packet_checksum(stored, 0xFF), 0);
  EXPECT_EQ(packet_checksum({}, 0), 0);
  EXPECT_EQ(packet_checksum(stored, kEverything | 2), 0xF078) << "only PCSS counts";
}

// ---------------------------------------------------------------------------------------------
// The same rules once more, as plainly as possible: indices into the frame, sums modulo 65535.

class Reference {
 public:
  Reference(const Packet& frame, std::uint32_t rxcsum, bool part_ipv6)
      : f_(frame),
        ip_((rxcsum & kIp) != 0),
        tu_((rxcsum & kTu) != 0),
        v6_((rxcsum & kV6) != 0 && part_ipv6) {}

  Expected run() {
    if (!ip_ && !tu_) return kIgnored;
    link(12);
    return out_.status == 0 ? kIgnored : out_;
  }

 private:
  unsigned u8(std::size_t i) const { return f_.at(i); }
  unsigned u16(std::size_t i) const { return u8(i) * 256 + u8(i + 1); }
  std::uint64_t sum(std::size_t from, std::size_t to) const {
    std::uint64_t total = 0;
    for (std::size_t i = from; i < to; ++i) total += u8(i) * ((i - from) % 2 == 0 ? 256U : 1U);
    return total;
  }
  static bool good(std::uint64_t total) { return total != 0 && total % 65535 == 0; }

  void link(std::size_t type_at) {
    if (f_.size() < type_at + 2) return;
    if (type_at == 12 && u16(12) == kVlan) return link(16);
    const std::size_t body = type_at + 2;
    const unsigned type = u16(type_at);
    if (type > 1500) return network(type, body, f_.size());
    if (body + type > f_.size() || type < 8) return;
    const Packet expected{0xAA, 0xAA, 3, 0, 0, 0};
    for (std::size_t i = 0; i < 6; ++i) {
      if (u8(body + i) != expected[i]) return;
    }
    network(u16(body + 6), body + 8, body + type);
  }
  void network(unsigned type, std::size_t at, std::size_t end) {
    if (type == 0x0800) four(at, end);
    if (type == 0x86DD) six(at, end);
  }
  void four(std::size_t at, std::size_t end) {
    if (end - at < 20 || u8(at) / 16 != 4) return;
    const std::size_t header = u8(at) % 16 * 4, total = u16(at + 2);
    if (header < 20 || header > total || at + total > end || u8(at + 9) == 4) return;
    if (ip_) {
      out_.status |= kIpcs;
      if (!good(sum(at, at + header))) out_.errors |= kIpe;
    }
    const bool fragment = (u8(at + 6) & 0x20) != 0 || u16(at + 6) % 0x2000 != 0;
    if (fragment) return;
    if (u8(at + 9) == 41) return six(at + header, at + total);
    transport(u8(at + 9), at + header, at + total, sum(at + 12, at + 20));
  }
  void six(std::size_t at, std::size_t end) {
    if (!v6_ || end - at < 40 || u8(at) / 16 != 6) return;
    const std::size_t stop = at + 40 + u16(at + 4);
    if (stop > end) return;
    std::size_t here = at + 40;
    unsigned next = u8(at + 6);
    for (int count = 0; next == 0 || next == 43 || next == 60; ++count) {
      if (count == 8 || stop - here < 8) return;
      const std::size_t bytes = u8(here + 1) * 8 + 8;
      if (bytes > 64 || here + bytes > stop) return;
      if (next == 43 && u8(here + 3) > 0) return;
      next = u8(here);
      here += bytes;
    }
    transport(next, here, stop, sum(at + 8, at + 40));
  }
  void transport(unsigned protocol, std::size_t at, std::size_t end, std::uint64_t addresses) {
    const std::size_t length = end - at;
    if (!tu_) return;
    if (protocol == 6) {
      if (length < 20 || u8(at + 12) / 16 < 5 || u8(at + 12) / 16 * 4 > length) return;
    } else if (protocol == 17) {
      if (length < 8 || u16(at + 4) != length || u16(at + 6) == 0) return;
    } else {
      return;
    }
    out_.status |= kTcpcs;
    if (!good(addresses + protocol + length + sum(at, end))) out_.errors |= kTcpe;
  }

  const Packet& f_;
  bool ip_, tu_, v6_;
  Expected out_{0, 0};
};

/// Random frames, mostly sound, with a taste for every header there is.
class Generator {
 public:
  explicit Generator(unsigned seed) : random_(seed) {}

  unsigned below(unsigned limit) { return static_cast<unsigned>(random_() % limit); }
  Packet bytes(std::size_t count) {
    Packet result(count);
    for (auto& byte : result) byte = static_cast<std::uint8_t>(below(256));
    return result;
  }
  Packet frame() {
    const bool six = below(2) == 0;
    const Packet packet = six ? ip6() : ip4();
    const unsigned type = six ? 0x86DD : 0x0800;
    Packet head = below(4) == 0 ? snap(type, packet.size()) : ethernet(type);
    if (below(4) == 0) {
      const Packet tag = be16(kVlan) + bytes(2);
      head.insert(head.begin() + 12, tag.begin(), tag.end());
    }
    Packet frame = head + packet + Packet(below(3) * 10);
    const unsigned damage = below(8);
    if (damage < 3) frame[below(static_cast<unsigned>(frame.size()))] ^= 1 << below(8);
    if (damage == 3) frame.resize(below(static_cast<unsigned>(frame.size() + 1)));
    return frame;
  }

 private:
  static unsigned complement(const Packet& data, std::uint64_t start) {
    for (std::size_t i = 0; i < data.size(); ++i) start += data[i] * (i % 2 == 0 ? 256U : 1U);
    const auto rest = static_cast<unsigned>(65535 - start % 65535);
    return rest == 0 ? 65535 : rest;
  }
  static void put(Packet& data, std::size_t at, unsigned value) {
    data[at] = static_cast<std::uint8_t>(value >> 8);
    data[at + 1] = static_cast<std::uint8_t>(value);
  }
  Packet segment(unsigned protocol, const Packet& addresses) {
    Packet data = bytes(20 + 4 * below(5) + below(50));
    const std::size_t sum_at = protocol == 6 ? 16 : 6;
    if (protocol == 6) data[12] = 0x50;
    if (protocol == 17) put(data, 4, static_cast<unsigned>(data.size()));
    put(data, sum_at, 0);
    std::uint64_t start = protocol + data.size();
    for (std::size_t i = 0; i < addresses.size(); i += 2) {
      start += addresses[i] * 256U + addresses[i + 1];
    }
    if (below(10) != 0) put(data, sum_at, complement(data, start));
    return data;
  }
  unsigned protocol() {
    constexpr std::array<unsigned, 8> kChoices{6, 6, 6, 17, 17, 17, 1, 4};
    return kChoices[below(8)];
  }
  Packet ip4() {
    const bool tunnel = below(6) == 0;
    const unsigned kind = tunnel ? 41 : protocol();
    const Packet addresses = bytes(8);
    const Packet payload = tunnel ? ip6() : segment(kind, addresses);
    const std::size_t words = 5 + (below(3) == 0 ? below(11) : 0);
    Packet header(12);
    header[0] = static_cast<std::uint8_t>(0x40 + words);
    put(header, 2, static_cast<unsigned>(words * 4 + payload.size()));
    if (below(8) == 0) put(header, 6, below(65536));
    header[8] = 64;
    header[9] = static_cast<std::uint8_t>(kind);
    header = header + addresses + bytes(words * 4 - 20);
    put(header, 10, complement(header, 0));
    return header + payload;
  }
  Packet ip6() {
    constexpr std::array<unsigned, 3> kExtensions{0, 43, 60};
    const Packet addresses = bytes(32);
    unsigned next = protocol();
    Packet payload = segment(next, addresses);
    for (unsigned count = below(3) == 0 ? below(10) : 0; count > 0; --count) {
      Packet header = bytes(8 + 8 * below(below(4) == 0 ? 9 : 2));
      header[0] = static_cast<std::uint8_t>(next);
      header[1] = static_cast<std::uint8_t>(header.size() / 8 - 1);
      header[3] = below(8) == 0 ? 1 : 0;
      next = below(20) == 0 ? 44 : kExtensions[below(3)];
      payload = header + payload;
    }
    return Packet{0x60, 0, 0, 0} + be16(static_cast<unsigned>(payload.size())) +
           Packet{static_cast<std::uint8_t>(next), 64} + addresses + payload;
  }

  std::mt19937 random_;
};

TEST(ReceiveChecksum, AgreesWithAPlainImplementation) {
  Generator generator(2024);
  std::map<int, int> seen;
  for (int i = 0; i < 60000; ++i) {
    const Packet frame = generator.frame();
    const std::uint32_t rxcsum = generator.below(4) == 0 ? generator.below(2048) : kEverything;
    const bool part_ipv6 = generator.below(8) != 0;
    const Expected expected = Reference(frame, rxcsum, part_ipv6).run();
    ASSERT_EQ(verify(frame, rxcsum, part_ipv6), expected) << "frame " << i;
    ++seen[expected.status * 256 + expected.errors];
  }
  // Both verdicts of every check must have come up often enough to mean something.
  for (int outcome : {kIxsm * 256, kIpcs * 256, kIpcs * 256 + kIpe, kTcpcs * 256,
                      kTcpcs * 256 + kTcpe, (kIpcs | kTcpcs) * 256, (kIpcs | kTcpcs) * 256 + kIpe,
                      (kIpcs | kTcpcs) * 256 + kTcpe, (kIpcs | kTcpcs) * 256 + (kIpe | kTcpe)}) {
    EXPECT_GT(seen[outcome], 50) << std::hex << outcome;
  }
}

TEST(ReceiveChecksum, EveryTruncationAgreesAndStaysInside) {
  Generator generator(5);
  for (int i = 0; i < 300; ++i) {
    Packet frame = generator.frame();
    for (;; frame.pop_back()) {
      ASSERT_EQ(verify(frame), Reference(frame, kEverything, true).run()) << frame.size();
      if (frame.empty()) break;
    }
  }
}

TEST(ReceiveChecksum, RandomBytesAgreeAndStayInside) {
  Generator generator(6);
  for (int i = 0; i < 100000; ++i) {
    const std::size_t size = generator.below(120);
    const Packet frame =
        ethernet(generator.below(2) == 0 ? 0x0800 : 0x86DD) + generator.bytes(size);
    ASSERT_EQ(verify(frame), Reference(frame, kEverything, true).run());
    Packet hint = frame;  // half of them with a version and length that let the parser in further
    if (size >= 40) {
      hint[14] = hint[12] == 0x08 ? 0x45 : 0x60;
      hint[12 + 2 + 2] = 0;
      hint[12 + 2 + 4] = 0;
      hint[14 + 3] %= 64;
      hint[14 + 5] %= 64;
      hint[14 + 6] %= 64;
    }
    ASSERT_EQ(verify(hint), Reference(hint, kEverything, true).run());
  }
}

}  // namespace
}  // namespace e1000tlm::e1000
