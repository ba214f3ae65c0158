#include "e1000tlm/link/cable.h"

#include <algorithm>
#include <string>
#include <utility>

#include <boost/circular_buffer.hpp>

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
  std::size_t recall() override;
  std::size_t in_flight() const override { return far_->queue_.size(); }
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
  void deliver(Arrival&& arrival);
  bool refill_from_far(Time now);
  void lose_undelivered(Time now);

  Cable& cable_;
  unsigned index_;
  End* far_ = nullptr;
  CableStatistics statistics_;  // of frames sent by this end
  Time last_bit_ = kLongAgo;    // sent by this end

  boost::circular_buffer<Arrival> queue_;  // for this end
  FrameSink* sink_ = nullptr;
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
  const Time start = std::max(earliest, last_bit_ + byte * static_cast<std::int64_t>(gap_bytes));
  last_bit_ = start + serialisation(frame->wire_bytes(), cable_.speed_);
  if (!cable_.up_) {
    ++statistics_.lost_no_link;
    return last_bit_;
  }
  ++statistics_.frames;
  statistics_.bytes += frame->wire_bytes();
  if (cable_.wire.armed()) cable_.wire.emit({frame.get(), start, last_bit_, index_});
  const Time propagation = cable_.config_.propagation;
  far_->deliver({std::move(frame), start + propagation, last_bit_ + propagation});
  return last_bit_;
}

void Cable::End::deliver(Arrival&& arrival) {
  if (sink_ != nullptr) {
    if (far_->source_ != nullptr && !asking_) pump_event_.notify(sc_core::SC_ZERO_TIME);
    sink_->receive(std::move(arrival));
    return;
  }
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
  while (!queue_.empty()) sink_->receive(take());
  if (far_->source_ != nullptr) pump_event_.notify(sc_core::SC_ZERO_TIME);
}

void Cable::End::set_source(FrameSource* source) {
  source_ = source;
  if (source_ == nullptr) return;
  far_->arrival_event_.notify(sc_core::SC_ZERO_TIME);
  far_->pump_event_.notify(sc_core::SC_ZERO_TIME);
}

std::size_t Cable::End::recall() {
  std::size_t frames = 0;
  boost::circular_buffer<Arrival>& queue = far_->queue_;
  const Time begun = sc_now() + cable_.config_.propagation;
  for (; !queue.empty() && queue.back().first_bit > begun; queue.pop_back()) {
    --statistics_.frames;
    statistics_.bytes -= queue.back().frame->wire_bytes();
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

/// Drops what has not completely arrived at this end, and frees the wire of the far end.
void Cable::End::lose_undelivered(Time now) {
  while (!queue_.empty() && queue_.back().last_bit > now) {
    CableStatistics& sent = far_->statistics_;
    --sent.frames;
    sent.bytes -= queue_.back().frame->wire_bytes();
    ++sent.lost_no_link;
    queue_.pop_back();
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
