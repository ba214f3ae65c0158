#include "e1000tlm/link/capture/replay.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <stdexcept>
#include <string>
#include <utility>

namespace e1000tlm::link {
namespace {

/// Simulated time ends after 106 days of picoseconds.
constexpr double kLongestNs = 100.0 * 24 * 3600 * 1e9;

FramePtr make_frame(const PcapReader::Record& record) {
  const std::size_t captured = record.bytes.size();
  const std::size_t size = std::max(record.size, kMinFrameBytes);
  FramePtr frame = FramePool::shared().make(size);
  if (captured > 0) std::memcpy(frame->data(), record.bytes.data(), captured);
  if (captured < size) std::memset(frame->data() + captured, 0, size - captured);
  if (record.fcs && record.size >= kMinFrameBytes) frame->carry_fcs(*record.fcs);
  return frame;
}

}  // namespace

Replay::Replay(std::unique_ptr<PcapReader> capture, Pace pace, double scale, std::uint64_t passes)
    : capture_(std::move(capture)), pace_(pace), scale_(scale), passes_left_(passes) {
  position_.clock = RateClock(std::max<std::uint64_t>(1, pace.rate));
}

bool Replay::fetch() {
  if (ready()) return true;
  Slot slot;
  if (ahead_.frame) {
    slot = std::exchange(ahead_, {});
  } else if (ended_ || !load(slot)) {
    return false;
  }
  place(slot);
  next_ = std::move(slot);
  return true;
}

bool Replay::load(Slot& slot) {
  PcapReader::Record record;
  while (!capture_->next(record)) {
    --passes_left_;
    ended_ = passes_left_ == 0 || loaded_ == 0;
    if (ended_) return false;
    capture_->rewind();
    new_pass_ = true;
    loaded_ = 0;
  }
  if (loaded_ == 0 && !new_pass_) first_ns_ = record.time_ns;
  slot.offset_ns = record.time_ns - first_ns_;
  slot.new_pass = std::exchange(new_pass_, false);
  slot.record = record.number;
  slot.frame = make_frame(record);
  slot.frame->tag = loaded_++;
  return true;
}

/// Says when a frame is due, the one before it having been sent.
void Replay::place(const Slot& slot) {
  const bool recorded = pace_.kind == Pace::Kind::kRecorded;
  if (slot.new_pass) {
    position_.pass_start = position_.done;
    if (recorded) position_.due = position_.pass_start;
  }
  if (recorded) {
    position_.due = std::max(position_.due, recorded_due(slot));
  } else if (static_cast<double>(position_.due.count()) / 1000 > kLongestNs) {
    throw_too_late(slot, "a higher rate, or pace=line, is sooner done");
  }
}

void Replay::throw_too_late(const Slot& slot, const char* remedy) const {
  throw std::runtime_error(
      capture_->name() + ": record " + std::to_string(slot.record) +
      " is due more than 100 days after the start of the replay, and simulated time ends after "
      "106 days; " +
      remedy);
}

Time Replay::recorded_due(const Slot& slot) const {
  if (slot.offset_ns <= 0) return position_.pass_start;
  const double start_ns = static_cast<double>(position_.pass_start.count()) / 1000;
  if (start_ns + static_cast<double>(slot.offset_ns) / scale_ > kLongestNs) {
    throw_too_late(slot, "pace=line ignores times, scale= shortens them");
  }
  if (scale_ == 1) return position_.pass_start + ns(slot.offset_ns);
  const double picoseconds = static_cast<double>(slot.offset_ns) * 1000;
  return position_.pass_start + Time{std::llround(picoseconds / scale_)};
}

void Replay::sent(Time done, std::size_t wire_bytes) {
  previous_ = position_;
  last_ = std::exchange(next_, {});
  position_.done = done;
  if (pace_.kind == Pace::Kind::kBits) {
    position_.due += position_.clock.advance(wire_bytes * 8);
  } else if (pace_.kind == Pace::Kind::kFrames) {
    position_.due += position_.clock.advance(1);
  }
}

void Replay::take_back() {
  if (next_.frame) ahead_ = std::move(next_);
  next_ = last_;
  position_ = previous_;
}

}  // namespace e1000tlm::link
