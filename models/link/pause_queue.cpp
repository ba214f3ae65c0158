#include "e1000tlm/link/pause_queue.h"

#include <algorithm>
#include <array>
#include <utility>

#include "e1000tlm/link/wire.h"
#include "e1000tlm/tlm/bytes.h"
#include "e1000tlm/tlm/sc_time.h"

namespace e1000tlm::link {
namespace {

constexpr std::array<std::uint8_t, 6> kPauseAddress{0x01, 0x80, 0xC2, 0x00, 0x00, 0x01};
constexpr std::uint16_t kMacControl = 0x8808, kOpcodePause = 0x0001;
constexpr std::int64_t kQuantumBytes = 64;  // 512 bit times
constexpr std::size_t kFirstRoom = 64;

}  // namespace

std::optional<std::uint16_t> pause_quanta(const Frame& frame) {
  const std::uint8_t* p = frame.data();
  if (frame.size() < kMinFrameBytes || frame.coding_error) return std::nullopt;
  if (!std::equal(kPauseAddress.begin(), kPauseAddress.end(), p)) return std::nullopt;
  if (load_be16(p + 12) != kMacControl || load_be16(p + 14) != kOpcodePause) return std::nullopt;
  if (!frame.fcs_ok()) return std::nullopt;
  return load_be16(p + 16);
}

PauseQueue::PauseQueue(const sc_core::sc_module_name& name, CableEndIf& end)
    : sc_module(name),
      end_(end),
      waiting_(kFirstRoom),
      pump_event_("pump_event"),
      changed_("changed") {
  SC_HAS_PROCESS(PauseQueue);
  SC_METHOD(pump);
  sensitive << pump_event_;
  dont_initialize();
}

PauseQueue::~PauseQueue() = default;

void PauseQueue::set_obeying(bool obeying) {
  if (obeying == obeying_) return;
  obeying_ = obeying;
  silences_.clear();
  while (!obeying_ && !waiting_.empty())
    release_front(std::max(sc_now(), waiting_.front().earliest));
  changed_.notify(sc_core::SC_ZERO_TIME);
}

bool PauseQueue::obey(const Arrival& arrival) {
  const std::optional<std::uint16_t> quanta = pause_quanta(*arrival.frame);
  if (!quanta) return false;
  ++taken_;
  // Those that another one has followed are over.
  while (silences_.size() > 1 && silences_[1].from <= sc_now()) silences_.erase(silences_.begin());
  const Time from = arrival.last_bit;
  silences_.push_back({from, from + byte_time(end_.speed()) * (kQuantumBytes * *quanta)});
  pump_event_.cancel();
  pump_event_.notify(sc_core::SC_ZERO_TIME);
  changed_.notify(sc_core::SC_ZERO_TIME);
  return true;
}

bool PauseQueue::take_back(Time last_bit) {
  if (silences_.empty() || silences_.back().from != last_bit) return false;
  silences_.pop_back();
  --taken_;
  pump_event_.cancel();
  pump_event_.notify(sc_core::SC_ZERO_TIME);
  changed_.notify(sc_core::SC_ZERO_TIME);
  return true;
}

std::size_t PauseQueue::recall(std::size_t most) {
  std::size_t frames = 0;
  for (; frames != most && !waiting_.empty(); ++frames) {
    waiting_bytes_ -= waiting_.back().frame->wire_bytes();
    waiting_.pop_back();
  }
  return frames + end_.recall(most - frames);
}

void PauseQueue::hold(FramePtr frame, Time earliest) {
  if (waiting_.empty()) pump_event_.notify(sc_core::SC_ZERO_TIME);
  if (waiting_.full()) waiting_.set_capacity(2 * waiting_.capacity());
  waiting_bytes_ += frame->wire_bytes();
  waiting_.push_back({std::move(frame), earliest});
}

void PauseQueue::release_front(Time earliest) {
  Waiting front = std::move(waiting_.front());
  waiting_.pop_front();
  waiting_bytes_ -= front.frame->wire_bytes();
  end_.send(std::move(front.frame), earliest);
}

void PauseQueue::pump() {
  const Time now = sc_now();
  const Time gap = byte_time(end_.speed()) * static_cast<std::int64_t>(kInterFrameGapBytes);
  while (!waiting_.empty()) {
    const Time free = std::max(waiting_.front().earliest, end_.busy_until() + gap);
    const Time start = allowed(std::max(free, now));
    if (start > now) {
      pump_event_.notify(to_sc(start - now));
      return;
    }
    release_front(now);
  }
}

}  // namespace e1000tlm::link
