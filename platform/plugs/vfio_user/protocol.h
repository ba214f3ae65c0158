#pragma once
/// Messages of the vfio-user protocol, version 0.x: from bytes and to bytes. No SystemC.
///
/// A client (QEMU, cloud-hypervisor) uses a device that a server provides. Both send messages: a
/// header of 16 bytes and a body, all little endian. Descriptors travel beside them.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "e1000tlm/tlm/bytes.h"

namespace e1000tlm::plugs::vfio_user {

/// What a message asks for.
enum class Command : std::uint16_t {
  kVersion = 1,
  kDmaMap = 2,
  kDmaUnmap = 3,
  kGetInfo = 4,
  kGetRegionInfo = 5,
  kGetRegionIoFds = 6,
  kGetIrqInfo = 7,
  kSetIrqs = 8,
  kRegionRead = 9,
  kRegionWrite = 10,
  kDmaRead = 11,   ///< from server to client
  kDmaWrite = 12,  ///< ditto
  kReset = 13,
  kRegionWriteMulti = 15,
};

/// Bytes of a header.
inline constexpr std::size_t kHeaderBytes = 16;
/// Most bytes of data in one message; negotiated as "max_data_xfer_size".
inline constexpr std::uint32_t kMostData = 1U << 20;
/// Most bytes of a whole message.
inline constexpr std::uint32_t kMostMessage = kMostData + 64;
/// Most descriptors beside one message; negotiated as "max_msg_fds".
inline constexpr std::size_t kMostDescriptors = 8;
/// Most regions of guest memory that are mapped at a time; negotiated as "max_dma_maps".
inline constexpr std::size_t kMostMaps = 65'535;
/// Most writes in one message.
inline constexpr std::size_t kMostWrites = 200;

/// What stands before each body.
struct Header {
  /// Chosen by who asks; the answer has the same.
  std::uint16_t id = 0;
  /// See Command; not checked.
  std::uint16_t command = 0;
  /// Of header and body, in bytes.
  std::uint32_t size = 0;
  /// An answer, not a question.
  bool reply = false;
  /// Nobody waits for an answer.
  bool no_reply = false;
  /// The answer is a refusal; `error` says why.
  bool failed = false;
  /// An errno; 0: none.
  std::uint32_t error = 0;
};

/// The fields at the start of `bytes` (at least kHeaderBytes), whatever they are.
Header header_fields(ConstBytes bytes);
/// The header at the start of `bytes` (at least kHeaderBytes). A text instead: it cannot be one,
/// and why; nothing after it can be understood.
std::variant<Header, std::string> parse_header(ConstBytes bytes);

// --- requests of the client, by their fields ---

/// Which protocol, and what the client is able to.
struct Version {
  /// Must be 0.
  std::uint16_t major = 0;
  /// Any.
  std::uint16_t minor = 0;
  /// Most descriptors it takes beside a message.
  std::uint64_t most_descriptors = 1;
  /// Most data it takes in a message, bytes.
  std::uint64_t most_data = kMostData;
};
/// A piece of guest memory appears.
struct DmaMap {
  bool readable = false;     ///< by the device
  bool writable = false;     ///< by the device
  std::uint64_t offset = 0;  ///< in the descriptor that comes with it, if one does
  /// First guest physical address.
  std::uint64_t address = 0;
  /// In bytes; the last address is at most 2^64 - 1.
  std::uint64_t size = 0;
};
/// A piece of guest memory goes away.
struct DmaUnmap {
  /// First guest physical address.
  std::uint64_t address = 0;
  /// In bytes.
  std::uint64_t size = 0;
  /// Everything that is mapped.
  bool all = false;
};
/// What kind of device it is.
struct GetInfo {};
/// About one region.
struct GetRegionInfo {
  /// 0 to 5: BARs, 6: expansion ROM, 7: configuration space.
  std::uint32_t index = 0;
};
/// Shortcuts into a region: descriptors that reach a part of it without a message.
struct GetRegionIoFds {
  /// See GetRegionInfo.
  std::uint32_t index = 0;
};
/// About one kind of interrupt.
struct GetIrqInfo {
  /// See Irq.
  std::uint32_t index = 0;
};
/// What to do with interrupts.
struct SetIrqs {
  /// With what.
  enum class Data : std::uint8_t {
    kNone,    ///< all of them
    kBool,    ///< those whose byte is not 0
    kEventFd  ///< descriptors come beside; none: as many go away
  };
  /// What.
  enum class Action : std::uint8_t { kMask, kUnmask, kTrigger };
  /// With what.
  Data data = Data::kNone;
  /// What.
  Action action = Action::kTrigger;
  /// See Irq.
  std::uint32_t index = 0;
  /// First of the kind.
  std::uint32_t start = 0;
  /// How many; 0 with kTrigger and kNone: none signals any more.
  std::uint32_t count = 0;
  /// Of kBool, `count` of them.
  std::vector<std::uint8_t> flags;
};
/// Reads from a region.
struct RegionRead {
  /// From its start.
  std::uint64_t offset = 0;
  /// See GetRegionInfo.
  std::uint32_t region = 0;
  /// At most kMostData bytes.
  std::uint32_t count = 0;
};
/// Writes to a region.
struct RegionWrite {
  /// From its start.
  std::uint64_t offset = 0;
  /// See GetRegionInfo.
  std::uint32_t region = 0;
  /// Valid as long as the message's body.
  ConstBytes data;
};
/// Several writes of at most 8 bytes, in this order.
struct RegionWriteMulti {
  /// One after the other; they point into the message's body.
  std::vector<RegionWrite> writes;
};
/// As at power-up.
struct Reset {};

/// Any of them.
using Request = std::variant<Version, DmaMap, DmaUnmap, GetInfo, GetRegionInfo, GetRegionIoFds,
                             GetIrqInfo, SetIrqs, RegionRead, RegionWrite, RegionWriteMulti, Reset>;

/// Why a request is none that can be served.
struct Refusal {
  /// For the client.
  int error = 0;
  /// For people.
  std::string why;
  /// Nothing more is to be taken from this client: the two do not speak the same protocol.
  bool fatal = false;
};

/// What a message asks for; it came with so many descriptors. Says nothing about whether the device
/// has what it asks for.
std::variant<Request, Refusal> parse_request(const Header& header, ConstBytes body,
                                             std::size_t descriptors);

/// Kinds of interrupts, as they are numbered in messages.
enum class Irq : std::uint8_t { kIntx, kMsi, kMsix, kError, kRequest };
/// How many kinds there are.
inline constexpr std::uint32_t kIrqKinds = 5;
/// How many regions there are: BARs, expansion ROM, configuration space, VGA.
inline constexpr std::uint32_t kRegions = 9;
/// Number of the expansion ROM among the regions.
inline constexpr std::uint32_t kRomRegion = 6;
/// Number of the configuration space among the regions.
inline constexpr std::uint32_t kConfigRegion = 7;

/// Bits of an interrupt's description.
namespace irq_flag {
inline constexpr std::uint32_t kEventFd = 1, kMaskable = 2, kAutoMasked = 4, kNoResize = 8;
}

// --- answers, and what the server asks ---

/// A message of bytes.
using Message = std::vector<std::uint8_t>;

/// The answer to Version.
Message version_reply(const Header& to, std::uint16_t minor);
/// An answer without a body.
Message empty_reply(const Header& to);
/// A refusal.
Message error_reply(const Header& to, int error);
/// The answer to DmaUnmap: what was asked.
Message unmap_reply(const Header& to, ConstBytes body);
/// The answer to GetInfo: a PCI device that can be reset.
Message info_reply(const Header& to);
/// The answer to GetRegionInfo. `size` 0: there is none.
Message region_reply(const Header& to, std::uint32_t index, std::uint64_t size, bool writable);
/// The answer to GetRegionIoFds: there are none.
Message io_fds_reply(const Header& to, std::uint32_t index);
/// The answer to GetIrqInfo.
Message irq_reply(const Header& to, std::uint32_t index, std::uint32_t flags, std::uint32_t count);
/// The answer to RegionRead; the data, request.count bytes, is to be filled in at its end.
Message read_reply(const Header& to, const RegionRead& request);
/// The answer to RegionWrite.
Message write_reply(const Header& to, const RegionWrite& request);
/// The answer to RegionWriteMulti.
Message write_multi_reply(const Header& to, std::uint64_t writes);

/// Asks for guest memory.
Message dma_read(std::uint16_t id, std::uint64_t address, std::uint32_t bytes);
/// Sends to guest memory.
Message dma_write(std::uint16_t id, std::uint64_t address, ConstBytes data);
/// The data of the answer to dma_read(); nullopt: it is no answer to that.
std::optional<ConstBytes> dma_read_data(ConstBytes body, std::uint64_t address,
                                        std::uint32_t bytes);

}  // namespace e1000tlm::plugs::vfio_user
