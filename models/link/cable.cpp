#include "e1000tlm/link/cable.h"

#include <algorithm>
#include <string>
#include <utility>

#include <boost/circular_buffer.hpp>

#include "e1000tlm/link/sent_log.h"
#include "e1000tlm/tlm/sc_time.h"

namespace e1000tlm::link {
namespace {
constexpr std::size_t kFirstRoom = 64;
/// Last bit "sent" before the first frame: so long ago that no gap has to be kept.
constexpr Time kLongAgo = -ms(1'000);
}  // namespace

class Cable::End final : public CableEndIf {
 public:
  End(Cable& cable, unsigned index)
      : cable_(cable),
        index_(index),
        queue_(kFirstRoom),
        arrival_event_(name("arrival_event").c_str()),
        change_event_(name("change_event").c_str()),
        ready_event_(name("ready_event").c_str()),
        pump_event_(name("pump_event").c_str()) {}

  Time send(FramePtr frame, Time earliest, std::size_t gap_bytes) override;
  Time busy_until() const override { return std::max(kTimeZero, last_bit_); }

  const Arrival* next(Time now) override;
  Arrival take() override;
  const sc_core::sc_event& arrival_event() const override { return arrival_event_; }
  void set_sink(FrameSink* sink) override;
  void set_source(FrameSource* source) override;
  std::size_t recall(std::size_t most) override;
  std::size_t in_flight() const override {
    return far_->queue_.size() + (far_->sink_ != nullptr ? far_->given_.after(sc_now()) : 0);
  }
  const CableStatistics& statistics() const override { return statistics_; }

  void advertise(std::optional<Abilities> abilities) override;
  std::optional<Abilities> partner() const override {
    return cable_.plugged_ ? far_->abilities_ : std::nullopt;
  }
  void set_link(std::optional<LinkMode> mode) override;
  bool link_up() const override { return cable_.up_; }
  Speed speed() const override { return cable_.speed_; }
  const sc_core::sc_event& change_event() const override { return change_event_; }

  void set_ready(bool ready) override;
  bool partner_ready() const override { return cable_.plugged_ && far_->ready_; }
  const sc_core::sc_event& ready_event() const override { return ready_event_; }

  unsigned index() const override { return index_; }
  Probe<WireEvent>& wire() override { return cable_.wire; }

 private:
  friend class Cable;

  std::string name(const char* event) const { return "end" + std::to_string(index_) + '_' + event; }
  /// Puts a frame into this end's queue.
  void queue_up(Arrival&& arrival);
  /// A frame goes to this end's sink.
  void note_given(Time last_bit, std::size_t wire_bytes) {
    if (given_.full()) given_.forget_until(sc_now());
    given_.note(last_bit, wire_bytes);
  }
  bool refill_from_far(Time now);
  bool begun(Time first_bit, Time now) const {
    return first_bit <= now + cable_.config_.propagation;
  }
  void lose(Time first_bit, std::size_t wire_bytes, Time now);
  void lose_given(Time now);
  void lose_undelivered(Time now);
  /// A frame on its way to this end is not counted as carried any more.
  void uncount(std::size_t wire_bytes) {
    --far_->statistics_.frames;
    far_->statistics_.bytes -= wire_bytes;
  }

  Cable& cable_;
  unsigned index_;
  End* far_ = nullptr;
  CableStatistics statistics_;  // of frames sent by this end
  Time last_bit_ = kLongAgo;    // sent by this end

  boost::circular_buffer<Arrival> queue_;  // for this end
  FrameSink* sink_ = nullptr;
  SentLog given_;  // to the sink
  FrameSource* source_ = nullptr;
  bool asking_ = false;  // this end is asking the far end's source

  std::optional<Abilities> abilities_;
  std::optional<LinkMode> link_;
  bool ready_ = false;

