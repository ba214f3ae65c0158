#pragma once
/// What a network device of virtio says and is asked (virtio 1.2, 5.1). No SystemC.

#include <array>
#include <cstdint>
#include <string_view>

namespace e1000tlm::virtio::net {

/// Feature bits (virtio 1.2, 5.1.3 and 6).
namespace feature {
inline constexpr std::uint64_t kCsum = 1ULL << 0;               ///< packets with partial checksum
inline constexpr std::uint64_t kGuestCsum = 1ULL << 1;          ///< the driver takes such packets
inline constexpr std::uint64_t kMtu = 1ULL << 3;                ///< the device has a largest MTU
inline constexpr std::uint64_t kMac = 1ULL << 5;                ///< the device has an address
inline constexpr std::uint64_t kGuestTso4 = 1ULL << 7;          ///< the driver takes long TCP, IPv4
inline constexpr std::uint64_t kGuestTso6 = 1ULL << 8;          ///< ditto, IPv6
inline constexpr std::uint64_t kGuestEcn = 1ULL << 9;           ///< ditto, with ECN
inline constexpr std::uint64_t kHostTso4 = 1ULL << 11;          ///< the device takes long TCP, IPv4
inline constexpr std::uint64_t kHostTso6 = 1ULL << 12;          ///< ditto, IPv6
inline constexpr std::uint64_t kHostEcn = 1ULL << 13;           ///< ditto, with ECN
inline constexpr std::uint64_t kMergeableBuffers = 1ULL << 15;  ///< packets in several buffers
inline constexpr std::uint64_t kStatus = 1ULL << 16;            ///< link status can be read
inline constexpr std::uint64_t kControlQueue = 1ULL << 17;      ///< there is a control queue
inline constexpr std::uint64_t kControlRx = 1ULL << 18;         ///< receive modes, address tables
inline constexpr std::uint64_t kControlVlan = 1ULL << 19;       ///< VLAN filter
inline constexpr std::uint64_t kControlRxExtra = 1ULL << 20;    ///< more receive modes
inline constexpr std::uint64_t kGuestAnnounce = 1ULL << 21;     ///< asks for gratuitous packets
inline constexpr std::uint64_t kMultiQueue = 1ULL << 22;        ///< several pairs of queues
inline constexpr std::uint64_t kControlMac = 1ULL << 23;        ///< address set by control queue
inline constexpr std::uint64_t kAnyLayout = 1ULL << 27;         ///< (legacy) header anywhere
inline constexpr std::uint64_t kIndirect = 1ULL << 28;          ///< indirect descriptors
inline constexpr std::uint64_t kEventIndex = 1ULL << 29;        ///< notices by index
inline constexpr std::uint64_t kVersion1 = 1ULL << 32;          ///< not legacy
inline constexpr std::uint64_t kInOrder = 1ULL << 35;           ///< buffers are used in order
inline constexpr std::uint64_t kRingReset = 1ULL << 40;         ///< single queues can be reset
inline constexpr std::uint64_t kHashReport = 1ULL << 57;        ///< hash in the packet's header
inline constexpr std::uint64_t kRss = 1ULL << 60;               ///< receive-side scaling
inline constexpr std::uint64_t kSpeedDuplex = 1ULL << 63;       ///< speed and duplex can be read
}  // namespace feature

/// A feature and its name in the specification, without VIRTIO_NET_F_ or VIRTIO_F_.
struct FeatureName {
  std::uint64_t bit;      ///< one bit
  std::string_view name;  ///< "MRG_RXBUF"
};
/// All that are above.
inline constexpr std::array<FeatureName, 28> kFeatureNames{{
    {feature::kCsum, "CSUM"},
    {feature::kGuestCsum, "GUEST_CSUM"},
    {feature::kMtu, "MTU"},
    {feature::kMac, "MAC"},
    {feature::kGuestTso4, "GUEST_TSO4"},
    {feature::kGuestTso6, "GUEST_TSO6"},
    {feature::kGuestEcn, "GUEST_ECN"},
    {feature::kHostTso4, "HOST_TSO4"},
    {feature::kHostTso6, "HOST_TSO6"},
    {feature::kHostEcn, "HOST_ECN"},
    {feature::kMergeableBuffers, "MRG_RXBUF"},
    {feature::kStatus, "STATUS"},
    {feature::kControlQueue, "CTRL_VQ"},
    {feature::kControlRx, "CTRL_RX"},
    {feature::kControlVlan, "CTRL_VLAN"},
    {feature::kControlRxExtra, "CTRL_RX_EXTRA"},
    {feature::kGuestAnnounce, "GUEST_ANNOUNCE"},
    {feature::kMultiQueue, "MQ"},
    {feature::kControlMac, "CTRL_MAC_ADDR"},
    {feature::kAnyLayout, "ANY_LAYOUT"},
    {feature::kIndirect, "INDIRECT_DESC"},
    {feature::kEventIndex, "EVENT_IDX"},
    {feature::kVersion1, "VERSION_1"},
    {feature::kInOrder, "IN_ORDER"},
    {feature::kRingReset, "RING_RESET"},
    {feature::kHashReport, "HASH_REPORT"},
    {feature::kRss, "RSS"},
    {feature::kSpeedDuplex, "SPEED_DUPLEX"},
}};

/// Device configuration (virtio 1.2, 5.1.4): offsets.
namespace config {
inline constexpr unsigned kMac = 0;            ///< address
inline constexpr unsigned kStatus = 6;         ///< kLinkUp, kAnnounce
inline constexpr unsigned kMostPairs = 8;      ///< pairs of queues
inline constexpr unsigned kMtu = 10;           ///< largest MTU
inline constexpr unsigned kSpeed = 12;         ///< Mbit/s
inline constexpr unsigned kDuplex = 16;        ///< 1: full
inline constexpr unsigned kRssMostKey = 17;    ///< longest hash key, bytes
inline constexpr unsigned kRssMostTable = 18;  ///< longest indirection table, entries
inline constexpr unsigned kHashTypes = 20;     ///< kinds of hashes
inline constexpr unsigned kBytes = 24;         ///< of all
}  // namespace config
/// Of config::kStatus: there is link.
inline constexpr std::uint16_t kLinkUp = 1;
/// Of config::kStatus: the driver is to announce itself.
inline constexpr std::uint16_t kAnnounce = 2;

/// The header before each packet (virtio 1.2, 5.1.6): offsets.
namespace header {
inline constexpr unsigned kFlags = 0;         ///< flags, below
inline constexpr unsigned kGsoType = 1;       ///< type of segmentation, below
inline constexpr unsigned kHeaderLength = 2;  ///< bytes of all headers of a long packet
inline constexpr unsigned kGsoSize = 4;       ///< payload of each segment
inline constexpr unsigned kCsumStart = 6;     ///< where the checksum begins to count
inline constexpr unsigned kCsumOffset = 8;    ///< from there to where it stands
inline constexpr unsigned kBuffers = 10;      ///< buffers that a received packet takes
inline constexpr unsigned kHashValue = 12;    ///< hash
inline constexpr unsigned kHashReport = 16;   ///< what of
/// Bytes of it: of a legacy device without mergeable buffers, of all others, with a hash.
inline constexpr unsigned kLegacyBytes = 10;  ///< legacy, without mergeable buffers
inline constexpr unsigned kBytes = 12;        ///< all others
inline constexpr unsigned kHashBytes = 20;    ///< with a hash
/// Flags.
inline constexpr std::uint8_t kNeedsCsum = 1;  ///< the checksum is that of the pseudo-header
inline constexpr std::uint8_t kDataValid = 2;  ///< checksums have been found right
/// Types of segmentation.
inline constexpr std::uint8_t kGsoNone = 0;    ///< none
inline constexpr std::uint8_t kGsoTcp4 = 1;    ///< TCP over IPv4
inline constexpr std::uint8_t kGsoUdp = 3;     ///< fragments of UDP over IPv4
inline constexpr std::uint8_t kGsoTcp6 = 4;    ///< TCP over IPv6
inline constexpr std::uint8_t kGsoEcn = 0x80;  ///< added: with ECN
}  // namespace header

/// Control commands (virtio 1.2, 5.1.6.5): classes and commands.
namespace control {
inline constexpr std::uint8_t kRx = 0;              ///< class: receive modes
inline constexpr std::uint8_t kRxPromiscuous = 0;   ///< all frames
inline constexpr std::uint8_t kRxAllMulticast = 1;  ///< all multicast
inline constexpr std::uint8_t kRxAllUnicast = 2;    ///< all unicast
inline constexpr std::uint8_t kRxNoMulticast = 3;   ///< no multicast
inline constexpr std::uint8_t kRxNoUnicast = 4;     ///< no unicast
inline constexpr std::uint8_t kRxNoBroadcast = 5;   ///< no broadcast
inline constexpr std::uint8_t kMac = 1;             ///< class: addresses
inline constexpr std::uint8_t kMacTables = 0;       ///< tables of unicast and multicast addresses
inline constexpr std::uint8_t kMacAddress = 1;      ///< the device's own
inline constexpr std::uint8_t kVlan = 2;            ///< class: VLANs
inline constexpr std::uint8_t kVlanAdd = 0;         ///< let pass
inline constexpr std::uint8_t kVlanRemove = 1;      ///< no longer
inline constexpr std::uint8_t kAnnounce = 3;        ///< class: announcement
inline constexpr std::uint8_t kAnnounceAck = 0;     ///< the driver has heard
inline constexpr std::uint8_t kMultiQueue = 4;      ///< class: pairs of queues
inline constexpr std::uint8_t kPairs = 0;           ///< so many
inline constexpr std::uint8_t kRssConfig = 1;       ///< receive-side scaling
inline constexpr std::uint8_t kHashConfig = 2;      ///< hashes only
/// Answers.
inline constexpr std::uint8_t kOk = 0;     ///< done
inline constexpr std::uint8_t kError = 1;  ///< not done
}  // namespace control

/// Most pairs of queues that the model has.
inline constexpr unsigned kMostPairs = 16;
/// Number of the queue on which pair `pair` receives, and on which it transmits.
inline constexpr unsigned receive_queue(unsigned pair) { return 2 * pair; }
/// Ditto.
inline constexpr unsigned transmit_queue(unsigned pair) { return 2 * pair + 1; }

}  // namespace e1000tlm::virtio::net
