#include "e1000tlm/link/capture/pcapng_writer.h"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <string_view>

#include <unistd.h>

namespace e1000tlm::link {
namespace {

// Section numbers are those of draft-ietf-opsawg-pcapng.
constexpr std::uint32_t kSectionHeader = 0x0A0D0D0A;  // 4.1
constexpr std::uint32_t kInterfaceDescription = 1;    // 4.2
constexpr std::uint32_t kInterfaceStatistics = 5;     // 4.6
constexpr std::uint32_t kEnhancedPacket = 6;          // 4.3
constexpr std::uint16_t kShbUserApplication = 4;
constexpr std::uint16_t kIfName = 2;
constexpr std::uint16_t kIfDescription = 3;
constexpr std::uint16_t kIfSpeed = 8;
constexpr std::uint16_t kIfTimeResolution = 9;
constexpr std::uint16_t kEpbFlags = 2;
constexpr std::uint16_t kIsbStartTime = 2;
constexpr std::uint16_t kIsbEndTime = 3;
constexpr std::uint16_t kIsbReceived = 4;
constexpr std::uint32_t kFlagCrcError = 1U << 24;
constexpr std::uint32_t kFlagSymbolError = 1U << 31;
constexpr std::uint16_t kLinkTypeEthernet = 1;

constexpr std::size_t padded(std::size_t size) { return (size + 3) & ~std::size_t{3}; }
constexpr std::uint64_t nanoseconds(Time t) { return static_cast<std::uint64_t>(t.count()) / 1000; }
constexpr std::uint32_t high(std::uint64_t v) { return static_cast<std::uint32_t>(v >> 32); }
constexpr std::uint32_t low(std::uint64_t v) { return static_cast<std::uint32_t>(v); }

/// One block put together field by field; little-endian, as the section header announces.
class Block {
 public:
  explicit Block(std::uint32_t type) { u32(type).u32(0); }

  Block& u16(std::uint16_t v) {
    bytes_.resize(bytes_.size() + 2);
    store_le16(bytes_.data() + bytes_.size() - 2, v);
    return *this;
  }
  Block& u32(std::uint32_t v) { return u16(static_cast<std::uint16_t>(v)).u16(v >> 16); }
  Block& time(Time t) { return u32(high(nanoseconds(t))).u32(low(nanoseconds(t))); }
  Block& option(std::uint16_t code, std::string_view value) {
    u16(code).u16(static_cast<std::uint16_t>(value.size()));
    bytes_.insert(bytes_.end(), value.begin(), value.end());
    bytes_.resize(padded(bytes_.size()));
    return *this;
  }
  Block& option_time(std::uint16_t code, Time t) { return u16(code).u16(8).time(t); }
  Block& option_u64(std::uint16_t code, std::uint64_t v) {
    return u16(code).u16(8).u32(low(v)).u32(high(v));
  }
  /// Ends the options and the block.
  const std::vector<std::uint8_t>& finish() {
    u32(0);
    const auto length = static_cast<std::uint32_t>(bytes_.size() + 4);
    u32(length);
    store_le32(bytes_.data() + 4, length);
    return bytes_;
  }

 private:
  std::vector<std::uint8_t> bytes_;
};

/// Option lengths are 16 bits.
std::string_view shortened(const std::string& text) {
  return std::string_view(text).substr(0, 0xFFF0);
}

}  // namespace

PcapngWriter::PcapngWriter(const std::string& path, const Interface& interface)
    : path_(path),
      file_(path == "-" ? OutputFile::standard_output() : OutputFile("capture file", path)) {
  constexpr std::uint32_t kByteOrder = 0x1A2B3C4D;
  constexpr std::uint32_t kUnknownLength = 0xFFFFFFFF;
  put(Block(kSectionHeader)
          .u32(kByteOrder)
          .u16(1)
          .u16(0)
          .u32(kUnknownLength)
          .u32(kUnknownLength)
          .option(kShbUserApplication, "e1000-tlm")
          .finish());
  put(Block(kInterfaceDescription)
          .u16(kLinkTypeEthernet)
          .u16(0)
          .u32(0)  // no snap length
          .option(kIfName, shortened(interface.name))
          .option(kIfDescription, shortened(interface.description))
          .option_u64(kIfSpeed, interface.bits_per_second)
          .option(kIfTimeResolution, "\x09")
          .finish());
}

PcapngWriter::~PcapngWriter() {
  try {
    close();
  } catch (const std::runtime_error&) {  // a destructor has nobody to tell
  }
}

void PcapngWriter::write(Time when, CaptureDirection direction, const Frame& frame) {
  constexpr std::size_t kHeader = 28;
  constexpr std::size_t kTrailer = 16;
  const auto size = static_cast<std::uint32_t>(frame.size());
  const auto length = static_cast<std::uint32_t>(kHeader + padded(size) + kTrailer);
  const std::uint64_t time = nanoseconds(when);

  std::array<std::uint8_t, kHeader> header{};
  store_le32(&header[0], kEnhancedPacket);
  store_le32(&header[4], length);
  store_le32(&header[8], 0);  // interface
  store_le32(&header[12], high(time));
  store_le32(&header[16], low(time));
  store_le32(&header[20], size);
  store_le32(&header[24], size);

  std::uint32_t flags = static_cast<std::uint32_t>(direction);
  if (!frame.fcs_ok()) flags |= kFlagCrcError;
  if (frame.coding_error) flags |= kFlagSymbolError;
  constexpr std::size_t kMostPadding = 3;
  std::array<std::uint8_t, kMostPadding + kTrailer> tail{};
  const std::size_t padding = padded(size) - size;
  store_le16(&tail[padding], kEpbFlags);
  store_le16(&tail[padding + 2], 4);
  store_le32(&tail[padding + 4], flags);
  store_le32(&tail[padding + 8], 0);  // end of options
  store_le32(&tail[padding + 12], length);

  if (frames_ == 0) file_.begin();
  file_.write(header.data(), header.size());
  file_.write(frame.data(), size);
  file_.write(tail.data(), padding + kTrailer);
  first_ = frames_ == 0 ? when : std::min(first_, when);
  last_ = std::max(last_, when);
  ++frames_;
}

void PcapngWriter::close() {
  if (closed_) return;
  put(Block(kInterfaceStatistics)
          .u32(0)  // interface
          .time(last_)
          .option_time(kIsbStartTime, first_)
          .option_time(kIsbEndTime, last_)
          .option_u64(kIsbReceived, frames_)
          .finish());
  file_.close();
  closed_ = true;
}

}  // namespace e1000tlm::link
