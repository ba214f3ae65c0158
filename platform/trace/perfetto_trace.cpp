#include "e1000tlm/trace/perfetto_trace.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "e1000tlm/tlm/bytes.h"

namespace e1000tlm::trace {
namespace {

constexpr std::size_t kBuffer = 1U << 17;
/// A field with a number, a packet's head, an event without its packet's: they take no more.
constexpr std::size_t kNumberBytes = 12, kHead = 40, kEventBytes = 950;
/// What is the same in each event's packet.
constexpr std::size_t kConstantBytes = 6;
/// Behind a full buffer.
constexpr std::size_t kRoom = 2048;
/// Of a name.
constexpr std::size_t kLongestText = 512;
constexpr std::uint64_t kSequence = 1;  // all packets are of one writer
/// Tracks of boards; those of events come behind, from 1.
constexpr std::uint64_t kBoardTracks = std::uint64_t{1} << 32;

// Field numbers of the messages that are used.
namespace trace_field {
constexpr unsigned kPacket = 1;
}
namespace packet_field {
constexpr unsigned kTimestamp = 8, kSequenceId = 10, kTrackEvent = 11, kInternedData = 12,
                   kSequenceFlags = 13, kTrackDescriptor = 60;
constexpr std::uint64_t kStateCleared = 1, kNeedsState = 2;
}  // namespace packet_field
namespace descriptor_field {
constexpr unsigned kUuid = 1, kName = 2, kProcess = 3, kParent = 5, kCounter = 8,
                   kChildOrdering = 11, kSiblingRank = 12;
constexpr std::uint64_t kExplicit = 3;
}  // namespace descriptor_field
namespace process_field {
constexpr unsigned kPid = 1, kName = 6;
}
namespace event_field {
constexpr unsigned kArgument = 4, kType = 9, kNameId = 10, kTrack = 11, kValue = 30, kFlow = 47,
                   kLastOfFlow = 48;
constexpr std::uint64_t kBegin = 1, kEnd = 2, kInstant = 3, kCounter = 4;
}  // namespace event_field
namespace argument_field {
constexpr unsigned kNameId = 1, kNumber = 3, kPointer = 7, kTextId = 17;
}
namespace interned_field {
constexpr unsigned kEventNames = 2, kArgumentNames = 3, kArgumentTexts = 29, kId = 1, kText = 2;
}

}  // namespace

/// A message under construction, in memory that has room for it.
class PerfettoTrace::Message {
 public:
  explicit Message(char* at) : begin_(at), at_(at) {}
  void number(unsigned field, std::uint64_t value) {
    varint(field << 3U);
    varint(value);
  }
  void fixed64(unsigned field, std::uint64_t value) {
    varint(field << 3U | 1U);
    store_le64(reinterpret_cast<std::uint8_t*>(at_), value);
    at_ += sizeof value;
  }
  /// Begins a field of so many bytes, which follow.
  void length(unsigned field, std::size_t bytes) {
    varint(field << 3U | 2U);
    varint(bytes);
  }
  void text(unsigned field, std::string_view value) {
    length(field, value.size());
    append(value);
  }
  void append(std::string_view bytes) {
    std::memcpy(at_, bytes.data(), bytes.size());
    at_ += bytes.size();
  }
  /// Begins a field of fewer than 128 bytes that are put next; close() ends it.
  std::size_t open(unsigned field) {
    length(field, 0);
    return size();
  }
  void close(std::size_t begin) { begin_[begin - 1] = static_cast<char>(size() - begin); }
  void message(unsigned field, const Message& value) { text(field, value.view()); }
  std::size_t size() const { return static_cast<std::size_t>(at_ - begin_); }
  std::string_view view() const { return {begin_, size()}; }

 private:
  void push(char byte) { *at_++ = byte; }
  void varint(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7U) push(static_cast<char>(value | 0x80));
    push(static_cast<char>(value));
  }

  char* begin_;
  char* at_;
};

/// A small message in memory of its own: names and tracks, of which there are few.
struct PerfettoTrace::SmallMessage : private std::array<char, 1024>, Message {
  SmallMessage() : Message(data()) {}
};

