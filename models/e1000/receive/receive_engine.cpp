#include "e1000tlm/e1000/receive/receive_engine.h"

#include <algorithm>
#include <cstring>

#include "e1000tlm/e1000/receive/link_header.h"
#include "e1000tlm/e1000/receive/receive_checksum.h"

namespace e1000tlm::e1000 {
namespace {

/// A frame whose last bit is this near counts as being on its way; see busy().
constexpr Time kImminent = us(200);

}  // namespace

ReceiveEngine::ReceiveEngine(const sc_core::sc_module_name& name, Core& core, MacReceiver& mac,
                             MacTransmitter& transmitter)
    : DmaEngine(name, core), mac_(mac), transmitter_(transmitter), delay_("delay") {
  RegisterBank& bank = core_.bank;
  bank.on_write<&ReceiveEngine::rdt_written>(reg::kRdt, this);
  bank.on_write<&ReceiveEngine::rctl_written>(reg::kRctl, this);
  bank.on_write<&ReceiveEngine::rdtr_written>(reg::kRdtr, this);
  bank.on_write<&ReceiveEngine::rxdctl_written>(reg::kRxdctl, this);
  for (const std::uint32_t offset : {reg::kRdbal, reg::kRdbah, reg::kRdlen, reg::kRdh}) {
    bank.on_write<&ReceiveEngine::ring_written>(offset, this);
  }
  SC_HAS_PROCESS(ReceiveEngine);
  SC_THREAD(run);
  SC_METHOD(timer_expired);
  dont_initialize();
  sensitive << delay_.expired_event();
}

void ReceiveEngine::rdt_written(std::uint32_t, std::uint32_t) {
  update_ready();
  wake(core_.now());
}

void ReceiveEngine::ring_written(std::uint32_t, std::uint32_t) {
  abandon();
  progress_ = Progress{};
  update_ready();
  wake(core_.now());
}

void ReceiveEngine::rctl_written(std::uint32_t, std::uint32_t) {
  transmitter_.state_changed();  // LBM
  update_ready();
  wake(core_.now());
}

void ReceiveEngine::rdtr_written(std::uint32_t, std::uint32_t value) {
  if ((value & rdtr::kFpd) == 0) return;
  delay_.cancel();
  flush_ = true;
  wake(core_.now());
}

void ReceiveEngine::rxdctl_written(std::uint32_t, std::uint32_t) {
  gathering_changed(reg::kRxdctl);
}

/// Without descriptors to write back the engine, which may be in the middle of something, is not
/// needed for it.
void ReceiveEngine::timer_expired() {
  if (!delay_.expired()) return;
  delay_.acknowledge();
  if (write_back_.empty()) {
    core_.interrupts.set(cause::kRxt0);
    return;
  }
  flush_ = true;
  wake(core_.now());
}

/// Frames go on arriving.
void ReceiveEngine::wait_for_gate() {
  admit_arrived();
  publish();
  rest(wake_list_, next_arrival_time());
}

/// Nothing that comes in by then is taken in late: PAUSE must not be.
void ReceiveEngine::begins(Time) { admit_arrived(); }

void ReceiveEngine::ends() {}

void ReceiveEngine::update_ready() {
  // Once frames flow, running out of descriptors is the packet buffer's business (RNBC, MPC), as on
  // the wire; only a receiver that is being set up has them held back.
  const bool possible = enabled() && core_.gate.enabled;
  const bool ready = (possible && (ready_ || ring().owned() != 0)) || mac_.watching();
  if (ready == ready_) return;
  ready_ = ready;
  core_.gmii->set_ready(ready_);
}

void ReceiveEngine::reset(Drop reason) {
  abandon();
  progress_ = Progress{};
  mac_.reset(reason);
  delay_.cancel();
  flush_ = false;
  update_ready();
  wake(core_.now());
}

FifoPointers ReceiveEngine::fifo_pointers(Time) const {
  return mac_.pointers(progress_.started ? progress_.done : 0);
}

bool ReceiveEngine::fifo_at_rest(Time) const { return !enabled() && mac_.empty(); }

DescriptorRing ReceiveEngine::ring() const {
  const RegisterBank& bank = core_.bank;
  return {(std::uint64_t{bank[reg::kRdbah]} << 32) | bank[reg::kRdbal],
          bank[reg::kRdlen] / static_cast<std::uint32_t>(kDescriptorBytes), bank[reg::kRdh],
          bank[reg::kRdt]};
}

/// Owned by hardware and neither filled nor waiting for write-back.
std::uint32_t ReceiveEngine::free_descriptors() const {
  const std::uint32_t owned = ring().owned();
  return owned > write_back_.count() ? owned - write_back_.count() : 0;
}

bool ReceiveEngine::can_store() const {
  // Switched off it still finishes the frame under way.
  return !mac_.empty() && !halted_ && (enabled() || progress_.started) && core_.gate.enabled &&
         free_descriptors() != 0;
}

bool ReceiveEngine::busy() const {
  if (!core_.gate.enabled) return false;
  if (!resting_ || can_store()) return true;
  const link::Arrival* next = next_arrival();
  return next != nullptr && next->last_bit <= sc_now() + kImminent;
}

void ReceiveEngine::run() {
  time_.start();
  wake_list_ |= wake_event_;
  wake_list_ |= core_.gmii->arrival_event();
  wake_list_ |= transmitter_.looped_event();
  for (;;) {
    settle();
    admit_arrived();
    if (flush_) {
      flush_ = false;
      const Passage passage(*this);
      write_back_all();
      if (!passage.is_void()) raise(cause::kRxt0);
    } else if (write_back_due_) {
      write_back_due_ = false;
      write_back_all();
    } else if (can_store()) {
      store();
    } else {
      wait_for_work();
    }
  }
}

const link::Arrival* ReceiveEngine::next_arrival() const {
  auto& looped = transmitter_.looped();
  if (!looped.empty()) return &looped.front();
  return core_.gmii->next(time_.now());
}

Time ReceiveEngine::next_arrival_time() {
  if (next_found_ == time_.waits()) return next_at_;
  const link::Arrival* next = next_arrival();
  next_found_ = time_.waits();
  return next_at_ = next != nullptr ? next->last_bit : kTimeNever;
}

link::Arrival ReceiveEngine::take_arrival() {
  next_found_ = ~std::uint64_t{0};
  auto& looped = transmitter_.looped();
  if (looped.empty()) return core_.gmii->take();
  link::Arrival arrival = std::move(looped.front());
  looped.pop_front();
  return arrival;
}

void ReceiveEngine::admit_arrived() {
  while (next_arrival_time() <= time_.now()) {
    const bool looped = !transmitter_.looped().empty();
    const std::uint32_t causes = mac_.admit(take_arrival(), looped, free_descriptors() == 0);
    if (causes != 0) raise(causes);
  }
}

/// Nothing to store: lets time pass until the next frame is in or something else changes. Loosely
/// timed and with the packet buffer empty that needs no wait within the quantum.
void ReceiveEngine::wait_for_work() {
  if (settle()) return;
  const Time at = next_arrival_time();
  if (mac_.empty() && at - (time_.now() - time_.ahead()) < time_.quantum()) {
    time_.advance_to(at);
    return;
  }
  if (time_.alone_until(at)) {
    time_.advance_to(at);
    return;
  }
  if (sync()) return;  // something may have changed meanwhile
  rest(wake_list_, at);
  if (wake_time_ > time_.now() && can_store()) time_.advance_to(wake_time_);
}

void ReceiveEngine::store() {
  if (!progress_.started) {
    if (!await_turn()) return;
    begin(mac_.front());
  }
  const Passage passage(*this);
  const auto thresholds = DescriptorThresholds::decode(core_.bank[reg::kRxdctl]);
  if (wants_descriptors(thresholds)) {
    if (fetch(ring(), write_back_.count(), thresholds) != Outcome::kDone) return;
    if (cache_.empty()) return;
  }

  const std::uint64_t address = load_le64(cache_.front());
  const auto total = static_cast<std::uint32_t>(progress_.bytes.size());
  if (address == 0) {  // a null descriptor is completed without data (manual 3.2.3)
    // A ring of nothing else whose tail is never reached would keep the engine busy for ever.
    if (++progress_.null_descriptors > ring().entries) halted_ = true;
    finish_descriptor(false, 0);
    return;
  }
  progress_.null_descriptors = 0;
  const std::uint32_t chunk =
      std::min(receive_buffer_bytes(core_.bank[reg::kRctl]), total - progress_.done);
  // The access may outlast a reset, which empties the packet buffer.
  const link::FramePtr keep = mac_.front().frame;
  // The burst ends with a whole 8-byte word, of which buffers consist (manual 4.2).
  const std::uint32_t padding = -static_cast<std::uint32_t>(address + chunk) & 7;
  const Outcome outcome =
      dma_write(address, progress_.bytes.subspan(progress_.done, chunk), padding);
  if (outcome == Outcome::kAborted) return;
  if (outcome == Outcome::kFailed) progress_.failed = true;
  progress_.done += chunk;
  const bool last = progress_.done == total;
  // Frames that arrived while this one was written found its bytes still in the buffer.
  admit_arrived();
  if (last && progress_.failed) {
    progress_.fields.errors |= rx_error::kRxe;
    core_.drops.count(Drop::kRxDmaError);
  }
  finish_descriptor(last, chunk);
  if (last && !passage.is_void()) finish_frame(total);
}

/// The silicon takes its time for each frame; false if something may have changed meanwhile.
bool ReceiveEngine::await_turn() {
  const bool waited = time_.now() < next_start_;
  if (waited) {
    time_.advance_to(next_start_);
    if (time_.due() && sync()) return false;
  }
  next_start_ = time_.now() + core_.timing.receive_occupancy;
  return true;
}

/// What of the frame is stored, and what its descriptor will say (manual 3.2.3, 9.3).
void ReceiveEngine::begin(StoredFrame& stored) {
  link::Frame& frame = *stored.frame;
  const RegisterBank& bank = core_.bank;
  const std::uint32_t rxcsum = bank[reg::kRxcsum];
  const auto vet = static_cast<std::uint16_t>(bank[reg::kVet]);
  const bool keep_crc = !core_.is_on(reg::kRctl, rctl::kSecrc);
  RxWriteBack fields;
  fields.status = rx_status::kDd | rx_status::kEop;
  if (stored.inexact) fields.status |= rx_status::kPif;
  const ReceiveChecksum sums = verify_checksums(frame.bytes(), rxcsum, vet, !core_.part.is_82544);
  fields.status |= sums.status;
  fields.errors = stored.errors | sums.errors;

  ConstBytes bytes = keep_crc ? frame.bytes_with_fcs() : ConstBytes(frame.bytes());
  if (core_.is_on(reg::kCtrl, ctrl::kVme) && frame.size() >= 18 && is_tagged(frame.bytes(), vet)) {
    fields.special = tag_control(frame.bytes());
    fields.status |= rx_status::kVp;
    std::memcpy(scratch_.data(), bytes.data(), 12);
    std::memcpy(scratch_.data() + 12, bytes.data() + 16, bytes.size() - 16);
    bytes = {scratch_.data(), bytes.size() - 4};
  }
  if (!core_.part.is_82544) fields.checksum = packet_checksum(bytes, rxcsum);
  progress_ = {true, 0, bytes, 0, fields, false};
}

void ReceiveEngine::finish_descriptor(bool last, std::uint32_t stored_bytes) {
  RxWriteBack fields;
  // Without EOP only length and DD are valid; the packet checksum stands in the first descriptor.
  if (last) {
    fields = progress_.fields;
  } else {
    fields.status = rx_status::kDd;
  }
  fields.checksum =
      progress_.done == stored_bytes && stored_bytes != 0 ? progress_.fields.checksum : 0;
  fields.length = static_cast<std::uint16_t>(stored_bytes);
  std::uint8_t* raw = cache_.front();
  encode_rx(fields, raw + 8);
  const DescriptorRing r = ring();
  const std::uint32_t index = r.ahead(r.head, write_back_.count());
  if (descriptors.armed()) descriptors.emit({time_.now(), index, fields});
  write_back_.push(index, raw);
  cache_.pop();

  const auto thresholds = DescriptorThresholds::decode(core_.bank[reg::kRxdctl]);
  const bool gather = (core_.bank[reg::kRdtr] & 0xFFFF) != 0 && free_descriptors() != 0 &&
                      r.next(index) != 0 && !write_back_.full();
  if (!gather || write_back_.count() >= thresholds.write_back) write_back_all();
}

void ReceiveEngine::finish_frame(std::uint32_t bytes) {
  progress_.started = false;
  mac_.release(time_.now());
  moderate(bytes);
}

/// RDH moves with the write-back; falling to the RDMTS threshold is a cause (manual 3.2.6).
void ReceiveEngine::write_back_all() {
  if (write_back_.empty()) return;
  const std::uint32_t count = write_back_.count();
  const Outcome outcome = dma_write(ring().address(write_back_.first()), write_back_.bytes());
  if (outcome == Outcome::kAborted) return;
  write_back_.clear();
  DescriptorRing r = ring();
  const std::uint32_t before = r.owned();
  core_.bank[reg::kRdh] = r.head = r.ahead(r.head, count);
  const std::uint32_t after = r.owned();
  const unsigned code = (core_.bank[reg::kRctl] >> rctl::kRdmtsShift) & 3;
  const std::uint32_t threshold = r.entries >> (code == 3 ? 3 : code + 1);
  if (before > threshold && after <= threshold) raise(cause::kRxdmt0);
}

/// RXT0 now or by the delay timers (manual 3.2.7.1); small packets at once (13.4.32).
void ReceiveEngine::moderate(std::uint32_t bytes) {
  const std::uint32_t packet = core_.bank[reg::kRdtr] & 0xFFFF;
  const std::uint32_t small = core_.part.is_82544 ? 0 : core_.bank[reg::kRsrpd];
  if (small != 0 && bytes <= small) {
    delay_.cancel();
    const Passage passage(*this);
    write_back_all();
    if (!passage.is_void()) raise(cause::kSrpd | cause::kRxt0);
  } else if (packet == 0) {
    raise(cause::kRxt0);
  } else if (core_.part.is_82544) {
    // No RADV: RDTR itself is absolute (rule RX-34).
    if (!delay_.running()) delay_.restart(time_.now(), delay_units(packet), kTimeZero);
  } else {
    delay_.restart(time_.now(), delay_units(packet), delay_units(core_.bank[reg::kRadv]));
  }
}

}  // namespace e1000tlm::e1000
