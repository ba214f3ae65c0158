#pragma once
/// The records of capture files, taken apart. No SystemC.

#include <cstdint>
#include <memory>
#include <string>

#include "e1000tlm/link/capture/byte_source.h"

namespace e1000tlm::link {

/// Longest record that is believed: libpcap's MAXIMUM_SNAPLEN.
inline constexpr std::size_t kMaxCaptureBytes = 262'144;
inline constexpr std::uint32_t kLinkTypeEthernet = 1;  ///< LINKTYPE_ETHERNET

/// One packet as it stands in the file.
struct RawRecord {
  std::uint64_t offset = 0;         ///< of its first byte in the (unpacked) file
  std::int64_t time_ns = 0;         ///< since 1970
  bool time_possible = true;        ///< the time fits into time_ns
  ConstBytes captured;              ///< valid until the next record is read
  std::uint32_t original_size = 0;  ///< as it says
  std::uint32_t link_type = kLinkTypeEthernet;
  bool ends_with_fcs = false;  ///< the file says so
};

/// A file format.
class RecordParser {
 public:
  virtual ~RecordParser() = default;
  /// False: the file ends here, or within the next record (ByteWindow::cut_off). Throws
  /// std::runtime_error with what is wrong, or ReadInterrupted: the same record can be asked for
  /// again then.
  virtual bool next(RawRecord& record) = 0;
  /// Some packets may be Ethernet frames.
  virtual bool has_ethernet() const = 0;
};

/// Finds out the format (pcap or pcapng) and reads as much as tells that the rest can be read.
/// Throws std::runtime_error, or ReadInterrupted. `window` must outlive the parser.
std::unique_ptr<RecordParser> make_parser(ByteWindow& window);
std::unique_ptr<RecordParser> make_pcap_parser(ByteWindow& window);
std::unique_ptr<RecordParser> make_pcapng_parser(ByteWindow& window);

/// "LINUX_SLL (113)".
std::string link_type_name(std::uint32_t type);

}  // namespace e1000tlm::link