PerfettoTrace::PerfettoTrace(OutputFile& file) : file_(file), buffer_(kBuffer + kRoom) {}

/// Makes room for an event or a packet.
void PerfettoTrace::flush(std::size_t most) {
  if (size_ <= most) return;
  file_.write(std::string_view(buffer_.data(), size_));
  size_ = 0;
}

void PerfettoTrace::packet(const Message& content) {
  flush(kBuffer);
  Message packet(buffer_.data() + size_);
  packet.message(trace_field::kPacket, content);
  size_ += packet.size();
}

void PerfettoTrace::begin(std::uint64_t) {
  SmallMessage content;
  content.number(packet_field::kSequenceId, kSequence);
  content.number(packet_field::kSequenceFlags, packet_field::kStateCleared);
  packet(content);
}

void PerfettoTrace::board(unsigned number) {
  SmallMessage process;
  process.number(process_field::kPid, number + 1);
  process.text(process_field::kName, "board " + std::to_string(number));
  SmallMessage descriptor;
  descriptor.number(descriptor_field::kUuid, kBoardTracks + number);
  descriptor.message(descriptor_field::kProcess, process);
  descriptor.number(descriptor_field::kChildOrdering, descriptor_field::kExplicit);
  SmallMessage content;
  content.number(packet_field::kSequenceId, kSequence);
  content.message(packet_field::kTrackDescriptor, descriptor);
  packet(content);
}

void PerfettoTrace::track(const TrackInfo& info) {
  SmallMessage descriptor;
  descriptor.number(descriptor_field::kUuid, ++tracks_);
  descriptor.number(descriptor_field::kParent, kBoardTracks + info.board);
  descriptor.text(descriptor_field::kName, info.name);
  descriptor.number(descriptor_field::kSiblingRank, info.number);
  if (info.counter) descriptor.length(descriptor_field::kCounter, 0);
  SmallMessage content;
  content.number(packet_field::kSequenceId, kSequence);
  content.message(packet_field::kTrackDescriptor, descriptor);
  packet(content);
}

void PerfettoTrace::name(std::string_view text) {
  intern(interned_field::kEventNames, ++names_, text);
}

/// Sends a text once; from then on its number stands for it.
void PerfettoTrace::intern(unsigned field, std::size_t number, std::string_view text) {
  SmallMessage name;
  name.number(interned_field::kId, number);
  name.text(interned_field::kText, text.substr(0, kLongestText));
  SmallMessage interned;
  interned.message(field, name);
  SmallMessage content;
  content.number(packet_field::kSequenceId, kSequence);
  content.message(packet_field::kInternedData, interned);
  content.number(packet_field::kSequenceFlags, packet_field::kNeedsState);
  packet(content);
}

/// There are only a few, which live as long as the program.
std::uint64_t PerfettoTrace::number_of(std::vector<const char*>& known, unsigned field,
                                       std::string_view text) {
  for (std::size_t i = 0; i < known.size(); ++i) {
    if (known[i] == text.data()) return i + 1;
  }
  known.push_back(text.data());
  intern(field, known.size(), text);
  return known.size();
}

/// Begins an event's packet: its head with lengths of a byte each, which event() fills in.
PerfettoTrace::Message PerfettoTrace::open(Time at) {
  // Sequence, its flags, and the tag of the event, without the event's length.
  constexpr std::array<char, 8> kConstant{char{packet_field::kSequenceId << 3U}, char{kSequence},
                                          char{packet_field::kSequenceFlags << 3U},
                                          char{packet_field::kNeedsState},
                                          char{packet_field::kTrackEvent << 3U | 2}};
  flush(kBuffer);
  const std::int64_t ns = std::max<std::int64_t>(at.count(), 0) / 1000;
  Message head(buffer_.data() + size_);
  head.length(trace_field::kPacket, 0);
  head.number(packet_field::kTimestamp, static_cast<std::uint64_t>(ns));
  char* const constant = buffer_.data() + size_ + head.size();
  std::memcpy(constant, kConstant.data(), kConstant.size());
  return Message(constant + kConstantBytes);
}

