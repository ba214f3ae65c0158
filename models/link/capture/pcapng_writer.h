#pragma once
/// Capture files, written. No SystemC.

#include <cstdint>
#include <string>
#include <vector>

#include "e1000tlm/link/frame.h"
#include "e1000tlm/tlm/output_file.h"
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

  /// Creates the file, or overwrites it with the first frame or when it is closed; other runs
  /// cannot write it meanwhile. "-" is standard output. All members throw std::runtime_error naming
  /// the path and the system's reason, or that another run uses the file.
  PcapngWriter(const std::string& path, const Interface& interface);
  /// Closes, ignoring errors: call close() to learn of them.
  ~PcapngWriter();
  PcapngWriter(const PcapngWriter&) = delete;
  PcapngWriter& operator=(const PcapngWriter&) = delete;

  void write(Time when, CaptureDirection direction, const Frame& frame);
  /// Writes the interface statistics and completes the file. Later calls do nothing.
  void close();
  /// As if this writer had never been, if there has been no frame: the file keeps what it had.
  void abandon() { closed_ = true; }

  std::uint64_t frames() const { return frames_; }
  const std::string& path() const { return path_; }

 private:
  void put(const std::vector<std::uint8_t>& block) { file_.write(block.data(), block.size()); }

  std::string path_;
  OutputFile file_;
  bool closed_ = false;
  std::uint64_t frames_ = 0;
  Time first_{};
  Time last_{};
};

}  // namespace e1000tlm::link
