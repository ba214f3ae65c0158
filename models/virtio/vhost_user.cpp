#include "e1000tlm/virtio/vhost_user.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <optional>
#include <type_traits>
#include <utility>

namespace e1000tlm::virtio::vhost_user {
namespace {

constexpr std::uint32_t kVersion = 1, kVersionMask = 3, kReply = 4, kNeedReply = 8;
constexpr std::uint64_t kRingMask = 0xFF, kNoDescriptor = 0x100;
constexpr std::size_t kRegionBytes = 32, kConfigHead = 12;

template <class... F>
struct Overloaded : F... {
  using F::operator()...;
};
template <class... F>
Overloaded(F...) -> Overloaded<F...>;

static_assert(std::is_same_v<std::variant_alternative_t<std::size_t(PayloadKind::kConfig), Payload>,
                             Config> &&
              std::variant_size_v<Payload> == std::size_t(PayloadKind::kOpaque) + 1);

/// Reads fields one after the other; whoever uses it has checked the size.
class Reader {
 public:
  explicit Reader(ConstBytes bytes) : at_(bytes.data()) {}
  std::uint8_t u8() { return *at_++; }
  std::uint16_t u16() { return load_le16(advance(2)); }
  std::uint32_t u32() { return load_le32(advance(4)); }
  std::uint64_t u64() { return load_le64(advance(8)); }
  void skip(std::size_t bytes) { at_ += bytes; }

 private:
  const std::uint8_t* advance(std::size_t bytes) { return std::exchange(at_, at_ + bytes); }
  const std::uint8_t* at_;
};

class Writer {
 public:
  explicit Writer(Message& message) : message_(message) {}
  void u8(std::uint8_t value) { message_.push_back(value); }
  void u16(std::uint16_t value) { put(value, 2); }
  void u32(std::uint32_t value) { put(value, 4); }
  void u64(std::uint64_t value) { put(value, 8); }
  void bytes(const std::vector<std::uint8_t>& data) {
    message_.insert(message_.end(), data.begin(), data.end());
  }

