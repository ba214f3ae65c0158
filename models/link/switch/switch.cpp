#include "e1000tlm/link/switch/switch.h"

#include <algorithm>
#include <stdexcept>
#include <string>
#include <utility>

#include <tlm>

#include "e1000tlm/tlm/sc_time.h"

namespace e1000tlm::link {
namespace {

constexpr std::size_t kMinWireBytes = kMinFrameBytes + kFcsBytes;
/// 01-80-C2-00-00-0x.
constexpr bool is_reserved(StationAddress address) { return address >> 4 == 0x0180'C200'000; }
/// PAUSE goes to the MAC of the port and never reaches what learns.
constexpr StationAddress kMacControl = 0x0180'C200'0001;

}  // namespace

Switch::Switch(const sc_core::sc_module_name& name, const SwitchConfig& config, Readiness readiness)
    : sc_module(name),
      config_(config),
      readiness_(readiness),
      table_(config.stations, config.aging),
      due_("due") {
  SC_HAS_PROCESS(Switch);
  SC_METHOD(forward);
  sensitive << due_;
  dont_initialize();
}

Switch::~Switch() = default;

std::unique_ptr<SwitchPort> Switch::plug(const sc_core::sc_module_name& name, CableEndIf& end,
                                         const PartnerSpec& spec) {
  if (ports_.size() == kMostPorts) {
    throw std::length_error("switch " + std::string(this->name()) + ": more than " +
                            std::to_string(kMostPorts) + " ports");
  }
  auto port =
      std::make_unique<SwitchPort>(name, end, spec, *this, static_cast<unsigned>(ports_.size()));
  ports_.push_back(port.get());
  order_.reserve(ports_.size());
  return port;
}

void Switch::start_of_simulation() {
  const Time quantum = from_sc(::tlm::tlm_global_quantum::instance().get());
  // What is not known now has not begun yet either, which is all that a hub has to know.
  lookahead_ =
      config_.repeats ? Time{1} : std::max(quantum, serialisation(kMinWireBytes, Speed::k1000));
}

// --- readiness ----------------------------------------------------------------------------------

bool Switch::stations_ready(const SwitchPort& except) const {
  const auto ready = [&](const SwitchPort* port) {
    return port != &except && port->end().link_up() && port->end().partner_ready();
  };
  if (readiness_ == Readiness::kAny) return std::any_of(ports_.begin(), ports_.end(), ready);
  return ports_.size() > 1 && std::all_of(ports_.begin(), ports_.end(), [&](const auto* port) {
           return port == &except || ready(port);
         });
}

void Switch::tell_readiness() {
  for (SwitchPort* port : ports_) port->end_.set_ready(port->ready());
}

// --- the order of frames ------------------------------------------------------------------------

void Switch::plan(Time at) {
  const Time ready = at + config_.latency;
  if (ready >= planned_) return;
  planned_ = ready;
  due_.notify(to_sc(std::max(kTimeZero, ready - sc_now())));
}

void Switch::frame_waits(unsigned port, Time at) {
  order_.push_back({at, port});
  std::push_heap(order_.begin(), order_.end(),
                 [](const Head& a, const Head& b) { return b.before(a); });
  plan(at);
}

/// Frames have gone from the ends of the ports' queues.
void Switch::frames_lost() {
  order_.clear();
  for (const SwitchPort* port : ports_) {
    if (port->under_way() != 0) order_.push_back({port->first_due(), port->number()});
  }
  std::make_heap(order_.begin(), order_.end(),
                 [](const Head& a, const Head& b) { return b.before(a); });
}

/// The first of the heap has changed to a later time.
void Switch::sift_down() {
  const Head moved = order_.front();
  const std::size_t count = order_.size();
  std::size_t hole = 0;
  for (std::size_t child = 1; child < count; child = 2 * hole + 1) {
    if (child + 1 < count && order_[child + 1].before(order_[child])) ++child;
    if (!order_[child].before(moved)) break;
    order_[hole] = order_[child];
    hole = child;
  }
  order_[hole] = moved;
}

void Switch::forward() {
  const Time horizon = sc_now() + lookahead_;
  while (!order_.empty() && order_.front().at < horizon) {
    SwitchPort& port = *ports_[order_.front().port];
    Pending frame = port.take();
    if (port.under_way() != 0) {
      order_.front().at = port.first_due();
    } else {
      order_.front() = order_.back();
      order_.pop_back();
    }
    if (!order_.empty()) sift_down();
    relay(port, std::move(frame));
  }
  planned_ = kTimeNever;
  if (!order_.empty()) plan(order_.front().at);
}

// --- forwarding ---------------------------------------------------------------------------------

void Switch::relay(SwitchPort& from, Pending frame) {
  from.count_in(frame.wire_bytes);
  if (config_.repeats) return repeat(from, frame);
  const auto fault = static_cast<SwitchDrop>(frame.fault);
  if (fault != SwitchDrop::kCount) return from.drop(fault);
  if (!is_group(frame.source) && frame.destination != kMacControl) {
    table_.learn(frame.source, from.number(), frame.last_bit);
  }
  if (is_group(frame.destination)) {
    if (is_reserved(frame.destination)) return from.drop(SwitchDrop::kReserved);
    return flood(from, frame);
  }
  const unsigned port = table_.find(frame.destination, frame.last_bit);
  if (port == StationTable::kNowhere) return flood(from, frame);
  if (port == from.number()) return from.drop(SwitchDrop::kFiltered);
  ++statistics_.forwarded;
  ports_[port]->transmit(std::move(frame.frame), frame.wire_bytes, start_of(frame));
}

void Switch::repeat(SwitchPort& from, const Pending& frame) {
  ++statistics_.flooded;
  const Time first_bit = from.first_bit_of(frame);
  for (SwitchPort* port : ports_) {
    if (port == &from || !port->up_) continue;
    // From a slower port to a faster one: the last bit cannot go out before it is in.
    const Time whole = frame.last_bit - serialisation(frame.wire_bytes, port->end().speed());
    port->transmit(frame.frame, frame.wire_bytes, std::max(first_bit, whole) + config_.latency);
  }
}

void Switch::flood(SwitchPort& from, const Pending& frame) {
  ++statistics_.flooded;
  for (SwitchPort* port : ports_) {
    if (port == &from || !port->up_) continue;
    port->transmit(frame.frame, frame.wire_bytes, start_of(frame));
  }
}

}  // namespace e1000tlm::link
