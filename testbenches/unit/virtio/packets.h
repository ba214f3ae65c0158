#pragma once
/// Packets for tests of network devices.

#include <array>
#include <cstdint>
#include <vector>

#include "e1000tlm/link/checksum.h"
#include "e1000tlm/tlm/bytes.h"

namespace e1000tlm::virtio::net::test {

using Octets = std::vector<std::uint8_t>;

/// What a packet is like.
struct PacketSpec {
  bool ipv4 = true;
  bool tcp = true;  // else UDP
  bool tagged = false;
  std::size_t payload = 100;
  std::uint32_t sequence = 1000;
  std::uint16_t id = 1;
  std::uint8_t flags = 0x10;                        // ACK
  std::uint16_t source = 1000, destination = 2000;  // ports
  std::uint8_t host = 1;                            // last byte of the source address
  std::size_t padding = 0;
  bool swapped = false;  // the other direction
};

inline std::size_t ip_at(const PacketSpec& spec) { return spec.tagged ? 18 : 14; }
inline std::size_t transport_at(const PacketSpec& spec) {
  return ip_at(spec) + (spec.ipv4 ? 20 : 40);
}

/// Fills in the checksums of IPv4 and TCP or UDP.
inline void finish(Octets& p, const PacketSpec& spec) {
  const std::size_t ip = ip_at(spec), transport = transport_at(spec);
  const std::size_t end = p.size() - spec.padding;
  const Bytes packet(p.data(), end);
  const std::size_t at = transport + (spec.tcp ? 16 : 6);
  if (spec.ipv4) {
    store_be16(&p[ip + 10], 0);
    link::insert_checksum(packet, static_cast<unsigned>(ip), static_cast<unsigned>(transport - 1),
                          static_cast<unsigned>(ip + 10), false);
  }
  const std::uint32_t pseudo =
      link::ones_sum(spec.ipv4 ? packet.subspan(ip + 12, 8) : packet.subspan(ip + 8, 32)) +
      (spec.tcp ? 6U : 17U) + static_cast<std::uint32_t>(end - transport);
  store_be16(&p[at], 0);
  link::insert_checksum(packet, static_cast<unsigned>(transport), 0, static_cast<unsigned>(at),
                        !spec.tcp, pseudo);
}

/// Ethernet, IP, TCP or UDP, and a payload that counts up from the sequence number on.
inline Octets packet(const PacketSpec& spec) {
  const std::size_t ip = ip_at(spec), transport = transport_at(spec);
  const std::size_t headers = transport + (spec.tcp ? 20 : 8);
  Octets p(headers + spec.payload + spec.padding, 0);
  for (std::size_t i = 0; i < 12; ++i) p[i] = static_cast<std::uint8_t>(2 * (i + 1));
  if (spec.tagged) {
    store_be16(&p[12], 0x8100);
    store_be16(&p[14], 42);
  }
  store_be16(&p[ip - 2], spec.ipv4 ? 0x0800 : 0x86DD);
  const auto length = static_cast<std::uint16_t>(headers + spec.payload - ip);
  const auto end_of = [&](bool first) {
    return first != spec.swapped ? spec.host : std::uint8_t{200};
  };
  if (spec.ipv4) {
    p[ip] = 0x45;
    store_be16(&p[ip + 2], length);
    store_be16(&p[ip + 4], spec.id);
    p[ip + 8] = 64;
    p[ip + 9] = spec.tcp ? 6 : 17;
    store_be32(&p[ip + 12], 0x0A00'0000U + end_of(true));
    store_be32(&p[ip + 16], 0x0A00'0000U + end_of(false));
  } else {
    p[ip] = 0x60;
    store_be16(&p[ip + 4], static_cast<std::uint16_t>(length - 40));
    p[ip + 6] = spec.tcp ? 6 : 17;
    p[ip + 7] = 64;
    p[ip + 8] = p[ip + 24] = 0xFD;
    p[ip + 23] = end_of(true);
    p[ip + 39] = end_of(false);
  }
  store_be16(&p[transport], spec.swapped ? spec.destination : spec.source);
  store_be16(&p[transport + 2], spec.swapped ? spec.source : spec.destination);
  if (spec.tcp) {
    store_be32(&p[transport + 4], spec.sequence);
    store_be32(&p[transport + 8], 77);
    p[transport + 12] = 0x50;
    p[transport + 13] = spec.flags;
    store_be16(&p[transport + 14], 512);
  } else {
    store_be16(&p[transport + 4], static_cast<std::uint16_t>(8 + spec.payload));
  }
  for (std::size_t i = 0; i < spec.payload; ++i) {
    p[headers + i] = static_cast<std::uint8_t>(spec.sequence + i);
  }
  finish(p, spec);
  return p;
}

}  // namespace e1000tlm::virtio::net::test
