/// The newer format, block by block. Section numbers are those of draft-ietf-opsawg-pcapng.
///
/// libpcap's reader would do for captures of one interface; it refuses files whose interfaces have
/// different snap lengths or link types, and sections of different byte orders.

#include <algorithm>
#include <optional>
#include <vector>

#include "e1000tlm/link/capture/capture_records.h"
#include "e1000tlm/link/frame.h"

namespace e1000tlm::link {
namespace {

enum : std::uint32_t {
  kSectionHeader = 0x0A0D0D0A,  // 4.1
  kInterfaceDescription = 1,    // 4.2
  kObsoletePacket = 2,          // appendix A
  kSimplePacket = 3,            // 4.4
  kEnhancedPacket = 6,          // 4.3
};
constexpr std::uint32_t kByteOrder = 0x1A2B3C4D;
constexpr std::uint16_t kIfTimeResolution = 9;
constexpr std::uint16_t kIfFcsLength = 13;
constexpr std::uint16_t kIfTimeOffset = 14;
constexpr std::size_t kBlockFrame = 12;  // type, length, length again
constexpr std::size_t kBody = 8;         // where it begins
/// Longest block that is believed of those that are read: a packet and generous options.
constexpr std::size_t kMaxBlock = 4 * kMaxCaptureBytes;
constexpr std::size_t kMostInterfaces = 65'536;
constexpr std::uint64_t kBillion = 1'000'000'000;

constexpr std::uint32_t padded(std::uint32_t size) { return (size + 3) & ~std::uint32_t{3}; }

[[noreturn]] void damaged(const std::string& what) {
  throw std::runtime_error("it is damaged: " + what);
}

/// Units of time stamps, 4.2 if_tsresol: a negative power of 10, or of 2 (bit 7).
class Resolution {
 public:
  Resolution() : Resolution(6) {}
  explicit Resolution(std::uint8_t option) {
    const unsigned exponent = option & 0x7FU;
    const bool binary = (option & 0x80U) != 0;
    constexpr unsigned kMostDecimal = 18;
    constexpr unsigned kMostBinary = 62;
    if (exponent > (binary ? kMostBinary : kMostDecimal)) damaged("times of impossible precision");
    if (binary) {
      per_second_ = std::uint64_t{1} << exponent;
    } else {
      for (unsigned i = 0; i < exponent; ++i) per_second_ *= 10;
    }
    exact_ = kBillion % per_second_ == 0 ? kBillion / per_second_ : 0;
  }

  std::uint64_t seconds(std::uint64_t ticks) const { return ticks / per_second_; }
  /// What is left beside the seconds.
  std::uint64_t nanoseconds(std::uint64_t ticks) const {
    const std::uint64_t rest = ticks % per_second_;
    if (exact_ != 0) return rest * exact_;
    return static_cast<std::uint64_t>(static_cast<long double>(rest) * kBillion / per_second_);
  }

 private:
  std::uint64_t per_second_ = 1;
  std::uint64_t exact_ = 0;  // nanoseconds of a tick; 0: not a whole number
};

struct Interface {
  std::uint32_t link_type = 0;
  std::uint32_t snap_length = 0;  // 0: none
  Resolution resolution;
  std::int64_t offset_seconds = 0;
  bool ends_with_fcs = false;
};

class PcapngParser final : public RecordParser {
 public:
  explicit PcapngParser(ByteWindow& window) : window_(window) {
    const std::uint8_t* const start = window.need(kBlockFrame + 16);
    if (start == nullptr) {
      throw std::runtime_error("it is truncated: it ends within the header of a capture");
    }
    find_byte_order(start);
  }

  bool next(RawRecord& record) override {
    for (;;) {
      const std::uint8_t* block = window_.need(kBlockFrame);
      if (block == nullptr) return false;
      const bool section = load_le32(block) == kSectionHeader;
      if (section) find_byte_order(block);
      const std::uint32_t type = section ? std::uint32_t{kSectionHeader} : load32(block);
      const std::uint32_t length = load32(block + 4);
      if (length < kBlockFrame || length % 4 != 0) damaged(block_text(length));
      if (length > kMaxBlock) {
        if (is_read(type)) damaged(block_text(length));
        window_.skip(length);
        continue;
      }
      block = window_.need(length);
      if (block == nullptr) return false;
      if (load32(block + length - 4) != length) damaged(block_text(length) + " ends otherwise");
      record.offset = window_.offset();
      const bool packet = take(type, block, length, record);
      window_.consume(length);
      if (packet) return true;
    }
  }
  bool has_ethernet() const override { return has_ethernet_; }

 private:
  static std::string block_text(std::uint32_t length) {
    return "a block of " + std::to_string(length) + " bytes";
  }
  static bool is_read(std::uint32_t type) {
    return type == kEnhancedPacket || type == kSectionHeader || type == kInterfaceDescription ||
           type == kSimplePacket || type == kObsoletePacket;
  }

  std::uint16_t load16(const std::uint8_t* p) const { return big_ ? load_be16(p) : load_le16(p); }
  std::uint32_t load32(const std::uint8_t* p) const { return big_ ? load_be32(p) : load_le32(p); }

  void find_byte_order(const std::uint8_t* block) {
    big_ = load_be32(block + kBody) == kByteOrder;
    if (!big_ && load_le32(block + kBody) != kByteOrder) damaged("a section without byte order");
  }

  /// True: it was a packet.
  bool take(std::uint32_t type, const std::uint8_t* block, std::uint32_t length,
            RawRecord& record) {
    switch (type) {
      case kEnhancedPacket: take_packet(block, length, false, record); return true;
      case kObsoletePacket: take_packet(block, length, true, record); return true;
      case kSimplePacket: take_simple(block, length, record); return true;
      case kInterfaceDescription: take_interface(block, length); return false;
      case kSectionHeader: take_section(block, length); return false;
      default: return false;
    }
  }

