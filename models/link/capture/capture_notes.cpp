#include "e1000tlm/link/capture/capture_notes.h"

#include <string_view>

#include "e1000tlm/link/frame.h"

namespace e1000tlm::link {
namespace {

/// After "1 frame " and "2 frames ".
struct Wording {
  std::string_view what, one, more;
};
constexpr std::array<Wording, kOddities> kWordings{
    {{},  // see below
     {"frame", "was recorded incompletely; zeros complete it",
      "were recorded incompletely; zeros complete them"},
     {"record", "holds more bytes than it says the frame had; all are sent",
      "hold more bytes than they say the frames had; all are sent"},
     {"frame", "is longer than the model can carry (16448 bytes) and left out",
      "are longer than the model can carry (16448 bytes) and left out"},
     {"record", "is shorter than an Ethernet header; padded with zeros to 60 bytes it is sent",
      "are shorter than an Ethernet header; padded with zeros to 60 bytes they are sent"},
     {"time stamp", "goes back; its frame follows the one before at once",
      "go back; their frames follow those before at once"},
     {"packet", "is of an interface that is not Ethernet and left out",
      "are of interfaces that are not Ethernet and left out"}}};
static_assert(kMaxFrameBytes == 16448);

}  // namespace

std::string CaptureNotes::sentence(Oddity oddity, const Note& note) {
  const std::string record = "record " + std::to_string(note.record);
  const std::string byte = "byte " + std::to_string(note.offset);
  if (oddity == Oddity::kCutOff) {
    return "ends within " + record + ", which begins at " + byte + "; the " +
           std::to_string(note.record - 1) + " before it are replayed";
  }
  const Wording& words = kWordings[static_cast<std::size_t>(oddity)];
  std::string text = std::to_string(note.count) + " ";
  text.append(words.what).append(note.count == 1 ? " " : "s ");
  text.append(note.count == 1 ? words.one : words.more);
  return text + " (" + (note.count == 1 ? "" : "first ") + record + ", at " + byte + ")";
}

std::vector<std::string> CaptureNotes::sentences() const {
  std::vector<std::string> result;
  for (std::size_t i = 0; i < kOddities; ++i) {
    if (notes_[i].count > 0) result.push_back(sentence(static_cast<Oddity>(i), notes_[i]));
  }
  return result;
}

}  // namespace e1000tlm::link
