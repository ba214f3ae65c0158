#pragma once
/// Capture files, read. No SystemC.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "e1000tlm/tlm/bytes.h"
#include "e1000tlm/tlm/time.h"

namespace e1000tlm::link {

/// All Ethernet frames of a capture file (pcap or pcapng, either byte order and precision), in file
/// order.
///
/// Reading is all or nothing, so that a replay does not stop half way. Records that were cut short
/// when captured (snap length) are completed with zeros; records longer than kMaxFrameBytes
/// (segments captured before segmentation offload) are left out. Both are counted.
class PcapReader {
 public:
  struct Options {
    /// The last four bytes of every frame are its FCS. A pcap file can say so itself.
    bool with_fcs = false;
  };
  struct Record {
    std::int64_t time_ns;  ///< since 1970
    ConstBytes bytes;      ///< without FCS
    std::optional<std::uint32_t> fcs;
  };

  /// Throws std::runtime_error naming the file and what is wrong: missing, unreadable, no capture,
  /// not Ethernet, damaged or cut off (with the number of frames before), times out of range.
  explicit PcapReader(const std::string& path) : PcapReader(path, Options{}) {}
  PcapReader(const std::string& path, Options options);

  std::size_t size() const { return entries_.size(); }
  bool empty() const { return entries_.empty(); }
  /// Precondition: index < size().
  Record record(std::size_t index) const;
  /// Time of a record since the first one; negative if the file goes back in time.
  Time offset(std::size_t index) const {
    return ns(entries_[index].time_ns - entries_.front().time_ns);
  }

  std::uint64_t snapped() const { return snapped_; }      ///< frames completed with zeros
  std::uint64_t oversized() const { return oversized_; }  ///< frames left out

 private:
  struct Entry {
    std::int64_t time_ns;
    std::size_t position;
    std::uint32_t size;
    bool has_fcs;
    std::uint32_t fcs;
  };
  void add(std::int64_t time_ns, ConstBytes captured, std::size_t original_size, bool with_fcs);

  std::vector<Entry> entries_;
  std::vector<std::uint8_t> bytes_;
  std::uint64_t snapped_ = 0;
  std::uint64_t oversized_ = 0;
};

}  // namespace e1000tlm::link
