/// The classic format: draft-ietf-opsawg-pcap, pcap-savefile(5).

#include <array>
#include <string_view>

#include "e1000tlm/link/capture/capture_records.h"
#include "e1000tlm/link/frame.h"

namespace e1000tlm::link {
namespace {

constexpr std::size_t kFileHeader = 24;
constexpr std::uint32_t kPcapngSectionHeader = 0x0A0D0D0A;

/// What the magic number says of the file.
struct Variant {
  std::uint32_t magic;
  std::uint32_t nanoseconds;  // in one unit of the second part of time stamps
  std::size_t record_header;
};
constexpr std::array<Variant, 3> kVariants{
    {{0xA1B2C3D4, 1000, 16}, {0xA1B23C4D, 1, 16}, {0xA1B2CD34, 1000, 24}}};  // "modified", of 1998

struct LinkTypeName {
  std::uint32_t type;
  std::string_view name;
};
constexpr std::array<LinkTypeName, 16> kLinkTypes{{{0, "NULL"},
                                                   {1, "EN10MB"},
                                                   {9, "PPP"},
                                                   {12, "RAW"},
                                                   {14, "RAW"},
                                                   {101, "RAW"},
                                                   {105, "IEEE802_11"},
                                                   {108, "LOOP"},
                                                   {113, "LINUX_SLL"},
                                                   {127, "IEEE802_11_RADIO"},
                                                   {189, "USB_LINUX"},
                                                   {201, "BLUETOOTH_HCI_H4_WITH_PHDR"},
                                                   {220, "USB_LINUX_MMAPPED"},
                                                   {228, "IPV4"},
                                                   {253, "NETLINK"},
                                                   {276, "LINUX_SLL2"}}};

class PcapParser final : public RecordParser {
 public:
  explicit PcapParser(ByteWindow& window) : window_(window) {
    const std::uint8_t* header = window.need(sizeof(std::uint32_t));
    if (header != nullptr) find_variant(header);
    header = window.need(kFileHeader);
    if (header == nullptr) {
      throw std::runtime_error("it is truncated: it ends within the header of a capture");
    }
    const unsigned major = load16(header + 4);
    const unsigned minor = load16(header + 6);
    if (major != 2 || minor < 3 || minor > 4) {
      throw std::runtime_error("it is of pcap version " + std::to_string(major) + "." +
                               std::to_string(minor) + "; 2.4 can be read");
    }
    read_link_type(load32(header + 20));
    window.consume(kFileHeader);
  }

  bool next(RawRecord& record) override {
    const std::uint8_t* data = window_.need(variant_.record_header);
    if (data == nullptr) return false;
    const std::uint32_t captured = load32(data + 8);
    if (captured > kMaxCaptureBytes) {
      throw std::runtime_error("it is damaged: a packet of " + std::to_string(captured) + " bytes");
    }
    data = window_.need(variant_.record_header + captured);
    if (data == nullptr) return false;
    record.offset = window_.offset();
    record.time_ns = std::int64_t{load32(data)} * 1'000'000'000 +
                     std::int64_t{load32(data + 4)} * variant_.nanoseconds;
    record.time_possible = true;
    record.captured = ConstBytes(data + variant_.record_header, captured);
    record.original_size = load32(data + 12);
    record.link_type = kLinkTypeEthernet;
    record.ends_with_fcs = ends_with_fcs_;
    window_.consume(variant_.record_header + captured);
    return true;
  }
  bool has_ethernet() const override { return true; }

 private:
  std::uint16_t load16(const std::uint8_t* p) const { return big_ ? load_be16(p) : load_le16(p); }
  std::uint32_t load32(const std::uint8_t* p) const { return big_ ? load_be32(p) : load_le32(p); }

  void find_variant(const std::uint8_t* header) {
    for (const Variant& variant : kVariants) {
      big_ = load_be32(header) == variant.magic;
      variant_ = variant;
      if (big_ || load_le32(header) == variant.magic) return;
    }
    throw std::runtime_error(
        "unknown file format: it is neither a pcap nor a pcapng capture, plain or packed by gzip, "
        "xz or zstd");
  }

  /// The upper bits say how long an FCS the frames carry, counted in 16-bit words: bit 26 "known",
  /// bits 31:28 the length.
  void read_link_type(std::uint32_t field) {
    constexpr std::uint32_t kType = 0x03FF'FFFF;
    constexpr std::uint32_t kFcsLengthKnown = 1U << 26;
    if ((field & kType) != kLinkTypeEthernet) {
      throw std::runtime_error("its link type is " + link_type_name(field & kType) +
                               ", not Ethernet (EN10MB)");
    }
    ends_with_fcs_ = (field & kFcsLengthKnown) != 0 && (field >> 28) == kFcsBytes / 2;
  }

  ByteWindow& window_;
  Variant variant_{};
  bool big_ = false;
  bool ends_with_fcs_ = false;
};

}  // namespace

std::string link_type_name(std::uint32_t type) {
  const std::string number = std::to_string(type);
  for (const LinkTypeName& known : kLinkTypes) {
    if (known.type == type) return std::string(known.name) + " (" + number + ")";
  }
  return "number " + number;
}

std::unique_ptr<RecordParser> make_pcap_parser(ByteWindow& window) {
  return std::make_unique<PcapParser>(window);
}

std::unique_ptr<RecordParser> make_parser(ByteWindow& window) {
  const std::uint8_t* const magic = window.need(4);
  if (magic != nullptr && load_le32(magic) == kPcapngSectionHeader) {
    return make_pcapng_parser(window);
  }
  return make_pcap_parser(window);
}

}  // namespace e1000tlm::link
