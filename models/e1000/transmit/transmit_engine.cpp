#include "e1000tlm/e1000/transmit/transmit_engine.h"

#include <algorithm>
#include <utility>

namespace e1000tlm::e1000 {

TransmitEngine::TransmitEngine(const sc_core::sc_module_name& name, Core& core, MacTransmitter& mac)
    : DmaEngine(name, core),
      mac_(mac),
      frames_(link::FramePool::shared()),
      assembler_(frames_),
      delay_("delay") {
  RegisterBank& bank = core_.bank;
  bank.on_write<&TransmitEngine::tdt_written>(reg::kTdt, this);
  bank.on_write<&TransmitEngine::tctl_written>(reg::kTctl, this);
  bank.on_write<&TransmitEngine::txdctl_written>(reg::kTxdctl, this);
  for (const std::uint32_t offset : {reg::kTdbal, reg::kTdbah, reg::kTdlen, reg::kTdh}) {
    bank.on_write<&TransmitEngine::ring_written>(offset, this);
  }
  SC_HAS_PROCESS(TransmitEngine);
  SC_THREAD(run);
  SC_METHOD(tidv_expired);
  dont_initialize();
  sensitive << delay_.expired_event();
}

void TransmitEngine::tdt_written(std::uint32_t, std::uint32_t) { wake(core_.now()); }

void TransmitEngine::ring_written(std::uint32_t, std::uint32_t) {
  abandon();
  if (assembler_.in_packet()) discard_packet();
  report_due_ = false;
  wake(core_.now());
}

/// The assembler itself is reset later, by the engine's process: a bus access into its frame may be
/// under way.
void TransmitEngine::discard_packet() {
  if (in_packet() && !faulty_) core_.drops.count(Drop::kTxReset);
  discarded_ = true;
  packet_bytes_ = 0;
  poisoned_ = faulty_ = false;
}

void TransmitEngine::tctl_written(std::uint32_t, std::uint32_t value) {
  mac_.advance(core_.now());
  if ((value & tctl::kSwxoff) != 0) {
    mac_.send_pause(static_cast<std::uint16_t>(core_.bank[reg::kFcttv]), core_.now());
  }
  mac_.state_changed();
  wake(core_.now());
}

void TransmitEngine::txdctl_written(std::uint32_t, std::uint32_t) {
  gathering_changed(reg::kTxdctl);
}

/// Without descriptors to write back the engine, which may be in the middle of something, is not
/// needed for it.
void TransmitEngine::tidv_expired() {
  if (!delay_.expired()) return;
  if (!write_back_.empty()) {
    wake(core_.now());
    return;
  }
  delay_.acknowledge();
  core_.interrupts.set(cause::kTxdw);
}

void TransmitEngine::reset() {
  abandon();
  discard_packet();
  report_due_ = false;
  delay_.cancel();
  wake(core_.now());
}

FifoPointers TransmitEngine::fifo_pointers(Time now) const {
  return mac_.pointers(packet_bytes_, now);
}

bool TransmitEngine::fifo_at_rest(Time now) const {
  return !core_.is_on(reg::kTctl, tctl::kEn) && !in_packet() && mac_.occupied_at(now) == 0;
}

DescriptorRing TransmitEngine::ring() const {
  const RegisterBank& bank = core_.bank;
  return {(std::uint64_t{bank[reg::kTdbah]} << 32) | bank[reg::kTdbal],
          bank[reg::kTdlen] / static_cast<std::uint32_t>(kDescriptorBytes), bank[reg::kTdh],
          bank[reg::kTdt]};
}

bool TransmitEngine::work() const {
  if (delay_.expired() || write_back_due_) return true;
  if (halted_ || !core_.gate.enabled) return false;
  // Switched off it still finishes the packet under way (manual 13.4.33).
  if (!core_.is_on(reg::kTctl, tctl::kEn) && !in_packet()) return false;
  if (!cache_.empty()) return true;
  // A tail outside the ring would never be reached: the ring is taken as not set up.
  const DescriptorRing r = ring();
  return r.tail < r.entries && r.owned() != 0;
}

bool TransmitEngine::busy() const { return (!resting_ && core_.gate.enabled) || mac_.busy(); }

void TransmitEngine::begins(Time until) { mac_.engine_waits(time_.now(), until); }

void TransmitEngine::ends() { mac_.engine_runs(); }

void TransmitEngine::run() {
  time_.start();
  room_list_ |= mac_.space_event();
  room_list_ |= delay_.expired_event();
  room_list_ |= abandoned_event_;
  for (;;) {
    settle();
    if (!work()) {
      idle();
      continue;
    }
    if (delay_.expired()) {
      flush();
      continue;
    }
    if (write_back_due_) {
      write_back_due_ = false;
      write_back_all();
      continue;
    }
    const auto thresholds = DescriptorThresholds::decode(core_.bank[reg::kTxdctl]);
    if (wants_descriptors(thresholds)) {
      const DescriptorRing r = ring();
      if (r.tail < r.entries && fetch(r, 0, thresholds) != Outcome::kDone) continue;
    }
    if (!cache_.empty()) process();
  }
}

/// TIDV or TADV has run out.
void TransmitEngine::flush() {
  delay_.acknowledge();
  const Passage passage(*this);
  write_back_all();
  if (!passage.is_void()) raise(cause::kTxdw);
}

void TransmitEngine::idle() {
  sync();
  if (work()) return;
  rest(wake_event_);
  time_.advance_to(wake_time_);
}

AssemblerSettings TransmitEngine::settings() const {
  AssemblerSettings s;
  s.vlan_enable = core_.is_on(reg::kCtrl, ctrl::kVme);
  s.vlan_type = static_cast<std::uint16_t>(core_.bank[reg::kVet]);
  s.pad_short = core_.is_on(reg::kTctl, tctl::kPsp);
  s.max_packet_bytes = mac_.max_packet();
  return s;
}

void TransmitEngine::process() {
  const std::uint8_t* raw = cache_.front();
  const TxDescriptor descriptor = decode_tx(raw);
  if (discarded_) {
    assembler_.reset();
    discarded_ = false;
  }
  if (descriptors.armed()) descriptors.emit({time_.now(), core_.bank[reg::kTdh], descriptor});
  const bool whole = assembler_.is_whole_frame(descriptor, mac_.max_packet());
  if (whole ? send_whole_frame(descriptor) : assemble(descriptor, raw)) complete(descriptor);
}

bool TransmitEngine::send_whole_frame(const TxDescriptor& descriptor) {
  Outcome outcome = Outcome::kAborted;
  link::FramePtr frame = frames_.make(descriptor.length);
  if (wait_for_room(descriptor.length)) outcome = dma_read(descriptor.address, frame->bytes());
  if (outcome == Outcome::kAborted || !spend_overhead(descriptor)) {
    core_.drops.count(Drop::kTxReset);
    return false;
  }
  if (outcome == Outcome::kDone) {
    mac_.enqueue(std::move(frame), time_.now());
  } else {
    core_.drops.count(Drop::kTxDmaError);
  }
  return true;
}

bool TransmitEngine::spend_overhead(const TxDescriptor& descriptor) {
  if (core_.timing.transmit_overhead == kTimeZero || !descriptor.has(tx_cmd::kEop)) return true;
  const Passage passage(*this);
  time_.advance(core_.timing.transmit_overhead);
  if (time_.due()) sync();
  return !passage.is_void();
}

bool TransmitEngine::assemble(const TxDescriptor& descriptor, const std::uint8_t* raw) {
  note(assembler_.begin(descriptor, raw, settings()));
  if (descriptor.data_length() != 0 && !read_buffer(descriptor)) return false;
  if (!spend_overhead(descriptor)) return false;
  note(assembler_.end(descriptor));
  forward_frames();
  if (descriptor.kind != TxDescriptor::Kind::kContext && descriptor.has(tx_cmd::kEop)) {
    poisoned_ = faulty_ = false;
    packet_bytes_ = 0;
  }
  return true;
}

bool TransmitEngine::read_buffer(const TxDescriptor& descriptor) {
  std::uint64_t address = descriptor.address;
  std::uint32_t left = descriptor.length;
  while (left != 0) {
    const Bytes room = assembler_.room(left);
    const auto n = static_cast<std::uint32_t>(room.size());
    if (!wait_for_room(packet_bytes_ + n)) return false;
    const Outcome outcome = dma_read(address, room);
    if (outcome == Outcome::kAborted) return false;
    if (outcome == Outcome::kFailed) poisoned_ = true;
    assembler_.commit(n);
    packet_bytes_ += n;
    address += n;
    left -= n;
    forward_frames();
  }
  return true;
}

bool TransmitEngine::wait_for_room(std::uint32_t bytes) {
  const Passage passage(*this);
  while (!passage.is_void()) {
    const Time at = mac_.room_at(bytes, time_.now());
    if (at <= time_.now()) return true;
    if (at == kTimeNever) {
      wait_for_start();
    } else if (time_.loosely_timed() ? time_.ahead() + (at - time_.now()) < time_.quantum()
                                     : time_.alone_until(at)) {
      time_.advance_to(at);
      return true;
    } else {
      // Not until a time that means nothing any more after a reset.
      time_.wait_until(abandoned_event_, at);
    }
    if (time_.ahead() == kTimeZero) publish();
  }
  return false;
}

/// Link or flow control may take any time; the delayed interrupt must not wait for them.
void TransmitEngine::wait_for_start() {
  const Passage passage(*this);
  const bool waited = sync();
  if (passage.is_void()) return;
  if (delay_.expired()) {
    flush();
  } else if (!waited) {
    rest(room_list_);
  }
}

void TransmitEngine::forward_frames() {
  while (link::FramePtr frame = assembler_.take_frame()) {
    packet_bytes_ = 0;
    if (poisoned_) {
      core_.drops.count(Drop::kTxDmaError);
      continue;
    }
    mac_.enqueue(std::move(frame), time_.now());
  }
}

void TransmitEngine::note(const AssemblerResult& result) {
  if (result.fault != AssemblerResult::Fault::kNone) {
    core_.drops.count(Drop::kTxMalformed);
    faulty_ = true;
  }
  if (result.tso_complete) core_.statistics.add(Counter::kTsctc);
  if (result.tso_mismatch) core_.statistics.add(Counter::kTsctfc);
}

void TransmitEngine::complete(const TxDescriptor& descriptor) {
  DescriptorRing r = ring();
  const std::uint32_t before = r.owned();
  const std::uint32_t index = r.head;
  core_.bank[reg::kTdh] = r.head = r.next(index);
  const bool wanted = wants_report(descriptor);
  if (wanted || !write_back_.empty()) {
    const Passage passage(*this);
    report(descriptor, wanted, index);
    if (passage.is_void()) return;
    r.tail = core_.bank[reg::kTdt];
  }
  cache_.pop();
  const std::uint32_t after = r.owned();
  if (after == 0) raise(cause::kTxqe);
  count_low(before, after);
}

/// DD and TXDW (manual 3.3.3, 3.4.3): only for descriptors with RS, or RPS on the 82544. While some
/// are gathered (TXDCTL.WTHRESH) those between them count and are written back too (13.4.43).
bool TransmitEngine::wants_report(const TxDescriptor& descriptor) const {
  return descriptor.has(tx_cmd::kRs) || (core_.part.is_82544 && descriptor.has(tx_cmd::kRps));
}

void TransmitEngine::report(const TxDescriptor& descriptor, bool wanted, std::uint32_t index) {
  std::uint8_t* raw = cache_.front();
  if (wanted) raw[12] |= tx_status::kDd;
  write_back_.push(index, raw);

  const std::uint32_t tidv = core_.bank[reg::kTidv];
  const bool timed = wanted && tidv != 0;
  const bool delayed = timed && descriptor.has(tx_cmd::kIde);
  if (wanted && !delayed) report_due_ = true;
  const auto thresholds = DescriptorThresholds::decode(core_.bank[reg::kTxdctl]);
  const bool last_in_ring = core_.bank[reg::kTdh] == 0;
  if (write_back_.count() >= thresholds.write_back || last_in_ring || write_back_.full()) {
    const bool reported = report_due_;
    const Passage passage(*this);
    write_back_all();
    if (reported || passage.is_void()) return;
  }
  if (delayed) {
    delay_.restart(time_.now(), delay_units(tidv), delay_units(core_.bank[reg::kTadv]));
  } else if (timed && !write_back_.empty() && !delay_.running()) {
    // TIDV bounds the gathering as well, from its first packet on (manual 3.4.2, 13.4.41).
    delay_.restart(time_.now(), delay_units(tidv), kTimeZero);
  }
}

void TransmitEngine::write_back_all() {
  if (write_back_.empty()) return;
  const Outcome outcome = dma_write(ring().address(write_back_.first()), write_back_.bytes());
  if (outcome == Outcome::kAborted) return;
  write_back_.clear();
  if (!report_due_) return;
  report_due_ = false;
  delay_.cancel();
  raise(cause::kTxdw);
}

void TransmitEngine::count_low(std::uint32_t before, std::uint32_t after) {
  const std::uint32_t low = (core_.bank[reg::kTxdctl] >> dctl::kLwthreshShift) * 8;
  if (before > low && after <= low) raise(cause::kTxdLow);
}

}  // namespace e1000tlm::e1000
