#include "e1000tlm/link/capture/pcap_reader.h"

#include <algorithm>
#include <array>
#include <memory>
#include <stdexcept>

#include <pcap/pcap.h>

#include "e1000tlm/link/frame.h"

namespace e1000tlm::link {
namespace {

/// Simulated time ends after 106 days of picoseconds.
constexpr std::int64_t kLongestNs = std::int64_t{100} * 24 * 3600 * 1'000'000'000;
constexpr std::int64_t kLatestSecond = 9'000'000'000;  // year 2255; nanoseconds fit 63 bits

[[noreturn]] void fail(const std::string& path, const std::string& reason) {
  throw std::runtime_error("capture file " + path + ": " + reason);
}

/// libpcap begins some of its messages with the path.
std::string without_path(const std::string& path, const std::string& message) {
  const std::string prefix = path + ": ";
  return message.compare(0, prefix.size(), prefix) == 0 ? message.substr(prefix.size()) : message;
}

struct Close {
  void operator()(pcap_t* handle) const { pcap_close(handle); }
};
using Handle = std::unique_ptr<pcap_t, Close>;

Handle open(const std::string& path) {
  std::array<char, PCAP_ERRBUF_SIZE> error{};
  Handle handle(pcap_open_offline_with_tstamp_precision(path.c_str(), PCAP_TSTAMP_PRECISION_NANO,
                                                        error.data()));
  if (!handle) fail(path, without_path(path, error.data()));
  const int type = pcap_datalink(handle.get());
  if (type != DLT_EN10MB) {
    const char* name = pcap_datalink_val_to_name(type);
    fail(path, "its link type is " + (name != nullptr ? name : "number " + std::to_string(type)) +
                   ", not Ethernet (EN10MB)");
  }
  return handle;
}

/// A pcap file's link type field says in its upper bits how long an FCS the frames carry, counted
/// in 16-bit words: bit 26 "known", bits 31:28 the length.
bool file_says_fcs(pcap_t* handle) {
  const auto extension = static_cast<std::uint32_t>(pcap_datalink_ext(handle));
  return (extension & (1U << 26)) != 0 && (extension >> 28) == kFcsBytes / 2;
}

}  // namespace

PcapReader::PcapReader(const std::string& path, Options options) {
  const Handle handle = open(path);
  const bool with_fcs = options.with_fcs || file_says_fcs(handle.get());
  std::uint64_t records = 0;
  std::int64_t earliest = 0;
  std::int64_t latest = 0;
  for (;;) {
    pcap_pkthdr* header = nullptr;
    const unsigned char* data = nullptr;
    const int result = pcap_next_ex(handle.get(), &header, &data);
    if (result == PCAP_ERROR_BREAK) return;
    const std::string where = " after " + std::to_string(records) + " frames";
    if (result != 1) fail(path, without_path(path, pcap_geterr(handle.get())) + where);
    ++records;
    const std::int64_t seconds = header->ts.tv_sec;
    if (seconds < 0 || seconds > kLatestSecond) fail(path, "impossible time stamp" + where);
    const std::int64_t time_ns = seconds * 1'000'000'000 + header->ts.tv_usec;
    earliest = records == 1 ? time_ns : std::min(earliest, time_ns);
    latest = records == 1 ? time_ns : std::max(latest, time_ns);
    if (latest - earliest > kLongestNs) {
      fail(path, "the times of its frames are more than 100 days apart" + where);
    }
    add(time_ns, {data, header->caplen}, header->len, with_fcs);
  }
}

void PcapReader::add(std::int64_t time_ns, ConstBytes captured, std::size_t original_size,
                     bool with_fcs) {
  std::size_t size = std::max(original_size, captured.size());
  const bool complete = size == captured.size();
  if (with_fcs && size >= kFcsBytes) size -= kFcsBytes;
  if (size > kMaxFrameBytes) {
    ++oversized_;
    return;
  }
  if (!complete) ++snapped_;
  Entry entry{time_ns, bytes_.size(), static_cast<std::uint32_t>(size), false, 0};
  if (with_fcs && complete && captured.size() >= kFcsBytes) {
    entry.has_fcs = true;
    entry.fcs = load_le32(captured.data() + size);
  }
  const std::size_t present = std::min(size, captured.size());
  bytes_.insert(bytes_.end(), captured.data(), captured.data() + present);
  bytes_.resize(entry.position + size);  // zeros
  entries_.push_back(entry);
}

PcapReader::Record PcapReader::record(std::size_t index) const {
  const Entry& entry = entries_[index];
  std::optional<std::uint32_t> fcs;
  if (entry.has_fcs) fcs = entry.fcs;
  return {entry.time_ns, {bytes_.data() + entry.position, entry.size}, fcs};
}

}  // namespace e1000tlm::link
