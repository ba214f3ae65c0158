#pragma once
/// QEMU's qtest text protocol: commands, answers, lines. No SystemC.
///
/// Source: the protocol description and the observable answers of QEMU's test server
/// (system/qtest.c, docs/devel/testing/qtest.rst). QEMU ends with an assertion on malformed
/// arguments; here they are answered with a FAIL line. All differences: doc/qtest.md.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "e1000tlm/tlm/bytes.h"

namespace e1000tlm::plugs {

/// Most bytes that one command may read or write.
inline constexpr std::uint64_t kQTestMaxBlock = 64ULL * 1024 * 1024;
/// Longest line: a write of kQTestMaxBlock in hexadecimal, and its other words.
inline constexpr std::size_t kQTestMaxLine = 2 * kQTestMaxBlock + 256;

struct QTestCommand {
  enum class Kind : std::uint8_t {
    kRead,        ///< readb/w/l/q: address, width
    kWrite,       ///< writeb/w/l/q: address, width, value
    kIn,          ///< inb/w/l: address, width
    kOut,         ///< outb/w/l: address, width, value
    kReadHex,     ///< read: address, size
    kReadBase64,  ///< b64read: address, size
    kWriteBlock,  ///< write, b64write, memset: address, data (may be empty)
    kEndianness,
    kClockStep,     ///< nanoseconds, or to the next deadline
    kClockSet,      ///< nanoseconds
    kInterceptIn,   ///< irq_intercept_in: device, pins
    kInterceptOut,  ///< irq_intercept_out: device, pins
    kSetIrq,        ///< set_irq_in: device, pins, pin, level
  };
  Kind kind = Kind::kEndianness;
  unsigned width = 0;  ///< bytes: 1, 2, 4 or 8
  std::uint64_t address = 0;
  std::uint64_t size = 0;
  std::uint64_t value = 0;  ///< cut to `width`
  std::optional<std::int64_t> nanoseconds;
  std::vector<std::uint8_t> data;
  std::string device;               ///< see QTestDevice
  std::optional<std::string> pins;  ///< name of a list of pins; nullopt: the one without a name
  int pin = 0, level = 0;
};

/// Does a client's name for a device mean the one at `path` ("/machine/i440fx/ioapic")? As in QEMU,
/// a name that begins with a slash is the whole path, and any other the end of one ("ioapic").
bool names_device(std::string_view name, std::string_view path);

/// A command to carry out, or the answer to one that cannot be.
using QTestParsed = std::variant<QTestCommand, std::string>;

/// Takes a line without its line feed apart. Any text is allowed.
QTestParsed parse_qtest(std::string_view line);

// Answers, all with their line feed.
std::string qtest_ok();
std::string qtest_value(std::uint64_t value);  ///< readb/w/l/q: 16 digits
std::string qtest_port(std::uint32_t value);   ///< inb/w/l: at least 4 digits
std::string qtest_hex(ConstBytes data);        ///< read
std::string qtest_base64(ConstBytes data);     ///< b64read
std::string qtest_clock(std::int64_t nanoseconds);
std::string qtest_fail(std::string_view reason);
std::string qtest_irq(unsigned line, bool level);

/// Cuts a stream of bytes into lines.
class QTestLines {
 public:
  explicit QTestLines(std::size_t max_line = kQTestMaxLine) : max_line_(max_line) {}

  void append(std::string_view bytes);

  struct Line {
    std::string text;
    bool too_long = false;  ///< the text is not there
  };
  /// The oldest complete line, without its line feed (and carriage return); nullopt: none yet.
  std::optional<Line> next();

 private:
  std::string pending_;
  std::size_t begin_ = 0;    // of the oldest line
  std::size_t scanned_ = 0;  // no line feed from begin_ to here
  std::size_t max_line_;
  bool skipping_ = false;  // inside a line that was too long
};

}  // namespace e1000tlm::plugs
