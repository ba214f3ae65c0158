#include "e1000tlm/link/switch/switch_port.h"

#include <string>
#include <utility>

#include "e1000tlm/link/switch/switch.h"
#include "e1000tlm/tlm/sc_time.h"

namespace e1000tlm::link {
namespace {

constexpr std::size_t kFirstRoom = 64;

constexpr std::size_t kMinWireBytes = kMinFrameBytes + kFcsBytes;
constexpr std::size_t kAddressBytes = 12;
static_assert(kMaxFrameBytes + kFcsBytes <= 0xFFFF, "fits Pending::wire_bytes");

/// What keeps the frame from being passed on; kCount: nothing.
SwitchDrop fault_of(const Frame& frame, const SwitchConfig& config) {
  if (config.repeats) return SwitchDrop::kCount;
  const std::size_t bytes = frame.wire_bytes();
  if (bytes < kMinWireBytes) return SwitchDrop::kTooShort;
  if (bytes > config.max_frame_bytes) return SwitchDrop::kTooLong;
  if (frame.coding_error) return SwitchDrop::kCodingError;
  return frame.fcs_ok() ? SwitchDrop::kCount : SwitchDrop::kBadFcs;
}

template <class T>
void push(boost::circular_buffer<T>& buffer, T value) {
  if (buffer.full()) buffer.set_capacity(2 * buffer.capacity());
  buffer.push_back(std::move(value));
}

}  // namespace

SwitchPort::SwitchPort(const sc_core::sc_module_name& name, CableEndIf& end,
                       const PartnerSpec& spec, Switch& owner, unsigned number)
    : LinkPartner(name, end, spec),
      switch_(owner),
      number_(number),
      repeats_(owner.config().repeats),
      incoming_(kFirstRoom),
      queue_(kFirstRoom) {
  for (std::size_t i = 0; i < drops_.size(); ++i) {
    drops_[i] = &statistics_.drops[std::string(kSwitchDropNames[i])];
  }
  end.set_sink(this);
  SC_HAS_PROCESS(SwitchPort);
  SC_METHOD(watch_readiness);
  sensitive << end.ready_event();
  dont_initialize();
}

SwitchPort::~SwitchPort() = default;

bool SwitchPort::ready() const { return switch_.stations_ready(*this); }

void SwitchPort::watch_readiness() { switch_.tell_readiness(); }

void SwitchPort::link_changed() {
  if (end_.link_up() == up_) return;
  up_ = end_.link_up();
  if (!up_) {
    queue_.clear();  // lost and counted by the cable
    queued_bytes_ = 0;
    switch_.link_lost(number_);
  }
  switch_.tell_readiness();
}

void SwitchPort::receive(Arrival arrival) {
  const bool first = incoming_.empty();
  const Frame& frame = *arrival.frame;
  if (pause_.take(arrival)) {
    count_in(frame.wire_bytes());
    return;
  }
  const SwitchDrop fault = fault_of(frame, switch_.config());
  const bool addressed = frame.size() >= kAddressBytes;
  const StationAddress destination = addressed ? load_station(frame.data()) : 0;
  const StationAddress source = addressed ? load_station(frame.data() + 6) : 0;
  arrival.frame->queue = kNoQueue;  // it is the sender's business, not of those at other ports
  push(incoming_, Pending{std::move(arrival.frame), arrival.last_bit, destination,
                          static_cast<StationAddress>(fault), source, frame.wire_bytes()});
  if (first) switch_.frame_waits(number_, first_due());
}

/// What the switch has looked at already (see Switch on how far it looks ahead) is on its way.
bool SwitchPort::take_back(Time last_bit, std::size_t size) {
  if (pause_.take_back(last_bit)) {
    uncount_from_nic(size);
    return true;
  }
  if (incoming_.empty() || incoming_.back().last_bit != last_bit) return false;
  incoming_.pop_back();
  if (incoming_.empty()) switch_.frames_lost();
  return true;
}

Pending SwitchPort::take() {
  Pending frame = std::move(incoming_.front());
  incoming_.pop_front();
  return frame;
}

void SwitchPort::transmit(FramePtr frame, std::size_t wire_bytes, Time ready) {
  while (!queue_.empty() && queue_.front().end <= ready) {
    queued_bytes_ -= queue_.front().bytes;
    queue_.pop_front();
  }
  const std::size_t waiting = queued_bytes_ + pause_.waiting_bytes();
  if (waiting + wire_bytes > switch_.config().queue_bytes) {
    drop(SwitchDrop::kQueueFull);
    return;
  }
  ++statistics_.frames_to_nic;
  statistics_.bytes_to_nic += wire_bytes - kFcsBytes;
  if (pause_.obeying()) {
    pause_.send(std::move(frame), ready);
    return;
  }
  queued_bytes_ += wire_bytes;
  push(queue_, Queued{end_.send(std::move(frame), ready), wire_bytes});
}

}  // namespace e1000tlm::link
