#include "e1000tlm/virtio/transmit_engine.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace e1000tlm::virtio {
namespace {

constexpr std::size_t kEthernetBytes = 14;
/// Behind the place where a checksum begins: the longest TCP header.
constexpr std::size_t kTransportBytes = 60;
/// Ethernet with two tags, and IP with options: a packet's headers are in so many bytes, or behind
/// the start of its checksum.
constexpr std::size_t kHeadersBytes = 128;

}  // namespace

TransmitEngine::TransmitEngine(const sc_core::sc_module_name& name, NetCore& core,
                               InterruptUnit& interrupts)
    : QueueEngine(name, core, interrupts),
      control_(add_queue(core.control_queue_of(false))),
      wire_(core),
      frames_(link::FramePool::shared()),
      staging_(net::header::kHashBytes + link::OffloadFinisher::kMostBytes) {
  for (unsigned pair = 0; pair < core.config.queue_pairs; ++pair) {
    add_queue(net::transmit_queue(pair));
  }
  SC_HAS_PROCESS(TransmitEngine);
  SC_THREAD(run);
}

void TransmitEngine::stop() {
  QueueEngine::stop();
  wire_.reset();
}

void TransmitEngine::start_control(unsigned index, const SplitLayout& layout) {
  control_.index = index;
  start_queue(index, layout, 0);
}

void TransmitEngine::link_lost() {
  wire_.link_lost();
  abandoned_event_.notify(sc_core::SC_ZERO_TIME);  // nothing has to wait for room
}

void TransmitEngine::run() {
  time_.start();
  for (;;) {
    settle();
    if (apply_changes()) continue;
    Time next = kTimeNever;
    if (Work* const work = next_due(next)) {
      serve(*work);
    } else if (next != kTimeNever) {
      wait_till(next);
    } else if (!sync()) {
      rest(wake_event_);
    }
  }
}

void TransmitEngine::serve(Work& work) {
  const Busy busy(*this, work);
  if (pop(work, chain_) != DeviceQueue::Pop::kChain) return;
  if (&work == &control_) {
    command(work);
  } else {
    transmit(work);
  }
}

void TransmitEngine::command(Work& work) {
  const Passage passage(*this);
  if (const char* const problem = net::ControlUnit::problem(chain_)) {
    fail(work, problem);
    return;
  }
  sync();  // what it changes holds from now on
  if (passage.is_void()) return;
  const bool served = core_.control.serve(work.memory, chain_);
  if (passage.is_void()) return;
  if (!served) {
    fail(work, "a buffer is not in memory");
    return;
  }
  if (commanded_) commanded_();
  push(work, chain_.head, 1);
  if (!passage.is_void()) publish(work);
}

void TransmitEngine::transmit(Work& work) {
  const Passage passage(*this);
  header_bytes_ = core_.header_bytes();
  read_ = 0;
  if (chain_.readable_bytes < header_bytes_) {
    core_.drops.count(NetDrop::kTxMalformed);
    fail(work, "a packet without a whole header");
    return;
  }
  const Ending ending = send_packet(work.index / 2);
  if (ending == Ending::kFailed) {
    core_.drops.count(NetDrop::kTxDmaError);
    fail(work, "a buffer is not in memory");
    return;
  }
  if (ending == Ending::kAborted) core_.drops.count(NetDrop::kTxReset);
  if (passage.is_void()) return;
  push(work, chain_.head, 0);
  if (!passage.is_void() && work.unseen >= core_.config.timing.used_batch) publish(work);
}

TransmitEngine::Ending TransmitEngine::drop(NetDrop reason) {
  core_.drops.count(reason);
  return Ending::kDone;
}

TransmitEngine::Ending TransmitEngine::send_packet(unsigned pair) {
  const std::size_t total = chain_.readable_bytes;
  if (total < header_bytes_ + kEthernetBytes || total > staging_.size()) {
    return drop(NetDrop::kTxMalformed);
  }
  // A longer one waits again when it is known to be no segmented one.
  const std::size_t first = std::min(total - header_bytes_, link::kSmallFrameBytes);
  if (const Ending room = wait_for_room(first); room != Ending::kDone) return room;
  const std::size_t wanted = std::min(total, header_bytes_ + kHeadersBytes);
  if (const Ending there = read_until(wanted); there != Ending::kDone) return there;
  time_.advance(core_.config.timing.packet);
  const auto header = net::PacketHeader::decode(ConstBytes(staging_.data(), header_bytes_));
  if (net::transmit_problem(header, core_.transport->features()) != nullptr) {
    return drop(NetDrop::kTxMalformed);
  }
  const bool plain = (header.flags & net::header::kNeedsCsum) == 0;
  return plain ? send_plain(pair) : send_finished(pair);
}

