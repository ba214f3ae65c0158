#include "e1000tlm/e1000/receive/mac_receiver.h"

#include <algorithm>
#include <utility>

#include "e1000tlm/e1000/dma/descriptors.h"
#include "e1000tlm/e1000/receive/receive_filter.h"

namespace e1000tlm::e1000 {

MacReceiver::MacReceiver(Core& core, MacTransmitter& transmitter, WakeupUnit& wakeup)
    : core_(core),
      transmitter_(transmitter),
      wakeup_(wakeup),
      fifo_(core.packet_buffer_memory()),
      buffer_(1024) {
  reset(Drop::kRxReset);
}

std::uint32_t MacReceiver::drop(const link::Arrival& arrival, Drop reason) {
  core_.drops.count(reason);
  if (probe.armed()) probe.emit({arrival.last_bit, arrival.frame.get(), false, reason});
  return 0;
}

std::uint32_t MacReceiver::admit(link::Arrival&& arrival, bool looped, bool no_descriptors) {
  const link::Frame& frame = *arrival.frame;
  core_.activity.note(arrival.last_bit);
  if (wakeup_.active()) {
    if (!transmitter_.mac_loopback()) wakeup_.inspect(arrival);
    if (wakeup_.asleep()) return drop(arrival, Drop::kRxAsleep);
  }
  const std::uint32_t rctl = core_.bank[reg::kRctl];
  if ((rctl & rctl::kEn) == 0) return drop(arrival, Drop::kRxDisabled);
  // While frames are looped back the wire is not listened to (manual 13.4.22).
  const bool heard = transmitter_.mac_loopback() ? looped : core_.link_up;
  if (!heard) return drop(arrival, Drop::kRxNoLink);

  const auto bytes = static_cast<std::uint32_t>(frame.wire_bytes());
  core_.statistics.on_receive_total(bytes);
  const bool crc_ok = frame.fcs_ok();
  const bool intact = crc_ok && !frame.coding_error;
  // Nearly all frames have another type than MAC control frames.
  const bool control =
      frame.size() >= 14 && load_be16(frame.data() + 12) == (core_.bank[reg::kFct] & 0xFFFF);
  const Control fate = control && intact ? mac_control(arrival) : Control::kFiltered;
  if (fate == Control::kConsumed) return drop(arrival, Drop::kRxMacControl);

  const RegisterBank& bank = core_.bank;
  const FilterView view{rctl, static_cast<std::uint16_t>(bank[reg::kVet]), &bank[reg::kRa],
                        &bank[reg::kMta], &bank[reg::kVfta]};
  const FilterVerdict verdict =
      fate == Control::kPassed ? FilterVerdict::kAcceptExact : filter(view, frame.bytes());
  if (verdict == FilterVerdict::kRejectAddress || verdict == FilterVerdict::kRejectVlan) {
    return drop(arrival, Drop::kRxFiltered);
  }
  StoredFrame stored;
  stored.at = arrival.last_bit;
  stored.inexact = verdict == FilterVerdict::kAcceptInexact;
  const FrameFault fault = classify_frame(bytes, crc_ok, (rctl & rctl::kLpe) != 0);
  if ((fault != FrameFault::kNone || frame.coding_error) && !keep_faulty(arrival, fault, stored)) {
    return 0;
  }
  // Neither good frames nor those without descriptors include PAUSE (manual 13.7.22 to 13.7.33).
  const bool counts = !stored.faulty && fate != Control::kPause;
  if (no_descriptors && fate != Control::kPause) core_.statistics.add(Counter::kRnbc);
  const std::uint32_t room = fifo_bytes(bytes);
  if (!fifo_.has_room(room)) {
    core_.statistics.on_receive_missed();
    drop(arrival, Drop::kRxFifoFull);
    // XOFF has not helped: it is repeated, once an overflow (rule FC-3).
    if (sent_xoff_ && !overflowing_) send_xoff(arrival.last_bit);
    overflowing_ = true;
    return cause::kRxo;
  }
  if (counts) core_.statistics.on_receive_good(frame_kind(frame.data()), bytes);
  if (fifo_.recording()) fifo_.store_next(arrival.frame->bytes_with_fcs());
  fifo_.enter(room);
  if (buffer_.full()) buffer_.set_capacity(2 * buffer_.capacity());
  if (probe.armed()) probe.emit({arrival.last_bit, &frame, true, Drop::kCount});
  stored.frame = std::move(arrival.frame);
  buffer_.push_back(std::move(stored));
  check_high_water(arrival.last_bit);
  return 0;
}

/// Rules RX-6 to RX-8. Frames beyond what the part can take at all are dropped even with SBP.
bool MacReceiver::keep_faulty(const link::Arrival& arrival, FrameFault fault, StoredFrame& stored) {
  const link::Frame& frame = *arrival.frame;
  if (frame.coding_error) core_.statistics.add(Counter::kRxerrc);
  if (fault != FrameFault::kNone) core_.statistics.on_receive_fault(fault);
  if (core_.is_on(reg::kRctl, rctl::kSbp) && frame.wire_bytes() <= kMaxLongFrameBytes) {
    stored.faulty = true;
    if (!frame.fcs_ok()) stored.errors |= rx_error::kCe;
    if (frame.coding_error) stored.errors |= rx_error::kRxe;
    return true;
  }
  switch (fault) {
    case FrameFault::kUndersize:
    case FrameFault::kFragment: drop(arrival, Drop::kRxUndersize); break;
    case FrameFault::kOversize:
    case FrameFault::kJabber: drop(arrival, Drop::kRxOversize); break;
    case FrameFault::kCrc:
    case FrameFault::kNone: drop(arrival, Drop::kRxBadFcs); break;
  }
  return false;
}

/// Manual 8.7.3, 8.7.4; rules FC-1, FC-2. With CTRL.RFCE off, or in half duplex, these are frames
/// like any others. PMCF passes what is addressed to the MAC, whether the host's filters know that
/// address or not.
MacReceiver::Control MacReceiver::mac_control(const link::Arrival& arrival) {
  const RegisterBank& bank = core_.bank;
  if (!core_.is_on(reg::kCtrl, ctrl::kRfce) || !core_.gmii->link().mode.full_duplex) {
    return Control::kFiltered;
  }
  const PauseView view{bank[reg::kFcal], bank[reg::kFcah], bank[reg::kFct], bank[reg::kRa],
                       bank[reg::kRa + 4]};
  const MacControlResult result = classify_mac_control(view, arrival.frame->bytes());
  switch (result.kind) {
    case MacControl::kNone: break;
    case MacControl::kUnsupportedOpcode:
      core_.statistics.add(Counter::kFcruc);
      return core_.is_on(reg::kRctl, rctl::kPmcf) ? Control::kPassed : Control::kConsumed;
    case MacControl::kPause:
      core_.statistics.on_receive_pause(result.quanta);
      transmitter_.receive_pause(result.quanta, arrival.last_bit);
      return result.station_address && core_.is_on(reg::kRctl, rctl::kDpf) ? Control::kConsumed
                                                                           : Control::kPause;
  }
  return Control::kFiltered;
}

/// PAUSE by FCRTH and FCRTL (manual 13.4.23, 13.4.24; rule FC-3).
void MacReceiver::check_high_water(Time at) {
  if (!core_.is_on(reg::kCtrl, ctrl::kTfce)) return;
  const std::uint32_t high = core_.bank[reg::kFcrth] & 0xFFF8;
  if (high == 0 || fifo_.occupied() < high || sent_xoff_) return;
  sent_xoff_ = true;
  send_xoff(at);
}

void MacReceiver::send_xoff(Time at) {
  transmitter_.send_pause(static_cast<std::uint16_t>(core_.bank[reg::kFcttv]), at);
}

void MacReceiver::release(Time at) {
  fifo_.leave(fifo_bytes(buffer_.front().frame->wire_bytes()));
  buffer_.pop_front();
  overflowing_ = false;
  if (!sent_xoff_) return;
  const std::uint32_t low = core_.bank[reg::kFcrtl] & 0xFFF8;
  if (fifo_.occupied() > low) return;
  sent_xoff_ = false;
  if (core_.is_on(reg::kFcrtl, fcrtl::kXone) && core_.is_on(reg::kCtrl, ctrl::kTfce)) {
    transmitter_.send_pause(0, at);
  }
}

void MacReceiver::reset(Drop reason) {
  core_.drops.count(reason, buffer_.size());
  buffer_.clear();
  fifo_.reset(split_packet_buffer(core_.bank[reg::kPba]).receive);
  sent_xoff_ = overflowing_ = false;
}

FifoPointers MacReceiver::pointers(std::uint32_t taken) const {
  const std::uint64_t end = fifo_.entered(), start = end - fifo_.occupied();
  FifoPointers pointers;
  pointers.head = fifo_.word_at(start + taken);
  pointers.head_saved = fifo_.word_at(start);
  pointers.tail = pointers.tail_saved = fifo_.word_at(end);
  pointers.packets = static_cast<std::uint32_t>(buffer_.size());
  return pointers;
}

std::vector<FifoContent> MacReceiver::contents() const {
  std::vector<FifoContent> contents;
  contents.reserve(buffer_.size());
  std::uint64_t position = fifo_.entered() - fifo_.occupied();
  for (const StoredFrame& stored : buffer_) {
    contents.push_back({position, stored.frame->bytes_with_fcs()});
    position += fifo_bytes(stored.frame->wire_bytes());
  }
  return contents;
}

}  // namespace e1000tlm::e1000
