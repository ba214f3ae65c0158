#pragma once
/// Which pair of queues a received frame belongs to. No SystemC.

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "e1000tlm/tlm/bytes.h"
#include "e1000tlm/virtio/flow_fields.h"

namespace e1000tlm::virtio::net {

/// Kinds of packets that have a hash (virtio 1.2, 5.1.6.4.3.1).
namespace hash_type {
inline constexpr std::uint32_t kIpv4 = 1, kTcp4 = 2, kUdp4 = 4, kIpv6 = 8, kTcp6 = 16, kUdp6 = 32,
                               kIpv6Extended = 64, kTcp6Extended = 128, kUdp6Extended = 256;
/// All that there are.
inline constexpr std::uint32_t kAll = 511;
}  // namespace hash_type

/// What a hash was made of, as the packet's header says it (virtio 1.2, 5.1.6.4.3.4).
enum class HashReport : std::uint16_t {
  kNone = 0,
  kIpv4 = 1,
  kTcp4 = 2,
  kUdp4 = 3,
  kIpv6 = 4,
  kTcp6 = 5,
  kUdp6 = 6,
  kIpv6Extended = 7,
  kTcp6Extended = 8,
  kUdp6Extended = 9,
};

/// A packet's hash.
struct PacketHash {
  HashReport report = HashReport::kNone;  ///< kNone: it has none
  std::uint32_t value = 0;                ///< 0 without hash
};

/// The hash of receive-side scaling: each input bit that is set adds 32 bits of the key, from that
/// bit on.
class ToeplitzHash {
 public:
  /// Longest key, and longest input (two IPv6 addresses and two ports): the key's 32 last bits are
  /// those of the last input bit.
  static constexpr std::size_t kKeyBytes = 40, kInputBytes = 36;

  /// A shorter key goes on with zeros, of a longer one the rest does not count.
  void set_key(ConstBytes key);
  /// Of the first kInputBytes.
  std::uint32_t operator()(ConstBytes input) const;

 private:
  // What each half of each byte adds.
  std::array<std::array<std::uint32_t, 16>, 2 * kInputBytes> parts_{};
};

/// Hash and receive-side scaling as the driver has set them (virtio 1.2, 5.1.6.5.6 and 5.1.6.5.7).
struct HashConfig {
  /// Longest indirection table, as QEMU has it.
  static constexpr std::size_t kMostTable = 128;

  std::uint32_t types = 0;                        ///< hash_type bits
  std::vector<std::uint8_t> key;                  ///< at most ToeplitzHash::kKeyBytes
  bool steering = false;                          ///< the table decides; else hashes are told only
  std::uint16_t unclassified = 0;                 ///< pair of packets without hash
  std::array<std::uint16_t, kMostTable> table{};  ///< pairs, by the hash's lowest bits
  std::uint16_t mask = 0;                         ///< length of the table less one
};

/// Computes hashes of received packets, and chooses pairs by them.
class ReceiveHash {
 public:
  /// Replaces what held before.
  void configure(const HashConfig& config);
  /// No hashes.
  void reset() { configure({}); }
  /// There is something to compute.
  bool active() const { return config_.types != 0; }
  /// The table decides.
  bool steering() const { return config_.steering; }

  /// The packet's hash, of the most special kind that it is of and the driver wants (virtio 1.2,
  /// 5.1.6.4.3.2 and 5.1.6.4.3.3). Fragments have no ports.
  PacketHash operator()(ConstBytes frame) const;
  /// The pair that the table has for this hash. Without steering(): 0.
  unsigned pair(const PacketHash& hash) const {
    if (hash.report == HashReport::kNone) return config_.unclassified;
    return config_.table[hash.value & config_.mask];
  }

 private:
  PacketHash made(HashReport report, ConstBytes frame, std::uint32_t source,
                  std::uint32_t destination, std::uint32_t address_bytes,
                  std::uint32_t ports) const;

  HashConfig config_;
  ToeplitzHash toeplitz_;
};

/// Steering as Linux' tun device does it: answers come on the pair on which their flow last sent,
/// flows that never sent on one chosen by their hash. Unlike there flows do not age, so that
/// nothing depends on time; two flows of the same place displace each other.
class FlowTable {
 public:
  /// Places in the table, as many as Linux remembers flows.
  static constexpr std::size_t kFlows = 4096;

  /// A frame of this flow (symmetric_flow_hash()) was sent on the pair.
  void note(std::uint32_t flow, unsigned pair) {
    flows_[flow % kFlows] = {flow, static_cast<std::uint16_t>(pair + 1)};
  }
  /// The pair for a received frame of this flow, below `active`, which is not 0.
  unsigned pair(std::uint32_t flow, unsigned active) const {
    const Flow& known = flows_[flow % kFlows];
    if (known.hash == flow && known.pair != 0 && known.pair <= active) return known.pair - 1U;
    return static_cast<unsigned>(std::uint64_t{flow} * active >> 32);
  }
  /// Forgets all flows.
  void reset() { flows_.fill({}); }

 private:
  struct Flow {
    std::uint32_t hash = 0;
    std::uint16_t pair = 0;  // and one more; 0: none
  };
  std::array<Flow, kFlows> flows_{};
};

}  // namespace e1000tlm::virtio::net
