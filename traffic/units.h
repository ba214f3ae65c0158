#pragma once
/// Times, sizes and rates as people write them, in both directions.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "e1000tlm/tlm/time.h"

namespace e1000tlm::traffic {

/// "10us", "1.5 ms", "0": ps, ns, us, ms, s, min. Zero needs no unit. Throws std::invalid_argument
/// naming the text on anything else: negative, no unit, unknown unit, beyond 100 days.
Time parse_time(std::string_view text);

/// "64MiB", "1500", "4k": bytes. B; kB, MB, GB (powers of 1000); k, M, G, KiB, MiB, GiB (powers of
/// 1024). Throws std::invalid_argument naming the text when it is not a whole number of bytes.
std::uint64_t parse_size(std::string_view text);

/// Offered load.
struct Rate {
  enum class Kind : std::uint8_t {
    kLine,    ///< back to back, as fast as the medium takes them
    kBits,    ///< bit/s on the wire: preamble, frame, FCS and gap, so that 1 Gbit/s fills gigabit
    kFrames,  ///< frames/s
  };
  Kind kind = Kind::kLine;
  std::uint64_t per_second = 0;  ///< 0 with kLine
};

/// "line", "1Gbit/s", "100Mbps", "1.488Mfps", "10kfps", "500 frames/s". Decimal prefixes k, M, G.
/// Throws std::invalid_argument naming the text.
Rate parse_rate(std::string_view text);

/// When frames are due at a rate, without drift: remainders of a picosecond are carried.
class Pacer {
 public:
  explicit Pacer(Rate rate) : rate_(rate) {}

  /// Due time of the next frame, counted from the first; kTimeNever: later than simulated time
  /// goes.
  Time due() const { return due_; }
  /// A frame of this size (destination address to FCS) has been sent.
  void sent(std::size_t wire_bytes);

 private:
  Rate rate_;
  Time due_{};
  std::uint64_t remainder_ = 0;
};

/// Three significant digits: "1.25 ms", "0 s".
std::string format_time(Time time);
/// "941 Mbit/s".
std::string format_bit_rate(double bits_per_second);
/// "1.49 M/s" with the unit appended as given, e.g. "frames/s" -> "1.49 Mframes/s".
std::string format_rate(double per_second, std::string_view unit);
/// "1,234,567".
std::string format_count(std::uint64_t count);

}  // namespace e1000tlm::traffic
