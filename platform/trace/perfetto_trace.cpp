#include "e1000tlm/trace/perfetto_trace.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace e1000tlm::trace {
namespace {

constexpr std::size_t kBuffer = 1U << 16;
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
constexpr unsigned kNameId = 1, kNumber = 3, kText = 6, kPointer = 7;
}
namespace interned_field {
constexpr unsigned kEventNames = 2, kArgumentNames = 3, kId = 1, kText = 2;
}

}  // namespace

/// A message under construction: small ones only.
class PerfettoTrace::Message {
 public:
  void number(unsigned field, std::uint64_t value) {
    varint(field << 3U);
    varint(value);
  }
  void fixed64(unsigned field, std::uint64_t value) {
    varint(field << 3U | 1U);
    for (int i = 0; i < 8; ++i, value >>= 8U) push(static_cast<char>(value & 0xFF));
  }
  /// Begins a field of so many bytes, which follow.
  void length(unsigned field, std::size_t bytes) {
    varint(field << 3U | 2U);
    varint(bytes);
  }
  void text(unsigned field, std::string_view value) {
    length(field, value.size());
    value = value.substr(0, bytes_.size() - size_);
    std::memcpy(bytes_.data() + size_, value.data(), value.size());
    size_ += value.size();
  }
  void message(unsigned field, const Message& value) { text(field, value.view()); }
  bool has_room(std::size_t bytes) const { return bytes_.size() - size_ >= bytes; }
  std::string_view view() const { return {bytes_.data(), size_}; }

 private:
  void push(char byte) { bytes_[size_++] = byte; }
  void varint(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7U) push(static_cast<char>(value | 0x80));
    push(static_cast<char>(value));
  }

  // Not initialised: thousands of these are made each millisecond.
  std::array<char, 1024> bytes_;
  std::size_t size_ = 0;
};

PerfettoTrace::PerfettoTrace(OutputFile& file) : file_(file) { buffer_.reserve(2 * kBuffer); }

void PerfettoTrace::packet(const Message& content) {
  if (buffer_.size() >= kBuffer) {
    file_.write(buffer_);
    buffer_.clear();
  }
  Message packet;
  packet.message(trace_field::kPacket, content);
  buffer_.append(packet.view());
}

void PerfettoTrace::begin(std::uint64_t) {
  Message content;
  content.number(packet_field::kSequenceId, kSequence);
  content.number(packet_field::kSequenceFlags, packet_field::kStateCleared);
  packet(content);
}

void PerfettoTrace::board(unsigned number) {
  Message process;
  process.number(process_field::kPid, number + 1);
  process.text(process_field::kName, "board " + std::to_string(number));
  Message descriptor;
  descriptor.number(descriptor_field::kUuid, kBoardTracks + number);
  descriptor.message(descriptor_field::kProcess, process);
  descriptor.number(descriptor_field::kChildOrdering, descriptor_field::kExplicit);
  Message content;
  content.number(packet_field::kSequenceId, kSequence);
  content.message(packet_field::kTrackDescriptor, descriptor);
  packet(content);
}

void PerfettoTrace::track(const TrackInfo& info) {
  Message descriptor;
  descriptor.number(descriptor_field::kUuid, ++tracks_);
  descriptor.number(descriptor_field::kParent, kBoardTracks + info.board);
  descriptor.text(descriptor_field::kName, info.name);
  descriptor.number(descriptor_field::kSiblingRank, info.number);
  if (info.counter) descriptor.message(descriptor_field::kCounter, {});
  Message content;
  content.number(packet_field::kSequenceId, kSequence);
  content.message(packet_field::kTrackDescriptor, descriptor);
  packet(content);
}

void PerfettoTrace::name(std::string_view text) {
  Message name;
  name.number(interned_field::kId, ++names_);
  name.text(interned_field::kText, text);
  Message interned;
  interned.message(interned_field::kEventNames, name);
  Message content;
  content.number(packet_field::kSequenceId, kSequence);
  content.message(packet_field::kInternedData, interned);
  content.number(packet_field::kSequenceFlags, packet_field::kNeedsState);
  packet(content);
}

