#pragma once
/// Capture files, written. No SystemC.

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "e1000tlm/link/frame.h"
#include "e1000tlm/tlm/time.h"

namespace e1000tlm::link {

/// As the capturing interface sees it; values of epb_flags bits 1:0.
enum class CaptureDirection : std::uint8_t { kUnknown = 0, kInbound = 1, kOutbound = 2 };

/// Writes a pcapng file (IETF draft-ietf-opsawg-pcapng) of one Ethernet interface with nanosecond
/// times, counted from the start of simulation. Frames are written without FCS; a wrong one is
/// marked in the frame's flags (bit 24), as is damaged coding (bit 31).
class PcapngWriter {
 public:
  struct Interface {
    std::string name;
    std::string description;
    std::uint64_t bits_per_second = 1'000'000'000;
  };

  /// Creates or overwrites the file; "-" is standard output. All members throw std::runtime_error
  /// naming the path and the system's reason.
  PcapngWriter(const std::string& path, const Interface& interface);
  /// Closes, ignoring errors: call close() to learn of them.
  ~PcapngWriter();
  PcapngWriter(const PcapngWriter&) = delete;
  PcapngWriter& operator=(const PcapngWriter&) = delete;

  void write(Time when, CaptureDirection direction, const Frame& frame);
  /// Writes the interface statistics and completes the file. Later calls do nothing.
  void close();

  std::uint64_t frames() const { return frames_; }
  const std::string& path() const { return path_; }

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  void put(const void* data, std::size_t size);
  void put(const std::vector<std::uint8_t>& block) { put(block.data(), block.size()); }
  [[noreturn]] void fail(const char* what) const;

  std::string path_;
  std::unique_ptr<std::FILE, Close> file_;
  std::uint64_t frames_ = 0;
  Time first_{};
  Time last_{};
};

}  // namespace e1000tlm::link
