#pragma once
/// Whole captures in memory, for tests.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "e1000tlm/link/capture/pcap_reader.h"

namespace e1000tlm::link::test {

struct ReadFrame {
  std::int64_t time_ns;
  std::vector<std::uint8_t> bytes;  // completed with zeros
  std::optional<std::uint32_t> fcs;
};

inline std::vector<ReadFrame> read_all(PcapReader& reader) {
  std::vector<ReadFrame> frames;
  PcapReader::Record record;
  while (reader.next(record)) {
    std::vector<std::uint8_t> bytes(record.bytes.begin(), record.bytes.end());
    bytes.resize(record.size);
    frames.push_back({record.time_ns, std::move(bytes), record.fcs});
  }
  return frames;
}
inline std::vector<ReadFrame> read_all(const std::string& path, PcapReader::Options options = {}) {
  PcapReader reader(path, options);
  return read_all(reader);
}

/// Frames and notes of a capture in memory.
struct ReadCapture {
  explicit ReadCapture(const std::vector<std::uint8_t>& bytes, PcapReader::Options options = {})
      : reader(std::make_unique<MemorySource>(bytes), "capture", options),
        frames(read_all(reader)) {}
  std::uint64_t count(Oddity oddity) const { return reader.notes().count(oddity); }
  std::vector<std::string> sentences() const { return reader.notes().sentences(); }

  PcapReader reader;
  std::vector<ReadFrame> frames;
};

inline std::string error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace e1000tlm::link::test
