#include "e1000tlm/e1000/power/wakeup_unit.h"

#include <algorithm>

namespace e1000tlm::e1000 {
namespace {

constexpr std::uint32_t kLongestLength = 2047;  // WUPL of jumbo frames

}  // namespace

WakeupUnit::WakeupUnit(const sc_core::sc_module_name& name, Core& core, bool power_management)
    : sc_module(name), core_(core), power_management_(power_management) {
  core_.bank.on_write<&WakeupUnit::wuc_written>(reg::kWuc, this);
  SC_HAS_PROCESS(WakeupUnit);
  SC_METHOD(report);
  dont_initialize();
  sensitive << arrived_;
}

/// PME_En and PME_Status (write one to clear) are PMCSR's (manual 13.6.1).
void WakeupUnit::wuc_written(std::uint32_t, std::uint32_t value) {
  std::uint32_t& wuc = core_.bank[reg::kWuc];
  if ((value & wuc::kPmeStatus) != 0) wuc &= ~wuc::kPmeStatus;
  if (!power_management_) wuc &= ~wuc::kPmeEn;
  if (pme_ != nullptr) pme_->set_pme((wuc & wuc::kPmeEn) != 0, (wuc & wuc::kPmeStatus) != 0);
  if (listener_) listener_();
}

bool WakeupUnit::watching() const {
  if (asleep_) return enabled();
  return core_.is_on(reg::kWuc, wuc::kPmeEn) && core_.is_on(reg::kRctl, rctl::kEn);
}

void WakeupUnit::pmcsr_changed(bool enabled, bool status) {
  std::uint32_t& wuc = core_.bank[reg::kWuc];
  wuc &= ~(wuc::kPmeEn | wuc::kPmeStatus);
  if (enabled) wuc |= wuc::kPmeEn;
  if (status) wuc |= wuc::kPmeStatus;
}

void WakeupUnit::reset() {
  pending_ = false;
  arrived_.cancel();
}

/// Linux turns the receiver on before it suspends (rule PM-6); APM does without.
std::uint32_t WakeupUnit::acpi_filters() const {
  if (!core_.is_on(reg::kWuc, wuc::kPmeEn) || !core_.is_on(reg::kRctl, rctl::kEn)) return 0;
  const std::uint32_t filters = core_.bank[reg::kWufc] & wake::kPackets;
  return core_.part.is_82544 ? filters & ~wake::kIpv6 : filters;
}

WakeupView WakeupUnit::view(std::uint32_t filters) const {
  const RegisterBank& bank = core_.bank;
  WakeupView v;
  v.address = {bank[reg::kRctl], static_cast<std::uint16_t>(bank[reg::kVet]), &bank[reg::kRa],
               &bank[reg::kMta], &bank[reg::kVfta]};
  v.enabled = filters;
  v.ipav = bank[reg::kIpav];
  v.ip4at = &bank[reg::kIp4at];
  v.ip6at = &bank[reg::kIp6at];
  v.fflt = &bank[reg::kFflt];
  v.ffmt = &bank[reg::kFfmt];
  v.ffvt = &bank[reg::kFfvt];
  v.broadcast_magic = !core_.part.is_82544;
  return v;
}

/// After one wake-up packet others are ignored until software has cleared WUS (manual 6.4.2).
void WakeupUnit::inspect(const link::Arrival& arrival) {
  if (pending_ || core_.is_on(reg::kWus, wake::kPackets)) return;
  const bool apm = core_.is_on(reg::kWuc, wuc::kApme);
  const std::uint32_t acpi = acpi_filters();
  if (!apm && acpi == 0) return;
  link::Frame& frame = *arrival.frame;
  const auto bytes = static_cast<std::uint32_t>(frame.wire_bytes());
  const bool long_packets = core_.is_on(reg::kRctl, rctl::kLpe);
  if (frame.coding_error ||
      classify_frame(bytes, frame.fcs_ok(), long_packets) != FrameFault::kNone) {
    return;
  }
  const std::uint32_t matched = wakeup_matches(view(acpi | (apm ? wake::kMag : 0)), frame.bytes());
  if (matched == 0) return;

  const ConstBytes all = frame.bytes_with_fcs();
  match_.status = matched;
  match_.length = std::min(bytes, kLongestLength);
  match_.acpi = (matched & acpi) != 0;
  match_.stored = static_cast<std::uint32_t>(std::min(all.size(), match_.bytes.size()));
  std::copy_n(all.begin(), match_.stored, match_.bytes.begin());
  pending_ = true;
  // The receiver may be ahead of the simulation's time.
  const Time now = sc_now();
  if (arrival.last_bit > now) {
    arrived_.notify(to_sc(arrival.last_bit - now));
  } else {
    report();
  }
}

void WakeupUnit::report() {
  pending_ = false;
  RegisterBank& bank = core_.bank;
  bank[reg::kWus] |= match_.status;
  bank[reg::kWupl] = match_.length;
  for (std::uint32_t i = 0; i < match_.stored; ++i) {
    std::uint32_t& word = bank[reg::kWupm + (i & ~3U)];
    const unsigned shift = 8 * (i & 3);
    word = (word & ~(0xFFU << shift)) | std::uint32_t{match_.bytes[i]} << shift;
  }
  if (match_.acpi || core_.is_on(reg::kWuc, wuc::kApmpme)) request(match_.acpi);
}

/// Further changes are ignored until software has cleared WUS.LNKC (manual 6.4.2).
void WakeupUnit::link_changed() {
  RegisterBank& bank = core_.bank;
  if (!core_.is_on(reg::kWuc, wuc::kPmeEn) || !core_.is_on(reg::kWufc, wake::kLnkc) ||
      core_.is_on(reg::kWus, wake::kLnkc)) {
    return;
  }
  bank[reg::kWus] |= wake::kLnkc;
  request(true);
}

/// APM asserts PME# without an operating system that has set PME_En (manual 6.4.1).
void WakeupUnit::request(bool acpi) {
  if (!power_management_) return;
  std::uint32_t& wuc = core_.bank[reg::kWuc];
  wuc |= wuc::kPmeStatus;
  if (pme_ == nullptr) return;
  if (acpi) {
    pme_->set_pme((wuc & wuc::kPmeEn) != 0, true);
  } else {
    pme_->assert_pme();
  }
}

}  // namespace e1000tlm::e1000
