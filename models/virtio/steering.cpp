#include "e1000tlm/virtio/steering.h"

#include <algorithm>

namespace e1000tlm::virtio::net {
namespace {

using Network = FlowFields::Network;
using Transport = FlowFields::Transport;

constexpr std::uint32_t kIpv4AddressBytes = 4, kIpv6AddressBytes = 16, kPortBytes = 4;

/// Kinds of packets, the most special first.
struct Kind {
  Network network;
  std::optional<Transport> transport;
  bool extended;
  std::uint32_t type;
  HashReport report;
};
constexpr std::array<Kind, 9> kKinds{{
    {Network::kIpv4, Transport::kTcp, false, hash_type::kTcp4, HashReport::kTcp4},
    {Network::kIpv4, Transport::kUdp, false, hash_type::kUdp4, HashReport::kUdp4},
    {Network::kIpv4, std::nullopt, false, hash_type::kIpv4, HashReport::kIpv4},
    {Network::kIpv6, Transport::kTcp, true, hash_type::kTcp6Extended, HashReport::kTcp6Extended},
    {Network::kIpv6, Transport::kUdp, true, hash_type::kUdp6Extended, HashReport::kUdp6Extended},
    {Network::kIpv6, std::nullopt, true, hash_type::kIpv6Extended, HashReport::kIpv6Extended},
    {Network::kIpv6, Transport::kTcp, false, hash_type::kTcp6, HashReport::kTcp6},
    {Network::kIpv6, Transport::kUdp, false, hash_type::kUdp6, HashReport::kUdp6},
    {Network::kIpv6, std::nullopt, false, hash_type::kIpv6, HashReport::kIpv6},
}};

bool is_of(const Kind& kind, const FlowFields& fields) {
  return kind.network == fields.network &&
         (!kind.transport || *kind.transport == fields.transport) &&
         (!kind.extended || fields.extended);
}

}  // namespace

void ToeplitzHash::set_key(ConstBytes key) {
  std::array<std::uint8_t, kKeyBytes> whole{};
  const std::size_t bytes = std::min<std::size_t>(key.size(), kKeyBytes);
  std::copy_n(key.begin(), bytes, whole.begin());
  for (std::size_t half = 0; half < parts_.size(); ++half) {
    // The 32 bits of the key from each of this half's bits on stand in 5 bytes.
    const std::uint8_t* const from = &whole[half / 2];
    const std::uint64_t window = std::uint64_t{load_be32(from)} << 8 | from[4];
    const unsigned shift = half % 2 == 0 ? 8 : 4;
    for (unsigned bits = 1; bits < 16; ++bits) {
      std::uint32_t sum = 0;
      for (unsigned i = 0; i < 4; ++i) {
        if ((bits & 8U >> i) != 0) sum ^= static_cast<std::uint32_t>(window >> (shift - i));
      }
      parts_[half][bits] = sum;
    }
  }
}

std::uint32_t ToeplitzHash::operator()(ConstBytes input) const {
  std::uint32_t hash = 0;
  const std::size_t bytes = std::min<std::size_t>(input.size(), kInputBytes);
  for (std::size_t i = 0; i < bytes; ++i) {
    hash ^= parts_[2 * i][input[i] >> 4] ^ parts_[2 * i + 1][input[i] & 0x0F];
  }
  return hash;
}

void ReceiveHash::configure(const HashConfig& config) {
  config_ = config;
  config_.types &= hash_type::kAll;
  config_.mask %= HashConfig::kMostTable;
  toeplitz_.set_key(config.key);
}

PacketHash ReceiveHash::operator()(ConstBytes frame) const {
  if (!active()) return {};
  const FlowFields fields = flow_fields(frame);
  for (const Kind& kind : kKinds) {
    if ((config_.types & kind.type) == 0 || !is_of(kind, fields)) continue;
    const bool ipv4 = kind.network == Network::kIpv4;
    std::uint32_t source = fields.source, destination = fields.destination;
    if (kind.extended && fields.home_address != 0) source = fields.home_address;
    if (kind.extended && fields.routing_address != 0) destination = fields.routing_address;
    return made(kind.report, frame, source, destination,
                ipv4 ? kIpv4AddressBytes : kIpv6AddressBytes, kind.transport ? fields.ports : 0);
  }
  return {};
}

PacketHash ReceiveHash::made(HashReport report, ConstBytes frame, std::uint32_t source,
                             std::uint32_t destination, std::uint32_t address_bytes,
                             std::uint32_t ports) const {
  std::array<std::uint8_t, ToeplitzHash::kInputBytes> input{};
  std::uint8_t* end = std::copy_n(frame.data() + source, address_bytes, input.data());
  end = std::copy_n(frame.data() + destination, address_bytes, end);
  if (ports != 0) end = std::copy_n(frame.data() + ports, kPortBytes, end);
  const auto bytes = static_cast<std::size_t>(end - input.data());
  return {report, toeplitz_(ConstBytes(input.data(), bytes))};
}

}  // namespace e1000tlm::virtio::net
