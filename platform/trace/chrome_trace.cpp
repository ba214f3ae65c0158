#include "e1000tlm/trace/chrome_trace.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <utility>

namespace e1000tlm::trace {
namespace {

constexpr std::size_t kBuffer = 1U << 17;
/// What is between two texts is no longer than this.
constexpr std::size_t kLongestNumber = 32;

/// "00" to "99".
constexpr auto kPairs = [] {
  std::array<char, 200> pairs{};
  for (std::size_t i = 0; i < 100; ++i) {
    pairs[2 * i] = static_cast<char>('0' + i / 10);
    pairs[2 * i + 1] = static_cast<char>('0' + i % 10);
  }
  return pairs;
}();

}  // namespace

ChromeTrace::ChromeTrace(OutputFile& file) : file_(file), buffer_(2 * kBuffer) {}

/// Makes room behind what is there; returns where.
char* ChromeTrace::room(std::size_t bytes) {
  if (buffer_.size() - size_ < bytes) buffer_.resize(2 * buffer_.size() + bytes);
  return buffer_.data() + size_;
}

void ChromeTrace::text(std::string_view text) {
  std::memcpy(room(text.size()), text.data(), text.size());
  size_ += text.size();
}

void ChromeTrace::number(std::uint64_t number) {
  char* const at = room(kLongestNumber);
  size_ += static_cast<std::size_t>(std::to_chars(at, at + kLongestNumber, number).ptr - at);
}

void ChromeTrace::hex(std::uint64_t number) {
  text("\"0x");
  char* const at = room(kLongestNumber);
  size_ += static_cast<std::size_t>(std::to_chars(at, at + kLongestNumber, number, 16).ptr - at);
  text("\"");
}

/// Microseconds with all digits: 12.345678.
void ChromeTrace::time(Time time) {
  constexpr std::uint32_t kPerMicro = 1'000'000;
  const auto ps = static_cast<std::uint64_t>(std::max<std::int64_t>(time.count(), 0));
  number(ps / kPerMicro);
  auto rest = static_cast<std::uint32_t>(ps % kPerMicro);
  char* const fraction = room(kLongestNumber);
  fraction[0] = '.';
  for (const std::size_t at : {5U, 3U, 1U}) {
    std::memcpy(fraction + at, kPairs.data() + std::size_t{2} * (rest % 100), 2);
    rest /= 100;
  }
  size_ += 7;
}

void ChromeTrace::flush() {
  file_.write(buffer_.data(), size_);
  size_ = 0;
}

void ChromeTrace::line(std::string_view begin) {
  if (size_ >= kBuffer) flush();
  if (!std::exchange(first_, false)) text(",\n");
  text(begin);
}

void ChromeTrace::place(std::size_t track) { text(places_[track]); }

void ChromeTrace::begin(std::uint64_t events_left_out) {
  text(
      "{\"displayTimeUnit\":\"ns\",\n\"otherData\":{\"program\":\"e1000-sim\","
      "\"events_left_out\":\"");
  number(events_left_out);
  text("\"},\n\"traceEvents\":[\n");
}

void ChromeTrace::board(unsigned number_) {
  line(R"({"ph":"M","name":"process_name","pid":)");
  number(number_ + 1);
  text(R"(,"tid":0,"args":{"name":"board )");
  number(number_);
  text("\"}}");
}

void ChromeTrace::track(const TrackInfo& info) {
  tracks_.push_back(info);
  const std::string where = "\"pid\":" + std::to_string(info.board + 1) +
                            ",\"tid\":" + std::to_string(info.counter ? 0 : info.number);
  places_.push_back(where + ",\"ts\":");
  if (info.counter) return;
  line(R"({"ph":"M","name":"thread_name",)");
  text(where + R"(,"args":{"name":")" + info.name + "\"}}");
  line(R"({"ph":"M","name":"thread_sort_index",)");
  text(where + R"(,"args":{"sort_index":)");
  number(info.number);
  text("}}");
}

void ChromeTrace::slice(std::size_t track, Time at, Time end, std::size_t name,
                        gsl::span<const Argument> arguments, gsl::span<const Waypoint> frames) {
  line(R"({"ph":"X",)");
  place(track);
  time(at);
  text(",\"dur\":");
  time(end - at);
  text(",\"name\":\"");
  text(names_[name]);
  std::string_view before = R"(","args":{")";
  for (const Argument& argument : arguments) {
    text(before);
    text(argument.name);
    text("\":");
    if (!argument.text.empty()) {
      text("\"");
      text(argument.text);
      text("\"");
    } else if (argument.hex) {
      hex(argument.number);
    } else {
      number(argument.number);
    }
    before = ",\"";
  }
  text(arguments.empty() ? "\"}" : "}}");
  pass(frames);
}

void ChromeTrace::pass(gsl::span<const Waypoint> frames) {
  for (const Waypoint& frame : frames) arrow(frame);
}

/// An end of an arrow.
void ChromeTrace::arrow(const Waypoint& frame) {
  using Place = Waypoint::Place;
  line(frame.place == Place::kFirst ? R"({"ph":"s",)"
       : frame.place == Place::kOn  ? R"({"ph":"t",)"
                                    : R"({"ph":"f","bp":"e",)");
  place(frame.track);
  time(frame.at);
  text(R"(,"cat":"frame","name":"frame","id":)");
  number(frame.frame);
  text("}");
}

void ChromeTrace::instant(std::size_t track, Time at, std::size_t name) {
  line(R"({"ph":"i","s":"t",)");
  place(track);
  time(at);
  text(",\"name\":\"");
  text(names_[name]);
  text("\"}");
}

void ChromeTrace::value(std::size_t track, Time at, std::uint64_t value) {
  line(R"({"ph":"C",)");
  place(track);
  time(at);
  text(",\"name\":\"");
  text(tracks_[track].name);
  text(R"(","args":{"value":)");
  number(value);
  text("}}");
}

void ChromeTrace::end() {
  text("\n]}\n");
  flush();
}

}  // namespace e1000tlm::trace
