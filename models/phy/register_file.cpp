#include "e1000tlm/phy/register_file.h"

#include <algorithm>

#include "e1000tlm/phy/negotiation.h"

namespace e1000tlm::phy {
namespace {

using link::Abilities;
using link::LinkMode;
using link::Speed;

constexpr std::uint16_t merged(std::uint16_t old_bits, std::uint16_t new_bits, std::uint16_t mask) {
  return static_cast<std::uint16_t>((old_bits & ~mask) | (new_bits & mask));
}

std::uint16_t specific_status(LinkMode mode) {
  std::uint16_t bits = specific::kResolved | specific::kLink;
  if (mode.speed == Speed::k1000) bits |= specific::kSpeed1000;
  if (mode.speed == Speed::k100) bits |= specific::kSpeed100;
  if (mode.full_duplex) bits |= specific::kFullDuplex;
  return bits;
}

}  // namespace

RegisterFile::RegisterFile(std::uint16_t id2) : id2_(id2) { hardware_reset(); }

void RegisterFile::hardware_reset() {
  state_ = State{};
  for (const RegisterRow& row : kRegisters) state_.value[row.number] = row.reset;
  state_.value[reg::kId2] = id2_;
  act();
}

void RegisterFile::soft_reset() {
  link_lost();
  for (const RegisterRow& row : kRegisters) {
    std::uint16_t& bits = state_.value[row.number];
    bits = merged(bits, row.reset, row.soft_reset);
  }
  act();
}

void RegisterFile::act() { state_.acting = {value(reg::kControl), value(reg::kSpecificControl)}; }

std::uint16_t& RegisterFile::cell(unsigned number) {
  return number == reg::kPageWindow ? state_.window[page()] : state_.value[number];
}

std::uint16_t RegisterFile::peek(unsigned number) const {
  return number == reg::kPageWindow ? state_.window[page()] : value(number);
}

std::uint16_t RegisterFile::read(unsigned number) {
  const std::uint16_t result = peek(number);
  clear(number, register_row(number).read_clear);
  if (number == reg::kStatus) {
    state_.link_fell = false;
    if (state_.link) set(reg::kStatus, status::kLink);
  }
  return result;
}

Reaction RegisterFile::write(unsigned number, std::uint16_t written) {
  std::uint16_t& bits = cell(number);
  const std::uint16_t before = bits;
  bits = merged(before, written, register_row(number).write);
  if (number == reg::kControl) return control_written(before, written);
  if (number == reg::kSpecificControl && ((before ^ bits) & specific::kForceLink) != 0) {
    return Reaction::kReconsider;
  }
  return Reaction::kNone;
}

Reaction RegisterFile::control_written(std::uint16_t before, std::uint16_t written) {
  if ((written & control::kReset) != 0) {
    soft_reset();
    return Reaction::kRestartLink;
  }
  if (powered_down()) {
    return (before & control::kPowerDown) != 0 ? Reaction::kNone : Reaction::kPowerDown;
  }
  if (loopback()) {  // breaks the link, so that staged bits act: the loop runs at the written speed
    act();
    return Reaction::kLoopback;
  }
  const bool left = (before & (control::kPowerDown | control::kLoopback)) != 0;
  if (left || (written & control::kRestart) != 0) return Reaction::kRestartLink;
  const bool isolation_changed = ((before ^ written) & control::kIsolate) != 0;
  return isolation_changed ? Reaction::kReconsider : Reaction::kNone;
}

LinkMode RegisterFile::forced_mode() const {
  LinkMode mode;
  mode.full_duplex = (acting_control() & control::kFullDuplex) != 0;
  const bool gigabit = (acting_control() & control::kSpeedHigh) != 0;
  const bool fast = (acting_control() & control::kSpeedLow) != 0;
  mode.speed = gigabit ? Speed::k1000 : fast ? Speed::k100 : Speed::k10;
  return mode;
}

Abilities RegisterFile::abilities() const {
  return autonegotiation() ? advertised(value(reg::kAdvertisement), value(reg::kGigabitControl))
                           : forced(forced_mode());
}

void RegisterFile::restart_link() {
  act();
  link_lost();
  clear(reg::kStatus, status::kComplete);
  clear(reg::kPartnerAbility, 0xFFFF);
  clear(reg::kPartnerNextPage, 0xFFFF);
  clear(reg::kExpansion,
        expansion::kPartnerNextPageAble | expansion::kNextPageAble | expansion::kPartnerNegotiates);
  clear(reg::kGigabitStatus, static_cast<std::uint16_t>(~gigabit::kIdleErrors));
}

void RegisterFile::page_received(const Abilities& partner) {
  state_.value[reg::kPartnerAbility] = partner_word(partner);
  set(reg::kExpansion, expansion::kPageReceived | expansion::kPartnerNegotiates);
  set(reg::kSpecificStatus, specific::kPageReceived);
  set(reg::kInterruptStatus, interrupt::kPage);
  if (!partner.full_1000 && !partner.half_1000) return;
  set(reg::kExpansion, expansion::kPartnerNextPageAble);
  if ((value(reg::kGigabitControl) & (gigabit::kFull | gigabit::kHalf)) == 0) return;
  // Both ends have gigabit: next pages carry it, without software (manual 11.1.2).
  set(reg::kExpansion, expansion::kNextPageAble);
  if (partner.full_1000) set(reg::kGigabitStatus, gigabit::kPartnerFull);
  if (partner.half_1000) set(reg::kGigabitStatus, gigabit::kPartnerHalf);
}

void RegisterFile::parallel_detection_fault() { set(reg::kExpansion, expansion::kParallelFault); }

void RegisterFile::link_established(LinkMode mode, const Abilities* partner) {
  state_.link = true;
  if (!state_.link_fell) set(reg::kStatus, status::kLink);
  set(reg::kSpecificStatus, specific_status(mode));
  if ((acting_specific_control() & specific::kCrossover) == specific::kManualMdix) {
    set(reg::kSpecificStatus, specific::kMdix);
  }
  std::uint16_t causes = interrupt::kLink;
  if (mode.speed != state_.last_mode.speed) causes |= interrupt::kSpeed;
  if (mode.full_duplex != state_.last_mode.full_duplex) causes |= interrupt::kDuplex;
  state_.last_mode = mode;
  if (partner != nullptr) {
    set(reg::kStatus, status::kComplete);
    causes |= interrupt::kComplete;
    if (!partner->negotiates) state_.value[reg::kPartnerAbility] = parallel_word(mode.speed);
    if (mode.speed == Speed::k1000) {
      set(reg::kGigabitStatus, gigabit::kLocalReceiver | gigabit::kRemoteReceiver);
      if (is_master(value(reg::kGigabitControl))) set(reg::kGigabitStatus, gigabit::kIsMaster);
    }
  }
  set(reg::kInterruptStatus, causes);
}

void RegisterFile::link_lost() {
  if (state_.link) {
    set(reg::kInterruptStatus, interrupt::kLink);
    state_.link_fell = true;
  }
  state_.link = false;
  clear(reg::kStatus, status::kLink);
  clear(reg::kSpecificStatus,
        specific_status({Speed::k1000, true}) | specific::kSpeed100 | specific::kMdix);
  clear(reg::kGigabitStatus, gigabit::kLocalReceiver | gigabit::kRemoteReceiver);
}

void RegisterFile::count_receive_error() {
  if (value(reg::kReceiveErrors) != 0xFFFF) ++state_.value[reg::kReceiveErrors];
}

void RegisterFile::count_idle_errors(unsigned count) {
  const unsigned room = gigabit::kIdleErrors - (value(reg::kGigabitStatus) & gigabit::kIdleErrors);
  state_.value[reg::kGigabitStatus] =
      static_cast<std::uint16_t>(value(reg::kGigabitStatus) + std::min(count, room));
}

}  // namespace e1000tlm::phy
