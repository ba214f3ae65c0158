#pragma once
/// What is odd about a capture although it can be replayed. No SystemC.

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace e1000tlm::link {

enum class Oddity : std::uint8_t {
  kCutOff,       ///< the file ends within a record
  kSnapped,      ///< frames recorded incompletely
  kOverfull,     ///< more bytes captured than the frame is said to have had
  kOversized,    ///< longer than kMaxFrameBytes: left out
  kTiny,         ///< shorter than an Ethernet header
  kBackward,     ///< time stamps earlier than one before
  kNotEthernet,  ///< packets of other interfaces: left out
};
inline constexpr std::size_t kOddities = 7;

/// Counts oddities and remembers where each came up first.
class CaptureNotes {
 public:
  /// `record` counts from 1, `offset` is that of its first byte.
  void add(Oddity oddity, std::uint64_t record, std::uint64_t offset) {
    Note& note = notes_[static_cast<std::size_t>(oddity)];
    if (note.count++ == 0) note = {1, record, offset};
  }
  std::uint64_t count(Oddity oddity) const {
    return notes_[static_cast<std::size_t>(oddity)].count;
  }
  /// One sentence for each oddity that came up.
  std::vector<std::string> sentences() const;

 private:
  struct Note {
    std::uint64_t count = 0, record = 0, offset = 0;
  };
  static std::string sentence(Oddity oddity, const Note& note);

  std::array<Note, kOddities> notes_{};
};

}  // namespace e1000tlm::link
