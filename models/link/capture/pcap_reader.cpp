#include "e1000tlm/link/capture/pcap_reader.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "e1000tlm/link/capture/unpacked_source.h"
#include "e1000tlm/link/frame.h"

namespace e1000tlm::link {
namespace {

constexpr std::size_t kEthernetHeader = 14;

std::string called(const std::string& path) {
  return path == "-" ? "capture on standard input" : "capture file " + path;
}

std::unique_ptr<ByteSource> open(const std::string& path, StopReading stop) {
  try {
    return std::make_unique<FileSource>(path, std::move(stop));
  } catch (const std::runtime_error& error) {
    throw std::runtime_error(called(path) + ": " + error.what());
  }
}

}  // namespace

PcapReader::PcapReader(const std::string& path, Options options, StopReading stop)
    : PcapReader(open(path, std::move(stop)), called(path), options) {}

PcapReader::PcapReader(std::unique_ptr<ByteSource> source, std::string name, Options options)
    : name_(std::move(name)),
      options_(options),
      window_(std::make_unique<UnpackedSource>(std::move(source))) {
  try {
    parser_ = make_parser(window_);
  } catch (const ReadInterrupted&) {
    throw;
  } catch (const std::runtime_error& error) {
    throw std::runtime_error(name_ + ": " + error.what());
  }
}

void PcapReader::fail(const std::string& reason) const {
  throw std::runtime_error(name_ + ": record " + std::to_string(number_) + ", at byte " +
                           std::to_string(offset_) + ": " + reason);
}

bool PcapReader::next_raw(RawRecord& raw) {
  try {
    return parser_->next(raw);
  } catch (const ReadInterrupted&) {
    throw;
  } catch (const std::runtime_error& error) {
    ++number_;
    offset_ = window_.offset();
    fail(error.what());
  }
}

bool PcapReader::next(Record& record) {
  RawRecord raw;
  while (next_raw(raw)) {
    ++number_;
    offset_ = raw.offset;
    if (take(raw, record)) return true;
  }
  end_of_pass();
  return false;
}

void PcapReader::end_of_pass() {
  if (complete_) return;
  if (window_.cut_off()) notes_.add(Oddity::kCutOff, number_ + 1, window_.offset());
  complete_ = true;
  if (!parser_->has_ethernet() && notes_.count(Oddity::kNotEthernet) > 0) {
    throw std::runtime_error(name_ + ": its link type is " + link_type_name(other_link_type_) +
                             ", not Ethernet (EN10MB)");
  }
}

/// False: the frame is left out.
bool PcapReader::take(const RawRecord& raw, Record& record) {
  if (raw.link_type != kLinkTypeEthernet) {
    other_link_type_ = raw.link_type;
    note(Oddity::kNotEthernet);
    return false;
  }
  const bool with_fcs = options_.with_fcs || raw.ends_with_fcs;
  const std::size_t captured = raw.captured.size();
  std::size_t size = std::max<std::size_t>(raw.original_size, captured);
  const bool complete = size == captured;
  if (captured > raw.original_size) note(Oddity::kOverfull);
  if (with_fcs && size >= kFcsBytes) size -= kFcsBytes;
  if (size > kMaxFrameBytes) {
    ++oversized_;
    note(Oddity::kOversized);
    return false;
  }
  if (!complete) note(Oddity::kSnapped);
  if (size < kEthernetHeader) note(Oddity::kTiny);
  record.fcs.reset();
  if (with_fcs && complete && captured >= kFcsBytes) {
    record.fcs = load_le32(raw.captured.data() + size);
  }
  record.bytes = raw.captured.first(std::min(size, captured));
  record.size = size;
  record.number = number_;
  record.offset = raw.offset;
  if (options_.timed) take_time(raw, record);
  return true;
}

void PcapReader::take_time(const RawRecord& raw, Record& record) {
  if (!raw.time_possible) fail("impossible time stamp");
  record.time_ns = raw.time_ns;
  if (raw.time_ns < latest_ns_) note(Oddity::kBackward);
  latest_ns_ = std::max(latest_ns_, raw.time_ns);
}

void PcapReader::rewind() {
  window_.rewind();
  parser_ = make_parser(window_);
  number_ = offset_ = 0;
}

}  // namespace e1000tlm::link
