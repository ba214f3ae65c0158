#include "e1000tlm/plugs/vfio_user/protocol.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>

#include <nlohmann/json.hpp>

namespace e1000tlm::plugs::vfio_user {
namespace {

constexpr std::uint32_t kTypeMask = 0xF, kReplyType = 1, kNoReply = 0x10, kFailed = 0x20;
constexpr std::uint32_t kMapRead = 1, kMapWrite = 2;
constexpr std::uint32_t kMapNeedsFile = 0xC;  // mapped, or by file operations
constexpr std::uint32_t kMapKnown = kMapRead | kMapWrite | kMapNeedsFile;
constexpr std::uint32_t kUnmapDirty = 1, kUnmapAll = 2;
constexpr std::uint32_t kDataNone = 1, kDataBool = 2, kDataEventFd = 4, kDataMask = 7;
constexpr std::uint32_t kMask = 8, kUnmask = 16, kTrigger = 32, kActionMask = 56;
constexpr std::uint32_t kDeviceReset = 1, kDevicePci = 2;
constexpr std::uint32_t kRegionReadable = 1, kRegionWritable = 2;
constexpr std::size_t kMostJson = 4096;

using Result = std::variant<Request, Refusal>;

Refusal fatal(std::string why) { return {EINVAL, std::move(why), true}; }
Refusal invalid(std::string why, int error = EINVAL) { return {error, std::move(why), false}; }

/// What each command's body looks like, as far as its size says. Descriptors that do not belong to
/// a command are closed and mean nothing: SPDK's client sends one with DMA_UNMAP.
struct Shape {
  Command command;
  const char* name;
  std::size_t least;
  std::size_t most;
  std::uint32_t argsz;  // what its first field says at least; 0: it has none
};
constexpr std::size_t kAny = kMostMessage;
// clang-format off
constexpr std::array kShapes{
  Shape{Command::kVersion,          "VERSION",             4, 4 + kMostJson,  0},
  Shape{Command::kDmaMap,           "DMA_MAP",            32, kAny,          32},
  Shape{Command::kDmaUnmap,         "DMA_UNMAP",          24, kAny,          24},
  Shape{Command::kGetInfo,          "DEVICE_GET_INFO",    16, kAny,          16},
  Shape{Command::kGetRegionInfo,    "GET_REGION_INFO",    32, kAny,          32},
  Shape{Command::kGetRegionIoFds,   "GET_REGION_IO_FDS",  16, kAny,          16},
  Shape{Command::kGetIrqInfo,       "GET_IRQ_INFO",       16, kAny,          16},
  Shape{Command::kSetIrqs,          "SET_IRQS",           20, kAny,          20},
  Shape{Command::kRegionRead,       "REGION_READ",        16, 16,             0},
  Shape{Command::kRegionWrite,      "REGION_WRITE",       16, kAny,           0},
  Shape{Command::kReset,            "DEVICE_RESET",        0, 0,              0},
  Shape{Command::kRegionWriteMulti, "REGION_WRITE_MULTI",  8, kAny,           0},
};
/// Known, but of no use to this device: what belongs to migration.
constexpr std::uint16_t kFirstOfMigration = 16, kLastOfMigration = 18;
// clang-format on

/// A capability; `otherwise` if it is not named. nullopt: it is named, but not of this kind.
std::optional<std::uint64_t> number_in(const nlohmann::json& of, const char* name,
                                       std::uint64_t otherwise) {
  const auto found = of.find(name);
  if (found == of.end()) return otherwise;
  if (!found->is_number_unsigned()) return std::nullopt;
  return found->get<std::uint64_t>();
}

bool is_object_or_missing(const nlohmann::json& of, const char* name) {
  const auto found = of.find(name);
  return found == of.end() || found->is_object();
}

/// The first capability that is not what it has to be; empty: all are fine.
std::string read_capabilities(const nlohmann::json& capabilities, Version& version) {
  constexpr std::uint64_t kPage = 4096;
  const auto descriptors = number_in(capabilities, "max_msg_fds", version.most_descriptors);
  if (!descriptors) return "max_msg_fds";
  const auto data = number_in(capabilities, "max_data_xfer_size", version.most_data);
  if (!data || *data == 0) return "max_data_xfer_size";
  if (!is_object_or_missing(capabilities, "twin_socket")) return "twin_socket";
  if (!is_object_or_missing(capabilities, "migration")) return "migration";
  if (const auto migration = capabilities.find("migration"); migration != capabilities.end()) {
    const auto page = number_in(*migration, "pgsize", kPage);
    if (!page || *page == 0 || *page % kPage != 0) return "migration.pgsize";
  }
  version.most_descriptors = *descriptors;
  version.most_data = *data;
  return {};
}

Result parse_version(ConstBytes body) {
  Version version;
  version.major = load_le16(body.data());
  version.minor = load_le16(body.data() + 2);
  if (version.major != 0) {
    return fatal("VERSION: it speaks version " + std::to_string(version.major) + "." +
                 std::to_string(version.minor) + " of vfio-user, this program 0.x");
  }
  const ConstBytes text = body.subspan(4);
  if (text.empty()) return Request{version};
  if (text[text.size() - 1] != 0) return fatal("VERSION: its text has no end");
  const auto* first = reinterpret_cast<const char*>(text.data());
  const auto json = nlohmann::json::parse(first, first + (text.size() - 1), nullptr, false);
  if (text.size() == 1) return Request{version};
  if (!json.is_object()) return fatal("VERSION: its text is no JSON object");
  const auto capabilities = json.find("capabilities");
  if (capabilities == json.end()) return Request{version};
  if (!capabilities->is_object()) return fatal("VERSION: its capabilities are no object");
  const std::string wrong = read_capabilities(*capabilities, version);
  if (!wrong.empty()) return fatal("VERSION: its capability " + wrong + " has no such value");
  return Request{version};
}

bool wraps(std::uint64_t address, std::uint64_t size) {
  return size != 0 && size - 1 > std::numeric_limits<std::uint64_t>::max() - address;
}

Result parse_map(ConstBytes body, std::size_t descriptors) {
  const std::uint32_t flags = load_le32(body.data() + 4);
  DmaMap map;
  map.readable = (flags & kMapRead) != 0;
  map.writable = (flags & kMapWrite) != 0;
  map.offset = load_le64(body.data() + 8);
  map.address = load_le64(body.data() + 16);
  map.size = load_le64(body.data() + 24);
  if ((flags & ~kMapKnown) != 0) return invalid("DMA_MAP: unknown flags");
  if (descriptors > 1) return invalid("DMA_MAP: more than one descriptor");
  if ((flags & kMapNeedsFile) != 0 && descriptors == 0) {
    return invalid("DMA_MAP: it is to be reached by a descriptor, and none came");
  }
  if (!map.readable && !map.writable) return invalid("DMA_MAP: neither readable nor writable");
  if (map.size == 0 || wraps(map.address, map.size) || wraps(map.offset, map.size)) {
    return invalid("DMA_MAP: its size is none that memory can have");
  }
  return Request{map};
}

Result parse_unmap(ConstBytes body) {
  const std::uint32_t flags = load_le32(body.data() + 4);
  DmaUnmap unmap;
  unmap.address = load_le64(body.data() + 8);
  unmap.size = load_le64(body.data() + 16);
  unmap.all = (flags & kUnmapAll) != 0;
  if ((flags & kUnmapDirty) != 0) return invalid("DMA_UNMAP: dirty pages are not kept");
  if ((flags & ~(kUnmapDirty | kUnmapAll)) != 0) return invalid("DMA_UNMAP: unknown flags");
  if (unmap.all ? unmap.address != 0 || unmap.size != 0
                : unmap.size == 0 || wraps(unmap.address, unmap.size)) {
    return invalid("DMA_UNMAP: its size is none that memory can have");
  }
  return Request{unmap};
}

Result parse_io_fds(ConstBytes body) {
  if (load_le32(body.data() + 4) != 0 || load_le32(body.data() + 12) != 0) {
    return invalid("GET_REGION_IO_FDS: its flags and count are not 0");
  }
  return Request{GetRegionIoFds{load_le32(body.data() + 8)}};
}

Result parse_set_irqs(ConstBytes body, std::size_t descriptors) {
  const std::uint32_t flags = load_le32(body.data() + 4);
  SetIrqs set;
  set.index = load_le32(body.data() + 8);
  set.start = load_le32(body.data() + 12);
  set.count = load_le32(body.data() + 16);
  switch (flags & kDataMask) {
    case kDataNone: set.data = SetIrqs::Data::kNone; break;
    case kDataBool: set.data = SetIrqs::Data::kBool; break;
    case kDataEventFd: set.data = SetIrqs::Data::kEventFd; break;
    default: return invalid("SET_IRQS: not exactly one kind of data");
  }
  switch (flags & kActionMask) {
    case kMask: set.action = SetIrqs::Action::kMask; break;
    case kUnmask: set.action = SetIrqs::Action::kUnmask; break;
    case kTrigger: set.action = SetIrqs::Action::kTrigger; break;
    default: return invalid("SET_IRQS: not exactly one action");
  }
  if ((flags & ~(kDataMask | kActionMask)) != 0) return invalid("SET_IRQS: unknown flags");
  if (set.data != SetIrqs::Data::kEventFd && descriptors != 0) {
    return invalid("SET_IRQS: descriptors with it that it does not speak of");
  }
  const ConstBytes rest = body.subspan(20);
  const bool with_flags = set.data == SetIrqs::Data::kBool;
  if (rest.size() != (with_flags ? set.count : 0)) {
    return invalid("SET_IRQS: its size is not that of its data");
  }
  set.flags.assign(rest.begin(), rest.end());
  return Request{std::move(set)};
}

Result parse_read(ConstBytes body) {
  RegionRead read;
  read.offset = load_le64(body.data());
  read.region = load_le32(body.data() + 8);
  read.count = load_le32(body.data() + 12);
  if (read.count == 0 || read.count > kMostData) {
    return invalid("REGION_READ: " + std::to_string(read.count) + " bytes");
  }
  return Request{read};
}

Result parse_write(ConstBytes body) {
  RegionWrite write;
  write.offset = load_le64(body.data());
  write.region = load_le32(body.data() + 8);
  write.data = body.subspan(16);
  const std::uint32_t count = load_le32(body.data() + 12);
  if (write.data.size() != count) {
    return invalid("REGION_WRITE: its size is not that of its data");
  }
  if (count == 0 || count > kMostData) {
    return invalid("REGION_WRITE: " + std::to_string(count) + " bytes");
  }
  return Request{write};
}

Result parse_write_multi(ConstBytes body) {
  constexpr std::size_t kEach = 24, kMostEach = 8;
  const std::uint64_t count = load_le64(body.data());
  if (count > kMostWrites || body.size() != 8 + count * kEach) {
    return invalid("REGION_WRITE_MULTI: its size is not that of its writes");
  }
  RegionWriteMulti multi;
  for (std::size_t i = 0; i < count; ++i) {
    const ConstBytes one = body.subspan(8 + i * kEach, kEach);
    const std::uint32_t bytes = load_le32(one.data() + 12);
    if (bytes == 0 || bytes > kMostEach) {
      return invalid("REGION_WRITE_MULTI: a write of " + std::to_string(bytes) + " bytes");
    }
    multi.writes.push_back(
        {load_le64(one.data()), load_le32(one.data() + 8), one.subspan(16, bytes)});
  }
  return Request{std::move(multi)};
}

// --- answers ---

/// Room for a body after the header of an answer.
Message reply(const Header& to, std::size_t body) {
  Message message(kHeaderBytes + body);
  store_le16(message.data(), to.id);
  store_le16(message.data() + 2, to.command);
  store_le32(message.data() + 4, static_cast<std::uint32_t>(message.size()));
  store_le32(message.data() + 8, kReplyType);
  return message;
}

Message question(std::uint16_t id, Command command, std::size_t body) {
  Message message(kHeaderBytes + body);
  store_le16(message.data(), id);
  store_le16(message.data() + 2, static_cast<std::uint16_t>(command));
  store_le32(message.data() + 4, static_cast<std::uint32_t>(message.size()));
  return message;
}

std::uint8_t* body_of(Message& message) { return message.data() + kHeaderBytes; }

}  // namespace

Header header_fields(ConstBytes bytes) {
  Header header;
  header.id = load_le16(bytes.data());
  header.command = load_le16(bytes.data() + 2);
  header.size = load_le32(bytes.data() + 4);
  const std::uint32_t flags = load_le32(bytes.data() + 8);
  header.reply = (flags & kTypeMask) == kReplyType;
  header.no_reply = (flags & kNoReply) != 0;
  header.failed = (flags & kFailed) != 0;
  header.error = load_le32(bytes.data() + 12);
  return header;
}

std::variant<Header, std::string> parse_header(ConstBytes bytes) {
  const Header header = header_fields(bytes);
  const std::uint32_t flags = load_le32(bytes.data() + 8);
  if (header.size < kHeaderBytes || header.size > kMostMessage) {
    return "a message of " + std::to_string(header.size) + " bytes: expected " +
           std::to_string(kHeaderBytes) + " to " + std::to_string(kMostMessage);
  }
  if ((flags & kTypeMask) > kReplyType || (flags & ~(kTypeMask | kNoReply | kFailed)) != 0) {
    return "a message with flags that the protocol does not have: " + std::to_string(flags);
  }
  return header;
}

std::variant<Request, Refusal> parse_request(const Header& header, ConstBytes body,
                                             std::size_t descriptors) {
  const auto* shape = std::find_if(kShapes.begin(), kShapes.end(), [&](const Shape& s) {
    return static_cast<std::uint16_t>(s.command) == header.command;
  });
  if (shape == kShapes.end()) {
    const bool migration =
        header.command >= kFirstOfMigration && header.command <= kLastOfMigration;
    return invalid("command " + std::to_string(header.command) +
                       (migration ? ": migration is not offered" : ": unknown"),
                   migration ? ENOTSUP : EINVAL);
  }
  const std::string name = shape->name;
  if (body.size() < shape->least || body.size() > shape->most) {
    const std::string why = name + ": a body of " + std::to_string(body.size()) + " bytes";
    return shape->command == Command::kVersion ? fatal(why) : invalid(why);
  }
  if (shape->command == Command::kVersion && descriptors != 0) {
    return fatal("VERSION: with a descriptor");
  }
  if (shape->argsz != 0 && load_le32(body.data()) < shape->argsz) {
    return invalid(name + ": argsz is " + std::to_string(load_le32(body.data())) + ", at least " +
                   std::to_string(shape->argsz) + " is needed");
  }
  switch (shape->command) {
    case Command::kVersion: return parse_version(body);
    case Command::kDmaMap: return parse_map(body, descriptors);
    case Command::kDmaUnmap: return parse_unmap(body);
    case Command::kGetInfo: return Request{GetInfo{}};
    case Command::kGetRegionInfo: return Request{GetRegionInfo{load_le32(body.data() + 8)}};
    case Command::kGetRegionIoFds: return parse_io_fds(body);
    case Command::kGetIrqInfo: return Request{GetIrqInfo{load_le32(body.data() + 8)}};
    case Command::kSetIrqs: return parse_set_irqs(body, descriptors);
    case Command::kRegionRead: return parse_read(body);
    case Command::kRegionWrite: return parse_write(body);
    case Command::kRegionWriteMulti: return parse_write_multi(body);
    default: return Request{Reset{}};
  }
}

Message version_reply(const Header& to, std::uint16_t minor) {
  const nlohmann::json capabilities = {{"capabilities",
                                        {{"max_msg_fds", kMostDescriptors},
                                         {"max_data_xfer_size", kMostData},
                                         {"max_dma_maps", kMostMaps},
                                         {"pgsizes", 4096},
                                         {"write_multiple", true}}}};
  const std::string text = capabilities.dump();
  Message message = reply(to, 4 + text.size() + 1);
  store_le16(body_of(message), 0);
  store_le16(body_of(message) + 2, minor);
  std::memcpy(body_of(message) + 4, text.c_str(), text.size() + 1);
  return message;
}

Message empty_reply(const Header& to) { return reply(to, 0); }

Message error_reply(const Header& to, int error) {
  Message message = reply(to, 0);
  store_le32(message.data() + 8, kReplyType | kFailed);
  store_le32(message.data() + 12, static_cast<std::uint32_t>(error));
  return message;
}

Message unmap_reply(const Header& to, ConstBytes body) {
  constexpr std::size_t kBytes = 24;
  Message message = reply(to, kBytes);
  std::copy_n(body.begin(), kBytes, body_of(message));
  return message;
}

Message info_reply(const Header& to) {
  Message message = reply(to, 16);
  store_le32(body_of(message), 16);
  store_le32(body_of(message) + 4, kDeviceReset | kDevicePci);
  store_le32(body_of(message) + 8, kRegions);
  store_le32(body_of(message) + 12, kIrqKinds);
  return message;
}

Message region_reply(const Header& to, std::uint32_t index, std::uint64_t size, bool writable) {
  Message message = reply(to, 32);
  store_le32(body_of(message), 32);
  const std::uint32_t flags = kRegionReadable | (writable ? kRegionWritable : 0);
  store_le32(body_of(message) + 4, size != 0 ? flags : 0);
  store_le32(body_of(message) + 8, index);
  store_le64(body_of(message) + 16, size);
  return message;
}

Message io_fds_reply(const Header& to, std::uint32_t index) {
  Message message = reply(to, 16);
  store_le32(body_of(message), 16);
  store_le32(body_of(message) + 8, index);
  return message;
}

Message irq_reply(const Header& to, std::uint32_t index, std::uint32_t flags, std::uint32_t count) {
  Message message = reply(to, 16);
  store_le32(body_of(message), 16);
  store_le32(body_of(message) + 4, flags);
  store_le32(body_of(message) + 8, index);
  store_le32(body_of(message) + 12, count);
  return message;
}

Message read_reply(const Header& to, const RegionRead& request) {
  Message message = reply(to, 16 + request.count);
  store_le64(body_of(message), request.offset);
  store_le32(body_of(message) + 8, request.region);
  store_le32(body_of(message) + 12, request.count);
  return message;
}

Message write_reply(const Header& to, const RegionWrite& request) {
  Message message = reply(to, 16);
  store_le64(body_of(message), request.offset);
  store_le32(body_of(message) + 8, request.region);
  store_le32(body_of(message) + 12, static_cast<std::uint32_t>(request.data.size()));
  return message;
}

Message write_multi_reply(const Header& to, std::uint64_t writes) {
  Message message = reply(to, 8);
  store_le64(body_of(message), writes);
  return message;
}

Message dma_read(std::uint16_t id, std::uint64_t address, std::uint32_t bytes) {
  Message message = question(id, Command::kDmaRead, 16);
  store_le64(body_of(message), address);
  store_le64(body_of(message) + 8, bytes);
  return message;
}

Message dma_write(std::uint16_t id, std::uint64_t address, ConstBytes data) {
  Message message = question(id, Command::kDmaWrite, 16 + data.size());
  store_le64(body_of(message), address);
  store_le64(body_of(message) + 8, data.size());
  std::copy(data.begin(), data.end(), body_of(message) + 16);
  return message;
}

std::optional<ConstBytes> dma_read_data(ConstBytes body, std::uint64_t address,
                                        std::uint32_t bytes) {
  if (body.size() != std::size_t{16} + bytes) return std::nullopt;
  if (load_le64(body.data()) != address || load_le64(body.data() + 8) != bytes) return std::nullopt;
  return body.subspan(16);
}

}  // namespace e1000tlm::plugs::vfio_user
