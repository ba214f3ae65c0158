#include "e1000tlm/phy/m88e1011.h"

#include <algorithm>
#include <utility>

#include "e1000tlm/phy/negotiation.h"
#include "e1000tlm/tlm/sc_time.h"

namespace e1000tlm::phy {
namespace {

constexpr std::size_t kFirstLoopRoom = 64;

PhyConfig validated(const PhyConfig& config) {
  validate(config);
  return config;
}

}  // namespace

M88E1011::M88E1011(const sc_core::sc_module_name& name, PhyConfig config)
    : sc_module(name),
      cable("cable"),
      config_(validated(config)),
      registers_(config.id2),
      link_event_("link_event"),
      interrupt_event_("interrupt_event"),
      timer_("timer"),
      own_arrival_event_("arrival_event") {
  SC_METHOD(on_timer);
  sensitive << timer_;
  dont_initialize();
}

void M88E1011::end_of_elaboration() {
  if (cable.size() == 0) return;
  cable_ = cable[0];
  // The MAC waits for one event. Forwarding the cable's would cost a process activation per frame,
  // so the MAC gets the cable's own, and the loop, which is of the same end, notifies that one too.
  arrival_event_ = const_cast<sc_core::sc_event*>(&cable_->arrival_event());
  SC_METHOD(on_cable);
  sensitive << cable_->change_event();
  dont_initialize();
}

void M88E1011::start_of_simulation() {
  running_ = true;
  power_on_reset();
}

// --- management ---

bool M88E1011::answers(unsigned phy_address, unsigned reg) const {
  return phy_address == config_.address && reg < kRegisterCount && !pin_reset_;
}

std::optional<std::uint16_t> M88E1011::mdio_read(unsigned phy_address, unsigned reg) {
  if (!answers(phy_address, reg)) return std::nullopt;
  const std::uint16_t value = registers_.read(reg);
  update_interrupt();
  return value;
}

std::optional<std::uint16_t> M88E1011::mdio_peek(unsigned phy_address, unsigned reg) const {
  if (!answers(phy_address, reg)) return std::nullopt;
  return registers_.peek(reg);
}

bool M88E1011::mdio_write(unsigned phy_address, unsigned reg, std::uint16_t value) {
  if (!answers(phy_address, reg)) return false;
  switch (registers_.write(reg, value)) {
    case Reaction::kNone: break;
    case Reaction::kRestartLink: start_link(); break;
    case Reaction::kPowerDown: fall_silent(State::kPowerDown); break;
    case Reaction::kLoopback: loop_back(); break;
    case Reaction::kReconsider:
      publish();
      on_cable();
      break;
  }
  update_interrupt();
  return true;
}

void M88E1011::hardware_reset(bool asserted) {
  if (asserted == pin_reset_) return;
  pin_reset_ = asserted;
  if (asserted) {
    registers_.hardware_reset();
    fall_silent(State::kReset);
  } else {
    start_link();
  }
}

void M88E1011::set_power(PhyPower power) {
  if (power == power_) return;
  power_ = power;
  if (pin_reset_) return;
  if (registers_.powered_down()) {
    fall_silent(State::kPowerDown);
  } else if (registers_.loopback() && power_ != PhyPower::kDown) {
    loop_back();
  } else {
    start_link();
  }
}

void M88E1011::power_on_reset() {
  registers_.hardware_reset();
  fall_silent(State::kReset);
  if (!pin_reset_) start_link();
}

// --- link ---

void M88E1011::start_timer(Time delay) {
  timer_.cancel();
  deadline_ = sc_now() + delay;
  timer_.notify(to_sc(delay));
}

void M88E1011::signal(std::optional<link::Abilities> abilities) {
  if (cable_ != nullptr && running_) cable_->advertise(abilities);
}

void M88E1011::start_link() {
  if (power_ == PhyPower::kDown) {
    fall_silent(State::kPowerDown);
    return;
  }
  stop_timer();
  registers_.restart_link();
  own_ = registers_.abilities();
  if (power_ == PhyPower::kSlow && own_.negotiates) own_.half_1000 = own_.full_1000 = false;
  partner_.reset();
  joined_ = false;
  state_ = State::kSearching;
  publish();
  signal(own_);
  if (running_) look_for_partner();
}

void M88E1011::look_for_partner() {
  partner_ = cable_ != nullptr ? cable_->partner() : std::nullopt;
  const bool forced_good = !own_.negotiates && registers_.link_forced();
  if (!partner_ && !forced_good) {
    stop_timer();
    state_ = State::kSearching;
    return;
  }
  state_ = State::kEstablishing;
  start_timer(own_.negotiates ? config_.timing.autonegotiation : config_.timing.forced_link);
}

void M88E1011::finish_link() {
  const link::Abilities partner = partner_.value_or(link::Abilities{});
  std::optional<link::LinkMode> mode = agree(own_, partner);
  if (own_.negotiates) {
    if (partner.negotiates) registers_.page_received(partner);
    if (parallel_detection_fault(partner)) registers_.parallel_detection_fault();
  } else if (registers_.link_forced() && registers_.forced_mode().speed != link::Speed::k1000) {
    mode = registers_.forced_mode();
  }
  if (!mode) {
    state_ = State::kNothingCommon;
    update_interrupt();
    return;
  }
  mode_ = *mode;
  state_ = State::kLinkUp;
  registers_.link_established(mode_, own_.negotiates ? &partner : nullptr);
  publish();
  joined_ = cable_ != nullptr && cable_->link_up();
}

/// The link that is up no longer has the partner it was made with.
bool M88E1011::impaired() const {
  if (!own_.negotiates && registers_.link_forced()) return false;
  if (cable_ == nullptr || !partner_ || cable_->partner() != partner_) return true;
  return joined_ && !cable_->link_up() && !registers_.isolated();
}

void M88E1011::on_timer() {
  // An expiry that was under way when the timer was stopped or set anew does not count.
  if (sc_now() < deadline_) return;
  deadline_ = kTimeNever;
  if (state_ == State::kEstablishing) {
    finish_link();
  } else if (state_ == State::kLinkUp && impaired()) {
    start_link();
  }
}

void M88E1011::on_cable() {
  if (!running_) return;
  switch (state_) {
    case State::kReset:
    case State::kPowerDown:
    case State::kLoopback: return;
    case State::kSearching: look_for_partner(); return;
    case State::kEstablishing:
    case State::kNothingCommon:
      if (cable_ == nullptr || cable_->partner() != partner_) look_for_partner();
      return;
    case State::kLinkUp: break;
  }
  joined_ = !registers_.isolated() && (joined_ || (cable_ != nullptr && cable_->link_up()));
  if (!impaired()) {
    stop_timer();
  } else if (deadline_ == kTimeNever) {
    start_timer(config_.timing.link_loss_detect);
  }
}

void M88E1011::fall_silent(State state) {
  stop_timer();
  registers_.restart_link();
  partner_.reset();
  joined_ = false;
  state_ = state;
  signal(std::nullopt);
  publish();
}

void M88E1011::loop_back() {
  const link::LinkMode mode = registers_.forced_mode();
  if (state_ == State::kLoopback && mode == mode_) {
    publish();  // isolation may have changed
    return;
  }
  mode_ = mode;
  fall_silent(State::kLoopback);
  registers_.link_established(mode_, nullptr);
}

void M88E1011::update_interrupt() {
  if (registers_.interrupt() == interrupt_) return;
  interrupt_ = !interrupt_;
  interrupt_event_.notify(sc_core::SC_ZERO_TIME);
}

/// Makes the data paths, the cable and the MAC follow the state.
void M88E1011::publish() {
  update_interrupt();
  const bool connected = !registers_.isolated();
  const bool up = state_ == State::kLinkUp && connected;
  const bool silent = state_ < State::kSearching;

  sink_ = up ? cable_ : nullptr;
  std::optional<link::LinkMode> carrier;
  if (up) {
    // With a duplex mismatch the cable carries what the partner found by parallel detection.
    carrier = link::resolve(own_, partner_.value_or(link::Abilities{}));
    if (!carrier) carrier = mode_;
  }
  if (cable_ != nullptr && !(carrier == carrier_)) cable_->set_link(carrier);
  carrier_ = carrier;

  if (silent || !connected) discard_received();
  source_ = silent || !connected ? nullptr : cable_;
  if (state_ != State::kLoopback) {
    statistics_.discarded += loop_.size();
    loop_.clear();
  }

  LinkStatus now;
  now.loopback = state_ == State::kLoopback && connected;
  now.up = up || now.loopback;
  if (now.up) now.mode = mode_;
  if (now == status_) return;
  status_ = now;
  link_event_.notify(sc_core::SC_ZERO_TIME);
}

// --- frames ---

Time M88E1011::transmit(link::FramePtr frame, Time earliest, std::size_t gap_bytes) {
  if (sink_ == nullptr) return transmit_off_wire(std::move(frame), earliest, gap_bytes);
  const Time latency = config_.timing.tx_latency;
  return sink_->send(std::move(frame), earliest + latency, gap_bytes) - latency;
}

Time M88E1011::busy_until() const {
  if (sink_ == nullptr) return std::max(kTimeZero, off_wire_busy_);
  return std::max(kTimeZero, sink_->busy_until() - config_.timing.tx_latency);
}

Time M88E1011::transmit_off_wire(link::FramePtr frame, Time earliest, std::size_t gap_bytes) {
  const Time gap = link::byte_time(mode_.speed) * static_cast<std::int64_t>(gap_bytes);
  const Time start = std::max(earliest, off_wire_busy_ + gap);
  off_wire_busy_ = start + link::serialisation(frame->wire_bytes(), mode_.speed);
  if (status_.loopback) {
    loop_frame(std::move(frame), start, off_wire_busy_);
  } else {
    ++statistics_.lost_no_link;
  }
  return off_wire_busy_;
}

void M88E1011::loop_frame(link::FramePtr frame, Time first_bit, Time last_bit) {
  ++statistics_.looped;
  if (loop_.full()) {
    if (loop_.size() == kLoopLimit) {
      ++statistics_.lost_loopback_full;
      return;
    }
    loop_.set_capacity(std::max(kFirstLoopRoom, 2 * loop_.capacity()));
  }
  const PhyTiming& timing = config_.timing;
  const Time latency = timing.tx_latency + timing.rx_latency + timing.loopback_latency;
  if (loop_.empty()) arrival_event_->notify(sc_core::SC_ZERO_TIME);
  loop_.push_back({std::move(frame), first_bit + latency, last_bit + latency});
}

const link::Arrival* M88E1011::next(Time now) {
  if (source_ == nullptr) return loop_.empty() ? nullptr : &loop_.front();
  const link::Arrival* head = source_->next(now);
  const Time latency = config_.timing.rx_latency;
  if (latency == kTimeZero || head == nullptr) return head;
  delayed_ = {head->frame, head->first_bit + latency, head->last_bit + latency};
  return &delayed_;
}

link::Arrival M88E1011::take() {
  if (source_ == nullptr) return take_looped();
  link::Arrival arrival = source_->take();
  if (const Time latency = config_.timing.rx_latency; latency != kTimeZero) {
    arrival.first_bit += latency;
    arrival.last_bit += latency;
    delayed_.frame.reset();
  }
  if (arrival.frame->coding_error) registers_.count_receive_error();
  return arrival;
}

link::Arrival M88E1011::take_looped() {
  link::Arrival arrival = std::move(loop_.front());
  loop_.pop_front();
  return arrival;
}

void M88E1011::set_ready(bool ready) {
  if (cable_ != nullptr) cable_->set_ready(ready);
}

/// The link is down for the cable, so that no source fills up what is emptied here.
void M88E1011::discard_received() {
  if (cable_ == nullptr) return;
  delayed_.frame.reset();
  while (cable_->next(sc_now()) != nullptr) {
    cable_->take();
    ++statistics_.discarded;
  }
}

}  // namespace e1000tlm::phy
