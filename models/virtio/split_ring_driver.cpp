/// The driver's side of a split virtqueue.
#include <algorithm>
#include <array>

#include "e1000tlm/virtio/ring_layout.h"
#include "e1000tlm/virtio/split_ring.h"

namespace e1000tlm::virtio {
using namespace ring_layout;

bool DriverQueue::start(const SplitLayout& layout, const RingOptions& options) {
  layout_ = layout;
  options_ = options;
  fault_ = layout.problem().empty() ? RingFault::kNone : RingFault::kBadLayout;
  if (fault_ != RingFault::kNone) return false;
  entries_.assign(layout.size, {});
  for (std::uint32_t i = 0; i < layout.size; ++i) {
    entries_[i].next = static_cast<std::uint16_t>(i + 1);
  }
  first_free_ = 0;
  free_ = layout.size;
  in_flight_ = next_available_ = published_ = next_used_ = armed_ = 0;
  calls_ = true;
  const std::vector<std::uint8_t> zeros(SplitLayout::descriptor_bytes(layout.size));
  const auto clear = [&](std::uint64_t address, std::uint64_t bytes) {
    return memory_.write(address, ConstBytes(zeros.data(), static_cast<std::size_t>(bytes)));
  };
  const std::uint64_t rings[][2] = {{layout.available, SplitLayout::available_bytes(layout.size)},
                                    {layout.used, SplitLayout::used_bytes(layout.size)}};
  bool there = clear(layout.descriptors, zeros.size());
  for (const auto& [address, bytes] : rings) {
    // A ring of few descriptors is longer than their table.
    for (std::uint64_t done = 0; there && done < bytes; done += zeros.size()) {
      there = clear(address + done, std::min<std::uint64_t>(zeros.size(), bytes - done));
    }
  }
  return there || fail(RingFault::kNoMemory);
}

bool DriverQueue::fail(RingFault fault) {
  if (fault_ == RingFault::kNone) fault_ = fault;
  return false;
}

bool DriverQueue::put(std::uint64_t table, std::uint16_t index, const Descriptor& descriptor) {
  std::array<std::uint8_t, Descriptor::kBytes> bytes{};
  descriptor.encode(bytes.data());
  return memory_.write(table + std::uint64_t{Descriptor::kBytes} * index, bytes) ||
         fail(RingFault::kNoMemory);
}

/// The chain from `head` on stands in the table.
std::optional<std::uint16_t> DriverQueue::offer(std::uint16_t head, std::size_t pieces,
                                                std::uint32_t writable) {
  std::array<std::uint8_t, 2> slot{};
  store_le16(slot.data(), head);
  const std::uint16_t at = next_available_ % layout_.size;
  if (!memory_.write(layout_.available + kRing + 2U * at, slot)) {
    fail(RingFault::kNoMemory);
    return std::nullopt;
  }
  entries_[head].pieces = static_cast<std::uint16_t>(pieces);
  entries_[head].writable = writable;
  free_ = static_cast<std::uint16_t>(free_ - pieces);
  ++in_flight_;
  ++next_available_;
  return head;
}

std::optional<std::uint16_t> DriverQueue::add(gsl::span<const Buffer> pieces) {
  if (fault_ != RingFault::kNone || pieces.empty() || pieces.size() > free_) return std::nullopt;
  const std::uint16_t head = first_free_;
  std::uint16_t index = head;
  std::uint32_t writable = 0;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    const Buffer& piece = pieces[i];
    const bool last = i + 1 == pieces.size();
    Descriptor descriptor{piece.address, piece.length, 0, 0};
    if (piece.device_writes) {
      descriptor.flags = Descriptor::kWrite;
      writable += piece.length;
    }
    if (!last) {
      descriptor.flags |= Descriptor::kNext;
      descriptor.next = entries_[index].next;
    }
    if (!put(layout_.descriptors, index, descriptor)) return std::nullopt;
    if (last) first_free_ = entries_[index].next;
    index = entries_[index].next;
  }
  return offer(head, pieces.size(), writable);
}

std::optional<std::uint16_t> DriverQueue::add_indirect(gsl::span<const Buffer> pieces,
                                                       std::uint64_t table) {
  if (fault_ != RingFault::kNone || pieces.empty() || free_ == 0 || !options_.indirect ||
      pieces.size() > options_.most_pieces) {
    return std::nullopt;
  }
  std::uint32_t writable = 0;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    const Buffer& piece = pieces[i];
    const auto index = static_cast<std::uint16_t>(i);
    Descriptor descriptor{piece.address, piece.length, 0, 0};
    if (piece.device_writes) {
      descriptor.flags = Descriptor::kWrite;
      writable += piece.length;
    }
    if (i + 1 != pieces.size()) {
      descriptor.flags |= Descriptor::kNext;
      descriptor.next = static_cast<std::uint16_t>(index + 1);
    }
    if (!put(table, index, descriptor)) return std::nullopt;
  }
  const std::uint16_t head = first_free_;
  const auto bytes = static_cast<std::uint32_t>(Descriptor::kBytes * pieces.size());
  if (!put(layout_.descriptors, head, {table, bytes, Descriptor::kIndirect, 0})) {
    return std::nullopt;
  }
  first_free_ = entries_[head].next;
  return offer(head, 1, writable);
}