/// Ends it.
void PerfettoTrace::event(const Message& track_event) {
  char* const packet = buffer_.data() + size_;
  const char* const body = track_event.view().data();
  const auto head = static_cast<std::size_t>(body - packet);
  const std::size_t whole = head - 2 + track_event.size();
  constexpr std::size_t kOneByte = 0x80;
  if (whole < kOneByte) {
    packet[1] = static_cast<char>(whole);
    packet[head - 1] = static_cast<char>(track_event.size());
    size_ += whole + 2;
    return;
  }
  // Longer ones are rare: those of many frames. They are put together anew.
  std::array<char, kHead + kEventBytes + kNumberBytes> bytes;  // not initialised
  Message content(bytes.data());
  content.append({packet + 2, head - 2 - 2});
  content.message(packet_field::kTrackEvent, track_event);
  Message again(packet);
  again.message(trace_field::kPacket, content);
  size_ += again.size();
}

/// Puts as many as there is room for; returns how many those are.
std::size_t PerfettoTrace::flows(Message& into, gsl::span<const Waypoint> frames) {
  constexpr std::size_t kFlowBytes = 10;
  std::size_t count = 0;
  for (const Waypoint& frame : frames) {
    if (into.size() + kFlowBytes > kEventBytes) break;
    into.fixed64(
        frame.place == Waypoint::Place::kLast ? event_field::kLastOfFlow : event_field::kFlow,
        frame.frame);
    ++count;
  }
  return count;
}

void PerfettoTrace::argument(Message& into, const Argument& argument, const Numbers& numbers) {
  const std::size_t begin = into.open(event_field::kArgument);
  into.number(argument_field::kNameId, numbers.name);
  if (numbers.text != 0) {
    into.number(argument_field::kTextId, numbers.text);
  } else {
    into.number(argument.hex ? argument_field::kPointer : argument_field::kNumber, argument.number);
  }
  into.close(begin);
}

void PerfettoTrace::slice(std::size_t track, Time at, Time end, std::size_t name,
                          gsl::span<const Argument> arguments, gsl::span<const Waypoint> frames) {
  arguments = arguments.first(std::min(arguments.size(), kMostArguments));
  std::array<Numbers, kMostArguments> numbers;  // what is new to them is sent before the event
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const Argument& argument = arguments[i];
    numbers[i].name = number_of(argument_names_, interned_field::kArgumentNames, argument.name);
    numbers[i].text =
        argument.text.empty()
            ? 0
            : number_of(argument_texts_, interned_field::kArgumentTexts, argument.text);
  }
  Message begin = open(at);
  begin.number(event_field::kType, event_field::kBegin);
  begin.number(event_field::kTrack, track + 1);
  begin.number(event_field::kNameId, name + 1);
  for (std::size_t i = 0; i < arguments.size(); ++i) argument(begin, arguments[i], numbers[i]);
  frames = frames.subspan(flows(begin, frames));
  event(begin);
  // More than fit into one message come by at instants within it.
  while (!frames.empty()) {
    Message more = open(at);
    more.number(event_field::kType, event_field::kInstant);
    more.number(event_field::kTrack, track + 1);
    more.number(event_field::kNameId, name + 1);
    frames = frames.subspan(flows(more, frames));
    event(more);
  }
  Message over = open(end);
  over.number(event_field::kType, event_field::kEnd);
  over.number(event_field::kTrack, track + 1);
  event(over);
}

void PerfettoTrace::instant(std::size_t track, Time at, std::size_t name) {
  Message what = open(at);
  what.number(event_field::kType, event_field::kInstant);
  what.number(event_field::kTrack, track + 1);
  what.number(event_field::kNameId, name + 1);
  event(what);
}

void PerfettoTrace::value(std::size_t track, Time at, std::uint64_t value) {
  Message what = open(at);
  what.number(event_field::kType, event_field::kCounter);
  what.number(event_field::kTrack, track + 1);
  what.number(event_field::kValue, value);
  event(what);
}

void PerfettoTrace::end() { flush(0); }

}  // namespace e1000tlm::trace