  sc_core::sc_event arrival_event_;
  sc_core::sc_event change_event_;
  sc_core::sc_event ready_event_;
  sc_core::sc_event pump_event_;
};

Time Cable::End::send(FramePtr frame, Time earliest, std::size_t gap_bytes) {
  const Time byte = byte_time(cable_.speed_);
  const std::size_t wire_bytes = frame->wire_bytes();
  const Time start = std::max(earliest, last_bit_ + byte * static_cast<std::int64_t>(gap_bytes));
  last_bit_ = start + byte * static_cast<std::int64_t>(kPreambleBytes + wire_bytes);
  if (!cable_.up_) {
    ++statistics_.lost_no_link;
    return last_bit_;
  }
  ++statistics_.frames;
  statistics_.bytes += wire_bytes;
  if (cable_.wire.armed()) cable_.wire.emit({frame.get(), start, last_bit_, index_});
  const Time propagation = cable_.config_.propagation;
  const Time arrives = last_bit_ + propagation;
  End& far = *far_;
  if (far.sink_ == nullptr) {
    far.queue_up({std::move(frame), start + propagation, arrives});
    return last_bit_;
  }
  if (source_ != nullptr && !far.asking_) far.pump_event_.notify(sc_core::SC_ZERO_TIME);
  far.note_given(arrives, wire_bytes);
  far.sink_->receive({std::move(frame), start + propagation, arrives});
  return last_bit_;
}

void Cable::End::queue_up(Arrival&& arrival) {
  if (queue_.empty() && !asking_) arrival_event_.notify(sc_core::SC_ZERO_TIME);
  if (queue_.full()) queue_.set_capacity(2 * queue_.capacity());
  queue_.push_back(std::move(arrival));
}

bool Cable::End::refill_from_far(Time now) {
  FrameSource* const source = far_->source_;
  if (source == nullptr || asking_ || !cable_.up_) return false;
  asking_ = true;
  source->refill(now);
  asking_ = false;
  return true;
}

const Arrival* Cable::End::next(Time now) {
  if (queue_.empty() && (!refill_from_far(now) || queue_.empty())) return nullptr;
  return &queue_.front();
}

Arrival Cable::End::take() {
  Arrival arrival = std::move(queue_.front());
  queue_.pop_front();
  return arrival;
}

void Cable::End::set_sink(FrameSink* sink) {
  sink_ = sink;
  if (sink_ == nullptr) return;
  while (!queue_.empty()) {
    note_given(queue_.front().last_bit, queue_.front().frame->wire_bytes());
    sink_->receive(take());
  }
  if (far_->source_ != nullptr) pump_event_.notify(sc_core::SC_ZERO_TIME);
}

void Cable::End::set_source(FrameSource* source) {
  source_ = source;
  if (source_ == nullptr) return;
  far_->arrival_event_.notify(sc_core::SC_ZERO_TIME);
  far_->pump_event_.notify(sc_core::SC_ZERO_TIME);
}

std::size_t Cable::End::recall(std::size_t most) {
  std::size_t frames = 0;
  const Time now = sc_now();
  boost::circular_buffer<Arrival>& queue = far_->queue_;
  for (; frames != most && !queue.empty() && !begun(queue.back().first_bit, now);
       queue.pop_back()) {
    far_->uncount(queue.back().frame->wire_bytes());
    ++frames;
  }
  SentLog& given = far_->given_;
  while (far_->sink_ != nullptr && frames != most && !given.empty()) {
    const SentLog::Entry newest = given.back();
    if (begun(newest.last_bit - serialisation(newest.wire_bytes, cable_.speed_), now)) break;
    given.pop_back();
    if (!far_->sink_->take_back(newest.last_bit, newest.wire_bytes - kFcsBytes)) continue;
    far_->uncount(newest.wire_bytes);
    ++frames;
  }
  return frames;
}

void Cable::End::advertise(std::optional<Abilities> abilities) {
  if (abilities == abilities_) return;
  abilities_ = abilities;
  if (cable_.plugged_) far_->change_event_.notify(sc_core::SC_ZERO_TIME);
}

void Cable::End::set_link(std::optional<LinkMode> mode) {
  link_ = mode;
  cable_.update_link();
}

void Cable::End::set_ready(bool ready) {
  if (ready == ready_) return;
  ready_ = ready;
  if (cable_.plugged_) far_->ready_event_.notify(sc_core::SC_ZERO_TIME);
}

/// A frame to this end does not arrive. A source that is asked ahead of time has it back.
void Cable::End::lose(Time first_bit, std::size_t wire_bytes, Time now) {
  uncount(wire_bytes);
  FrameSource* const source = far_->source_;
  if (source != nullptr && !begun(first_bit, now) && source->take_back()) return;
  ++far_->statistics_.lost_no_link;
}

/// The sink at this end forgets what has not completely arrived.
void Cable::End::lose_given(Time now) {
  for (; sink_ != nullptr && !given_.empty() && given_.back().last_bit > now; given_.pop_back()) {
    const SentLog::Entry& newest = given_.back();
    if (!sink_->take_back(newest.last_bit, newest.wire_bytes - kFcsBytes)) continue;
    lose(newest.last_bit - serialisation(newest.wire_bytes, cable_.speed_), newest.wire_bytes, now);
  }
}

/// Drops what has not completely arrived at this end, and frees the wire of the far end.
void Cable::End::lose_undelivered(Time now) {
  for (; !queue_.empty() && queue_.back().last_bit > now; queue_.pop_back()) {
    lose(queue_.back().first_bit, queue_.back().frame->wire_bytes(), now);
  }
  far_->last_bit_ = std::min(far_->last_bit_, now);
}

Cable::Cable(const sc_core::sc_module_name& name, CableConfig config)
    : sc_module(name),
      config_(config),
      ends_{std::make_unique<End>(*this, 0), std::make_unique<End>(*this, 1)} {
  SC_HAS_PROCESS(Cable);
  ends_[0]->far_ = ends_[1].get();
  ends_[1]->far_ = ends_[0].get();
  SC_METHOD(pump_0);
  sensitive << ends_[0]->pump_event_;
  dont_initialize();
  SC_METHOD(pump_1);
  sensitive << ends_[1]->pump_event_;
  dont_initialize();
}

Cable::~Cable() = default;

CableEndIf& Cable::end(unsigned index) { return *ends_.at(index); }

const CableStatistics& Cable::statistics(unsigned from) const {
  return ends_.at(from)->statistics_;
}

void Cable::plug(bool in) {
  if (in == plugged_) return;
  plugged_ = in;
  for (const auto& end : ends_) {
    end->change_event_.notify(sc_core::SC_ZERO_TIME);
    end->ready_event_.notify(sc_core::SC_ZERO_TIME);
  }
  update_link();
}

void Cable::update_link() {
  const std::optional<LinkMode>& mode = ends_[0]->link_;
  const bool up = plugged_ && mode && mode == ends_[1]->link_;
  if (up == up_ && (!up || mode->speed == speed_)) return;
  up_ = up;
  if (up) speed_ = mode->speed;
  // Sinks first: what one has sent back of a frame that is cut off is to be taken back, not lost.
  for (const auto& end : ends_) {
    if (!up) end->lose_given(sc_now());
  }
  for (const auto& end : ends_) {
    if (!up) end->lose_undelivered(sc_now());
    end->change_event_.notify(sc_core::SC_ZERO_TIME);
    if (up && end->far_->source_ != nullptr) {
      end->arrival_event_.notify(sc_core::SC_ZERO_TIME);
      end->pump_event_.notify(sc_core::SC_ZERO_TIME);
    }
  }
}

void Cable::pump(unsigned to) {
  End& receiver = *ends_[to];
  if (receiver.sink_ == nullptr) return;
  const Time now = sc_now();
  const Time before = receiver.far_->last_bit_;
  if (before <= now) {
    if (!receiver.refill_from_far(now)) return;
    // Nothing to send: the source's next send() starts the pump again.
    if (receiver.far_->last_bit_ == before) return;
  }
  const Time busy = std::max(now, receiver.far_->last_bit_) - now;
  next_trigger(to_sc(busy), receiver.pump_event_);
}

}  // namespace e1000tlm::link
