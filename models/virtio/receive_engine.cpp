#include "e1000tlm/virtio/receive_engine.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace e1000tlm::virtio {
namespace {

/// A frame whose last bit is this near counts as being on its way; see busy().
constexpr Time kImminent = us(200);
constexpr std::size_t kFirstRoom = 64;
constexpr std::size_t kEthernetBytes = 14;
/// A long packet with its Ethernet header and two tags; frames are shorter.
constexpr std::size_t kMostPacketBytes = net::Coalescer::kMostIpBytes + 14 + 8;
static_assert(kMostPacketBytes > link::kMaxFrameBytes);

}  // namespace

ReceiveEngine::ReceiveEngine(const sc_core::sc_module_name& name, NetCore& core,
                             InterruptUnit& interrupts)
    : QueueEngine(name, core, interrupts),
      pairs_(core.config.queue_pairs),
      staging_(net::header::kHashBytes + kMostPacketBytes) {
  for (unsigned pair = 0; pair < core.config.queue_pairs; ++pair) {
    pairs_[pair].work = &add_queue(net::receive_queue(pair));
    pairs_[pair].frames.set_capacity(kFirstRoom);
  }
  SC_HAS_PROCESS(ReceiveEngine);
  SC_THREAD(run);
}

// --- what register handlers say -----------------------------------------------------------------

void ReceiveEngine::stop() {
  QueueEngine::stop();
  for (Pair& pair : pairs_) lose_waiting(pair);
  supplied_ = false;
  update_ready();
}

void ReceiveEngine::lose_waiting(Pair& pair) {
  core_.drops.count(NetDrop::kRxReset, pair.packet.frames + pair.frames.size());
  pair.packet.frames = 0;
  pair.frames.clear();
  pair.bytes = 0;
}

void ReceiveEngine::update_ready() {
  const bool ready = supplied_ && core_.gate.enabled && core_.transport->running();
  if (ready == ready_) return;
  ready_ = ready;
  if (core_.wire != nullptr) core_.wire->set_ready(ready_);
}

bool ReceiveEngine::busy() const {
  if (!core_.gate.enabled) return false;
  if (!resting_) return true;
  for (const Pair& pair : pairs_) {
    if (can_store(pair)) return true;
  }
  const link::Arrival* const next = core_.wire != nullptr ? core_.wire->next(time_.now()) : nullptr;
  return next != nullptr && next->last_bit <= sc_now() + kImminent;
}

std::size_t ReceiveEngine::waiting() const {
  std::size_t frames = 0;
  for (const Pair& pair : pairs_) frames += pair.packet.frames + pair.frames.size();
  return frames;
}

// --- what the engine's process does -------------------------------------------------------------

void ReceiveEngine::queue_changed(Work& work) {
  Pair& pair = pairs_[work.index / 2];
  pair.held = 0;
  pair.room = 0;
  pair.short_of = false;
  pair.coalescer.configure(core_.transport->features());
  if (!work.running) lose_waiting(pair);
}

/// Frames go on arriving.
void ReceiveEngine::wait_for_gate() {
  admit_arrived();
  rest(wake_list_, next_arrival_time());
}

void ReceiveEngine::run() {
  time_.start();
  wake_list_ |= wake_event_;
  if (core_.wire != nullptr) wake_list_ |= core_.wire->arrival_event();
  for (;;) {
    settle();
    admit_arrived();
    if (apply_changes()) continue;
    if (Pair* const pair = next_storable()) {
      store(*pair);
    } else if (!look_for_supply()) {
      wait_for_work();
    }
  }
}

Time ReceiveEngine::next_arrival_time() {
  if (next_found_ == time_.waits()) return next_at_;
  const link::Arrival* const next = core_.wire != nullptr ? core_.wire->next(time_.now()) : nullptr;
  next_found_ = time_.waits();
  return next_at_ = next != nullptr ? next->last_bit : kTimeNever;
}

void ReceiveEngine::admit_arrived() {
  while (next_arrival_time() <= time_.now()) {
    next_found_ = ~std::uint64_t{0};
    admit(core_.wire->take());
  }
}

void ReceiveEngine::lose(const link::Arrival& arrival, NetDrop reason) {
  core_.drops.count(reason);
  if (core_.probes.received.armed()) {
    core_.probes.received.emit({arrival.last_bit, arrival.frame.get(), false, reason, 0});
  }
}