 private:
  void put(std::uint64_t value, int bytes) {
    for (int i = 0; i < bytes; ++i) message_.push_back(static_cast<std::uint8_t>(value >> 8 * i));
  }
  Message& message_;
};

/// Sizes that a payload may have.
struct Sizes {
  std::size_t least, most;
};
constexpr Sizes kSizes[] = {
    {0, 0},                               // kNone
    {8, 8},                               // kNumber
    {8, 8},                               // kVringState
    {40, 40},                             // kVringAddr
    {8, 8},                               // kVringFd
    {8, 8 + kMostRegions* kRegionBytes},  // kMemoryTable
    {40, 40},                             // kMemoryRegion
    {8, 16},                              // kLog: without a descriptor a number
    {26, 32},                             // kIotlb: packed, or filled up
    {kConfigHead, kConfigHead + kMostConfig},
    {24, 24},  // kVringArea
    {20, 24},  // kInflight: packed, or filled up
    {0, kMostPayload},
};
static_assert(std::size(kSizes) == std::variant_size_v<Payload>);

std::string wrong_size(std::size_t size, const Sizes& sizes) {
  std::string text = "has a payload of " + std::to_string(size) + " bytes instead of " +
                     std::to_string(sizes.least);
  if (sizes.most != sizes.least) text += " to " + std::to_string(sizes.most);
  return text;
}

bool wraps(std::uint64_t start, std::uint64_t size) {
  return size != 0 && size - 1 > ~std::uint64_t{0} - start;
}

MemoryRegion read_region(Reader& reader) {
  MemoryRegion region;
  region.guest_address = reader.u64();
  region.size = reader.u64();
  region.user_address = reader.u64();
  region.offset = reader.u64();
  return region;
}

/// Empty: nothing is wrong with it.
std::string problem(const MemoryRegion& region) {
  if (region.size == 0) return "names a memory region without size";
  if (wraps(region.guest_address, region.size) || wraps(region.user_address, region.size) ||
      wraps(region.offset, region.size)) {
    return "names a memory region that ends beyond 2^64";
  }
  return {};
}

using Parsed = std::variant<Payload, std::string>;

Parsed read_table(ConstBytes body) {
  Reader reader(body);
  const std::uint32_t count = reader.u32();
  reader.skip(4);
  if (count > kMostRegions) {
    return "names " + std::to_string(count) + " memory regions, more than " +
           std::to_string(kMostRegions);
  }
  // More bytes may follow: User-Mode Linux always sends room for two.
  if (body.size() < 8 + count * kRegionBytes) return "ends within its memory regions";
  MemoryTable table;
  for (std::uint32_t i = 0; i < count; ++i) {
    const MemoryRegion region = read_region(reader);
    if (std::string text = problem(region); !text.empty()) return text;
    for (const MemoryRegion& other : table.regions) {
      if (region.guest_address <= other.guest_address + (other.size - 1) &&
          other.guest_address <= region.guest_address + (region.size - 1)) {
        return "names memory regions that overlap";
      }
    }
    table.regions.push_back(region);
  }
  return Payload(std::move(table));
}

Parsed read_vring_fd(std::uint64_t value) {
  if ((value & ~(kRingMask | kNoDescriptor)) != 0) return "sets unknown bits";
  return Payload(
      VringFd{static_cast<std::uint8_t>(value & kRingMask), (value & kNoDescriptor) == 0});
}

Parsed read_config(ConstBytes body) {
  Reader reader(body);
  Config config;
  config.offset = reader.u32();
  const std::uint32_t size = reader.u32();
  config.flags = reader.u32();
  if (size != body.size() - kConfigHead) {
    return "says that it has " + std::to_string(size) + " bytes of configuration space, and has " +
           std::to_string(body.size() - kConfigHead);
  }
  if (config.offset > kMostConfig || size > kMostConfig - config.offset) {
    return "goes beyond " + std::to_string(kMostConfig) + " bytes of configuration space";
  }
  config.data.assign(body.begin() + kConfigHead, body.end());
  return Payload(std::move(config));
}

Parsed read_payload(PayloadKind kind, ConstBytes body) {
  const auto size = static_cast<std::size_t>(body.size());
  const Sizes& sizes = kSizes[static_cast<std::size_t>(kind)];
  if (size < sizes.least || size > sizes.most) return wrong_size(size, sizes);
  Reader in(body);
  switch (kind) {
    case PayloadKind::kNone: return Payload(None{});
    case PayloadKind::kNumber: return Payload(Number{in.u64()});
    case PayloadKind::kVringState: {
      const std::uint32_t index = in.u32();
      return Payload(VringState{index, in.u32()});
    }
    case PayloadKind::kVringAddr: {
      VringAddr addr;
      addr.index = in.u32();
      addr.flags = in.u32();
      addr.descriptors = in.u64();
      addr.used = in.u64();
      addr.available = in.u64();
      addr.log = in.u64();
      return Payload(addr);
    }
    case PayloadKind::kVringFd: return read_vring_fd(in.u64());
    case PayloadKind::kMemoryTable: return read_table(body);
    case PayloadKind::kMemoryRegion: {
      in.skip(8);
      const MemoryRegion region = read_region(in);
      if (std::string text = problem(region); !text.empty()) return text;
      return Payload(region);
    }
    case PayloadKind::kLog: {
      if (size == 8) return Payload(Number{in.u64()});
      if (size != 16) return wrong_size(size, sizes);
      const std::uint64_t bytes = in.u64();
      return Payload(Log{bytes, in.u64()});
    }
    case PayloadKind::kIotlb: {
      Iotlb iotlb;
      iotlb.iova = in.u64();
      iotlb.size = in.u64();
      iotlb.user_address = in.u64();
      iotlb.permissions = in.u8();
      iotlb.type = in.u8();
      return Payload(iotlb);
    }
    case PayloadKind::kConfig: return read_config(body);
    case PayloadKind::kVringArea: {
      VringArea area;
      area.index_and_flags = in.u64();
      area.size = in.u64();
      area.offset = in.u64();
      return Payload(area);
    }
    case PayloadKind::kInflight: {
      Inflight inflight;
      inflight.size = in.u64();
      inflight.offset = in.u64();
      inflight.queues = in.u16();
      inflight.queue_size = in.u16();
      return Payload(inflight);
    }
    case PayloadKind::kOpaque: break;
  }
  return Payload(Opaque{{body.begin(), body.end()}});
}

/// How many descriptors must come beside a request, where its payload tells.
std::optional<std::size_t> told_descriptors(const Payload& payload) {
  if (const auto* table = std::get_if<MemoryTable>(&payload)) return table->regions.size();
  if (const auto* ring = std::get_if<VringFd>(&payload)) return ring->has_descriptor ? 1 : 0;
  if (std::holds_alternative<Log>(payload)) return 1;
  if (const auto* area = std::get_if<VringArea>(&payload)) {
    return (area->index_and_flags & kNoDescriptor) == 0 ? 1 : 0;
  }
  return std::nullopt;
}

std::string wrong_descriptors(std::size_t descriptors) {
  return "came with " + std::to_string(descriptors) + " descriptors, which is not right";
}

void write_region(Writer& out, const MemoryRegion& region) {
  out.u64(region.guest_address);
  out.u64(region.size);
  out.u64(region.user_address);
  out.u64(region.offset);
}

void write_payload(Message& message, const Payload& payload) {
  Writer out(message);
  std::visit(
      Overloaded{
          [](const None&) {},
          [&](const Number& n) { out.u64(n.value); },
          [&](const VringState& s) {
            out.u32(s.index);
            out.u32(s.num);
          },
          [&](const VringAddr& a) {
            out.u32(a.index);
            out.u32(a.flags);
            out.u64(a.descriptors);
            out.u64(a.used);
            out.u64(a.available);
            out.u64(a.log);
          },
          [&](const VringFd& f) { out.u64(f.index | (f.has_descriptor ? 0 : kNoDescriptor)); },
          [&](const MemoryTable& t) {
            out.u32(static_cast<std::uint32_t>(t.regions.size()));
            out.u32(0);
            for (const MemoryRegion& region : t.regions) write_region(out, region);
          },
          [&](const MemoryRegion& r) {
            out.u64(0);
            write_region(out, r);
          },
          [&](const Log& l) {
            out.u64(l.size);
            out.u64(l.offset);
          },
          [&](const Iotlb& i) {
            out.u64(i.iova);
            out.u64(i.size);
            out.u64(i.user_address);
            out.u8(i.permissions);
            out.u8(i.type);
            out.bytes({0, 0, 0, 0, 0, 0});
          },
          [&](const Config& c) {
            out.u32(c.offset);
            out.u32(static_cast<std::uint32_t>(c.data.size()));
            out.u32(c.flags);
            out.bytes(c.data);
          },
          [&](const VringArea& a) {
            out.u64(a.index_and_flags);
            out.u64(a.size);
            out.u64(a.offset);
          },
          [&](const Inflight& i) {
            out.u64(i.size);
            out.u64(i.offset);
            out.u16(i.queues);
            out.u16(i.queue_size);
            out.u32(0);
          },
          [&](const Opaque& o) { out.bytes(o.bytes); },
      },
      payload);
}

Message encode_message(std::uint32_t request, std::uint32_t flags, const Payload& payload) {
  Message message(kHeaderBytes);
  write_payload(message, payload);
  store_le32(message.data(), request);
  store_le32(message.data() + 4, kVersion | flags);
  store_le32(message.data() + 8, static_cast<std::uint32_t>(message.size() - kHeaderBytes));
  return message;
}

}  // namespace

std::variant<Header, std::string> parse_header(ConstBytes bytes) {
  Reader in(bytes);
  Header header;
  header.request = in.u32();
  const std::uint32_t flags = in.u32();
  header.size = in.u32();
  if ((flags & kVersionMask) != kVersion) {
    return "a message of version " + std::to_string(flags & kVersionMask) + " instead of 1";
  }
  if ((flags & ~(kVersionMask | kReply | kNeedReply)) != 0) return "a message with unknown flags";
  if (header.size > kMostPayload) {
    return "a message of " + std::to_string(header.size) + " bytes, more than any has";
  }
  header.reply = (flags & kReply) != 0;
  header.need_reply = (flags & kNeedReply) != 0;
  return header;
}

std::variant<Payload, std::string> parse_request(Side side, const Header& header, ConstBytes body,
                                                 std::size_t descriptors) {
  const std::string name = request_name(side, header.request);
  const auto refuse = [&](const std::string& why) { return Parsed(name + " " + why); };
  const RequestInfo* const info = find_request(side, header.request);
  if (info == nullptr) return refuse("is unknown");
  if (header.reply) return refuse("is marked as a reply");
  Parsed parsed = read_payload(info->payload, body);
  if (const auto* why = std::get_if<std::string>(&parsed)) return refuse(*why);
  const auto told = told_descriptors(std::get<Payload>(parsed));
  const bool right =
      told ? descriptors == *told
           : descriptors >= info->min_descriptors && descriptors <= info->max_descriptors;
  if (!right) return refuse(wrong_descriptors(descriptors));
  return parsed;
}

std::variant<Payload, std::string> parse_reply(Side side, const Header& asked, const Header& header,
                                               ConstBytes body, std::size_t descriptors) {
  const std::string name = request_name(side, asked.request);
  const auto refuse = [&](const std::string& why) {
    return Parsed("reply to " + name + " " + why);
  };
  if (!header.reply) return refuse("is not marked as one");
  if (header.request != asked.request) {
    return refuse("is one to " + request_name(side, header.request));
  }
  const RequestInfo* const info = find_request(side, asked.request);
  if (info == nullptr) return refuse("is unknown");
  // What has no answer of its own is acknowledged; an empty one is a failure (GET_CONFIG).
  const PayloadKind kind = info->reply == PayloadKind::kNone ? PayloadKind::kNumber : info->reply;
  if (info->reply == PayloadKind::kConfig && header.size == 0) return Payload(None{});
  Parsed parsed = read_payload(kind, body);
  if (const auto* why = std::get_if<std::string>(&parsed)) return refuse(*why);
  if (descriptors > info->reply_descriptors) return refuse(wrong_descriptors(descriptors));
  return parsed;
}

Message encode(Request request, const Payload& payload, bool need_reply) {
  return encode_message(static_cast<std::uint32_t>(request), need_reply ? kNeedReply : 0, payload);
}

Message encode(BackendRequest request, const Payload& payload, bool need_reply) {
  return encode_message(static_cast<std::uint32_t>(request), need_reply ? kNeedReply : 0, payload);
}

Message encode_reply(const Header& to, const Payload& payload) {
  return encode_message(to.request, kReply, payload);
}

}  // namespace e1000tlm::virtio::vhost_user
