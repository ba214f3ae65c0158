#include "e1000tlm/trace/frame_path.h"

#include <algorithm>

#include "e1000tlm/e1000/registers/registers.h"

namespace e1000tlm::trace {
namespace {

constexpr std::uint32_t kFcs = 4;
constexpr std::uint32_t kLeastFrame = 60;
constexpr std::uint32_t kVlanTag = 4;
/// More than rings and packet buffers hold.
constexpr std::size_t kMostUnderWay = 8192;
/// A frame that follows the one before within so many byte times waited for the wire.
constexpr std::int64_t kBackToBack = 32;
constexpr std::int64_t kPreamble = 8;

bool is_after(std::uint32_t first, std::uint32_t index, std::uint32_t tail, std::uint32_t entries) {
  return (index + entries - first) % entries < (tail + entries - first) % entries;
}

}  // namespace

PathFinder::Lane& PathFinder::lane(const Event& event) {
  if (lanes_.size() <= event.nic) lanes_.resize(event.nic + std::size_t{1});
  return lanes_[event.nic];
}

void PathFinder::operator()(const Event& event) {
  if (event.nic == kNoNic) return;
  Lane& own = lane(event);
  switch (event.kind) {
    case Kind::kBus: bus(event, own); break;
    case Kind::kRegister: software(event, own); break;
    case Kind::kReceived:
      received(event, own);
      trim(own);
      break;
    case Kind::kReceiveDescriptor: filled(event, own); break;
    case Kind::kTransmitDescriptor: transmit(event, own); break;
    case Kind::kInterrupt: interrupt(event, own); break;
    case Kind::kWireOut: sent(event, own); break;
    case Kind::kFifo:
      if (event.code == 1) {
        const std::size_t stored = own.received.size() - own.reported - own.filled;
        own.received.erase_end(stored);
        lost_track_ += stored;
      }
      break;
    default: break;
  }
}

void PathFinder::finish(Walk& walk, Time end) {
  walk.path.end = end;
  sink_(walk.path);
}

/// The oldest of more than there is room for is followed no more.
void PathFinder::trim(Lane& lane) {
  if (lane.received.size() <= kMostUnderWay) return;
  lane.received.pop_front();
  if (lane.reported != 0) {
    --lane.reported;
  } else if (lane.filled != 0) {
    --lane.filled;
  }
  ++lost_track_;
}

void PathFinder::bus(const Event& event, Lane& lane) {
  switch (event.use) {
    case Use::kReceiveData: data_written(event, lane); break;
    case Use::kReceiveWriteBack: written_back(event, lane); break;
    case Use::kTransmitData: fetched(event, lane); break;
    case Use::kTransmitWriteBack: told(event, lane); break;
    default: break;
  }
}

// --- to the NIC ---

void PathFinder::received(const Event& event, Lane& lane) {
  Walk& walk = lane.received.append();
  walk.path.nic = event.nic;
  walk.path.board = event.board;
  walk.path.bytes = event.bytes;
  walk.path.begin = walk.now = event.asked;
  walk.path.wire = event.at;
  walk.spend(Part::kWire, event.at);
}

void PathFinder::data_written(const Event& event, Lane& lane) {
  const std::size_t oldest = lane.reported + lane.filled;
  if (oldest == lane.received.size()) return;
  Walk& walk = lane.received[oldest];
  const bool first = walk.path.data == kTimeZero;
  if (first) {
    walk.path.data = event.at;
    walk.spend(Part::kFifoWait, std::min(lane.freed, event.asked));
  }
  walk.access(event, first ? Part::kDescriptorWait : Part::kMemory);
}

void PathFinder::filled(const Event& event, Lane& lane) {
  if ((event.code & kEndsPacket) == 0) return;
  lane.freed = std::max(lane.freed, event.at);
  const std::size_t oldest = lane.reported + lane.filled;
  if (oldest == lane.received.size()) {
    ++lost_track_;
    return;
  }
  lane.received[oldest].spend(Part::kMemory, event.at);
  ++lane.filled;
}

void PathFinder::written_back(const Event& event, Lane& lane) {
  lane.freed = std::max(lane.freed, event.end);
  for (; lane.filled != 0; --lane.filled, ++lane.reported) {
    Walk& walk = lane.received[lane.reported];
    walk.access(event, Part::kWriteBackWait);
    walk.path.write_back = event.at;
  }
}

void PathFinder::interrupt(const Event& event, Lane& lane) {
  if (event.code == 0) return;
  for (std::size_t i = 0; i < lane.reported; ++i) {
    Walk& walk = lane.received[i];
    if (walk.path.interrupt != kTimeZero || event.at < walk.now) continue;
    walk.spend(event.bytes != 0 ? Part::kThrottling : Part::kDelayTimer, event.at);
    walk.path.interrupt = event.at;
  }
  for (; lane.called < lane.told; ++lane.called) {
    Walk& walk = lane.sending[lane.called];
    if (event.at < walk.told.end) break;
    walk.throttled = event.bytes != 0;
    walk.path.interrupt = event.at;
  }
}

void PathFinder::software(const Event& event, Lane& lane) {
  for (; lane.reported != 0 && lane.received.front().now < event.end; --lane.reported) {
    Walk& walk = lane.received.front();
    walk.spend(Part::kInterruptLatency, event.end);
    finish(walk, event.end);
    lane.received.pop_front();
  }
  for (; lane.seen < lane.told && lane.sending[lane.seen].told.end < event.end; ++lane.seen) {
    lane.sending[lane.seen].looked = event.end;
  }
  complete(lane);
  if (event.value == e1000::reg::kTdt && pci::is_write(event.command)) {
    lane.doorbells.append().at = event.end;
    if (lane.doorbells.size() > kMostUnderWay) lane.doorbells.pop_front();
  }
}

// --- from the NIC ---

void PathFinder::tail(std::uint16_t nic, std::uint32_t tdt, std::uint32_t entries) {
  Event of;
  of.nic = nic;
  Lane& own = lane(of);
  own.entries = entries;
  if (own.doorbells.empty()) {
    own.first = tdt;
    return;
  }
  own.doorbells.back().tail = tdt;
  own.doorbells.back().known = true;
}

/// When software told of this descriptor.
Time PathFinder::doorbell_of(const Event& descriptor, Lane& lane) {
  const auto index = static_cast<std::uint32_t>(descriptor.value);
  while (lane.doorbells.size() > 1) {
    const Doorbell& oldest = lane.doorbells.front();
    const bool covers = lane.entries == 0 || is_after(lane.first, index, oldest.tail, lane.entries);
    if (!oldest.known || covers) break;
    lane.first = oldest.tail;
    lane.doorbells.pop_front();
  }
  return lane.doorbells.empty() ? descriptor.at
                                : std::min(descriptor.at, lane.doorbells.front().at);
}

void PathFinder::transmit(const Event& event, Lane& lane) {
  if ((event.code & kContext) != 0) return;
  if (!lane.open) {
    Walk& walk = lane.sending.append();
    walk.path.nic = event.nic;
    walk.path.board = event.board;
    walk.path.inbound = false;
    walk.path.begin = walk.now = doorbell_of(event, lane);
    if (lane.sending.size() > kMostUnderWay) {
      forget(lane, 0, 1);
      ++lost_track_;
    }
  }
  Walk& walk = lane.sending.back();
  walk.spend(lane.open ? Part::kMemory : Part::kDescriptorWait, event.at);
  walk.length += event.bytes;
  walk.segmented = walk.segmented || (event.code & kSegments) != 0;
  lane.open = (event.code & kEndsPacket) == 0;
  walk.described = event.at;
}

void PathFinder::fetched(const Event& event, Lane& lane) {
  if (lane.sending.empty()) return;
  Walk& walk = lane.sending.back();
  const bool first = walk.path.data == kTimeZero;
  if (first) walk.path.data = event.at;
  walk.access(event, first ? Part::kFifoWait : Part::kMemory);
}

void PathFinder::sent(const Event& event, Lane& lane) {
  if (event.code != 0) return;
  const auto made_from = [&](const Walk& walk) {
    const std::uint32_t bytes = std::max(walk.length, kLeastFrame) + kFcs;
    return !walk.segmented && (event.bytes == walk.length + kFcs || event.bytes == bytes ||
                               event.bytes == walk.length + kFcs + kVlanTag);
  };
  const Time free = lane.wire_free;
  lane.wire_free = event.end;
  const auto first = lane.sending.begin() + static_cast<std::ptrdiff_t>(lane.left);
  if (first != lane.sending.end() && first->segmented) {
    // Each segment brings the headers again.
    Walk& packet = *first;
    const auto headers = static_cast<std::uint32_t>(event.value);
    if (packet.path.wire == kTimeZero) packet.length -= std::min(packet.length, headers);
    packet.path.wire = event.at;
    const std::uint32_t payload = event.bytes - kFcs - std::min(event.bytes - kFcs, headers);
    packet.length -= std::min(packet.length, payload);
    if (packet.length == 0) forget(lane, lane.left, 1);
    ++lost_track_;
    return;
  }
  const auto found = std::find_if(first, lane.sending.end(), made_from);
  if (found == lane.sending.end()) {
    ++lost_track_;
    return;
  }
  const auto passed = static_cast<std::size_t>(found - first);
  lost_track_ += passed;
  forget(lane, lane.left, passed);
  Walk& walk = lane.sending[lane.left];
  const Time byte = (event.end - event.at) / (static_cast<std::int64_t>(event.bytes) + kPreamble);
  const bool waited = event.at <= free + byte * kBackToBack;
  walk.path.bytes = event.bytes;
  walk.path.wire = event.at;
  walk.spend(waited ? Part::kFifoWait : Part::kMemory, event.at);
  walk.spend(Part::kWire, event.end);
  walk.path.sent = event.end;
  ++lane.left;
  complete(lane);
}

/// Descriptors are written back: those that were begun by then.
void PathFinder::told(const Event& event, Lane& lane) {
  const std::size_t whole = lane.sending.size() - (lane.open ? 1 : 0);
  for (; lane.told < whole && lane.sending[lane.told].described <= event.asked; ++lane.told) {
    Walk& walk = lane.sending[lane.told];
    walk.told = event;
    walk.path.write_back = event.at;
  }
}

/// These packets are followed no more.
void PathFinder::forget(Lane& lane, std::size_t first, std::size_t count) {
  if (count == 0) return;
  const auto begin = lane.sending.begin() + static_cast<std::ptrdiff_t>(first);
  lane.sending.rerase(begin, begin + static_cast<std::ptrdiff_t>(count));
  for (std::size_t* of : {&lane.left, &lane.told, &lane.called, &lane.seen}) {
    if (*of > first) *of -= std::min(*of - first, count);
  }
}

/// What has left and was looked at has gone all the way. Write-back, interrupt and software count
/// from the last bit on: until then the frame waits for none of them.
void PathFinder::complete(Lane& lane) {
  const std::size_t done = std::min(lane.left, lane.seen);
  for (std::size_t i = 0; i < done; ++i) {
    Walk& walk = lane.sending[i];
    walk.access(walk.told, Part::kWriteBackWait);
    if (walk.path.interrupt != kTimeZero && walk.path.interrupt <= walk.looked) {
      walk.spend(walk.throttled ? Part::kThrottling : Part::kDelayTimer, walk.path.interrupt);
    }
    walk.spend(Part::kInterruptLatency, walk.looked);
    finish(walk, walk.now);
  }
  forget(lane, 0, done);
}

}  // namespace e1000tlm::trace
