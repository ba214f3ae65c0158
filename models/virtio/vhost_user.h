#pragma once
/// Messages of the vhost-user protocol: from bytes and to bytes, for both sides. No SystemC.
///
/// A front-end (a virtual machine, or our link partner) owns virtqueues and lets a back-end (a
/// software switch, or our device) work on them. Both talk over a UNIX socket; the back-end may
/// have a second socket for requests of its own. A message is a header of 12 bytes and a payload,
/// in the byte order of the machine, which is little endian here; descriptors travel beside it.
/// Source: QEMU's docs/interop/vhost-user.rst.

#include <array>
#include <cstdint>
#include <gsl/span>
#include <string>
#include <variant>
#include <vector>

#include "e1000tlm/tlm/bytes.h"

namespace e1000tlm::virtio::vhost_user {

/// Bytes of a header.
inline constexpr std::size_t kHeaderBytes = 12;
/// Most bytes of a payload that is taken; no request of the protocol has more.
inline constexpr std::uint32_t kMostPayload = 2048;
/// Most descriptors beside a message.
inline constexpr std::size_t kMostDescriptors = 8;
/// Most regions in a memory table.
inline constexpr std::size_t kMostRegions = 8;
/// Most bytes of a device's configuration space.
inline constexpr std::size_t kMostConfig = 256;

/// Who sends a request; the two sides number theirs independently.
enum class Side : std::uint8_t { kFrontEnd, kBackEnd };

/// Requests of the front-end.
enum class Request : std::uint32_t {
  kGetFeatures = 1,
  kSetFeatures = 2,
  kSetOwner = 3,
  kResetOwner = 4,
  kSetMemTable = 5,
  kSetLogBase = 6,
  kSetLogFd = 7,
  kSetVringNum = 8,
  kSetVringAddr = 9,
  kSetVringBase = 10,
  kGetVringBase = 11,
  kSetVringKick = 12,
  kSetVringCall = 13,
  kSetVringErr = 14,
  kGetProtocolFeatures = 15,
  kSetProtocolFeatures = 16,
  kGetQueueNum = 17,
  kSetVringEnable = 18,
  kSendRarp = 19,
  kNetSetMtu = 20,
  kSetBackendReqFd = 21,
  kIotlbMsg = 22,
  kSetVringEndian = 23,
  kGetConfig = 24,
  kSetConfig = 25,
  kCreateCryptoSession = 26,
  kCloseCryptoSession = 27,
  kPostcopyAdvise = 28,
  kPostcopyListen = 29,
  kPostcopyEnd = 30,
  kGetInflightFd = 31,
  kSetInflightFd = 32,
  kGpuSetSocket = 33,
  kResetDevice = 34,
  kVringKick = 35,
  kGetMaxMemSlots = 36,
  kAddMemReg = 37,
  kRemMemReg = 38,
  kSetStatus = 39,
  kGetStatus = 40,
  kGetSharedObject = 41,
  kSetDeviceStateFd = 42,
  kCheckDeviceState = 43,
};

/// Requests of the back-end, on the socket that kSetBackendReqFd handed over.
enum class BackendRequest : std::uint32_t {
  kIotlbMsg = 1,
  kConfigChangeMsg = 2,
  kVringHostNotifierMsg = 3,
  kVringCall = 4,
  kVringErr = 5,
  kSharedObjectAdd = 6,
  kSharedObjectRemove = 7,
  kSharedObjectLookup = 8,
};

/// Bits of features that are the protocol's own, beside those of the device (virtio 1.2, 2.2).
namespace feature {
inline constexpr std::uint64_t kLogAll = 1ULL << 26;
inline constexpr std::uint64_t kProtocolFeatures = 1ULL << 30;
}  // namespace feature

/// Bits of protocol features.
namespace protocol_feature {
inline constexpr std::uint64_t kMq = 1ULL << 0, kLogShmfd = 1ULL << 1, kRarp = 1ULL << 2,
                               kReplyAck = 1ULL << 3, kMtu = 1ULL << 4, kBackendReq = 1ULL << 5,
                               kCrossEndian = 1ULL << 6, kCryptoSession = 1ULL << 7,
                               kPageFault = 1ULL << 8, kConfig = 1ULL << 9,
                               kBackendSendFd = 1ULL << 10, kHostNotifier = 1ULL << 11,
                               kInflightShmfd = 1ULL << 12, kResetDevice = 1ULL << 13,
                               kInbandNotifications = 1ULL << 14, kConfigureMemSlots = 1ULL << 15,
                               kStatus = 1ULL << 16;
}  // namespace protocol_feature

/// What stands before each payload.
struct Header {
  /// See Request and BackendRequest; not checked.
  std::uint32_t request = 0;
  /// An answer, not a question.
  bool reply = false;
  /// Whoever sent it waits for an answer although the request itself has none.
  bool need_reply = false;
  /// Of the payload, in bytes; at most kMostPayload.
  std::uint32_t size = 0;
};

/// The header at the start of `bytes` (at least kHeaderBytes). A text instead: it cannot be one,
/// and why; nothing after it can be understood.
std::variant<Header, std::string> parse_header(ConstBytes bytes);

// --- payloads ---

/// No payload.
using None = std::monostate;
/// A number: features, a status, an acknowledgement (0: done).
struct Number {
  std::uint64_t value = 0;  ///< any
};
/// About a ring.
struct VringState {
  std::uint32_t index = 0;  ///< of the ring
  std::uint32_t num = 0;    ///< its size, its next available index, whether it is enabled ...
};
/// Where a ring is: user addresses of the front-end.
struct VringAddr {
  std::uint32_t index = 0;        ///< of the ring
  std::uint32_t flags = 0;        ///< bit 0: writes to the used ring are logged
  std::uint64_t descriptors = 0;  ///< descriptor table
  std::uint64_t used = 0;         ///< used ring
  std::uint64_t available = 0;    ///< available ring
  std::uint64_t log = 0;          ///< guest address for logging
};
/// A descriptor of a ring: kick, call or error.
struct VringFd {
  std::uint8_t index = 0;      ///< of the ring
  bool has_descriptor = true;  ///< false: none comes, the other side polls
};
/// A piece of memory that both sides share, of a descriptor.
struct MemoryRegion {
  std::uint64_t guest_address = 0;  ///< that buffers are named by
  std::uint64_t size = 0;           ///< bytes; not 0, and no address or offset exceeds 2^64 - 1
  std::uint64_t user_address = 0;   ///< that rings are named by
  std::uint64_t offset = 0;         ///< in the descriptor
};
/// All memory; each region has a descriptor of its own.
struct MemoryTable {
  std::vector<MemoryRegion>
      regions;  ///< at most kMostRegions; their guest addresses do not overlap
};
/// Memory in which writes are noted, of a descriptor.
struct Log {
  std::uint64_t size = 0;    ///< bytes
  std::uint64_t offset = 0;  ///< in the descriptor
};
/// About a translation of addresses.
struct Iotlb {
  std::uint64_t iova = 0;          ///< the device's address
  std::uint64_t size = 0;          ///< bytes
  std::uint64_t user_address = 0;  ///< the same in the front-end
  std::uint8_t permissions = 0;    ///< 1: read, 2: write, 3: both
  std::uint8_t type = 0;           ///< 1: miss, 2: update, 3: invalidate, 4: access failed
};
/// A part of the device's configuration space.
struct Config {
  std::uint32_t offset = 0;        ///< of its first byte
  std::uint32_t flags = 0;         ///< 1: for live migration
  std::vector<std::uint8_t> data;  ///< at most kMostConfig with the offset
};
/// A part of a device that is the doorbell of a ring, of a descriptor.
struct VringArea {
  std::uint64_t index_and_flags = 0;  ///< bits 0 to 7 ring, bit 8: no descriptor comes
  std::uint64_t size = 0;             ///< bytes
  std::uint64_t offset = 0;           ///< in the descriptor
};
/// Memory in which a back-end keeps what it is about, of a descriptor.
struct Inflight {
  std::uint64_t size = 0;        ///< bytes
  std::uint64_t offset = 0;      ///< in the descriptor
  std::uint16_t queues = 0;      ///< how many
  std::uint16_t queue_size = 0;  ///< of each
};
/// What this does not take apart (sessions of crypto devices, shared objects, device state).
struct Opaque {
  std::vector<std::uint8_t> bytes;  ///< as they came
};

/// Any of them.
using Payload = std::variant<None, Number, VringState, VringAddr, VringFd, MemoryTable,
                             MemoryRegion, Log, Iotlb, Config, VringArea, Inflight, Opaque>;
/// The same, by name; in the order of Payload.
enum class PayloadKind : std::uint8_t {
  kNone,
  kNumber,
  kVringState,
  kVringAddr,
  kVringFd,
  kMemoryTable,
  kMemoryRegion,
  kLog,
  kIotlb,
  kConfig,
  kVringArea,
  kInflight,
  kOpaque,
};

/// What the protocol says of a request.
struct RequestInfo {
  std::uint32_t number;  ///< see Request, BackendRequest
  const char* name;      ///< as the protocol's document has it, without VHOST_USER_
  PayloadKind payload;   ///< of the request
  std::uint8_t min_descriptors, max_descriptors;  ///< beside it, unless its payload tells
  PayloadKind reply;  ///< kNone: it has no answer unless one is asked for by need_reply
  std::uint8_t reply_descriptors;  ///< most beside the answer
};

/// All requests of a side, by number.
gsl::span<const RequestInfo> requests(Side side);
/// One of them; nullptr: there is none of that number.
const RequestInfo* find_request(Side side, std::uint32_t number);
/// Its name; "request 99" if there is none.
std::string request_name(Side side, std::uint32_t number);

/// What a message asks for; it came with so many descriptors. A text instead: it breaks the
/// protocol, and how. `body` has header.size bytes.
std::variant<Payload, std::string> parse_request(Side side, const Header& header, ConstBytes body,
                                                 std::size_t descriptors);

/// The answer to the request `asked` of `side`, with the header that came. A text instead: it is no
/// answer to that, and why.
std::variant<Payload, std::string> parse_reply(Side side, const Header& asked, const Header& header,
                                               ConstBytes body, std::size_t descriptors);

// --- to bytes ---

/// A message of bytes.
using Message = std::vector<std::uint8_t>;

/// A request of the front-end.
Message encode(Request request, const Payload& payload = {}, bool need_reply = false);
/// A request of the back-end.
Message encode(BackendRequest request, const Payload& payload = {}, bool need_reply = false);
/// The answer to a request.
Message encode_reply(const Header& to, const Payload& payload);

/// For message logs: "SET_VRING_NUM index=0 num=256", "reply to GET_FEATURES 0x130000000".
std::string describe(Side side, const Header& header, const Payload& payload);

}  // namespace e1000tlm::virtio::vhost_user