void ReceiveEngine::admit(link::Arrival&& arrival) {
  const link::Frame& frame = *arrival.frame;
  if (!core_.transport->running() || core_.asleep) return lose(arrival, NetDrop::kRxNotReady);
  if (!frame.fcs_ok() || frame.coding_error || frame.size() < kEthernetBytes) {
    return lose(arrival, NetDrop::kRxBadFcs);
  }
  if (!core_.control.filter().accepts(frame.bytes())) return lose(arrival, NetDrop::kRxFiltered);
  net::PacketHash hash;
  const unsigned chosen = steer(frame, hash);
  Pair& pair = pairs_[chosen];
  if (!pair.work->wanted) return lose(arrival, NetDrop::kRxNotReady);
  if (pair.bytes + frame.size() > core_.config.timing.receive_fifo) {
    return lose(arrival, NetDrop::kRxNoBuffer);
  }
  if (core_.probes.received.armed()) {
    core_.probes.received.emit({arrival.last_bit, &frame, true, NetDrop::kCount, chosen});
  }
  if (pair.frames.full()) pair.frames.set_capacity(2 * pair.frames.capacity());
  pair.bytes += frame.size();
  pair.frames.push_back({std::move(arrival.frame), hash});
}

/// As the driver's table says; else the pair that the frame's link has it on, or on which its flow
/// sent last.
unsigned ReceiveEngine::steer(const link::Frame& frame, net::PacketHash& hash) const {
  const net::ControlUnit& control = core_.control;
  if (control.hash().active()) hash = control.hash()(frame.bytes());
  const unsigned active = control.pairs();
  if (control.hash().steering()) return control.hash().pair(hash);
  if (active <= 1) return 0;
  if (frame.queue < active) return frame.queue;
  return core_.flows.pair(net::symmetric_flow_hash(frame.bytes()), active);
}

ReceiveEngine::Pair* ReceiveEngine::next_storable() {
  if (!core_.gate.enabled || !core_.transport->running()) return nullptr;
  for (std::size_t i = 0; i < pairs_.size(); ++i) {
    const std::size_t at = (turn_ + i) % pairs_.size();
    if (!can_store(pairs_[at])) continue;
    turn_ = at + 1;
    return &pairs_[at];
  }
  return nullptr;
}

Time ReceiveEngine::next_look() const {
  Time next = kTimeNever;
  if (!core_.gate.enabled || !core_.transport->running()) return next;
  for (const Pair& pair : pairs_) {
    if (pair.work->running && pair.work->kicked && (pair.waits() || !supplied_)) {
      next = std::min(next, pair.work->look_at);
    }
  }
  return next;
}

bool ReceiveEngine::look_for_supply() {
  if (supplied_ || !core_.gate.enabled || !core_.transport->running()) return false;
  for (Pair& pair : pairs_) {
    if (!pair.work->running || !pair.work->kicked || pair.work->look_at > time_.now()) continue;
    const Busy busy(*this, *pair.work);
    gather(pair, 1);
    return true;
  }
  return false;
}

/// Nothing to store: lets time pass until the next frame is in or something else changes. Loosely
/// timed and with nothing waiting that needs no wait within the quantum.
void ReceiveEngine::wait_for_work() {
  if (settle()) return;
  const Time at = std::min(next_arrival_time(), next_look());
  const bool waiting =
      std::any_of(pairs_.begin(), pairs_.end(), [](const Pair& pair) { return pair.waits(); });
  if (!waiting && at - (time_.now() - time_.ahead()) < time_.quantum()) {
    time_.advance_to(at);
  } else if (time_.alone_until(at)) {
    time_.advance_to(at);
  } else if (!sync()) {
    rest(wake_list_, at);
  }
}

void ReceiveEngine::store(Pair& pair) {
  Work& work = *pair.work;
  const Busy busy(*this, work);
  const Passage passage(*this);
  prepare(pair);
  pair.short_of = false;
  const link::FramePtr keep = pair.packet.frame;
  const ConstBytes bytes = pair.packet.bytes;
  const std::size_t total = core_.header_bytes() + static_cast<std::size_t>(bytes.size());
  const bool enough = gather(pair, total);
  if (passage.is_void() || !work.running) return;
  admit_arrived();
  if (!enough) {
    const bool merge = core_.agreed(net::feature::kMergeableBuffers);
    const bool hopeless = merge ? work.queue.in_flight() >= work.layout.size : pair.held != 0;
    pair.short_of = !hopeless;
    if (!hopeless) return;
    core_.drops.count(NetDrop::kRxTooLong, pair.packet.frames);
    release(pair);
    return;
  }
  time_.advance(core_.config.timing.packet);
  const std::size_t buffers = write_packet(pair, total);
  if (passage.is_void()) return;
  if (buffers == 0) {
    core_.drops.count(NetDrop::kRxDmaError, pair.packet.frames);
    release(pair);
    fail(work, "a buffer is not in memory");
    return;
  }
  if (!give_back(pair, buffers, total)) return;
  NetPairCounters& counters = core_.pairs[work.index / 2];
  counters.rx_frames += pair.packet.frames;
  counters.rx_bytes += pair.packet.occupies;
  release(pair);
  admit_arrived();
  if (!pair.waits() || work.unseen >= core_.config.timing.used_batch) publish(work);
}