  void take_section(const std::uint8_t* block, std::uint32_t length) {
    if (length < kBlockFrame + 16) damaged(block_text(length));
    const unsigned major = load16(block + kBody + 4);
    if (major != 1) {
      throw std::runtime_error("it is of pcapng version " + std::to_string(major) +
                               "; version 1 can be read");
    }
    interfaces_.clear();
  }

  void take_interface(const std::uint8_t* block, std::uint32_t length) {
    if (length < kBlockFrame + 8) damaged(block_text(length));
    if (interfaces_.size() == kMostInterfaces) damaged("more than 65536 interfaces");
    Interface interface;
    interface.link_type = load16(block + kBody);
    interface.snap_length = load32(block + kBody + 4);
    const std::uint8_t* option = block + kBody + 8;
    const std::uint8_t* const end = block + length - 4;
    while (end - option >= 4) {
      const std::uint16_t code = load16(option);
      const std::uint16_t size = load16(option + 2);
      option += 4;
      if (code == 0) break;
      if (padded(size) > static_cast<std::size_t>(end - option)) damaged("an interface's options");
      take_option(interface, code, ConstBytes(option, size));
      option += padded(size);
    }
    has_ethernet_ = has_ethernet_ || interface.link_type == kLinkTypeEthernet;
    interfaces_.push_back(interface);
  }

  void take_option(Interface& interface, std::uint16_t code, ConstBytes value) const {
    if (code == kIfTimeResolution && value.size() == 1) interface.resolution = Resolution(value[0]);
    if (code == kIfTimeOffset && value.size() == 8) {
      const std::uint64_t low = load32(value.data() + (big_ ? 4 : 0));
      const std::uint64_t high = load32(value.data() + (big_ ? 0 : 4));
      interface.offset_seconds = static_cast<std::int64_t>(high << 32 | low);
    }
    // The draft calls it a number of bits, and gives 4 as the example.
    if (code == kIfFcsLength && value.size() == 1) {
      interface.ends_with_fcs = value[0] == kFcsBytes || value[0] == 8 * kFcsBytes;
    }
  }

  const Interface& interface(std::size_t number) const {
    if (number < interfaces_.size()) return interfaces_[number];
    damaged("a packet of interface " + std::to_string(number) + ", which is not described");
  }

  /// An enhanced packet, or the obsolete one (`obsolete`), which has two 16-bit fields where
  /// the other has the interface.
  void take_packet(const std::uint8_t* block, std::uint32_t length, bool obsolete,
                   RawRecord& record) {
    constexpr std::uint32_t kFields = 20;
    if (length < kBlockFrame + kFields) damaged(block_text(length));
    const std::uint8_t* const body = block + kBody;
    const Interface& from = interface(obsolete ? load16(body) : load32(body));
    const std::uint32_t captured = load32(body + 12);
    if (captured > length - kBlockFrame - kFields) {
      damaged("a packet longer than its block");
    }
    if (captured > kMaxCaptureBytes) {
      damaged("a packet of " + std::to_string(captured) + " bytes");
    }
    set_time(from, std::uint64_t{load32(body + 4)} << 32 | load32(body + 8), record);
    record.captured = ConstBytes(body + kFields, captured);
    record.original_size = load32(body + 16);
    set_kind(from, record);
  }

  /// Of the first interface, without a time: that of the packet before.
  void take_simple(const std::uint8_t* block, std::uint32_t length, RawRecord& record) {
    if (length < kBlockFrame + 4) damaged(block_text(length));
    const Interface& from = interface(0);
    record.original_size = load32(block + kBody);
    std::uint32_t captured =
        std::min<std::uint32_t>(record.original_size, length - kBlockFrame - 4);
    if (from.snap_length != 0) captured = std::min(captured, from.snap_length);
    captured = std::min<std::uint32_t>(captured, kMaxCaptureBytes);
    record.captured = ConstBytes(block + kBody + 4, captured);
    record.time_ns = last_time_;
    record.time_possible = true;
    set_kind(from, record);
  }

  static void set_kind(const Interface& from, RawRecord& record) {
    record.link_type = from.link_type;
    record.ends_with_fcs = from.ends_with_fcs;
  }

  void set_time(const Interface& from, std::uint64_t ticks, RawRecord& record) {
    constexpr std::int64_t kMostSeconds = 9'000'000'000;  // year 2255: nanoseconds fit 63 bits
    const std::uint64_t seconds = from.resolution.seconds(ticks);
    record.time_possible = seconds <= kMostSeconds && from.offset_seconds >= -kMostSeconds &&
                           from.offset_seconds <= kMostSeconds;
    if (!record.time_possible) return;
    const std::int64_t shifted = static_cast<std::int64_t>(seconds) + from.offset_seconds;
    record.time_possible = shifted >= 0 && shifted <= kMostSeconds;
    if (!record.time_possible) return;
    record.time_ns = shifted * static_cast<std::int64_t>(kBillion) +
                     static_cast<std::int64_t>(from.resolution.nanoseconds(ticks));
    last_time_ = record.time_ns;
  }

  ByteWindow& window_;
  bool big_ = false;
  bool has_ethernet_ = false;
  std::vector<Interface> interfaces_;
  std::int64_t last_time_ = 0;
};

}  // namespace

std::unique_ptr<RecordParser> make_pcapng_parser(ByteWindow& window) {
  return std::make_unique<PcapngParser>(window);
}

}  // namespace e1000tlm::link