TransmitEngine::Ending TransmitEngine::send_plain(unsigned pair) {
  const std::size_t bytes = chain_.readable_bytes - header_bytes_;
  if (bytes > link::kMaxFrameBytes) return drop(NetDrop::kTxMalformed);
  if (const Ending room = wait_for_room(bytes); room != Ending::kDone) return room;
  if (const Ending there = read_until(chain_.readable_bytes); there != Ending::kDone) return there;
  send(packet(), pair);
  return Ending::kDone;
}

void TransmitEngine::send(ConstBytes bytes, unsigned pair) {
  const auto size = static_cast<std::size_t>(bytes.size());
  link::FramePtr frame = frames_.make(std::max(size, link::kMinFrameBytes));
  std::memcpy(frame->data(), bytes.data(), size);
  if (size < frame->size()) std::memset(frame->data() + size, 0, frame->size() - size);
  if (core_.control.pairs() > 1) core_.flows.note(net::symmetric_flow_hash(bytes), pair);
  wire_.send(std::move(frame), pair, time_.now());
}

/// What the driver left to the device is done frame by frame, as the packet comes in.
TransmitEngine::Ending TransmitEngine::send_finished(unsigned pair) {
  const std::uint8_t* const header = staging_.data();
  const std::size_t total = chain_.readable_bytes;
  const bool segmented = header[net::header::kGsoType] != net::header::kGsoNone;
  const std::size_t segment = load_le16(header + net::header::kGsoSize);
  const std::size_t headers =
      header_bytes_ + load_le16(header + net::header::kCsumStart) + kTransportBytes;
  std::size_t wanted = segmented ? headers : total;
  if (!segmented && total - header_bytes_ > link::kMaxFrameBytes) {
    return drop(NetDrop::kTxMalformed);
  }
  if (const Ending there = read_until(std::min(wanted, total)); there != Ending::kDone) {
    return there;
  }
  if (!offload_.begin(ConstBytes(header, header_bytes_), packet())) {
    return drop(NetDrop::kTxMalformed);
  }
  while (offload_.more()) {
    wanted += segment;
    if (const Ending there = read_until(std::min(wanted, total)); there != Ending::kDone) {
      return there;
    }
    const ConstBytes finished = offload_.next();
    if (finished.size() > link::kMaxFrameBytes) return drop(NetDrop::kTxMalformed);
    const std::size_t bytes = std::max(finished.size(), link::kMinFrameBytes);
    if (const Ending room = wait_for_room(bytes); room != Ending::kDone) return room;
    send(finished, pair);
  }
  return Ending::kDone;
}

TransmitEngine::Ending TransmitEngine::read_until(std::size_t bytes) {
  std::size_t offset = 0;  // of a piece in the chain
  for (const Piece& piece : chain_.readable) {
    if (read_ >= bytes) break;
    const std::size_t end = offset + piece.length;
    while (read_ < end && read_ < bytes) {
      // A piece is read in bursts, however little of it is wanted.
      const std::size_t burst = std::min<std::size_t>(
          {end - read_, core_.config.timing.data_burst, staging_.size() - read_});
      const Passage passage(*this);
      const bool there =
          bus_read(piece.address + (read_ - offset), Bytes(staging_.data() + read_, burst));
      if (passage.is_void()) return Ending::kAborted;
      if (!there) return Ending::kFailed;
      read_ += burst;
    }
    offset = end;
  }
  return Ending::kDone;
}

TransmitEngine::Ending TransmitEngine::wait_for_room(std::size_t bytes) {
  if (core_.wire == nullptr || !core_.wire->link_up()) return Ending::kDone;
  const Passage passage(*this);
  for (;;) {
    const Time at = wire_.room_at(bytes, time_.now());
    if (at <= time_.now()) return Ending::kDone;
    wait_till(at);
    if (passage.is_void()) return Ending::kAborted;
  }
}

}  // namespace e1000tlm::virtio