bool DriverQueue::publish() {
  if (fault_ != RingFault::kNone || published_ == next_available_) return false;
  const std::uint16_t before = published_;
  std::uint16_t wish = 0;
  if (!memory_.store(layout_.available + kIndex, next_available_))
    return fail(RingFault::kNoMemory);
  published_ = next_available_;
  memory_.barrier();
  // avail_event stands behind the used ring; without it, bit 0 of the flags says "do not".
  const std::uint64_t at =
      options_.event_index ? layout_.used + kRing + kUsedElement * layout_.size : layout_.used;
  if (!memory_.load(at, wish)) return fail(RingFault::kNoMemory);
  if (!options_.event_index) return (wish & 1) == 0;
  return static_cast<std::uint16_t>(next_available_ - wish - 1) <
         static_cast<std::uint16_t>(next_available_ - before);
}

/// Buffers that have come back. False: fault().
bool DriverQueue::used_count(std::uint16_t& count) {
  std::uint16_t index = 0;
  if (!memory_.load(layout_.used + kIndex, index)) return fail(RingFault::kNoMemory);
  count = static_cast<std::uint16_t>(index - next_used_);
  return count <= in_flight_ || fail(RingFault::kIndexJump);
}

DriverQueue::Reap DriverQueue::reap(Used& used) {
  if (fault_ != RingFault::kNone) return Reap::kBroken;
  const auto broken = [&](RingFault fault) {
    fail(fault);
    return Reap::kBroken;
  };
  std::uint16_t count = 0;
  if (!used_count(count)) return Reap::kBroken;
  if (count == 0) {
    const bool arm = calls_ && options_.event_index && armed_ != next_used_;
    if (!(arm && enable_calls())) {
      return fault_ == RingFault::kNone ? Reap::kEmpty : Reap::kBroken;
    }
  }
  std::array<std::uint8_t, kUsedElement> element{};
  const std::uint16_t slot = next_used_ % layout_.size;
  if (!memory_.read(layout_.used + kRing + kUsedElement * slot, element)) {
    return broken(RingFault::kNoMemory);
  }
  const std::uint32_t id = load_le32(element.data());
  used.written = load_le32(element.data() + 4);
  if (id >= layout_.size || entries_[id].pieces == 0) return broken(RingFault::kBadUsed);
  Entry& entry = entries_[id];
  if (entry.writable == 0) used.written = 0;
  if (used.written > entry.writable) return broken(RingFault::kBadUsedLength);
  used.head = static_cast<std::uint16_t>(id);
  std::uint16_t tail = used.head;
  for (std::uint16_t i = 1; i < entry.pieces; ++i) tail = entries_[tail].next;
  entries_[tail].next = first_free_;
  first_free_ = used.head;
  free_ = static_cast<std::uint16_t>(free_ + entry.pieces);
  entry.pieces = 0;
  ++next_used_;
  --in_flight_;
  return Reap::kUsed;
}

void DriverQueue::disable_calls() {
  calls_ = false;
  if (fault_ == RingFault::kNone && !options_.event_index && !memory_.store(layout_.available, 1)) {
    fail(RingFault::kNoMemory);
  }
}

bool DriverQueue::request_call(bool late) {
  if (fault_ != RingFault::kNone) return false;
  const bool count_them = options_.event_index;
  const auto ahead = static_cast<std::uint16_t>(late && count_them ? in_flight_ * 3U / 4 : 0);
  const std::uint64_t at =
      layout_.available + (count_them ? kRing + std::uint64_t{2} * layout_.size : 0);
  const auto wish = static_cast<std::uint16_t>(count_them ? next_used_ + ahead : 0);
  if (!memory_.store(at, wish)) return fail(RingFault::kNoMemory);
  memory_.barrier();
  std::uint16_t count = 0;
  return used_count(count) && count > ahead;
}

bool DriverQueue::enable_calls() {
  if (fault_ != RingFault::kNone) return false;
  const bool stored =
      options_.event_index
          ? memory_.store(layout_.available + kRing + 2ULL * layout_.size, next_used_)
          : memory_.store(layout_.available, 0);
  if (!stored) return fail(RingFault::kNoMemory);
  calls_ = true;
  armed_ = next_used_;
  memory_.barrier();
  std::uint16_t count = 0;
  return used_count(count) && count > 0;
}

}  // namespace e1000tlm::virtio