/// There are only a few, which live as long as the program.
std::uint64_t PerfettoTrace::argument_name(std::string_view text) {
  for (std::size_t i = 0; i < argument_names_.size(); ++i) {
    if (argument_names_[i].data() == text.data()) return i + 1;
  }
  argument_names_.push_back(text);
  Message name;
  name.number(interned_field::kId, argument_names_.size());
  name.text(interned_field::kText, text);
  Message interned;
  interned.message(interned_field::kArgumentNames, name);
  Message content;
  content.number(packet_field::kSequenceId, kSequence);
  content.message(packet_field::kInternedData, interned);
  content.number(packet_field::kSequenceFlags, packet_field::kNeedsState);
  packet(content);
  return argument_names_.size();
}

/// As packet() would do it, straight into the buffer: nearly all of a trace goes through here.
void PerfettoTrace::event(Time at, const Message& track_event) {
  if (buffer_.size() >= kBuffer) {
    file_.write(buffer_);
    buffer_.clear();
  }
  const std::int64_t ns = std::max<std::int64_t>(at.count(), 0) / 1000;
  Message head;
  head.number(packet_field::kTimestamp, static_cast<std::uint64_t>(ns));
  head.number(packet_field::kSequenceId, kSequence);
  head.number(packet_field::kSequenceFlags, packet_field::kNeedsState);
  head.length(packet_field::kTrackEvent, track_event.view().size());
  Message begin;
  begin.length(trace_field::kPacket, head.view().size() + track_event.view().size());
  buffer_.append(begin.view()).append(head.view()).append(track_event.view());
}

/// Puts as many as there is room for; returns how many those are.
std::size_t PerfettoTrace::flows(Message& into, gsl::span<const Waypoint> frames) {
  constexpr std::size_t kFlowBytes = 10, kPacketBytes = 64;
  std::size_t count = 0;
  for (const Waypoint& frame : frames) {
    if (!into.has_room(kFlowBytes + kPacketBytes)) break;
    into.fixed64(
        frame.place == Waypoint::Place::kLast ? event_field::kLastOfFlow : event_field::kFlow,
        frame.frame);
    ++count;
  }
  return count;
}

void PerfettoTrace::slice(std::size_t track, Time at, Time end, std::size_t name,
                          gsl::span<const Argument> arguments, gsl::span<const Waypoint> frames) {
  Message begin;
  begin.number(event_field::kType, event_field::kBegin);
  begin.number(event_field::kTrack, track + 1);
  begin.number(event_field::kNameId, name + 1);
  for (const Argument& argument : arguments) {
    Message of;
    of.number(argument_field::kNameId, argument_name(argument.name));
    if (!argument.text.empty()) {
      of.text(argument_field::kText, argument.text);
    } else {
      of.number(argument.hex ? argument_field::kPointer : argument_field::kNumber, argument.number);
    }
    begin.message(event_field::kArgument, of);
  }
  frames = frames.subspan(flows(begin, frames));
  event(at, begin);
  // More than fit into one message come by at instants within it.
  while (!frames.empty()) {
    Message more;
    more.number(event_field::kType, event_field::kInstant);
    more.number(event_field::kTrack, track + 1);
    more.number(event_field::kNameId, name + 1);
    frames = frames.subspan(flows(more, frames));
    event(at, more);
  }
  Message over;
  over.number(event_field::kType, event_field::kEnd);
  over.number(event_field::kTrack, track + 1);
  event(end, over);
}

void PerfettoTrace::instant(std::size_t track, Time at, std::size_t name) {
  Message what;
  what.number(event_field::kType, event_field::kInstant);
  what.number(event_field::kTrack, track + 1);
  what.number(event_field::kNameId, name + 1);
  event(at, what);
}

void PerfettoTrace::value(std::size_t track, Time at, std::uint64_t value) {
  Message what;
  what.number(event_field::kType, event_field::kCounter);
  what.number(event_field::kTrack, track + 1);
  what.number(event_field::kValue, value);
  event(at, what);
}

void PerfettoTrace::end() {
  file_.write(buffer_);
  buffer_.clear();
}

}  // namespace e1000tlm::trace