void ReceiveEngine::prepare(Pair& pair) {
  if (pair.packet.frames != 0) return;
  const std::uint64_t features = core_.transport->features();
  pair.packet.occupies = 0;
  if ((features & (net::feature::kGuestTso4 | net::feature::kGuestTso6)) != 0) {
    const net::PacketHash hash = pair.frames.front().hash;
    using Result = net::Coalescer::Result;
    Result result = Result::kHeld;
    while (result == Result::kHeld && !pair.frames.empty()) {
      result = pair.coalescer.offer(pair.frames.front().frame->bytes());
      if (result == Result::kHeld || result == Result::kComplete) take_frame(pair);
    }
    if (pair.coalescer.holds()) {
      const net::Coalescer::Packet whole = pair.coalescer.take();
      pair.packet.bytes = whole.frame;
      pair.packet.header = whole.header;
      pair.packet.header.hash = hash;
      pair.packet.frames = whole.segments;
      pair.packet.frame.reset();
      return;
    }
  }
  pair.packet.frame = pair.frames.front().frame;
  pair.packet.bytes = pair.packet.frame->bytes();
  pair.packet.header = net::receive_header(pair.packet.bytes, features);
  pair.packet.header.hash = pair.frames.front().hash;
  pair.packet.frames = 1;
  take_frame(pair);
}

void ReceiveEngine::take_frame(Pair& pair) {
  pair.packet.occupies += pair.frames.front().frame->size();
  pair.frames.pop_front();
}

bool ReceiveEngine::gather(Pair& pair, std::uint64_t bytes) {
  Work& work = *pair.work;
  const bool merge = core_.agreed(net::feature::kMergeableBuffers);
  const Passage passage(*this);
  while (pair.held == 0 || (merge && pair.room < bytes)) {
    if (work.queue.in_flight() >= work.layout.size) return false;
    if (pair.chains.size() == pair.held) pair.chains.emplace_back();
    DeviceQueue::Chain& chain = pair.chains[pair.held];
    if (pop(work, chain) != DeviceQueue::Pop::kChain) return false;
    if (chain.writable_bytes == 0) {
      fail(work, "a buffer that cannot be written");
      return false;
    }
    ++pair.held;
    pair.room += chain.writable_bytes;
    if (std::exchange(supplied_, true)) continue;
    sync();
    if (passage.is_void()) return false;
    update_ready();
  }
  return (merge ? pair.room : pair.chains.front().writable_bytes) >= bytes;
}

std::size_t ReceiveEngine::write_packet(Pair& pair, std::size_t total) {
  const std::size_t header = core_.header_bytes();
  std::size_t buffers = 0;
  for (std::size_t room = 0; room < total; ++buffers) room += pair.chains[buffers].writable_bytes;
  pair.packet.header.buffers = static_cast<std::uint16_t>(buffers);
  pair.packet.header.encode(Bytes(staging_.data(), header));
  std::memcpy(staging_.data() + header, pair.packet.bytes.data(), total - header);
  std::size_t done = 0;
  for (std::size_t i = 0; i < buffers; ++i) {
    const DeviceQueue::Chain& chain = pair.chains[i];
    const std::size_t bytes = std::min<std::size_t>(total - done, chain.writable_bytes);
    const auto written =
        write_chain(pair.work->memory, chain, 0, ConstBytes(staging_.data() + done, bytes));
    if (!written || *written != bytes) return 0;
    done += bytes;
  }
  return buffers;
}

bool ReceiveEngine::give_back(Pair& pair, std::size_t buffers, std::size_t bytes) {
  const Passage passage(*this);
  for (std::size_t i = 0; i < buffers; ++i) {
    const DeviceQueue::Chain& chain = pair.chains[i];
    const auto part =
        static_cast<std::uint32_t>(std::min<std::size_t>(bytes, chain.writable_bytes));
    bytes -= part;
    pair.room -= chain.writable_bytes;
    push(*pair.work, chain.head, part);
    if (passage.is_void() || !pair.work->running) return false;
  }
  // Chains keep their memory for the next ones.
  const auto begin = pair.chains.begin();
  const auto used = static_cast<std::ptrdiff_t>(buffers);
  std::rotate(begin, begin + used, begin + static_cast<std::ptrdiff_t>(pair.held));
  pair.held -= buffers;
  return true;
}

void ReceiveEngine::release(Pair& pair) {
  pair.bytes -= pair.packet.occupies;
  pair.packet.frames = 0;
  pair.packet.frame.reset();
}

}  // namespace e1000tlm::virtio
